/* Dispatching a command line, and turning what comes back into output and an exit code. */

#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "cli/command.h"
#include "cli/help.h"

const char *const command_group_titles[_COMMAND_GROUP_MAX] = {
        [COMMANDS_LIFE]   = "Containers",
        [COMMANDS_LOOK]   = "Looking at containers",
        [COMMANDS_IMAGES] = "Images",
        [COMMANDS_SETUP]  = "Configuration and repair",
};

/* Called after each step of parsing, also a failed one, so that the error itself goes where the options before it said. */
static void setup_report(Cli *cli) {
        const GlobalArgs *global = &cli->global;

        cli->report.target = log_target_parse(global->log);
        cli->report.json = global->log_format && !strcmp(global->log_format, "json");
        cli->report.level = global->log_level && !strcmp(global->log_level, "error") ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
        if (global->log_level && !strcmp(global->log_level, "info"))
                cli->report.level = LOG_LEVEL_INFO;
        if (global->debug || (global->log_level && !strcmp(global->log_level, "debug")))
                cli->report.level = LOG_LEVEL_DEBUG;
}

/* Whether two-word commands begin with it, as with "image". */
static bool is_family(const char *word) {
        size_t len = strlen(word);

        for (size_t i = 0; command_at(i); i++)
                if (!strncmp(command_at(i)->name, word, len) && command_at(i)->name[len] == ' ')
                        return true;
        return false;
}

/* One word is compared with first words and aliases, two with whole names. */
static int suggest_command(const char *text, Error *err) {
        _cleanup_strv_ char **names = NULL;
        const char *near = NULL;
        bool pair = strchr(text, ' ');

        for (size_t i = 0; command_at(i); i++) {
                size_t len = strcspn(command_at(i)->name, pair ? "" : " ");
                _cleanup_free_ char *name = strndup(command_at(i)->name, len);

                if (!name || strv_push(&names, name, NULL) < 0 ||
                    (command_at(i)->alias && strv_push(&names, command_at(i)->alias, NULL) < 0))
                        return -1;
        }
        near = suggest(text, (const char *const *) names, strv_length(names));
        return near ? error_hint(err, "did you mean '%s'?", near) : error_hint(err, "'proxmox-lxcri help' lists the commands");
}

/* Whether @typed is @name, or its two words joined by a dash, as manual pages are named. */
static bool is_joined(const char *name, const char *typed) {
        while (*name && (*name == *typed || (*name == ' ' && *typed == '-'))) {
                name++;
                typed++;
        }
        return *name == *typed;
}

int command_find(char *const *words, const Command **ret, size_t *ret_n, Error *err) {
        _cleanup_free_ char *pair = NULL;

        for (size_t i = 0; command_hidden_at(i); i++)
                if (!strcmp(command_hidden_at(i)->name, words[0])) {
                        *ret = command_hidden_at(i);
                        *ret_n = 1;
                        return 0;
                }
        if (words[1] && string_format(&pair, err, "%s %s", words[0], words[1]) < 0)
                return -1;
        for (size_t i = 0; command_at(i); i++) {
                const Command *command = command_at(i);
                const char *names[] = { command->name, command->alias };

                for (size_t k = 0; k < ARRAY_SIZE(names) && names[k]; k++) {
                        bool both = pair && !strcmp(names[k], pair);

                        if (!both && !is_joined(names[k], words[0]))
                                continue;
                        *ret = command;
                        *ret_n = both ? 2 : 1;
                        return 0;
                }
        }
        if (is_family(words[0]) && !pair) {
                error_set(err, ERROR_INVALID_ARGUMENT, "'%s' alone is no command", words[0]);
                return error_hint(err, "see 'proxmox-lxcri help %s'", words[0]);
        }
        if (is_family(words[0])) {
                error_set(err, ERROR_INVALID_ARGUMENT, "unknown command '%s'", pair);
                return suggest_command(pair, err);
        }
        error_set(err, ERROR_INVALID_ARGUMENT, "unknown command '%s'", words[0]);
        return suggest_command(words[0], err);
}

typedef int EachFunction(Cli *cli, const Call *call, const char *operand, Error *err);

typedef struct EachContainer {
        Cli *cli;
        const Call *call;
        EachFunction *each;
        const char *id;
} EachContainer;

static int in_namespaces(void *userdata, Error *err) {
        EachContainer *one = userdata;

        if (lifecycle_enter(&one->cli->lifecycle, one->id, err) < 0 || one->each(one->cli, one->call, one->id, err) < 0)
                return -1;
        return output_flush(&one->cli->out, err);
}

/* There is no way back out of a container's namespaces: several are entered by a child each. */
static int call_each(Cli *cli, const Call *call, EachFunction *each, const char *operand, Error *err) {
        EachContainer one = { cli, call, each, operand };

        if (!cli->each_container || geteuid() == 0)
                return each(cli, call, operand, err);
        return call->n_operands == 1 ? in_namespaces(&one, err) : process_call(in_namespaces, &one, err);
}

int command_each(Cli *cli, const Call *call, int (*each)(Cli *cli, const Call *call, const char *operand, Error *err), Error *err) {
        bool failed = false;

        for (size_t i = 0; i < call->n_operands; i++) {
                Error mine = ERROR_INIT;

                if (call_each(cli, call, each, call->operands[i], &mine) == 0)
                        continue;
                /* The last one is reported by who called us. */
                if (failed)
                        report_error(&cli->report, err);
                failed = true;
                *err = mine;
                if (mine.kind == ERROR_INTERRUPTED)
                        break;
        }
        return failed ? -1 : 0;
}

int command_each_match(Cli *cli, const Call *call, int (*each)(Cli *cli, const Call *call, const char *id, Error *err), Error *err) {
        for (size_t i = 0; i < call->n_operands; i++) {
                _cleanup_strv_ char **ids = NULL;
                Call matches = *call;

                if (lifecycle_match(&cli->lifecycle, call->operands[i], &ids, err) < 0)
                        return -1;
                matches.operands = ids;
                matches.n_operands = strv_length(ids);
                if (command_each(cli, &matches, each, err) < 0)
                        return -1;
        }
        return 0;
}

int command_each_selected(Cli *cli, const Call *call, Selection which,
                          int (*each)(Cli *cli, const Call *call, const char *id, Error *err), Error *err) {
        _cleanup_strv_ char **ids = NULL;
        Call selected = *call;

        if (lifecycle_select(&cli->lifecycle, which, &ids, err) < 0)
                return -1;
        selected.operands = ids;
        selected.n_operands = strv_length(ids);
        return command_each(cli, &selected, each, err);
}

static int check_operands(const Command *command, const Parsed *parsed, Error *err) {
        if (parsed->n_operands < command->min_operands)
                error_set(err, ERROR_INVALID_ARGUMENT, "'%s' needs %s", command->name, command->operands);
        else if (parsed->n_operands > command->max_operands)
                error_set(err, ERROR_INVALID_ARGUMENT, "'%s' does not take '%s'", command->name, parsed->operands[command->max_operands]);
        else
                return 0;
        return error_hint(err, "see 'proxmox-lxcri %s --help'", command->name);
}

static int enter_namespaces(Cli *cli, const Command *command, const Parsed *parsed, Error *err) {
        cli->each_container = command->flags & COMMAND_EACH_CONTAINER;
        if (command->flags & COMMAND_OWNERS)
                return lifecycle_enter(&cli->lifecycle, NULL, err);
        if ((command->flags & COMMAND_OF_CONTAINER) && parsed->n_operands > 0)
                return lifecycle_enter(&cli->lifecycle, parsed->operands[0], err);
        return 0;
}

/* Everything that needs the command's own args, which live here. */
static int run_command(Cli *cli, const Command *command, char *const *argv, void *args, Parsed *parsed, Error *err) {
        static const Option *const none[] = { NULL };
        const OptionSet sets[] = {
                { .tables = command->options ?: none, .args = args },
                { .tables = global_tables, .args = &cli->global },
        };
        OperandOrder order = command->flags & COMMAND_OPERANDS_END ? OPERANDS_END : OPERANDS_ANYWHERE;
        int r;

        r = options_parse(sets, ARRAY_SIZE(sets), argv, order, parsed, err);
        setup_report(cli);
        if (r < 0)
                return error_hint(err, "see 'proxmox-lxcri %s --help'", command->name);
        if (cli->global.help || cli->global.usage)
                return (cli->global.help ? help_command : help_usage)(command, &cli->out, err);
        if (check_operands(command, parsed, err) < 0)
                return -1;
        if (log_target_check(&cli->report.target, err) < 0)
                return -1;
        if (progress_init(&cli->progress, &cli->report, cli->global.timings, err) < 0)
                return -1;
        if (!(command->flags & COMMAND_PLAIN) && (cli_setup(cli, err) < 0 || enter_namespaces(cli, command, parsed, err) < 0))
                return -1;

        const Call call = {
                .args = args,
                .operands = parsed->operands ?: (char *const[]) { NULL },
                .n_operands = parsed->n_operands,
                .given = parsed->given,
                .n_given = parsed->n_given,
        };
        r = command->run(cli, &call, err);
        progress_print_timings(&cli->progress);
        return r;
}

static int run_words(Cli *cli, char *const *words, Error *err) {
        _cleanup_(parsed_clear) Parsed parsed = {};
        _cleanup_free_ void *args = NULL;
        const Command *command;
        size_t n;
        int r;

        if (words[1] && is_family(words[0]) && (!strcmp(words[1], "--help") || !strcmp(words[1], "-h")))
                return help_family(words[0], &cli->out, err);
        if (command_find(words, &command, &n, err) < 0)
                return -1;
        args = calloc(1, command->args_size ?: 1);
        if (!args)
                return error_oom(err);
        if (command->defaults)
                memcpy(args, command->defaults, command->args_size);
        r = run_command(cli, command, words + n, args, &parsed, err);
        if (command->clear)
                command->clear(args);
        return r;
}

static int run_line(Cli *cli, char *const *argv, Error *err) {
        const OptionSet set = { .tables = global_tables, .args = &cli->global };
        _cleanup_(parsed_clear) Parsed parsed = {};
        int r;

        r = options_parse(&set, 1, argv, OPERANDS_END, &parsed, err);
        setup_report(cli);
        if (r < 0)
                return error_hint(err, "see 'proxmox-lxcri --help'");
        if (cli->global.version)
                return run_words(cli, (char *[]) { (char *) "version", NULL }, err);
        if (parsed.n_operands == 0 && cli->global.help)
                return help_program(&cli->out, err);
        if (parsed.n_operands == 0 && cli->global.usage)
                return help_usage(NULL, &cli->out, err);
        if (parsed.n_operands == 0) {
                error_set(err, ERROR_INVALID_ARGUMENT, "no command");
                return error_hint(err, "'proxmox-lxcri help' lists the commands");
        }
        return run_words(cli, parsed.operands, err);
}

/* What only root may do fails in many places with the same two numbers. */
static void hint_at_root(Error *err) {
        if ((err->errnum == EACCES || err->errnum == EPERM) && geteuid() != 0)
                error_hint(err, "run it as root");
}

static int failure_code(const Cli *cli, const Error *err) {
        if (err->kind == ERROR_INTERRUPTED && *cli->interrupted)
                return 128 + *cli->interrupted;
        return err->exit_code ?: EXIT_CODE_FAILURE;
}

int cli_run(Cli *cli, char *const *argv) {
        const char *slash = argv[0] ? strrchr(argv[0], '/') : NULL;
        Error err = ERROR_INIT, output_err = ERROR_INIT;
        int code;

        cli->program_name = slash ? slash + 1 : argv[0] ?: "proxmox-lxcri";
        code = run_line(cli, argv[0] ? argv + 1 : argv, &err) < 0 ? failure_code(cli, &err) : cli->exit_code;
        progress_hide(&cli->progress);
        if (output_flush(&cli->out, &output_err) < 0) {
                report_error(&cli->report, &output_err);
                code = code ?: EXIT_CODE_FAILURE;
        }
        hint_at_root(&err);
        if (error_is_set(&err))
                report_error(&cli->report, &err);

        progress_clear(&cli->progress);
        config_free(cli->config);
        free(cli->root);
        free(cli->store);
        buf_free(&cli->out.text);
        return code;
}
