#pragma once

/*
 * Remembers paths at 16 bytes each, to answer one question: is a path in the set, or anything below it? Answers may be "yes" by chance (64-bit
 * hashes), never "no".
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct PathSet {
        uint64_t *slots; /* 0: free */
        size_t n, size;  /* size: a power of two */
} PathSet;

/** path_set_add() - remember a relative, canonical path. Errors: OutOfMemory */
int path_set_add(PathSet *set, const char *path, Error *err);

/** path_set_has() - whether @path itself was added */
bool path_set_has(const PathSet *set, const char *path);

/** path_set_has_below() - whether anything strictly below @path was added; "" is the root */
bool path_set_has_below(const PathSet *set, const char *path);

void path_set_free(PathSet *set);
