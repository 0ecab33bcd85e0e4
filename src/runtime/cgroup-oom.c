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

/* The file is watched by descriptor: its path may be of another mount namespace. Its removal with the cgroup ends the watch. */
static int v2_open(int dir_fd, int *ret_fd, Error *err) {
        _cleanup_close_ int file = openat(dir_fd, "memory.events", O_PATH | O_CLOEXEC);
        _cleanup_close_ int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        char path[FD_PATH_MAX];

        if (file < 0 || notify < 0 || inotify_add_watch(notify, fd_path(file, path), IN_MODIFY | IN_DELETE_SELF) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "watch 'memory.events'");
        *ret_fd = TAKE_FD(notify);
        return 0;
}

/* v2: kills so far; *ret_gone when there is nothing to read any more. */
static int count(const CgroupOom *oom, uint64_t *ret, bool *ret_gone, Error *err) {
        _cleanup_free_ char *text = NULL;
        Error local = ERROR_INIT;

        *ret_gone = false;
        if (file_read_at(oom->directory_fd, "memory.events", EVENTS_MAX, &text, NULL, &local) < 0) {
                *ret_gone = local.errnum == ENOENT || local.errnum == ENODEV;
                if (!*ret_gone && err)
                        *err = local;
                return *ret_gone ? 0 : -1;
        }
        *ret = stats_key(text, "oom_kill");
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
        r = (oom.v2 ? v2_open : v1_open)(oom.directory_fd, &oom.fd, err);
        if (r == 0 && oom.v2)
                r = count(&oom, &oom.seen, &gone, err);
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

/* Takes what is waiting, and says whether the watch itself has ended. */
static bool drain(int fd) {
        char buffer[4096] __attribute__((aligned(8)));
        bool ended = false;
        ssize_t n;

        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
                for (char *p = buffer; p < buffer + n;) {
                        const struct inotify_event *event = (const struct inotify_event *) (void *) p;

                        ended = ended || (event->mask & (IN_IGNORED | IN_DELETE_SELF));
                        p += sizeof(*event) + event->len;
                }
        return ended;
}

static int v2_read(CgroupOom *oom, bool *ret_killed, bool *ret_gone, Error *err) {
        bool ended = drain(oom->fd), gone;
        uint64_t kills = oom->seen;

        if (count(oom, &kills, &gone, err) < 0)
                return -1;
        *ret_killed = kills > oom->seen;
        *ret_gone = gone || ended;
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
