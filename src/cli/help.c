/* Help on the terminal. */

#include "cli/help.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backends/backend.h"
#include "base/cleanup.h"

#define WIDTH_DEFAULT 80  /* columns, where there is no terminal to ask */
#define WIDTH_MAX     110 /* longer lines read badly */
#define LABEL_WIDTH   30  /* columns before the text of an option */

static int terminal_width(void) {
        struct winsize size;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 40)
                return WIDTH_DEFAULT;
        return size.ws_col < WIDTH_MAX ? size.ws_col : WIDTH_MAX;
}

/* Words of @text from column @column on, in lines indented by @indent. */
static int wrap(Output *out, const char *text, size_t column, size_t indent, Error *err) {
        size_t width = (size_t) terminal_width();
        bool first = true;

        while (*text) {
                size_t len = strcspn(text, " ");

                if (!first && column + 1 + len > width) {
                        if (output_printf(out, err, "\n%*s", (int) indent, "") < 0)
                                return -1;
                        column = indent;
                        first = true;
                }
                if (output_printf(out, err, "%s%.*s", first ? "" : " ", (int) len, text) < 0)
                        return -1;
                column += len + !first;
                first = false;
                text += len;
                text += strspn(text, " ");
        }
        return output_printf(out, err, "\n");
}

static int print_row(Output *out, const char *label, const char *text, Error *err) {
        size_t len = strlen(label) + 2;

        if (output_printf(out, err, "  %s", label) < 0)
                return -1;
        if (len + 2 > LABEL_WIDTH) {
                if (output_printf(out, err, "\n") < 0)
                        return -1;
                len = 0;
        }
        if (output_printf(out, err, "%*s", (int) (LABEL_WIDTH - len), "") < 0)
                return -1;
        return wrap(out, text, LABEL_WIDTH, LABEL_WIDTH, err);
}

int option_label(Buf *buf, const Option *row, Error *err) {
        buf_reset(buf);
        if (row->letter && buf_printf(buf, err, "-%c, ", row->letter) < 0)
                return -1;
        if (buf_printf(buf, err, "%s--%s", row->letter ? "" : "    ", row->name) < 0)
                return -1;
        return row->value ? buf_printf(buf, err, " %s", row->value) : 0;
}

static int print_options(Output *out, const Option *const *tables, Error *err) {
        _cleanup_buf_ Buf label = BUF_INIT(4096);

        for (; *tables; tables++) {
                if ((*tables)->kind != OPTION_GROUP && output_printf(out, err, "\nOptions:\n") < 0)
                        return -1;
                for (const Option *row = *tables; row->kind != OPTION_END; row++) {
                        if (row->kind == OPTION_GROUP) {
                                if (output_printf(out, err, "\n%s:\n", row->name) < 0)
                                        return -1;
                                continue;
                        }
                        if (option_label(&label, row, err) < 0 || print_row(out, label.data, row->help, err) < 0)
                                return -1;
                }
        }
        return 0;
}

int command_synopsis(Buf *buf, const Command *command, Error *err) {
        if (buf_printf(buf, err, "proxmox-lxcri %s", command->name) < 0)
                return -1;
        if (command->options && buf_puts(buf, " [OPTIONS]", err) < 0)
                return -1;
        return command->operands ? buf_printf(buf, err, " %s", command->operands) : 0;
}

static int add_usage(Buf *buf, const Option *const *tables, Error *err) {
        for (; *tables; tables++)
                for (const Option *row = *tables; row->kind != OPTION_END; row++) {
                        const char letter[] = { '-', row->letter, '|', '\0' };

                        if (row->kind != OPTION_GROUP && buf_printf(buf, err, " [%s--%s%s%s]", row->letter ? letter : "", row->name,
                                                                    row->value ? "=" : "", row->value ?: "") < 0)
                                return -1;
                }
        return 0;
}

int help_usage(const Command *command, Output *out, Error *err) {
        static const char title[] = "Usage: proxmox-lxcri";
        _cleanup_buf_ Buf text = BUF_INIT(65536);
        const Option *const *tables = command ? command->options : global_tables;

        if (output_printf(out, err, "%s ", title) < 0 || (command && buf_puts(&text, command->name, err) < 0) ||
            (tables && add_usage(&text, tables, err) < 0) ||
            (command && command->operands && buf_printf(&text, err, " %s", command->operands) < 0) ||
            (!command && buf_puts(&text, " COMMAND [OPTIONS] [ARGUMENTS]", err) < 0))
                return -1;
        return wrap(out, text.data + strspn(text.data, " "), sizeof(title), sizeof(title), err);
}

/* Paragraphs parted by an empty line. */
static int print_prose(Output *out, const char *text, Error *err) {
        while (*text) {
                const char *end = strstr(text, "\n\n");
                _cleanup_free_ char *paragraph = end ? strndup(text, (size_t) (end - text)) : strdup(text);

                if (!paragraph)
                        return error_oom(err);
                if (output_printf(out, err, "\n") < 0 || wrap(out, paragraph, 0, 0, err) < 0)
                        return -1;
                text = end ? end + 2 : text + strlen(text);
        }
        return 0;
}

static int print_examples(Output *out, const char *text, Error *err) {
        if (output_printf(out, err, "\nExamples:\n") < 0)
                return -1;
        while (*text) {
                size_t len = strcspn(text, "\n");

                if (output_printf(out, err, "  %.*s\n", (int) len, text) < 0)
                        return -1;
                text += len + (text[len] == '\n');
        }
        return 0;
}

int help_command(const Command *command, Output *out, Error *err) {
        _cleanup_buf_ Buf synopsis = BUF_INIT(4096);

        if (command_synopsis(&synopsis, command, err) < 0 ||
            output_printf(out, err, "Usage: %s\n\n%c%s.\n", synopsis.data, command->summary[0] & ~0x20, command->summary + 1) < 0)
                return -1;
        if (command->alias && output_printf(out, err, "Also called '%s'.\n", command->alias) < 0)
                return -1;
        if (command->description && print_prose(out, command->description, err) < 0)
                return -1;
        if (command->options && print_options(out, command->options, err) < 0)
                return -1;
        if (command->examples && print_examples(out, command->examples, err) < 0)
                return -1;
        return output_printf(out, err, "\n'proxmox-lxcri --help' shows the global options.\n");
}

static int print_commands(Output *out, CommandGroup group, Error *err) {
        if (output_printf(out, err, "\n%s:\n", command_group_titles[group]) < 0)
                return -1;
        for (size_t i = 0; command_at(i); i++)
                if (command_at(i)->group == group && print_row(out, command_at(i)->name, command_at(i)->summary, err) < 0)
                        return -1;
        return 0;
}

int help_program(Output *out, Error *err) {
        if (output_printf(out, err, "Usage: proxmox-lxcri [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\n\n"
                                    "Make containers from OCI images and run them; an OCI runtime as well.\n") < 0)
                return -1;
        for (CommandGroup group = 0; group < _COMMAND_GROUP_MAX; group++)
                if (print_commands(out, group, err) < 0)
                        return -1;
        if (print_options(out, global_tables, err) < 0 || output_printf(out, err, "\nRuntimes:\n") < 0)
                return -1;
        for (size_t i = 0; backend_at(i); i++)
                if (print_row(out, backend_at(i)->name, backend_at(i)->summary, err) < 0)
                        return -1;
        return output_printf(out, err, "\n'proxmox-lxcri COMMAND --help' tells more.\n");
}

int help_family(const char *word, Output *out, Error *err) {
        size_t len = strlen(word);
        bool found = false;

        for (size_t i = 0; command_at(i); i++) {
                const Command *command = command_at(i);

                if (strncmp(command->name, word, len) != 0 || command->name[len] != ' ')
                        continue;
                if (!found && output_printf(out, err, "Usage: proxmox-lxcri %s COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n", word) < 0)
                        return -1;
                found = true;
                if (print_row(out, command->name, command->summary, err) < 0)
                        return -1;
        }
        return found ? 0 : error_set(err, ERROR_INVALID_ARGUMENT, "unknown command '%s'", word);
}
