/* Layers that try to get out, and layers that are not what they claim. The fixture checks its canary after each test. */

#include "fixture.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *canary(Fixture *f, const char *name) {
        static char path[256];

        snprintf(path, sizeof(path), "%s/canary/%s", f->directory, name);
        return path;
}

static void dots_and_absolute_names_stay_inside(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "../../../../../../../../tmp/up", .text = "x", .mode = 0644);
        TAR(&f->tar, "/tmp/absolute", .text = "x", .mode = 0644);
        TAR(&f->tar, "a/../../b/../tmp/mixed", .text = "x", .mode = 0644);
        TAR(&f->tar, "//tmp//./slashes//", '5', 0755);
        tar_pax(&f->tar, "path", canary(f, "file"), strlen(canary(f, "file")));
        TAR(&f->tar, "x", .text = "overwritten", .mode = 0644);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "tmp", strrchr(f->directory, '/') ? ({
                             static char names[128];
                             snprintf(names, sizeof(names), "absolute %s mixed slashes up", strrchr(f->directory, '/') + 1);
                             names;
                     }) :
                                                           "");
        assert_text(f, canary(f, "file") + 1, "overwritten");
}

static void symlinks_stay_inside(void **state) {
        Fixture *f = *state;
        const char *outside = canary(f, "");

        /* The first in one layer, the second through a lower one; then a chain, relative and absolute. */
        TAR(&f->tar, "abs", '2', .link = outside);
        TAR(&f->tar, "abs/one", .text = "x", .mode = 0644);
        TAR(&f->tar, "up", '2', .link = "../../../../../../../../..");
        TAR(&f->tar, "c1", '2', .link = "up/c2");
        TAR(&f->tar, "c2", '2', .link = "up");
        fixture_layer(f);
        TAR(&f->tar, "abs/two", .text = "x", .mode = 0644);
        tar_pax(&f->tar, "path", "c1/three", 8);
        TAR(&f->tar, "x", .text = "x", .mode = 0644);
        TAR(&f->tar, "abs/file", .text = "overwritten", .mode = 0666);
        TAR(&f->tar, "up/tmp/.wh.nothing");
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, outside + 1, "file one two");
        assert_text(f, "three", "x");
}

static void last_component_is_never_followed(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "s", '2', .link = canary(f, "file"));
        TAR(&f->tar, "s", .text = "replaced", .mode = 0666);
        TAR(&f->tar, "d", '2', .link = canary(f, ""));
        TAR(&f->tar, "d/", '5', 0777);
        tar_xattr(&f->tar, "trusted.mine", "y", 1);
        TAR(&f->tar, "l", '2', .uid = 5, .gid = 5, .mtime = 9, .link = canary(f, "file"));
        fixture_layer(f);
        fixture_unpacked(f);
        assert_text(f, "s", "replaced");
        assert_file(f, "d", S_IFDIR, 0777, 0, 0, -1);
        assert_file(f, "l", S_IFLNK, -1, 5, 5, 9);
        assert_int_equal(lgetxattr(in_root(f, "l"), "trusted.mine", NULL, 0), 1);
}

static void hardlinks_stay_inside(void **state) {
        Fixture *f = *state;
        const char *outside = canary(f, "file");

        TAR(&f->tar, "l", '1', .link = outside);
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "there is no such file");
}

static void hardlink_through_a_symlink_stays_inside(void **state) {
        Fixture *f = *state;
        char target[64] = "s/canary/file";

        TAR(&f->tar, "s", '2', .link = f->directory);
        TAR(&f->tar, "l", '1', .link = target);
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "there is no such file");
}

static void whiteouts_stay_inside(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "s", '2', .link = canary(f, ""));
        TAR(&f->tar, "s/.wh.file");
        TAR(&f->tar, "s/.wh..wh..opq");
        TAR(&f->tar, "../../../../../../../../tmp/.wh.file");
        fixture_layer(f);
        TAR(&f->tar, "s/.wh.file");
        TAR(&f->tar, "s/.wh..wh..opq");
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "", "s");
}

static void strange_whiteouts_are_refused(void **state) {
        static const char *const names[] = { ".wh.", ".wh..", ".wh...", "d/.wh.", ".wh.x/y", "d/.wh.x/z/y" };
        Fixture *f = *state;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                TAR(&f->tar, names[i]);
                fixture_layer(f);
                fixture_refused(f, ERROR_INVALID_SPEC, "a whiteout");
                f->image.n_layers--;
        }
}

static void bookkeeping_of_aufs_is_passed_over(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, ".wh..wh.plnk/", '5', 0700);
        TAR(&f->tar, ".wh..wh.plnk/1.2", .text = "x", .mode = 0600);
        TAR(&f->tar, ".wh..wh.aufs", .text = "x", .mode = 0600);
        TAR(&f->tar, "a", .text = "x", .mode = 0600);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "", "a");
}

static void symlink_loops_end(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "a", '2', .link = "b");
        TAR(&f->tar, "b", '2', .link = "a");
        TAR(&f->tar, "a/x", .text = "x", .mode = 0644);
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "unpack 'a/x': more than 40 symlinks");
}

static void long_names_are_refused(void **state) {
        Fixture *f = *state;
        char name[PATH_MAX + 64];

        memset(name, 'n', 256);
        tar_pax(&f->tar, "path", name, 256);
        TAR(&f->tar, "x", .text = "x", .mode = 0644);
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "a name of more than 255 bytes");
        f->image.n_layers--;

        for (size_t i = 0; i < sizeof(name); i++)
                name[i] = i % 2 ? '/' : 'd';
        tar_pax(&f->tar, "path", name, sizeof(name));
        TAR(&f->tar, "x", .text = "x", .mode = 0644);
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "a path of more than");
        f->image.n_layers--;

        tar_pax(&f->tar, "path", name, 2 * 257 + 1);
        TAR(&f->tar, "x", .text = "x", .mode = 0644);
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "a path of more than 256 directories");
        f->image.n_layers--;

        /* The deepest and the longest that fit work, also in a layer above. */
        for (unsigned i = 0; i < 2; i++) {
                tar_pax(&f->tar, "path", name, 2 * 256 + 1);
                TAR(&f->tar, "x", .text = i ? "x" : NULL, .mode = 0644);
                fixture_layer(f);
        }
        memset(name, 'n', sizeof(name));
        for (size_t i = 255; i < sizeof(name); i += 256)
                name[i] = '/';
        for (unsigned i = 0; i < 2; i++) {
                tar_pax(&f->tar, "path", name, PATH_MAX - 1);
                TAR(&f->tar, "x", .text = i ? "x" : NULL, .mode = 0644);
                fixture_layer(f);
        }
        assert_int_equal(fixture_unpack(f), 0);
}

static void file_as_a_directory_is_refused(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "f", .text = "x", .mode = 0644);
        TAR(&f->tar, "fifo", '6', 0600);
        fixture_layer(f);
        TAR(&f->tar, "f/x", .text = "x", .mode = 0644);
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "unpack 'f/x': 'f' is not a directory");
        f->image.n_layers--;
        TAR(&f->tar, "fifo/x", .text = "x", .mode = 0644);
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "'fifo' is not a directory");
}

static void root_as_a_file_is_refused(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "./", '2', .link = "x");
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "the root is not a directory");
        f->image.n_layers--;
        TAR(&f->tar, "a/..", '5', 0755);
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "ends in '..'");
}

static void tampered_layer_is_a_digest_mismatch(void **state) {
        Fixture *f = *state;
        char path[256];
        FILE *file;

        TAR(&f->tar, "a", .text = "data", .mode = 0644);
        fixture_layer(f);
        snprintf(path, sizeof(path), "%s/blobs/sha256/%s", store_path(f->store), digest_hex(&f->image.layers[0].digest));
        /* Once in the data, once in the header, which also makes it an invalid tar. */
        for (long at = 512; at >= 0; at -= 512) {
                file = fopen(path, "r+e");
                assert_non_null(file);
                fseek(file, at, SEEK_SET);
                fputc('D', file);
                fclose(file);
                fixture_refused(f, ERROR_DIGEST_MISMATCH, "has the digest");
        }
        assert_int_equal(truncate(path, 1024), 0);
        fixture_refused(f, ERROR_DIGEST_MISMATCH, "");
        assert_int_equal(unlink(path), 0);
        fixture_refused(f, ERROR_IMAGE_NOT_FOUND, "");
}

static void wrong_diff_id_is_a_digest_mismatch(void **state) {
        Fixture *f = *state;
        Digest wrong;

        TAR(&f->tar, "a", .text = "data", .mode = 0644);
        tar_end(&f->tar);
        fixture_digest("x", 1, &wrong);
        fixture_blob(f, f->tar.data, f->tar.len, &wrong);
        fixture_refused(f, ERROR_DIGEST_MISMATCH, "has the diffID");
}

static void truncated_and_broken_tars_are_refused(void **state) {
        Fixture *f = *state;
        Digest diff_id;

        TAR(&f->tar, "a", .text = "data", .mode = 0644);
        /* in the middle of the data's block */
        fixture_digest(f->tar.data, 600, &diff_id);
        fixture_blob(f, f->tar.data, 600, &diff_id);
        fixture_refused(f, ERROR_INVALID_SPEC, "runcated");
        f->image.n_layers--;
        /* a header whose sum is wrong, after a good entry */
        TAR(&f->tar, "b", .text = "data", .mode = 0644);
        f->tar.data[1024]++;
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "layer sha256:");
}

static void map_of_holes_cannot_fill_the_memory(void **state) {
        size_t len = 16u << 20;
        char *map = malloc(len);
        char size[16];
        Fixture *f = *state;

        /* "4194300 entries follow", each "0\n0\n" */
        memset(map, '0', len);
        for (size_t i = 1; i < len; i += 2)
                map[i] = '\n';
        memcpy(map, "4194300\n", 8);
        snprintf(size, sizeof(size), "%zu", len);
        tar_pax(&f->tar, "GNU.sparse.major", "1", 1);
        tar_pax(&f->tar, "GNU.sparse.minor", "0", 1);
        tar_pax(&f->tar, "GNU.sparse.name", "holes", 5);
        tar_pax(&f->tar, "GNU.sparse.realsize", "1", 1);
        tar_pax(&f->tar, "size", size, strlen(size));
        TAR(&f->tar, "x", .mode = 0644);
        tar_raw(&f->tar, map, len);
        free(map);
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "a header of more than");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(dots_and_absolute_names_stay_inside),
                TEST(symlinks_stay_inside),
                TEST(last_component_is_never_followed),
                TEST(hardlinks_stay_inside),
                TEST(hardlink_through_a_symlink_stays_inside),
                TEST(whiteouts_stay_inside),
                TEST(strange_whiteouts_are_refused),
                TEST(bookkeeping_of_aufs_is_passed_over),
                TEST(symlink_loops_end),
                TEST(long_names_are_refused),
                TEST(file_as_a_directory_is_refused),
                TEST(root_as_a_file_is_refused),
                TEST(tampered_layer_is_a_digest_mismatch),
                TEST(wrong_diff_id_is_a_digest_mismatch),
                TEST(truncated_and_broken_tars_are_refused),
                TEST(map_of_holes_cannot_fill_the_memory),
        };

        return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
