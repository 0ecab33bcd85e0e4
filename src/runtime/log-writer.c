/* The writing side of a container's log. */

#include "runtime/log-writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "runtime/log-entry.h"
#include "runtime/monitor.h"

#define PENDING_MAX (256u << 10) /* bytes; at least one object */

void log_writer_init(LogWriter *writer, int dir_fd, uint64_t max) {
        *writer = (LogWriter) {
                .dir_fd = dir_fd,
                .fd = -EBADF,
                .max = max,
                .pending = BUF_INIT(PENDING_MAX),
        };
}

static int open_log(LogWriter *writer) {
        struct stat st;
        char last;

        if (writer->fd >= 0)
                return 0;
        writer->fd = openat(writer->dir_fd, LOG_FILE, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (writer->fd < 0)
                return -1;
        if (fstat(writer->fd, &st) < 0)
                goto fail;
        writer->size = (uint64_t) st.st_size;
        /* A line that a crash cut off must not run into ours. */
        if (st.st_size > 0 && pread(writer->fd, &last, 1, st.st_size - 1) == 1 && last != '\n') {
                if (write(writer->fd, "\n", 1) != 1)
                        goto fail;
                writer->size++;
        }
        return 0;

fail:
        closep(&writer->fd);
        writer->fd = -EBADF;
        return -1;
}

static int rotate(LogWriter *writer) {
        if (renameat(writer->dir_fd, LOG_FILE, writer->dir_fd, LOG_FILE ".1") < 0)
                return -1;
        closep(&writer->fd);
        writer->fd = -EBADF;
        return open_log(writer);
}

/* Writes whole objects or nothing: the file never ends in half a line. -1 with errno. */
static int write_whole(LogWriter *writer, const char *data, size_t len) {
        size_t done = 0;

        if (open_log(writer) < 0 || (writer->size > 0 && writer->size + len > writer->max && rotate(writer) < 0))
                return -1;
        while (done < len) {
                ssize_t n = write(writer->fd, data + done, len - done);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        int saved = errno;

                        (void) !ftruncate(writer->fd, (off_t) writer->size);
                        errno = saved;
                        return -1;
                }
                done += (size_t) n;
        }
        writer->size += len;
        return 0;
}

/* Once writing works again, the log itself says what it lacks. */
static int write_lost_note(LogWriter *writer) {
        _cleanup_buf_ Buf line = BUF_INIT(LOG_ENTRY_MAX);
        char text[256], time[TIME_TEXT_MAX];
        int n;

        n = snprintf(text, sizeof(text), "[proxmox-lxcri: %llu pieces of output were lost here: %s]\n", (unsigned long long) writer->lost,
                     strerror(writer->lost_errno));
        time_now_text(time);
        if (log_entry_append(&line, text, (size_t) n, true, time, NULL) < 0)
                return -1;
        return write_whole(writer, line.data, line.len);
}

void log_writer_flush(LogWriter *writer) {
        if (writer->pending_n == 0)
                return;
        if ((writer->lost > 0 && write_lost_note(writer) < 0) || write_whole(writer, writer->pending.data, writer->pending.len) < 0) {
                writer->lost += writer->pending_n;
                writer->lost_errno = errno;
        } else
                writer->lost = 0;
        buf_reset(&writer->pending);
        writer->pending_n = 0;
}

void log_writer_add(LogWriter *writer, const char *text, size_t len, bool is_stderr) {
        char time[TIME_TEXT_MAX];

        time_now_text(time);
        for (int attempt = 0; attempt < 2; attempt++) {
                size_t before = writer->pending.len;

                if (log_entry_append(&writer->pending, text, len, is_stderr, time, NULL) < 0) {
                        /* full, or no memory for more: write what there is, and try once more */
                        log_writer_flush(writer);
                        continue;
                }
                writer->pending_n++;
                /* Files are cut between objects, at the cap: what was there before this one goes into the old file. */
                if (writer->size + writer->pending.len > writer->max && before > 0 && attempt == 0) {
                        writer->pending.len = before;
                        writer->pending.data[before] = '\0';
                        writer->pending_n--;
                        log_writer_flush(writer);
                        continue;
                }
                return;
        }
        writer->lost++;
        writer->lost_errno = ENOMEM;
}

void log_writer_close(LogWriter *writer) {
        log_writer_flush(writer);
        closep(&writer->fd);
        writer->fd = -EBADF;
        buf_free(&writer->pending);
}
