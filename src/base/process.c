/* Process identity, and fork + exec with descriptors under control. */

#include "base/process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"

#define STAT_MAX       4096 /* bytes of /proc/PID/stat */
#define STAT_STATE     3    /* its fields, counted from 1. Source: proc_pid_stat(5) */
#define STAT_START     22
#define LISTEN_FDS_MAX 1024 /* descriptors; this program's own cap, the usual RLIMIT_NOFILE */
#define PID_DIGITS_MAX 10   /* of an int */

#define LISTEN_PID "LISTEN_PID="

/* Reads state letter and start time; -1 with errno when the process is gone. */
static int read_stat(pid_t pid, char *ret_state, uint64_t *ret_start) {
        char path[32], text[STAT_MAX];
        _cleanup_close_ int fd = -EBADF;
        const char *p;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -1;
        n = read(fd, text, sizeof(text) - 1);
        if (n < 0)
                return -1;
        text[n] = '\0';

        /* The command's name, in parentheses, may hold anything, parentheses included; the fields start behind the last one. */
        p = strrchr(text, ')');
        p = p && p[1] == ' ' ? p + 2 : NULL;
        if (p)
                *ret_state = *p;
        for (int i = STAT_STATE; i < STAT_START && p; i++) {
                p = strchr(p, ' ');
                p = p ? p + 1 : NULL;
        }
        if (!p || *p < '0' || *p > '9') {
                errno = EPROTO;
                return -1;
        }
        *ret_start = strtoull(p, NULL, 10);
        return 0;
}

int process_ref(pid_t pid, ProcessRef *ret, Error *err) {
        uint64_t start;
        char state;

        if (read_stat(pid, &state, &start) < 0)
                return error_set_errno(err, ERROR_FILE, errno == ENOENT ? ESRCH : errno, "process %d", (int) pid);
        *ret = (ProcessRef) { .pid = pid, .start_time = start };
        return 0;
}

bool process_is_alive(const ProcessRef *process) {
        uint64_t start;
        char state;

        if (process->pid <= 0 || read_stat(process->pid, &state, &start) < 0)
                return false;
        return start == process->start_time && state != 'Z' && state != 'X';
}

int process_open(const ProcessRef *process) {
        uint64_t start;
        char state;
        int fd;

        if (process->pid <= 0)
                return -ESRCH;
        fd = pidfd_open(process->pid, 0);
        if (fd < 0)
                return -errno;
        /* The pidfd pins the process, so what /proc says now is about the one it refers to, or about nothing. */
        if (read_stat(process->pid, &state, &start) < 0 || start != process->start_time) {
                close(fd);
                return -ESRCH;
        }
        return fd;
}

int process_signal(const ProcessRef *process, int signal) {
        _cleanup_close_ int fd = process_open(process);

        if (fd < 0)
                return fd;
        return pidfd_send_signal(fd, signal, NULL, 0) < 0 ? -errno : 0;
}

int process_mount_namespace(pid_t pid, uint64_t *ret, Error *err) {
        char path[48];
        struct stat st;

        if (pid == 0)
                snprintf(path, sizeof(path), "/proc/self/ns/mnt");
        else
                snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int) pid);
        if (stat(path, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read the mount namespace by '%s'", path);
        *ret = st.st_ino;
        return 0;
}

int boot_id_read(char ret[BOOT_ID_MAX], Error *err) {
        _cleanup_free_ char *text = NULL;

#ifdef TEST_HOOKS
        const char *simulated = getenv("PROXMOX_LXCRI_BOOT_ID");

        if (simulated && simulated[0]) {
                snprintf(ret, BOOT_ID_MAX, "%s", simulated);
                return 0;
        }
#endif
        if (file_read_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, NULL, err) < 0)
                return -1;
        text[strcspn(text, "\n")] = '\0';
        snprintf(ret, BOOT_ID_MAX, "%s", text);
        return 0;
}

char *program_find(const char *name) {
        const char *path = getenv("PATH");
        char *found = NULL;

        if (strchr(name, '/')) {
                if (access(name, X_OK) < 0)
                        return NULL;
                return path_absolute(name, &found, NULL) < 0 ? NULL : found;
        }
        if (!path || !path[0])
                path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

        for (const char *p = path; *p;) {
                size_t len = strcspn(p, ":");

                /* Relative entries (an empty one is ".") are passed over: nothing is run from a working directory by chance. */
                if (p[0] == '/') {
                        struct stat st;

                        if (asprintf(&found, "%.*s/%s", (int) len, p, name) < 0)
                                return NULL;
                        if (access(found, X_OK) == 0 && stat(found, &st) == 0 && S_ISREG(st.st_mode))
                                return found;
                        free(found);
                        found = NULL;
                }
                p += len;
                if (*p == ':')
                        p++;
        }
        return NULL;
}

/* A number above zero, and no more; 0 for everything else. */
static long positive(const char *text) {
        char *end;
        long n = text ? strtol(text, &end, 10) : 0;

        return n > 0 && *end == '\0' ? n : 0;
}

int process_listen_fds(void) {
        const char *pid = getenv("LISTEN_PID");
        long n = positive(getenv("LISTEN_FDS"));

        if (pid && positive(pid) != getpid() && positive(pid) != 1)
                return 0;
        return n <= LISTEN_FDS_MAX ? (int) n : 0;
}

/* An environment of which the child fills in its own pid; the strings but two are borrowed. */
typedef struct Environment {
        const char **variables; /* NULL: the caller's */
        char fds[sizeof("LISTEN_FDS=") + PID_DIGITS_MAX], pid[sizeof(LISTEN_PID) + PID_DIGITS_MAX];
} Environment;

static int environment_make(const Spawn *spawn, Environment *ret, Error *err) {
        const char *const *given = spawn->envp ?: (const char *const *) environ;
        size_t n = 0;

        ret->variables = NULL;
        if (spawn->listen_fds == 0 && !getenv("LISTEN_FDS") && !getenv("LISTEN_PID"))
                return 0;
        ret->variables = calloc(strv_length((char *const *) given) + 3, sizeof(char *));
        if (!ret->variables)
                return error_oom(err);
        for (; *given; given++)
                if (strncmp(*given, "LISTEN_FDS=", strlen("LISTEN_FDS=")) && strncmp(*given, LISTEN_PID, strlen(LISTEN_PID)))
                        ret->variables[n++] = *given;
        if (spawn->listen_fds > 0) {
                snprintf(ret->fds, sizeof(ret->fds), "LISTEN_FDS=%d", spawn->listen_fds);
                strcpy(ret->pid, LISTEN_PID);
                ret->variables[n++] = ret->fds;
                ret->variables[n++] = ret->pid;
        }
        return 0;
}

/* In the child, by async-signal-safe means. */
static void environment_name_child(Environment *environment) {
        char digits[PID_DIGITS_MAX];
        size_t n = 0, at = strlen(LISTEN_PID);

        for (unsigned pid = (unsigned) getpid(); pid > 0; pid /= 10)
                digits[n++] = (char) ('0' + pid % 10);
        while (n > 0)
                environment->pid[at++] = digits[--n];
        environment->pid[at] = '\0';
}

/* In the child: puts @fd (or /dev/null, or nothing) at a standard stream's number. */
static int child_stream(int fd, int number) {
        if (fd == SPAWN_INHERIT)
                return 0;
        if (fd < 0) {
                fd = open("/dev/null", O_RDWR | O_CLOEXEC);
                if (fd < 0)
                        return -1;
        }
        if (fd == number)
                return fcntl(fd, F_SETFD, 0);
        return dup2(fd, number) < 0 ? -1 : 0;
}

int streams_place(int stdin_fd, int stdout_fd, int stderr_fd, int above) {
        int fds[3] = { stdin_fd, stdout_fd, stderr_fd };

        /* They may name each other's numbers. */
        for (int i = 0; i < 3; i++)
                if (fds[i] >= 0 && fds[i] < 3) {
                        fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, above);
                        if (fds[i] < 0)
                                return -1;
                }
        for (int i = 0; i < 3; i++)
                if (child_stream(fds[i], i) < 0)
                        return -1;
        return 0;
}

/* In the child; only async-signal-safe calls. Returns with errno set when something failed. */
static void child_exec(const Spawn *spawn, const char *path, Environment *environment, pid_t parent) {
        static const unsigned long default_action[8]; /* the kernel's struct sigaction: all zero is SIG_DFL */
        sigset_t none;

        if (spawn->parent_death_signal) {
                if (prctl(PR_SET_PDEATHSIG, spawn->parent_death_signal) < 0)
                        return;
                if (getppid() != parent)
                        _exit(127);
        }
        if (spawn->new_session && setsid() < 0)
                return;
        if (streams_place(spawn->stdin_fd, spawn->stdout_fd, spawn->stderr_fd, 3 + spawn->n_preserve_fds) < 0)
                return;
        if (close_range((unsigned) (3 + spawn->n_preserve_fds), ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return;
        for (int i = 0; i < spawn->n_preserve_fds; i++)
                (void) fcntl(3 + i, F_SETFD, 0); /* one that is not open is the caller's own affair, as in runc */
        for (size_t i = 0; i < spawn->n_keep_fds; i++)
                if (fcntl(spawn->keep_fds[i], F_SETFD, 0) < 0)
                        return;

        /* SIGKILL and SIGSTOP refuse, which is right. Not by libc: it refuses its own two, which GNU make hands down ignored. */
        for (int s = 1; s < _NSIG; s++)
                (void) syscall(SYS_rt_sigaction, s, &default_action, NULL, _NSIG / 8);
        sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return;
        if (spawn->listen_fds > 0)
                environment_name_child(environment);
        execve(path, (char *const *) spawn->argv,
               environment->variables ? (char *const *) environment->variables :
               spawn->envp            ? (char *const *) spawn->envp :
                                        environ);
}

/*
 * vfork(): the child runs in our memory until it execs, and we wait meanwhile. A fork copies the page tables only to throw them away,
 * which costs more than everything else here.
 */
static pid_t start_child(const Spawn *spawn, const char *path, Environment *environment, int report_fd) {
        const pid_t parent = getpid(), pid = vfork();

        if (pid == 0) {
                /* The report's end must not be among the descriptors that are replaced. */
                int failure, fd = fcntl(report_fd, F_DUPFD_CLOEXEC, 3 + spawn->n_preserve_fds);

                if (fd >= 0) {
                        child_exec(spawn, path, environment, parent);
                        failure = errno;
                        (void) !write(fd, &failure, sizeof(failure));
                }
                _exit(127);
        }
        return pid;
}

int process_spawn(const Spawn *spawn, pid_t *ret_pid, int *ret_pidfd, Error *err) {
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int report = -EBADF;
        int report_pipe[2], failure = 0;
        Environment environment;
        pid_t pid;
        ssize_t n;

        path = program_find(spawn->program ?: spawn->argv[0]);
        if (!path)
                return error_set_errno(err, ERROR_RUNTIME_NOT_AVAILABLE, ENOENT, "program '%s'", spawn->program ?: spawn->argv[0]);
        if (pipe2(report_pipe, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        report = report_pipe[0];

        if (environment_make(spawn, &environment, err) < 0) {
                close_keep_errno(report_pipe[1]);
                return -1;
        }
        pid = start_child(spawn, path, &environment, report_pipe[1]);
        close_keep_errno(report_pipe[1]);
        free(environment.variables);
        if (pid < 0)
                return error_set_errno(err, ERROR_FILE, errno, "fork for '%s'", spawn->argv[0]);

        do
                n = read(report, &failure, sizeof(failure));
        while (n < 0 && errno == EINTR);
        if (n > 0) {
                (void) process_wait(pid, &(int) { 0 }, NULL);
                return error_set_errno(err, ERROR_FILE, failure, "run '%s'", path);
        }
        if (ret_pidfd) {
                *ret_pidfd = pidfd_open(pid, 0);
                if (*ret_pidfd < 0) {
                        error_set_errno(err, ERROR_FILE, errno, "open a descriptor of process %d", (int) pid);
                        (void) kill(pid, SIGKILL);
                        (void) process_wait(pid, &(int) { 0 }, NULL);
                        return -1;
                }
        }
        *ret_pid = pid;
        return 0;
}

int process_wait(pid_t pid, int *ret, Error *err) {
        int status;

        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return error_set_errno(err, ERROR_FILE, errno, "wait for process %d", (int) pid);
        *ret = status;
        return 0;
}

int process_call(int (*function)(void *userdata, Error *err), void *userdata, Error *err) {
        _cleanup_close_ int report = -EBADF;
        Error e = ERROR_INIT;
        int ends[2], status = 0;
        ssize_t n;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        report = ends[0];
        pid = fork();
        if (pid == 0) {
                (void) function(userdata, &e);
                _exit(write(ends[1], &e, sizeof(e)) == (ssize_t) sizeof(e) ? 0 : 1);
        }
        close_keep_errno(ends[1]);
        if (pid < 0)
                return error_set_errno(err, ERROR_FILE, errno, "fork");
        do
                n = read(report, &e, sizeof(e));
        while (n < 0 && errno == EINTR);
        if (process_wait(pid, &status, err) < 0)
                return -1;
        if (n != (ssize_t) sizeof(e))
                return error_set(err, ERROR_INVALID_STATE, "a helper process died (%d)", exit_code_of(status));
        if (!error_is_set(&e))
                return 0;
        if (err)
                *err = e;
        return -1;
}

int exit_code_of(int status) {
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int compare_ints(const void *a, const void *b) {
        return *(const int *) a - *(const int *) b;
}

void descriptors_close_but(unsigned first, int *keep, size_t n) {
        qsort(keep, n, sizeof(*keep), compare_ints);
        for (size_t i = 0; i < n; i++) {
                if (keep[i] < (int) first)
                        continue;
                if ((unsigned) keep[i] > first)
                        (void) close_range(first, (unsigned) keep[i] - 1, 0);
                first = (unsigned) keep[i] + 1;
        }
        (void) close_range(first, ~0U, 0);
}
