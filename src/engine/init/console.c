/* Terminals and standard streams. */

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/root-path.h"
#include "base/socket.h"
#include "engine/init/init.h"

#define DEVPTS_MAGIC 0x1cd1 /* DEVPTS_SUPER_MAGIC of linux/magic.h */

static bool is_devpts(int fd) {
        struct statfs st;

        return fstatfs(fd, &st) == 0 && st.f_type == DEVPTS_MAGIC;
}

/* The same file as a program would have opened it: without flags that were for us, which fcntl(F_GETFL) would tell. */
static int open_again(const Init *init, int fd) {
        char path[48];

        snprintf(path, sizeof(path), "self/fd/%d", fd);
        return openat(init->proc, path, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* /dev/console is the terminal, under the name that it has in the container's devpts. */
static int bind_console(const Init *init, int terminal, unsigned number, Error *err) {
        _cleanup_close_ int source = -EBADF, target = -EBADF, clone = -EBADF;
        struct stat st, own;
        char path[32];

        snprintf(path, sizeof(path), "dev/pts/%u", number);
        source = open_in_root(init->root, path, O_PATH | O_NOFOLLOW, 0);
        if (source < 0 || fstat(source, &st) < 0 || fstat(terminal, &own) < 0 || st.st_dev != own.st_dev || st.st_ino != own.st_ino)
                return error_set(err, ERROR_INVALID_ROOTFS, "'/%s' is not the container's terminal", path);
        if (root_path_make(init->root, "/dev/console", false, true, &target, err) < 0)
                return -1;
        if (fstat(target, &st) < 0 || S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode))
                return error_set(err, ERROR_INVALID_ROOTFS, "the root filesystem has something else at /dev/console");
        if (mount_clone(source, "", AT_EMPTY_PATH, &clone, err) < 0)
                return -1;
        return mount_attach(clone, target, err);
}

int console_open(const Init *init, Error *err) {
        const PlanProcess *p = &init->plan->process;
        _cleanup_close_ int master = -EBADF, terminal = -EBADF, plain = -EBADF;
        int unlock = 0, console = init_fd(init, p->console);
        unsigned number;

        if (!(p->flags & PLAN_TERMINAL))
                return 0;
        master = open_in_root(init->root, "dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW, 0);
        if (master < 0) {
                error_set_errno(err, ERROR_RUNTIME, errno, "open '/dev/pts/ptmx' in the container");
                return error_hint(err, "a terminal needs a mount of type devpts at /dev/pts");
        }
        if (!is_devpts(master))
                return error_set(err, ERROR_INVALID_ROOTFS, "'/dev/pts/ptmx' in the container is not of a devpts");
        if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, &number) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "unlock the terminal");
        terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (terminal < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "open the terminal");
        if (p->flags & PLAN_CONSOLE_SIZE) {
                struct winsize size = { .ws_row = (unsigned short) p->rows, .ws_col = (unsigned short) p->columns };

                if (ioctl(master, TIOCSWINSZ, &size) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "process.consoleSize");
        }
        if (init->plan->kind == PLAN_CREATE && bind_console(init, terminal, number, err) < 0)
                return error_prefix(err, "/dev/console");
        if (console >= 0) {
                if (socket_send(console, "/dev/ptmx", strlen("/dev/ptmx"), master) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "send the terminal to the console socket");
        } else
                link_send(init, INIT_CONSOLE, 0, master);
        if (ioctl(terminal, TIOCSCTTY, 0) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "make it the controlling terminal");
        plain = open_again(init, terminal);
        for (int fd = 0; fd < 3; fd++)
                if (plain < 0 || dup2(plain, fd) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "make the terminal stdio");
        return 0;
}

static bool is_null(const struct stat *st) {
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

int stdio_place(const Init *init, Error *err) {
        for (int fd = 0; fd < 3; fd++) {
                int planned = init_fd(init, init->plan->process.stdio[fd]);

                if (planned >= 0 && dup2(planned, fd) < 0)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "set up descriptor %d", fd);
        }
        return 0;
}

void stdio_settle(const Init *init) {
        const PlanProcess *p = &init->plan->process;

        for (int fd = 0; fd < 3; fd++) {
                struct stat st;

                if (fstat(fd, &st) < 0)
                        continue;
                if (is_null(&st)) {
                        /* The container's own in place of the host's */
                        _cleanup_close_ int own = open_in_root(init->root, "dev/null", O_PATH | O_NOFOLLOW, 0), plain = -EBADF;

                        if (own >= 0 && fstat(own, &st) == 0 && is_null(&st) && (plain = open_again(init, own)) >= 0)
                                (void) dup2(plain, fd);
                        continue;
                }
                /* The user must be able to open them again by /dev/stdout. What is not to be changed (a read-only file, say) stays. */
                if (st.st_uid != p->uid)
                        (void) !fchown(fd, p->uid, (gid_t) -1);
        }
}
