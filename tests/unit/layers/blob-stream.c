/* Decompression and the two digests: members, frames, what stands after the end, and what is too much. */

#include "fixture.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "layers/blob-stream.h"

/** A blob in memory */
typedef struct Blob {
        char *data;
        size_t len;
} Blob;

static void append(Blob *blob, const void *data, size_t len) {
        blob->data = realloc(blob->data, blob->len + len + 1);
        memcpy(blob->data + blob->len, data, len);
        blob->len += len;
}

static void append_gzip(Blob *blob, const void *data, size_t len) {
        z_stream z = { 0 };
        unsigned char *out = malloc(len + 1024);

        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = (unsigned char *) data;
        z.avail_in = (uInt) len;
        z.next_out = out;
        z.avail_out = (uInt) len + 1024;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        append(blob, out, len + 1024 - z.avail_out);
        deflateEnd(&z);
        free(out);
}

static void append_zstd(Blob *blob, const void *data, size_t len) {
        size_t room = ZSTD_compressBound(len);
        void *out = malloc(room);

        append(blob, out, ZSTD_compress(out, room, data, len, 3));
        free(out);
}

static BlobStream *open_blob(const Blob *blob, BlobStreamOptions options, int *ret_fd) {
        BlobStream *stream;
        Error err;

        *ret_fd = memfd_create("blob", MFD_CLOEXEC);
        assert_int_equal(write(*ret_fd, blob->data, blob->len), blob->len);
        lseek(*ret_fd, 0, SEEK_SET);
        options.what = "blob";
        options.copy_fd = -1;
        assert_int_equal(blob_stream_new(*ret_fd, &options, &stream, &err), 0);
        return stream;
}

/* Decompresses it all and compares. */
static void check(const Blob *blob, const char *wanted, size_t len, Compression compression) {
        BlobStreamResult result;
        Error err = ERROR_INIT;
        const void *data;
        Digest digest;
        size_t n, total = 0;
        int fd;
        BlobStream *s = open_blob(blob, (BlobStreamOptions) { 0 }, &fd);

        do {
                if (blob_stream_read(s, &data, &n, &err) < 0)
                        fail_msg("%s", err.text);
                assert_true(total + n <= len);
                assert_memory_equal(data, wanted + total, n);
                total += n;
        } while (n > 0);
        assert_int_equal(total, len);
        assert_int_equal(blob_stream_finish(s, &result, &err), 0);
        fixture_digest(wanted, len, &digest);
        assert_string_equal(result.diff_id.text, digest.text);
        fixture_digest(blob->data, blob->len, &digest);
        assert_string_equal(result.digest.text, digest.text);
        assert_int_equal(result.output, len);
        assert_int_equal(result.size, blob->len);
        assert_int_equal(result.compression, compression);
        blob_stream_free(s);
        close(fd);
}

static void check_refused(const Blob *blob, BlobStreamOptions options, ErrorKind kind, const char *text) {
        BlobStreamResult result;
        Error err = ERROR_INIT;
        int fd;
        BlobStream *s = open_blob(blob, options, &fd);

        assert_int_equal(blob_stream_finish(s, &result, &err), -1);
        assert_int_equal(blob_stream_blame(s, &err), -1);
        if (err.kind != kind || !strstr(err.text, text))
                fail_msg("%s: %s", error_kind_name(err.kind), err.text);
        blob_stream_free(s);
        close(fd);
}

static char *noise(size_t len) {
        char *data = malloc(len);
        uint32_t x = 1;

        for (size_t i = 0; i < len; i++)
                data[i] = (char) ((x = x * 1664525 + 1013904223) >> (i % 3000 < 1500 ? 24 : 31));
        return data;
}

static void plain_gzip_and_zstd(void **state) {
        size_t len = 3000000;
        char *data = noise(len);
        Blob blob = { 0 };

        append(&blob, data, len);
        check(&blob, data, len, COMPRESSION_NONE);
        blob.len = 0;
        append_gzip(&blob, data, len);
        check(&blob, data, len, COMPRESSION_GZIP);
        blob.len = 0;
        append_zstd(&blob, data, len);
        check(&blob, data, len, COMPRESSION_ZSTD);
        free(blob.data);
        free(data);
        check(&(Blob) { .data = (char *) "" }, "", 0, COMPRESSION_NONE);
}

static void several_members_and_frames_are_one_stream(void **state) {
        static const unsigned char skippable[] = { 0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z' };
        size_t len = 900000, part = 300000;
        char *data = noise(len);
        Blob blob = { 0 };

        append_gzip(&blob, data, part);
        append_gzip(&blob, "", 0);
        append_gzip(&blob, data + part, len - part);
        check(&blob, data, len, COMPRESSION_GZIP);
        blob.len = 0;
        append(&blob, skippable, sizeof(skippable));
        append_zstd(&blob, data, part);
        append(&blob, skippable, sizeof(skippable));
        append_zstd(&blob, "", 0);
        append_zstd(&blob, data + part, len - part);
        append(&blob, skippable, sizeof(skippable));
        check(&blob, data, len, COMPRESSION_ZSTD);
        free(blob.data);
        free(data);
}

static void highly_compressible_data_comes_out_whole(void **state) {
        size_t len = 20000000;
        char *data = calloc(1, len);
        Blob blob = { 0 };

        append_gzip(&blob, data, len);
        check(&blob, data, len, COMPRESSION_GZIP);
        blob.len = 0;
        append_zstd(&blob, data, len);
        check(&blob, data, len, COMPRESSION_ZSTD);
        free(blob.data);
        free(data);
}

static void corrupt_and_cut_data_is_refused(void **state) {
        size_t len = 300000;
        char *data = noise(len);
        Blob blob = { 0 };

        append_gzip(&blob, data, len);
        append(&blob, "garbage", 7);
        check_refused(&blob, (BlobStreamOptions) { 0 }, ERROR_INVALID_SPEC, "corrupt gzip");
        blob.len -= 7;
        for (size_t cut = 1; cut < 20; cut += 6) {
                blob.len -= cut;
                check_refused(&blob, (BlobStreamOptions) { 0 }, ERROR_INVALID_SPEC, "the gzip data ends early");
                blob.len += cut;
        }
        blob.data[blob.len / 2] ^= 1;
        check_refused(&blob, (BlobStreamOptions) { 0 }, ERROR_INVALID_SPEC, "corrupt gzip");

        blob.len = 0;
        append_zstd(&blob, data, len);
        append(&blob, "garbage", 7);
        check_refused(&blob, (BlobStreamOptions) { 0 }, ERROR_INVALID_SPEC, "corrupt zstd");
        blob.len -= 8;
        check_refused(&blob, (BlobStreamOptions) { 0 }, ERROR_INVALID_SPEC, "the zstd data ends early");
        free(blob.data);
        free(data);
}

static void digest_is_blamed_before_the_format(void **state) {
        char *data = noise(300000);
        uint64_t size;
        Digest digest;
        Blob blob = { 0 };

        append_gzip(&blob, data, 300000);
        fixture_digest(blob.data, blob.len, &digest);
        blob.data[blob.len / 2] ^= 1;
        check_refused(&blob, (BlobStreamOptions) { .digest = &digest }, ERROR_DIGEST_MISMATCH, "has the digest");
        size = blob.len + 1;
        check_refused(&blob, (BlobStreamOptions) { .size = &size }, ERROR_DIGEST_MISMATCH, "bytes, not");
        size = blob.len - 1;
        check_refused(&blob, (BlobStreamOptions) { .size = &size, .raw = true }, ERROR_DIGEST_MISMATCH, "has more than its");
        fixture_digest("", 0, &digest);
        blob.data[blob.len / 2] ^= 1;
        check_refused(&blob, (BlobStreamOptions) { .diff_id = &digest }, ERROR_DIGEST_MISMATCH, "has the diffID");
        free(blob.data);
        free(data);
}

static void bombs_are_refused(void **state) {
        size_t len = 20000000;
        char *data = calloc(1, len);
        Blob blob = { 0 };

        append_gzip(&blob, data, len);
        check_refused(&blob, (BlobStreamOptions) { .output_max = len - 1 }, ERROR_INVALID_SPEC, "more than the 19999999 bytes allowed");
        blob.len = 0;
        /* past a gigabyte, zstd's ratio for zeros is no longer believed */
        for (unsigned i = 0; i < 60; i++)
                append_zstd(&blob, data, len);
        check_refused(&blob, (BlobStreamOptions) { 0 }, ERROR_INVALID_SPEC, "times its size");
        free(blob.data);
        free(data);
}

static void window_of_zstd_is_capped(void **state) {
        ZSTD_CCtx *context = ZSTD_createCCtx();
        size_t len = 1000, room = 4096;
        char *data = noise(len), *out = malloc(room);
        Blob blob = { 0 };

        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, ZSTD_WINDOW_LOG_MAX + 1);
        ZSTD_outBuffer output = { .dst = out, .size = room };
        ZSTD_inBuffer input = { .src = data, .size = len };
        /* flushed before the end, so that the frame does not know its size */
        ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush);
        ZSTD_compressStream2(context, &output, &input, ZSTD_e_end);
        append(&blob, out, output.pos);
        check_refused(&blob, (BlobStreamOptions) { 0 }, ERROR_INVALID_SPEC, "corrupt zstd");
        ZSTD_freeCCtx(context);
        free(blob.data);
        free(data);
        free(out);
}

static void cancelling_stops(void **state) {
        static const volatile sig_atomic_t cancelled = 1;

        check_refused(&(Blob) { .data = (char *) "x", .len = 1 }, (BlobStreamOptions) { .cancelled = &cancelled }, ERROR_INTERRUPTED,
                      "interrupted");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(plain_gzip_and_zstd),
                cmocka_unit_test(several_members_and_frames_are_one_stream),
                cmocka_unit_test(highly_compressible_data_comes_out_whole),
                cmocka_unit_test(corrupt_and_cut_data_is_refused),
                cmocka_unit_test(digest_is_blamed_before_the_format),
                cmocka_unit_test(bombs_are_refused),
                cmocka_unit_test(window_of_zstd_is_capped),
                cmocka_unit_test(cancelling_stops),
        };

        return cmocka_run_group_tests_name("blob-stream", tests, NULL, NULL);
}
