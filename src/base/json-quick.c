/*
 * A reader of plain JSON, in front of jansson's: a configuration with a seccomp profile is read at every start of a container, and jansson,
 * which takes each byte through three functions, needs half a millisecond for it.
 */

#include "base/json-quick.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

#define DEPTH_MAX  64
#define KEY_MAX    256 /* bytes, with the terminating NUL */
#define NUMBER_MAX 64  /* bytes, with the terminating NUL */
#define DIGITS_MAX 18  /* that every int64 holds */

typedef struct Reader {
        const char *p, *end;
        size_t values, max_values;
        unsigned depth;
} Reader;

static json_t *read_value(Reader *r);

/* The next byte that is no white space, '\0' at the end. */
static char peek(Reader *r) {
        while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r'))
                r->p++;
        return r->p < r->end ? *r->p : '\0';
}

static bool take(Reader *r, char byte) {
        if (peek(r) != byte)
                return false;
        r->p++;
        return true;
}

/* The bytes between two quotes, the first of which has been taken. *ret_ascii: none is beyond ASCII. NULL: escapes, control characters. */
static const char *read_string(Reader *r, size_t *ret_len, bool *ret_ascii) {
        const char *start = r->p;
        unsigned char all = 0;

        for (; r->p < r->end && *r->p != '"'; r->p++) {
                unsigned char byte = (unsigned char) *r->p;

                if (byte < ' ' || byte == '\\')
                        return NULL;
                all |= byte;
        }
        if (r->p == r->end)
                return NULL;
        *ret_len = (size_t) (r->p++ - start);
        *ret_ascii = all < 0x80;
        return start;
}

static json_t *read_text(Reader *r) {
        const char *text;
        size_t len;
        bool ascii;

        text = read_string(r, &len, &ascii);
        if (!text)
                return NULL;
        return ascii ? json_stringn_nocheck(text, len) : json_stringn(text, len);
}

static size_t digits(Reader *r) {
        const char *start = r->p;

        while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
                r->p++;
        return (size_t) (r->p - start);
}

static json_t *read_real(const char *token, size_t len) {
        char text[NUMBER_MAX];
        double value;

        if (len >= sizeof(text))
                return NULL;
        memcpy(text, token, len);
        text[len] = '\0';
        value = strtod(text, NULL); /* in the locale "C", which nothing here leaves */
        return isfinite(value) ? json_real(value) : NULL;
}

static json_t *read_number(Reader *r) {
        const char *token = r->p, *first;
        long long value = 0;
        size_t n;

        if (*r->p == '-')
                r->p++;
        first = r->p;
        n = digits(r);
        if (n == 0 || (n > 1 && *first == '0'))
                return NULL;
        if (r->p < r->end && (*r->p == '.' || *r->p == 'e' || *r->p == 'E')) {
                if (*r->p == '.') {
                        r->p++;
                        if (digits(r) == 0)
                                return NULL;
                }
                if (r->p < r->end && (*r->p == 'e' || *r->p == 'E'))
                        return NULL;
                return read_real(token, (size_t) (r->p - token));
        }
        if (n > DIGITS_MAX)
                return NULL;
        for (; first < r->p; first++)
                value = value * 10 + (*first - '0');
        return json_integer(*token == '-' ? -value : value);
}

static json_t *read_word(Reader *r, const char *word, json_t *value) {
        size_t len = strlen(word);

        if ((size_t) (r->end - r->p) < len || memcmp(r->p, word, len))
                return NULL;
        r->p += len;
        return value;
}

/* Each one counts, so that a text cannot cost more than its caller allows. */
static bool count(Reader *r) {
        return ++r->values <= r->max_values;
}

static json_t *read_array(Reader *r) {
        _cleanup_json_ json_t *array = json_array();

        if (!array || !count(r))
                return NULL;
        if (take(r, ']'))
                return TAKE(array);
        do {
                json_t *value = read_value(r);

                if (!value || json_array_append_new(array, value) < 0)
                        return NULL;
        } while (take(r, ',') && count(r));
        return take(r, ']') ? TAKE(array) : NULL;
}

static bool read_member(Reader *r, json_t *object) {
        char key[KEY_MAX];
        const char *text;
        size_t len, before = json_object_size(object);
        json_t *value;
        bool ascii;

        if (!take(r, '"'))
                return false;
        text = read_string(r, &len, &ascii);
        if (!text || !ascii || len >= sizeof(key) || !take(r, ':'))
                return false;
        memcpy(key, text, len);
        key[len] = '\0';
        value = read_value(r);
        /* A key that was there has its value replaced. */
        return value && json_object_set_new_nocheck(object, key, value) == 0 && json_object_size(object) > before;
}

static json_t *read_object(Reader *r) {
        _cleanup_json_ json_t *object = json_object();

        if (!object || !count(r))
                return NULL;
        if (take(r, '}'))
                return TAKE(object);
        do {
                if (!read_member(r, object))
                        return NULL;
        } while (take(r, ',') && count(r));
        return take(r, '}') ? TAKE(object) : NULL;
}

static json_t *read_nested(Reader *r, json_t *(*read)(Reader *r)) {
        json_t *value = NULL;

        r->p++;
        if (++r->depth <= DEPTH_MAX)
                value = read(r);
        r->depth--;
        return value;
}

static json_t *read_value(Reader *r) {
        switch (peek(r)) {
        case '{':
                return read_nested(r, read_object);
        case '[':
                return read_nested(r, read_array);
        case '"':
                r->p++;
                return read_text(r);
        case 't':
                return read_word(r, "true", json_true());
        case 'f':
                return read_word(r, "false", json_false());
        case 'n':
                return read_word(r, "null", json_null());
        default:
                return r->p < r->end ? read_number(r) : NULL;
        }
}

json_t *json_parse_quick(const char *data, size_t len, bool any, size_t max_values) {
        Reader r = { .p = data, .end = data + len, .values = 1, .max_values = max_values };
        _cleanup_json_ json_t *value = NULL;
        char first = peek(&r);

        if (!any && first != '{' && first != '[')
                return NULL;
        value = read_value(&r);
        /* A NUL is no end of the text here. */
        return value && peek(&r) == '\0' && r.p == r.end ? TAKE(value) : NULL;
}
