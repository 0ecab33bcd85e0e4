#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/socket.h"

static void a_descriptor_goes_with_its_message(void **state) {
        int sockets[2], pipe_fds[2], fd = -1;
        char text[8];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
        assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
        assert_int_equal(socket_send(sockets[0], "ab", 2, pipe_fds[1]), 0);
        assert_int_equal(socket_receive(sockets[1], text, sizeof(text), &fd), 2);
        assert_memory_equal(text, "ab", 2);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(write(fd, "x", 1), 1);
        assert_int_equal(read(pipe_fds[0], text, sizeof(text)), 1);
        close(fd);

        assert_int_equal(socket_send(sockets[0], "c", 1, -EBADF), 0);
        assert_int_equal(socket_receive(sockets[1], text, sizeof(text), &fd), 1);
        assert_int_equal(fd, -EBADF);
        close(sockets[0]);
        assert_int_equal(socket_receive(sockets[1], text, sizeof(text), &fd), 0);
        assert_int_equal(socket_send(sockets[1], "d", 1, -EBADF), -1);
        assert_int_equal(errno, EPIPE);
        close(sockets[1]);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
}

/* A stranger's message may carry more; what is not asked for must not stay open. */
static void of_two_descriptors_none_is_left(void **state) {
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(2 * sizeof(int))];
        } control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(2 * sizeof(int)) } };
        const struct msghdr message = {
                .msg_iov = &(struct iovec) { .iov_base = (char[]) { "x" }, .iov_len = 1 },
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof(control),
        };
        const int both[] = { STDIN_FILENO, STDIN_FILENO };
        int sockets[2], fd = -EBADF, next;
        char text[8];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
        memcpy(CMSG_DATA(&control.header), both, sizeof(both));
        assert_int_equal(sendmsg(sockets[0], &message, 0), 1);
        assert_int_equal(socket_receive(sockets[1], text, sizeof(text), &fd), 1);
        if (fd >= 0)
                close(fd);
        next = dup(STDIN_FILENO);
        assert_int_equal(next, sockets[1] + 1);
        close(next);
        close(sockets[0]);
        close(sockets[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_descriptor_goes_with_its_message),
                cmocka_unit_test(of_two_descriptors_none_is_left),
        };

        return cmocka_run_group_tests_name("socket", tests, NULL, NULL);
}
