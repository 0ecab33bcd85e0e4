/* What an init says, when it is not what an init says: a process of the container may have got hold of it. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/session.h"

/* The session's answer to one message of an init that then is gone. */
static int say(Session *session, InitMessage message, Error *err) {
        InitMessage said;
        int ends[2], fd = -EBADF, r;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        session->socket = ends[0];
        assert_int_equal(write(ends[1], &message, sizeof(message)), sizeof(message));
        /* it may still be told to go on */
        assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
        r = session_next(session, &said, &fd, err);
        close(ends[1]);
        close_keep_errno(fd);
        return r;
}

static pid_t start_child(void) {
        const pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(pause());
        return pid;
}

/* By session_abort() that would be killed. */
static void a_process_that_is_not_our_child_is_not_taken_for_the_init(void **state) {
        const pid_t others[] = { 1, getpid(), getppid(), 0, -1, INT32_MAX };

        for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
                Session session = SESSION_INIT;
                Error err = ERROR_INIT;
                const pid_t child = start_child();

                session.pid = child;
                assert_int_equal(say(&session, (InitMessage) { .kind = INIT_PID, .value = others[i] }, &err), -1);
                assert_int_equal(err.kind, ERROR_RUNTIME);
                assert_int_equal(session.pid, child);
                session_abort(&session);
                session_end(&session);
                assert_int_equal(waitpid(child, NULL, WNOHANG), -1);
        }
}

static void another_child_goes_on_in_the_place_of_the_first(void **state) {
        Session session = SESSION_INIT;
        Error err = ERROR_INIT;
        const pid_t second = start_child(), first = fork();

        if (first == 0)
                _exit(0);
        session.pid = first;
        assert_int_equal(say(&session, (InitMessage) { .kind = INIT_PID, .value = second }, &err), 0);
        assert_int_equal(session.pid, second);
        assert_int_equal(waitpid(first, NULL, WNOHANG), -1);
        session_abort(&session);
        session_end(&session);
}

static void what_nobody_understands_is_an_error(void **state) {
        Session session = SESSION_INIT;
        Error err = ERROR_INIT;

        assert_int_equal(say(&session, (InitMessage) { .kind = 4711 }, &err), -1);
        assert_int_equal(err.kind, ERROR_RUNTIME);
        session_end(&session);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_process_that_is_not_our_child_is_not_taken_for_the_init),
                cmocka_unit_test(another_child_goes_on_in_the_place_of_the_first),
                cmocka_unit_test(what_nobody_understands_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
