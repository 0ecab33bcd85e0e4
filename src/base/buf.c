/* Growable buffers and the few string helpers that report their errors as ours. */

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

int buf_append(Buf *buf, const void *data, size_t len, Error *err) {
        if (len > buf->max || buf->len > buf->max - len)
                return error_set(err, ERROR_INVALID_ARGUMENT, "more than %zu bytes", buf->max);

        if (buf->len + len + 1 > buf->size) {
                size_t size = buf->size ? buf->size : 256;
                char *p;

                while (size < buf->len + len + 1)
                        size *= 2;
                p = realloc(buf->data, size);
                if (!p)
                        return error_oom(err);
                buf->data = p;
                buf->size = size;
        }
        if (len > 0)
                memcpy(buf->data + buf->len, data, len);
        buf->len += len;
        buf->data[buf->len] = '\0';
        return 0;
}

int buf_puts(Buf *buf, const char *text, Error *err) {
        return buf_append(buf, text, strlen(text), err);
}

int buf_vprintf(Buf *buf, Error *err, const char *fmt, va_list ap) {
        _cleanup_free_ char *text = NULL;

        return string_vformat(&text, err, fmt, ap) < 0 ? -1 : buf_puts(buf, text, err);
}

int buf_printf(Buf *buf, Error *err, const char *fmt, ...) {
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = buf_vprintf(buf, err, fmt, ap);
        va_end(ap);
        return r;
}

void buf_reset(Buf *buf) {
        buf->len = 0;
        if (buf->data)
                buf->data[0] = '\0';
}

void buf_free(Buf *buf) {
        free(buf->data);
        *buf = BUF_INIT(buf->max);
}

int string_vformat(char **ret, Error *err, const char *fmt, va_list ap) {
        char *text;

        if (vasprintf(&text, fmt, ap) < 0)
                return error_oom(err);
        *ret = text;
        return 0;
}

int string_format(char **ret, Error *err, const char *fmt, ...) {
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = string_vformat(ret, err, fmt, ap);
        va_end(ap);
        return r;
}

bool string_equal(const char *a, const char *b) {
        return a == b || (a && b && !strcmp(a, b));
}

int string_copy(const char *text, char **ret, Error *err) {
        char *copy = NULL;

        if (text) {
                copy = strdup(text);
                if (!copy)
                        return error_oom(err);
        }
        *ret = copy;
        return 0;
}

size_t strv_length(char *const *strv) {
        size_t n = 0;

        while (strv && strv[n])
                n++;
        return n;
}

int strv_push(char ***strv, const char *text, Error *err) {
        size_t n = strv_length(*strv);
        char *copy = strdup(text);
        char **grown;

        if (!copy)
                return error_oom(err);
        grown = reallocarray(*strv, n + 2, sizeof(char *));
        if (!grown) {
                free(copy);
                return error_oom(err);
        }
        grown[n] = copy;
        grown[n + 1] = NULL;
        *strv = grown;
        return 0;
}
