/* Completion for zsh: a list of _arguments specifications for each command. */

#include <string.h>

#include "base/cleanup.h"
#include "cli/completion.h"

/* Text inside the brackets of a specification, inside single quotes. */
static int put_text(Output *out, const char *text, Error *err) {
        for (; *text; text++) {
                const char *before = strchr("[]:\\", *text) ? "\\" : "";

                if ((*text == '\'' ? output_printf(out, err, "'\\''") : output_printf(out, err, "%s%c", before, *text)) < 0)
                        return -1;
        }
        return 0;
}

/* ":NAME:ACTION" */
static int put_value(Output *out, const char *value, Error *err) {
        if (output_printf(out, err, ":") < 0 || put_text(out, value, err) < 0 || output_printf(out, err, ":") < 0)
                return -1;
        switch (value_kind(value)) {
        case VALUE_FILE:
                return output_printf(out, err, "_files");
        case VALUE_DIR:
                return output_printf(out, err, "_files -/");
        case VALUE_ID:
                return output_printf(out, err, "_proxmox_lxcri_ids");
        case VALUE_IMAGE:
                return output_printf(out, err, "_proxmox_lxcri_images");
        case VALUE_OTHER:
                return output_printf(out, err, " ");
        case VALUE_CHOICE:
        case VALUE_RUNTIME:
        case VALUE_DRIVER:
        case VALUE_SIGNAL:
        case VALUE_COMMAND:
        case VALUE_SHELL:
                break;
        }
        if (output_printf(out, err, "(") < 0 || value_words(out, value, err) < 0)
                return -1;
        return output_printf(out, err, ")");
}

static int put_option(Output *out, const Option *row, Error *err) {
        if (output_printf(out, err, "                '*--%s%s[", row->name, row->value ? "=" : "") < 0 ||
            put_text(out, row->help, err) < 0 ||
            output_printf(out, err, "]") < 0 || (row->value && put_value(out, row->value, err) < 0) || output_printf(out, err, "'\n") < 0)
                return -1;
        if (!row->letter)
                return 0;
        if (output_printf(out, err, "                '*-%c%s[", row->letter, row->value ? "+" : "") < 0 ||
            put_text(out, row->help, err) < 0 ||
            output_printf(out, err, "]") < 0 || (row->value && put_value(out, row->value, err) < 0))
                return -1;
        return output_printf(out, err, "'\n");
}

static int put_options(Output *out, const Option *const *tables, Error *err) {
        for (; tables && *tables; tables++)
                for (const Option *row = *tables; row->kind != OPTION_END; row++)
                        if (row->kind != OPTION_GROUP && put_option(out, row, err) < 0)
                                return -1;
        return 0;
}

static int put_operands(Output *out, const Command *command, Error *err) {
        char value[OPERAND_NAME_MAX];

        for (size_t i = 0; i < 2 && operand_value(command, i, value)[0]; i++)
                if (output_printf(out, err, "                '%zu", i + 1) < 0 || put_value(out, value, err) < 0 ||
                    output_printf(out, err, "'\n") < 0)
                        return -1;
        if (command->max_operands <= 2 || !operand_value(command, 2, value)[0])
                return 0;
        if (output_printf(out, err, "                '*") < 0 || put_value(out, value, err) < 0)
                return -1;
        return output_printf(out, err, "'\n");
}

/* Specifications as an array, so that no line has to end in a backslash. */
static int put_command(Output *out, const Command *command, Error *err) {
        if (output_printf(out, err, "        '%s')\n                specs=(\n", command->name) < 0 ||
            put_options(out, command->options, err) < 0 ||
            put_operands(out, command, err) < 0)
                return -1;
        return output_printf(out, err, "                )\n                ;;\n");
}

/* First words, and second words of each family, as "word:summary". */
static int put_words(Output *out, Error *err) {
        const char *last = "";

        if (output_printf(out, err, "        commands=(\n") < 0)
                return -1;
        for (size_t i = 0; command_at(i); i++) {
                const char *name = command_at(i)->name;
                size_t len = strcspn(name, " ");

                if (name[len] && !strncmp(last, name, len + 1))
                        continue;
                last = name;
                if (output_printf(out, err, "                '%.*s:", (int) len, name) < 0 ||
                    put_text(out, name[len] ? "more commands" : command_at(i)->summary, err) < 0 || output_printf(out, err, "'\n") < 0)
                        return -1;
        }
        if (output_printf(out, err, "        )\n        families=(\n") < 0)
                return -1;
        for (size_t i = 0; command_at(i); i++)
                if (strchr(command_at(i)->name, ' ') && output_printf(out, err, "                '%s'\n", command_at(i)->name) < 0)
                        return -1;
        return output_printf(out, err, "        )\n");
}

static const char head[] =
        "#compdef proxmox-lxcri\n"
        "# zsh completion for proxmox-lxcri; made by 'proxmox-lxcri completion zsh'\n"
        "\n"
        "_proxmox_lxcri_ids() { compadd -- ${(f)\"$(" COMPLETE_IDS ")\"} }\n"
        "_proxmox_lxcri_images() { compadd -- ${(f)\"$(" COMPLETE_IMAGES ")\"} }\n"
        "\n"
        "_proxmox_lxcri() {\n"
        "        local context state state_descr line command\n"
        "        typeset -A opt_args\n"
        "        local -a commands families global specs\n"
        "\n";

/* What _arguments then sees begins with the command's last word, so that operands count from 1. */
static const char middle[] =
        "        _arguments -s -C $global '1:command:->command' '*::argument:->arguments' && return 0\n"
        "        if [[ $state == command ]]; then\n"
        "                _describe command commands\n"
        "                return\n"
        "        fi\n"
        "        command=$words[1]\n"
        "        if (( ${families[(I)$command *]} )); then\n"
        "                if (( CURRENT == 2 )); then\n"
        "                        compadd -- ${${(M)families:#$command *}#* }\n"
        "                        return\n"
        "                fi\n"
        "                command=\"$command $words[2]\"\n"
        "                shift words\n"
        "                (( CURRENT-- ))\n"
        "        fi\n"
        "        case $command in\n";

static const char tail[] =
        "        esac\n"
        "        _arguments -s $specs $global\n"
        "}\n"
        "\n"
        "if [[ $funcstack[1] == _proxmox_lxcri ]]; then\n"
        "        _proxmox_lxcri \"$@\"\n"
        "else\n"
        "        compdef _proxmox_lxcri proxmox-lxcri\n"
        "fi\n";

int completion_zsh(Output *out, Error *err) {
        if (output_printf(out, err, "%s", head) < 0 || put_words(out, err) < 0 || output_printf(out, err, "        global=(\n") < 0 ||
            put_options(out, global_tables, err) < 0 || output_printf(out, err, "        )\n%s", middle) < 0)
                return -1;
        for (size_t i = 0; command_at(i); i++)
                if (put_command(out, command_at(i), err) < 0)
                        return -1;
        return output_printf(out, err, "%s", tail);
}
