/* The socket between the init and who made its plan. */

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/init/init.h"

#define FDS_A_MESSAGE 240

static int plan_fds[PLAN_FDS_MAX];

int init_fd(const Init *init, int32_t index) {
        return index >= 0 && (size_t) index < init->n_fds ? init->fds[index] : -EBADF;
}

/* Everything, or the end of this process: whoever would read an error is gone. */
static void read_all(int fd, void *data, size_t len) {
        char *p = data;

        while (len > 0) {
                ssize_t n = read(fd, p, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        _exit(1);
                p += n;
                len -= (size_t) n;
        }
}

int link_receive(Init *init, PlanHello *ret_hello, Error *err) {
        read_all(init->socket, ret_hello, sizeof(*ret_hello));
        if (ret_hello->version != PLAN_VERSION) {
                error_set(err, ERROR_RUNTIME, "the init has version %u, not %u", PLAN_VERSION, ret_hello->version);
                return error_hint(err, "install program and init from one build");
        }
        return 0;
}

/* The header, which brings descriptors. */
static void receive_header(int fd, PlanHeader *ret, size_t *ret_n) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int) * FDS_A_MESSAGE)];
        } control;
        struct msghdr message = {
                .msg_iov = &(struct iovec) { .iov_base = ret, .iov_len = sizeof(*ret) },
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        ssize_t n;

        *ret_n = 0;
        do
                n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t) sizeof(*ret) || (message.msg_flags & MSG_CTRUNC))
                _exit(1);
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
                size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || *ret_n + count > PLAN_FDS_MAX)
                        _exit(1);
                memcpy(plan_fds + *ret_n, CMSG_DATA(c), count * sizeof(int));
                *ret_n += count;
        }
}

int link_receive_plan(Init *init, Error *err) {
        PlanHeader header;
        void *memory;

        receive_header(init->socket, &header, &init->n_fds);
        if (header.version != PLAN_VERSION || header.size < sizeof(Plan) || header.size > PLAN_SIZE_MAX || header.n_fds != init->n_fds)
                return error_set(err, ERROR_RUNTIME, "what came is no plan");
        memory = mmap(NULL, header.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
                return error_oom(err);
        read_all(init->socket, memory, header.size);
        init->plan = memory;
        init->fds = plan_fds;
        return 0;
}

void link_send(const Init *init, InitMessageKind kind, int32_t value, int fd) {
        InitMessage message = { .kind = kind, .value = value };
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) } };
        const struct msghdr out = {
                .msg_iov = &(struct iovec) { .iov_base = &message, .iov_len = sizeof(message) },
                .msg_iovlen = 1,
                .msg_control = fd >= 0 ? &control : NULL,
                .msg_controllen = fd >= 0 ? sizeof(control) : 0,
        };
        ssize_t n;

        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        do
                n = sendmsg(init->socket, &out, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t) sizeof(message))
                _exit(1);
}

void link_fail(const Init *init, const Error *err) {
        struct {
                InitMessage message;
                Error error;
        } out = { .message = { .kind = INIT_FAILED } };

        out.error = *err;
        (void) !send(init->socket, &out, sizeof(out), MSG_NOSIGNAL);
        _exit(1);
}

void link_await(const Init *init) {
        char byte;

        read_all(init->socket, &byte, 1);
}

void link_await_start(Init *init) {
        int listener = init_fd(init, init->plan->start_fd);
        ssize_t n;
        char byte;

        if (init->plan->flags & PLAN_START_AT_ONCE) {
                link_await(init);
                return;
        }
        close(init->socket);
        for (;;) {
                init->socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (init->socket < 0) {
                        if (errno == EINTR || errno == ECONNABORTED)
                                continue;
                        _exit(1);
                }
                do
                        n = read(init->socket, &byte, 1);
                while (n < 0 && errno == EINTR);
                /* Who only looked whether we still wait, or died before it said so. */
                if (n == 1)
                        break;
                close(init->socket);
        }
        close(listener);
}
