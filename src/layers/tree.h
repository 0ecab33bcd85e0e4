#pragma once

/*
 * A layer while it is made: the directory it is unpacked into, on top of the finished layers below it. Paths of a tar mean what they
 * would mean to a process chrooted into the merged view; what they change is only ever in the topmost directory.
 */

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "layers/path-set.h"
#include "layers/stack.h"
#include "layers/unpack.h"

/** A directory of the tree */
typedef struct TreeDirectory {
        char path[PATH_MAX]; /* canonical; "" is the root */
        int fd;              /* -EBADF when it exists only in a lower layer */
        bool owned;          /* else it is the tree's, and good for the entry that is being made */
        bool plain;          /* what is made in it belongs to 0:0 */
        bool direct;         /* no symlink leads to it */
} TreeDirectory;

#define TREE_DIRECTORY_INIT ((TreeDirectory) { .fd = -EBADF })
void tree_directory_clear(TreeDirectory *directory);
#define _cleanup_tree_directory_ _cleanup_(tree_directory_clear)

typedef struct LayerTree {
        const UnpackTarget *target; /* borrowed */
        int *fds;         /* the directory that is filled, then the layers below, topmost first; all borrowed but the array */
        LayerStack stack; /* of them: only the first, until a lower layer was asked for */
        bool settled;     /* all layers are in the stack */
        bool has_root;    /* an entry describes the root */
        PathSet used;     /* paths at which something of the lower layers was taken up: a later whiteout of them comes too late */
        TreeDirectory last; /* where the entry before was made, for tars have the files of a directory together; fd -EBADF: none */
        bool is_root;     /* this process makes files as 0:0 */
} LayerTree;

#define LAYER_TREE_INIT ((LayerTree) { .target = NULL, .last = TREE_DIRECTORY_INIT })

/** layer_tree_open() - begin a layer, or another pass over it; free with layer_tree_close(). @target: borrowed until closed */
int layer_tree_open(const UnpackTarget *target, LayerTree *ret, Error *err);
/** layer_tree_finish() - after the last entry: what directories get last. Errors: FileError, Interrupted, OutOfMemory */
int layer_tree_finish(LayerTree *tree, Error *err);
void layer_tree_close(LayerTree *tree);

/** tree_settle() - wait for the lower layers, and have them in the stack. Errors: Interrupted */
int tree_settle(LayerTree *tree, Error *err);

/** tree_find() - stack_find() in all layers; it waits for lower ones only when the upper one does not answer */
int tree_find(LayerTree *tree, const char *path, size_t from, StackEntry *ret, Error *err);

/**
 * tree_resolve() - the directory a path leads to
 * @path:  as in the archive; may hold "..", and pass symlinks of any layer
 * @make:  make what is missing, and take up in this layer what only lower ones have: a directory of a lower layer with its metadata
 * @found: without @make: whether there is such a directory
 *
 * Errors: InvalidSpec (something on the way is no directory, too many symlinks, a name too long), FileError
 */
int tree_resolve(LayerTree *tree, const char *path, bool make, TreeDirectory *ret, bool *ret_found, Error *err);

/** tree_keep() - after an entry: its directory may be the next one's too; @directory is cleared */
void tree_keep(LayerTree *tree, TreeDirectory *directory);

/** tree_forget() - what is at a path changes its owner, or goes with all below it */
void tree_forget(LayerTree *tree, const char *path);

/** tree_join() - "DIRECTORY/NAME" into @ret (PATH_MAX bytes). Errors: InvalidSpec */
int tree_join(const char *directory, const char *name, char ret[PATH_MAX], Error *err);

/**
 * tree_vacate() - remove what this layer has at @name so far, so that something new can take its place
 * @ret_whiteout: whether that was a whiteout; may be NULL
 */
int tree_vacate(LayerTree *tree, const TreeDirectory *parent, const char *name, bool *ret_whiteout, Error *err);

/** tree_copy_up() - take a file (no directory) of a lower layer up into this one, at the same path */
int tree_copy_up(LayerTree *tree, const StackEntry *lower, const TreeDirectory *parent, const char *name, Error *err);
