#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "oci/state.h"

#include "../scratch.h"

static State *make_state(void) {
        State *state = calloc(1, sizeof(*state));

        *state = (State) {
                .id = strdup("web"),
                .runtime = strdup("crun"),
                .bundle = strdup("/b"),
                .rootfs = strdup("/b/rootfs"),
                .oci_version = strdup("1.0.2"),
                .created = strdup("2026-01-02T03:04:05.000000006Z"),
                .owner = strdup("root"),
                .status = STATUS_CREATED,
                .init = { .pid = 42, .start_time = 4711 },
                .boot_id = "01234567-89ab-cdef-0123-456789abcdef",
                .mount_namespace = 4026531840,
                .exit_code = -1,
        };
        return state;
}

static void put(void **scratch, const char *text) {
        assert_int_equal(file_write_atomic_at(((Scratch *) *scratch)->fd, STATE_FILE, text, strlen(text), 0600, 0, NULL), 0);
}

static int load(void **scratch, State **ret, Error *err) {
        return state_load(((Scratch *) *scratch)->fd, ret, err);
}

static void what_is_saved_loads_again(void **scratch) {
        _cleanup_(state_freep) State *saved = make_state(), *loaded = NULL;

        saved->image = strdup("docker.io/library/redis:latest");
        saved->store = strdup("/var/lib/x");
        saved->exited = strdup("2026-01-02T03:04:06Z");
        saved->annotations = json_pack("{s:s}", "k", "v");
        saved->status = STATUS_STOPPED;
        saved->monitor = (ProcessRef) { .pid = 43, .start_time = INT64_MAX };
        saved->waiter = (ProcessRef) { .pid = 44, .start_time = 5 };
        saved->remove = true;
        saved->systemd_cgroup = true;
        saved->exit_code = 137;
        assert_int_equal(strv_push(&saved->cgroups, "/sys/fs/cgroup/a", NULL), 0);
        assert_int_equal(strv_push(&saved->cgroups, "/sys/fs/cgroup/b", NULL), 0);

        assert_int_equal(state_save(((Scratch *) *scratch)->fd, saved, NULL), 0);
        assert_int_equal(load(scratch, &loaded, NULL), 0);
        assert_string_equal(loaded->id, "web");
        assert_string_equal(loaded->runtime, "crun");
        assert_string_equal(loaded->bundle, "/b");
        assert_string_equal(loaded->rootfs, "/b/rootfs");
        assert_string_equal(loaded->oci_version, "1.0.2");
        assert_string_equal(loaded->created, saved->created);
        assert_string_equal(loaded->owner, "root");
        assert_string_equal(loaded->image, saved->image);
        assert_string_equal(loaded->store, saved->store);
        assert_string_equal(loaded->exited, saved->exited);
        assert_true(json_equal(loaded->annotations, saved->annotations));
        assert_int_equal(loaded->status, STATUS_STOPPED);
        assert_int_equal(loaded->init.pid, 42);
        assert_int_equal(loaded->init.start_time, 4711);
        assert_int_equal(loaded->monitor.pid, 43);
        assert_int_equal(loaded->monitor.start_time, INT64_MAX);
        assert_int_equal(loaded->waiter.pid, 44);
        assert_true(loaded->remove);
        assert_string_equal(loaded->boot_id, saved->boot_id);
        assert_int_equal(loaded->mount_namespace, saved->mount_namespace);
        assert_true(loaded->systemd_cgroup);
        assert_int_equal(loaded->exit_code, 137);
        assert_int_equal(strv_length(loaded->cgroups), 2);
        assert_string_equal(loaded->cgroups[1], "/sys/fs/cgroup/b");
}

static void what_was_not_known_stays_so(void **scratch) {
        _cleanup_(state_freep) State *saved = make_state(), *loaded = NULL;

        assert_int_equal(state_save(((Scratch *) *scratch)->fd, saved, NULL), 0);
        assert_int_equal(load(scratch, &loaded, NULL), 0);
        assert_null(loaded->image);
        assert_null(loaded->store);
        assert_null(loaded->exited);
        assert_null(loaded->annotations);
        assert_int_equal(loaded->monitor.pid, 0);
        assert_int_equal(loaded->exit_code, -1);
        assert_null(loaded->cgroups);
}

#define NEEDED \
        "\"id\":\"web\",\"runtime\":\"crun\",\"bundle\":\"/b\",\"rootfs\":\"/r\"," \
        "\"ociVersion\":\"1.0.2\",\"created\":\"t\",\"status\":\"running\",\"bootId\":\"b\""

static void a_file_of_an_older_version_is_read(void **scratch) {
        _cleanup_(state_freep) State *loaded = NULL;

        put(scratch, "{" NEEDED ",\"fromTheFuture\":1}");
        assert_int_equal(load(scratch, &loaded, NULL), 0);
        assert_int_equal(loaded->status, STATUS_RUNNING);
        assert_int_equal(loaded->exit_code, -1);
        assert_int_equal(loaded->init.pid, 0);
}

static void a_broken_file_is_invalid_state(void **scratch) {
        static const struct {
                const char *text, *why;
                ErrorKind kind;
        } rows[] = {
                { "[]", "not an object", ERROR_INVALID_STATE },
                { "{", "line 1", ERROR_INVALID_JSON },
                { "", "line 1", ERROR_INVALID_JSON },
                { "{\"id\":\"web\"}", "'runtime' is missing", ERROR_INVALID_STATE },
                { "{" NEEDED ",\"init\":{\"pid\":1}}", "'startTime' is missing", ERROR_INVALID_STATE },
                { "{" NEEDED ",\"init\":{\"pid\":-1,\"startTime\":1}}", "'pid' is -1", ERROR_INVALID_STATE },
                { "{" NEEDED ",\"cgroups\":[\"relative\"]}", "'cgroups[0]' is not an absolute path", ERROR_INVALID_STATE },
                { "{" NEEDED ",\"exitCode\":256}", "'exitCode' is 256", ERROR_INVALID_STATE },
                { "{" NEEDED ",\"annotations\":{\"a\":1}}", "annotation 'a' is not a string", ERROR_INVALID_STATE },
                { "{" NEEDED ",\"monitor\":[]}", "'monitor' is not an object", ERROR_INVALID_STATE },
                { "{\"id\":\"../x\",\"runtime\":\"crun\",\"bundle\":\"/b\",\"rootfs\":\"/r\",\"ociVersion\":\"1\",\"created\":\"t\","
                  "\"status\":\"running\",\"bootId\":\"b\"}",
                  "'id' is not a container id", ERROR_INVALID_STATE },
                { "{\"id\":\"x\",\"runtime\":\"crun\",\"bundle\":\"/b\",\"rootfs\":\"/r\",\"ociVersion\":\"1\",\"created\":\"t\","
                  "\"status\":\"gone\",\"bootId\":\"b\"}",
                  "'gone' is not a container status", ERROR_INVALID_STATE },
                { "{\"id\":\"x\",\"runtime\":\"crun\",\"bundle\":\"/b\",\"rootfs\":\"/r\",\"ociVersion\":\"1\",\"created\":\"t\","
                  "\"status\":\"running\","
                  "\"bootId\":\"0123456789012345678901234567890123456\"}",
                  "'bootId' is longer than 36 bytes", ERROR_INVALID_STATE },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_(state_freep) State *loaded = NULL;
                Error err = ERROR_INIT;

                put(scratch, rows[i].text);
                if (load(scratch, &loaded, &err) == 0)
                        fail_msg("accepted: %s", rows[i].text);
                if (err.kind != rows[i].kind || !strstr(err.text, rows[i].why))
                        fail_msg("%s: %s", error_kind_name(err.kind), err.text);
                assert_null(loaded);
        }
}

static void an_unpublished_container_is_enoent(void **scratch) {
        _cleanup_(state_freep) State *loaded = NULL;
        Error err = ERROR_INIT;

        assert_int_equal(load(scratch, &loaded, &err), -1);
        assert_int_equal(err.kind, ERROR_FILE);
        assert_int_equal(err.errnum, ENOENT);
}

static void a_path_that_json_cannot_hold_is_refused(void **scratch) {
        _cleanup_(state_freep) State *state = make_state();
        Error err = ERROR_INIT;

        free(state->bundle);
        state->bundle = strdup("/b\xff");
        assert_int_equal(state_save(((Scratch *) *scratch)->fd, state, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(err.text, "'bundle' is not UTF-8"));
}

/* The expected text is what runc 1.1 prints, without its white space. */
static void oci_state_reads_like_runc_s(void **unused) {
        _cleanup_(state_freep) State *state = make_state();
        _cleanup_json_ json_t *json = NULL, *stopped = NULL;
        _cleanup_free_ char *text = NULL, *stopped_text = NULL;

        state->annotations = json_pack("{s:s}", "a", "b");
        assert_int_equal(state_oci_json(state, STATUS_RUNNING, &json, NULL), 0);
        assert_int_equal(json_print(json, &text, NULL), 0);
        assert_string_equal(text,
                            "{\"ociVersion\":\"1.0.2\",\"id\":\"web\",\"pid\":42,\"status\":\"running\",\"bundle\":\"/b\","
                            "\"rootfs\":\"/b/rootfs\","
                                  "\"created\":\"2026-01-02T03:04:05.000000006Z\",\"annotations\":{\"a\":\"b\"},\"owner\":\"root\"}");

        json_decref(state->annotations);
        state->annotations = NULL;
        assert_int_equal(state_oci_json(state, STATUS_STOPPED, &stopped, NULL), 0);
        assert_int_equal(json_print(stopped, &stopped_text, NULL), 0);
        assert_string_equal(stopped_text,
                            "{\"ociVersion\":\"1.0.2\",\"id\":\"web\",\"pid\":0,\"status\":\"stopped\",\"bundle\":\"/b\","
                            "\"rootfs\":\"/b/rootfs\","
                                          "\"created\":\"2026-01-02T03:04:05.000000006Z\",\"owner\":\"root\"}");
}

static void a_scope_of_systemd_s_is_named_as_crun_does(void **unused) {
        static const char *const paths[][2] = {
                { "/sys/fs/cgroup/machine.slice/lxcri-web.scope/container", "lxcri-web.scope" },
                { "/sys/fs/cgroup/memory/a.slice/b.scope", "b.scope" },
                { "/sys/fs/cgroup/a.slice/.scope/x.scopes", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                _cleanup_(state_freep) State *state = make_state();
                _cleanup_json_ json_t *json = NULL, *plain = NULL;

                assert_int_equal(strv_push(&state->cgroups, paths[i][0], NULL), 0);
                assert_int_equal(state_oci_json(state, STATUS_RUNNING, &plain, NULL), 0);
                assert_null(json_object_get(plain, "systemd-scope"));
                state->systemd_cgroup = true;
                assert_int_equal(state_oci_json(state, STATUS_RUNNING, &json, NULL), 0);
                if (paths[i][1])
                        assert_string_equal(json_string_value(json_object_get(json, "systemd-scope")), paths[i][1]);
                else
                        assert_null(json_object_get(json, "systemd-scope"));
        }
}

static void statuses_have_the_spec_s_names(void **unused) {
        static const char *const names[] = { "creating", "created", "running", "paused", "stopped" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                ContainerStatus status;

                assert_int_equal(status_parse(names[i], &status, NULL), 0);
                assert_string_equal(status_name(status), names[i]);
        }
        assert_int_equal(status_parse("", &(ContainerStatus) { 0 }, NULL), -1);
}

static void ids_are_safe_as_names_of_directories(void **unused) {
        static const char *const good[] = { "a", "A-b_c+d.e", "0", "_", "-x", "a..b" };
        static const char *const bad[] = { "", ".", "..", ".hidden", "a/b", "/", "../x", "a b", "a\n", "\xc3\xa4", "a,b", "a:b", "a%s" };
        char text[ID_MAX + 2];

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_int_equal(id_check(good[i], NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                Error err = ERROR_INIT;

                assert_int_equal(id_check(bad[i], &err), -1);
                assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
                assert_string_not_equal(err.hint, "");
        }
        memset(text, 'a', sizeof(text) - 1);
        text[ID_MAX] = '\0';
        assert_int_equal(id_check(text, NULL), 0);
        text[ID_MAX] = 'a';
        text[ID_MAX + 1] = '\0';
        assert_int_equal(id_check(text, NULL), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(what_is_saved_loads_again),
                scratch_test(what_was_not_known_stays_so),
                scratch_test(a_file_of_an_older_version_is_read),
                scratch_test(a_broken_file_is_invalid_state),
                scratch_test(an_unpublished_container_is_enoent),
                scratch_test(a_path_that_json_cannot_hold_is_refused),
                cmocka_unit_test(oci_state_reads_like_runc_s),
                cmocka_unit_test(a_scope_of_systemd_s_is_named_as_crun_does),
                cmocka_unit_test(statuses_have_the_spec_s_names),
                cmocka_unit_test(ids_are_safe_as_names_of_directories),
        };

        setenv("TZ", "America/New_York", 1); /* so that local time would show */
        return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
