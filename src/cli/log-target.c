/* The destinations of --log. */

#include "cli/log-target.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"

#define RECORD_MAX (80u << 10) /* bytes: one record with what stands before it */

static const struct {
        const char *prefix;
        LogTargetKind kind;
        const char *socket; /* Source: systemd's "Native Journal Protocol"; syslog(3) */
} kinds[] = {
        { "file:",     LOG_TARGET_FILE,    NULL                          },
        { "journald:", LOG_TARGET_JOURNAL, "/run/systemd/journal/socket" },
        { "syslog:",   LOG_TARGET_SYSLOG,  "/dev/log"                    },
};

static const int priorities[] = {
        [LOG_LEVEL_ERROR] = LOG_ERR,
        [LOG_LEVEL_WARNING] = LOG_WARNING,
        [LOG_LEVEL_INFO]  = LOG_INFO,
        [LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

LogTarget log_target_parse(const char *text) {
        LogTarget target = { .kind = LOG_TARGET_FILE, .name = text };

        for (size_t i = 0; text && i < ARRAY_SIZE(kinds); i++)
                if (!strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)))
                        target = (LogTarget) { kinds[i].kind, text + strlen(kinds[i].prefix) };
        /* The default by another name; opening it anew would fail where it is a socket. */
        if (!text || (target.kind == LOG_TARGET_FILE && !strcmp(target.name, "/dev/stderr")))
                target.kind = LOG_TARGET_STDERR;
        return target;
}

static const char *socket_path(const LogTarget *target) {
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (kinds[i].kind == target->kind)
                        return kinds[i].socket;
        return NULL;
}

/* A descriptor, or -1 with errno. */
static int target_open(const LogTarget *target) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *path = socket_path(target);
        _cleanup_close_ int fd = -EBADF;

        if (!path)
                return open(target->name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -1;
        return TAKE_FD(fd);
}

int log_target_check(const LogTarget *target, Error *err) {
        _cleanup_close_ int fd = -EBADF;

        if (target->kind == LOG_TARGET_STDERR)
                return 0;
        if (socket_path(target) && (target->name[0] == '\0' || strchr(target->name, '\n')))
                return error_set(err, ERROR_INVALID_ARGUMENT, "--log: whose records they are must stand after the colon");
        fd = target_open(target);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open log '%s'", socket_path(target) ?: target->name);
        return 0;
}

static int format_journal(Buf *buf, const LogTarget *target, LogLevel level, const char *record) {
        return buf_printf(buf, NULL, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s", priorities[level], target->name, record);
}

static int format_syslog(Buf *buf, const LogTarget *target, LogLevel level, const char *record) {
        time_t now = time(NULL);
        char when[32] = "";
        struct tm local;

        if (localtime_r(&now, &local))
                (void) strftime(when, sizeof(when), "%b %e %H:%M:%S", &local);
        return buf_printf(buf, NULL, "<%d>%s %s[%d]: %.*s", LOG_USER | priorities[level], when, target->name, (int) getpid(),
                          (int) strcspn(record, "\n"), record);
}

void log_target_send(const LogTarget *target, LogLevel level, const char *record) {
        _cleanup_buf_ Buf message = BUF_INIT(RECORD_MAX);
        _cleanup_close_ int fd = target_open(target);

        if (fd < 0)
                return;
        if (!socket_path(target)) {
                (void) fd_write_all(fd, record, strlen(record), NULL);
                return;
        }
        if ((target->kind == LOG_TARGET_JOURNAL ? format_journal : format_syslog)(&message, target, level, record) == 0)
                (void) !send(fd, message.data, message.len, MSG_NOSIGNAL);
}
