/* Completion for bash (4 or newer; needs nothing of bash-completion): tables of ours, and one function that reads them. */

#include <string.h>

#include "base/cleanup.h"
#include "cli/completion.h"

/* Keys are "COMMAND OPTION" and "COMMAND operand N"; the global options have the empty command. */
static const char function[] =
        "_proxmox_lxcri_words() {\n"
        "        case $1 in\n"
        "        @ID) " COMPLETE_IDS " ;;\n"
        "        @IMAGE) " COMPLETE_IMAGES " ;;\n"
        "        *) printf '%s\\n' $1 ;;\n"
        "        esac\n"
        "}\n"
        "\n"
        "_proxmox_lxcri() {\n"
        "        local cur=${COMP_WORDS[COMP_CWORD]} command= value= word next i n=0 ended=\n"
        "        local line=() words=()\n"
        "\n"
        "        # '=' is a word break: --flag=value arrives as three words\n"
        "        for ((i = 1; i < COMP_CWORD; i++)); do\n"
        "                [[ ${COMP_WORDS[i]} == = ]] || line+=(\"${COMP_WORDS[i]}\")\n"
        "        done\n"
        "        [[ $cur == = ]] && cur=\n"
        "\n"
        "        for ((i = 0; i < ${#line[@]}; i++)); do\n"
        "                word=${line[i]} next=${line[i + 1]-}\n"
        "                value=\n"
        "                if [[ -z $ended && $word == -* ]]; then\n"
        "                        value=${_proxmox_lxcri_values[$command $word]-${_proxmox_lxcri_values[ $word]-}}\n"
        "                        [[ -n $value ]] && ((++i < ${#line[@]})) && value=\n"
        "                elif [[ -z $command && -n ${_proxmox_lxcri_options[$word $next]+set} ]]; then\n"
        "                        command=\"$word $next\"\n"
        "                        ((i++))\n"
        "                elif [[ -z $command ]]; then\n"
        "                        command=$word\n"
        "                else\n"
        "                        ((n++))\n"
        "                        [[ -n ${_proxmox_lxcri_ends[$command]+set} ]] && ended=1\n"
        "                fi\n"
        "        done\n"
        "\n"
        "        if [[ -z $value && -z $ended && $cur == -* ]]; then\n"
        "                value=\"${command:+${_proxmox_lxcri_options[$command]-}} ${_proxmox_lxcri_options[ ]}\"\n"
        "        elif [[ -z $value && -z $command ]]; then\n"
        "                value=$_proxmox_lxcri_commands\n"
        "        elif [[ -z $value && -n ${_proxmox_lxcri_families[$command]+set} ]]; then\n"
        "                value=${_proxmox_lxcri_families[$command]}\n"
        "        elif [[ -z $value ]]; then\n"
        "                value=${_proxmox_lxcri_values[$command operand $n]-${_proxmox_lxcri_values[$command operand]-}}\n"
        "        fi\n"
        "\n"
        "        case $value in\n"
        "        @FILE) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
        "        @DIR) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
        "        @OTHER | '') COMPREPLY=() ;;\n"
        "        *) mapfile -t COMPREPLY < <(compgen -W \"$(_proxmox_lxcri_words \"$value\")\" -- \"$cur\") ;;\n"
        "        esac\n"
        "        [[ $value == @FILE || $value == @DIR ]] && compopt -o filenames 2>/dev/null\n"
        "        return 0\n"
        "}\n"
        "\n"
        "complete -F _proxmox_lxcri proxmox-lxcri\n";

/* What stands in a table for a value: words, or @KIND for what has to be asked for. */
static int put_value(Output *out, const char *value, Error *err) {
        static const char *const kinds[] = {
                [VALUE_OTHER] = "@OTHER", [VALUE_FILE] = "@FILE",   [VALUE_DIR] = "@DIR",
                [VALUE_ID] = "@ID",       [VALUE_IMAGE] = "@IMAGE", [VALUE_SHELL] = NULL,
        };
        const char *kind = kinds[value_kind(value)];

        return kind ? output_printf(out, err, "%s", kind) : value_words(out, value, err);
}

static int put_values(Output *out, const char *command, const Option *const *tables, Error *err) {
        for (; tables && *tables; tables++)
                for (const Option *row = *tables; row->kind != OPTION_END; row++) {
                        if (!row->value)
                                continue;
                        if (output_printf(out, err, "        ['%s --%s']='", command, row->name) < 0 ||
                            put_value(out, row->value, err) < 0 ||
                            output_printf(out, err, "'\n") < 0)
                                return -1;
                        if (row->letter && (output_printf(out, err, "        ['%s -%c']='", command, row->letter) < 0 ||
                                            put_value(out, row->value, err) < 0 || output_printf(out, err, "'\n") < 0))
                                return -1;
                }
        return 0;
}

static int put_operands(Output *out, const Command *command, Error *err) {
        char value[OPERAND_NAME_MAX];

        for (size_t i = 0; i < 2 && operand_value(command, i, value)[0]; i++) {
                if (output_printf(out, err, "        ['%s operand %zu']='", command->name, i) < 0 || put_value(out, value, err) < 0 ||
                    output_printf(out, err, "'\n") < 0)
                        return -1;
        }
        if (command->max_operands <= 2 || !operand_value(command, 2, value)[0])
                return 0;
        if (output_printf(out, err, "        ['%s operand']='", command->name) < 0 || put_value(out, value, err) < 0)
                return -1;
        return output_printf(out, err, "'\n");
}

static int put_options(Output *out, const char *key, const Option *const *tables, Error *err) {
        if (output_printf(out, err, "        ['%s']='", key) < 0)
                return -1;
        for (; tables && *tables; tables++)
                for (const Option *row = *tables; row->kind != OPTION_END; row++)
                        if (row->kind != OPTION_GROUP && output_printf(out, err, "--%s ", row->name) < 0)
                                return -1;
        return output_printf(out, err, "'\n");
}

/* First words of all commands; those of two words once for each family. */
static int put_commands(Output *out, Error *err) {
        const char *last = "";

        if (output_printf(out, err, "_proxmox_lxcri_commands='") < 0)
                return -1;
        for (size_t i = 0; command_at(i); i++) {
                const char *name = command_at(i)->name;
                size_t len = strcspn(name, " ");

                if (strlen(last) > len && !strncmp(last, name, len) && last[len] == ' ')
                        continue;
                last = name;
                if (output_printf(out, err, "%.*s ", (int) len, name) < 0)
                        return -1;
        }
        if (output_printf(out, err, "'\ndeclare -gA _proxmox_lxcri_families=(") < 0)
                return -1;
        last = "";
        for (size_t i = 0; command_at(i); i++) {
                const char *name = command_at(i)->name, *space = strchr(name, ' ');

                if (!space)
                        continue;
                if (strncmp(last, name, (size_t) (space - name) + 1) != 0 &&
                    output_printf(out, err, "%s\n        ['%.*s']='", *last ? "'" : "", (int) (space - name), name) < 0)
                        return -1;
                if (output_printf(out, err, "%s ", space + 1) < 0)
                        return -1;
                last = name;
        }
        return output_printf(out, err, "%s\n)\n", *last ? "'" : "");
}

int completion_bash(Output *out, Error *err) {
        if (output_printf(out, err, "# bash completion for proxmox-lxcri; made by 'proxmox-lxcri completion bash'\n\n") < 0 ||
            put_commands(out, err) < 0)
                return -1;

        if (output_printf(out, err, "declare -gA _proxmox_lxcri_options=(\n") < 0 || put_options(out, " ", global_tables, err) < 0)
                return -1;
        for (size_t i = 0; command_at(i); i++)
                if (put_options(out, command_at(i)->name, command_at(i)->options, err) < 0)
                        return -1;

        if (output_printf(out, err, ")\ndeclare -gA _proxmox_lxcri_values=(\n") < 0 || put_values(out, "", global_tables, err) < 0)
                return -1;
        for (size_t i = 0; command_at(i); i++)
                if (put_values(out, command_at(i)->name, command_at(i)->options, err) < 0 || put_operands(out, command_at(i), err) < 0)
                        return -1;

        if (output_printf(out, err, ")\ndeclare -gA _proxmox_lxcri_ends=(") < 0)
                return -1;
        for (size_t i = 0; command_at(i); i++)
                if (command_at(i)->flags & COMMAND_OPERANDS_END && output_printf(out, err, " ['%s']=1", command_at(i)->name) < 0)
                        return -1;
        return output_printf(out, err, " )\n\n%s", function);
}
