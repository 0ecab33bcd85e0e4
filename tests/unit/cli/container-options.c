#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/container-options.h"

static const Option *const tables[] = { container_options, container_image_options, NULL };

typedef struct Line {
        ContainerArgs args;
        Parsed parsed;
        ContainerRequest made;
        Error err;
        int result;
} Line;

static void parse(Line *line, const char *const *argv) {
        const OptionSet set = { .tables = tables, .args = &line->args };
        Config config = {};
        Cli cli = { .config = &config };

        *line = (Line) {};
        line->result = options_parse(&set, 1, (char *const *) argv, OPERANDS_END, &line->parsed, &line->err);
        if (line->result < 0)
                return;
        const Call call = {
                .args = &line->args,
                .operands = line->parsed.operands,
                .n_operands = line->parsed.n_operands,
                .given = line->parsed.given,
                .n_given = line->parsed.n_given,
        };
        line->result = container_request(&cli, &call, &line->made, &line->err);
}

static void line_clear(Line *line) {
        container_request_clear(&line->made);
        container_args_clear(&line->args);
        parsed_clear(&line->parsed);
}

#define PARSE(line, ...) parse((line), (const char *const[]) { __VA_ARGS__, NULL })

static void paths_are_absolute(void **state) {
        _cleanup_(line_clear) Line line;
        char cwd[4096];

        assert_non_null(getcwd(cwd, sizeof(cwd)));
        PARSE(&line, "-b", "dir", "--pid-file", "p", "--console-socket=s", "id");
        assert_int_equal(line.result, 0);
        assert_memory_equal(line.made.request.bundle, cwd, strlen(cwd));
        assert_string_equal(strrchr(line.made.request.bundle, '/'), "/dir");
        assert_string_equal(strrchr(line.made.request.pid_file, '/'), "/p");
        assert_int_equal(line.made.request.console_socket[0], '/');
        assert_null(line.made.request.image);
}

static void the_working_directory_is_the_bundle(void **state) {
        _cleanup_(line_clear) Line line;

        PARSE(&line, "id");
        assert_int_equal(line.result, 0);
        assert_int_equal(line.made.request.bundle[0], '/');
        assert_string_equal(line.made.request.id, "id");
}

static void an_image_takes_a_command_and_the_id_as_host_name(void **state) {
        _cleanup_(line_clear) Line line;

        PARSE(&line, "--image", "redis", "-m", "64m", "--cap-drop", "all", "--cap-drop=chown", "cache", "sh", "-c", "exit");
        assert_int_equal(line.result, 0);
        assert_null(line.made.request.bundle);
        assert_string_equal(line.made.request.image, "redis");
        assert_string_equal(line.args.spec.args[0], "sh");
        assert_string_equal(line.args.spec.args[2], "exit");
        assert_null(line.args.spec.args[3]);
        assert_string_equal(line.args.spec.hostname, "cache");
        assert_int_equal(line.args.spec.memory, 64 << 20);
        assert_string_equal(line.args.spec.cap_drop[1], "chown");
}

static void a_long_id_is_cut_for_the_host_name(void **state) {
        _cleanup_(line_clear) Line line;
        char id[256];

        memset(id, 'x', 255);
        id[255] = '\0';
        PARSE(&line, "--image", "redis", id);
        assert_int_equal(line.result, 0);
        assert_int_equal(strlen(line.args.spec.hostname), 64);
}

static void id_maps_given_apart_are_joined(void **state) {
        _cleanup_(line_clear) Line line;

        PARSE(&line, "--image", "redis", "--uidmap", "0:1000:1", "--uidmap", "1:100000:65535", "--gidmap=0:5:1", "x");
        assert_int_equal(line.result, 0);
        assert_string_equal(line.args.spec.uid_map, "0:1000:1,1:100000:65535");
        assert_string_equal(line.args.spec.gid_map, "0:5:1");
}

static void what_does_not_go_together_is_refused(void **state) {
        static const struct {
                const char *argv[5];
                const char *text;
        } lines[] = {
                { { "--bundle", "b", "--image=x", "id" }, "exclude each other" },
                { { "--user=1", "id" }, "option '--user' goes with --image only" },
                { { "-eA=B", "--bundle", "b", "id" }, "option '--env' goes with --image only" },
                { { "id", "command" }, "a command ('command') goes with --image only" },
                { { "--image=x", "--stop-signal", "NOPE", "id" }, "option '--stop-signal': no signal is called 'NOPE'" },
                { { "--image=x", "--memory", "much", "id" }, "memory" },
                { { "--preserve-fds", "900", "id" }, "is not open" },
                { { "--preserve-fds", "-1", "id" }, "'--preserve-fds' is a number" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                _cleanup_(line_clear) Line line;

                parse(&line, lines[i].argv);
                assert_int_equal(line.result, -1);
                assert_int_equal(line.err.kind, ERROR_INVALID_ARGUMENT);
                assert_non_null(strstr(line.err.text, lines[i].text));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(paths_are_absolute),
                cmocka_unit_test(the_working_directory_is_the_bundle),
                cmocka_unit_test(an_image_takes_a_command_and_the_id_as_host_name),
                cmocka_unit_test(a_long_id_is_cut_for_the_host_name),
                cmocka_unit_test(id_maps_given_apart_are_joined),
                cmocka_unit_test(what_does_not_go_together_is_refused),
        };

        return cmocka_run_group_tests_name("container-options", tests, NULL, NULL);
}
