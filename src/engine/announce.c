/* Which process the init is, for a launcher that is not its parent. */

#include <string.h>
#include <sys/socket.h>

#include "engine/engine.h"
#include "engine/init/plan.h"
#include "engine/session.h"

int announce_begin(int socket, bool on) {
        const int value = on;

        return setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &value, sizeof(value));
}

int engine_announced(int socket, pid_t *ret, Error *err) {
        InitMessage message;
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(struct ucred))];
        } control;
        struct msghdr header = {
                .msg_iov = &(struct iovec) { .iov_base = &message, .iov_len = sizeof(message) },
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        const struct cmsghdr *c;
        struct ucred credentials;
        ssize_t n;

        do
                n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_WAITALL);
        while (n < 0 && errno == EINTR);
        c = CMSG_FIRSTHDR(&header);
        if (n != (ssize_t) sizeof(message) || message.kind != INIT_ANNOUNCED || !c || c->cmsg_level != SOL_SOCKET ||
            c->cmsg_type != SCM_CREDENTIALS || c->cmsg_len != CMSG_LEN(sizeof(credentials)))
                return error_set(err, ERROR_RUNTIME, "what was started is not the container's init");
        memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
        if (credentials.pid <= 0)
                return error_set(err, ERROR_RUNTIME, "the container's init has no pid here");
        *ret = credentials.pid;
        return 0;
}
