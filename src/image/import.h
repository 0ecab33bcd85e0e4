#pragma once

/* Importing images; each kind of source has a file of its own. */

#include "image/staging.h"

/** The module's import(); see image.h */
int image_import(Store *store, const ImportRequest *request, const ImageProgress *progress, ImportedImage **ret, size_t *ret_n, Error *err);

/**
 * image_stage() - open, verify and stage a source's image without bringing it into the store
 * @request: borrowed by @ret_staging
 */
int image_stage(Store *store, const ImportRequest *request, const ImageProgress *progress, Staging *ret_staging, StagedImages *ret,
                Error *err);

/** An OCI layout: where its files come from */
typedef struct LayoutSource {
        /** open() - a file of the layout by its path: "index.json", "blobs/sha256/HEX". @blob: filled with own_dir_fd and own_name when it may be linked */
        int (*open)(void *userdata, const char *path, StagingBlob *blob, int *ret_fd, Error *err);
        void *userdata;
        const char *what;     /* for errors: the path the user gave */
        const char *selector; /* which image; NULL: all there are */
} LayoutSource;

/** import_layout() - stage the images of an OCI layout: all that @source selects */
int import_layout(Staging *staging, const LayoutSource *source, StagedImages *ret, Error *err);

/** import_layout_directory() - the same, from a directory */
int import_layout_directory(Staging *staging, int dir_fd, const char *path, const char *selector, StagedImages *ret, Error *err);

/** One file of an archive that was taken apart in the staging area */
typedef struct Member {
        char *name;    /* without "./" and a leading "/" */
        char *target;  /* of a symlink or hard link: the name it means; NULL for a file */
        char file[12]; /* its name in the members' directory */
} Member;

/** The files of an archive, so that they can be asked for in any order */
typedef struct Members {
        const Staging *staging;
        int dir_fd;
        Member *items;
        size_t n, names_len; /* bytes of all names */
} Members;

#define MEMBERS_INIT ((Members) { .dir_fd = -EBADF })

/** members_extract() - take the archive apart that @fd is, plain, gzip or zstd. Errors: InvalidSpec, FileError, Interrupted, OutOfMemory */
int members_extract(Staging *staging, int fd, const char *path, Members *ret, Error *err);
void members_clear(Members *members);

/** members_find() - a file by its name, links followed; NULL when there is none */
const Member *members_find(const Members *members, const char *name);

/** members_open() - what a LayoutSource of @userdata, a Members, opens its files with. Errors: ImageNotFound, FileError */
int members_open(void *userdata, const char *name, StagingBlob *blob, int *ret_fd, Error *err);

/** archive_is_rootfs() - whether a file is the tar of a root filesystem rather than an archive of images. Errors: InvalidArgument, FileError */
int archive_is_rootfs(int fd, const char *path, bool *ret, Error *err);

/** import_docker() - stage the images of a docker-archive that was taken apart. @selector: NULL: all there are */
int import_docker(Staging *staging, Members *members, const char *path, const char *selector, StagedImages *ret, Error *err);

/** import_rootfs_tar() - stage an image whose one layer is a tar, compressed in any of the usual ways */
int import_rootfs_tar(Staging *staging, int fd, const char *path, StagedImages *ret, Error *err);

/** import_rootfs_directory() - stage an image whose one layer is made from a directory */
int import_rootfs_directory(Staging *staging, int dir_fd, const char *path, StagedImages *ret, Error *err);
