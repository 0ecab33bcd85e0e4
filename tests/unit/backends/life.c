/* The life of a container through the backends crun and runc, with the real programs. */

#include "fixture.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "runtime/cgroup.h"

static ContainerStatus status_of(Fixture *fixture) {
        ContainerStatus status = STATUS_CREATING;
        Error err = ERROR_INIT;

        assert_ok(fixture->backend->state(&fixture->container, &fixture->state, &status, &err), &err);
        return status;
}

/* What the runtime program itself says the status is. */
static void assert_runtime_says(Fixture *fixture, const char *status) {
        char command[512], text[2048], want[64];
        FILE *out;
        size_t n;

        snprintf(command, sizeof(command), "%s --root %s state %s", fixture->backend->name, fixture->runtime_dir, fixture->id);
        out = popen(command, "r");
        assert_non_null(out);
        n = fread(text, 1, sizeof(text) - 1, out);
        text[n] = '\0';
        pclose(out);
        snprintf(want, sizeof(want), "\"status\": \"%s\"", status);
        if (!strstr(text, want))
                fail_msg("no %s in: %s", want, text);
}

static void assert_empty(const char *directory) {
        _cleanup_closedir_ DIR *dir = opendir(directory);
        struct dirent *entry;

        while ((entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
                        fail_msg("'%s' is left in '%s'", entry->d_name, directory);
}

static void created_started_killed_and_deleted(void **state) {
        Fixture *f = *state;
        Error err = ERROR_INIT;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "echo up > /tmp/up; exec sleep 1000", "", "");
        fixture_create(f);
        assert_non_null(f->state.cgroups[0]);
        assert_int_equal(status_of(f), STATUS_CREATED);
        assert_runtime_says(f, "created");

        assert_ok(f->backend->start(&f->container, &err), &err);
        fixture_wait_file(f, "tmp/up");
        assert_int_equal(status_of(f), STATUS_RUNNING);
        assert_runtime_says(f, "running");

        assert_int_equal(f->backend->delete (&f->container, false, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_STATE);
        assert_true(process_is_alive(&f->state.init));

        assert_ok(f->backend->kill(&f->container, &f->state, SIGKILL, false, &err), &err);
        assert_int_equal(fixture_wait_init(f), 128 + SIGKILL);
        assert_int_equal(status_of(f), STATUS_STOPPED);
        assert_ok(f->backend->delete (&f->container, false, &err), &err);
        assert_empty(f->runtime_dir);
        assert_int_equal(fixture_count_cgroups(f->id), 0);
        assert_ok(f->backend->delete (&f->container, false, &err), &err);
}

static void delete_force_of_a_created_container_is_quick(void **state) {
        Fixture *f = *state;
        struct timespec a, b;
        Error err = ERROR_INIT;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "true", "", "");
        fixture_create(f);
        clock_gettime(CLOCK_MONOTONIC, &a);
        assert_ok(f->backend->delete (&f->container, true, &err), &err);
        clock_gettime(CLOCK_MONOTONIC, &b);
        fixture_wait_init(f);
        assert_empty(f->runtime_dir);
        print_message("delete --force: %.1f ms\n", (double) (b.tv_sec - a.tv_sec) * 1e3 + (double) (b.tv_nsec - a.tv_nsec) / 1e6);
}

static void pause_and_resume_agree_with_the_runtime(void **state) {
        Fixture *f = *state;
        Error err = ERROR_INIT;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "exec sleep 1000", "", "");
        fixture_create(f);
        assert_ok(f->backend->start(&f->container, &err), &err);
        assert_int_equal(f->backend->resume(&f->container, &f->state, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_STATE);

        assert_ok(f->backend->pause(&f->container, &f->state, &err), &err);
        assert_int_equal(status_of(f), STATUS_PAUSED);
        assert_runtime_says(f, "paused");
        assert_int_equal(f->backend->pause(&f->container, &f->state, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_STATE);

        assert_ok(f->backend->resume(&f->container, &f->state, &err), &err);
        assert_int_equal(status_of(f), STATUS_RUNNING);
        assert_runtime_says(f, "running");

        assert_ok(f->backend->pause(&f->container, &f->state, &err), &err);
        assert_ok(f->backend->kill(&f->container, &f->state, SIGKILL, false, &err), &err);
        assert_int_equal(fixture_wait_init(f), 128 + SIGKILL);
}

static void kill_of_a_stopped_container_says_not_running(void **state) {
        Fixture *f = *state;
        Error err = ERROR_INIT;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "exit 3", "", "");
        fixture_create(f);
        assert_ok(f->backend->start(&f->container, &err), &err);
        assert_int_equal(fixture_wait_init(f), 3);
        assert_int_equal(f->backend->kill(&f->container, &f->state, SIGTERM, false, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_STATE);
        assert_non_null(strstr(err.text, "container not running"));
        assert_ok(f->backend->kill(&f->container, &f->state, SIGKILL, true, &err), &err);
}

static bool runs_program(pid_t pid, const char *name) {
        _cleanup_free_ char *text = NULL;
        char path[48];

        snprintf(path, sizeof(path), "/proc/%d/comm", (int) pid);
        return file_read_at(AT_FDCWD, path, 64, &text, NULL, NULL) == 0 && !strncmp(text, name, strlen(name));
}

static void kill_all_reaches_every_process(void **state) {
        Fixture *f = *state;
        _cleanup_free_ pid_t *pids = NULL;
        Error err = ERROR_INIT;
        size_t n;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "trap 'echo got > /tmp/got' USR1; sleep 1000 & sleep 1000 & echo up > /tmp/up; wait; wait; wait", "", "");
        fixture_create(f);
        assert_ok(f->backend->start(&f->container, &err), &err);
        fixture_wait_file(f, "tmp/up");
        assert_ok(cgroup_pids(f->state.cgroups, &pids, &n, &err), &err);
        assert_int_equal(n, 3);
        /* Until they have executed their program they still have the shell's trap. */
        for (size_t i = 0; i < n; i++)
                while (pids[i] != f->state.init.pid && !runs_program(pids[i], "sleep"))
                        nanosleep(&(struct timespec) { .tv_nsec = 1000000 }, NULL);
        assert_ok(f->backend->kill(&f->container, &f->state, SIGUSR1, true, &err), &err);
        fixture_wait_file(f, "tmp/got");
        assert_int_equal(fixture_wait_init(f), 0); /* its two sleeps died of the signal */
}

static void update_reaches_the_cgroup(void **state) {
        Fixture *f = *state;
        json_t *resources = json_pack("{s:{s:i}}", "pids", "limit", 77);
        Error err = ERROR_INIT;
        bool seen = false;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "exec sleep 1000", "", "");
        fixture_create(f);
        assert_ok(f->backend->start(&f->container, &err), &err);
        assert_ok(f->backend->update(&f->container, &f->state, &(const BackendUpdate) { .resources = resources }, &err), &err);
        json_decref(resources);
        for (char **c = f->state.cgroups; *c; c++) {
                _cleanup_free_ char *path = NULL, *text = NULL;

                assert_int_equal(string_format(&path, NULL, "%s/pids.max", *c), 0);
                if (file_read_at(AT_FDCWD, path, 64, &text, NULL, NULL) == 0)
                        seen = seen || !strcmp(text, "77\n");
        }
        assert_true(seen);
}

static void a_failed_create_leaves_nothing_and_has_the_runtime_s_words(void **state) {
        Fixture *f = *state;
        Error err = ERROR_INIT;
        char path[160];
        pid_t init;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "true", "", ",\"maskedPaths\":[\"/proc/kcore\"],\"sysctl\":{\"kernel.no_such_thing\":\"1\"}");
        assert_int_equal(f->backend->create(&f->container, &f->create, &init, &err), -1);
        print_message("%s | %s\n", err.text, err.hint);
        assert_int_equal(err.exit_code, 1);
        assert_int_equal(strncmp(err.text, f->backend->name, 4), 0);
        assert_non_null(strstr(err.text, "no_such_thing"));
        assert_empty(f->runtime_dir);
        assert_int_equal(fixture_count_cgroups(f->id), 0);

        err = ERROR_INIT;
        unlink(fixture_file(f, "bin/sh", path));
        fixture_bundle(f, "true", "", "");
        assert_true(f->backend->create(&f->container, &f->create, &init, &err) < 0 || f->backend->start(&f->container, &err) < 0);
        print_message("%s | %s\n", err.text, err.hint);
        assert_int_equal(err.kind, ERROR_RUNTIME);
        assert_non_null(strstr(err.text, "/bin/sh"));
}

static void the_debug_log_is_kept(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *text = NULL, *path = NULL;
        Error err = ERROR_INIT;

        fixture_skip_unless_available(f);
        f->container.debug = true;
        fixture_bundle(f, "true", "", "");
        fixture_create(f);
        assert_int_equal(string_format(&path, NULL, "%s/.log", f->runtime_dir), 0);
        assert_ok(file_read_at(AT_FDCWD, path, 1 << 20, &text, NULL, &err), &err);
        assert_ok(f->backend->delete (&f->container, true, &err), &err);
}

static void an_id_may_begin_with_a_dash(void **state) {
        Fixture *f = *state;
        char id[sizeof(f->id) + 1];
        Error err = ERROR_INIT;

        fixture_skip_unless_available(f);
        if (!strcmp(f->backend->name, "runc"))
                skip(); /* it refuses such ids itself */
        snprintf(id, sizeof(id), "-%s", f->id);
        f->container.id = id;
        fixture_bundle(f, "exec sleep 1000", "", "");
        fixture_create(f);
        assert_ok(f->backend->start(&f->container, &err), &err);
        assert_ok(f->backend->delete (&f->container, true, &err), &err);
}

/* In a child: create, without end until it is killed. */
static pid_t spawn_create(Fixture *f) {
        pid_t pid = fixture_fork(), init;

        if (pid == 0) {
                Error err = ERROR_INIT;

                setpgid(0, 0);
                _exit(f->backend->create(&f->container, &f->create, &init, &err) < 0 ? 1 : 0);
        }
        setpgid(pid, pid);
        return pid;
}

static void delete_repairs_after_a_kill_in_the_middle_of_create(void **state) {
        Fixture *f = *state;
        unsigned cut = 0;

        fixture_skip_unless_available(f);
        fixture_bundle(f, "exec sleep 1000", "", "");
        for (unsigned i = 0; i < 24; i++) {
                Error err = ERROR_INIT;
                int status;
                pid_t pid = spawn_create(f);

                /* Both ways: the whole group, and our process alone */
                nanosleep(&(struct timespec) { .tv_nsec = (long) i * 700000 + 500000 }, NULL);
                kill(i % 2 ? pid : -pid, SIGKILL);
                assert_int_equal(process_wait(pid, &status, NULL), 0);
                cut += WIFSIGNALED(status);
                assert_ok(f->backend->delete (&f->container, true, &err), &err);
                assert_int_equal(fixture_count_cgroups(f->id), 0);
                assert_empty(f->runtime_dir);
                /* whatever was orphaned ends by itself: the test is its subreaper */
                for (int wait = 0; waitpid(-1, NULL, WNOHANG) >= 0; wait++) {
                        assert_true(wait < 500);
                        nanosleep(&(struct timespec) { .tv_nsec = 10000000 }, NULL);
                }
        }
        assert_true(cut > 4);
}

static void an_unknown_runtime_is_refused_by_name(void **state) {
        const Backend *backend;
        Error err = ERROR_INIT;

        assert_int_equal(backend_find("kata", &backend, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.text, "'kata'"));
        assert_string_equal(err.hint, "there are: lxc, native, crun, runc");
        assert_string_equal(backend_at(0)->name, "lxc");
        assert_string_equal(backend_at(3)->name, "runc");
        assert_null(backend_at(4));
}

static void a_missing_program_is_not_available(void **state) {
        static const char *const programs[] = { "crun", "runc" };

        for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
                Error err = ERROR_INIT;
                const Backend *backend;

                assert_ok(backend_find(programs[i], &backend, &err), &err);
                assert_int_equal(backend->probe(backend, "/no/such/program", &err), -1);
                assert_int_equal(err.kind, ERROR_RUNTIME_NOT_AVAILABLE);
                assert_non_null(strstr(err.text, "/no/such/program"));
                assert_string_not_equal(err.hint, "");
        }
}

/* On a hybrid host crun works only where every v1 controller is mounted, which tests/with-cgroups does. */
static void crun_is_refused_on_hybrid_cgroups(void **state) {
        _cleanup_free_ char *controllers = NULL;
        const Backend *crun, *runc;
        Error err = ERROR_INIT;

        assert_ok(backend_find("crun", &crun, &err), &err);
        assert_ok(backend_find("runc", &runc, &err), &err);
        if (file_read_at(AT_FDCWD, "/sys/fs/cgroup/unified/cgroup.controllers", 4096, &controllers, NULL, NULL) < 0 || !controllers[0]) {
                free(TAKE(controllers)); /* skip() jumps over clean-ups */
                skip();
        }
        assert_int_equal(crun->probe(crun, NULL, &err), -1);
        assert_int_equal(err.kind, ERROR_RUNTIME_NOT_AVAILABLE);
        assert_non_null(strstr(err.text, "hybrid"));
        assert_non_null(strstr(err.hint, "--runtime runc"));
        assert_ok(runc->probe(runc, NULL, &err), &err);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_unknown_runtime_is_refused_by_name),
                cmocka_unit_test(a_missing_program_is_not_available),
                cmocka_unit_test(crun_is_refused_on_hybrid_cgroups),
                backend_tests(created_started_killed_and_deleted),
                backend_tests(delete_force_of_a_created_container_is_quick),
                backend_tests(pause_and_resume_agree_with_the_runtime),
                backend_tests(kill_of_a_stopped_container_says_not_running),
                backend_tests(kill_all_reaches_every_process),
                backend_tests(update_reaches_the_cgroup),
                backend_tests(a_failed_create_leaves_nothing_and_has_the_runtime_s_words),
                backend_tests(the_debug_log_is_kept),
                backend_tests(an_id_may_begin_with_a_dash),
                backend_tests(delete_repairs_after_a_kill_in_the_middle_of_create),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
