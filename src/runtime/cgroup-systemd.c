/* Names of the scopes that systemd keeps for containers. Sources: systemd.unit(5), systemd.slice(5); runc's "slice:prefix:name" */

#include "runtime/cgroup-systemd.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/user.h"
#include "runtime/cgroup-names.h"

#define UNIT_NAME_MAX 255 /* bytes; systemd's UNIT_NAME_MAX */
#define UNIT_CHARS    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ:-_.\\@"

/* It is that user's manager which is asked, also from within a user namespace of a rootless engine. */
bool cgroup_scope_is_of_user(void) {
        return user_outer_id() != 0;
}

/* What systemd refuses in a name becomes "\x2b", as systemd-escape does. */
static int append_escaped(Buf *unit, const char *text, Error *err) {
        for (const char *p = text; *p; p++)
                if ((strchr(UNIT_CHARS, *p) ? buf_append(unit, p, 1, err) : buf_printf(unit, err, "\\x%02x", (unsigned char) *p)) < 0)
                        return -1;
        return 0;
}

static bool ends_with(const char *text, const char *end) {
        return strlen(text) > strlen(end) && !strcmp(text + strlen(text) - strlen(end), end);
}

static int check_slice(const char *slice, Error *err) {
        bool wrong = !ends_with(slice, ".slice") || slice[0] == '-' || strstr(slice, "--") || strstr(slice, "-.slice") ||
                     strlen(slice) > UNIT_NAME_MAX || slice[strspn(slice, UNIT_CHARS)];

        return wrong && strcmp(slice, "-.slice") ? error_set(err, ERROR_INVALID_SPEC, "linux.cgroupsPath: '%s' is not a slice", slice) : 0;
}

int cgroup_scope_name(const CgroupRequest *request, char **ret_slice, char **ret_unit, Error *err) {
        const char *fallback = cgroup_scope_is_of_user() ? "user.slice" : "system.slice";
        _cleanup_free_ char *copy = NULL, *slice = NULL;
        _cleanup_buf_ Buf unit = BUF_INIT(4 * UNIT_NAME_MAX);
        char *prefix = (char *) "lxcri", *name = (char *) request->id;

        if (request->path && request->path[0]) {
                if (string_copy(request->path, &copy, err) < 0)
                        return -1;
                name = copy;
                (void) strsep(&name, ":");
                prefix = name ? strsep(&name, ":") : NULL;
                if (!name || strchr(name, ':') || !name[0])
                        return error_set(err, ERROR_INVALID_SPEC, "linux.cgroupsPath: '%s' is not 'slice:prefix:name', as systemd needs it",
                                         request->path);
        }
        if (string_copy(copy && copy[0] ? copy : fallback, &slice, err) < 0 || check_slice(slice, err) < 0)
                return -1;
        if (ends_with(name, ".slice"))
                return error_set(err, ERROR_INVALID_SPEC, "linux.cgroupsPath: '%s' names a slice, which can hold no process",
                                 request->path);
        if ((prefix[0] && (append_escaped(&unit, prefix, err) < 0 || buf_puts(&unit, "-", err) < 0)) ||
            append_escaped(&unit, name, err) < 0 || buf_puts(&unit, ".scope", err) < 0)
                return -1;
        if (unit.len > UNIT_NAME_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "linux.cgroupsPath: the name of the scope is longer than %d bytes",
                                 UNIT_NAME_MAX);
        if (string_copy(unit.data, ret_unit, err) < 0)
                return -1;
        *ret_slice = TAKE(slice);
        return 0;
}

int cgroup_scope_path(const CgroupRequest *request, char **ret, Error *err) {
        _cleanup_free_ char *slice = NULL, *unit = NULL, *path = NULL;
        unsigned uid = user_outer_id();

        if (cgroup_scope_name(request, &slice, &unit, err) < 0 || cgroup_slice_path(slice, &path, err) < 0)
                return -1;
        /* a user's own manager has its units below its own cgroup */
        return uid == 0 ? string_format(ret, err, "%s/%s", path, unit)
                        : string_format(ret, err, "/user.slice/user-%u.slice/user@%u.service%s/%s", uid, uid, path, unit);
}
