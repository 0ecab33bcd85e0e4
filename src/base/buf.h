#pragma once

/* A growable byte buffer with a hard cap, so that nothing from outside can make it grow without bound. */

#include <stdarg.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

typedef struct Buf {
        char *data; /* always NUL-terminated once something was appended; NULL before */
        size_t len; /* bytes, without the NUL */
        size_t size;
        size_t max; /* bytes, without the NUL */
} Buf;

/** BUF_INIT() - an empty buffer that holds at most @m bytes */
#define BUF_INIT(m) ((Buf) { .max = (m) })

/**
 * buf_append() - append bytes
 *
 * Errors: OutOfMemory; InvalidArgument when the cap would be passed (the buffer is unchanged then)
 */
int buf_append(Buf *buf, const void *data, size_t len, Error *err);

/** buf_puts() - append a string; errors as buf_append() */
int buf_puts(Buf *buf, const char *text, Error *err);

/** buf_printf() - append formatted text; errors as buf_append() */
int buf_printf(Buf *buf, Error *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** buf_vprintf() - buf_printf() with its arguments as a list */
int buf_vprintf(Buf *buf, Error *err, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

/** buf_reset() - forget the contents, keep the memory */
void buf_reset(Buf *buf);

/** buf_free() - free the contents; the buffer is empty and usable afterwards */
void buf_free(Buf *buf);

#define _cleanup_buf_ _cleanup_(buf_free)

/**
 * string_format() - asprintf() with our errors
 * @ret: set on success only; free()
 *
 * Errors: OutOfMemory
 */
int string_format(char **ret, Error *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** string_vformat() - string_format() with its arguments as a list */
int string_vformat(char **ret, Error *err, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

/** string_equal() - strcmp() of texts that may be NULL */
bool string_equal(const char *a, const char *b);

/** string_copy() - strdup() with our errors; @text may be NULL, then *ret is NULL */
int string_copy(const char *text, char **ret, Error *err);

/** strv_push() - append a copy of @text to a NULL-terminated array (NULL: a new one). Errors: OutOfMemory */
int strv_push(char ***strv, const char *text, Error *err);

/** strv_length() - number of strings; 0 for NULL */
size_t strv_length(char *const *strv);
