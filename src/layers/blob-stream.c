/* Reading a blob once while its two digests are made. */

#include "layers/blob-stream.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/hash.h"
#include "layers/caps.h"

#define INPUT_SIZE  (256u << 10) /* bytes */
#define OUTPUT_SIZE (512u << 10) /* bytes */

/* Below this many decompressed bytes a layer may have any ratio: zstd makes almost nothing of a file of zeros, and that is no attack. */
#define RATIO_FREE ((uint64_t) 1 << 30)

struct BlobStream {
        BlobStreamOptions options;
        int fd;
        Sha256 *blob_hash;
        Sha256 *diff_hash; /* NULL while it would equal blob_hash */
        Decoder *decoder;  /* NULL: the output is the input */
        Compression compression;
        uint64_t read, output;
        const uint8_t *pending; /* input that is not decoded yet */
        size_t pending_len;
        bool started, ended;
        uint8_t *in, *out;
};

BlobStream *blob_stream_free(BlobStream *stream) {
        if (stream) {
                sha256_free(stream->blob_hash);
                sha256_free(stream->diff_hash);
                decoder_free(stream->decoder);
                free(stream->in);
                free(stream->out);
                free(stream);
        }
        return NULL;
}

int blob_stream_new(int fd, const BlobStreamOptions *options, BlobStream **ret, Error *err) {
        _cleanup_(blob_stream_freep) BlobStream *s = calloc(1, sizeof(*s));

        if (!s)
                return error_oom(err);
        s->options = *options;
        s->fd = fd;
        s->in = malloc(INPUT_SIZE);
        if (!s->in)
                return error_oom(err);
        if (sha256_new(&s->blob_hash, err) < 0)
                return -1;
        *ret = TAKE(s);
        return 0;
}

int blob_stream_interrupted(const BlobStream *stream, Error *err) {
        if (stream->options.cancelled && *stream->options.cancelled)
                return error_set(err, ERROR_INTERRUPTED, "%s: interrupted", stream->options.what);
        return 0;
}

/* The next bytes of the blob itself; 0 at its end. */
static int read_blob(BlobStream *s, size_t *ret_len, Error *err) {
        size_t len = 0;

        if (blob_stream_interrupted(s, err) < 0)
                return -1;

        /* Full blocks, also from a pipe: the first must show the magic number. */
        while (len < INPUT_SIZE) {
                ssize_t n = read(s->fd, s->in + len, INPUT_SIZE - len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "read %s", s->options.what);
                if (n == 0)
                        break;
                len += (size_t) n;
        }
        s->read += len;
        if (s->options.size && s->read > *s->options.size)
                return error_set(err, ERROR_DIGEST_MISMATCH, "%s has more than its %llu bytes", s->options.what,
                                 (unsigned long long) *s->options.size);
        sha256_update(s->blob_hash, s->in, len);
        if (s->options.copy_fd >= 0 && fd_write_all(s->options.copy_fd, s->in, len, err) < 0)
                return error_prefix(err, "copy %s", s->options.what);
        if (s->options.report)
                s->options.report(s->options.userdata, s->read);
        s->pending = s->in;
        s->pending_len = len;
        *ret_len = len;
        return 0;
}

static int start(BlobStream *s, Error *err) {
        s->started = true;
        s->compression = s->options.raw ? COMPRESSION_NONE : compression_detect(s->pending, s->pending_len);
        if (s->compression == COMPRESSION_NONE)
                return 0;
        if (sha256_new(&s->diff_hash, err) < 0 || decoder_new(s->compression, &s->decoder, err) < 0)
                return -1;
        s->out = malloc(OUTPUT_SIZE);
        return s->out ? 0 : error_oom(err);
}

static int check_output(const BlobStream *s, Error *err) {
        if (s->options.output_max && s->output > s->options.output_max)
                return error_set(err, ERROR_INVALID_SPEC, "%s unpacks to more than the %llu bytes allowed", s->options.what,
                                 (unsigned long long) s->options.output_max);
        if (s->output > RATIO_FREE && s->output / LAYER_RATIO_MAX > s->read)
                return error_set(err, ERROR_INVALID_SPEC, "%s unpacks to more than %u times its size", s->options.what, LAYER_RATIO_MAX);
        return 0;
}

int blob_stream_read(BlobStream *stream, const void **ret_data, size_t *ret_len, Error *err) {
        size_t produced = 0;

        while (produced == 0) {
                if (stream->pending_len == 0 && !stream->ended) {
                        size_t len = 0;

                        if (read_blob(stream, &len, err) < 0)
                                return -1;
                        stream->ended = len == 0;
                        if (!stream->started && start(stream, err) < 0)
                                return -1;
                }
                if (!stream->decoder) {
                        produced = stream->pending_len;
                        *ret_data = stream->pending;
                        stream->pending_len = 0;
                } else {
                        if (decoder_step(stream->decoder, &stream->pending, &stream->pending_len, stream->out, OUTPUT_SIZE, &produced,
                                         err) < 0)
                                return error_prefix(err, "%s", stream->options.what);
                        *ret_data = stream->out;
                        sha256_update(stream->diff_hash, stream->out, produced);
                }
                if (produced == 0 && stream->ended) {
                        if (stream->decoder && decoder_end(stream->decoder, err) < 0)
                                return error_prefix(err, "%s", stream->options.what);
                        break;
                }
        }
        stream->output += produced;
        *ret_len = produced;
        return check_output(stream, err);
}

/* Compares the blob's own digest and size; only at its end. */
static int check_blob(BlobStream *s, const Digest *digest, Error *err) {
        if (s->options.size && s->read != *s->options.size)
                return error_set(err, ERROR_DIGEST_MISMATCH, "%s has %llu bytes, not %llu", s->options.what, (unsigned long long) s->read,
                                 (unsigned long long) *s->options.size);
        if (s->options.digest && !digest_equal(s->options.digest, digest))
                return error_set(err, ERROR_DIGEST_MISMATCH, "%s has the digest %s, not %s", s->options.what, digest->text,
                                 s->options.digest->text);
        return 0;
}

static void blob_digest(BlobStream *s, Digest *ret) {
        char hex[SHA256_HEX_MAX];

        sha256_final(s->blob_hash, hex);
        digest_from_hex(hex, ret);
}

int blob_stream_finish(BlobStream *stream, BlobStreamResult *ret, Error *err) {
        BlobStreamResult result = { 0 };
        const void *data;
        size_t len;

        do
                if (blob_stream_read(stream, &data, &len, err) < 0)
                        return -1;
        while (len > 0);

        blob_digest(stream, &result.digest);
        if (check_blob(stream, &result.digest, err) < 0)
                return -1;
        result.diff_id = result.digest;
        if (stream->diff_hash) {
                char hex[SHA256_HEX_MAX];

                sha256_final(stream->diff_hash, hex);
                digest_from_hex(hex, &result.diff_id);
        }
        if (stream->options.diff_id && !digest_equal(stream->options.diff_id, &result.diff_id))
                return error_set(err, ERROR_DIGEST_MISMATCH, "%s has the diffID %s, not %s", stream->options.what, result.diff_id.text,
                                 stream->options.diff_id->text);
        result.size = stream->read;
        result.output = stream->output;
        result.compression = stream->compression;
        *ret = result;
        return 0;
}

int blob_stream_blame(BlobStream *stream, Error *err) {
        Error found = ERROR_INIT;
        Digest digest;
        size_t len;

        if (err && err->kind != ERROR_INVALID_SPEC)
                return -1;
        do
                if (read_blob(stream, &len, &found) < 0) {
                        if (err && found.kind == ERROR_DIGEST_MISMATCH)
                                *err = found;
                        return -1;
                }
        while (len > 0);
        blob_digest(stream, &digest);
        if (err && check_blob(stream, &digest, &found) < 0)
                *err = found;
        return -1;
}

uint64_t blob_stream_output(const BlobStream *stream) {
        return stream->output;
}
