#pragma once

/* What of a store is in use: everything that can be reached from index.json and from the containers. */

#include "layers/path-set.h"
#include "store/store.h"

typedef struct GcMarks {
        PathSet blobs;  /* hex digits of digests */
        PathSet layers; /* hex digits of chainIDs */
} GcMarks;

void gc_marks_clear(GcMarks *marks);

/** gc_mark() - Errors: InvalidJson, InvalidSpec, FileError, OutOfMemory */
int gc_mark(Store *store, GcMarks *ret, Error *err);
