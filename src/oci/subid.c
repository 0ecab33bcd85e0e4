/* Reading /etc/subuid and /etc/subgid. */

#include "oci/subid.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define SUBID_FILE_MAX (1u << 20) /* bytes; this program's own cap */

static int add_range(SubidRange **ranges, size_t *n, const char *start, const char *size, Error *err) {
        SubidRange *grown = reallocarray(*ranges, *n + 1, sizeof(*grown));

        if (!grown)
                return error_oom(err);
        grown[*n] = (SubidRange) { .start = strtoll(start, NULL, 10), .size = strtoll(size, NULL, 10) };
        *ranges = grown;
        (*n)++;
        return 0;
}

int subid_ranges(const char *path, const char *name, const char *id, SubidRange **ret, size_t *ret_n, Error *err) {
        _cleanup_free_ SubidRange *ranges = NULL;
        _cleanup_free_ char *data = NULL;
        char *cursor, *line;
        Error cause = ERROR_INIT;
        size_t n = 0;

        if (file_read_at(AT_FDCWD, path, SUBID_FILE_MAX, &data, NULL, &cause) < 0 && cause.errnum != ENOENT)
                return error_set(err, cause.kind, "%s", cause.text);
        cursor = data;
        while ((line = strsep(&cursor, "\n"))) {
                const char *user = strsep(&line, ":"), *start = strsep(&line, ":"), *size = line;

                if (start && size && (!strcmp(user, name) || (id && !strcmp(user, id))) && add_range(&ranges, &n, start, size, err) < 0)
                        return -1;
        }
        *ret = TAKE(ranges);
        *ret_n = n;
        return 0;
}
