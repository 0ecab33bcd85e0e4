/* linux.seccomp as a program of the kernel: what becomes of processes that have loaded it. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "seccomp-fixture.h"

/* Loads it into this process, which is a child of the test. Returns the listener, or 0. */
static int load(const SeccompFilter *filter) {
        struct sock_fprog program = { .len = (unsigned short) filter->length, .filter = filter->program };
        int r;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                _exit(100);
        r = (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program);
        if (r < 0)
                _exit(101);
        return r;
}

/* The wait status of a child that loads a filter and does something. */
static int child(const char *profile, int (*body)(int listener)) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };
        int status;
        pid_t pid;

        compile_ok(profile, &filter);
        pid = fork();
        if (pid == 0)
                _exit(body(load(&filter)));
        assert_true(pid > 0);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        return status;
}

static int exited(int status) {
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* The errno of getppid(), or 0. */
static int call_getppid(int listener) {
        errno = 0;
        return syscall(SYS_getppid) < 0 ? errno : 0;
}

static void *call_in_thread(void *unused) {
        (void) syscall(SYS_getppid);
        return NULL;
}

static int thread_getppid(int listener) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, call_in_thread, NULL) != 0)
                return 102;
        pthread_join(thread, NULL);
        return 7;
}

static void allows_and_denies(void **state) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };

        assert_int_equal(exited(child("{'defaultAction': 'SCMP_ACT_ALLOW'}", call_getppid)), 0);
        assert_int_equal(exited(child("{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['getppid'], 'action': "
                                      "'SCMP_ACT_ERRNO'}]}", call_getppid)), EPERM);
        assert_int_equal(exited(child("{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['getppid'], 'action': "
                                      "'SCMP_ACT_ERRNO', 'errnoRet': 77}]}", call_getppid)), 77);
        assert_int_equal(exited(child("{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['getppid'], 'action': "
                                      "'SCMP_ACT_LOG'}]}", call_getppid)), 0);
        /* a sanitizer could not even end under such a filter: not run */
        compile_ok("{'defaultAction': 'SCMP_ACT_ERRNO', 'defaultErrnoRet': 33, 'architectures': ['SCMP_ARCH_X86_64'], 'syscalls': ["
                   "{'names': ['exit_group', 'clone3'], 'action': 'SCMP_ACT_ALLOW'}]}", &filter);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID), SECCOMP_RET_ERRNO | 33);
}

static void kills_thread_or_process(void **state) {
        static const char profile[] = "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['getppid'], 'action': '%s'}]}";
        char text[256];

        for (const char *const *kill = (const char *const[]) { "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", NULL }; *kill; kill++) {
                snprintf(text, sizeof(text), profile, *kill);
                assert_int_equal(exited(child(text, call_getppid)), -SIGSYS);
                assert_int_equal(exited(child(text, thread_getppid)), 7);
        }
        snprintf(text, sizeof(text), profile, "SCMP_ACT_KILL_PROCESS");
        assert_int_equal(exited(child(text, call_getppid)), -SIGSYS);
        assert_int_equal(exited(child(text, thread_getppid)), -SIGSYS);
}

static void on_sigsys(int signal, siginfo_t *info, void *context) {
        _exit(info->si_code == 1 /* SYS_SECCOMP */ && info->si_syscall == SYS_getppid ? 42 : 43);
}

static int trap_getppid(int listener) {
        const struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

        sigaction(SIGSYS, &action, NULL);
        (void) syscall(SYS_getppid);
        return 44;
}

static void traps(void **state) {
        assert_int_equal(exited(child("{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['getppid'], 'action': "
                                      "'SCMP_ACT_TRAP'}]}", trap_getppid)), 42);
}

/* The message that a tracer gets. */
static unsigned long traced_message(const char *profile) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };
        unsigned long message = 0;
        int status;
        pid_t pid;

        compile_ok(profile, &filter);
        pid = fork();
        if (pid == 0) {
                if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                        _exit(103);
                raise(SIGSTOP);
                load(&filter);
                _exit(call_getppid(0));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSTOPPED(status));
        assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *) (PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL)), 0);
        assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status >> 8, SIGTRAP | (PTRACE_EVENT_SECCOMP << 8));
        assert_int_equal(ptrace(PTRACE_GETEVENTMSG, pid, NULL, &message), 0);
        assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(exited(status), 0);
        return message;
}

static void traces(void **state) {
        assert_int_equal(exited(child("{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['getppid'], 'action': "
                                      "'SCMP_ACT_TRACE'}]}", call_getppid)), ENOSYS); /* nobody traces */
        assert_int_equal(traced_message("{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['getppid'], 'action': "
                                        "'SCMP_ACT_TRACE'}]}"), EPERM);
        assert_int_equal(traced_message("{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['getppid'], 'action': "
                                        "'SCMP_ACT_TRACE', 'errnoRet': 54321}]}"), 54321);
}

/* A child of it asks, and it answers. */
static int notified_getppid(int listener) {
        struct seccomp_notif asked = { 0 };
        struct seccomp_notif_resp response = { 0 };
        int status;
        pid_t pid;

        pid = fork();
        if (pid == 0)
                _exit(syscall(SYS_getppid) == 4711 ? 42 : 43);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0 || asked.data.nr != SYS_getppid)
                return 104;
        response.id = asked.id;
        response.val = 4711;
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) < 0 || waitpid(pid, &status, 0) != pid)
                return 105;
        return exited(status);
}

static void notifies(void **state) {
        static const char profile[] =
                "{'defaultAction': 'SCMP_ACT_ALLOW', 'listenerPath': '/run/agent', 'listenerMetadata': 'x', 'flags': [%s], "
                "'syscalls': [{'names': ['getppid'], 'action': 'SCMP_ACT_NOTIFY'}]}";
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };
        char text[512];

        for (const char *const *flags = (const char *const[]) { "", "'SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG'",
                                                                "'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'", NULL };
             *flags; flags++) {
                snprintf(text, sizeof(text), profile, *flags);
                assert_int_equal(exited(child(text, notified_getppid)), 42);
        }
        compile_ok(text, &filter);
        assert_string_equal(filter.listener_path, "/run/agent");
        assert_string_equal(filter.listener_metadata, "x");
        assert_int_equal(filter.flags, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
}

static void flags_reach_the_kernel(void **state) {
        static const struct {
                const char *profile;
                unsigned flags;
        } rows[] = {
                { "{'defaultAction': 'SCMP_ACT_ALLOW'}", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'flags': []}", 0 },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'flags': ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_TSYNC']}",
                  SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'listenerPath': '/run/unused'}", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };

                compile_ok(rows[i].profile, &filter);
                assert_int_equal(filter.flags, rows[i].flags);
                assert_null(filter.listener_path);
                assert_int_equal(exited(child(rows[i].profile, call_getppid)), 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(allows_and_denies),
                cmocka_unit_test(kills_thread_or_process),
                cmocka_unit_test(traps),
                cmocka_unit_test(traces),
                cmocka_unit_test(notifies),
                cmocka_unit_test(flags_reach_the_kernel),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
