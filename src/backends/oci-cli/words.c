/* What crun and runc say when they fail, turned into our errors. */

#include <string.h>
#include <sys/wait.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"

#define WORDS_MAX       (64u << 10) /* bytes from the end of a log that are looked at */
#define ERROR_LINES_MAX 4           /* the last ones; runc's init logs its cause before runc logs that it failed */

/* Failures that have a better kind than RuntimeError, or a known remedy, by a part of their text. */
static const struct {
        const char *part;
        ErrorKind kind;
        const char *hint;
} known_failures[] = {
        { "hybrid mode not supported", ERROR_RUNTIME_NOT_AVAILABLE,
          "choose --runtime runc, or boot with systemd.unified_cgroup_hierarchy=1" },
        { "systemd not running on this host", ERROR_RUNTIME_NOT_AVAILABLE, "leave out --systemd-cgroup" },
        { "sd-bus", ERROR_RUNTIME, "without a running systemd, leave out --systemd-cgroup" },
        { "container not running", ERROR_INVALID_STATE, NULL },
        { "is not running", ERROR_INVALID_STATE, NULL },
        { "in a stopped container", ERROR_INVALID_STATE, NULL },
        { "in a paused container", ERROR_INVALID_STATE, "resume it first" },
        { "is paused", ERROR_INVALID_STATE, "resume it first" },
        { "that is not stopped", ERROR_INVALID_STATE, "stop it first, or use --force" },
        { "not in 'stopped' state", ERROR_INVALID_STATE, "stop it first, or use --force" },
        { "`created` or `stopped` state", ERROR_INVALID_STATE, "stop it first, or use --force" },
        { "cannot start an already running container", ERROR_INVALID_STATE, NULL },
        { "cannot start a container that has stopped", ERROR_INVALID_STATE, NULL },
        { "not found in $PATH", ERROR_RUNTIME, "the program must exist and be executable inside the container" },
        { "no such file or directory: unknown", ERROR_RUNTIME, NULL },
        { "exec format error", ERROR_RUNTIME, "the program is built for another architecture" },
        { "unknown command", ERROR_NOT_SUPPORTED, "this version of it has no such command" },
        /* runc of some versions takes an option it does not know for an argument; we never give more than one. */
        { "requires exactly 1 argument", ERROR_NOT_SUPPORTED, "this version of it has no such option" },
        { "flag provided but not defined", ERROR_NOT_SUPPORTED, "this version of it has no such option" },
        { "unrecognized option", ERROR_NOT_SUPPORTED, "this version of it has no such option" },
        { "libcriu", ERROR_RUNTIME_NOT_AVAILABLE, "install criu" },
        { "\"criu\": executable file not found", ERROR_RUNTIME_NOT_AVAILABLE, "install criu" },
        { "criu failed", ERROR_RUNTIME, "'criu check' says whether this kernel can do it" },
        { "CRIU version check failed", ERROR_RUNTIME_NOT_AVAILABLE, "'criu check' says whether it works on this kernel" },
        { "unknown version specified", ERROR_INVALID_SPEC, "this runtime does not know the bundle's ociVersion: try another runtime" },
};

/* The message of one line of a log, without the end of line of a program that it quotes; NULL when the line is no error. free() */
static char *error_message(const char *line) {
        _cleanup_json_ json_t *json = json_loads(line, 0, NULL);
        const char *level = json_string_value(json_object_get(json, "level")), *message = json_string_value(json_object_get(json, "msg"));
        size_t len;

        if (!level || !message || !message[0] || (strcmp(level, "error") && strcmp(level, "fatal") && strcmp(level, "panic")))
                return NULL;
        for (len = strlen(message); len > 0 && strchr("\r\n", message[len - 1]);)
                len--;
        return len > 0 ? strndup(message, len) : NULL;
}

/* The last error messages of the log, oldest first; each once. */
static size_t error_messages(const Command *command, char *ret[ERROR_LINES_MAX]) {
        _cleanup_free_ char *text = file_tail_fd(command->log_fd, command->log_start, WORDS_MAX);
        char *p = text, *line;
        size_t n = 0;

        while (p && (line = strsep(&p, "\n"))) {
                char *message = error_message(line);

                if (!message || (n > 0 && !strcmp(ret[n - 1], message))) {
                        free(message);
                        continue;
                }
                if (n == ERROR_LINES_MAX) {
                        free(ret[0]);
                        memmove(ret, ret + 1, (ERROR_LINES_MAX - 1) * sizeof(*ret));
                        n--;
                }
                ret[n++] = message;
        }
        return n;
}

bool command_said_error(const Command *command) {
        char *messages[ERROR_LINES_MAX];
        size_t n = error_messages(command, messages);

        for (size_t i = 0; i < n; i++)
                free(messages[i]);
        return n > 0;
}

/* The last line of @text that is not empty, cut off in place; NULL when there is none. */
static char *last_line(char *text) {
        char *line = NULL, *p = text, *next;

        while (p && (next = strsep(&p, "\n")))
                if (next[strspn(next, " \t\r")])
                        line = next;
        return line;
}

int command_failed(const Command *command, int status, Error *err) {
        const char *name = command->container->backend->name;
        char *messages[ERROR_LINES_MAX];
        size_t n = error_messages(command, messages);

        if (n > 0) {
                error_set(err, ERROR_RUNTIME, "%s", messages[n - 1]);
                for (size_t i = n - 1; i-- > 0;)
                        if (err && !strstr(err->text, messages[i]))
                                error_prefix(err, "%s", messages[i]);
        } else {
                _cleanup_free_ char *output = file_tail_fd(command->output_fd, 0, WORDS_MAX);
                const char *line = last_line(output);

                if (line)
                        error_set(err, ERROR_RUNTIME, "%s", line);
                else if (WIFSIGNALED(status))
                        error_set(err, ERROR_RUNTIME, "%s was killed by signal %d", command->verb, WTERMSIG(status));
                else
                        error_set(err, ERROR_RUNTIME, "%s failed with exit code %d and said nothing", command->verb, WEXITSTATUS(status));
        }
        for (size_t i = 0; i < n; i++)
                free(messages[i]);
        if (!err)
                return -1;

        err->exit_code = exit_code_of(status);
        for (size_t i = 0; i < ARRAY_SIZE(known_failures); i++)
                if (strcasestr(err->text, known_failures[i].part)) {
                        err->kind = known_failures[i].kind;
                        if (known_failures[i].hint)
                                error_hint(err, "%s", known_failures[i].hint);
                        break;
                }
        return error_prefix(err, "%s", name);
}
