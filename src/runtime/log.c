/* Reading a container's log: the older file, then the current one, then what comes. */

#include "runtime/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "runtime/log-entry.h"
#include "runtime/monitor.h"

#define FOLLOW_INTERVAL_MS 200

#define NS_PER_S 1000000000LL

/* Where a reader stands: one file, and the line it is in. */
typedef struct LogReader {
        const LogRequest *request;
        int dir_fd, out_fd, err_fd;
        int64_t since, until; /* nanoseconds since 1970 */
        bool counting;        /* the first pass of --tail only counts */
        int64_t count;        /* lines seen by it */
        int64_t skip;         /* lines still to pass over, for --tail */
        bool in_line[2];      /* stdout, stderr: the last entry had no newline */
        bool skipping[2];     /* and is part of a line that is passed over */
        Buf line;             /* an unfinished line of the file */
} LogReader;

/* RFC 3339 as ours and Docker's logs have it: any number of fraction digits, "Z" or an offset. */
static bool parse_time(const char *text, int64_t *ret) {
        struct tm tm = {};
        int64_t ns = 0, scale = NS_PER_S / 10;
        const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
        time_t t;

        if (!p)
                return false;
        if (*p == '.')
                for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
                        ns += (*p - '0') * scale;
        t = timegm(&tm);
        if (*p == '+' || *p == '-') {
                int hours, minutes, n = 0;

                if (sscanf(p + 1, "%2d:%2d%n", &hours, &minutes, &n) != 2 || n != 5)
                        return false;
                t -= (*p == '+' ? 1 : -1) * (hours * 3600 + minutes * 60);
                p += 6;
        } else if (*p == 'Z')
                p++;
        if (*p)
                return false;
        /* Years past 2262 do not fit; as bounds they mean the same as the last that does. */
        if (__builtin_mul_overflow((int64_t) t, NS_PER_S, ret) || __builtin_add_overflow(*ret, ns, ret))
                *ret = t < 0 ? INT64_MIN : INT64_MAX;
        return true;
}

/* A duration back from now ("1h30m", "10s"). */
static bool parse_duration(const char *text, int64_t *ret) {
        static const struct {
                char unit;
                int64_t seconds;
        } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
        int64_t total = 0;
        struct timespec now;

        if (!*text)
                return false;
        while (*text) {
                size_t unit = 0;
                char *end;
                long long n;

                if (*text < '0' || *text > '9')
                        return false;
                errno = 0;
                n = strtoll(text, &end, 10);
                while (unit < ARRAY_SIZE(units) && units[unit].unit != *end)
                        unit++;
                if (errno != 0 || unit == ARRAY_SIZE(units) || n > INT32_MAX)
                        return false;
                total += n * units[unit].seconds;
                text = end + 1;
        }
        clock_gettime(CLOCK_REALTIME, &now);
        *ret = ((int64_t) now.tv_sec - total) * NS_PER_S + now.tv_nsec;
        return true;
}

static int parse_bound(const char *name, const char *text, int64_t *ret, Error *err) {
        if (!text || parse_time(text, ret) || parse_duration(text, ret))
                return 0;
        return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is neither a time (2006-01-02T15:04:05Z) nor a duration (10m): %s", name, text);
}

static int print_entry(LogReader *reader, const LogEntry *entry, Error *err) {
        bool starts_line = !reader->in_line[entry->is_stderr];
        int fd = entry->is_stderr ? reader->err_fd : reader->out_fd;
        int64_t time;

        reader->in_line[entry->is_stderr] = entry->len > 0 && entry->text[entry->len - 1] != '\n';
        if (!parse_time(entry->time, &time) || time < reader->since || time > reader->until)
                return 0;
        if (reader->counting) {
                reader->count += starts_line;
                return 0;
        }
        if (starts_line) {
                reader->skipping[entry->is_stderr] = reader->skip > 0;
                reader->skip -= reader->skip > 0;
        }
        if (reader->skipping[entry->is_stderr])
                return 0;
        if (reader->request->timestamps && starts_line &&
            (fd_write_all(fd, entry->time, strlen(entry->time), err) < 0 || fd_write_all(fd, " ", 1, err) < 0))
                return error_prefix(err, "print the log");
        if (fd_write_all(fd, entry->text, entry->len, err) < 0)
                return error_prefix(err, "print the log");
        return 0;
}

/* Feeds what @fd has from its offset on to print_entry(), line by line; half a line waits in the reader for its rest. */
static int read_more(LogReader *reader, int fd, Error *err) {
        _cleanup_free_ char *chunk = malloc(LOG_ENTRY_MAX);

        if (!chunk)
                return error_oom(err);
        for (;;) {
                ssize_t n = read(fd, chunk, LOG_ENTRY_MAX);

                if (n < 0 && errno == EINTR)
                        return error_set(err, ERROR_INTERRUPTED, "interrupted");
                if (n < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "read the log");
                if (n == 0)
                        return 0;
                for (char *p = chunk, *end = chunk + n; p < end;) {
                        char *newline = memchr(p, '\n', (size_t) (end - p));
                        size_t len = (size_t) ((newline ?: end) - p);
                        LogEntry entry;

                        /* A line too long to be ours is damage, and is passed over like any other. */
                        if (buf_append(&reader->line, p, len, NULL) < 0)
                                buf_reset(&reader->line);
                        p += len + 1;
                        if (!newline)
                                break;
                        if (reader->line.len > 0 && log_entry_parse(reader->line.data, reader->line.len, &entry)) {
                                int r = print_entry(reader, &entry, err);

                                log_entry_free(&entry);
                                if (r < 0)
                                        return -1;
                        }
                        buf_reset(&reader->line);
                }
        }
}

/* Opens a log file. 1; 0 when it is not there; -1. */
static int open_file(int dir_fd, const char *name, int *ret_fd, Error *err) {
        int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0)
                return errno == ENOENT ? 0 : error_set_errno(err, ERROR_FILE, errno, "open '%s'", name);
        *ret_fd = fd;
        return 1;
}

static bool is_same_file(int dir_fd, const char *name, int fd) {
        struct stat a, b;

        return fd >= 0 && fstat(fd, &a) == 0 && fstatat(dir_fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev &&
               a.st_ino == b.st_ino;
}

/* Reads the two files; *ret_fd stays open at the end of the current one, -EBADF when there is none yet. */
static int read_files(LogReader *reader, int *ret_fd, Error *err) {
        _cleanup_close_ int older = -EBADF, current = -EBADF;

        /* The current file first: when it becomes the older one meanwhile, it is read once, not twice. */
        if (open_file(reader->dir_fd, LOG_FILE, &current, err) < 0 || open_file(reader->dir_fd, LOG_FILE ".1", &older, err) < 0)
                return -1;
        if (older >= 0 && !is_same_file(reader->dir_fd, LOG_FILE ".1", current) && read_more(reader, older, err) < 0)
                return -1;
        buf_reset(&reader->line);
        if (current >= 0 && read_more(reader, current, err) < 0)
                return -1;
        *ret_fd = TAKE_FD(current);
        return 0;
}

static int follow(LogReader *reader, int *fd, Error *err) {
        bool last = false;

        while (!last) {
                const struct timespec interval = { .tv_nsec = FOLLOW_INTERVAL_MS * 1000000L };

                last = reader->request->ended && reader->request->ended(reader->request->userdata);
                if (!last && nanosleep(&interval, NULL) < 0)
                        return error_set(err, ERROR_INTERRUPTED, "interrupted");
                for (;;) {
                        bool same = is_same_file(reader->dir_fd, LOG_FILE, *fd);

                        /* Asked before reading: what was written before the file was changed is all there. */
                        if (*fd >= 0 && read_more(reader, *fd, err) < 0)
                                return -1;
                        if (same)
                                break;
                        close_keep_errno(*fd);
                        *fd = -EBADF;
                        buf_reset(&reader->line);
                        if (open_file(reader->dir_fd, LOG_FILE, fd, err) <= 0)
                                break;
                }
        }
        return 0;
}

static int print(LogReader *reader, Error *err) {
        _cleanup_close_ int fd = -EBADF;

        if (reader->request->tail >= 0) {
                int counted = -EBADF;

                reader->counting = true;
                if (read_files(reader, &counted, err) < 0)
                        return -1;
                close_keep_errno(counted);
                reader->counting = false;
                reader->skip = reader->count > reader->request->tail ? reader->count - reader->request->tail : 0;
                reader->in_line[0] = reader->in_line[1] = false;
                buf_reset(&reader->line);
        }
        if (read_files(reader, &fd, err) < 0)
                return -1;
        return reader->request->follow ? follow(reader, &fd, err) : 0;
}

int log_print(int dir_fd, const LogRequest *request, int out_fd, int err_fd, Error *err) {
        LogReader reader = {
                .request = request,
                .dir_fd = dir_fd,
                .out_fd = out_fd,
                .err_fd = err_fd,
                .since = INT64_MIN,
                .until = INT64_MAX,
                .line = BUF_INIT(LOG_ENTRY_MAX),
        };
        int r;

        if (parse_bound("since", request->since, &reader.since, err) < 0 || parse_bound("until", request->until, &reader.until, err) < 0)
                return -1;
        r = print(&reader, err);
        buf_free(&reader.line);
        return r;
}
