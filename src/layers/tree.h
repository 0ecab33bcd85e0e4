#pragma once

/*
 * A layer while it is made: the directory it is unpacked into, on top of the finished layers below it. Paths of a tar mean what they
 * would mean to a process chrooted into the merged view; what they change is only ever in the topmost directory.
 */

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "layers/directories.h"
#include "layers/path-set.h"
#include "layers/stack.h"

typedef struct LayerTree {
        int fd;               /* the directory that is filled */
        int *fds;             /* it, then the layers below, topmost first; all borrowed but the array */
        LayerStack stack;     /* of them */
        DirectoryList directories;
        PathSet used;         /* paths at which something of the lower layers was taken up: a later whiteout of them comes too late */
        char last[PATH_MAX];  /* the directory that was resolved last, when no symlink led to it */
        int last_fd;
} LayerTree;

#define LAYER_TREE_INIT ((LayerTree) { .fd = -EBADF, .last_fd = -EBADF })

/** A directory of the tree */
typedef struct TreeDirectory {
        char path[PATH_MAX]; /* canonical; "" is the root */
        int fd;              /* owned; -EBADF when it exists only in a lower layer */
} TreeDirectory;

#define TREE_DIRECTORY_INIT ((TreeDirectory) { .fd = -EBADF })
void tree_directory_clear(TreeDirectory *directory);
#define _cleanup_tree_directory_ _cleanup_(tree_directory_clear)

/**
 * layer_tree_open() - begin a layer; free with layer_tree_close()
 * @fd:      an empty directory; becomes the layer's root, with the metadata of the root below it
 * @lowers:  the finished layers below, topmost first; borrowed until closed
 * @work_fd: where a temporary file may be made
 */
int layer_tree_open(int fd, const int *lowers, size_t n_lowers, int work_fd, LayerTree *ret, Error *err);
void layer_tree_close(LayerTree *tree);

/**
 * tree_resolve() - the directory a path leads to
 * @path:  as in the archive; may hold "..", and pass symlinks of any layer
 * @make:  make what is missing, and take up in this layer what only lower ones have: a directory of a lower layer with its metadata
 * @found: without @make: whether there is such a directory
 *
 * Errors: InvalidSpec (something on the way is no directory, too many symlinks, a name too long), FileError
 */
int tree_resolve(LayerTree *tree, const char *path, bool make, TreeDirectory *ret, bool *ret_found, Error *err);

/** tree_join() - "DIRECTORY/NAME" into @ret (PATH_MAX bytes). Errors: InvalidSpec */
int tree_join(const char *directory, const char *name, char ret[PATH_MAX], Error *err);

/**
 * tree_vacate() - remove what this layer has at @name so far, so that something new can take its place
 * @ret_whiteout: whether that was a whiteout; may be NULL
 */
int tree_vacate(LayerTree *tree, const TreeDirectory *parent, const char *name, bool *ret_whiteout, Error *err);

/** tree_copy_up() - take a file (no directory) of a lower layer up into this one, at the same path */
int tree_copy_up(LayerTree *tree, const StackEntry *lower, const TreeDirectory *parent, const char *name, Error *err);
