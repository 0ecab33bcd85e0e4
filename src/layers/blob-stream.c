/* Reading a blob once while its two digests are made. */

#include "layers/blob-stream.h"

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/hash.h"
#include "layers/caps.h"

/* Below this many decompressed bytes a layer may have any ratio: zstd makes almost nothing of a file of zeros, and that is no attack. */
#define RATIO_FREE ((uint64_t) 1 << 30)

#define STREAM_INPUT_SIZE  (256u << 10) /* bytes */
#define STREAM_OUTPUT_SIZE (512u << 10) /* bytes */

typedef struct StreamBuffers {
        uint8_t in[STREAM_INPUT_SIZE];
        uint8_t out[STREAM_OUTPUT_SIZE];
} StreamBuffers;

struct BlobStream {
        BlobStreamOptions options;
        int fd;
        Sha256 *blob_hash;
        Sha256 *diff_hash; /* NULL while it would equal blob_hash */
        Decoder *decoder;  /* NULL: the output is the input */
        Compression compression;
        void *more; /* reader of the source; NULL: not begun, or there is none */
        uint64_t read, output;
        const uint8_t *pending; /* input that is not decoded yet */
        size_t pending_len;
        bool started, ended;
        StreamBuffers *buffers;
};

BlobStream *blob_stream_free(BlobStream *stream) {
        if (stream) {
                if (stream->more)
                        stream->options.more->close(stream->more);
                sha256_free(stream->blob_hash);
                sha256_free(stream->diff_hash);
                decoder_free(stream->decoder);
                free(stream->buffers);
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
        s->buffers = malloc(sizeof(*s->buffers));
        if (!s->buffers)
                return error_oom(err);
        if (sha256_new(&s->blob_hash, err) < 0)
                return -1;
        *ret = TAKE(s);
        return 0;
}

int blob_stream_interrupted(const BlobStream *stream, Error *err) {
        if ((stream->options.cancelled && *stream->options.cancelled) ||
            (stream->options.stopped && stream->options.stopped(stream->options.userdata)))
                return error_set(err, ERROR_INTERRUPTED, "%s: interrupted", stream->options.what);
        return 0;
}

static int read_file(BlobStream *s, void *data, size_t size, size_t *ret_len, Error *err) {
        ssize_t n;

        do
                n = read(s->fd, data, size);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read %s", s->options.what);
        *ret_len = (size_t) n;
        return 0;
}

/* What the file lacks. A source is not asked for what is past the blob's promised size. */
static int read_more(BlobStream *s, void *data, size_t size, size_t *ret_len, Error *err) {
        const BlobSource *source = s->options.more;

        *ret_len = 0;
        if (!source || (!s->more && s->options.size && s->read == *s->options.size))
                return 0;
        if (!s->more && source->open(source->userdata, s->options.blob, s->read, &s->more, err) < 0)
                return error_prefix(err, "%s", s->options.what);
        if (source->read(s->more, data, size, ret_len, err) < 0)
                return error_prefix(err, "%s", s->options.what);
        return 0;
}

/* Writes the last @n of the @len bytes that were read. */
static int copy(BlobStream *s, size_t len, size_t n, Error *err) {
        if (s->options.copy_fd >= 0 && fd_write_all(s->options.copy_fd, s->buffers->in + len - n, n, err) < 0)
                return error_prefix(err, "copy %s", s->options.what);
        return 0;
}

/* The next bytes of the blob itself; 0 at its end. */
static int read_blob(BlobStream *s, size_t *ret_len, Error *err) {
        size_t len = 0, fetched = 0, n;

        if (blob_stream_interrupted(s, err) < 0)
                return -1;

        /* Full blocks, also from a pipe: the first must show the magic number. */
        do {
                n = 0;
                if (s->fd >= 0) {
                        if (read_file(s, s->buffers->in + len, STREAM_INPUT_SIZE - len, &n, err) < 0)
                                return -1;
                        if (n == 0)
                                s->fd = -EBADF;
                }
                if (n == 0) {
                        if (read_more(s, s->buffers->in + len, STREAM_INPUT_SIZE - len, &n, err) < 0) {
                                /* Another time goes on where this one ends. */
                                (void) copy(s, len, fetched, NULL);
                                return -1;
                        }
                        fetched += n;
                }
                len += n;
                s->read += n;
        } while (n > 0 && len < STREAM_INPUT_SIZE);
        if (s->options.size && s->read > *s->options.size)
                return error_set(err, ERROR_DIGEST_MISMATCH, "%s has more than its %llu bytes", s->options.what,
                                 (unsigned long long) *s->options.size);
        if (!s->options.more)
                fetched = len;
        if (copy(s, len, fetched, err) < 0)
                return -1;
        sha256_update(s->blob_hash, s->buffers->in, len);
        if (s->options.report)
                s->options.report(s->options.userdata, s->read);
        s->pending = s->buffers->in;
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
        return 0;
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
                        if (decoder_step(stream->decoder, &stream->pending, &stream->pending_len, stream->buffers->out,
                                         STREAM_OUTPUT_SIZE, &produced, err) < 0)
                                return error_prefix(err, "%s", stream->options.what);
                        *ret_data = stream->buffers->out;
                        sha256_update(stream->diff_hash, stream->buffers->out, produced);
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
