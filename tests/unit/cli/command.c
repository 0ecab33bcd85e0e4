#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/completion.h"

static int find(const char *a, const char *b, const Command **ret, size_t *n, Error *err) {
        return command_find((char *[]) { (char *) a, (char *) b, NULL }, ret, n, err);
}

static void commands_are_found_by_one_or_two_words_and_aliases(void **state) {
        static const struct {
                const char *a, *b, *name;
                size_t n;
        } rows[] = {
                { "run", NULL, "run", 1 },          { "run", "x", "run", 1 },                  { "image", "list", "image list", 2 },
                { "images", NULL, "image list", 1 }, { "image-list", "x", "image list", 1 },    { "ls", NULL, "list", 1 },
                { "rm", "x", "delete", 1 },
                { "config", "validate", "config check", 2 }, { "generate-config", NULL, "generate-config", 1 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const Command *command;
                size_t n;

                assert_int_equal(find(rows[i].a, rows[i].b, &command, &n, NULL), 0);
                assert_string_equal(command->name, rows[i].name);
                assert_int_equal(n, rows[i].n);
        }
}

static void unknown_commands_are_refused_with_a_near_one(void **state) {
        static const struct {
                const char *a, *b, *hint;
        } rows[] = {
                { "stae", NULL, "did you mean 'state'?" },       { "frobnicate", NULL, "'proxmox-lxcri help' lists the commands" },
                { "image", "lsit", "did you mean 'image list'?" }, { "imaeg", "list", "did you mean 'image'?" },
                { "image", NULL, "see 'proxmox-lxcri help image'" }, { "", NULL, "'proxmox-lxcri help' lists the commands" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                Error err = ERROR_INIT;
                const Command *command;
                size_t n;

                assert_int_equal(find(rows[i].a, rows[i].b, &command, &n, &err), -1);
                assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
                assert_string_equal(err.hint, rows[i].hint);
        }
}

/* Letters and names of a row's table and the global one: the command's own win, but never twice in one command. */
static void check_rows(const Command *command) {
        bool letters[256] = {};

        for (const Option *const *table = command->options; table && *table; table++)
                for (const Option *row = *table; row->kind != OPTION_END; row++) {
                        if (row->kind == OPTION_GROUP)
                                continue;
                        assert_ptr_equal(options_find(command->options, row->name), row);
                        assert_true(row->help && row->help[0] && row->help[strlen(row->help) - 1] != '.');
                        assert_true(row->kind == OPTION_FLAG ? !row->value : row->value != NULL);
                        assert_true(row->letter != 'h');
                        if (row->letter) {
                                assert_false(letters[(unsigned char) row->letter]);
                                letters[(unsigned char) row->letter] = true;
                        }
                }
}

static void every_row_is_whole(void **state) {
        for (size_t i = 0; command_at(i); i++) {
                const Command *command = command_at(i);

                check_rows(command);
                assert_non_null(command->run);
                assert_true(command->summary[strlen(command->summary) - 1] != '.');
                assert_true(command->min_operands <= command->max_operands);
                assert_true(command->max_operands == 0 ? !command->operands : command->operands != NULL);
                assert_true(!command->options || command->args_size > 0);
                if (i > 0)
                        assert_true(strcmp(command_at(i - 1)->name, command->name) < 0);
        }
}

static const Command *by_name(const char *name) {
        for (size_t i = 0; command_at(i); i++)
                if (!strcmp(command_at(i)->name, name))
                        return command_at(i);
        return NULL;
}

static void operands_are_named_for_completion(void **state) {
        static const struct {
                const char *command;
                size_t index;
                const char *value;
        } rows[] = {
                { "kill", 0, "ID" },   { "kill", 1, "SIGNAL" },  { "kill", 2, "" },       { "delete", 0, "ID" }, { "list", 0, "" },
                { "delete", 7, "ID" }, { "exec", 1, "COMMAND" }, { "recover", 0, "ID" }, { "image import", 0, "FILE" },
                { "image verify", 3, "IMAGE" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char value[OPERAND_NAME_MAX];

                assert_string_equal(operand_value(by_name(rows[i].command), rows[i].index, value), rows[i].value);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(commands_are_found_by_one_or_two_words_and_aliases),
                cmocka_unit_test(unknown_commands_are_refused_with_a_near_one),
                cmocka_unit_test(every_row_is_whole),
                cmocka_unit_test(operands_are_named_for_completion),
        };

        return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
