#pragma once

/* Help texts made from the command and option tables, for the terminal and as manual pages. */

#include "cli/command.h"

/** help_usage() - the options of a command in short, as argp(3) of crun has it; NULL: the global ones */
int help_usage(const Command *command, Output *out, Error *err);

/** help_program() - all commands by group, and the global options */
int help_program(Output *out, Error *err);

/** help_family() - the commands that share a first word ("image"). Errors: InvalidArgument when there are none */
int help_family(const char *word, Output *out, Error *err);

/** help_command() - one command: synopsis, description, options, examples */
int help_command(const Command *command, Output *out, Error *err);

/** man_program(), man_command() - the same as manual pages (roff, man(7)) */
int man_program(Output *out, Error *err);
int man_command(const Command *command, Output *out, Error *err);

/** option_label() - "-b, --bundle DIR"; @buf is reset first */
int option_label(Buf *buf, const Option *row, Error *err);

/** command_synopsis() - "proxmox-lxcri kill [OPTIONS] ID [SIGNAL]", appended */
int command_synopsis(Buf *buf, const Command *command, Error *err);
