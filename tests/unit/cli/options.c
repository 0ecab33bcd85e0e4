#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/options.h"

typedef struct Args {
        bool all, quiet;
        const char *bundle;
        char *user;
        char **env;
        int64_t time;
        const char *format;
        unsigned calls;
} Args;

static int count_calls(void *target, const char *value, Error *err) {
        if (!strcmp(value, "bad"))
                return error_set(err, ERROR_INVALID_ARGUMENT, "option '--call': 'bad' is refused");
        (*(unsigned *) target)++;
        return 0;
}

static const Option rows[] = {
        OPT_GROUP("Options"),
        OPT_FLAG('a', "all", Args, all, "all"),
        OPT_FLAG('q', "quiet", Args, quiet, "quiet"),
        OPT_STRING('b', "bundle", Args, bundle, "DIR", "bundle"),
        OPT_COPY('u', "user", Args, user, "USER", "user"),
        OPT_LIST('e', "env", Args, env, "NAME=VALUE", "env"),
        OPT_INTEGER('t', "time", Args, time, "SECONDS", -1, 100, "time"),
        OPT_STRING(0, "format", Args, format, "table|json", "format"),
        OPT_CALL(0, "call", Args, calls, "VALUE", count_calls, "call"),
        OPT_END
};
static const Option *const tables[] = { rows, NULL };

typedef struct Line {
        Args args;
        Parsed parsed;
        Error err;
        int result;
} Line;

static Line parse(OperandOrder order, const char *const *argv) {
        Line line = {};
        const OptionSet set = { .tables = tables, .args = &line.args };

        line.result = options_parse(&set, 1, (char *const *) argv, order, &line.parsed, &line.err);
        return line;
}

static void line_clear(Line *line) {
        parsed_clear(&line->parsed);
        strv_free(line->args.env);
        free(line->args.user);
}

#define PARSE(order, ...) parse((order), (const char *const[]) { __VA_ARGS__, NULL })

static void every_way_to_write_an_option_is_understood(void **state) {
        _cleanup_(line_clear) Line line = PARSE(OPERANDS_ANYWHERE, "--all", "-b", "dir", "--user=me", "-eA=1", "--env",
                                      "B=2=3", "-t=5", "--format", "json");

        assert_int_equal(line.result, 0);
        assert_true(line.args.all);
        assert_false(line.args.quiet);
        assert_string_equal(line.args.bundle, "dir");
        assert_string_equal(line.args.user, "me");
        assert_string_equal(line.args.env[0], "A=1");
        assert_string_equal(line.args.env[1], "B=2=3");
        assert_null(line.args.env[2]);
        assert_int_equal(line.args.time, 5);
        assert_string_equal(line.args.format, "json");
        assert_int_equal(line.parsed.n_operands, 0);
        assert_int_equal(line.parsed.n_given, 7);
        assert_string_equal(line.parsed.given[1]->name, "bundle");
}

static void flags_combine_and_the_last_may_take_a_value(void **state) {
        _cleanup_(line_clear) Line line = PARSE(OPERANDS_ANYWHERE, "-aqb", "dir", "id");

        assert_int_equal(line.result, 0);
        assert_true(line.args.all && line.args.quiet);
        assert_string_equal(line.args.bundle, "dir");
        assert_string_equal(line.parsed.operands[0], "id");
}

static void a_long_name_is_one_after_a_single_dash_too(void **state) {
        _cleanup_(line_clear) Line line = PARSE(OPERANDS_ANYWHERE, "-all", "-bundle", "dir", "-format=json", "-quiet=false", "-aq");

        assert_int_equal(line.result, 0);
        assert_true(line.args.all && line.args.quiet);
        assert_string_equal(line.args.bundle, "dir");
        assert_string_equal(line.args.format, "json");
}

static void a_flag_can_be_said_to_be_false(void **state) {
        _cleanup_(line_clear) Line line = PARSE(OPERANDS_ANYWHERE, "--all", "--all=false", "--quiet=true");
        _cleanup_(line_clear) Line wrong = PARSE(OPERANDS_ANYWHERE, "--all=maybe");

        assert_int_equal(line.result, 0);
        assert_false(line.args.all);
        assert_true(line.args.quiet);
        assert_int_equal(wrong.result, -1);
        assert_non_null(strstr(wrong.err.text, "'--all' is true or false, not 'maybe'"));
}

static void the_last_of_a_repeated_option_wins_and_a_list_keeps_all(void **state) {
        _cleanup_(line_clear) Line line = PARSE(OPERANDS_ANYWHERE, "-u", "a", "-u", "b", "-b", "x", "-b", "y", "-e", "1", "-e", "2",
                                      "--call", "x", "--call", "y");

        assert_int_equal(line.result, 0);
        assert_string_equal(line.args.user, "b");
        assert_string_equal(line.args.bundle, "y");
        assert_string_equal(line.args.env[1], "2");
        assert_int_equal(line.args.calls, 2);
}

static void options_may_follow_operands(void **state) {
        _cleanup_(line_clear) Line line = PARSE(OPERANDS_ANYWHERE, "id", "-a", "KILL", "--", "-q");

        assert_int_equal(line.result, 0);
        assert_true(line.args.all);
        assert_false(line.args.quiet);
        assert_int_equal(line.parsed.n_operands, 3);
        assert_string_equal(line.parsed.operands[2], "-q");
        assert_null(line.parsed.operands[3]);
}

static void a_command_keeps_its_own_options(void **state) {
        _cleanup_(line_clear) Line line = PARSE(OPERANDS_END, "-q", "id", "ls", "-a", "--", "--all");

        assert_int_equal(line.result, 0);
        assert_true(line.args.quiet);
        assert_false(line.args.all);
        assert_int_equal(line.parsed.n_operands, 5);
        assert_string_equal(line.parsed.operands[3], "--");
}

static void a_dash_alone_is_an_operand(void **state) {
        _cleanup_(line_clear) Line line = PARSE(OPERANDS_ANYWHERE, "-", "-b", "-");

        assert_int_equal(line.result, 0);
        assert_string_equal(line.parsed.operands[0], "-");
        assert_string_equal(line.args.bundle, "-");
}

static void values_may_begin_with_a_dash_or_be_empty(void **state) {
        _cleanup_(line_clear) Line line = PARSE(OPERANDS_ANYWHERE, "--time", "-1", "--bundle=");

        assert_int_equal(line.result, 0);
        assert_int_equal(line.args.time, -1);
        assert_string_equal(line.args.bundle, "");
}

static void wrong_lines_are_refused_with_the_option_named(void **state) {
        static const struct {
                const char *argv[3];
                const char *text;
        } lines[] = {
                { { "--nothing" }, "unknown option '--nothing'" },
                { { "-aX" }, "unknown option '-X'" },
                { { "--bundle" }, "option '--bundle': flag needs an argument: DIR" },
                { { "-b" }, "option '--bundle': flag needs an argument: DIR" },
                { { "--time", "101" }, "option '--time' is a number from -1 to 100, not '101'" },
                { { "--time", "5s" }, "not '5s'" },
                { { "--time", "" }, "not ''" },
                { { "--time", "99999999999999999999" }, "'--time' is a number" },
                { { "--format", "yaml" }, "option '--format' is table|json, not 'yaml'" },
                { { "--format", "jso" }, "not 'jso'" },
                { { "--format", "" }, "not ''" },
                { { "--call", "bad" }, "option '--call': 'bad' is refused" },
                { { "--Options" }, "unknown option '--Options'" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                _cleanup_(line_clear) Line line = parse(OPERANDS_ANYWHERE, lines[i].argv);

                assert_int_equal(line.result, -1);
                assert_int_equal(line.err.kind, ERROR_INVALID_ARGUMENT);
                assert_non_null(strstr(line.err.text, lines[i].text));
        }
}

static void a_near_name_is_suggested(void **state) {
        static const struct {
                const char *typed, *hint;
        } lines[] = {
                { "--bundel", "did you mean '--bundle'?" }, { "--formt", "did you mean '--format'?" },
                { "--quite", "did you mean '--quiet'?" },
                { "--bun", "did you mean '--bundle'?" },    { "--zzz", "" },                           { "--x", "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                _cleanup_(line_clear) Line line = PARSE(OPERANDS_ANYWHERE, lines[i].typed);

                assert_int_equal(line.result, -1);
                assert_string_equal(line.err.hint, lines[i].hint);
        }
}

static void earlier_sets_win_and_later_ones_are_found(void **state) {
        static const Option global_rows[] = {
                OPT_STRING(0, "bundle", Args, format, "DIR", "another"),
                OPT_FLAG('g', "global", Args, quiet, "global"),
                OPT_END
        };
        static const Option *const global[] = { global_rows, NULL };
        _cleanup_(parsed_clear) Parsed parsed = {};
        Args own = {}, other = {};
        const OptionSet sets[] = { { tables, &own }, { global, &other } };

        char *const argv[] = { (char *) "--bundle=x", (char *) "-ag", NULL };

        assert_int_equal(options_parse(sets, 2, argv, OPERANDS_ANYWHERE, &parsed, NULL), 0);
        assert_string_equal(own.bundle, "x");
        assert_null(other.format);
        assert_true(other.quiet);
        assert_true(own.all);
        assert_true(options_contain(global_rows, parsed.given[2]));
        assert_false(options_contain(rows, parsed.given[2]));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_way_to_write_an_option_is_understood),
                cmocka_unit_test(flags_combine_and_the_last_may_take_a_value),
                cmocka_unit_test(a_long_name_is_one_after_a_single_dash_too),
                cmocka_unit_test(a_flag_can_be_said_to_be_false),
                cmocka_unit_test(the_last_of_a_repeated_option_wins_and_a_list_keeps_all),
                cmocka_unit_test(options_may_follow_operands),
                cmocka_unit_test(a_command_keeps_its_own_options),
                cmocka_unit_test(a_dash_alone_is_an_operand),
                cmocka_unit_test(values_may_begin_with_a_dash_or_be_empty),
                cmocka_unit_test(wrong_lines_are_refused_with_the_option_named),
                cmocka_unit_test(a_near_name_is_suggested),
                cmocka_unit_test(earlier_sets_win_and_later_ones_are_found),
        };

        return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
