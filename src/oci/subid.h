#pragma once

/* The ranges of ids that /etc/subuid and /etc/subgid give to users. Source: subuid(5) */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct SubidRange {
        int64_t start, size;
} SubidRange;

/**
 * subid_ranges() - a user's ranges, in the file's order
 * @path: the file; one that is not there gives nothing
 * @name: of the user
 * @id:   the same as a number, as which the file may name it; NULL: it does not count
 * @ret:  free()
 *
 * Errors: FileError, OutOfMemory
 */
int subid_ranges(const char *path, const char *name, const char *id, SubidRange **ret, size_t *ret_n, Error *err);
