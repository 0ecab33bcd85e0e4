/* Descriptors in messages. Source: unix(7), SCM_RIGHTS. */

#include "base/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

typedef union Control {
        struct cmsghdr header; /* aligns it */
        char space[CMSG_SPACE(sizeof(int))];
} Control;

int socket_send(int socket, const void *data, size_t len, int fd) {
        Control control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) } };
        const struct msghdr message = {
                .msg_iov = &(struct iovec) { .iov_base = (void *) data, .iov_len = len },
                .msg_iovlen = 1,
                .msg_control = fd >= 0 ? &control : NULL,
                .msg_controllen = fd >= 0 ? sizeof(control) : 0,
        };
        ssize_t n;

        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        do
                n = sendmsg(socket, &message, MSG_NOSIGNAL);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -1 : 0;
}

ssize_t socket_receive(int socket, void *data, size_t size, int *ret_fd) {
        Control control = {};
        struct msghdr message = {
                .msg_iov = &(struct iovec) { .iov_base = data, .iov_len = size },
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = CMSG_LEN(sizeof(int)), /* CMSG_SPACE() has room for two */
        };
        const struct cmsghdr *header;
        int fd = -EBADF;
        ssize_t n;

        do
                n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -1;
        header = CMSG_FIRSTHDR(&message);
        if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)))
                memcpy(&fd, CMSG_DATA(header), sizeof(fd));
        *ret_fd = fd;
        return n;
}
