/* Importing an OCI layout from an archive, whose files come in any order and may claim anything. */

#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "image/import.h"

/* Text only, so that it may be a string: its tar would have NULs, and a diffID does not care. */
static const char layer_text[] = "not a tar, but that is looked at when it is unpacked";
static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";

/* The documents of an image with one layer; @what makes it another image. */
typedef struct Documents {
        char config[512], manifest[1024];
        Digest layer, config_digest, manifest_digest;
} Documents;

static void documents_make(const char *what, Documents *ret) {
        fixture_digest(layer_text, strlen(layer_text), &ret->layer);
        snprintf(ret->config, sizeof(ret->config),
                 "{\"architecture\":\"amd64\",\"os\":\"linux\",\"author\":\"%s\","
                 "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
                 what, ret->layer.text);
        fixture_digest(ret->config, strlen(ret->config), &ret->config_digest);
        snprintf(ret->manifest, sizeof(ret->manifest),
                 "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\","
                 "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\",\"size\":%zu},"
                 "\"layers\":[{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%zu}]}",
                 ret->config_digest.text, strlen(ret->config), ret->layer.text, strlen(layer_text));
        fixture_digest(ret->manifest, strlen(ret->manifest), &ret->manifest_digest);
}

static void add_blob(Tar *tar, const char *prefix, const Digest *digest, const char *text) {
        char name[100];

        snprintf(name, sizeof(name), "%sblobs/sha256/%s", prefix, digest_hex(digest));
        TAR(tar, name, .text = text, .mode = 0644);
}

static void add_index(Tar *tar, const char *prefix, const Documents *images, const char *const *names, size_t n) {
        _cleanup_buf_ Buf text = BUF_INIT(4096);
        char name[32];

        assert_int_equal(buf_puts(&text, "{\"schemaVersion\":2,\"manifests\":[", NULL), 0);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(buf_printf(&text, NULL,
                                            "%s{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\","
                                            "\"size\":%zu,\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}}",
                                            i ? "," : "", images[i].manifest_digest.text, strlen(images[i].manifest), names[i]),
                                 0);
        assert_int_equal(buf_puts(&text, "]}", NULL), 0);
        snprintf(name, sizeof(name), "%sindex.json", prefix);
        TAR(tar, name, .text = text.data, .mode = 0644);
}

/* Imports what the fixture's tar holds, from a source of that prefix and selector. */
static int import(Fixture *f, const char *prefix, const char *selector, const char *name, bool all, ImportedImage **ret, size_t *ret_n) {
        _cleanup_free_ char *source = NULL;
        ImportRequest request = { .name = name, .all_names = all };
        char path[160];
        int fd;

        tar_end(&f->tar);
        snprintf(path, sizeof(path), "%s/a.tar", f->directory);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        assert_int_equal(fd_write_all(fd, f->tar.data, f->tar.len, NULL), 0);
        close(fd);
        assert_int_equal(string_format(&source, NULL, "%s%s%s", prefix, path, selector), 0);
        request.source = source;
        return image_import(f->store, &request, NULL, ret, ret_n, &f->err);
}

static size_t count(int dir_fd) {
        _cleanup_closedir_ DIR *dir = NULL;
        size_t n = 0;

        assert_int_equal(dir_read(dir_fd, &dir, NULL), 0);
        while (dir_next(dir))
                n++;
        return n;
}

static void refused(Fixture *f, ErrorKind kind, const char *text) {
        ImportedImage *images;
        size_t n;

        assert_int_equal(import(f, "oci-archive:", "", NULL, false, &images, &n), -1);
        if (f->err.kind != kind || !strstr(f->err.text, text))
                fail_msg("%s: '%s' has no '%s'", error_kind_name(f->err.kind), f->err.text, text);
        assert_int_equal(count(store_blobs_fd(f->store)), 0);
        assert_int_equal(count(store_images_fd(f->store)), 0);
        assert_int_equal(count(store_tmp_fd(f->store)), 0);
        tar_free(&f->tar);
}

/* One image "one:1"; a NULL text leaves its file out. */
static void write_layout(Fixture *f, const char *version_text, const char *config, const char *layer) {
        static const char *const names[] = { "one:1" };
        Documents image;

        documents_make("one", &image);
        if (version_text)
                TAR(&f->tar, "oci-layout", .text = version_text, .mode = 0644);
        add_index(&f->tar, "", &image, names, 1);
        add_blob(&f->tar, "", &image.manifest_digest, image.manifest);
        add_blob(&f->tar, "", &image.config_digest, config ?: image.config);
        if (layer)
                add_blob(&f->tar, "", &image.layer, layer);
}

static void it_comes_in_under_its_own_name(void **state) {
        static const char *const prefixes[] = { "oci-archive:", "" };
        Fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
                ImportedImage *images;
                Documents image;
                size_t n;

                documents_make("one", &image);
                write_layout(f, version, NULL, layer_text);
                if (import(f, prefixes[i], "", NULL, false, &images, &n) < 0)
                        fail_msg("%s", f->err.text);
                assert_int_equal(n, 1);
                assert_string_equal(images[0].name, "docker.io/library/one:1");
                assert_string_equal(images[0].manifest.text, image.manifest_digest.text);
                assert_int_equal(images[0].size, strlen(image.manifest) + strlen(image.config) + strlen(layer_text));
                imported_images_free(images, n);
                assert_int_equal(count(store_blobs_fd(f->store)), 3);
                assert_int_equal(count(store_tmp_fd(f->store)), 0);
                tar_free(&f->tar);
        }
}

static void order_and_prefix_of_its_files_do_not_matter(void **state) {
        static const char *const names[] = { "one:1" };
        Fixture *f = *state;
        ImportedImage *images;
        Documents image;
        size_t n;

        documents_make("one", &image);
        add_blob(&f->tar, "./", &image.layer, layer_text);
        add_blob(&f->tar, "/", &image.config_digest, image.config);
        add_index(&f->tar, "./", &image, names, 1);
        TAR(&f->tar, "unrelated", .text = "x", .mode = 0644);
        TAR(&f->tar, "./oci-layout", .text = version, .mode = 0644);
        add_blob(&f->tar, "", &image.manifest_digest, image.manifest);
        if (import(f, "oci-archive:", "", "mine:2", false, &images, &n) < 0)
                fail_msg("%s", f->err.text);
        assert_string_equal(images[0].name, "docker.io/library/mine:2");
        imported_images_free(images, n);
}

static void write_two(Fixture *f) {
        static const char *const names[] = { "one:1", "two:2" };
        Documents images[2];

        TAR(&f->tar, "oci-layout", .text = version, .mode = 0644);
        for (size_t i = 0; i < 2; i++) {
                documents_make(names[i], &images[i]);
                add_blob(&f->tar, "", &images[i].manifest_digest, images[i].manifest);
                add_blob(&f->tar, "", &images[i].config_digest, images[i].config);
        }
        add_blob(&f->tar, "", &images[0].layer, layer_text);
        add_index(&f->tar, "", images, names, 2);
}

static void of_several_images_one_is_named_or_all_are_taken(void **state) {
        Fixture *f = *state;
        ImportedImage *images;
        size_t n;

        write_two(f);
        refused(f, ERROR_INVALID_ARGUMENT, "has 2 images");
        write_two(f);
        assert_int_equal(import(f, "oci-archive:", ":three:3", NULL, false, &images, &n), -1);
        assert_int_equal(f->err.kind, ERROR_IMAGE_NOT_FOUND);
        tar_free(&f->tar);

        write_two(f);
        if (import(f, "oci-archive:", ":two:2", NULL, false, &images, &n) < 0)
                fail_msg("%s", f->err.text);
        assert_int_equal(n, 1);
        assert_string_equal(images[0].name, "docker.io/library/two:2");
        imported_images_free(images, n);
        tar_free(&f->tar);

        write_two(f);
        if (import(f, "oci-archive:", "", NULL, true, &images, &n) < 0)
                fail_msg("%s", f->err.text);
        assert_int_equal(n, 2);
        imported_images_free(images, n);
        assert_int_equal(count(store_blobs_fd(f->store)), 5);
}

static void what_is_damaged_or_missing_leaves_nothing(void **state) {
        Fixture *f = *state;
        char changed[sizeof(layer_text)];

        memcpy(changed, layer_text, sizeof(changed));
        changed[0] ^= 1;
        write_layout(f, version, NULL, changed);
        refused(f, ERROR_DIGEST_MISMATCH, "layer");
        write_layout(f, version, NULL, "short");
        refused(f, ERROR_DIGEST_MISMATCH, "layer");
        write_layout(f, version, "{}", layer_text);
        refused(f, ERROR_DIGEST_MISMATCH, "config");
        write_layout(f, version, NULL, NULL);
        refused(f, ERROR_IMAGE_NOT_FOUND, "layer");
        write_layout(f, NULL, NULL, layer_text);
        refused(f, ERROR_IMAGE_NOT_FOUND, "oci-layout");
        write_layout(f, "{\"imageLayoutVersion\":\"2.0.0\"}", NULL, layer_text);
        refused(f, ERROR_NOT_SUPPORTED, "2.0.0");
        write_layout(f, "no json", NULL, layer_text);
        refused(f, ERROR_INVALID_JSON, "oci-layout");
}

static void links_lead_nowhere_but_into_the_archive(void **state) {
        Fixture *f = *state;
        char outside[160], name[100];
        Documents image;
        FILE *file;

        documents_make("one", &image);
        snprintf(outside, sizeof(outside), "%s/outside", f->directory);
        file = fopen(outside, "we");
        assert_true(file && fputs(layer_text, file) >= 0 && fclose(file) == 0);
        snprintf(name, sizeof(name), "blobs/sha256/%s", digest_hex(&image.layer));
        for (char type = '1'; type <= '2'; type++) {
                /* The bytes would be right. */
                write_layout(f, version, NULL, NULL);
                TAR(&f->tar, name, type, .link = outside);
                refused(f, ERROR_IMAGE_NOT_FOUND, "layer");
                write_layout(f, version, NULL, NULL);
                TAR(&f->tar, name, type, .link = name);
                refused(f, ERROR_IMAGE_NOT_FOUND, "layer");
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(it_comes_in_under_its_own_name),
                TEST(order_and_prefix_of_its_files_do_not_matter),
                TEST(of_several_images_one_is_named_or_all_are_taken),
                TEST(what_is_damaged_or_missing_leaves_nothing),
                TEST(links_lead_nowhere_but_into_the_archive),
        };

        return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
