/* Importing by the module's own functions: what comes in is whole, what is refused leaves nothing. */

#include "fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "image/import.h"

static size_t count(Fixture *f, const char *folder) {
        char path[160];
        struct dirent *entry;
        size_t n = 0;
        DIR *dir;

        snprintf(path, sizeof(path), "%s/%s", store_path(f->store), folder);
        dir = opendir(path);
        assert_non_null(dir);
        while ((entry = readdir(dir)))
                n += entry->d_name[0] != '.';
        closedir(dir);
        return n;
}

static void put(Fixture *f, const char *name, const void *data, size_t len, char ret[160]) {
        snprintf(ret, 160, "%s/%s", f->directory, name);
        int fd = open(ret, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(fd_write_all(fd, data, len, NULL), 0);
        close(fd);
}

/* A docker-archive with one layer; the layer is a symlink to another image's directory, as docker save makes them. */
static void docker_archive(Tar *tar, const char *diff_id, const char *layer, size_t layer_len) {
        char config[512], *text = strndup(layer, layer_len);

        snprintf(config, sizeof(config),
                 "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}", diff_id);
        TAR(tar, "1/layer.tar", .text = text, .mode = 0644);
        TAR(tar, "2/layer.tar", '2', .link = "../1/layer.tar");
        TAR(tar, "config.json", .text = config, .mode = 0644);
        TAR(tar, "manifest.json", .mode = 0644,
            .text = "[{\"Config\":\"config.json\",\"RepoTags\":[\"one:1\",\"two:2\"],\"Layers\":[\"2/layer.tar\"]}]");
        tar_end(tar);
        free(text);
}

/* Text only, so that it may be a string: its tar would have NULs, and a diffID does not care. */
static const char layer_text[] = "not a tar, but that is looked at when it is unpacked";

static void docker_archive_comes_in_under_each_tag(void **state) {
        Fixture *f = *state;
        ImportedImage *images;
        StoreName found;
        char path[160];
        Digest diff_id;
        size_t n;

        fixture_digest(layer_text, strlen(layer_text), &diff_id);
        docker_archive(&f->tar, diff_id.text, layer_text, strlen(layer_text));
        put(f, "a.tar", f->tar.data, f->tar.len, path);
        char *source;
        assert_int_equal(string_format(&source, NULL, "docker-archive:%s", path), 0);
        const ImportRequest request = { .source = source };
        if (image_import(f->store, &request, NULL, &images, &n, &f->err) < 0)
                fail_msg("%s", f->err.text);
        assert_int_equal(n, 2);
        assert_string_equal(images[0].name, "docker.io/library/one:1");
        assert_string_equal(images[1].name, "docker.io/library/two:2");
        assert_int_equal(store_name_find(f->store, "two:2", &found, &f->err), 0);
        assert_string_equal(found.descriptor.digest.text, images[0].manifest.text);
        store_name_clear(&found);
        imported_images_free(images, n);
        assert_int_equal(count(f, "blobs/sha256"), 3);
        assert_int_equal(count(f, "tmp"), 0);
        free(source);
}

static void wrong_diff_id_leaves_nothing(void **state) {
        Fixture *f = *state;
        ImportedImage *images;
        char path[160], *source;
        Digest diff_id;
        size_t n;

        fixture_digest("another", 7, &diff_id);
        docker_archive(&f->tar, diff_id.text, layer_text, strlen(layer_text));
        put(f, "a.tar", f->tar.data, f->tar.len, path);
        assert_int_equal(string_format(&source, NULL, "docker-archive:%s", path), 0);
        const ImportRequest request = { .source = source };
        assert_int_equal(image_import(f->store, &request, NULL, &images, &n, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_DIGEST_MISMATCH);
        assert_int_equal(count(f, "blobs/sha256"), 0);
        assert_int_equal(count(f, "images"), 0);
        assert_int_equal(count(f, "tmp"), 0);
        free(source);
}

static void root_filesystem_needs_a_name(void **state) {
        Fixture *f = *state;
        ImportedImage *images;
        char path[160];
        size_t n;

        TAR(&f->tar, "etc/", '5', 0755);
        TAR(&f->tar, "etc/hostname", .text = "x", .mode = 0644);
        tar_end(&f->tar);
        put(f, "root.tar", f->tar.data, f->tar.len, path);
        ImportRequest request = { .source = path };
        assert_int_equal(image_import(f->store, &request, NULL, &images, &n, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_INVALID_ARGUMENT);
        assert_int_equal(count(f, "blobs/sha256"), 0);
        request.name = "base";
        assert_int_equal(image_import(f->store, &request, NULL, &images, &n, &f->err), 0);
        assert_int_equal(n, 1);
        assert_string_equal(images[0].name, "docker.io/library/base:latest");
        imported_images_free(images, n);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(docker_archive_comes_in_under_each_tag),
                TEST(wrong_diff_id_leaves_nothing),
                TEST(root_filesystem_needs_a_name),
        };

        return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
