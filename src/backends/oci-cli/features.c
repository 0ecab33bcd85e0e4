/* features: the document of the runtime-spec, from the program itself; of one that is too old to have it, what its --version says. */

#include <string.h>
#include <sys/mman.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"

#define OUTPUT_MAX (1u << 20) /* bytes; this program's own cap, runc prints 5 KiB */

/* Standard output of "PROGRAM @argument"; free(). *ret is NULL when it failed: whatever it said then is of no interest. */
static int ask(const Backend *backend, const char *program, const char *argument, char **ret, size_t *ret_len, Error *err) {
        const OciCliRow *row = backend->driver_data;
        const char *const argv[] = { program ?: row->program, argument, NULL };
        _cleanup_close_ int fd = memfd_create("runtime-output", MFD_CLOEXEC);
        const Spawn spawn = { .argv = argv, .stdin_fd = -1, .stdout_fd = fd, .stderr_fd = -1, .parent_death_signal = SIGKILL };
        pid_t pid;
        int status;

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a memory file");
        if (process_spawn(&spawn, &pid, NULL, err) < 0)
                return error_hint(err, "install %s, or choose --runtime %s", row->program, row->other);
        if (process_wait(pid, &status, err) < 0)
                return -1;
        if (status != 0) {
                *ret = NULL;
                return 0;
        }
        if (lseek(fd, 0, SEEK_SET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "memory file");
        return file_read_fd(fd, row->program, OUTPUT_MAX, ret, ret_len, err);
}

/* The rest of the line of @text that begins with @start, at most @size - 1 bytes. */
static bool line_of(const char *text, const char *start, char *ret, size_t size) {
        for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
                if (strncmp(line, start, strlen(start)) != 0)
                        continue;
                line += strlen(start);
                (void) snprintf(ret, size, "%.*s", (int) strcspn(line, "\r\n"), line);
                return true;
        }
        return false;
}

/*
 * crun has the command since 1.9. Before that its --version names the spec and what it was built with: "+SYSTEMD +SELINUX … +SECCOMP".
 * What is not known stays out, as the spec allows.
 */
static int features_of_version(const Backend *backend, const char *text, json_t **ret, Error *err) {
        _cleanup_json_ json_t *features = NULL;
        char spec[32], version[64];

        if (!line_of(text, "spec: ", spec, sizeof(spec)) || !line_of(text, "crun version ", version, sizeof(version))) {
                error_set(err, ERROR_NOT_SUPPORTED, "this version of %s does not tell its features", backend->name);
                return error_hint(err, "install a newer one");
        }
        features = json_pack("{s:s, s:s, s:{s:{s:b, s:b, s:b}, s:{s:b}, s:{s:b}, s:{s:b}}, s:{s:s}}", "ociVersionMin", "1.0.0",
                             "ociVersionMax", spec, "linux", "cgroup", "v1", 1, "v2", 1, "systemd", strstr(text, "+SYSTEMD") != NULL,
                             "seccomp", "enabled", strstr(text, "+SECCOMP") != NULL, "apparmor", "enabled",
                             strstr(text, "+APPARMOR") != NULL, "selinux", "enabled", strstr(text, "+SELINUX") != NULL, "annotations",
                             "run.oci.crun.version", version);
        if (!features)
                return error_oom(err);
        *ret = TAKE(features);
        return 0;
}

int oci_cli_features(const Backend *backend, const char *program, json_t **ret, Error *err) {
        _cleanup_free_ char *text = NULL, *version = NULL;
        _cleanup_json_ json_t *features = NULL;
        size_t len;

        if (ask(backend, program, "features", &text, &len, err) < 0)
                return -1;
        if (text) {
                if (json_parse(text, len, backend->name, &features, err) < 0)
                        return error_prefix(err, "features");
                if (!json_is_object(features))
                        return error_set(err, ERROR_RUNTIME, "%s: its features are no object", backend->name);
                *ret = TAKE(features);
                return 0;
        }
        if (ask(backend, program, "--version", &version, &len, err) < 0)
                return -1;
        return features_of_version(backend, version ?: "", ret, err);
}
