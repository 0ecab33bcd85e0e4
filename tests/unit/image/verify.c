/* Verifying an image of the store: each blob has a result of its own, and only what is wrong is called so. */

#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "image/verify.h"

enum { MANIFEST, CONFIG, FIRST, SECOND, RESULTS };

/* An image of two layers. */
static void make_image(Fixture *f) {
        for (int i = 0; i < 2; i++) {
                TAR(&f->tar, i ? "b" : "a", .text = "text", .mode = 0644);
                fixture_layer(f);
        }
        fixture_image(f, "one:1");
}

/* Everything but @wrong (RESULTS: nothing) must be right. */
static void verify(Fixture *f, size_t wrong, ErrorKind kind, const char *text) {
        VerifyResult *results;
        size_t n;

        if (image_verify(f->store, &f->image, NULL, &results, &n, &f->err) < 0)
                fail_msg("%s", f->err.text);
        assert_int_equal(n, RESULTS);
        assert_string_equal(results[MANIFEST].subject, f->image.manifest.text);
        assert_string_equal(results[CONFIG].subject, f->image.config.text);
        assert_string_equal(results[FIRST].subject, f->image.layers[0].digest.text);
        assert_string_equal(results[SECOND].subject, f->image.layers[1].digest.text);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(results[i].kind, i == wrong ? kind : ERROR_NONE);
                if (i != wrong)
                        assert_null(results[i].problem);
                else if (!strstr(results[i].problem, text))
                        fail_msg("'%s' has no '%s'", results[i].problem, text);
        }
        verify_results_free(results, n);
}

static void put_blob(Fixture *f, const Digest *digest, const void *data, size_t len) {
        assert_int_equal(file_write_atomic_at(store_blobs_fd(f->store), digest_hex(digest), data, len, 0600, 0, &f->err), 0);
}

static void a_whole_image_is_right(void **state) {
        make_image(*state);
        verify(*state, RESULTS, ERROR_NONE, NULL);
}

static void a_changed_byte_is_found_in_whatever_it_is(void **state) {
        Fixture *f = *state;

        make_image(f);
        const Digest *const blobs[] = { &f->image.manifest, &f->image.config, &f->image.layers[0].digest, &f->image.layers[1].digest };
        for (size_t i = 0; i < RESULTS; i++) {
                char *data;
                size_t len;

                assert_int_equal(file_read_at(store_blobs_fd(f->store), digest_hex(blobs[i]), 1 << 20, &data, &len, &f->err), 0);
                data[len / 2] ^= 1;
                put_blob(f, blobs[i], data, len);
                verify(f, i, ERROR_DIGEST_MISMATCH, blobs[i]->text);
                data[len / 2] ^= 1;
                put_blob(f, blobs[i], data, len);
                free(data);
        }
        verify(f, RESULTS, ERROR_NONE, NULL);
}

static void a_blob_that_was_cut_or_has_grown_is_found(void **state) {
        Fixture *f = *state;
        const Digest *digest;
        char *data;
        size_t len;

        make_image(f);
        digest = &f->image.layers[1].digest;
        assert_int_equal(file_read_at(store_blobs_fd(f->store), digest_hex(digest), 1 << 20, &data, &len, &f->err), 0);
        put_blob(f, digest, data, len - 1);
        verify(f, SECOND, ERROR_DIGEST_MISMATCH, digest->text);
        put_blob(f, digest, data, 0);
        verify(f, SECOND, ERROR_DIGEST_MISMATCH, digest->text);
        data[len] = 'x'; /* where the NUL was */
        put_blob(f, digest, data, len + 1);
        verify(f, SECOND, ERROR_DIGEST_MISMATCH, digest->text);
        free(data);
}

static void a_missing_blob_is_named(void **state) {
        Fixture *f = *state;

        make_image(f);
        assert_int_equal(unlinkat(store_blobs_fd(f->store), digest_hex(&f->image.layers[0].digest), 0), 0);
        verify(f, FIRST, ERROR_IMAGE_NOT_FOUND, f->image.layers[0].digest.text);
}

/* The blob is what the manifest says, but unpacks to something else than the config says. */
static void a_diff_id_of_another_layer_is_found(void **state) {
        Fixture *f = *state;

        make_image(f);
        f->image.diff_ids[0] = f->image.diff_ids[1];
        verify(f, FIRST, ERROR_DIGEST_MISMATCH, f->image.diff_ids[1].text);
}

static void what_is_no_file_is_neither_followed_nor_waited_for(void **state) {
        Fixture *f = *state;
        int blobs = store_blobs_fd(f->store);
        const char *name;

        make_image(f);
        name = digest_hex(&f->image.layers[0].digest);
        assert_int_equal(renameat(blobs, name, blobs, "moved"), 0);
        assert_int_equal(symlinkat("moved", blobs, name), 0);
        verify(f, FIRST, ERROR_FILE, f->image.layers[0].digest.text);
        assert_int_equal(unlinkat(blobs, name, 0), 0);
        assert_int_equal(mkfifoat(blobs, name, 0600), 0);
        verify(f, FIRST, ERROR_DIGEST_MISMATCH, f->image.layers[0].digest.text);
}

static void a_signal_ends_it(void **state) {
        volatile sig_atomic_t cancelled = 1;
        const ImageProgress progress = { .cancelled = &cancelled };
        Fixture *f = *state;
        VerifyResult *results;
        size_t n;

        make_image(f);
        assert_int_equal(image_verify(f->store, &f->image, &progress, &results, &n, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_INTERRUPTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(a_whole_image_is_right),
                TEST(a_changed_byte_is_found_in_whatever_it_is),
                TEST(a_blob_that_was_cut_or_has_grown_is_found),
                TEST(a_missing_blob_is_named),
                TEST(a_diff_id_of_another_layer_is_found),
                TEST(what_is_no_file_is_neither_followed_nor_waited_for),
                TEST(a_signal_ends_it),
        };

        return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
