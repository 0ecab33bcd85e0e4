/* Writing errors and logs, as text and as JSON. */

#include "cli/report.h"

#include <fcntl.h>
#include <stdarg.h>
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

static int make_record(LogLevel level, const Error *error, const char *phase, const double *seconds, const char *text, json_t **ret) {
        _cleanup_json_ json_t *record = json_object();
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
        *ret = TAKE(record);
        return 0;
}

static int format_json(Buf *buf, const json_t *record) {
        _cleanup_free_ char *line = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(9));

        return !line || buf_puts(buf, line, NULL) < 0 ? -1 : buf_puts(buf, "\n", NULL);
}

/* Quoted where runc's logger does it. */
static int format_value(Buf *buf, const char *value) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/@^+";

        if (*value && strspn(value, plain) == strlen(value))
                return buf_puts(buf, value, NULL);
        if (buf_puts(buf, "\"", NULL) < 0)
                return -1;
        for (const char *p = value; *p; p++)
                if (((*p == '"' || *p == '\\') && buf_puts(buf, "\\", NULL) < 0) || buf_append(buf, p, 1, NULL) < 0)
                        return -1;
        return buf_puts(buf, "\"", NULL);
}

static int format_fields(Buf *buf, const json_t *record) {
        static const char *const keys[] = { "time", "level", "msg", "kind", "phase", "errno", "cause", "hint", "seconds" };
        const char *space = "";

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                const json_t *value = json_object_get(record, keys[i]);

                if (!value)
                        continue;
                if (buf_printf(buf, NULL, "%s%s=", space, keys[i]) < 0 ||
                    (json_is_real(value) ? buf_printf(buf, NULL, "%.9g", json_real_value(value)) :
                                           format_value(buf, json_string_value(value))) < 0)
                        return -1;
                space = " ";
        }
        return buf_puts(buf, "\n", NULL);
}

char *report_format(ReportForm form, LogLevel level, const Error *error, const char *phase, const double *seconds, const char *text) {
        _cleanup_json_ json_t *record = NULL;
        Buf buf = BUF_INIT(REPORT_MAX);
        int r;

        if (form == REPORT_TEXT || form == REPORT_COLORS)
                r = format_text(&buf, form == REPORT_COLORS, level, error, text);
        else if (make_record(level, error, phase, seconds, text, &record) < 0)
                r = -1;
        else
                r = (form == REPORT_JSON ? format_json : format_fields)(&buf, record);
        if (r < 0)
                buf_free(&buf);
        return buf.data;
}

/* In place of a record that there was no memory for. */
static const char *const no_memory[] = {
        [REPORT_TEXT] = "proxmox-lxcri: error: OutOfMemory: out of memory\n",
        [REPORT_COLORS] = "proxmox-lxcri: error: OutOfMemory: out of memory\n",
        [REPORT_FIELDS] = "level=error msg=\"out of memory\" kind=OutOfMemory\n",
        [REPORT_JSON] = "{\"level\":\"error\",\"msg\":\"out of memory\",\"kind\":\"OutOfMemory\"}\n",
};

static void report(const Report *to, LogLevel level, const Error *error, const char *phase, const double *seconds, const char *text) {
        bool logged = to->target.kind != LOG_TARGET_STDERR;
        const ReportForm log_form = to->json ? REPORT_JSON : REPORT_FIELDS;
        const ReportForm form = to->json && !logged ? REPORT_JSON : isatty(STDERR_FILENO) ? REPORT_COLORS : REPORT_TEXT;

        if (level > to->level)
                return;
        if (logged) {
                _cleanup_free_ char *record = report_format(log_form, level, error, phase, seconds, text);

                log_target_send(&to->target, level, record ?: no_memory[log_form]);
        }
        if (!logged || level == LOG_LEVEL_ERROR) {
                _cleanup_free_ char *record = report_format(form, level, error, phase, seconds, text);
                const char *line = record ?: no_memory[form];

                (void) fd_write_all(STDERR_FILENO, line, strlen(line), NULL); /* there is nowhere left to tell */
        }
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
        (void) string_vformat(&text, NULL, fmt, ap);
        va_end(ap);
        if (text)
                report(to, level, NULL, NULL, NULL, text);
}

void report_phase(const Report *to, LogLevel level, const char *phase, const double *seconds, const char *text) {
        report(to, level, NULL, phase, seconds, text);
}
