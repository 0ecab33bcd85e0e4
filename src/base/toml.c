/* TOML read into JSON, by descent, one line counter for the errors. */

#include "base/toml.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

typedef struct Parser {
        const char *p, *end; /* *end is NUL */
        const char *what;
        unsigned line, values;
        json_t *root, *table; /* borrowed: where keys go now */
        json_t *defined;      /* paths of tables that a header, a dotted key or an inline table has defined */
        Buf path;             /* of the current table */
} Parser;

static int fail(const Parser *parser, const char *problem, Error *err) {
        return error_set(err, ERROR_INVALID_CONFIG, "%s:%u: %s", parser->what, parser->line, problem);
}

static int count_value(Parser *parser, Error *err) {
        return ++parser->values > TOML_VALUES_MAX ? fail(parser, "too many values", err) : 0;
}

static void skip_blanks(Parser *parser) {
        parser->p += strspn(parser->p, " \t");
}

/* To the end of the line: blanks, and perhaps a comment. */
static int end_line(Parser *parser, Error *err) {
        skip_blanks(parser);
        if (*parser->p == '#')
                for (; *parser->p && *parser->p != '\n' && (parser->p[0] != '\r' || parser->p[1] != '\n'); parser->p++)
                        if (((unsigned char) *parser->p < ' ' && *parser->p != '\t') || *parser->p == 0x7f)
                                return fail(parser, "a control character in a comment", err);
        if (parser->p[0] == '\r' && parser->p[1] == '\n')
                parser->p++;
        if (*parser->p == '\n') {
                parser->p++;
                parser->line++;
                return 0;
        }
        return parser->p == parser->end ? 0 : fail(parser, "something stands where the line should end", err);
}

/* Blanks, comments and line ends, between the elements of an array. */
static int skip_lines(Parser *parser, Error *err) {
        for (;;) {
                skip_blanks(parser);
                if (*parser->p != '\n' && *parser->p != '\r' && *parser->p != '#')
                        return 0;
                if (end_line(parser, err) < 0)
                        return -1;
        }
}

static int hex_digits(Parser *parser, unsigned n, unsigned *ret, Error *err) {
        unsigned value = 0;

        for (; n > 0; n--, parser->p++) {
                const char *digit = *parser->p ? strchr("0123456789abcdef", *parser->p | 0x20) : NULL;

                if (!digit || ((unsigned char) *parser->p < '0'))
                        return fail(parser, "a character's number has too few hexadecimal digits", err);
                value = value * 16 + (unsigned) (digit - "0123456789abcdef");
        }
        if (value == 0)
                return fail(parser, "a NUL character", err);
        if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
                return fail(parser, "not the number of a character", err);
        *ret = value;
        return 0;
}

static int put_character(Buf *text, unsigned c, Error *err) {
        char utf8[4];
        size_t n;

        if (c < 0x80) {
                utf8[0] = (char) c;
                n = 1;
        } else if (c < 0x800) {
                utf8[0] = (char) (0xc0 | c >> 6);
                n = 2;
        } else if (c < 0x10000) {
                utf8[0] = (char) (0xe0 | c >> 12);
                n = 3;
        } else {
                utf8[0] = (char) (0xf0 | c >> 18);
                n = 4;
        }
        for (size_t i = 1; i < n; i++)
                utf8[i] = (char) (0x80 | (c >> (6 * (n - 1 - i)) & 0x3f));
        return buf_append(text, utf8, n, err);
}

/* What follows a backslash. */
static int parse_escape(Parser *parser, bool multiline, Buf *text, Error *err) {
        static const char letters[] = "btnfr\"\\", meanings[] = "\b\t\n\f\r\"\\";
        const char c = *parser->p++, *known = c ? strchr(letters, c) : NULL;
        unsigned character;

        if (known)
                return buf_append(text, &meanings[known - letters], 1, err);
        if (c == 'u' || c == 'U')
                return hex_digits(parser, c == 'u' ? 4 : 8, &character, err) < 0 ? -1 : put_character(text, character, err);
        parser->p--;
        if (multiline && (c == '\n' || c == '\r' || c == ' ' || c == '\t')) {
                skip_blanks(parser);
                if (*parser->p != '\n' && *parser->p != '\r')
                        return fail(parser, "a backslash before blanks that do not end the line", err);
                for (; *parser->p && strchr(" \t\r\n", *parser->p); parser->p++)
                        parser->line += *parser->p == '\n';
                return 0;
        }
        return fail(parser, "an unknown escape in a string", err);
}

/* A string that stands at its first quote. */
static int parse_string(Parser *parser, bool may_be_multiline, Buf *text, Error *err) {
        const char quote = *parser->p, three[] = { quote, quote, quote, '\0' };
        const bool multiline = may_be_multiline && !strncmp(parser->p, three, 3), basic = quote == '"';

        parser->p += multiline ? 3 : 1;
        if (multiline && parser->p[0] == '\r' && parser->p[1] == '\n')
                parser->p++;
        if (multiline && *parser->p == '\n') {
                parser->p++;
                parser->line++;
        }
        for (;;) {
                const char c = *parser->p;

                if (c == '\0')
                        return fail(parser, parser->p == parser->end ? "a string does not end" : "a NUL character", err);
                if (c == quote && !multiline) {
                        parser->p++;
                        return 0;
                }
                if (multiline && !strncmp(parser->p, three, 3)) {
                        /* Up to two quotes may stand right before the closing three. */
                        for (int i = 0; i < 2 && parser->p[3] == quote; i++, parser->p++)
                                if (buf_append(text, &quote, 1, err) < 0)
                                        return -1;
                        parser->p += 3;
                        return 0;
                }
                parser->p++;
                if (c == '\\' && basic) {
                        if (parse_escape(parser, multiline, text, err) < 0)
                                return -1;
                        continue;
                }
                if (c == '\n' && multiline)
                        parser->line++;
                else if (((unsigned char) c < ' ' && c != '\t' && (c != '\r' || *parser->p != '\n' || !multiline)) || c == 0x7f)
                        return fail(parser, "a control character in a string", err);
                if (buf_append(text, &c, 1, err) < 0)
                        return -1;
        }
}

static int parse_key(Parser *parser, Buf *key, Error *err) {
        size_t n = strspn(parser->p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

        if (*parser->p == '"' || *parser->p == '\'')
                return parse_string(parser, false, key, err) < 0 || buf_append(key, "", 0, err) < 0 ? -1 : 0;
        if (n == 0)
                return fail(parser, "a key is missing", err);
        if (buf_append(key, parser->p, n, err) < 0)
                return -1;
        parser->p += n;
        return 0;
}

/* Adds a component to the path of a table, so that no two paths look alike. */
static int path_add(Buf *path, const char *key, Error *err) {
        return buf_printf(path, err, "%zu:%s.", strlen(key), key);
}

static int add_new(Parser *parser, json_t *table, const char *key, json_t *value, Error *err) {
        if (!value)
                return error_oom(err);
        if (json_object_get(table, key)) {
                json_decref(value);
                return error_set(err, ERROR_INVALID_CONFIG, "%s:%u: '%s' is given twice", parser->what, parser->line, key);
        }
        /* jansson refuses what is not UTF-8. */
        if (json_object_set_new(table, key, value) < 0)
                return fail(parser, "a key is not UTF-8", err);
        return count_value(parser, err);
}

static int define(Parser *parser, Error *err) {
        return json_object_set_new(parser->defined, parser->path.data ?: "", json_true()) < 0 ? fail(parser, "a key is not UTF-8", err) : 0;
}

static bool is_defined(const Parser *parser) {
        return json_object_get(parser->defined, parser->path.data ?: "") != NULL;
}

/* Steps into a table, made when it is missing; of an array of tables into the last one. */
static int step(Parser *parser, json_t **table, const char *key, Error *err) {
        json_t *next = json_object_get(*table, key);

        if (path_add(&parser->path, key, err) < 0)
                return -1;
        if (!next) {
                next = json_object();
                if (add_new(parser, *table, key, next, err) < 0)
                        return -1;
        } else if (json_is_array(next) && json_is_object(json_array_get(next, json_array_size(next) - 1)) && is_defined(parser)) {
                if (buf_printf(&parser->path, err, "%zu.", json_array_size(next)) < 0)
                        return -1;
                next = json_array_get(next, json_array_size(next) - 1);
        }
        if (!json_is_object(next))
                return error_set(err, ERROR_INVALID_CONFIG, "%s:%u: '%s' is no table", parser->what, parser->line, key);
        *table = next;
        return 0;
}

static int parse_value(Parser *parser, unsigned depth, json_t **ret, Error *err);

/* "a.b.c = value", into @table. */
static int parse_pair(Parser *parser, json_t *table, unsigned depth, Error *err) {
        const size_t path_len = parser->path.len;
        json_t *value;

        for (unsigned dots = 0;; dots++) {
                _cleanup_buf_ Buf key = BUF_INIT(TOML_SIZE_MAX);
                bool fresh;

                if (dots > TOML_DEPTH_MAX)
                        return fail(parser, "too many tables within each other", err);
                if (parse_key(parser, &key, err) < 0)
                        return -1;
                skip_blanks(parser);
                if (*parser->p == '.') {
                        parser->p++;
                        skip_blanks(parser);
                        fresh = !json_object_get(table, key.data ?: "");
                        if (step(parser, &table, key.data ?: "", err) < 0)
                                return -1;
                        /* A dotted key defines its tables: a header or an inline table of the same name is another thing. */
                        if (!fresh && is_defined(parser) && !json_object_get(parser->defined, parser->path.data))
                                return fail(parser, "a table is defined twice", err);
                        if (fresh && define(parser, err) < 0)
                                return -1;
                        continue;
                }
                if (*parser->p != '=')
                        return fail(parser, "'=' is missing after a key", err);
                parser->p++;
                skip_blanks(parser);
                if (parse_value(parser, depth, &value, err) < 0)
                        return -1;
                /* What an inline value holds can't be added to. */
                if (add_new(parser, table, key.data ?: "", value, err) < 0)
                        return -1;
                break;
        }
        if (parser->path.data) {
                parser->path.len = path_len;
                parser->path.data[path_len] = '\0';
        }
        return 0;
}

static int parse_inline_table(Parser *parser, unsigned depth, json_t **ret, Error *err) {
        _cleanup_json_ json_t *table = json_object();
        /* Its tables are its own: no header can reach them, and dotted keys inside must not meet those outside. */
        Parser inner = *parser;
        int r = 0;

        inner.path = BUF_INIT(TOML_SIZE_MAX);
        inner.defined = json_object();
        if (!table || !inner.defined)
                r = error_oom(err);
        inner.p++;
        skip_blanks(&inner);
        for (bool first = true; r == 0 && (*inner.p != '}' || !first); first = false) {
                r = parse_pair(&inner, table, depth, err);
                if (r < 0)
                        break;
                skip_blanks(&inner);
                if (*inner.p == '}')
                        break;
                if (*inner.p != ',')
                        r = fail(&inner, "',' or '}' is missing in a table", err);
                else {
                        inner.p++;
                        skip_blanks(&inner);
                }
        }
        inner.p++;
        parser->p = inner.p;
        parser->line = inner.line;
        parser->values = inner.values;
        json_decref(inner.defined);
        buf_free(&inner.path);
        if (r < 0)
                return -1;
        *ret = TAKE(table);
        return 0;
}

static int parse_array(Parser *parser, unsigned depth, json_t **ret, Error *err) {
        _cleanup_json_ json_t *array = json_array();
        json_t *value;

        if (!array)
                return error_oom(err);
        parser->p++;
        for (;;) {
                if (skip_lines(parser, err) < 0)
                        return -1;
                if (*parser->p == ']')
                        break;
                if (parse_value(parser, depth, &value, err) < 0)
                        return -1;
                if (json_array_append_new(array, value) < 0)
                        return error_oom(err);
                if (count_value(parser, err) < 0 || skip_lines(parser, err) < 0)
                        return -1;
                if (*parser->p == ']')
                        break;
                if (*parser->p != ',')
                        return fail(parser, "',' or ']' is missing in an array", err);
                parser->p++;
        }
        parser->p++;
        *ret = TAKE(array);
        return 0;
}

/* Decimal, hexadecimal, octal or binary, with '_' between digits. */
static int parse_integer(Parser *parser, json_t **ret, Error *err) {
        const size_t n = strcspn(parser->p, " \t\r\n,]}#");
        const char *p = parser->p, *end = p + n;
        bool negative = false, digit = false;
        unsigned base = 10;
        int64_t value = 0;

        if (*p == '+' || *p == '-')
                negative = *p++ == '-';
        else if (end - p > 2 && p[0] == '0' && strchr("xob", p[1])) {
                base = p[1] == 'x' ? 16 : p[1] == 'o' ? 8 : 2;
                p += 2;
        }
        if (base == 10 && end - p > 1 && *p == '0')
                return fail(parser, "not a value: a number with a leading zero, or a date", err);
        for (; p < end; p++) {
                const char *known = strchr("0123456789abcdef", *p >= 'A' && *p <= 'F' ? *p | 0x20 : *p);

                if (*p == '_' && digit && p + 1 < end) {
                        digit = false;
                        continue;
                }
                if (!known || (unsigned) (known - "0123456789abcdef") >= base)
                        return fail(parser, "not a value: strings stand in quotes; floats and dates are not supported", err);
                if (__builtin_mul_overflow(value, (int64_t) base, &value) ||
                    __builtin_add_overflow(value, negative ? -(known - "0123456789abcdef") : known - "0123456789abcdef", &value))
                        return fail(parser, "a number that is too large", err);
                digit = true;
        }
        if (!digit)
                return fail(parser, "a value is missing", err);
        parser->p = end;
        *ret = json_integer(value);
        return *ret ? 0 : error_oom(err);
}

static int parse_value(Parser *parser, unsigned depth, json_t **ret, Error *err) {
        _cleanup_buf_ Buf text = BUF_INIT(TOML_SIZE_MAX);

        if (depth >= TOML_DEPTH_MAX)
                return fail(parser, "too many values within each other", err);
        switch (*parser->p) {
        case '"':
        case '\'':
                if (parse_string(parser, true, &text, err) < 0)
                        return -1;
                *ret = json_stringn(text.data ?: "", text.len);
                return *ret ? 0 : fail(parser, "a string is not UTF-8", err);
        case '[':
                return parse_array(parser, depth + 1, ret, err);
        case '{':
                return parse_inline_table(parser, depth + 1, ret, err);
        case 't':
        case 'f': {
                const bool truth = *parser->p == 't';
                const size_t n = truth ? 4 : 5;

                if (strncmp(parser->p, truth ? "true" : "false", n) || !strchr(" \t\r\n,]}#", parser->p[n]))
                        return fail(parser, "not a value: strings stand in quotes", err);
                parser->p += n;
                *ret = json_boolean(truth);
                return 0;
        }
        default:
                return parse_integer(parser, ret, err);
        }
}

/* "[a.b]" or "[[a.b]]": where the keys that follow go. */
static int parse_header(Parser *parser, Error *err) {
        const bool many = parser->p[1] == '[';
        json_t *table = parser->root;

        buf_reset(&parser->path);
        parser->p += many ? 2 : 1;
        for (unsigned dots = 0;; dots++) {
                _cleanup_buf_ Buf key = BUF_INIT(TOML_SIZE_MAX);
                json_t *array;

                if (dots > TOML_DEPTH_MAX)
                        return fail(parser, "too many tables within each other", err);
                skip_blanks(parser);
                if (parse_key(parser, &key, err) < 0)
                        return -1;
                skip_blanks(parser);
                if (*parser->p == '.') {
                        parser->p++;
                        if (step(parser, &table, key.data ?: "", err) < 0)
                                return -1;
                        continue;
                }
                if (*parser->p != ']' || (many && parser->p[1] != ']'))
                        return fail(parser, "']' is missing after the name of a table", err);
                parser->p += many ? 2 : 1;
                if (!many) {
                        if (json_is_array(json_object_get(table, key.data ?: "")))
                                return error_set(err, ERROR_INVALID_CONFIG, "%s:%u: '%s' is no table", parser->what, parser->line,
                                                 key.data);
                        if (step(parser, &table, key.data ?: "", err) < 0)
                                return -1;
                        if (is_defined(parser))
                                return fail(parser, "a table is defined twice", err);
                        parser->table = table;
                        return define(parser, err);
                }
                array = json_object_get(table, key.data ?: "");
                if (path_add(&parser->path, key.data ?: "", err) < 0)
                        return -1;
                if (!array) {
                        array = json_array();
                        if (add_new(parser, table, key.data ?: "", array, err) < 0 || define(parser, err) < 0)
                                return -1;
                } else if (!json_is_array(array) || !is_defined(parser))
                        return error_set(err, ERROR_INVALID_CONFIG, "%s:%u: '%s' is no array of tables", parser->what, parser->line,
                                         key.data);
                parser->table = json_object();
                if (json_array_append_new(array, parser->table) < 0)
                        return error_oom(err);
                if (count_value(parser, err) < 0 || buf_printf(&parser->path, err, "%zu.", json_array_size(array)) < 0)
                        return -1;
                return define(parser, err);
        }
}

static int parse_lines(Parser *parser, Error *err) {
        while (parser->p < parser->end) {
                skip_blanks(parser);
                if (*parser->p == '[') {
                        if (parse_header(parser, err) < 0)
                                return -1;
                } else if (*parser->p && *parser->p != '\n' && *parser->p != '\r' && *parser->p != '#' &&
                           parse_pair(parser, parser->table, 0, err) < 0)
                        return -1;
                if (end_line(parser, err) < 0)
                        return -1;
        }
        return 0;
}

int toml_parse(const char *text, size_t len, const char *what, json_t **ret, Error *err) {
        _cleanup_json_ json_t *root = json_object(), *defined = json_object();
        Parser parser = { .what = what, .line = 1, .root = root, .table = root, .defined = defined, .path = BUF_INIT(TOML_SIZE_MAX) };
        _cleanup_free_ char *copy = NULL;
        int r;

        if (len > TOML_SIZE_MAX)
                return error_set(err, ERROR_INVALID_CONFIG, "%s: %zu bytes, at most %u are accepted", what, len, TOML_SIZE_MAX);
        copy = malloc(len + 1);
        if (!root || !defined || !copy)
                return error_oom(err);
        memcpy(copy, text, len);
        copy[len] = '\0';
        parser.p = copy;
        parser.end = copy + len;
        r = parse_lines(&parser, err);
        buf_free(&parser.path);
        if (r < 0)
                return -1;
        *ret = TAKE(root);
        return 0;
}
