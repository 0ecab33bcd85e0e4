/*
 * Importing an archive. The first byte says as what. What is refused leaves nothing in the store; what comes in has a name, and all of its
 * blobs are right.
 */

#include "base/buf.h"
#include "base/fs.h"
#include "fuzz-dir.h"
#include "image/import.h"
#include "image/verify.h"

#define UNPACKED_MAX (1u << 20) /* bytes a layer may unpack to */

static Store *store;

static void store_remove(void) {
        store_close(store);
        (void) dir_remove_tree_at(fuzz_dir(), "store", NULL);
        (void) unlinkat(fuzz_dir(), "archive", 0);
}

static void store_renew(void) {
        _cleanup_free_ char *path = NULL;

        store_close(store);
        CHECK(string_format(&path, NULL, "%s/store", fuzz_dir_path) == 0);
        CHECK(dir_remove_tree_at(fuzz_dir(), "store", NULL) == 0 && store_open(path, STORE_CREATE, &store, NULL) == 0);
}

static void check_image(const ImportedImage *imported) {
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        VerifyResult *results;
        StoreName name;
        size_t n;

        CHECK(store_name_find(store, imported->name, &name, NULL) == 0);
        CHECK(digest_equal(&name.descriptor.digest, &imported->manifest));
        store_name_clear(&name);
        CHECK(store_image_load(store, &imported->manifest, &image, NULL) == 0 && image);
        CHECK(image_verify(store, image, NULL, &results, &n, NULL) == 0 && n == image->n_layers + 2);
        for (size_t i = 0; i < n; i++)
                CHECK(results[i].kind == ERROR_NONE);
        verify_results_free(results, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const kinds[] = { "", "oci-archive:", "docker-archive:", "dir:" };
        _cleanup_free_ char *source = NULL;
        ImportRequest request = { .all_names = true, .unpacked_max = UNPACKED_MAX };
        ImportedImage *images;
        Error err = ERROR_INIT;
        size_t n;

        if (size < 1)
                return 0;
        if (!store) {
                fuzz_dir();
                atexit(store_remove);
                store_renew();
        }
        fuzz_dir_put("archive", data + 1, size - 1);
        CHECK(string_format(&source, NULL, "%s%s/archive", kinds[data[0] % ARRAY_SIZE(kinds)], fuzz_dir_path) == 0);
        request.source = source;
        if (data[0] & 4)
                request.name = "fuzz";

        if (image_import(store, &request, NULL, &images, &n, &err) < 0) {
                check_error(&err);
                CHECK(fuzz_count_names(store_blobs_fd(store)) == 0);
        } else {
                for (size_t i = 0; i < n; i++)
                        check_image(&images[i]);
                imported_images_free(images, n);
                store_renew();
        }
        CHECK(fuzz_count_names(store_tmp_fd(store)) == 0);
        return 0;
}
