/* The monitor of a detached container, its log and its exit record, with a plain child in the container's place. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/process.h"
#include "runtime/log.h"
#include "runtime/monitor-watch.h"
#include "runtime/monitor.h"
#include "scratch.h"

#define OUTPUT_MAX (8u << 20)

/* What MONITOR_PROGRAM does, in this process. */
static _Noreturn void watch(Monitor *monitor, pid_t init) {
        static MonitorBuffers buffers;
        MonitorWatch watch, parsed;
        char word[MONITOR_WATCH_TEXT_MAX];

        monitor_release(monitor, init, &watch);
        monitor_watch_print(&watch, word);
        if (!monitor_watch_parse(word, &parsed))
                _exit(98);
        _exit(monitor_watch(&parsed, &buffers));
}

/* Runs a shell command under a monitor; its exit code as the monitor learned it. */
static int monitored(Scratch *scratch, uint64_t log_max, const char *shell) {
        const MonitorRequest request = { .dir_fd = scratch->fd, .log_max = log_max };
        Monitor *monitor;
        ProcessRef process;
        Error err = ERROR_INIT;
        int report, status;

        assert_int_equal(monitor_fork(&request, &monitor, &process, &report, &err), 0);
        if (monitor) {
                const char *argv[] = { "/bin/sh", "-c", shell, NULL };
                const Spawn spawn = {
                        .argv = argv, .stdin_fd = -1, .stdout_fd = monitor_stdout(monitor), .stderr_fd = monitor_stderr(monitor)
                };
                pid_t pid;

                if (process_spawn(&spawn, &pid, NULL, &err) < 0) {
                        monitor_report(monitor, &err);
                        _exit(99);
                }
                watch(monitor, pid);
        }
        assert_int_equal(monitor_report_read(report, &err), 0);
        close(report);
        assert_int_equal(process_wait(process.pid, &status, &err), 0);
        return exit_code_of(status);
}

/* What `logs` prints; *ret_err may be NULL. */
static char *logs(Scratch *scratch, const LogRequest *request, char **ret_err) {
        _cleanup_close_ int out = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600),
                            errors = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        Error err = ERROR_INIT;
        char *text;

        if (log_print(scratch->fd, request, out, errors, &err) < 0)
                fail_msg("%s", err.text);
        lseek(out, 0, SEEK_SET);
        lseek(errors, 0, SEEK_SET);
        assert_int_equal(file_read_fd(out, "out", OUTPUT_MAX, &text, NULL, &err), 0);
        if (ret_err)
                assert_int_equal(file_read_fd(errors, "err", OUTPUT_MAX, ret_err, NULL, &err), 0);
        return text;
}

static void assert_logs(Scratch *scratch, const LogRequest *request, const char *want) {
        _cleanup_free_ char *text = logs(scratch, request, NULL);

        assert_string_equal(text, want);
}

static void output_is_logged_and_the_exit_known(void **state) {
        Scratch *scratch = *state;
        _cleanup_free_ char *out = NULL, *errors = NULL, *line = NULL;
        const LogRequest all = { .tail = -1 };
        Error err = ERROR_INIT;

        assert_int_equal(monitored(scratch, 0, "echo one; echo bad >&2; printf 'two\\nend'; exit 5"), 5);
        out = logs(scratch, &all, &errors);
        assert_string_equal(out, "one\ntwo\nend");
        assert_string_equal(errors, "bad\n");
        assert_int_equal(file_read_at(scratch->fd, LOG_FILE, 4096, &line, NULL, &err), 0);
        assert_int_equal(strncmp(line, "{\"log\":\"one\\n\",\"stream\":\"stdout\",\"time\":\"2", 40), 0);
}

static void a_killed_init_counts_as_128_and_the_signal(void **state) {
        assert_int_equal(monitored(*state, 0, "kill -9 $$"), 137);
}

static void an_exit_is_recorded(void **state) {
        Scratch *scratch = *state;
        char now[TIME_TEXT_MAX];
        ExitRecord record;
        Error err = ERROR_INIT;

        time_now_text(now);
        assert_int_equal(exit_record_load(scratch->fd, &record, &err), -1);
        assert_int_equal(err.errnum, ENOENT);
        assert_int_equal(exit_record_now(scratch->fd, 137, (char *const[]) { NULL }, 0, &err), 0);
        assert_int_equal(exit_record_load(scratch->fd, &record, &err), 0);
        assert_int_equal(record.exit_code, 137);
        assert_false(record.oom_killed);
        assert_true(strcmp(now, record.exited) <= 0);
}

static void only_a_whole_word_says_what_to_watch(void **unused) {
        static const char *const bad[] = { "", "1,2,3,4,5", "1,2,3,4,5,", "1,2,3,4,5,6,7", "1,2,3,4,5,6 ", "a,2,3,4,5,6" };
        MonitorWatch watch;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(monitor_watch_parse(bad[i], &watch));
        assert_true(monitor_watch_parse("3,-9,4,2147483647,5,18446744073709551615", &watch));
        assert_int_equal(watch.dir_fd, 3);
        assert_int_equal(watch.console_listen, -9);
        assert_int_equal(watch.outputs[1], INT_MAX);
        assert_int_equal(watch.init, 5);
        assert_true(watch.log_max == UINT64_MAX);
}

static void bytes_that_are_not_utf8_come_back_exactly(void **state) {
        const LogRequest all = { .tail = -1 };
        char want[300];
        size_t n = 0;
        _cleanup_free_ char *text = NULL;

        for (int c = 1; c < 256; c++)
                want[n++] = (char) c;
        want[n] = '\0';
        assert_int_equal(monitored(*state, 0, "i=1; while [ $i -lt 256 ]; do printf \"\\\\$(printf %o $i)\"; i=$((i+1)); done"), 0);
        text = logs(*state, &all, NULL);
        assert_string_equal(text, want);
}

static void nul_bytes_and_long_lines_come_back_exactly(void **state) {
        Scratch *scratch = *state;
        _cleanup_close_ int out = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        const LogRequest all = { .tail = -1 };
        _cleanup_free_ char *text = NULL;
        Error err = ERROR_INIT;
        size_t len;

        /* an odd start puts a two-byte character across each cut of the buffer */
        assert_int_equal(monitored(scratch, 0, "printf 'x\\0'; i=0; while [ $i -lt 40000 ]; do printf '\\303\\251'; i=$((i+1)); done"), 0);
        assert_int_equal(log_print(scratch->fd, &all, out, out, &err), 0);
        lseek(out, 0, SEEK_SET);
        assert_int_equal(file_read_fd(out, "out", OUTPUT_MAX, &text, &len, &err), 0);
        assert_int_equal(len, 80002);
        assert_memory_equal(text, "x\0\303\251\303\251", 6);
        free(text);
        assert_int_equal(file_read_at(scratch->fd, LOG_FILE, OUTPUT_MAX, &text, NULL, &err), 0);
        assert_null(strstr(text, "latin1")); /* no cut went through a character */
}

static void the_log_is_capped_and_rotated(void **state) {
        Scratch *scratch = *state;
        const LogRequest all = { .tail = -1 }, tail = { .tail = 2 };
        _cleanup_free_ char *text = NULL;
        struct stat st;

        assert_int_equal(monitored(scratch, 20000, "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done"), 0);
        assert_int_equal(fstatat(scratch->fd, LOG_FILE, &st, 0), 0);
        assert_true(st.st_size <= 20000);
        assert_int_equal(fstatat(scratch->fd, LOG_FILE ".1", &st, 0), 0);
        assert_true(st.st_size <= 20000 && st.st_size > 19000);
        assert_logs(scratch, &tail, "line 1998\nline 1999\n");
        text = logs(scratch, &all, NULL);
        assert_true(strlen(text) > 2000);
        assert_int_equal(strncmp(text + strlen(text) - 10, "line 1999\n", 10), 0);
}

static void tail_counts_lines_not_pieces(void **state) {
        const LogRequest one = { .tail = 1 }, none = { .tail = 0 };

        assert_int_equal(monitored(*state, 0, "echo first; printf 'sec'; sleep 1.3; printf 'ond'; sleep 1.3; echo ' line'"), 0);
        assert_logs(*state, &one, "second line\n");
        assert_logs(*state, &none, "");
}

static void since_until_and_timestamps(void **state) {
        const LogRequest future = { .tail = -1, .since = "2999-01-01T00:00:00Z" },
                         past = { .tail = -1, .until = "2001-01-01T00:00:00+01:00" };
        const LogRequest recent = { .tail = -1, .since = "1h30m", .timestamps = true }, bad = { .tail = -1, .since = "yesterday" };
        _cleanup_free_ char *text = NULL;
        Error err = ERROR_INIT;

        assert_int_equal(monitored(*state, 0, "echo one"), 0);
        assert_logs(*state, &future, "");
        assert_logs(*state, &past, "");
        text = logs(*state, &recent, NULL);
        assert_int_equal(strncmp(text, "20", 2), 0);
        assert_non_null(strstr(text, "Z one\n"));
        assert_int_equal(log_print(((Scratch *) *state)->fd, &bad, 1, 1, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
}

static void damaged_lines_are_passed_over(void **state) {
        Scratch *scratch = *state;
        const LogRequest all = { .tail = -1 };
        const char *damage = "{\"log\":\"cut of";

        assert_int_equal(file_write_atomic_at(scratch->fd, LOG_FILE, damage, strlen(damage), 0600, 0, NULL), 0);
        assert_int_equal(monitored(scratch, 0, "echo after"), 0);
        assert_logs(scratch, &all, "after\n");
}

static void a_grandchild_that_holds_the_pipe_does_not_hold_the_monitor(void **state) {
        struct timespec a, b;
        const LogRequest all = { .tail = -1 };

        clock_gettime(CLOCK_MONOTONIC, &a);
        assert_int_equal(monitored(*state, 0, "sleep 8 & echo gone; exit 3"), 3);
        clock_gettime(CLOCK_MONOTONIC, &b);
        assert_true(b.tv_sec - a.tv_sec < 5);
        assert_logs(*state, &all, "gone\n");
}

static void a_failure_reaches_the_caller_whole(void **state) {
        const MonitorRequest request = { .dir_fd = ((Scratch *) *state)->fd };
        Error err = ERROR_INIT;
        ProcessRef process;
        Monitor *monitor;
        int report, status;

        for (int die = 0; die < 2; die++) {
                assert_int_equal(monitor_fork(&request, &monitor, &process, &report, &err), 0);
                if (monitor) {
                        if (die)
                                raise(SIGKILL);
                        error_set_errno(&err, ERROR_INVALID_ROOTFS, EIO, "the root");
                        error_hint(&err, "another one");
                        monitor_report(monitor, &err);
                        _exit(1);
                }
                assert_int_equal(monitor_report_read(report, &err), -1);
                assert_int_equal(err.kind, die ? ERROR_RUNTIME : ERROR_INVALID_ROOTFS);
                if (!die)
                        assert_string_equal(err.hint, "another one");
                close(report);
                assert_int_equal(process_wait(process.pid, &status, NULL), 0);
        }
}

static void a_monitor_holds_no_stray_descriptor(void **state) {
        Scratch *scratch = *state;
        _cleanup_free_ char *text = NULL;
        const LogRequest all = { .tail = -1 };
        int strays[2], high;

        assert_int_equal(pipe(strays), 0);
        high = fcntl(strays[1], F_DUPFD, 200);
        close(strays[1]);
        /* $PPID of the shell is the monitor */
        assert_int_equal(monitored(scratch, 0, "ls -l /proc/$PPID/fd/ /proc/$$/fd/; exit 0"), 0);
        text = logs(scratch, &all, NULL);
        close(high);
        assert_int_equal(read(strays[0], &(char) { 0 }, 1), 0); /* nobody has the other end */
        close(strays[0]);
        assert_non_null(strstr(text, " 1 -> "));
        assert_null(strstr(text, " 200 -> "));
}

static void what_a_console_says_is_logged(void **state) {
        Scratch *scratch = *state;
        const MonitorRequest request = { .dir_fd = scratch->fd };
        const LogRequest all = { .tail = -1 };
        Error err = ERROR_INIT;
        ProcessRef process;
        Monitor *monitor;
        int report, status;

        assert_int_equal(monitor_fork(&request, &monitor, &process, &report, &err), 0);
        if (monitor) {
                struct sockaddr_un address = { .sun_family = AF_UNIX };
                int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
                const char *argv[] = { "/bin/sh", "-c", "echo on a terminal; test -t 1", NULL };
                union {
                        struct cmsghdr header;
                        char space[CMSG_SPACE(sizeof(int))];
                } control = {};
                struct msghdr message = { .msg_iov = &(struct iovec) { (char[]) { "/dev/ptmx" }, 9 },
                                          .msg_iovlen = 1,
                                          .msg_control = &control,
                                          .msg_controllen = sizeof(control) };
                const char *path;
                Spawn spawn = { .argv = argv, .stdin_fd = -1, .stderr_fd = -1 };
                pid_t pid;

                if (monitor_console_listen(monitor, &path, &err) < 0) {
                        monitor_report(monitor, &err);
                        _exit(1);
                }
                strcpy(address.sun_path, path);
                grantpt(master);
                unlockpt(master);
                slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
                control.header = (struct cmsghdr) { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
                memcpy(CMSG_DATA(&control.header), &master, sizeof(int));
                if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0 || sendmsg(fd, &message, 0) < 0)
                        _exit(90);
                spawn.stdout_fd = slave;
                if (process_spawn(&spawn, &pid, NULL, &err) < 0)
                        _exit(91);
                watch(monitor, pid);
        }
        assert_int_equal(monitor_report_read(report, &err), 0);
        close(report);
        assert_int_equal(process_wait(process.pid, &status, &err), 0);
        assert_int_equal(exit_code_of(status), 0);
        assert_logs(scratch, &all, "on a terminal\r\n");
        assert_int_equal(faccessat(scratch->fd, "console", F_OK, 0), -1);
}

/* The log's directory on a file system that is full, then is not. */
static void a_full_disk_loses_output_says_so_and_not_the_exit(void **state) {
        Scratch *scratch = *state;
        _cleanup_free_ char *errors = NULL, *out = NULL;
        const LogRequest all = { .tail = -1 };
        Scratch full;
        int status;
        pid_t pid = fork();

        /* A mount of its own, in a namespace of its own: the test's process stays as it was. */
        if (pid == 0) {
                char command[400];

                snprintf(command, sizeof(command), "mount --make-rprivate / && mount -t tmpfs -o size=1m tmpfs %s", scratch->path);
                if (unshare(CLONE_NEWNS) < 0 || system(command) != 0)
                        _exit(77);
                full = *scratch;
                if (dir_open_at(AT_FDCWD, scratch->path, &full.fd, NULL) < 0)
                        _exit(78);
                /* More than a pipe holds (64 KiB): some of it is lost before there is room again. What the pipe holds then fits. */
                snprintf(command, sizeof(command),
                         "cd %s; echo before; until grep -q before %s; do sleep 0.05; done; head -c 2000000 /dev/zero > filler "
                         "2> /dev/null; line=$(printf %%01000d 0); i=0; while [ $i -lt 300 ]; do echo $line; i=$((i+1)); done; rm filler; "
                         "echo after; exit 6",
                         scratch->path, LOG_FILE);
                if (monitored(&full, 1 << 20, command) != 6)
                        _exit(79);
                out = logs(&full, &all, &errors);
                _exit(!strncmp(out, "before\n", 7) && strstr(out, "\nafter\n") &&
                                      strstr(errors, "pieces of output were lost here: No space left")
                              ? 0
                              : 80);
        }
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        if (exit_code_of(status) == 77)
                skip();
        assert_int_equal(exit_code_of(status), 0);
}

static bool ended_at_once(void *userdata) {
        return (*(unsigned *) userdata)++ > 2;
}

static void follow_ends_with_the_container(void **state) {
        unsigned calls = 0;
        const LogRequest follow = { .tail = -1, .follow = true, .ended = ended_at_once, .userdata = &calls };

        assert_int_equal(monitored(*state, 0, "echo one"), 0);
        assert_logs(*state, &follow, "one\n");
        assert_int_equal(calls, 4);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(output_is_logged_and_the_exit_known),
                scratch_test(a_killed_init_counts_as_128_and_the_signal),
                scratch_test(an_exit_is_recorded),
                cmocka_unit_test(only_a_whole_word_says_what_to_watch),
                scratch_test(bytes_that_are_not_utf8_come_back_exactly),
                scratch_test(nul_bytes_and_long_lines_come_back_exactly),
                scratch_test(the_log_is_capped_and_rotated),
                scratch_test(tail_counts_lines_not_pieces),
                scratch_test(since_until_and_timestamps),
                scratch_test(damaged_lines_are_passed_over),
                scratch_test(a_grandchild_that_holds_the_pipe_does_not_hold_the_monitor),
                scratch_test(a_failure_reaches_the_caller_whole),
                scratch_test(a_monitor_holds_no_stray_descriptor),
                scratch_test(what_a_console_says_is_logged),
                scratch_test(a_full_disk_loses_output_says_so_and_not_the_exit),
                scratch_test(follow_ends_with_the_container),
        };

        alarm(60);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
