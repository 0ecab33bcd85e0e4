/* Foreground runs and exec through the backends crun and runc, with the real programs. */

#include "fixture.h"

#include <dirent.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/json.h"
#include "runtime/cgroup.h"

/* What run() published. */
typedef struct Published {
        pid_t init;
        unsigned calls;
        bool refuse;
} Published;

static int publish(void *userdata, pid_t init, Error *err) {
        Published *published = userdata;

        published->init = init;
        published->calls++;
        return published->refuse ? error_set(err, ERROR_INTERRUPTED, "not wanted") : 0;
}

static void assert_nothing_left(Fixture *f) {
        _cleanup_closedir_ DIR *dir = opendir(f->runtime_dir);
        struct dirent *entry;

        while ((entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
                        fail_msg("'%s' is left", entry->d_name);
        assert_int_equal(fixture_count_cgroups(f->id), 0);
}

/* The whole text of a file of the container's root; "" when there is none. */
static char *text_of(Fixture *f, const char *name) {
        char path[160], *text;

        return file_read_at(AT_FDCWD, fixture_file(f, name, path), 1 << 20, &text, NULL, NULL) < 0 ? strdup("") : text;
}

static void run_returns_the_exit_code_and_leaves_nothing(void **state) {
        static const int codes[] = { 0, 1, 42, 255 };
        Fixture *f = *state;

        fixture_skip_unless_available(f);
        for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
                Published published = {};
                Error err = ERROR_INIT;
                char shell[32];
                int status = -1;

                snprintf(shell, sizeof(shell), "exit %d", codes[i]);
                fixture_bundle(f, shell, "", "");
                assert_ok(f->backend->run(&f->container, &f->create, publish, &published, &status, &err), &err);
                assert_int_equal(status, codes[i]);
                assert_int_equal(published.calls, 1);
                assert_true(published.init > 1);
                assert_nothing_left(f);
        }
}

static void run_publishes_while_the_container_runs(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *seen = NULL;
        Published published = {};
        Error err = ERROR_INIT;
        int status, fds[2];
        pid_t pid;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "echo up > /tmp/up; while [ ! -e /tmp/go ]; do sleep 0.01; done", "", "");
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        pid = fixture_fork();
        if (pid == 0) {
                int r = f->backend->run(&f->container, &f->create, publish, &published, &status, &err);

                _exit(r < 0 || published.calls != 1 ? 100 : status);
        }
        fixture_wait_file(f, "tmp/up");
        assert_int_equal(string_format(&seen, NULL, "%s/.pid", f->runtime_dir), 0);
        /* crun lets the container go on before it writes the file */
        for (int i = 0; i < 500 && access(seen, F_OK) < 0; i++)
                nanosleep(&(struct timespec) { .tv_nsec = 1000000 }, NULL);
        assert_int_equal(access(seen, F_OK), 0);
        close(open(fixture_file(f, "tmp/go", (char[160]) {}), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_int_equal(exit_code_of(status), 0);
        close(fds[0]);
        close(fds[1]);
}

static void a_refused_publication_kills_the_container(void **state) {
        Fixture *f = *state;
        Published published = { .refuse = true };
        Error err = ERROR_INIT;
        int status;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "exec sleep 1000", "", "");
        assert_int_equal(f->backend->run(&f->container, &f->create, publish, &published, &status, &err), -1);
        assert_int_equal(err.kind, ERROR_INTERRUPTED);
        assert_string_equal(err.text, "not wanted");
        assert_nothing_left(f);
}

static void a_failed_run_has_the_runtime_s_words_and_code(void **state) {
        Fixture *f = *state;
        Published published = {};
        Error err = ERROR_INIT;
        char path[160];
        int status = -1;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "true", "", "");
        unlink(fixture_file(f, "bin/sh", path));
        assert_int_equal(f->backend->run(&f->container, &f->create, publish, &published, &status, &err), -1);
        assert_int_equal(err.kind, ERROR_RUNTIME);
        assert_non_null(strstr(err.text, "/bin/sh"));
        assert_int_equal(err.exit_code, 1);
        assert_int_equal(status, -1);
        assert_nothing_left(f);
}

/* Runs in a child and signals that one: what a user does to `proxmox-lxcri run`. */
static void signals_go_on_to_the_container(void **state) {
        static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 };
        Fixture *f = *state;

        fixture_skip_unless_available(f);
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                Published published = {};
                Error err = ERROR_INIT;
                char shell[160], path[160];
                int status = -1;
                pid_t pid;

                unlink(fixture_file(f, "tmp/up", path));
                snprintf(shell, sizeof(shell), "trap 'exit 7' %d; echo up > /tmp/up; while true; do sleep 0.01; done", signals[i]);
                fixture_bundle(f, shell, "", "");
                pid = fixture_fork();
                if (pid == 0) {
                        int r = f->backend->run(&f->container, &f->create, publish, &published, &status, &err);

                        _exit(r < 0 ? 100 : status);
                }
                fixture_wait_file(f, "tmp/up");
                kill(pid, signals[i]);
                assert_int_equal(process_wait(pid, &status, NULL), 0);
                assert_int_equal(exit_code_of(status), 7);
        }
}

/* A signal before there is a container waits until there is one. */
static void an_early_signal_is_not_lost(void **state) {
        Fixture *f = *state;
        Published published = {};
        Error err = ERROR_INIT;
        int status = -1;
        pid_t pid;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "exec sleep 1000", "", "");
        pid = fixture_fork();
        if (pid == 0) {
                sigset_t set;
                int r;

                sigemptyset(&set);
                sigaddset(&set, SIGKILL);
                sigaddset(&set, SIGUSR2);
                sigprocmask(SIG_BLOCK, &set, NULL);
                kill(getpid(), SIGUSR2); /* deadly to a sleep that is not init … */
                r = f->backend->run(&f->container, &f->create, publish, &published, &status, &err);
                _exit(r < 0 ? 100 : status);
        }
        /* … and ignored by the kernel for an init without a handler: the run goes on, the runtime did not die of it */
        nanosleep(&(struct timespec) { .tv_nsec = 300000000 }, NULL);
        assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
        kill(pid, SIGKILL);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_ok(f->backend->delete (&f->container, true, &err), &err);
}

static void descriptors_are_preserved_and_no_other(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *seen = NULL;
        Published published = {};
        Error err = ERROR_INIT;
        int status = -1;
        pid_t pid;

        fixture_skip_unless_available(f);
        fixture_bundle(f,
                       "cd /proc/self/fd; for i in *; do case $(readlink $i) in *memfd*|*preserved*) echo $i $(readlink $i);; esac; done > "
                       "/tmp/fds",
                       "", "");
        pid = fixture_fork();
        if (pid == 0) {
                char path[160];
                int fd = open(fixture_file(f, "tmp/preserved", path), O_CREAT | O_RDWR | O_CLOEXEC, 0600);

                dup2(fd, 3);
                dup2(fd, 4);
                f->create.preserve_fds = 2;
                _exit(f->backend->run(&f->container, &f->create, publish, &published, &status, &err) < 0 ? 100 : status);
        }
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_int_equal(exit_code_of(status), 0);
        seen = text_of(f, "tmp/fds");
        if (strncmp(seen, "3 ", 2) || !strstr(seen, "\n4 ") || strstr(seen, "memfd"))
                fail_msg("descriptors: %s", seen);
}

static void exec_keeps_the_exit_code_and_passes_options(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *seen = NULL;
        char *const args[] = { (char *) "/bin/sh",
                               (char *) "-c",
                               (char *) "(id -u; id -g; pwd; echo $COLOUR; echo \"$*\") > /tmp/seen; exit 9",
                               (char *) "sh",
                               (char *) "--",
                               (char *) "-x",
                               NULL };
        char *const env[] = { (char *) "COLOUR=blue", NULL };
        const BackendExec request = { .args = args, .env = env, .cwd = "/tmp", .user = "5:6" };
        Error err = ERROR_INIT;
        int status = -1;
        char path[160];

        fixture_skip_unless_available(f);
        fixture_bundle(f, "exec sleep 1000", "", "");
        chmod(fixture_file(f, "tmp", path), 0777);
        fixture_create(f);
        assert_ok(f->backend->start(&f->container, &err), &err);
        assert_ok(f->backend->exec(&f->container, &f->state, &request, &status, &err), &err);
        assert_int_equal(status, 9);
        seen = text_of(f, "tmp/seen");
        assert_string_equal(seen, "5\n6\n/tmp\nblue\n-- -x\n");
}

static void exec_of_a_process_object_and_of_a_file(void **state) {
        Fixture *f = *state;
        json_t *process = json_pack("{s:s, s:{s:i, s:i}, s:[s], s:[s,s,s]}", "cwd", "/", "user", "uid", 0, "gid", 0, "env", "PATH=/bin",
                                    "args", "/bin/sh", "-c", "exit 11");
        BackendExec request = { .process = process };
        _cleanup_free_ char *file = NULL;
        Error err = ERROR_INIT;
        int status = -1;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "exec sleep 1000", "", "");
        fixture_create(f);
        assert_ok(f->backend->start(&f->container, &err), &err);
        assert_ok(f->backend->exec(&f->container, &f->state, &request, &status, &err), &err);
        assert_int_equal(status, 11);

        assert_int_equal(json_save_at(f->scratch->fd, "process.json", process, 0600, 0, &err), 0);
        assert_int_equal(string_format(&file, &err, "%s/process.json", f->scratch->path), 0);
        request = (BackendExec) { .process_file = file };
        assert_ok(f->backend->exec(&f->container, &f->state, &request, &status, &err), &err);
        assert_int_equal(status, 11);
        json_decref(process);
}

static void exec_that_cannot_start_is_an_error_with_the_runtime_s_words(void **state) {
        Fixture *f = *state;
        char *const args[] = { (char *) "/bin/nope", NULL };
        const BackendExec request = { .args = args };
        Error err = ERROR_INIT;
        int status = -1;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "exec sleep 1000", "", "");
        fixture_create(f);
        assert_ok(f->backend->start(&f->container, &err), &err);
        assert_int_equal(f->backend->exec(&f->container, &f->state, &request, &status, &err), -1);
        print_message("%d %s\n", err.exit_code, err.text);
        assert_int_equal(err.kind, ERROR_RUNTIME);
        assert_non_null(strstr(err.text, "/bin/nope"));
        assert_true(err.exit_code > 0);

        assert_ok(f->backend->pause(&f->container, &f->state, &err), &err);
        assert_int_equal(f->backend->exec(&f->container, &f->state, &request, &status, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_STATE);
        assert_ok(f->backend->kill(&f->container, &f->state, SIGKILL, false, &err), &err);
        fixture_wait_init(f);
        assert_int_equal(f->backend->exec(&f->container, &f->state, &request, &status, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_STATE);
}

static void exec_detached_returns_at_once_and_writes_the_pid_file(void **state) {
        Fixture *f = *state;
        char *const args[] = { (char *) "/bin/sleep", (char *) "1000", NULL };
        _cleanup_free_ char *pid_file = NULL, *text = NULL;
        BackendExec request = { .args = args, .detach = true };
        Error err = ERROR_INIT;
        int status = -1;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "exec sleep 1000", "", "");
        fixture_create(f);
        assert_ok(f->backend->start(&f->container, &err), &err);
        assert_int_equal(string_format(&pid_file, &err, "%s/exec.pid", f->scratch->path), 0);
        request.pid_file = pid_file;
        assert_ok(f->backend->exec(&f->container, &f->state, &request, &status, &err), &err);
        assert_int_equal(status, 0);
        assert_ok(file_read_at(AT_FDCWD, pid_file, 32, &text, NULL, &err), &err);
        assert_int_equal(kill(atoi(text), 0), 0);
}

/* Whoever supervises a runtime that dies must not leave its container running. */
static void a_killed_runtime_takes_its_container_along(void **state) {
        Fixture *f = *state;
        Published published = {};
        Error err = ERROR_INIT;
        int status = -1;
        pid_t pid;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "echo up > /tmp/up; exec sleep 1000", "", "");
        pid = fixture_fork();
        if (pid == 0) {
                int r = f->backend->run(&f->container, &f->create, publish, &published, &status, &err);

                _exit(r < 0 && err.kind == ERROR_RUNTIME && err.exit_code == 128 + SIGKILL && strstr(err.text, "signal 9") ? 0 : 1);
        }
        fixture_wait_file(f, "tmp/up");
        for (int i = 0; i < 100; i++) {
                char command[64];
                FILE *p;
                int runtime = 0;

                snprintf(command, sizeof(command), "pgrep -P %d", (int) pid);
                p = popen(command, "re");
                if (fscanf(p, "%d", &runtime) == 1)
                        kill(runtime, SIGKILL);
                pclose(p);
                if (runtime > 0)
                        break;
        }
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_int_equal(exit_code_of(status), 0);
        assert_nothing_left(f);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                backend_tests(run_returns_the_exit_code_and_leaves_nothing),
                backend_tests(run_publishes_while_the_container_runs),
                backend_tests(a_refused_publication_kills_the_container),
                backend_tests(a_failed_run_has_the_runtime_s_words_and_code),
                backend_tests(signals_go_on_to_the_container),
                backend_tests(an_early_signal_is_not_lost),
                backend_tests(descriptors_are_preserved_and_no_other),
                backend_tests(a_killed_runtime_takes_its_container_along),
                backend_tests(exec_keeps_the_exit_code_and_passes_options),
                backend_tests(exec_of_a_process_object_and_of_a_file),
                backend_tests(exec_that_cannot_start_is_an_error_with_the_runtime_s_words),
                backend_tests(exec_detached_returns_at_once_and_writes_the_pid_file),
        };

        cmocka_set_test_filter(getenv("TEST_FILTER"));
        return cmocka_run_group_tests(tests, NULL, NULL);
}
