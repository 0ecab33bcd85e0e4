#pragma once

/*
 * Commands as data. A new command is one file in cmd/ that defines `const Command cmd_NAME`, and one line in cmd/meson.build.
 * The name may have two words ("image import"); then its symbol has an underscore between them.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"
#include "cli/options.h"

typedef enum CommandGroup {
        COMMANDS_LIFE,   /* making containers and ending them */
        COMMANDS_LOOK,   /* looking at them */
        COMMANDS_IMAGES,
        COMMANDS_SETUP,  /* configuration, repair, the program itself */
        _COMMAND_GROUP_MAX,
} CommandGroup;

typedef enum CommandFlags {
        COMMAND_PLAIN        = 1 << 0, /* needs no configuration: it is not loaded */
        COMMAND_OPERANDS_END = 1 << 1, /* the first operand ends the options */
        /* what a user without privileges does as root of a user namespace, see lifecycle_enter() */
        COMMAND_OWNERS       = 1 << 2, /* it makes or removes files that have the owners of images */
        COMMAND_OF_CONTAINER = 1 << 3, /* it is about one container, the first operand */
        COMMAND_EACH_CONTAINER = 1 << 4, /* it is about several, by command_each() */
} CommandFlags;

/** What a command line gave to its command; all borrowed */
typedef struct Call {
        void *args;
        char *const *operands; /* NULL-terminated */
        size_t n_operands;
        const Option *const *given;
        size_t n_given;
} Call;

typedef struct Command {
        const char *name;
        const char *alias; /* NULL: none */
        CommandGroup group;
        const char *summary;     /* one line for lists, lower case, no full stop */
        const char *operands;    /* of the synopsis: "ID [SIGNAL]"; NULL: none. Completed as the values of options are */
        const char *description; /* prose for --help and the man page, paragraphs parted by an empty line; NULL: none */
        const char *examples;    /* lines "COMMAND LINE   # what for"; NULL: none */
        unsigned flags;
        unsigned min_operands, max_operands;
        const Option *const *options; /* tables, NULL-terminated; NULL: none */
        size_t args_size;             /* of the struct they fill */
        const void *defaults;         /* that struct before parsing; NULL: all zero */
        void (*clear)(void *args);    /* frees what the rows allocated; NULL: nothing */

        /** run() - do it; prints to cli->out; sets cli->exit_code when it is not 0 for success */
        int (*run)(Cli *cli, const Call *call, Error *err);
} Command;

#define OPERANDS_MANY UINT_MAX /* the kernel caps what it hands to a program */

/** command_at() - rows of the table, in alphabetical order; NULL past the end */
const Command *command_at(size_t index);

/** command_hidden_at() - the same for those that are not shown: they are the program's own */
const Command *command_hidden_at(size_t index);

extern const char *const command_group_titles[_COMMAND_GROUP_MAX];

/**
 * command_find() - by the words of a command line
 * @words:  NULL-terminated; a second word is looked at when the first alone is no command
 * @ret_n:  how many words name it
 *
 * Errors: InvalidArgument, with a near name as the hint
 */
int command_find(char *const *words, const Command **ret, size_t *ret_n, Error *err);

/** command_each() - call @each for every operand, all of them whatever fails; every error is reported, the last one through @err */
int command_each(Cli *cli, const Call *call, int (*each)(Cli *cli, const Call *call, const char *operand, Error *err), Error *err);

/** command_each_match() - the same for every container whose id the regular expressions match; none is no error, as with crun */
int command_each_match(Cli *cli, const Call *call, int (*each)(Cli *cli, const Call *call, const char *id, Error *err), Error *err);

/** command_each_selected() - the same for every container that is selected; none is no error */
int command_each_selected(Cli *cli, const Call *call, Selection which,
                          int (*each)(Cli *cli, const Call *call, const char *id, Error *err), Error *err);

/** The options every command has */
extern const Option *const global_tables[];
