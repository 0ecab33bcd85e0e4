#pragma once

/*
 * Where an import collects what it brings, below the store's tmp/, until all of it is verified. What is not committed leaves nothing behind.
 */

#include "image/image.h"
#include "layers/layers.h"

/** layer_progress() - the same for what layers/ does; @progress may be NULL */
LayerProgress layer_progress(const ImageProgress *progress);

typedef struct Staging {
        Store *store;
        const ImportRequest *request;
        const ImageProgress *progress; /* never NULL */
        char *tmp_name;
        int tmp_fd;   /* a private directory */
        int blobs_fd; /* in it: verified blobs, named by their hex digits */
        int lock_fd;
        int layers_lock; /* for the layers of all its images; -EBADF: none are unpacked */
        char **added; /* hex digits of blobs that committing brought into the store; for staging_rollback() */
} Staging;

#define STAGING_INIT ((Staging) { .tmp_fd = -EBADF, .blobs_fd = -EBADF, .lock_fd = -EBADF, .layers_lock = -EBADF })

int staging_open(Store *store, const ImportRequest *request, const ImageProgress *progress, Staging *ret, Error *err);
void staging_close(Staging *staging);
#define _cleanup_staging_ _cleanup_(staging_close)

/** What a source brought: images whose blobs are all staged */
typedef struct StagedImage {
        char *name; /* the source's own; NULL when it has none */
        Descriptor manifest;
        StoreImage *image;
        LayerBatch *layers; /* unpacked, to be published; NULL: none */
} StagedImage;

typedef struct StagedImages {
        StagedImage *items;
        size_t n;
} StagedImages;

/** What a blob must be; all members but @what are optional */
typedef struct StagingBlob {
        const char *what; /* "layer", "config", …, for errors and progress */
        const Digest *digest;
        const uint64_t *size;
        const Digest *diff_id; /* checked by decompressing; without it @raw */
        bool raw;              /* take it as bytes */
        int own_dir_fd;        /* @fd is the file @own_name in this directory of the staging area: linked, not copied; with -1: copied */
        const char *own_name;
} StagingBlob;

/** staging_add() - verify a blob and take it in. Errors: DigestMismatch, InvalidSpec, FileError, Interrupted, OutOfMemory */
int staging_add(Staging *staging, int fd, const StagingBlob *blob, BlobStreamResult *ret, Error *err);

/** Opens a layer of the source: @blob is filled with own_dir_fd and own_name when its file may be linked. From several threads at once */
typedef int (*StagingOpen)(void *userdata, const Descriptor *layer, StagingBlob *blob, int *ret_fd, Error *err);

/**
 * staging_add_layers() - verify the layers of an image and take them in, several at once, and unpack them if that was asked for
 * @open: NULL: they are in the staging area already, and are only unpacked
 * @ret:  points to @image until it is freed
 */
int staging_add_layers(Staging *staging, const StoreImage *image, StagingOpen open, void *userdata, LayerBatch **ret, Error *err);

/** staging_add_data() - take in a document made here */
int staging_add_data(Staging *staging, MediaType type, const void *data, size_t len, Descriptor *ret, Error *err);

/**
 * staging_create() - a file that is to become a blob, for one that is made here piece by piece; staging_settle() names it
 * @ret_fd: readable and writable
 */
int staging_create(Staging *staging, int *ret_fd, Error *err);
int staging_settle(Staging *staging, const Digest *digest, Error *err);
/** staging_settle_own() - a file that is already in the staging area gets a second name */
int staging_settle_own(const Staging *staging, const StagingBlob *blob, const Digest *digest, Error *err);

/** staging_add_image() - make config and manifest of an image whose layers are staged, and read them back. @layers: base first */
int staging_add_image(Staging *staging, const char *config, size_t config_len, const Descriptor *layers, size_t n_layers, const char *name,
                      StagedImages *images, Error *err);

/** staging_sync() - put all that was written on disk, unpacked layers too. Errors: FileError */
int staging_sync(Staging *staging, Error *err);

/** staging_commit() - make every blob part of the store; all is on disk */
int staging_commit(Staging *staging, Error *err);

/** staging_rollback() - take the blobs back that were not in the store before staging_commit() */
void staging_rollback(Staging *staging);

void staged_images_clear(StagedImages *images);
#define _cleanup_staged_images_ _cleanup_(staged_images_clear)

/** staged_images_add() - takes @image and @layers (may be NULL); copies @name */
int staged_images_add(StagedImages *images, const char *name, const Descriptor *manifest, StoreImage *image, LayerBatch *layers,
                      Error *err);

/** staged_image_clear() - one that is not wanted after all */
void staged_image_clear(StagedImage *image);

/**
 * name_is_wanted() - whether an image of the source is the one that was asked for
 * @selector: "oci:PATH:NAME"'s NAME; NULL: any
 */
bool name_is_wanted(const char *name, const char *selector);
