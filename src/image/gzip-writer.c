/* Compressing and hashing a layer that is made here. */

#include "image/gzip-writer.h"

#include <limits.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/hash.h"

#define OUTPUT_SIZE (256u << 10) /* bytes */

/* On a root filesystem level 4 takes a third of the time of zlib's default, and a twentieth more space. */
#define LEVEL 4

struct GzipWriter {
        int fd;
        z_stream deflate;
        Sha256 *blob_hash, *diff_hash;
        uint64_t written, taken; /* bytes after and before compression */
        unsigned char out[OUTPUT_SIZE];
};

GzipWriter *gzip_writer_free(GzipWriter *writer) {
        if (writer) {
                (void) deflateEnd(&writer->deflate);
                sha256_free(writer->blob_hash);
                sha256_free(writer->diff_hash);
                free(writer);
        }
        return NULL;
}

int gzip_writer_new(int fd, GzipWriter **ret, Error *err) {
        _cleanup_(gzip_writer_freep) GzipWriter *w = calloc(1, sizeof(*w));

        if (!w)
                return error_oom(err);
        w->fd = fd;
        /* 16: with a gzip header, which holds no time and no name */
        if (deflateInit2(&w->deflate, LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
                return error_oom(err);
        if (sha256_new(&w->blob_hash, err) < 0 || sha256_new(&w->diff_hash, err) < 0)
                return -1;
        *ret = TAKE(w);
        return 0;
}

static int deflate_some(GzipWriter *w, int flush, Error *err) {
        int r;

        do {
                size_t len;

                w->deflate.next_out = w->out;
                w->deflate.avail_out = sizeof(w->out);
                r = deflate(&w->deflate, flush);
                len = sizeof(w->out) - w->deflate.avail_out;
                sha256_update(w->blob_hash, w->out, len);
                w->written += len;
                if (fd_write_all(w->fd, w->out, len, err) < 0)
                        return -1;
        } while (w->deflate.avail_out == 0 || (flush == Z_FINISH && r == Z_OK));
        return 0;
}

int gzip_writer_write(GzipWriter *writer, const void *data, size_t len, Error *err) {
        const unsigned char *p = data;

        sha256_update(writer->diff_hash, data, len);
        writer->taken += len;
        while (len > 0) {
                uInt given = len < UINT_MAX ? (uInt) len : UINT_MAX;

                writer->deflate.next_in = (Bytef *) p; /* zlib's interface lacks the const; it only reads */
                writer->deflate.avail_in = given;
                if (deflate_some(writer, Z_NO_FLUSH, err) < 0)
                        return -1;
                p += given;
                len -= given;
        }
        return 0;
}

int gzip_writer_finish(GzipWriter *writer, BlobStreamResult *ret, Error *err) {
        char hex[SHA256_HEX_MAX];

        writer->deflate.avail_in = 0;
        if (deflate_some(writer, Z_FINISH, err) < 0)
                return -1;
        *ret = (BlobStreamResult) { .size = writer->written, .output = writer->taken, .compression = COMPRESSION_GZIP };
        sha256_final(writer->blob_hash, hex);
        digest_from_hex(hex, &ret->digest);
        sha256_final(writer->diff_hash, hex);
        digest_from_hex(hex, &ret->diff_id);
        return 0;
}
