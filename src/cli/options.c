/* Parsing command lines by tables of options. */

#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define SUGGEST_LENGTH_MAX 32 /* bytes; no option or command is longer */

void parsed_clear(Parsed *parsed) {
        free(parsed->operands);
        free(parsed->given);
        *parsed = (Parsed) {};
}

/* Appends to an array of pointers that stays NULL-terminated. */
static int pointers_push(void ***array, size_t *n, void *pointer, Error *err) {
        void **grown = reallocarray(*array, *n + 2, sizeof(void *));

        if (!grown)
                return error_oom(err);
        grown[(*n)++] = pointer;
        grown[*n] = NULL;
        *array = grown;
        return 0;
}

static bool row_is_option(const Option *row) {
        return row->kind != OPTION_GROUP;
}

const Option *options_find(const Option *const *tables, const char *name) {
        for (; *tables; tables++)
                for (const Option *row = *tables; row->kind != OPTION_END; row++)
                        if (row_is_option(row) && !strcmp(row->name, name))
                                return row;
        return NULL;
}

static const Option *find_letter(const Option *const *tables, char letter) {
        for (; *tables; tables++)
                for (const Option *row = *tables; row->kind != OPTION_END; row++)
                        if (row_is_option(row) && row->letter == letter)
                                return row;
        return NULL;
}

bool options_contain(const Option *table, const Option *row) {
        for (; table->kind != OPTION_END; table++)
                if (table == row)
                        return true;
        return false;
}

/* Optimal string alignment: insertions, deletions, replacements and swapped neighbours cost 1 each. */
static unsigned edit_distance(const char *a, const char *b) {
        unsigned d[SUGGEST_LENGTH_MAX + 1][SUGGEST_LENGTH_MAX + 1];
        size_t la = strlen(a), lb = strlen(b);

        if (la > SUGGEST_LENGTH_MAX || lb > SUGGEST_LENGTH_MAX)
                return ~0U;
        for (unsigned i = 0; i <= la; i++)
                d[i][0] = i;
        for (unsigned j = 0; j <= lb; j++)
                d[0][j] = j;
        for (size_t i = 1; i <= la; i++)
                for (size_t j = 1; j <= lb; j++) {
                        unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

                        if (d[i - 1][j] + 1 < best)
                                best = d[i - 1][j] + 1;
                        if (d[i][j - 1] + 1 < best)
                                best = d[i][j - 1] + 1;
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
                                best = d[i - 2][j - 2] + 1;
                        d[i][j] = best;
                }
        return d[la][lb];
}

const char *suggest(const char *text, const char *const *candidates, size_t n) {
        unsigned best = (unsigned) strlen(text) / 3 + 1;
        const char *found = NULL;

        if (strlen(text) < 2)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                unsigned distance = edit_distance(text, candidates[i]);

                /* What was typed may also be the beginning of a long name. */
                if (strlen(text) >= 3 && !strncmp(candidates[i], text, strlen(text)))
                        distance = 1;
                if (distance < best || (distance == best && !found)) {
                        best = distance;
                        found = candidates[i];
                }
        }
        return found;
}

static int unknown_option(const OptionSet *sets, size_t n_sets, const char *name, Error *err) {
        _cleanup_free_ const char **names = NULL;
        const char *near;
        size_t n = 0;

        error_set(err, ERROR_INVALID_ARGUMENT, "unknown option '--%s'", name);
        for (size_t s = 0; s < n_sets; s++)
                for (const Option *const *table = sets[s].tables; *table; table++)
                        for (const Option *row = *table; row->kind != OPTION_END; row++)
                                if (row_is_option(row) && pointers_push((void ***) &names, &n, (void *) row->name, NULL) < 0)
                                        return -1;
        near = suggest(name, names, n);
        return near ? error_hint(err, "did you mean '--%s'?", near) : -1;
}

static int take_flag(bool *target, const Option *row, const char *value, Error *err) {
        if (!value || !strcmp(value, "true"))
                *target = true;
        else if (!strcmp(value, "false"))
                *target = false;
        else
                return error_set(err, ERROR_INVALID_ARGUMENT, "option '--%s' is true or false, not '%s'", row->name, value);
        return 0;
}

static int take_integer(int64_t *target, const Option *row, const char *value, Error *err) {
        long long number;
        char *end;

        errno = 0;
        number = strtoll(value, &end, 10);
        if (end == value || *end || errno == ERANGE || number < row->min || number > row->max)
                return error_set(err, ERROR_INVALID_ARGUMENT, "option '--%s' is a number from %lld to %lld, not '%s'", row->name,
                                 (long long) row->min, (long long) row->max, value);
        *target = number;
        return 0;
}

/* Whether @value is one of "a|b|c". */
static bool is_choice(const char *choices, const char *value) {
        size_t len = strlen(value);

        for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
                if (len > 0 && !strncmp(p, value, len) && (p[len] == '|' || p[len] == '\0'))
                        return true;
        return false;
}

static int take_value(const OptionSet *set, const Option *row, const char *value, Error *err) {
        void *target = (char *) set->args + row->offset;
        char *copy = NULL;

        if (row->value && strchr(row->value, '|') && !is_choice(row->value, value))
                return error_set(err, ERROR_INVALID_ARGUMENT, "option '--%s' is %s, not '%s'", row->name, row->value, value);

        switch (row->kind) {
        case OPTION_FLAG:
                return take_flag(target, row, value, err);
        case OPTION_STRING:
                *(const char **) target = value;
                return 0;
        case OPTION_COPY:
                if (string_copy(value, &copy, err) < 0)
                        return -1;
                free(*(char **) target);
                *(char **) target = copy;
                return 0;
        case OPTION_LIST:
                return strv_push(target, value, err);
        case OPTION_INTEGER:
                return take_integer(target, row, value, err);
        case OPTION_CALL:
                return row->take(target, value, err);
        case OPTION_GROUP:
        case OPTION_END:
                break;
        }
        return error_set(err, ERROR_INVALID_ARGUMENT, "option '--%s' has no target", row->name);
}

static int take(const OptionSet *set, const Option *row, const char *value, Parsed *parsed, Error *err) {
        if (take_value(set, row, value, err) < 0)
                return -1;
        return pointers_push((void ***) &parsed->given, &parsed->n_given, (void *) row, err);
}

/* By these words podman tells that `restore` knows an option. Source: podman's pkg/checkpoint/crutils */
static int missing_value(const Option *row, Error *err) {
        return error_set(err, ERROR_INVALID_ARGUMENT, "option '--%s': flag needs an argument: %s", row->name, row->value);
}

/* @arg is what follows "--"; @next the argument after it, or NULL. *used counts whether @next was taken. */
static int parse_long(const OptionSet *sets, size_t n_sets, const char *arg, const char *next, bool *used, Parsed *parsed, Error *err) {
        size_t len = strcspn(arg, "=");
        const char *value = arg[len] ? arg + len + 1 : NULL;
        _cleanup_free_ char *name = strndup(arg, len);

        if (!name)
                return error_oom(err);
        for (size_t s = 0; s < n_sets; s++) {
                const Option *row = options_find(sets[s].tables, name);

                if (!row)
                        continue;
                if (row->kind != OPTION_FLAG && !value) {
                        if (!next)
                                return missing_value(row, err);
                        value = next;
                        *used = true;
                }
                return take(&sets[s], row, value, parsed, err);
        }
        return unknown_option(sets, n_sets, name, err);
}

/* @arg is what follows "-": letters of flags, the last of which may take a value. */
static int parse_letters(const OptionSet *sets, size_t n_sets, const char *arg, const char *next, bool *used, Parsed *parsed, Error *err) {
        for (; *arg; arg++) {
                const OptionSet *set = NULL;
                const Option *row = NULL;
                const char *value = NULL;

                for (size_t s = 0; s < n_sets && !row; s++) {
                        set = &sets[s];
                        row = find_letter(set->tables, *arg);
                }
                if (!row)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "unknown option '-%c'", *arg);
                if (row->kind == OPTION_FLAG) {
                        if (take(set, row, NULL, parsed, err) < 0)
                                return -1;
                        continue;
                }
                if (arg[1])
                        value = arg[1] == '=' ? arg + 2 : arg + 1;
                else if (next) {
                        value = next;
                        *used = true;
                } else
                        return missing_value(row, err);
                return take(set, row, value, parsed, err);
        }
        return 0;
}

/* runc takes long names after one dash, too, and containerd's shim writes one so. @arg is what follows it. */
static bool is_long_name(const OptionSet *sets, size_t n_sets, const char *arg) {
        size_t len = strcspn(arg, "=");

        for (size_t s = 0; s < n_sets && len > 1; s++)
                for (const Option *const *table = sets[s].tables; *table; table++)
                        for (const Option *row = *table; row->kind != OPTION_END; row++)
                                if (row_is_option(row) && !strncmp(row->name, arg, len) && !row->name[len])
                                        return true;
        return false;
}

int options_parse(const OptionSet *sets, size_t n_sets, char *const *argv, OperandOrder order, Parsed *parsed, Error *err) {
        bool ended = false;

        *parsed = (Parsed) {};
        for (; *argv; argv++) {
                const char *arg = *argv;
                bool used = false;
                int r;

                if (ended || arg[0] != '-' || arg[1] == '\0') {
                        if (pointers_push((void ***) &parsed->operands, &parsed->n_operands, *argv, err) < 0)
                                return -1;
                        if (order == OPERANDS_END)
                                ended = true;
                        continue;
                }
                if (!strcmp(arg, "--")) {
                        ended = true;
                        continue;
                }
                if (arg[1] == '-' || is_long_name(sets, n_sets, arg + 1))
                        r = parse_long(sets, n_sets, arg + (arg[1] == '-' ? 2 : 1), argv[1], &used, parsed, err);
                else
                        r = parse_letters(sets, n_sets, arg + 1, argv[1], &used, parsed, err);
                if (r < 0)
                        return -1;
                argv += used;
        }
        return 0;
}
