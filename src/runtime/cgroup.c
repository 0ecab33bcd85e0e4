/* Asking, signalling, freezing and removing a container's cgroups. */

#include "runtime/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "runtime/cgroup-hierarchy.h"

#define PROC_CGROUP_MAX   (1u << 20)  /* bytes */
#define CGROUP_PROCS_MAX  (64u << 20) /* bytes: PID_MAX_LIMIT is 4,194,304, at most 8 bytes a line */
#define CGROUP_FILE_MAX   4096        /* bytes of the small files we read */
#define CGROUP_DEPTH_MAX  256         /* levels below a container's cgroup; each costs a descriptor while we walk */
#define FREEZE_TURNS      16          /* tries to freeze on v1 before what is half frozen is thawed once; about 0.2 s */
#define SIGNAL_PASSES_MAX 64          /* a container that forks faster than we signal is frozen or killed instead */

typedef struct PidList {
        pid_t *pids;
        size_t n, size;
} PidList;

static void pid_list_free(PidList *list) {
        free(list->pids);
        *list = (PidList) {};
}

static int compare_pids(const void *a, const void *b) {
        pid_t x = *(const pid_t *) a, y = *(const pid_t *) b;

        return (x > y) - (x < y);
}

static bool pid_list_has(const PidList *sorted, pid_t pid) {
        return sorted->n > 0 && bsearch(&pid, sorted->pids, sorted->n, sizeof(pid), compare_pids);
}

static int pid_list_add(PidList *list, pid_t pid, Error *err) {
        if (list->n == list->size) {
                size_t size = list->size ? list->size * 2 : 16;
                pid_t *pids = reallocarray(list->pids, size, sizeof(*pids));

                if (!pids)
                        return error_oom(err);
                list->pids = pids;
                list->size = size;
        }
        list->pids[list->n++] = pid;
        return 0;
}

static uint64_t now_ms(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

/* Waits a little longer each time, 0.2 … 20 ms; false when @deadline has passed. */
static bool wait_until(uint64_t deadline, unsigned *turn) {
        unsigned us = *turn < 7 ? 200u << *turn : 20000;

        if (now_ms() >= deadline)
                return false;
        nanosleep(&(struct timespec) { .tv_nsec = us * 1000L }, NULL);
        (*turn)++;
        return true;
}

/* Opens a cgroup directory. 1 and *ret_fd; 0 when it is not there; -1 when it is no cgroup, or one that this program is in. */
static int open_cgroup(const char *path, CgroupHierarchies *hierarchies, int *ret_fd, Error *err) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct statfs st;

        if (fd < 0)
                return errno == ENOENT || errno == ENODEV ? 0 : error_set_errno(err, ERROR_FILE, errno, "open cgroup '%s'", path);
        if (fstatfs(fd, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat cgroup '%s'", path);
        if (st.f_type != CGROUP_SUPER_MAGIC && st.f_type != CGROUP2_SUPER_MAGIC)
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is not a cgroup", path);
        if (hierarchies && cgroup_holds_us(hierarchies, fd))
                return error_set(err, ERROR_INVALID_ARGUMENT, "cgroup '%s' holds this program itself", path);
        *ret_fd = TAKE_FD(fd);
        return 1;
}

/* Reads one of a cgroup's small files into @ret. 1; 0 when there is no such file (or no such cgroup any more); -1. */
static int read_small(int dir_fd, const char *name, char ret[CGROUP_FILE_MAX], Error *err) {
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        ssize_t n = fd < 0 ? -1 : read(fd, ret, CGROUP_FILE_MAX - 1);

        if (n < 0)
                return errno == ENOENT || errno == ENODEV ? 0 : error_set_errno(err, ERROR_FILE, errno, "read '%s'", name);
        ret[n] = '\0';
        return 1;
}

/* Writes one of a cgroup's files. 1; 0 when there is none; -1. */
static int write_small(int dir_fd, const char *name, const char *text, Error *err) {
        _cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0 || write(fd, text, strlen(text)) < 0)
                return errno == ENOENT || errno == ENODEV ? 0 : error_set_errno(err, ERROR_FILE, errno, "write '%s' to '%s'", text, name);
        return 1;
}

/* The number behind @key in a "KEY NUMBER" a line file; -1 when it has none. */
static long long keyed_number(const char *text, const char *key) {
        size_t len = strlen(key);

        for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
                if (!strncmp(p, key, len) && p[len] == ' ')
                        return strtoll(p + len, NULL, 10);
        return -1;
}

int cgroup_of_process(pid_t pid, char ***ret, Error *err) {
        _cleanup_hierarchies_ CgroupHierarchies hierarchies = {};
        _cleanup_strv_ char **list = calloc(1, sizeof(*list));
        _cleanup_free_ char *text = NULL;
        const char *controllers, *path;
        char name[32], *p;

        if (!list)
                return error_oom(err);
        if (cgroup_hierarchies_load(&hierarchies, err) < 0)
                return -1;
        snprintf(name, sizeof(name), "/proc/%d/cgroup", (int) pid);
        if (file_read_at(AT_FDCWD, name, PROC_CGROUP_MAX, &text, NULL, err) < 0) {
                if (err && err->errnum == ENOENT)
                        err->errnum = ESRCH;
                return -1;
        }
        p = text;
        while (cgroup_line_next(&p, &controllers, &path))
                for (size_t i = 0; i < hierarchies.n; i++) {
                        const CgroupHierarchy *h = &hierarchies.all[i];
                        _cleanup_free_ char *directory = NULL;
                        _cleanup_close_ int fd = -EBADF;

                        if (strcmp(controllers, h->controllers))
                                continue;
                        if (cgroup_directory(h, path, &directory, err) < 0)
                                return -1;
                        if (!directory)
                                continue;
                        fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
                        if (fd >= 0 && !cgroup_holds_us(&hierarchies, fd) && strv_push(&list, directory, err) < 0)
                                return -1;
                }
        *ret = TAKE(list);
        return 0;
}

/* Adds the processes of the directory @fd (taken) and those below. What vanishes while we look had no process left. */
static int collect_pids(int fd, unsigned depth, PidList *list, Error *err) {
        _cleanup_closedir_ DIR *dir = fdopendir(fd);
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int procs = -EBADF;
        struct dirent *entry;

        if (!dir) {
                close_keep_errno(fd);
                return error_set_errno(err, ERROR_FILE, errno, "read a cgroup");
        }
        if (depth > CGROUP_DEPTH_MAX)
                return error_set_errno(err, ERROR_FILE, ELOOP, "cgroups nested deeper than %d", CGROUP_DEPTH_MAX);
        procs = openat(dirfd(dir), "cgroup.procs", O_RDONLY | O_CLOEXEC);
        if (procs >= 0) {
                Error local = ERROR_INIT;

                /* EOPNOTSUPP: a threaded cgroup of v2; its processes are listed by the domain above it */
                if (file_read_fd(procs, "cgroup.procs", CGROUP_PROCS_MAX, &text, NULL, &local) < 0 && local.errnum != ENODEV &&
                    local.errnum != EOPNOTSUPP) {
                        if (err)
                                *err = local;
                        return -1;
                }
        }
        for (char *p = text, *end; p && *p; p = *end ? end + 1 : end) {
                long pid = strtol(p, &end, 10);

                /* 0 is a process that our pid namespace cannot name */
                if (end == p)
                        break;
                if (pid > 0 && pid_list_add(list, (pid_t) pid, err) < 0)
                        return -1;
        }

        while ((entry = readdir(dir))) {
                int sub;

                if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
                        continue;
                sub = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (sub < 0 && (errno == ENOENT || errno == ENODEV))
                        continue;
                if (sub < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open cgroup '%s'", entry->d_name);
                if (collect_pids(sub, depth + 1, list, err) < 0)
                        return -1;
        }
        return 0;
}

static int list_pids(char *const *cgroups, CgroupHierarchies *hierarchies, PidList *ret, Error *err) {
        _cleanup_(pid_list_free) PidList list = {};
        size_t n = 0;

        for (; *cgroups; cgroups++) {
                int fd, r = open_cgroup(*cgroups, hierarchies, &fd, err);

                if (r < 0 || (r > 0 && collect_pids(fd, 0, &list, err) < 0))
                        return r < 0 ? -1 : error_prefix(err, "cgroup '%s'", *cgroups);
        }
        if (list.n > 0)
                qsort(list.pids, list.n, sizeof(*list.pids), compare_pids);
        for (size_t i = 0; i < list.n; i++)
                if (i == 0 || list.pids[i] != list.pids[i - 1])
                        list.pids[n++] = list.pids[i];
        list.n = n;
        *ret = list;
        list = (PidList) {};
        return 0;
}

int cgroup_pids(char *const *cgroups, pid_t **ret, size_t *ret_n, Error *err) {
        PidList list;

        if (list_pids(cgroups, NULL, &list, err) < 0)
                return -1;
        *ret = list.pids;
        *ret_n = list.n;
        return 0;
}

/*
 * One pass: signals what is in the cgroups and not in *done, and makes *done the list of what was found. A pid is only signalled through a
 * descriptor that was opened before a second look found it still in there: a reused pid is never hit.
 */
static int signal_pass(char *const *cgroups, CgroupHierarchies *hierarchies, int signal, PidList *done, size_t *ret_new, Error *err) {
        _cleanup_(pid_list_free) PidList found = {}, again = {};
        _cleanup_free_ int *fds = NULL;
        size_t n_new = 0;
        int r = 0;

        if (list_pids(cgroups, hierarchies, &found, err) < 0)
                return -1;
        fds = calloc(found.n + 1, sizeof(*fds));
        if (!fds)
                return error_oom(err);
        for (size_t i = 0; i < found.n; i++) {
                fds[i] = pid_list_has(done, found.pids[i]) ? -EBADF : pidfd_open(found.pids[i], 0);
                if (fds[i] < 0 && fds[i] != -EBADF && (errno == EMFILE || errno == ENFILE)) {
                        /* As many as our descriptors allow; the next pass takes the rest. */
                        found.n = i;
                        break;
                }
        }
        r = list_pids(cgroups, hierarchies, &again, err);
        for (size_t i = 0; i < found.n; i++) {
                if (r == 0 && fds[i] >= 0 && pid_list_has(&again, found.pids[i]) && pidfd_send_signal(fds[i], signal, NULL, 0) == 0)
                        n_new++;
                if (fds[i] >= 0)
                        close(fds[i]);
        }
        if (r < 0)
                return -1;
        pid_list_free(done);
        *done = found;
        found = (PidList) {};
        *ret_new = n_new;
        return 0;
}

/* Writes a file in each of the cgroups that has it. */
static int write_each(char *const *cgroups, CgroupHierarchies *hierarchies, const char *name, const char *text, Error *err) {
        for (; *cgroups; cgroups++) {
                _cleanup_close_ int fd = -EBADF;
                int r = open_cgroup(*cgroups, hierarchies, &fd, err);

                if (r < 0 || (r > 0 && write_small(fd, name, text, err) < 0))
                        return r < 0 ? -1 : error_prefix(err, "cgroup '%s'", *cgroups);
        }
        return 0;
}

int cgroup_signal_all(char *const *cgroups, int signal, Error *err) {
        _cleanup_hierarchies_ CgroupHierarchies hierarchies = {};
        _cleanup_(pid_list_free) PidList done = {};
        size_t n_new = 1;
        int r = 0;

        if (cgroup_hierarchies_load(&hierarchies, err) < 0)
                return -1;
        /* v2 kills as a whole. On v1, what is frozen cannot fork away from us, and dies when it is thawed. */
        if (signal == SIGKILL && (write_each(cgroups, &hierarchies, "cgroup.kill", "1", err) < 0 ||
                                  write_each(cgroups, &hierarchies, "freezer.state", "FROZEN", err) < 0))
                return -1;
        for (unsigned pass = 0; r == 0 && n_new > 0; pass++)
                r = pass < SIGNAL_PASSES_MAX ? signal_pass(cgroups, &hierarchies, signal, &done, &n_new, err)
                                             : error_set(err, ERROR_TIMEOUT, "processes start faster than they can be signalled");
        if (signal == SIGKILL && write_each(cgroups, &hierarchies, "freezer.state", "THAWED", r < 0 ? NULL : err) < 0)
                r = -1;
        return r;
}

int cgroup_kill_all(char *const *cgroups, int timeout_ms, Error *err) {
        uint64_t deadline = now_ms() + (uint64_t) timeout_ms;
        unsigned turn = 0;

        for (;;) {
                _cleanup_(pid_list_free) PidList left = {};

                /* Looked at first: of a container that has ended, which is most, nothing is left to kill. */
                if (list_pids(cgroups, NULL, &left, err) < 0)
                        return -1;
                if (left.n == 0)
                        return 0;
                if (turn > 0 && !wait_until(deadline, &turn))
                        return error_set(err, ERROR_TIMEOUT, "killed process %d (of %zu) does not end", (int) left.pids[0], left.n);
                if (cgroup_signal_all(cgroups, SIGKILL, err) < 0)
                        return -1;
                turn += turn == 0;
        }
}

/* Removes the cgroups below the open directory @fd (taken). 1: all gone; 0: some still busy; -1. */
static int remove_below(int fd, unsigned depth, Error *err) {
        _cleanup_closedir_ DIR *dir = fdopendir(fd);
        struct dirent *entry;
        int all = 1;

        if (!dir) {
                close_keep_errno(fd);
                return error_set_errno(err, ERROR_FILE, errno, "read a cgroup");
        }
        if (depth > CGROUP_DEPTH_MAX)
                return error_set_errno(err, ERROR_FILE, ELOOP, "cgroups nested deeper than %d", CGROUP_DEPTH_MAX);
        while ((entry = readdir(dir))) {
                int sub, r;

                if (entry->d_type != DT_DIR || !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
                        continue;
                if (unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                        continue;
                sub = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (sub < 0)
                        continue;
                r = remove_below(sub, depth + 1, err);
                if (r < 0)
                        return -1;
                if (unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                        all = 0;
        }
        return all;
}

/* Removes one cgroup. 1: gone; 0: still busy; -1. */
static int remove_one(const char *path, CgroupHierarchies *hierarchies, Error *err) {
        int fd, r;

        r = open_cgroup(path, hierarchies, &fd, err);
        if (r <= 0)
                return r < 0 ? -1 : 1;
        if (remove_below(fd, 0, err) < 0)
                return error_prefix(err, "cgroup '%s'", path);
        if (rmdir(path) == 0 || errno == ENOENT)
                return 1;
        if (errno != EBUSY && errno != ENOTEMPTY)
                return error_set_errno(err, ERROR_FILE, errno, "remove cgroup '%s'", path);
        return 0;
}

/* Says which processes hold a cgroup. */
static int removal_timeout(const char *path, Error *err) {
        const char *cgroups[] = { path, NULL };
        _cleanup_(pid_list_free) PidList list = {};

        error_set(err, ERROR_TIMEOUT, "cgroup '%s' cannot be removed", path);
        if (list_pids((char *const *) cgroups, NULL, &list, NULL) == 0 && list.n > 0)
                error_prefix(err, "process %d (of %zu) does not end", (int) list.pids[0], list.n);
        return -1;
}

/*
 * Removes what is empty, as it is after most containers: the kernel itself refuses what is in use, or holds anybody, us included. False
 * when something is left to look at.
 */
static bool remove_empty(char *const *cgroups) {
        bool all = true;

        for (; *cgroups; cgroups++) {
                struct statfs st;

                if (statfs(*cgroups, &st) < 0)
                        all = all && errno == ENOENT;
                else if ((st.f_type != CGROUP_SUPER_MAGIC && st.f_type != CGROUP2_SUPER_MAGIC) || (rmdir(*cgroups) < 0 && errno != ENOENT))
                        all = false;
        }
        return all;
}

int cgroup_remove_all(char *const *cgroups, int timeout_ms, Error *err) {
        _cleanup_hierarchies_ CgroupHierarchies hierarchies = {};
        uint64_t deadline = now_ms() + (uint64_t) timeout_ms;
        unsigned turn = 0;

        if (!cgroups || remove_empty(cgroups))
                return 0;
        if (cgroup_hierarchies_load(&hierarchies, err) < 0)
                return -1;
        for (;;) {
                const char *busy = NULL;

                for (char *const *c = cgroups; *c; c++) {
                        int r = remove_one(*c, &hierarchies, err);

                        if (r < 0)
                                return -1;
                        if (r == 0)
                                busy = *c;
                }
                if (!busy)
                        return 0;
                if (cgroup_signal_all(cgroups, SIGKILL, err) < 0)
                        return -1;
                if (!wait_until(deadline, &turn))
                        return removal_timeout(busy, err);
        }
}

/* Opens the v1 cgroup with a freezer among those whose path has @hint in it. 1, 0 (none), -1. Of v2's, *unified gets the first. */
static int open_v1_freezer(char *const *cgroups, const char *hint, int *ret_fd, int *unified, Error *err) {
        for (; *cgroups; cgroups++) {
                _cleanup_close_ int fd = -EBADF;
                int r;

                if (!strstr(*cgroups, hint))
                        continue;
                r = open_cgroup(*cgroups, NULL, &fd, err);
                if (r < 0)
                        return -1;
                if (r > 0 && faccessat(fd, "freezer.state", F_OK, 0) == 0) {
                        *ret_fd = TAKE_FD(fd);
                        return 1;
                }
                if (r > 0 && *unified < 0 && faccessat(fd, "cgroup.freeze", F_OK, 0) == 0)
                        *unified = TAKE_FD(fd);
        }
        return 0;
}

/* Opens the cgroup whose freezer counts: v1's where that hierarchy is mounted, as the runtimes do on hybrid; else v2's. 1, 0 (none), -1. */
static int open_freezer(char *const *cgroups, int *ret_fd, bool *ret_v2, Error *err) {
        _cleanup_close_ int unified = -EBADF;
        int r;

        /* First where it is mounted nearly everywhere: each look at another one costs five system calls. */
        r = open_v1_freezer(cgroups, "/freezer/", ret_fd, &unified, err);
        if (r == 0)
                r = open_v1_freezer(cgroups, "", ret_fd, &unified, err);
        if (r != 0 || unified < 0) {
                *ret_v2 = false;
                return r;
        }
        *ret_fd = TAKE_FD(unified);
        *ret_v2 = true;
        return 1;
}

static int freezer_is_frozen(int fd, bool v2, bool *ret, Error *err) {
        char text[CGROUP_FILE_MAX] = "";

        if (read_small(fd, v2 ? "cgroup.events" : "freezer.state", text, err) < 0)
                return -1;
        *ret = v2 ? keyed_number(text, "frozen") == 1 : !strncmp(text, "FROZEN", 6);
        return 0;
}

int cgroup_is_frozen(char *const *cgroups, bool *ret, Error *err) {
        _cleanup_close_ int fd = -EBADF;
        bool v2;
        int r;

        r = cgroups ? open_freezer(cgroups, &fd, &v2, err) : 0;
        if (r < 0)
                return -1;
        if (r == 0) {
                *ret = false;
                return 0;
        }
        return freezer_is_frozen(fd, v2, ret, err);
}

int cgroup_freeze(char *const *cgroups, bool freeze, int timeout_ms, Error *err) {
        uint64_t deadline = now_ms() + (uint64_t) timeout_ms;
        _cleanup_close_ int fd = -EBADF;
        unsigned turn = 0;
        bool v2;
        int r;

        r = cgroups ? open_freezer(cgroups, &fd, &v2, err) : 0;
        if (r < 0)
                return -1;
        if (r == 0)
                return error_set(err, ERROR_NOT_SUPPORTED, "the container has no cgroup with a freezer");
        for (;;) {
                const char *text = v2 ? (freeze ? "1" : "0") : freeze ? "FROZEN" : "THAWED";
                bool frozen;

                /*
                 * Written anew each time: v1 gives up on a group that forks while it freezes. And now and then thawed: a thread that is
                 * frozen already does not die for a sibling's exec, which then can neither go on nor freeze.
                 */
                if (freeze && !v2 && turn % FREEZE_TURNS == FREEZE_TURNS - 1) {
                        if (write_small(fd, "freezer.state", "THAWED", err) < 0)
                                return error_prefix(err, "freeze");
                        (void) wait_until(deadline, &turn);
                }
                if (write_small(fd, v2 ? "cgroup.freeze" : "freezer.state", text, err) < 0 || freezer_is_frozen(fd, v2, &frozen, err) < 0)
                        return error_prefix(err, "%s", freeze ? "freeze" : "thaw");
                if (frozen == freeze)
                        return 0;
                if (!wait_until(deadline, &turn)) {
                        if (freeze)
                                (void) write_small(fd, v2 ? "cgroup.freeze" : "freezer.state", v2 ? "0" : "THAWED", NULL);
                        return error_set(err, ERROR_TIMEOUT, "processes did not %s within %d ms", freeze ? "freeze" : "thaw", timeout_ms);
                }
        }
}

int cgroup_was_oom_killed(char *const *cgroups, bool *ret, Error *err) {
        bool killed = false;

        for (; cgroups && *cgroups; cgroups++) {
                _cleanup_close_ int fd = -EBADF;
                char text[CGROUP_FILE_MAX];
                int r = open_cgroup(*cgroups, NULL, &fd, err);

                if (r < 0)
                        return -1;
                if (r == 0)
                        continue;
                r = read_small(fd, "memory.events", text, err);
                if (r == 0)
                        r = read_small(fd, "memory.oom_control", text, err);
                if (r < 0)
                        return -1;
                if (r > 0 && keyed_number(text, "oom_kill") > 0)
                        killed = true;
        }
        *ret = killed;
        return 0;
}
