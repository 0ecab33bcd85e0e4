/* Who holds a container's lock, and whether that is worth waiting for. */

#include "lifecycle/maker.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "lifecycle/journal.h"
#include "lifecycle/transaction.h"
#include "oci/state.h"

#define STEP_MS    2
#define LOOKS_MAX  2500 /* 5 s: a process that does not die in that time hangs in the kernel */
#define LOOKS_HEIR 100  /* 0.2 s: what would have died by itself has */
#define FDINFO_MAX 8192 /* bytes */

static bool has_file(const RunDir *dir, const char *name) {
        return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Only of a transaction that was cut off: whoever takes a whole container away is not its maker. 0: it lives, or nobody knows */
static pid_t dead_maker(const RunDir *dir) {
        _cleanup_(journal_freep) Journal *journal = NULL;

        if (has_file(dir, STATE_FILE) || has_file(dir, DELETING_FILE) || has_file(dir, STOPPING_FILE) ||
            journal_load(dir->fd, &journal, NULL) < 0)
                return 0;
        return journal && !process_is_alive(&journal->header.maker) ? journal->header.maker.pid : 0;
}

/* Whether one of a process's descriptors is the file by which @maker locked the inode. Source: proc(5), fdinfo, "lock:" */
static bool shares_lock(pid_t pid, ino_t inode, pid_t maker) {
        _cleanup_closedir_ DIR *fds = NULL;
        struct dirent *entry;
        char path[64];

        (void) snprintf(path, sizeof(path), "/proc/%d/fdinfo", (int) pid);
        fds = opendir(path);
        while (fds && (entry = readdir(fds))) {
                _cleanup_free_ char *text = NULL;
                unsigned long long locked;
                const char *lock;
                int taker;

                if (entry->d_name[0] == '.' || file_read_at(dirfd(fds), entry->d_name, FDINFO_MAX, &text, NULL, NULL) < 0)
                        continue;
                lock = strstr(text, "FLOCK ");
                if (lock && sscanf(lock, "FLOCK ADVISORY WRITE %d %*x:%*x:%llu", &taker, &locked) == 2 && taker == maker && locked == inode)
                        return true;
        }
        return false;
}

/* What a dead maker forked may wait for ever: liblxc's child, for a word of liblxc's monitor, which is dead, too. */
static void end_heirs(const RunDir *dir, pid_t maker) {
        _cleanup_closedir_ DIR *proc = opendir("/proc");
        struct dirent *entry;
        struct stat st;

        if (fstat(dir->fd, &st) < 0)
                return;
        while (proc && (entry = readdir(proc))) {
                pid_t pid = (pid_t) atoi(entry->d_name);
                ProcessRef process;

                if (pid > 0 && process_ref(pid, &process, NULL) == 0 && shares_lock(pid, st.st_ino, maker))
                        (void) process_signal(&process, SIGKILL);
        }
}

int maker_lock(RunDir *dir, bool *ret_gone, Error *err) {
        const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

        for (unsigned looks = 0;; looks++) {
                Error e = ERROR_INIT;
                pid_t maker;

                if (rundir_lock(dir, false, ret_gone, &e) == 0)
                        return 0;
                if (e.errnum != EWOULDBLOCK || looks == LOOKS_MAX || (maker = dead_maker(dir)) == 0) {
                        if (err)
                                *err = e;
                        return -1;
                }
                if (looks == LOOKS_HEIR)
                        end_heirs(dir, maker);
                (void) nanosleep(&step, NULL);
        }
}
