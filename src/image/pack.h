#pragma once

/* Making a layer's tar from a directory. */

#include <signal.h>

#include "image/gzip-writer.h"

/**
 * pack_directory() - write the tree below @dir_fd as a pax tar: sorted by name, with hard links, devices, extended attributes, holes
 *
 * Sockets mean nothing without the process that listens and are left out; what is mounted inside is left out but for its mount point.
 *
 * Errors: FileError, InvalidSpec (a name that would be a whiteout), Interrupted, OutOfMemory
 */
int pack_directory(int dir_fd, GzipWriter *writer, const volatile sig_atomic_t *cancelled, Error *err);
