/* Manual pages, from the same tables as the help on the terminal. */

#include <ctype.h>
#include <string.h>

#include "backends/backend.h"
#include "base/cleanup.h"
#include "base/config.h"
#include "cli/help.h"

/* Text as roff takes it: backslashes, dashes that must stay ASCII, and dots and quotes at the start of a line. */
static int put(Output *out, const char *text, Error *err) {
        bool line_start = true;

        for (; *text; text++) {
                const char *escaped = NULL;

                if (line_start && (*text == '.' || *text == '\''))
                        escaped = *text == '.' ? "\\&." : "\\&'";
                else if (*text == '\\')
                        escaped = "\\e";
                else if (*text == '-')
                        escaped = "\\-";
                line_start = *text == '\n';
                if ((escaped ? buf_puts(&out->text, escaped, err) : buf_append(&out->text, text, 1, err)) < 0)
                        return -1;
        }
        return 0;
}

static int put_line(Output *out, const char *macro, const char *text, Error *err) {
        if (output_printf(out, err, "%s", macro) < 0 || put(out, text, err) < 0)
                return -1;
        return output_printf(out, err, "\n");
}

static int put_title(Output *out, const char *page, const char *summary, Error *err) {
        _cleanup_free_ char *upper = strdup(page);

        if (!upper)
                return error_oom(err);
        for (char *p = upper; *p; p++)
                *p = (char) toupper((unsigned char) *p);
        if (output_printf(out, err, ".TH ") < 0 || put(out, upper, err) < 0 ||
            output_printf(out, err, " 1 \"\" \"proxmox\\-lxcri %s\" \"User Commands\"\n.SH NAME\n", PROJECT_VERSION) < 0)
                return -1;
        if (put(out, page, err) < 0 || output_printf(out, err, " \\- ") < 0)
                return -1;
        return put_line(out, "", summary, err);
}

static int put_prose(Output *out, const char *text, Error *err) {
        for (const char *p = text; *p;) {
                const char *end = strstr(p, "\n\n");
                _cleanup_free_ char *paragraph = end ? strndup(p, (size_t) (end - p)) : strdup(p);

                if (!paragraph)
                        return error_oom(err);
                if (put_line(out, ".PP\n", paragraph, err) < 0)
                        return -1;
                p = end ? end + 2 : p + strlen(p);
        }
        return 0;
}

static int put_item(Output *out, const char *label, const char *text, Error *err) {
        if (put_line(out, ".TP\n.B ", label, err) < 0)
                return -1;
        return put_line(out, "", text, err);
}

/* The heading that stands first is said by the section's own. */
static int put_options(Output *out, const Option *const *tables, Error *err) {
        _cleanup_buf_ Buf label = BUF_INIT(4096);
        const Option *first = tables[0];

        if (output_printf(out, err, ".SH OPTIONS\n") < 0)
                return -1;
        for (; *tables; tables++)
                for (const Option *row = *tables; row->kind != OPTION_END; row++) {
                        if (row->kind == OPTION_GROUP) {
                                if (row != first && put_line(out, ".SS ", row->name, err) < 0)
                                        return -1;
                                continue;
                        }
                        if (option_label(&label, row, err) < 0 || put_item(out, label.data + strspn(label.data, " "), row->help, err) < 0)
                                return -1;
                }
        return 0;
}

static int page_name(const char *name, char **ret, Error *err) {
        if (string_format(ret, err, "proxmox-lxcri-%s", name) < 0)
                return -1;
        for (char *p = *ret; *p; p++)
                if (*p == ' ')
                        *p = '-';
        return 0;
}

int man_command(const Command *command, Output *out, Error *err) {
        _cleanup_buf_ Buf synopsis = BUF_INIT(4096);
        _cleanup_free_ char *page = NULL;

        if (page_name(command->name, &page, err) < 0 || put_title(out, page, command->summary, err) < 0)
                return -1;
        if (command_synopsis(&synopsis, command, err) < 0 || put_line(out, ".SH SYNOPSIS\n.B ", synopsis.data, err) < 0)
                return -1;
        if (command->description && (output_printf(out, err, ".SH DESCRIPTION\n") < 0 || put_prose(out, command->description, err) < 0))
                return -1;
        if (command->alias && output_printf(out, err, ".PP\nThe command is also called\n.BR %s .\n", command->alias) < 0)
                return -1;
        if (command->options && put_options(out, command->options, err) < 0)
                return -1;
        if (command->examples && (put_line(out, ".SH EXAMPLES\n.nf\n", command->examples, err) < 0 || output_printf(out, err, ".fi\n") < 0))
                return -1;
        return output_printf(out, err, ".SH SEE ALSO\n.BR proxmox\\-lxcri (1)\n");
}

static int put_commands(Output *out, Error *err) {
        if (output_printf(out, err, ".SH COMMANDS\n") < 0)
                return -1;
        for (CommandGroup group = 0; group < _COMMAND_GROUP_MAX; group++) {
                if (put_line(out, ".SS ", command_group_titles[group], err) < 0)
                        return -1;
                for (size_t i = 0; command_at(i); i++)
                        if (command_at(i)->group == group && put_item(out, command_at(i)->name, command_at(i)->summary, err) < 0)
                                return -1;
        }
        return 0;
}

static int put_config(Output *out, Error *err) {
        ConfigKey key;

        if (output_printf(out, err, ".SH CONFIGURATION\n") < 0 ||
            put_prose(out,
                      "A JSON file: the one that --config names, else $PROXMOX_LXCRI_CONFIG, else " CONFIG_PATH_DEFAULT
                      ", which may be missing. Unknown keys are errors. 'proxmox-lxcri config show' prints the values in effect.",
                      err) < 0)
                return -1;
        for (size_t i = 0; config_key_at(i, &key); i++) {
                _cleanup_free_ char *label = NULL;

                if (string_format(&label, err, "%s (%s, default %s)", key.name, key.type, key.default_text) < 0 ||
                    put_item(out, label, key.help, err) < 0)
                        return -1;
        }
        return 0;
}

static const char exit_status[] =
        "0 is success. run, start --attach and exec give the exit code of the container's process, 128 + N when signal N killed it.\n\n"
        "Failures of the program itself, wrong usage included, give 1, or the code the runtime behind it gave; one that a signal cut off "
        "gives 128 + N.";

static const char error_text[] =
        "Every failure is one message on standard error: kind, place and cause, the phase when a transaction failed, and a hint where "
        "one is known. With --log-format json it is one JSON object with level, msg, time, kind, phase, errno, cause and hint; --log "
        "names a file for it, and standard error then still gets the text.";

int man_program(Output *out, Error *err) {
        if (put_title(out, "proxmox-lxcri", "make containers from OCI images and run them", err) < 0 ||
            put_line(out, ".SH SYNOPSIS\n.B ", "proxmox-lxcri [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]", err) < 0 ||
            put_commands(out, err) < 0 || put_options(out, global_tables, err) < 0 || output_printf(out, err, ".SH RUNTIMES\n") < 0)
                return -1;
        for (size_t i = 0; backend_at(i); i++)
                if (put_item(out, backend_at(i)->name, backend_at(i)->summary, err) < 0)
                        return -1;
        if (put_config(out, err) < 0 || output_printf(out, err, ".SH EXIT STATUS\n") < 0 || put_prose(out, exit_status, err) < 0 ||
            output_printf(out, err, ".SH ERRORS\n") < 0)
                return -1;
        return put_prose(out, error_text, err);
}
