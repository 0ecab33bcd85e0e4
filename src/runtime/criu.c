/* Driving CRIU: starting it, talking with it, and finding in its log what went wrong. */

#include "runtime/criu.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/process.h"
#include "base/socket.h"
#include "runtime/criu-message.h"

#define SOCKET_NUMBER 3         /* of its end, in CRIU */
#define ASIDE         64        /* descriptors are first moved past the numbers they are going to have */
#define ERRORS_MAX    4         /* of its log that are told */
#define CAUSE_MAX     2048      /* bytes of them together */
#define LOG_MAX       (64u << 10) /* bytes from the end of CRIU's log that are looked at */

static const char *log_name(const Criu *criu) {
        return criu->dump ? "dump.log" : "restore.log"; /* as runc and crun have them */
}

/* ---- starting it ---- */

static int open_directory(const char *path, bool make, int *ret, Error *err) {
        _cleanup_close_ int fd = -EBADF;

        if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
                return error_set_errno(err, ERROR_FILE, errno, "make directory '%s'", path);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", path);
        *ret = TAKE_FD(fd);
        return 0;
}

static int aside(int fd) {
        return fcntl(fd, F_DUPFD_CLOEXEC, ASIDE);
}

/*
 * What CRIU has open, in the order of its numbers: standard streams, its socket, what it inherits, its directories. CRIU opens those
 * again by the pid of who made the socket, so that has to be itself: in the mount namespace that it was given.
 */
typedef struct Numbers {
        int fds[SOCKET_NUMBER + 1 + CRIU_INHERITED_MAX + 2], n;
} Numbers;

static int add_number(Numbers *numbers, int fd) {
        int moved = fd < 0 ? -1 : aside(fd);

        if (moved < 0)
                return -1;
        numbers->fds[numbers->n++] = moved;
        return 0;
}

static int open_again(const char *path) {
        return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int place_descriptors(const CriuStart *start, const CriuOptions *options, int socket) {
        Numbers numbers = {};

        for (int i = 0; i < 3; i++) {
                int fd = start->stdio[i] == SPAWN_INHERIT ? i : start->stdio[i];

                if (fd < 0 || fcntl(fd, F_GETFD) < 0)
                        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
                if (add_number(&numbers, fd) < 0)
                        return -1;
        }
        if (add_number(&numbers, socket) < 0)
                return -1;
        for (size_t i = 0; i < start->n_inherited; i++)
                if (add_number(&numbers, start->inherited[i]) < 0)
                        return -1;
        if (add_number(&numbers, open_again(options->image_path)) < 0 ||
            (options->work_path && add_number(&numbers, open_again(options->work_path)) < 0))
                return -1;
        for (int i = 0; i < numbers.n; i++)
                if (dup2(numbers.fds[i], i) < 0)
                        return -1;
        return numbers.n;
}

/* What is typed at the terminal is for us. A dump that is killed leaves processes with its code in them; one that we leave undoes it. */
static void reset_signals(bool dump) {
        sigset_t mask;

        for (int s = 1; s < _NSIG; s++)
                (void) signal(s, SIG_DFL);
        sigemptyset(&mask);
        for (const int *s = (const int[]) { SIGINT, SIGQUIT, SIGHUP, 0 }; dump && *s; s++)
                (void) sigaddset(&mask, *s);
        (void) sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* In the child: sends our end of the socket, and becomes CRIU. */
static int become_criu(const Criu *criu, const CriuStart *start, const CriuOptions *options, const char *program, int report, Error *err) {
        int ends[2], n;

        if (start->prepare && start->prepare(start->userdata, err) < 0)
                return -1;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 || socket_send(report, "", 1, ends[0]) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a socket");
        reset_signals(criu->dump);
        n = place_descriptors(start, options, ends[1]);
        if (n < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set up descriptors of CRIU");
        descriptors_close_but((unsigned) n, &(int) { report }, 1);
        (void) execl(program, "criu", "swrk", "3", NULL);
        return error_set_errno(err, ERROR_RUNTIME_NOT_AVAILABLE, errno, "start '%s'", program);
}

/* First its end of the socket, then the end, which is that it is CRIU now; or an error in the place of either. */
static int await_start(Criu *criu, int report, Error *err) {
        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                Error e;
                ssize_t n = socket_receive(report, &e, sizeof(e), &fd);

                if (n == 1 && fd >= 0 && criu->socket < 0) {
                        criu->socket = TAKE_FD(fd);
                        continue;
                }
                if (n == 0 && criu->socket >= 0)
                        return 0;
                if (n != (ssize_t) sizeof(e))
                        return error_set(err, ERROR_RUNTIME, "CRIU could not be started, and nothing says why");
                if (err)
                        *err = e;
                return -1;
        }
}

static int start_process(Criu *criu, const CriuStart *start, const CriuOptions *options, const char *program, Error *err) {
        _cleanup_close_ int report = -EBADF, reporter = -EBADF;
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a socket");
        report = ends[0];
        reporter = ends[1];
        criu->pid = fork();
        if (criu->pid == 0) {
                Error e = ERROR_INIT;
                int fd = aside(reporter);

                (void) become_criu(criu, start, options, program, fd, &e);
                (void) socket_send(fd, &e, sizeof(e), -EBADF);
                _exit(127);
        }
        if (criu->pid < 0) {
                criu->pid = 0;
                return error_set_errno(err, ERROR_FILE, errno, "fork");
        }
        close_keep_errno(TAKE_FD(reporter));
        return await_start(criu, report, err);
}

int criu_begin(Criu *criu, const CriuStart *start, const CriuOptions *options, bool dump, Error *err) {
        const int image_number = CRIU_INHERITED + (int) start->n_inherited;
        _cleanup_free_ char *program = NULL;

        if (geteuid() != 0)
                return error_set(err, ERROR_NOT_SUPPORTED, "checkpoint and restore: only root's containers, CRIU needs its rights");
        program = program_find(start->program ?: "criu");
        if (!program) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "checkpoint and restore: no program '%s'", start->program ?: "criu");
                return error_hint(err, "install criu, or name it by --criu");
        }
        criu->dump = dump;
        if (open_directory(options->image_path, dump, &criu->image_fd, err) < 0 ||
            (options->work_path && open_directory(options->work_path, true, &criu->work_fd, err) < 0) ||
            start_process(criu, start, options, program, err) < 0 ||
            criu_put_number(&criu->options, CRIU_IMAGES_DIR_FD, (uint64_t) image_number, err) < 0)
                return -1;
        return options->work_path ? criu_put_number(&criu->options, CRIU_WORK_DIR_FD, (uint64_t) image_number + 1, err) : 0;
}

void criu_end(Criu *criu) {
        int status;

        close_keep_errno(criu->socket);
        if (criu->pid > 0)
                (void) process_wait(criu->pid, &status, NULL);
        close_keep_errno(criu->image_fd);
        close_keep_errno(criu->work_fd);
        buf_free(&criu->options);
        *criu = CRIU_INIT;
}

/* ---- what went wrong ---- */

/*
 * "(00.012345) 17: Error (criu/mount.c:1088): mnt: …". Which of them is the cause nobody knows: some before it are of no matter, those
 * after it come of it. So the last few are told.
 */
static void add_errors(char *log, Buf *ret) {
        const char *errors[ERRORS_MAX];
        size_t n = 0;

        for (char *line, *next = log; (line = strstr(next, "Error ("));) {
                const char *text = strstr(line, "): ");

                next = line + strcspn(line, "\n");
                if (*next)
                        *next++ = '\0';
                errors[n++ % ERRORS_MAX] = text && text < next ? text + strlen("): ") : line;
        }
        for (size_t at = n > ERRORS_MAX ? n - ERRORS_MAX : 0, first = at; at < n; at++)
                (void) buf_printf(ret, NULL, "%s%s", at > first ? "; " : "", errors[at % ERRORS_MAX]);
}

static int criu_failed(const Criu *criu, const CriuAnswer *answer, Error *err) {
        int dir_fd = criu->work_fd >= 0 ? criu->work_fd : criu->image_fd;
        _cleanup_buf_ Buf errors = BUF_INIT(CAUSE_MAX);
        _cleanup_free_ char *log = NULL, *path = NULL;
        _cleanup_close_ int log_fd = openat(dir_fd, log_name(criu), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        const char *what = criu->dump ? "checkpoint" : "restore", *cause;

        (void) fd_get_path(dir_fd, &path, NULL);
        log = file_tail_fd(log_fd, 0, LOG_MAX);
        if (log)
                add_errors(log, &errors);
        cause = errors.len > 0 ? errors.data : answer && answer->message[0] ? answer->message : "it does not say why";
        if (answer && answer->errnum > 0)
                error_set_errno(err, ERROR_RUNTIME, answer->errnum, "CRIU failed to %s: %s", what, cause);
        else
                error_set(err, ERROR_RUNTIME, "CRIU failed to %s: %s", what, cause);
        return error_hint(err, "'criu check' says what it can do on this kernel; all it said is in '%s/%s'", path ?: ".", log_name(criu));
}

/* ---- talking with it ---- */

static int send_request(Criu *criu, CriuType type, const Buf *options, Error *err) {
        _cleanup_buf_ Buf request = BUF_INIT(CRIU_REQUEST_MAX);

        if (criu_request_make(&request, type, options, err) < 0)
                return -1;
        /* One that died is told by the end of its answers */
        (void) socket_send(criu->socket, request.data, request.len, -EBADF);
        return 0;
}

static int handle_event(const CriuAnswer *answer, const CriuEvents *events, int *fd, Error *err) {
        if (!strcmp(answer->script, "setup-namespaces") && events->namespaces)
                return events->namespaces(events->userdata, answer->pid, err);
        if (!strcmp(answer->script, "orphan-pts-master") && events->terminal && *fd >= 0)
                return events->terminal(events->userdata, TAKE_FD(*fd), err);
        if (!strcmp(answer->script, "status-ready") && events->status_fd >= 0 && write(events->status_fd, "", 1) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "--status-fd");
        return 0;
}

static int converse(Criu *criu, const CriuEvents *events, CriuType type, pid_t *ret_root, Error *err) {
        _cleanup_free_ char *data = malloc(CRIU_ANSWER_MAX);

        if (!data)
                return error_oom(err);
        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                ssize_t n = socket_receive(criu->socket, data, CRIU_ANSWER_MAX, &fd);
                CriuAnswer answer;

                if (n <= 0)
                        return criu_failed(criu, NULL, err);
                if (criu_answer_read(data, (size_t) n, &answer, err) < 0)
                        return -1;
                if (!answer.success)
                        return criu_failed(criu, &answer, err);
                if (answer.type == type) {
                        if (ret_root)
                                *ret_root = answer.pid;
                        return 0;
                }
                if (answer.type != CRIU_NOTIFY)
                        return error_set(err, ERROR_RUNTIME, "CRIU answered what it was not asked (%u)", answer.type);
                /* Without our word that all is well it undoes what it did. */
                if (handle_event(&answer, events, &fd, err) < 0 || send_request(criu, CRIU_NOTIFY, NULL, err) < 0)
                        return -1;
        }
}

int criu_call(Criu *criu, const CriuEvents *events, pid_t *ret_root, Error *err) {
        const CriuType type = !criu->dump ? CRIU_RESTORE : criu->pre_dump ? CRIU_SINGLE_PRE_DUMP : CRIU_DUMP;
        int status = 0;

        if (criu_put_number(&criu->options, CRIU_LOG_LEVEL, 4, err) < 0 ||
            criu_put_text(&criu->options, CRIU_LOG_FILE, log_name(criu), err) < 0 ||
            criu_put_number(&criu->options, CRIU_NOTIFY_SCRIPTS, true, err) < 0 ||
            criu_put_number(&criu->options, CRIU_ORPHAN_PTS_MASTER, true, err) < 0 ||
            send_request(criu, type, &criu->options, err) < 0 || converse(criu, events, type, ret_root, err) < 0)
                return -1;
        close_keep_errno(TAKE_FD(criu->socket));
        if (process_wait(criu->pid, &status, err) < 0)
                return -1;
        criu->pid = 0;
        return status == 0 ? 0 : criu_failed(criu, NULL, err);
}
