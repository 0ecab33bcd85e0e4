#pragma once

/*
 * Options as data: one row holds letter, name, value, target and help. Parsing, --help, completion and the man pages all read the same
 * rows.
 *
 * The name of a row's value says what it is, everywhere the same: FILE, DIR, SOCKET (completed as paths), ID, IMAGE, RUNTIME, DRIVER,
 * SIGNAL (completed as such); "a|b" lists the only values there are, and the parser refuses others.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum OptionKind {
        OPTION_END,
        OPTION_GROUP,   /* a heading for the rows after it */
        OPTION_FLAG,    /* bool; --flag, --flag=true, --flag=false */
        OPTION_STRING,  /* const char *, borrowed from argv; the last one wins */
        OPTION_COPY,    /* char *, owned by the target; the last one wins */
        OPTION_LIST,    /* char **, owned by the target; every one is kept */
        OPTION_INTEGER, /* int64_t, min … max */
        OPTION_CALL,    /* a function makes sense of the value */
} OptionKind;

typedef struct Option {
        OptionKind kind;
        char letter;       /* 0: none */
        const char *name;  /* without dashes; of a group: the heading */
        const char *value; /* NULL: takes none */
        const char *help;  /* one line, lower case, no full stop */
        size_t offset;     /* of the target in the struct that is filled */
        int64_t min, max;
        int (*take)(void *target, const char *value, Error *err);
} Option;

/* The offset of a member, which must have the given type. */
#define OPTION_OFFSET(args, member, ctype) (offsetof(args, member) + 0 * sizeof(char[_Generic(((args *) 0)->member, ctype: 1)]))

#define OPT_GROUP(heading) { .kind = OPTION_GROUP, .name = (heading) }
#define OPT_FLAG(l, n, args, member, h) \
        { .kind = OPTION_FLAG, .letter = (l), .name = (n), .help = (h), .offset = OPTION_OFFSET(args, member, bool) }
#define OPT_STRING(l, n, args, member, v, h) \
        { .kind = OPTION_STRING, .letter = (l), .name = (n), .value = (v), .help = (h), \
          .offset = OPTION_OFFSET(args, member, const char *) }
#define OPT_COPY(l, n, args, member, v, h) \
        { .kind = OPTION_COPY, .letter = (l), .name = (n), .value = (v), .help = (h), .offset = OPTION_OFFSET(args, member, char *) }
#define OPT_LIST(l, n, args, member, v, h) \
        { .kind = OPTION_LIST, .letter = (l), .name = (n), .value = (v), .help = (h), .offset = OPTION_OFFSET(args, member, char **) }
#define OPT_INTEGER(l, n, args, member, v, lo, hi, h)                                              \
        { .kind = OPTION_INTEGER, .letter = (l), .name = (n), .value = (v), .help = (h), .min = (lo), .max = (hi), \
          .offset = OPTION_OFFSET(args, member, int64_t) }
#define OPT_CALL(l, n, args, member, v, fn, h) \
        { .kind = OPTION_CALL, .letter = (l), .name = (n), .value = (v), .help = (h), .take = (fn), .offset = offsetof(args, member) }
#define OPT_END { .kind = OPTION_END }

/** Rows and the struct they fill. A command line is parsed with several: the command's own, then the global one */
typedef struct OptionSet {
        const Option *const *tables; /* NULL-terminated */
        void *args;
} OptionSet;

typedef enum OperandOrder {
        OPERANDS_ANYWHERE, /* options may follow operands */
        OPERANDS_END,      /* the first operand ends the options: what follows belongs to somebody else */
} OperandOrder;

/** What a command line held besides the values that went into the structs */
typedef struct Parsed {
        char **operands; /* NULL-terminated array, owned; the strings are argv's */
        size_t n_operands;
        const Option **given; /* rows that were used, in order, owned array */
        size_t n_given;
} Parsed;

void parsed_clear(Parsed *parsed);

/**
 * options_parse() - parse a command line by tables
 * @sets:   earlier ones win; @n_sets of them
 * @argv:   NULL-terminated, without the program's name; must outlive the structs
 * @order:  where options end; "--" always ends them
 * @parsed: cleared by the caller, also after a failure
 *
 * --name VALUE, --name=VALUE, -l VALUE, -lVALUE, -abc for flags.
 *
 * Errors: InvalidArgument (with a near name as the hint for an unknown one), OutOfMemory; what a row's function says, naming the option
 */
int options_parse(const OptionSet *sets, size_t n_sets, char *const *argv, OperandOrder order, Parsed *parsed, Error *err);

/** options_find() - the row of a long name; NULL when there is none */
const Option *options_find(const Option *const *tables, const char *name);

/** options_contain() - whether a row stands in a table */
bool options_contain(const Option *table, const Option *row);

/** suggest() - of the candidates, the one nearest to @text, when it is near enough to be what was meant; else NULL */
const char *suggest(const char *text, const char *const *candidates, size_t n);
