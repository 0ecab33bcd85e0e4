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
#define LOG_MAX       (8u << 20) /* bytes of CRIU's log that are read: it says what goes wrong long before */

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

/* Standard streams, the socket, and what it inherits, under the numbers that were agreed upon; nothing else is open. */
static int place_descriptors(const CriuStart *start, int socket) {
        int fds[SOCKET_NUMBER + 1 + CRIU_INHERITED_MAX], n = 0;

        for (int i = 0; i < 3; i++) {
                int fd = start->stdio[i] == SPAWN_INHERIT ? i : start->stdio[i];

                if (fd < 0 || fcntl(fd, F_GETFD) < 0)
                        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
                fds[n++] = aside(fd);
        }
        fds[n++] = aside(socket);
        for (size_t i = 0; i < start->n_inherited; i++)
                fds[n++] = aside(start->inherited[i]);
        for (int i = 0; i < n; i++)
                if (fds[i] < 0 || dup2(fds[i], i) < 0)
                        return -1;
        return 0;
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

/* In the child: becomes CRIU, or says why not. */
static _Noreturn void become_criu(const Criu *criu, const CriuStart *start, const char *program, int socket, int report) {
        Error e = ERROR_INIT;
        int report_fd = aside(report), n = SOCKET_NUMBER + 1 + (int) start->n_inherited;

        if (!start->prepare || start->prepare(start->userdata, &e) == 0) {
                reset_signals(criu->dump);
                if (place_descriptors(start, socket) < 0)
                        error_set_errno(&e, ERROR_FILE, errno, "set up descriptors of CRIU");
                else {
                        int keep[] = { report_fd };

                        descriptors_close_but((unsigned) n, keep, ARRAY_SIZE(keep));
                        (void) execl(program, "criu", "swrk", "3", NULL);
                        error_set_errno(&e, ERROR_RUNTIME_NOT_AVAILABLE, errno, "start '%s'", program);
                }
        }
        (void) !write(report_fd, &e, sizeof(e));
        _exit(127);
}

static int await_start(int report, Error *err) {
        Error e;
        ssize_t n;

        do
                n = read(report, &e, sizeof(e));
        while (n < 0 && errno == EINTR);
        if (n == 0)
                return 0;
        if (n != (ssize_t) sizeof(e))
                return error_set(err, ERROR_RUNTIME, "CRIU could not be started, and nothing says why");
        if (err)
                *err = e;
        return -1;
}

static int start_process(Criu *criu, const CriuStart *start, const char *program, Error *err) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF, report = -EBADF, reporter = -EBADF;
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a socket");
        ours = ends[0];
        theirs = ends[1];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        report = ends[0];
        reporter = ends[1];
        criu->pid = fork();
        if (criu->pid == 0)
                become_criu(criu, start, program, theirs, reporter);
        if (criu->pid < 0) {
                criu->pid = 0;
                return error_set_errno(err, ERROR_FILE, errno, "fork");
        }
        close_keep_errno(TAKE_FD(reporter));
        if (await_start(report, err) < 0)
                return -1;
        criu->socket = TAKE_FD(ours);
        return 0;
}

int criu_begin(Criu *criu, const CriuStart *start, const CriuOptions *options, bool dump, Error *err) {
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
            (options->work_path && open_directory(options->work_path, true, &criu->work_fd, err) < 0))
                return -1;
        return start_process(criu, start, program, err);
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

/* "(00.012345) 17: Error (criu/mount.c:1088): mnt: …": the first is the cause, those after it are what comes of it. */
static const char *first_error(char *log) {
        char *line = strstr(log, "Error (");

        if (!line)
                return NULL;
        line[strcspn(line, "\n")] = '\0';
        return line;
}

static int criu_failed(const Criu *criu, const CriuAnswer *answer, Error *err) {
        int dir_fd = criu->work_fd >= 0 ? criu->work_fd : criu->image_fd;
        _cleanup_free_ char *log = NULL, *path = NULL;
        const char *what = criu->dump ? "checkpoint" : "restore", *cause = NULL;

        (void) fd_get_path(dir_fd, &path, NULL);
        if (file_read_at(dir_fd, log_name(criu), LOG_MAX, &log, NULL, NULL) == 0)
                cause = first_error(log);
        if (!cause && answer && answer->message[0])
                cause = answer->message;
        if (answer && answer->errnum > 0)
                error_set_errno(err, ERROR_RUNTIME, answer->errnum, "CRIU failed to %s: %s", what, cause ?: "it does not say why");
        else
                error_set(err, ERROR_RUNTIME, "CRIU failed to %s: %s", what, cause ?: "it does not say why");
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

        if (criu_put_number(&criu->options, CRIU_IMAGES_DIR_FD, (uint64_t) criu->image_fd, err) < 0 ||
            (criu->work_fd >= 0 && criu_put_number(&criu->options, CRIU_WORK_DIR_FD, (uint64_t) criu->work_fd, err) < 0) ||
            criu_put_number(&criu->options, CRIU_LOG_LEVEL, 4, err) < 0 ||
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
