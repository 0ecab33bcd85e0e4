#pragma once

/* Owner, mode, extended attributes and times of one file, and the order in which they must be set. */

#include <archive_entry.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"

#define ACL_DEFAULT "system.posix_acl_default"

typedef struct Xattr {
        char *name;
        void *value;
        size_t len; /* bytes */
} Xattr;

typedef struct Metadata {
        uid_t uid;
        gid_t gid;
        mode_t mode;              /* with the type */
        dev_t device;             /* of device nodes */
        struct timespec times[2]; /* access, modification */
        Xattr *xattrs;
        size_t n_xattrs;
} Metadata;

void metadata_clear(Metadata *metadata);
#define _cleanup_metadata_ _cleanup_(metadata_clear)

/** metadata_from_entry() - what a tar entry says. Errors: InvalidSpec (numbers out of range, too many attributes), OutOfMemory */
int metadata_from_entry(struct archive_entry *entry, Metadata *ret, Error *err);

/** metadata_from_file() - what an existing file has; @fd may be O_PATH. Errors: FileError, OutOfMemory */
int metadata_from_file(int fd, const struct stat *st, Metadata *ret, Error *err);

/**
 * metadata_apply() - set it all on @name in @parent_fd, which is not followed: owner, mode, extended attributes, times
 *
 * Of a directory, the default ACL and the times are left out: what is made in it later would inherit the one and change the other.
 *
 * Errors: FileError
 */
int metadata_apply(const Metadata *metadata, int parent_fd, const char *name, Error *err);

/**
 * metadata_apply_file() - the same for a regular file that was just made, by its descriptor
 * @owned: it belongs to 0:0 already; its permission bits, without setuid, setgid and sticky, are right already
 */
int metadata_apply_file(const Metadata *metadata, int fd, bool owned, Error *err);

/** metadata_apply_new() - as metadata_apply(), for anything but a directory that was just made. @owned: it belongs to 0:0 already */
int metadata_apply_new(const Metadata *metadata, int parent_fd, const char *name, bool owned, Error *err);

/** metadata_default_acl() - the attribute metadata_apply() leaves out of a directory; NULL when there is none; borrowed */
const Xattr *metadata_default_acl(const Metadata *metadata);

/** xattrs_remove() - remove all attributes but overlay's own from a directory. Errors: FileError */
int xattrs_remove(int fd, Error *err);
