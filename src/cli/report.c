/* Writing errors and logs, as text and as JSON. */

#include "cli/report.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "cli/output.h"

#define REPORT_MAX (64u << 10) /* bytes of one record: an error's texts, each byte of which may become four */

#define COLOR_RED   "\033[1;31m"
#define COLOR_CYAN  "\033[36m"
#define COLOR_RESET "\033[0m"

static const char *const level_names[] = {
        [LOG_LEVEL_ERROR] = "error",
        [LOG_LEVEL_WARNING] = "warning",
        [LOG_LEVEL_INFO]  = "info",
        [LOG_LEVEL_DEBUG] = "debug",
};

static int open_file(const char *path) {
        return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
}

/* The default by another name; opening it anew would fail where it is a socket. */
static bool file_is_stderr(const char *path) {
        return !path || !strcmp(path, "/dev/stderr");
}

int report_open(const Report *report, Error *err) {
        _cleanup_close_ int fd = -EBADF;

        if (file_is_stderr(report->file))
                return 0;
        fd = open_file(report->file);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open log '%s'", report->file);
        return 0;
}

static int format_text(Buf *buf, bool color, LogLevel level, const Error *error, const char *text) {
        const char *red = color && level == LOG_LEVEL_ERROR ? COLOR_RED : "";
        const char *cyan = color ? COLOR_CYAN : "", *reset = color ? COLOR_RESET : "";

        if (buf_printf(buf, NULL, "proxmox-lxcri: %s%s:%s ", red, level_names[level], *red ? reset : "") < 0)
                return -1;
        if (error && buf_printf(buf, NULL, "%s: ", error_kind_name(error->kind)) < 0)
                return -1;
        if (text_printable(buf, error ? error->text : text, false, NULL) < 0)
                return -1;
        if (error && error->phase[0] && buf_printf(buf, NULL, " (phase %s)", error->phase) < 0)
                return -1;
        if (error && error->hint[0]) {
                if (buf_printf(buf, NULL, "\n%shint:%s ", cyan, reset) < 0 || text_printable(buf, error->hint, false, NULL) < 0)
                        return -1;
        }
        return buf_puts(buf, "\n", NULL);
}

/* A JSON string of any bytes: what is not UTF-8 stands there as \xNN. */
static json_t *json_text(const char *text) {
        _cleanup_buf_ Buf clean = BUF_INIT(REPORT_MAX);

        return text_printable(&clean, text, true, NULL) < 0 ? NULL : json_string(clean.data ?: "");
}

static int format_json(Buf *buf, LogLevel level, const Error *error, const char *phase, const double *seconds, const char *text) {
        _cleanup_json_ json_t *record = json_object();
        _cleanup_free_ char *line = NULL;
        char now[TIME_TEXT_MAX];
        int r = 0;

        time_now_text(now);
        r |= json_object_set_new(record, "level", json_string(level_names[level]));
        r |= json_object_set_new(record, "msg", json_text(error ? error->text : text));
        r |= json_object_set_new(record, "time", json_string(now));
        if (error)
                r |= json_object_set_new(record, "kind", json_string(error_kind_name(error->kind)));
        if (error && error->phase[0])
                phase = error->phase;
        if (phase)
                r |= json_object_set_new(record, "phase", json_text(phase));
        if (error && error->errnum && strerrorname_np(error->errnum)) {
                r |= json_object_set_new(record, "errno", json_string(strerrorname_np(error->errnum)));
                r |= json_object_set_new(record, "cause", json_string(strerrordesc_np(error->errnum)));
        }
        if (error && error->hint[0])
                r |= json_object_set_new(record, "hint", json_text(error->hint));
        if (seconds)
                r |= json_object_set_new(record, "seconds", json_real(*seconds));
        if (r < 0)
                return -1;
        line = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(9));
        if (!line)
                return -1;
        return buf_puts(buf, line, NULL) < 0 ? -1 : buf_puts(buf, "\n", NULL);
}

char *report_format(bool json, bool color, LogLevel level, const Error *error, const char *phase, const double *seconds, const char *text) {
        Buf buf = BUF_INIT(REPORT_MAX);
        int r;

        if (json)
                r = format_json(&buf, level, error, phase, seconds, text);
        else
                r = format_text(&buf, color, level, error, text);
        if (r < 0)
                buf_free(&buf);
        return buf.data;
}

static void write_record(int fd, bool json, LogLevel level, const Error *error, const char *phase, const double *seconds,
                         const char *text) {
        _cleanup_free_ char *record = report_format(json, !json && isatty(fd), level, error, phase, seconds, text);
        static const char no_memory[] = "{\"level\":\"error\",\"msg\":\"out of memory\",\"kind\":\"OutOfMemory\"}\n";
        const char *line = record;

        if (!line)
                line = json ? no_memory : "proxmox-lxcri: error: OutOfMemory: out of memory\n";
        (void) fd_write_all(fd, line, strlen(line), NULL); /* there is nowhere left to tell */
}

static void report(const Report *to, LogLevel level, const Error *error, const char *phase, const double *seconds, const char *text) {
        _cleanup_close_ int fd = -EBADF;

        if (level > to->level)
                return;
        if (!file_is_stderr(to->file))
                fd = open_file(to->file);
        if (fd >= 0)
                write_record(fd, to->json, level, error, phase, seconds, text);
        if (fd < 0 || level == LOG_LEVEL_ERROR)
                write_record(STDERR_FILENO, to->json && fd < 0, level, error, phase, seconds, text);
}

void report_error(const Report *to, const Error *error) {
        report(to, LOG_LEVEL_ERROR, error, NULL, NULL, NULL);
}

void report_line(const Report *to, LogLevel level, const char *fmt, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        if (level > to->level)
                return;
        va_start(ap, fmt);
        if (vasprintf(&text, fmt, ap) < 0)
                text = NULL;
        va_end(ap);
        if (text)
                report(to, level, NULL, NULL, NULL, text);
}

void report_phase(const Report *to, LogLevel level, const char *phase, const double *seconds, const char *text) {
        report(to, level, NULL, phase, seconds, text);
}
