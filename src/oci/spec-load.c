/*
 * Reads and writes a bundle's config.json. JSON of the spec has unsigned 64-bit integers (rlimits, seccomp's values), jansson has not: here
 * they become reals and back. One that no real holds exactly is refused: a mask with a bit lost would be another mask.
 */

#include "oci/runtime-spec.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"

#define WIDE_DIGITS 20 /* of 2^64 - 1 */

/* Whether the digits at @p, an integer's whole token, are beyond int64 but within uint64. */
static bool is_wide_integer(const char *p, size_t len, unsigned long long *ret) {
        char text[WIDE_DIGITS + 1], *end;

        if (len < 19 || len >= sizeof(text))
                return false;
        memcpy(text, p, len);
        text[len] = '\0';
        errno = 0;
        *ret = strtoull(text, &end, 10);
        return *ret > INT64_MAX && errno == 0 && *end == '\0';
}

static unsigned line_of(const char *data, size_t offset) {
        unsigned line = 1;

        for (size_t i = 0; i < offset; i++)
                line += data[i] == '\n';
        return line;
}

static bool is_digit(char byte) {
        return byte >= '0' && byte <= '9';
}

/*
 * Copies the text with ".0" after every integer between 2^63 and 2^64, which jansson then takes for a real. Lines stay as they are. A text
 * without one is not copied.
 */
static int widen_integers(const char *data, size_t len, Buf *out, Error *err) {
        bool in_string = false;
        size_t copied = 0;

        for (size_t i = 0; i < len;) {
                unsigned long long wide;
                size_t start = i;

                if (in_string && data[i] == '\\') {
                        i += 2;
                        continue;
                }
                if (data[i] == '"')
                        in_string = !in_string;
                if (in_string || !is_digit(data[i])) {
                        i++;
                        continue;
                }
                while (i < len && (isalnum((unsigned char) data[i]) || memchr("+-.", data[i], 3)))
                        i++;
                if ((start > 0 && data[start - 1] == '-') || !is_wide_integer(data + start, i - start, &wide))
                        continue;
                /* 2^64, which no integer here is, stands for 2^64 - 1. */
                if (wide != UINT64_MAX && ((double) wide >= 0x1p64 || (unsigned long long) (double) wide != wide))
                        return error_set(err, ERROR_INVALID_SPEC, "config.json: line %u: %llu cannot be kept exactly", line_of(data, start),
                                         wide);
                if (buf_append(out, data + copied, i - copied, err) < 0 || buf_puts(out, ".0", err) < 0)
                        return -1;
                copied = i;
        }
        return copied > 0 ? buf_append(out, data + copied, len - copied, err) : 0;
}

/* Writes reals that stand for integers of 2^63 and more as those integers: every real of that size is one, but 2^64, which is 2^64 - 1. */
static int narrow_reals(const char *text, Buf *out, Error *err) {
        bool in_string = false;
        const char *copied = text;

        for (const char *p = text; *p;) {
                char *end;
                double real;

                if (in_string && *p == '\\') {
                        p += 2;
                        continue;
                }
                if (*p == '"')
                        in_string = !in_string;
                if (in_string || !isdigit((unsigned char) *p)) {
                        p++;
                        continue;
                }
                real = strtod(p, &end);
                if (p > text && p[-1] != '-' && memchr(p, 'e', (size_t) (end - p)) && real >= 0x1p63 && real <= 0x1p64) {
                        if (buf_append(out, copied, (size_t) (p - copied), err) < 0 ||
                            buf_printf(out, err, "%llu", real < 0x1p64 ? (unsigned long long) real : (unsigned long long) UINT64_MAX) < 0)
                                return -1;
                        copied = end;
                }
                p = end;
        }
        return buf_puts(out, copied, err);
}

static int load_open(int fd, const char *name, json_t **ret, Error *err) {
        _cleanup_buf_ Buf text = BUF_INIT(2 * (size_t) RUNTIME_SPEC_SIZE_MAX);
        _cleanup_free_ char *data = NULL;
        _cleanup_json_ json_t *spec = NULL;
        size_t len;

        if (file_read_fd(fd, name, RUNTIME_SPEC_SIZE_MAX, &data, &len, err) < 0 || widen_integers(data, len, &text, err) < 0 ||
            json_parse(text.len > 0 ? text.data : data, text.len > 0 ? text.len : len, name, &spec, err) < 0 || spec_check(spec, err) < 0)
                return -1;
        *ret = TAKE(spec);
        return 0;
}

int spec_load(int bundle_fd, json_t **ret, Error *err) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        /* A symlink is followed, as every runtime does; O_NONBLOCK so that a FIFO in its place does not hang us. */
        fd = openat(bundle_fd, SPEC_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
                error_set(err, ERROR_BUNDLE_NOT_FOUND, "the bundle has no config.json");
                return error_hint(err, "name the directory that holds config.json with --bundle");
        }
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open 'config.json'");
        if (fstat(fd, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat 'config.json'");
        if (!S_ISREG(st.st_mode))
                return error_set(err, ERROR_FILE, "'config.json' is not a regular file");
        return load_open(fd, SPEC_FILE, ret, err);
}

int spec_load_bundle(const char *bundle, json_t **ret, Error *err) {
        _cleanup_close_ int fd = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(err, ERROR_BUNDLE_NOT_FOUND, errno, "bundle '%s'", bundle);
        return spec_load(fd, ret, err) < 0 ? error_prefix(err, "bundle '%s'", bundle) : 0;
}

int spec_load_file(const char *path, json_t **ret, Error *err) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", path);
        return load_open(fd, path, ret, err);
}

int spec_print(const json_t *json, char **ret, Error *err) {
        _cleanup_buf_ Buf out = BUF_INIT(RUNTIME_SPEC_SIZE_MAX);
        _cleanup_free_ char *text = NULL;

        if (json_print(json, &text, err) < 0 || narrow_reals(text, &out, err) < 0)
                return -1;
        *ret = TAKE(out.data);
        return 0;
}

int spec_save(int bundle_fd, const json_t *spec, unsigned flags, Error *err) {
        _cleanup_buf_ Buf out = BUF_INIT(RUNTIME_SPEC_SIZE_MAX);
        _cleanup_free_ char *text = NULL;

        if (spec_print(spec, &text, err) < 0 || buf_puts(&out, text, err) < 0 || buf_puts(&out, "\n", err) < 0)
                return -1;
        return file_write_atomic_at(bundle_fd, SPEC_FILE, out.data, out.len, 0600, flags, err);
}
