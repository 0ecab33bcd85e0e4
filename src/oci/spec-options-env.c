/* --env and --env-file: variables by value, or taken over from the caller's environment. */

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "oci/runtime-spec.h"

#define ENV_FILE_MAX (1u << 20) /* bytes; this program's own cap */

extern char **environ;

static int take_over(SpecOptions *options, const char *name, size_t len, bool prefix, Error *err) {
        for (char **entry = environ; entry && *entry; entry++)
                if (!strncmp(*entry, name, len) && (prefix || (*entry)[len] == '=') && strv_push(&options->env, *entry, err) < 0)
                        return -1;
        return 0;
}

int spec_option_env(SpecOptions *options, const char *value, Error *err) {
        size_t len = strlen(value);

        if (value[0] == '\0' || value[0] == '=') {
                error_set(err, ERROR_INVALID_ARGUMENT, "--env '%s' names no variable", value);
                return error_hint(err, "NAME=VALUE, NAME to take it over, or PREFIX* to take over every one that starts so");
        }
        if (strchr(value, '='))
                return strv_push(&options->env, value, err);
        if (value[len - 1] == '*')
                return take_over(options, value, len - 1, true, err);
        /* One that the caller does not have is left out, as in podman and docker. */
        return take_over(options, value, len, false, err);
}

int spec_option_env_file(SpecOptions *options, const char *path, Error *err) {
        _cleanup_free_ char *data = NULL;
        _cleanup_close_ int fd = -EBADF;
        char *cursor, *line;
        unsigned number = 0;
        size_t len;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "--env-file '%s'", path);
        if (file_read_fd(fd, path, ENV_FILE_MAX, &data, &len, err) < 0)
                return error_prefix(err, "--env-file");
        if (memchr(data, '\0', len))
                return error_set(err, ERROR_INVALID_ARGUMENT, "--env-file '%s' holds a NUL character", path);

        cursor = data;
        while ((line = strsep(&cursor, "\n"))) {
                size_t end;

                number++;
                line += strspn(line, " \t");
                end = strlen(line);
                if (end > 0 && line[end - 1] == '\r')
                        line[end - 1] = '\0';
                if (line[0] == '\0' || line[0] == '#')
                        continue;
                if (line[strcspn(line, "= \t")] != '=' && line[strcspn(line, " \t")] != '\0')
                        return error_set(err, ERROR_INVALID_ARGUMENT, "--env-file '%s', line %u: a blank in the variable's name", path,
                                         number);
                if (spec_option_env(options, line, err) < 0)
                        return error_prefix(err, "--env-file '%s', line %u", path, number);
        }
        return 0;
}
