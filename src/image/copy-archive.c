/* Tar archives that appear whole: written beside their name, and renamed. */

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "image/copy.h"

struct TarWriter {
        struct archive *archive;
        char *path, *part; /* "PATH.PID.part" */
        int fd;
};

static int fail(TarWriter *writer, Error *err) {
        const int errnum = archive_errno(writer->archive);

        if (errnum > 0)
                return error_set_errno(err, ERROR_FILE, errnum, "write '%s'", writer->path);
        return error_set(err, ERROR_FILE, "write '%s': %s", writer->path, archive_error_string(writer->archive) ?: "it failed");
}

int tar_writer_open(const char *path, TarWriter **ret, Error *err) {
        TarWriter *writer = calloc(1, sizeof(*writer));

        if (!writer)
                return error_oom(err);
        writer->fd = -EBADF;
        writer->archive = archive_write_new();
        if (!writer->archive || string_copy(path, &writer->path, err) < 0 ||
            string_format(&writer->part, err, "%s.%d.part", path, (int) getpid()) < 0) {
                tar_writer_close(writer);
                return error_oom(err);
        }
        writer->fd = open(writer->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (writer->fd < 0) {
                error_set_errno(err, ERROR_FILE, errno, "create '%s'", writer->part);
                free(TAKE(writer->part));
                tar_writer_close(writer);
                return -1;
        }
        if (archive_write_set_format_pax_restricted(writer->archive) != ARCHIVE_OK ||
            archive_write_set_bytes_in_last_block(writer->archive, 1) != ARCHIVE_OK ||
            archive_write_open_fd(writer->archive, writer->fd) != ARCHIVE_OK) {
                fail(writer, err);
                tar_writer_close(writer);
                return -1;
        }
        *ret = writer;
        return 0;
}

int tar_writer_begin(TarWriter *writer, const char *name, uint64_t size, Error *err) {
        struct archive_entry *entry = archive_entry_new();
        int r;

        if (!entry)
                return error_oom(err);
        archive_entry_set_pathname(entry, name);
        archive_entry_set_size(entry, (la_int64_t) size);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_mtime(entry, 0, 0);
        r = archive_write_header(writer->archive, entry);
        archive_entry_free(entry);
        return r == ARCHIVE_OK ? 0 : fail(writer, err);
}

int tar_writer_data(TarWriter *writer, const void *data, size_t len, Error *err) {
        const char *p = data;

        while (len > 0) {
                const la_ssize_t n = archive_write_data(writer->archive, p, len);

                if (n <= 0)
                        return fail(writer, err);
                p += n;
                len -= (size_t) n;
        }
        return 0;
}

int tar_writer_file(TarWriter *writer, const char *name, const void *data, size_t len, Error *err) {
        return tar_writer_begin(writer, name, len, err) < 0 ? -1 : tar_writer_data(writer, data, len, err);
}

int tar_writer_finish(TarWriter *writer, Error *err) {
        if (archive_write_close(writer->archive) != ARCHIVE_OK)
                return fail(writer, err);
        if (fsync(writer->fd) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "sync '%s'", writer->path);
        if (rename(writer->part, writer->path) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "rename '%s' to '%s'", writer->part, writer->path);
        free(TAKE(writer->part));
        return 0;
}

TarWriter *tar_writer_close(TarWriter *writer) {
        if (!writer)
                return NULL;
        if (writer->archive)
                archive_write_free(writer->archive);
        if (writer->part)
                (void) unlink(writer->part);
        closep(&writer->fd);
        free(writer->path);
        free(writer->part);
        free(writer);
        return NULL;
}
