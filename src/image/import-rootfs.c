/*
 * Importing a root filesystem: one layer and a config made here. gzip and zstd stay as they are; everything else becomes gzip, which every
 * tool reads.
 */

#include <archive.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "image/gzip-writer.h"
#include "image/import.h"
#include "image/pack.h"
#include "layers/tar-reader.h"

#define BUFFER_SIZE (256u << 10) /* bytes */

static int print_config(const Digest *diff_id, char **ret, Error *err) {
        _cleanup_json_ json_t *config = NULL;
        struct utsname host;
        char created[32];
        struct tm utc;
        time_t now = time(NULL);

        if (uname(&host) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read the machine's architecture");
        gmtime_r(&now, &utc);
        strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &utc);
        config = json_pack("{s:s, s:s, s:s, s:{s:[s]}, s:{s:s, s:[s]}, s:[{s:s, s:s}]}", "created", created, "architecture",
                           architecture_of(host.machine), "os", "linux", "config", "Cmd", "/bin/sh", "rootfs", "type", "layers", "diff_ids",
                           diff_id->text, "history", "created", created, "created_by", "proxmox-lxcri image import");
        if (!config)
                return error_oom(err);
        return json_print(config, ret, err);
}

static int add_image(Staging *staging, const BlobStreamResult *layer, StagedImages *ret, Error *err) {
        const Descriptor descriptor = {
                .type = layer->compression == COMPRESSION_ZSTD ? MEDIA_LAYER_ZSTD : MEDIA_LAYER_GZIP,
                .digest = layer->digest,
                .size = layer->size,
        };
        _cleanup_free_ char *config = NULL;

        if (print_config(&layer->diff_id, &config, err) < 0)
                return -1;
        return staging_add_image(staging, config, strlen(config), &descriptor, 1, NULL, ret, err);
}

static int read_stream(void *userdata, const void **ret_data, size_t *ret_len, Error *err) {
        return blob_stream_read(userdata, ret_data, ret_len, err);
}

/* No digest says that this tar is whole, so it is read once from end to end. */
static int check_tar(Staging *staging, const BlobStreamResult *layer, const char *path, Error *err) {
        const BlobStreamOptions options = { .what = path, .copy_fd = -1, .cancelled = staging->progress->cancelled };
        _cleanup_(blob_stream_freep) BlobStream *stream = NULL;
        _cleanup_(tar_reader_freep) TarReader *tar = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct archive_entry *entry;
        uint64_t n = 0;

        fd = openat(staging->blobs_fd, digest_hex(&layer->digest), O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open the layer made of '%s'", path);
        if (blob_stream_new(fd, &options, &stream, err) < 0 || tar_reader_new(read_stream, stream, path, &tar, err) < 0)
                return -1;
        for (; n <= LAYER_ENTRY_MAX; n++) {
                if (tar_reader_next(tar, &entry, err) < 0)
                        return -1;
                if (!entry)
                        return n > 0 ? 0 : error_set(err, ERROR_INVALID_SPEC, "'%s' is an empty archive", path);
        }
        return error_set(err, ERROR_INVALID_SPEC, "'%s' has more than %u entries", path, LAYER_ENTRY_MAX);
}

static void archive_freep(struct archive **archive) {
        if (*archive)
                archive_read_free(*archive);
}

/* Copies the plain bytes of a tar into @writer. */
static int copy_plain(Staging *staging, int fd, const char *path, GzipWriter *writer, Error *err) {
        _cleanup_(archive_freep) struct archive *archive = archive_read_new();
        const uint64_t max = staging->request->unpacked_max ?: LAYER_UNPACKED_MAX;
        _cleanup_free_ char *buffer = malloc(BUFFER_SIZE);
        struct archive_entry *entry;
        uint64_t total = 0;
        la_ssize_t n;

        if (!archive || !buffer)
                return error_oom(err);
        if (archive_read_support_filter_xz(archive) != ARCHIVE_OK || archive_read_support_filter_bzip2(archive) != ARCHIVE_OK ||
            archive_read_support_format_raw(archive) != ARCHIVE_OK || archive_read_open_fd(archive, fd, BUFFER_SIZE) != ARCHIVE_OK ||
            archive_read_next_header(archive, &entry) != ARCHIVE_OK)
                return error_set(err, ERROR_INVALID_SPEC, "'%s': %s", path, archive_error_string(archive) ?: "not an archive");
        while ((n = archive_read_data(archive, buffer, BUFFER_SIZE)) > 0) {
                total += (uint64_t) n;
                if (staging->progress->cancelled && *staging->progress->cancelled)
                        return error_set(err, ERROR_INTERRUPTED, "'%s': interrupted", path);
                if (total > max)
                        return error_set(err, ERROR_INVALID_SPEC, "'%s' unpacks to more than the %llu bytes allowed", path,
                                         (unsigned long long) max);
                if (gzip_writer_write(writer, buffer, (size_t) n, err) < 0)
                        return -1;
        }
        return n == 0 ? 0 : error_set(err, ERROR_INVALID_SPEC, "'%s': %s", path, archive_error_string(archive) ?: "damaged archive");
}

/* @path: of a tar; or NULL: @fd is a directory */
static int make_layer(Staging *staging, int fd, const char *path, BlobStreamResult *ret, Error *err) {
        _cleanup_(gzip_writer_freep) GzipWriter *writer = NULL;
        _cleanup_close_ int blob = -EBADF;

        if (staging_create(staging, &blob, err) < 0 || gzip_writer_new(blob, &writer, err) < 0)
                return -1;
        if (path ? copy_plain(staging, fd, path, writer, err) < 0 : pack_directory(fd, writer, staging->progress->cancelled, err) < 0)
                return -1;
        if (gzip_writer_finish(writer, ret, err) < 0)
                return -1;
        return staging_settle(staging, &ret->digest, err);
}

int import_rootfs_tar(Staging *staging, int fd, const char *path, StagedImages *ret, Error *err) {
        const StagingBlob blob = { .what = path, .own_dir_fd = -1 };
        unsigned char magic[COMPRESSION_MAGIC_MAX] = { 0 };
        BlobStreamResult layer;

        if (pread(fd, magic, sizeof(magic), 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read '%s'", path);
        if (compression_detect(magic, sizeof(magic)) != COMPRESSION_NONE ? staging_add(staging, fd, &blob, &layer, err) < 0 :
                                                                           make_layer(staging, fd, path, &layer, err) < 0)
                return -1;
        if (check_tar(staging, &layer, path, err) < 0)
                return -1;
        return add_image(staging, &layer, ret, err);
}

int import_rootfs_directory(Staging *staging, int dir_fd, const char *path, StagedImages *ret, Error *err) {
        BlobStreamResult layer;

        if (make_layer(staging, dir_fd, NULL, &layer, err) < 0)
                return error_prefix(err, "'%s'", path);
        return add_image(staging, &layer, ret, err);
}
