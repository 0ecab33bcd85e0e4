/*
 * Phase 9: the container becomes visible. state.json is the last thing written and ends the transaction: before it, a crash is undone;
 * after it, the container is whole.
 */

#include <fcntl.h>
#include <pwd.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/fs.h"
#include "lifecycle/phases.h"

#define PID_TEXT_MAX 16 /* bytes of a pid file */

/* As runc's: digits, no newline; whole or not at all. */
static int write_pid_file(const Transaction *t, Error *err) {
        char text[PID_TEXT_MAX];
        int n = snprintf(text, sizeof(text), "%d", (int) t->init.pid);
        const char *name = strrchr(t->pid_file, '/') + 1;
        _cleanup_free_ char *dir = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (string_format(&dir, err, "%.*s", (int) (name - t->pid_file), t->pid_file) < 0)
                return -1;
        fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "pid file '%s'", t->pid_file);
        return file_write_atomic_at(fd, name, text, (size_t) n, 0644, 0, err) < 0 ? error_prefix(err, "pid file '%s'", t->pid_file) : 0;
}

/* The name of who runs this. Root needs no look-up, which would load the name services. */
static int owner_name(char **ret, Error *err) {
        uid_t uid = geteuid();
        const struct passwd *user;

        if (uid == 0)
                return string_copy("root", ret, err);
        user = getpwuid(uid);
        return user ? string_copy(user->pw_name, ret, err) : string_format(ret, err, "%u", (unsigned) uid);
}

static int save_state(const Transaction *t, Error *err) {
        _cleanup_free_ char *owner = NULL;
        char created[TIME_TEXT_MAX];
        State state = {
                .id = t->dir->id,
                .runtime = (char *) t->backend->name,
                .bundle = t->bundle,
                .rootfs = t->rootfs,
                .oci_version = t->oci_version,
                .created = created,
                .image = t->record ? t->record->image_name : NULL,
                .store = t->record ? (char *) t->lifecycle->store : NULL,
                .annotations = t->annotations,
                .status = t->publish_as,
                .init = t->init,
                .monitor = t->monitor,
                .waiter = t->waiter,
                .remove = t->request->remove && (t->monitor.pid > 0 || t->waiter.pid > 0),
                .mount_namespace = t->mount_namespace,
                .systemd_cgroup = t->lifecycle->systemd_cgroup,
                .exit_code = -1,
                .cgroups = t->cgroups,
        };

        if (owner_name(&owner, err) < 0)
                return -1;
        state.owner = owner;
        if (t->record)
                snprintf(created, sizeof(created), "%s", t->record->created);
        else
                time_now_text(created);
        snprintf(state.boot_id, sizeof(state.boot_id), "%s", t->boot_id);
        return state_save(t->dir->fd, &state, err);
}

/*
 * The record of one that goes when it ends (--rm) stays incomplete: when ROOT/ID is lost with a reboot, there is nothing to keep.
 */
int publish(Transaction *t, Error *err) {
        if (t->record && !t->record->complete && !t->request->remove) {
                t->record->complete = true;
                if (container_record_save(t->container_fd, t->record, true, err) < 0)
                        return -1;
        }
        if (t->pid_file && write_pid_file(t, err) < 0)
                return -1;
        if (fault_point("publish.middle", err) < 0)
                return -1;
        return save_state(t, err);
}

/* A container that never was must not leave a pid file; one that was deleted keeps it, as with runc: it is its maker's. */
int unpublish(Undo *undo, Error *err) {
        const char *path = undo->journal ? undo->journal->header.pid_file : NULL;
        _cleanup_free_ char *text = NULL;
        pid_t pid;

        if (!path || undo->journal->init.pid <= 0 || faccessat(undo->dir->fd, DELETING_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return 0;
        if (file_read_at(AT_FDCWD, path, PID_TEXT_MAX, &text, NULL, NULL) < 0)
                return 0;
        pid = (pid_t) atoi(text);
        if (pid == undo->journal->init.pid && unlink(path) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove pid file '%s'", path);
        return 0;
}
