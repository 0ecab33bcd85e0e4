/* Collecting and writing what commands print. */

#include "cli/output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

int output_printf(Output *out, Error *err, const char *fmt, ...) {
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = buf_vprintf(&out->text, err, fmt, ap);
        va_end(ap);
        return r;
}

/* DEL and the C1 controls, which JSON need not escape; terminals take them as commands. They stand in strings alone. */
static size_t plain_length(const char *text) {
        size_t len = 0;

        for (;; len++) {
                len += strcspn(text + len, "\x7f\xc2");
                if ((unsigned char) text[len] != 0xc2 || (unsigned char) text[len + 1] < 0xa0)
                        return len;
        }
}

int output_json(Output *out, const json_t *json, Error *err) {
        _cleanup_free_ char *text = json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY);
        const char *rest = text;

        if (!text)
                return error_oom(err);
        for (;;) {
                const size_t len = plain_length(rest);

                if (buf_append(&out->text, rest, len, err) < 0)
                        return -1;
                rest += len;
                if (!*rest)
                        return buf_puts(&out->text, "\n", err);
                rest += (unsigned char) *rest == 0xc2;
                if (buf_printf(&out->text, err, "\\u%04X", (unsigned char) *rest++) < 0)
                        return -1;
        }
}

int output_flush(Output *out, Error *err) {
        int r = 0;

        if (out->text.len == 0)
                return 0;
        if (out->missing)
                r = error_set_errno(err, ERROR_FILE, EBADF, "no standard output");
        else if (fd_write_all(out->fd, out->text.data, out->text.len, err) < 0)
                r = error_prefix(err, "standard output");
        buf_reset(&out->text);
        return r;
}

/* Length of the well-formed UTF-8 character at @p; 0 when it is none (also for surrogates, overlong forms and C1 controls). */
static size_t utf8_length(const unsigned char *p) {
        static const unsigned minimum[] = { 0, 0, 0xa0, 0x800, 0x10000 };
        size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
        unsigned code;

        if (p[0] < 0xc2 || p[0] > 0xf4)
                return 0;
        code = p[0] & (0x7fu >> len);
        for (size_t i = 1; i < len; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (p[i] & 0x3f);
        }
        return code < minimum[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? 0 : len;
}

int text_printable(Buf *buf, const char *text, bool multiline, Error *err) {
        for (const unsigned char *p = (const unsigned char *) text; *p;) {
                size_t len = *p < 0x80 ? (*p >= 0x20 && *p != 0x7f) : utf8_length(p);

                if (multiline && (*p == '\n' || *p == '\t'))
                        len = 1;
                if (len == 0 && buf_printf(buf, err, "\\x%02x", *p) < 0)
                        return -1;
                if (len > 0 && buf_append(buf, p, len, err) < 0)
                        return -1;
                p += len ?: 1;
        }
        return 0;
}

int output_bytes(Output *out, const char *data, size_t len, Error *err) {
        const char *end = data + len;

        if (out->missing || !isatty(out->fd))
                return buf_append(&out->text, data, len, err);
        /* A NUL ends a text, and stands in a document as well. */
        for (;; data++) {
                if (text_printable(&out->text, data, true, err) < 0)
                        return -1;
                data += strlen(data);
                if (data == end)
                        return 0;
                if (buf_puts(&out->text, "\\x00", err) < 0)
                        return -1;
        }
}

/* Columns a printable text takes, one per character; wide characters are rare in what the tables show. */
static size_t text_width(const char *text) {
        size_t n = 0;

        for (; *text; text++)
                n += ((unsigned char) *text & 0xc0) != 0x80;
        return n;
}

int table_add(Table *table, const char *const *cells, Error *err) {
        for (size_t i = 0; i < table->n_columns; i++) {
                _cleanup_buf_ Buf cell = BUF_INIT(OUTPUT_MAX);

                if (text_printable(&cell, cells[i] ?: "", false, err) < 0)
                        return -1;
                if (strv_push(&table->cells, cell.data ?: "", err) < 0)
                        return -1;
        }
        return 0;
}

static int print_row(const Table *table, const char *const *cells, const size_t *widths, Output *out, Error *err) {
        for (size_t i = 0; i < table->n_columns; i++) {
                bool last = i + 1 == table->n_columns;
                int pad = last ? 0 : (int) (widths[i] - text_width(cells[i]) + 3);

                if (output_printf(out, err, "%s%*s", cells[i], pad, "") < 0)
                        return -1;
        }
        return output_printf(out, err, "\n");
}

int table_print(const Table *table, Output *out, Error *err) {
        _cleanup_free_ size_t *widths = calloc(table->n_columns, sizeof(size_t));
        size_t n_cells = strv_length(table->cells);

        if (!widths)
                return error_oom(err);
        for (size_t i = 0; i < table->n_columns; i++)
                widths[i] = text_width(table->headings[i]);
        for (size_t i = 0; i < n_cells; i++)
                if (text_width(table->cells[i]) > widths[i % table->n_columns])
                        widths[i % table->n_columns] = text_width(table->cells[i]);

        if (print_row(table, table->headings, widths, out, err) < 0)
                return -1;
        for (size_t i = 0; i < n_cells; i += table->n_columns)
                if (print_row(table, (const char *const *) table->cells + i, widths, out, err) < 0)
                        return -1;
        return 0;
}

void table_clear(Table *table) {
        table->cells = strv_free(table->cells);
}
