#pragma once

/*
 * What commands print. All of it is collected and written at once, so that a full disk or a closed pipe is found, with its errno, and
 * becomes an error. Text that comes from outside (names, paths, an image's labels) is made printable: it can't steer a terminal.
 */

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define OUTPUT_MAX (256u << 20) /* bytes one command prints; this program's own cap */

typedef struct Output {
        Buf text;
        int fd;
        bool missing; /* the caller started us without a standard output */
} Output;

#define OUTPUT_INIT(f) ((Output) { .text = BUF_INIT(OUTPUT_MAX), .fd = (f) })

int output_printf(Output *out, Error *err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** output_json() - indented by two spaces, as runc prints it, with a newline; all control characters are escaped */
int output_json(Output *out, const json_t *json, Error *err);

/** output_flush() - write what was collected. Errors: FileError */
int output_flush(Output *out, Error *err);

static inline void output_clear(Output *out) {
        buf_free(&out->text);
}

/** output_bytes() - a document as it is; on a terminal with control characters as \xNN */
int output_bytes(Output *out, const char *data, size_t len, Error *err);

/** text_printable() - append @text with control characters and invalid UTF-8 as \xNN; newlines and tabs stay when @multiline */
int text_printable(Buf *buf, const char *text, bool multiline, Error *err);

/** A table: cells are copied, made printable, and aligned when it is printed */
typedef struct Table {
        const char *const *headings;
        size_t n_columns;
        char **cells; /* row by row, NULL-terminated */
} Table;

#define TABLE_INIT(...)                                                                                      \
        ((Table) { .headings = (const char *const[]) { __VA_ARGS__ },                                        \
                   .n_columns = sizeof((const char *[]) { __VA_ARGS__ }) / sizeof(char *) })

/** table_add() - one row: as many strings as there are columns; NULL is an empty cell */
int table_add(Table *table, const char *const *cells, Error *err);
#define TABLE_ADD(table, err, ...) table_add((table), (const char *const[]) { __VA_ARGS__ }, (err))
int table_print(const Table *table, Output *out, Error *err);
void table_clear(Table *table);
#define _cleanup_table_ _cleanup_(table_clear)

/** "12.3 MB"; decimal units, as podman and docker show sizes */
#define SIZE_TEXT_MAX 32
const char *size_text(uint64_t bytes, char ret[SIZE_TEXT_MAX]);

/** "1.24 s", "12.3 ms" */
#define DURATION_TEXT_MAX 32
const char *duration_text(uint64_t nanoseconds, char ret[DURATION_TEXT_MAX]);

/** "3 hours ago" from RFC 3339; the text itself when it is not that; "" for NULL */
#define AGE_TEXT_MAX 48
const char *age_text(const char *time, int64_t now, char ret[AGE_TEXT_MAX]);
