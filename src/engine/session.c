/* Talking with the init. */

#include "engine/session.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/module.h"
#include "base/process.h"
#include "base/socket.h"
#include "engine/record.h"

#define INIT_PROGRAM "proxmox-lxcri-init"

int session_begin(Session *session, const EngineLauncher *launcher, const EngineLaunch *launch, PlanKind kind, uint64_t early, Error *err) {
        const PlanHello hello = { .version = PLAN_VERSION, .kind = kind, .announce = launcher->announces, .early = early };
        _cleanup_free_ char *init = NULL;
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        int ends[2];

        if (module_path(INIT_PROGRAM, &init, err) < 0)
                return -1;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a socket");
        ours = ends[0];
        theirs = ends[1];
        if (fd_write_all(ours, &hello, sizeof(hello), err) < 0)
                return -1;
        if (launcher->announces && announce_begin(ours, true) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "ask for credentials");
        session->launch = *launch;
        session->launch.init = init;
        session->launch.socket = theirs;
        session->launch.answers = ours;
        if (launcher->launch(&session->launch, &session->pid, err) < 0)
                return -1;
        session->launch.init = NULL;
        session->launch.socket = -EBADF;
        session->launcher = launcher;
        session->socket = TAKE_FD(ours);
        return 0;
}

int session_settle(Session *session, Error *err) {
        const EngineLauncher *launcher = session->launcher;

        session->launcher = NULL;
        if (launcher->settle && launcher->settle(&session->launch, &session->pid, err) < 0)
                return -1;
        if (launcher->announces)
                (void) announce_begin(session->socket, false);
        return session->dir_fd >= 0 ? record_save_init(session->dir_fd, session->pid, &session->noted, err) : 0;
}

static int send_header(int socket, const PlanHeader *header, const int *fds, size_t n) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int) * PLAN_FDS_MAX)];
        } control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int) * n) } };
        const struct msghdr message = {
                .msg_iov = &(struct iovec) { .iov_base = (void *) header, .iov_len = sizeof(*header) },
                .msg_iovlen = 1,
                .msg_control = n ? &control : NULL,
                .msg_controllen = n ? CMSG_SPACE(sizeof(int) * n) : 0,
        };
        ssize_t sent;

        memcpy(CMSG_DATA(&control.header), fds, n * sizeof(*fds));
        do
                sent = sendmsg(socket, &message, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        return sent == (ssize_t) sizeof(*header) ? 0 : -1;
}

/* A reader that died is told by session_next(), not by a signal. */
static int send_all(int socket, const char *data, size_t len) {
        while (len > 0) {
                ssize_t n = send(socket, data, len, MSG_NOSIGNAL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -1;
                data += n;
                len -= (size_t) n;
        }
        return 0;
}

/* What the init said before it went, rather than that it is gone. */
static int gone(Session *session, Error *err) {
        InitMessage message;
        int fd;

        if (session_next(session, &message, &fd, err) < 0)
                return -1;
        close_keep_errno(fd);
        return error_set(err, ERROR_RUNTIME, "the container's init stopped listening");
}

int session_send_plan(Session *session, const Builder *builder, Error *err) {
        Plan *plan = (Plan *) (void *) builder->data.data;
        const PlanHeader header = { .version = PLAN_VERSION, .size = (uint32_t) builder->data.len, .n_fds = (uint32_t) builder->n_fds };

        plan->size = header.size;
        if (send_header(session->socket, &header, builder->fds, builder->n_fds) < 0 ||
            send_all(session->socket, builder->data.data, builder->data.len) < 0)
                return gone(session, err);
        return 0;
}

int session_go_on(const Session *session, Error *err) {
        if (send_all(session->socket, "g", 1) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "the container's init is gone");
        return 0;
}

/* Whole, or -1 when the socket ended before. */
static int read_rest(int socket, void *data, size_t len) {
        char *p = data;

        while (len > 0) {
                ssize_t n = recv(socket, p, len, MSG_WAITALL);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return -1;
                p += n;
                len -= (size_t) n;
        }
        return 0;
}

static int init_failed(Session *session, Error *err) {
        Error e;

        if (read_rest(session->socket, &e, sizeof(e)) < 0)
                return error_set(err, ERROR_RUNTIME, "the container's init failed, and could not say why");
        e.text[sizeof(e.text) - 1] = e.hint[sizeof(e.hint) - 1] = e.phase[sizeof(e.phase) - 1] = '\0';
        if (e.kind <= ERROR_NONE || e.kind >= _ERROR_KIND_MAX)
                e.kind = ERROR_RUNTIME;
        if (err)
                *err = e;
        return -1;
}

static bool is_child(pid_t pid) {
        siginfo_t info;

        return pid > 0 && waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

int session_next(Session *session, InitMessage *ret, int *ret_fd, Error *err) {
        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                ssize_t n = socket_receive(session->socket, ret, sizeof(*ret), &fd);
                int status;
                pid_t first;

                if (n > 0 && n < (ssize_t) sizeof(*ret) && read_rest(session->socket, (char *) ret + n, sizeof(*ret) - (size_t) n) < 0)
                        n = 0;
                if (n <= 0) {
                        *ret = (InitMessage) { .kind = INIT_EXECUTED };
                        *ret_fd = -EBADF;
                        return 0;
                }
                switch ((InitMessageKind) ret->kind) {
                case INIT_FAILED:
                        return init_failed(session, err);
                case INIT_PID:
                        /* Another one goes on, our child, too; the first one ends as soon as we say so. */
                        if (!is_child(ret->value))
                                return error_set(err, ERROR_RUNTIME, "the container's init named process %d, which is none of its own",
                                                 (int) ret->value);
                        first = session->pid;
                        session->pid = ret->value;
                        if ((session->dir_fd >= 0 && record_save_init(session->dir_fd, session->pid, &session->noted, err) < 0) ||
                            session_go_on(session, err) < 0)
                                return -1;
                        (void) process_wait(first, &status, NULL);
                        continue;
                case INIT_CONSOLE:
                        close_keep_errno(session->console);
                        session->console = TAKE_FD(fd);
                        continue;
                case INIT_ANNOUNCED: /* its launcher's business, and read by that */
                        continue;
                case INIT_MOUNTED:
                case INIT_READY:
                case INIT_LISTENER:
                case INIT_EXECUTED:
                        *ret_fd = TAKE_FD(fd);
                        return 0;
                }
                return error_set(err, ERROR_RUNTIME, "the container's init said what nobody understands");
        }
}

void session_abort(Session *session) {
        int status;

        if (session->launcher && session->launcher->abandon)
                session->launcher->abandon(&session->launch);
        session->launcher = NULL;
        if (session->pid > 0) {
                (void) kill(session->pid, SIGKILL);
                (void) process_wait(session->pid, &status, NULL);
        }
        session->pid = 0;
}

void session_end(Session *session) {
        close_keep_errno(session->socket);
        close_keep_errno(session->console);
        *session = SESSION_INIT;
}
