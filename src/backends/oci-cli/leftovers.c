/*
 * What a runtime may leave behind. After a kill -9 in the middle of create, `delete --force` of crun and of runc returns 0 and leaves
 * cgroups in two tries of three; so before either is started we note which cgroups it may make, and what is there afterwards is
 * ours to remove.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <time.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/lock.h"
#include "runtime/cgroup.h"

#define CRUN_ANNOTATIONS  "run.oci."    /* what they change we do not know */
#define CGROUPS_FILE_MAX  (1u << 20)  /* bytes; a few dozen paths */
#define MOUNTINFO_MAX     (64u << 20) /* bytes; fs.mount-max is 100,000 mounts by default */
#define END_TIMEOUT_MS    10000       /* for killed processes to end: one in uninterruptible sleep may need that long */
#define REMOVE_TIMEOUT_MS 10000
#define AWAIT_TIMEOUT_MS  2000        /* for a killed runtime to end its system call */

/* Whether the bundle asks for nothing that a runtime does in `start`, or in `delete`, beside what every one does. */
static bool is_plain(const BackendContainer *container, const BackendCreate *request, const char *hooks) {
        const json_t *linux_part = json_object_get(request->spec, "linux");
        json_t *annotations = json_object_get(request->spec, "annotations"), *value;
        const char *key;

        if (!request->spec || request->restore || container->systemd_cgroup || json_object_get(linux_part, "intelRdt") ||
            json_array_size(json_object_get(json_object_get(request->spec, "hooks"), hooks)) > 0)
                return false;
        json_object_foreach(annotations, key, value)
                if (!strncmp(key, CRUN_ANNOTATIONS, strlen(CRUN_ANNOTATIONS)))
                        return false;
        return true;
}

int leftovers_note(const BackendContainer *container, const BackendCreate *request, int dir_fd, int *ret_work_fd, Error *err) {
        const char *cgroups_path = request->cgroups_path;
        _cleanup_strv_ char **cgroups = NULL;
        _cleanup_buf_ Buf text = BUF_INIT(CGROUPS_FILE_MAX);
        _cleanup_close_ int fd = -EBADF;

        if (cgroups_path && strchr(cgroups_path, '\n'))
                return error_set(err, ERROR_INVALID_SPEC, "config.json: linux.cgroupsPath: has a line break");
        if (cgroup_expected(container->id, cgroups_path, container->systemd_cgroup, &cgroups, err) < 0)
                return -1;
        if ((is_plain(container, request, "poststart") && buf_puts(&text, PLAIN_START "\n", err) < 0) ||
            (is_plain(container, request, "poststop") && buf_puts(&text, PLAIN_DELETE "\n", err) < 0))
                return -1;
        for (char **c = cgroups; *c; c++)
                if (buf_printf(&text, err, "%s\n", *c) < 0)
                        return -1;
        /* Not atomic, not synced: until it is whole the runtime is not started, and a reboot leaves no cgroups. */
        if (lock_take_at(dir_fd, CGROUPS_FILE, LOCK_EXCLUSIVE, false, &fd, err) < 0)
                return error_prefix(err, "'%s'", container->runtime_dir);
        if (ftruncate(fd, 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "empty '%s/%s'", container->runtime_dir, CGROUPS_FILE);
        if (fd_write_all(fd, text.data ?: "", text.len, err) < 0)
                return error_prefix(err, "'%s/%s'", container->runtime_dir, CGROUPS_FILE);
        *ret_work_fd = TAKE_FD(fd);
        return 0;
}

void leftovers_await(int dir_fd) {
        _cleanup_close_ int fd = openat(dir_fd, CGROUPS_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        /* Who has it after that is a process that a hook left behind: no reason to keep the container. */
        for (int ms = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && ms < AWAIT_TIMEOUT_MS; ms++)
                nanosleep(&(struct timespec) { .tv_nsec = 1000000 }, NULL);
}

/* The noted cgroups that exist now. */
static int load(int dir_fd, char ***ret, Error *err) {
        _cleanup_strv_ char **cgroups = calloc(1, sizeof(*cgroups));
        _cleanup_free_ char *text = NULL;
        Error local = ERROR_INIT;
        char *p, *line;

        if (!cgroups)
                return error_oom(err);
        if (file_read_at(dir_fd, CGROUPS_FILE, CGROUPS_FILE_MAX, &text, NULL, &local) < 0 && local.errnum != ENOENT) {
                if (err)
                        *err = local;
                return -1;
        }
        p = text;
        while (p && (line = strsep(&p, "\n")) && p) /* without its line break, the last one is cut off */
                if (line[0] == '/' && access(line, F_OK) == 0 && strv_push(&cgroups, line, err) < 0)
                        return -1;
        *ret = TAKE(cgroups);
        return 0;
}

bool leftovers_has_mark(int dir_fd, const char *mark) {
        _cleanup_free_ char *text = NULL;
        char *p, *line;

        if (file_read_at(dir_fd, CGROUPS_FILE, CGROUPS_FILE_MAX, &text, NULL, NULL) < 0)
                return false;
        p = text;
        while ((line = strsep(&p, "\n")) && line[0] != '/')
                if (!strcmp(line, mark))
                        return true;
        return false;
}

int leftovers_kill(int dir_fd, Error *err) {
        _cleanup_strv_ char **cgroups = NULL;

        if (load(dir_fd, &cgroups, err) < 0)
                return -1;
        return cgroups[0] ? cgroup_kill_all(cgroups, END_TIMEOUT_MS, err) : 0;
}

/* Detaches mounts at and below @directory, the latest first. */
static int unmount_below(const char *directory, Error *err) {
        _cleanup_free_ char *text = NULL;
        _cleanup_strv_ char **mounts = NULL;
        size_t len = strlen(directory);
        char *p, *line;

        if (file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL, err) < 0)
                return -1;
        p = text;
        while ((line = strsep(&p, "\n"))) {
                char *mount = line;

                for (int i = 0; i < 4 && mount; i++)
                        (void) strsep(&mount, " ");
                if (!mount)
                        continue;
                mount[strcspn(mount, " ")] = '\0';
                if (!strncmp(mount, directory, len) && (mount[len] == '/' || mount[len] == '\0') && strv_push(&mounts, mount, err) < 0)
                        return -1;
        }
        for (size_t i = strv_length(mounts); i-- > 0;)
                if (umount2(mounts[i], MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
                        return error_set_errno(err, ERROR_FILE, errno, "unmount '%s'", mounts[i]);
        return 0;
}

int leftovers_remove(const BackendContainer *container, int dir_fd, Error *err) {
        static const char *const files[] = { PID_FILE, PID_FILE_NEW, CGROUPS_FILE };
        _cleanup_strv_ char **cgroups = NULL;
        _cleanup_free_ char *own = NULL;

        if (load(dir_fd, &cgroups, err) < 0 || cgroup_remove_all(cgroups, REMOVE_TIMEOUT_MS, err) < 0)
                return -1;
        if (dir_remove_tree_at(dir_fd, container->id, NULL) < 0) {
                /* The runtime may have mounted something in there: runc a copy of itself, for example. */
                if (string_format(&own, err, "%s/%s", container->runtime_dir, container->id) < 0 || unmount_below(own, err) < 0 ||
                    dir_remove_tree_at(dir_fd, container->id, err) < 0)
                        return -1;
        }
        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                if (unlinkat(dir_fd, files[i], 0) < 0 && errno != ENOENT)
                        return error_set_errno(err, ERROR_FILE, errno, "remove '%s/%s'", container->runtime_dir, files[i]);
        return 0;
}
