#pragma once

/* Importing images; each kind of source has a file of its own. */

#include "image/staging.h"

/** The module's import(); see image.h */
int image_import(Store *store, const ImportRequest *request, const ImageProgress *progress, ImportedImage **ret, size_t *ret_n, Error *err);

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
