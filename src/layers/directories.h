#pragma once

/*
 * What is settled about directories only when nothing is made in them any more: times, and default ACLs. A layer may have millions of
 * directories, so the list is a file, not memory.
 */

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "layers/metadata.h"

typedef struct DirectoryList {
        FILE *file;    /* nameless */
        bool has_acls; /* at least one default ACL was noted */
} DirectoryList;

/** directory_list_open() - @dir_fd: where the nameless file lives. Errors: FileError */
int directory_list_open(int dir_fd, DirectoryList *ret, Error *err);
void directory_list_close(DirectoryList *list);

/** directory_list_add() - note what @path (relative, canonical) shall have; a later note on the same path wins */
int directory_list_add(DirectoryList *list, const char *path, const Metadata *metadata, Error *err);

/** directory_list_apply() - set it all below @root_fd; paths that are no directories any more are passed over. Errors: FileError */
int directory_list_apply(DirectoryList *list, int root_fd, Error *err);
