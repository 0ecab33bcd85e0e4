#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/process.h"

#include "../scratch.h"

#define SPAWN(...) \
        ((Spawn) { .argv = (const char *const[]) { __VA_ARGS__, NULL }, .stdin_fd = -1, \
                   .stdout_fd = -1, .stderr_fd = SPAWN_INHERIT })

/* Runs @spawn with its output in a pipe; returns what it wrote (static), *ret_code its exit code. */
static const char *output_of(Spawn spawn, int *ret_code) {
        static char text[8192];
        int out[2], status;
        size_t len = 0;
        ssize_t n;
        pid_t pid;
        Error err = ERROR_INIT;

        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        spawn.stdout_fd = out[1];
        if (process_spawn(&spawn, &pid, NULL, &err) < 0)
                fail_msg("%s", err.text);
        close(out[1]);
        while ((n = read(out[0], text + len, sizeof(text) - 1 - len)) > 0)
                len += (size_t) n;
        text[len] = '\0';
        close(out[0]);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        if (ret_code)
                *ret_code = exit_code_of(status);
        return text;
}

static pid_t start_pausing(void) {
        pid_t pid = fork();

        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;)
                        pause();
        }
        return pid;
}

static void end(pid_t pid) {
        int status;

        kill(pid, SIGKILL);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
}

/* ---- identity ---- */

static void a_process_is_told_from_a_later_one_with_its_pid(void **state) {
        ProcessRef ref, other;
        pid_t pid = start_pausing();
        int fd;

        assert_int_equal(process_ref(pid, &ref, NULL), 0);
        assert_true(process_is_alive(&ref));
        fd = process_open(&ref);
        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        close(fd);

        other = ref;
        other.start_time++;
        assert_false(process_is_alive(&other));
        assert_int_equal(process_open(&other), -ESRCH);
        assert_int_equal(process_signal(&other, SIGKILL), -ESRCH);
        assert_true(process_is_alive(&ref)); /* the signal hit nobody */
        end(pid);
}

static void a_zombie_is_not_alive(void **state) {
        ProcessRef ref;
        siginfo_t info;
        pid_t pid = start_pausing();

        assert_int_equal(process_ref(pid, &ref, NULL), 0);
        assert_int_equal(process_signal(&ref, SIGKILL), 0);
        assert_int_equal(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
        assert_false(process_is_alive(&ref));
        end(pid);
        assert_int_equal(process_signal(&ref, 0), -ESRCH);
}

static void nobody_is_no_process(void **state) {
        ProcessRef none = { 0 }, ref = { .pid = 7 };
        Error err = ERROR_INIT;
        pid_t pid = start_pausing();

        end(pid);
        assert_false(process_is_alive(&none));
        assert_int_equal(process_open(&none), -ESRCH);
        assert_int_equal(process_ref(pid, &ref, &err), -1);
        assert_int_equal(err.errnum, ESRCH);
        assert_int_equal(ref.pid, 7);
}

static void a_name_with_parentheses_does_not_fool_us(void **state) {
        ProcessRef before, after;
        char name[16];

        assert_int_equal(prctl(PR_GET_NAME, name), 0);
        assert_int_equal(process_ref(getpid(), &before, NULL), 0);
        assert_int_equal(prctl(PR_SET_NAME, ") Z 1 (x) "), 0);
        assert_int_equal(process_ref(getpid(), &after, NULL), 0);
        assert_int_equal(after.start_time, before.start_time);
        assert_true(process_is_alive(&after));
        assert_int_equal(prctl(PR_SET_NAME, name), 0);
}

static void namespaces_and_boots_are_named(void **state) {
        char boot[BOOT_ID_MAX], again[BOOT_ID_MAX];
        uint64_t own = 0, by_pid = 1;

        assert_int_equal(process_mount_namespace(0, &own, NULL), 0);
        assert_int_equal(process_mount_namespace(getpid(), &by_pid, NULL), 0);
        assert_int_equal(own, by_pid);
        unsetenv("PROXMOX_LXCRI_BOOT_ID");
        assert_int_equal(boot_id_read(boot, NULL), 0);
        assert_int_equal(boot_id_read(again, NULL), 0);
        assert_string_equal(boot, again);
        assert_int_equal(strlen(boot), 36);
#ifdef TEST_HOOKS
        setenv("PROXMOX_LXCRI_BOOT_ID", "other", 1);
        assert_int_equal(boot_id_read(again, NULL), 0);
        assert_string_equal(again, "other");
        unsetenv("PROXMOX_LXCRI_BOOT_ID");
#endif
}

static void exit_codes_are_the_shell_s(void **state) {
        int code;

        (void) output_of(SPAWN("sh", "-c", "exit 7"), &code);
        assert_int_equal(code, 7);
        (void) output_of(SPAWN("sh", "-c", "kill -9 $$"), &code);
        assert_int_equal(code, 137);
}

/* ---- starting ---- */

static void a_missing_program_is_not_available(void **state) {
        pid_t pid = 0;
        Error err = ERROR_INIT;

        assert_int_equal(process_spawn(&SPAWN("no-such-program-anywhere"), &pid, NULL, &err), -1);
        assert_int_equal(err.kind, ERROR_RUNTIME_NOT_AVAILABLE);
        assert_int_equal(pid, 0);
        assert_int_equal(process_spawn(&SPAWN("/etc/passwd"), &pid, NULL, &err), -1); /* not executable */
        assert_int_equal(err.kind, ERROR_RUNTIME_NOT_AVAILABLE);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

static void a_program_that_cannot_run_is_reported_here(void **state) {
        Scratch *scratch = *state;
        char path[128];
        pid_t pid = 0;
        Error err = ERROR_INIT;

        assert_int_equal(file_write_atomic_at(scratch->fd, "broken", "\x7f" "ELF, not really", 16, 0755, 0, NULL), 0);
        snprintf(path, sizeof(path), "%s/broken", scratch->path);
        assert_int_equal(process_spawn(&SPAWN(path), &pid, NULL, &err), -1);
        assert_int_equal(err.kind, ERROR_FILE);
        assert_int_equal(err.errnum, ENOEXEC);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* and leaves no child */
}

static void arguments_and_environment_arrive_as_they_are(void **state) {
        Spawn spawn = SPAWN("sh", "-c", "printf '%s|' \"$@\" \"$NAME\" \"$HOME\"", "sh", "a b", "$(x)", "");

        spawn.envp = (const char *const[]) { "NAME=va lue", NULL };
        assert_string_equal(output_of(spawn, NULL), "a b|$(x)||va lue||");
}

/* The shell's glob lists the descriptors: its own of the directory is closed again when the list is printed. */
#define LIST_FDS "for f in /proc/self/fd/*; do [ -e \"$f\" ] && printf '%s ' \"${f##*/}\"; done"

static void only_named_descriptors_are_inherited(void **state) {
        int stray = fcntl(open("/dev/null", O_RDONLY), F_DUPFD, 50), kept = fcntl(stray, F_DUPFD_CLOEXEC, 60);
        Spawn spawn = SPAWN("bash", "-c", LIST_FDS);

        assert_string_equal(output_of(spawn, NULL), "0 1 2 ");
        spawn.keep_fds = &kept;
        spawn.n_keep_fds = 1;
        assert_string_equal(output_of(spawn, NULL), "0 1 2 60 ");
        close(stray);
        close(kept);
}

static void run_preserving(void) {
        int null = open("/dev/null", O_RDWR), status;
        Spawn spawn = SPAWN("bash", "-c", LIST_FDS);
        pid_t pid;

        dup2(null, 3);
        dup2(null, 4);
        dup2(null, 5);
        for (int fd = 6; fd < 100; fd++)
                close(fd);
        fcntl(3, F_SETFD, FD_CLOEXEC); /* preserved even so */
        spawn.n_preserve_fds = 2;
        spawn.stdout_fd = SPAWN_INHERIT;
        if (process_spawn(&spawn, &pid, NULL, NULL) < 0 || process_wait(pid, &status, NULL) < 0)
                _exit(1);
        _exit(0);
}

static void preserved_descriptors_keep_their_numbers(void **state) {
        int out[2], status;
        char text[256] = "";
        pid_t pid;

        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                dup2(out[1], 1);
                run_preserving();
        }
        close(out[1]);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_int_equal(status, 0);
        assert_true(read(out[0], text, sizeof(text) - 1) > 0);
        close(out[0]);
        assert_string_equal(text, "0 1 2 3 4 ");
}

/* In a child of its own: standard streams given as each other's numbers must not overwrite one another. */
static void standard_streams_may_be_exchanged(void **state) {
        int out[2], err_pipe[2], status;
        char to_out[16] = "", to_err[16] = "";
        pid_t pid;

        assert_int_equal(pipe2(out, O_CLOEXEC), 0);
        assert_int_equal(pipe2(err_pipe, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                Spawn spawn = SPAWN("sh", "-c", "printf out; printf err >&2");
                pid_t inner;

                dup2(out[1], 1);
                dup2(err_pipe[1], 2);
                spawn.stdout_fd = 2;
                spawn.stderr_fd = 1;
                if (process_spawn(&spawn, &inner, NULL, NULL) < 0 || process_wait(inner, &status, NULL) < 0)
                        _exit(1);
                _exit(0);
        }
        close(out[1]);
        close(err_pipe[1]);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_true(read(out[0], to_out, sizeof(to_out) - 1) > 0);
        assert_true(read(err_pipe[0], to_err, sizeof(to_err) - 1) > 0);
        assert_string_equal(to_out, "err");
        assert_string_equal(to_err, "out");
        close(out[0]);
        close(err_pipe[0]);
}

static void signal_state_is_not_inherited(void **state) {
        sigset_t blocked, old;
        int code;

        sigemptyset(&blocked);
        sigaddset(&blocked, SIGTERM);
        assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &old), 0);
        signal(SIGPIPE, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        assert_non_null(strstr(output_of(SPAWN("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"), &code),
                               "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"));
        signal(SIGPIPE, SIG_DFL);
        signal(SIGHUP, SIG_DFL);
        assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
}

static void sessions_and_pidfds_on_request(void **state) {
        Spawn spawn = SPAWN("sleep", "60");
        int pidfd = -1, status;
        pid_t pid;

        spawn.new_session = true;
        assert_int_equal(process_spawn(&spawn, &pid, &pidfd, NULL), 0);
        assert_int_equal(getsid(pid), pid);
        assert_true(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
        close(pidfd);
        kill(pid, SIGKILL);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
}

static void the_child_dies_with_its_parent_on_request(void **state) {
        int report[2], status;
        ProcessRef ref;
        pid_t pid, inner = 0;

        assert_int_equal(pipe2(report, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                Spawn spawn = SPAWN("sleep", "60");

                spawn.parent_death_signal = SIGKILL;
                if (process_spawn(&spawn, &inner, NULL, NULL) == 0)
                        (void) !write(report[1], &inner, sizeof(inner));
                pause();
                _exit(0);
        }
        assert_int_equal(read(report[0], &inner, sizeof(inner)), sizeof(inner));
        assert_int_equal(process_ref(inner, &ref, NULL), 0);
        kill(pid, SIGKILL);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        for (int i = 0; i < 500 && process_is_alive(&ref); i++)
                usleep(10 * 1000);
        assert_false(process_is_alive(&ref));
        close(report[0]);
        close(report[1]);
}

/* ---- finding ---- */

static void programs_are_found_by_absolute_path_entries_only(void **state) {
        Scratch *scratch = *state;
        _cleanup_free_ char *saved = strdup(getenv("PATH")), *first = NULL, *relative = NULL, *slash = NULL;
        char path[256], expected[128];

        assert_int_equal(mkdirat(scratch->fd, "a", 0700), 0);
        assert_int_equal(mkdirat(scratch->fd, "b", 0700), 0);
        assert_int_equal(mkdirat(scratch->fd, "a/tool", 0700), 0); /* a directory is no program */
        assert_int_equal(mkdirat(scratch->fd, "c", 0700), 0);
        assert_int_equal(mknodat(scratch->fd, "b/tool", S_IFREG | 0755, 0), 0);
        assert_int_equal(mknodat(scratch->fd, "c/tool", S_IFREG | 0755, 0), 0);
        assert_int_equal(mknodat(scratch->fd, "here", S_IFREG | 0755, 0), 0);
        assert_int_equal(fchdir(scratch->fd), 0);

        snprintf(path, sizeof(path), ":c:%s/a:%s/b:%s/c", scratch->path, scratch->path, scratch->path);
        setenv("PATH", path, 1);
        first = program_find("tool");
        relative = program_find("here");
        slash = program_find("./here");
        setenv("PATH", saved, 1);
        assert_int_equal(chdir("/"), 0);

        snprintf(expected, sizeof(expected), "%s/b/tool", scratch->path);
        assert_string_equal(first, expected);
        assert_null(relative);
        assert_non_null(slash);
        assert_int_equal(slash[0], '/');
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_process_is_told_from_a_later_one_with_its_pid),
                cmocka_unit_test(a_zombie_is_not_alive),
                cmocka_unit_test(nobody_is_no_process),
                cmocka_unit_test(a_name_with_parentheses_does_not_fool_us),
                cmocka_unit_test(namespaces_and_boots_are_named),
                cmocka_unit_test(exit_codes_are_the_shell_s),
                cmocka_unit_test(a_missing_program_is_not_available),
                scratch_test(a_program_that_cannot_run_is_reported_here),
                cmocka_unit_test(arguments_and_environment_arrive_as_they_are),
                cmocka_unit_test(only_named_descriptors_are_inherited),
                cmocka_unit_test(preserved_descriptors_keep_their_numbers),
                cmocka_unit_test(standard_streams_may_be_exchanged),
                cmocka_unit_test(signal_state_is_not_inherited),
                cmocka_unit_test(sessions_and_pidfds_on_request),
                cmocka_unit_test(the_child_dies_with_its_parent_on_request),
                scratch_test(programs_are_found_by_absolute_path_entries_only),
        };

        alarm(120);
        return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
