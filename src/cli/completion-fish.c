/* Completion for fish: one `complete` line for each command, option and operand. */

#include <string.h>

#include "base/cleanup.h"
#include "cli/completion.h"

/* A single-quoted word. */
static int put_quoted(Output *out, const char *text, Error *err) {
        if (output_printf(out, err, "'") < 0)
                return -1;
        for (; *text; text++)
                if (output_printf(out, err, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text) < 0)
                        return -1;
        return output_printf(out, err, "'");
}

/* What to offer for a value; files only where it is one. */
static int put_value(Output *out, const char *value, Error *err) {
        switch (value_kind(value)) {
        case VALUE_FILE:
                return output_printf(out, err, " -F");
        case VALUE_DIR:
                return output_printf(out, err, " -a '(__fish_complete_directories)'");
        case VALUE_ID:
                return output_printf(out, err, " -a '(" COMPLETE_IDS ")'");
        case VALUE_IMAGE:
                return output_printf(out, err, " -a '(" COMPLETE_IMAGES ")'");
        case VALUE_OTHER:
                return 0;
        case VALUE_CHOICE:
        case VALUE_RUNTIME:
        case VALUE_DRIVER:
        case VALUE_SIGNAL:
        case VALUE_COMMAND:
        case VALUE_SHELL:
                break;
        }
        if (output_printf(out, err, " -a '") < 0 || value_words(out, value, err) < 0)
                return -1;
        return output_printf(out, err, "'");
}

/* "complete …" with the condition that the words of @command were typed; NULL: always. */
static int put_complete(Output *out, const char *command, Error *err) {
        const char *space = command ? strchr(command, ' ') : NULL;

        if (output_printf(out, err, "complete -c proxmox-lxcri") < 0)
                return -1;
        if (!command)
                return 0;
        if (space)
                return output_printf(out, err, " -n '__fish_seen_subcommand_from %.*s; and __fish_seen_subcommand_from %s'",
                                     (int) (space - command), command,
                                     space + 1);
        return output_printf(out, err, " -n '__fish_seen_subcommand_from %s'", command);
}

static int put_options(Output *out, const char *command, const Option *const *tables, Error *err) {
        for (; tables && *tables; tables++)
                for (const Option *row = *tables; row->kind != OPTION_END; row++) {
                        if (row->kind == OPTION_GROUP)
                                continue;
                        if (put_complete(out, command, err) < 0 || output_printf(out, err, " -l %s", row->name) < 0)
                                return -1;
                        if (row->letter && output_printf(out, err, " -s %c", row->letter) < 0)
                                return -1;
                        if (row->value &&
                            (output_printf(out, err, value_kind(row->value) == VALUE_FILE ? " -r" : " -x") < 0 ||
                             put_value(out, row->value, err) < 0))
                                return -1;
                        if (output_printf(out, err, " -d ") < 0 || put_quoted(out, row->help, err) < 0 || output_printf(out, err, "\n") < 0)
                                return -1;
                }
        return 0;
}

static int put_command(Output *out, const Command *command, Error *err) {
        const char *space = strchr(command->name, ' ');
        char value[OPERAND_NAME_MAX];
        int len = space ? (int) (space - command->name) : 0;

        if (space && output_printf(out, err,
                                   "complete -c proxmox-lxcri -n __fish_use_subcommand -a %.*s\n"
                                   "complete -c proxmox-lxcri -n '__fish_seen_subcommand_from %.*s' -a %s -d ",
                                   len, command->name, len, command->name, space + 1) < 0)
                return -1;
        if (!space && output_printf(out, err, "complete -c proxmox-lxcri -n __fish_use_subcommand -a %s -d ", command->name) < 0)
                return -1;
        if (put_quoted(out, command->summary, err) < 0 || output_printf(out, err, "\n") < 0 ||
            put_options(out, command->name, command->options, err) < 0)
                return -1;
        if (value_kind(operand_value(command, 0, value)) == VALUE_OTHER)
                return 0;
        if (put_complete(out, command->name, err) < 0 || put_value(out, value, err) < 0)
                return -1;
        return output_printf(out, err, "\n");
}

int completion_fish(Output *out, Error *err) {
        if (output_printf(out, err,
                          "# fish completion for proxmox-lxcri; made by 'proxmox-lxcri completion fish'\n\n"
                          "complete -c proxmox-lxcri -f\n") < 0 ||
            put_options(out, NULL, global_tables, err) < 0)
                return -1;
        for (size_t i = 0; command_at(i); i++)
                if (put_command(out, command_at(i), err) < 0)
                        return -1;
        return 0;
}
