/* Hearing of the kernel's kills for memory: an eventfd on v1, memory.events on v2. Sources: kernel, cgroup-v1/memory.rst, cgroup-v2.rst */

#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "runtime/cgroup-create.h"
#include "runtime/cgroup-stats.h"

#define EVENTS_MAX 4096 /* bytes */

static int v1_open(int dir_fd, int *ret_fd, Error *err) {
        _cleanup_close_ int control = openat(dir_fd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
        _cleanup_close_ int listen = openat(dir_fd, "cgroup.event_control", O_WRONLY | O_CLOEXEC);
        _cleanup_close_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        char text[32];

        if (control < 0 || listen < 0 || event < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open 'memory.oom_control' and 'cgroup.event_control'");
        (void) snprintf(text, sizeof(text), "%d %d", event, control);
        if (write(listen, text, strlen(text)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "write 'cgroup.event_control'");
        *ret_fd = TAKE_FD(event);
        return 0;
}

/* A file is watched by descriptor: its path may be of another mount namespace. */
static int watch(int notify, int dir_fd, const char *file, int *ret, Error *err) {
        _cleanup_close_ int fd = openat(dir_fd, file, O_PATH | O_CLOEXEC);
        char path[FD_PATH_MAX];

        *ret = fd < 0 ? -1 : inotify_add_watch(notify, fd_path(fd, path), IN_MODIFY);
        return *ret < 0 ? error_set_errno(err, ERROR_FILE, errno, "watch '%s'", file) : 0;
}

/* The removal of a cgroup makes no event while something has it open, as we have; that it emptied before does. */
static int v2_open(CgroupOom *oom, Error *err) {
        _cleanup_close_ int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        int ignored;

        if (notify < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make an inotify instance");
        if (watch(notify, oom->directory_fd, "memory.events", &ignored, err) < 0 ||
            watch(notify, oom->directory_fd, "cgroup.events", &oom->emptied, err) < 0)
                return -1;
        oom->fd = TAKE_FD(notify);
        return 0;
}

/* v2: one number of memory.events or cgroup.events; *ret_gone when there is no such cgroup any more. */
static int read_event(const CgroupOom *oom, const char *file, const char *key, uint64_t *ret, bool *ret_gone, Error *err) {
        _cleanup_free_ char *text = NULL;
        Error local = ERROR_INIT;

        if (file_read_at(oom->directory_fd, file, EVENTS_MAX, &text, NULL, &local) < 0) {
                if (local.errnum == ENOENT || local.errnum == ENODEV) {
                        *ret_gone = true;
                        return 0;
                }
                if (err)
                        *err = local;
                return -1;
        }
        *ret = stats_key(text, key);
        return 0;
}

int cgroup_oom_open(char *const *directories, CgroupOom *ret, Error *err) {
        CgroupOom oom = { .fd = -EBADF, .directory_fd = -EBADF };
        _cleanup_target_ CgroupTarget target;
        bool gone;
        int r;

        cgroup_target_init(&target);
        if (cgroup_target_open(directories, &target, err) < 0)
                return -1;
        if (target.at[CONTROLLER_MEMORY].fd < 0)
                return error_set(err, ERROR_NOT_SUPPORTED, "the container's cgroup has no memory controller, which tells of kills");
        oom.v2 = target.at[CONTROLLER_MEMORY].v2;
        oom.directory_fd = fcntl(target.at[CONTROLLER_MEMORY].fd, F_DUPFD_CLOEXEC, 0);
        if (oom.directory_fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "duplicate a descriptor");
        r = oom.v2 ? v2_open(&oom, err) : v1_open(oom.directory_fd, &oom.fd, err);
        if (r == 0 && oom.v2)
                r = read_event(&oom, "memory.events", "oom_kill", &oom.seen, &gone, err);
        if (r < 0) {
                cgroup_oom_close(&oom);
                return -1;
        }
        *ret = oom;
        return 0;
}

/* The kernel signals each time memory runs out, just before it kills, and once more when the cgroup is removed. */
static int v1_read(CgroupOom *oom, bool *ret_killed, bool *ret_gone, Error *err) {
        uint64_t signals = 0;
        bool signalled = read(oom->fd, &signals, sizeof(signals)) == sizeof(signals);

        *ret_gone = faccessat(oom->directory_fd, "cgroup.event_control", F_OK, 0) < 0;
        if (*ret_gone && errno != ENOENT && errno != ENODEV)
                return error_set_errno(err, ERROR_FILE, errno, "look for 'cgroup.event_control'");
        *ret_killed = signalled && !*ret_gone;
        return 0;
}

/* Takes what is waiting, and says whether the watch @watch_id was among it. */
static bool drain(int fd, int watch_id) {
        char buffer[4096] __attribute__((aligned(8)));
        bool found = false;
        ssize_t n;

        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
                for (char *p = buffer; p < buffer + n;) {
                        const struct inotify_event *event = (const struct inotify_event *) (void *) p;

                        found = found || event->wd == watch_id;
                        p += sizeof(*event) + event->len;
                }
        return found;
}

static int v2_read(CgroupOom *oom, bool *ret_killed, bool *ret_gone, Error *err) {
        bool changed = drain(oom->fd, oom->emptied), gone = false;
        uint64_t kills = oom->seen, populated = 1;

        if (read_event(oom, "memory.events", "oom_kill", &kills, &gone, err) < 0 ||
            (changed && read_event(oom, "cgroup.events", "populated", &populated, &gone, err) < 0))
                return -1;
        *ret_killed = kills > oom->seen;
        *ret_gone = gone || populated == 0;
        oom->seen = kills;
        return 0;
}

int cgroup_oom_read(CgroupOom *oom, bool *ret_killed, bool *ret_gone, Error *err) {
        return (oom->v2 ? v2_read : v1_read)(oom, ret_killed, ret_gone, err);
}

void cgroup_oom_close(CgroupOom *oom) {
        close_keep_errno(oom->fd);
        close_keep_errno(oom->directory_fd);
        *oom = (CgroupOom) { .fd = -EBADF, .directory_fd = -EBADF };
}
