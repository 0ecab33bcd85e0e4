#pragma once

/* The bytes of long work on a terminal: a line for each thing that is under way, and one for all of them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define LINES_KEPT  512 /* things that are counted; an image has at most 500 layers */
#define LINES_SHOWN 10  /* of those under way */

typedef struct ProgressItem {
        char what[16], subject[80];
        uint64_t done, total;     /* bytes; total 0: unknown */
        uint64_t first, began;    /* bytes that were there when it began, and when that was, ns */
} ProgressItem;

typedef struct ProgressLines {
        ProgressItem items[LINES_KEPT];
        size_t n;
        unsigned on_screen; /* lines written, and to be erased */
} ProgressLines;

static inline bool progress_item_is_done(const ProgressItem *item) {
        return item->total > 0 && item->done >= item->total;
}

/**
 * lines_update() - note how far something is
 * @now: ns, monotonic
 *
 * Returns: the item when it is done just now; NULL otherwise
 */
const ProgressItem *lines_update(ProgressLines *lines, const char *what, const char *subject, uint64_t done, uint64_t total, uint64_t now);

/** lines_print() - append what erases the last picture and draws the new one, at most @columns wide */
int lines_print(ProgressLines *lines, uint64_t now, unsigned columns, Buf *out);

/** lines_erase() - append what takes the picture away */
int lines_erase(ProgressLines *lines, Buf *out);

/** item_text() - "pull 9f86d081884c: 12.3 MB of 45.6 MB, 7.8 MB/s"; appended, printable */
int item_text(const ProgressItem *item, uint64_t now, Buf *out);
