#pragma once

/*
 * Look-ups through a stack of unpacked layers in overlay's own format: a character device 0:0 is a whiteout, a directory with the
 * extended attribute trusted.overlay.opaque = "y" hides what lies below it; where a user namespace may not set that, user.overlay.opaque.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"

#define OVERLAY_OPAQUE      "trusted.overlay.opaque"
#define OVERLAY_OPAQUE_USER "user.overlay.opaque"

typedef struct LayerStack {
        const int *fds; /* root directories, the topmost first; borrowed */
        size_t n;
} LayerStack;

typedef struct StackEntry {
        int fd;         /* O_PATH; -EBADF: the path does not exist */
        size_t layer;   /* index in the stack */
        struct stat st;
} StackEntry;

void stack_entry_clear(StackEntry *entry);
#define _cleanup_stack_entry_ _cleanup_(stack_entry_clear)
#define STACK_ENTRY_INIT ((StackEntry) { .fd = -EBADF })

/**
 * stack_find() - what a path means in the merged view
 * @path: relative and canonical: no symlink, no "." or ".." in it but a symlink as the last component; "" is the root
 * @from: layers above this index are passed over; their whiteouts and opaque directories still hide what lies below them
 * @ret:  always set on success; fd is -EBADF when there is no such file
 *
 * Errors: FileError
 */
int stack_find(const LayerStack *stack, const char *path, size_t from, StackEntry *ret, Error *err);

/** stat_is_whiteout() - a character device 0:0 */
bool stat_is_whiteout(const struct stat *st);

/** directory_is_opaque() - @fd may be O_PATH. Returns 1, 0, or -1 with errno set */
int directory_is_opaque(int fd);

/** directory_set_opaque() - Errors: FileError, with a hint when the filesystem has no trusted attributes */
int directory_set_opaque(int fd, Error *err);
