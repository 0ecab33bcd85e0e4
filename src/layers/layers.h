#pragma once

/*
 * Unpacked layers in the store: each is made once, whoever else asks for it at the same time, and is visible only when whole and synced.
 * And what removes them again, with the blobs, once nothing refers to them.
 */

#include <signal.h>

#include "layers/blob-source.h"
#include "layers/blob-stream.h"
#include "store/layer.h"
#include "store/store.h"

typedef struct LayerProgress {
        /** report() - may be called from several threads at once; may be NULL */
        void (*report)(void *userdata, const char *what, const char *subject, uint64_t done, uint64_t total);
        void *userdata;
        const volatile sig_atomic_t *cancelled; /* may be NULL */
} LayerProgress;

/** One layer's blob while it is read */
typedef struct LayerInput {
        int fd;                 /* the blob, or as much of it as there is; -1: nothing yet */
        const BlobSource *more; /* where the rest comes from; NULL: @fd is all */
        int copy_fd;            /* as in BlobStreamOptions; with @more the same file as @fd, so that it can be read again */
        bool resumed;           /* @fd has bytes of an earlier time, which a power loss may have damaged: worth a second try without them */
        void *userdata;         /* of whoever opened it */
} LayerInput;

#define LAYER_INPUT_INIT ((LayerInput) { .fd = -1, .copy_fd = -1 })

/** Whether a call that waits has to give up */
typedef struct LayerStop {
        bool (*stopped)(void *userdata);
        void *userdata;
} LayerStop;

/** Where the blobs of an image's layers come from, and what becomes of them. Called from several threads at once, for different layers */
typedef struct LayerBlobs {
        /** open() - @needed: false: the layer is unpacked already. *ret_skip: there is nothing to be read */
        int (*open)(void *userdata, size_t layer, bool needed, const LayerStop *stop, LayerInput *ret, bool *ret_skip, Error *err);
        /** settle() - the blob was read whole, and it is the right one; may be NULL */
        int (*settle)(void *userdata, size_t layer, LayerInput *input, const BlobStreamResult *result, Error *err);
        /** close() - always called after open() succeeded, also when it skipped. @failed: NULL: all went well */
        void (*close)(void *userdata, size_t layer, LayerInput *input, const Error *failed);
        void *userdata;
} LayerBlobs;

typedef struct LayersRequest {
        Store *store;
        const StoreImage *image;
        const LayerBlobs *blobs;       /* NULL: those of the store */
        bool verify_only;              /* check blobs and diffIDs, unpack nothing */
        const char *what;              /* of progress: "unpack", "pull", … */
        uint64_t unpacked_max;         /* bytes one layer may unpack to; 0: LAYER_UNPACKED_MAX */
        unsigned workers;              /* layers at once; 0: by the number of processors */
        const int *lock_fd;            /* of layers_lock_open(), for several batches at once: they do not wait for each other; NULL: its own */
        const LayerProgress *progress; /* may be NULL */
} LayersRequest;

/** layers_lock_open() - the file whose locks keep others off the layers that are made. Errors: FileError */
int layers_lock_open(Store *store, int *ret_fd, Error *err);

/** Layers that are unpacked, but not visible yet */
typedef struct LayerBatch LayerBatch;

/**
 * layers_make() - read all layers of an image, several at a time, and unpack those that are missing
 *
 * Each blob is read once: digest, size and diffID are checked while it unpacks. (A layer that hides something of the lower ones after it has
 * used it is read twice more.) Where a layer needs to know what lies below it, it waits for those layers. What comes out is the same with any
 * number of workers. The caller holds the store's lock "gc" shared until the batch is published or freed.
 *
 * When layers fail, the error is that of the lowest one.
 *
 * Errors: ImageNotFound (a blob is missing), DigestMismatch, InvalidSpec (not a valid layer, or too large), FileError, Interrupted,
 * OutOfMemory, what a source fails with
 */
int layers_make(const LayersRequest *request, LayerBatch **ret, Error *err);

/** layer_batch_sync() - put all of the store's filesystem on disk, this batch included. Errors: FileError */
int layer_batch_sync(LayerBatch *batch, Error *err);

/** layer_batch_publish() - make the layers visible, each after the one it stands on; they are on disk already. Errors: FileError */
int layer_batch_publish(LayerBatch *batch, Error *err);

/** layer_batch_free() - what was not published is removed */
LayerBatch *layer_batch_free(LayerBatch *batch);
static inline void layer_batch_freep(LayerBatch **batch) {
        layer_batch_free(*batch);
}

/** layers_ensure() - make, sync and publish. Errors: as layers_make() */
int layers_ensure(const LayersRequest *request, Error *err);

/** layer_chain_id() - the chainID of a layer on top of @parent (NULL: of none). Source: image-spec, config.md "Layer ChainID" */
int layer_chain_id(const Digest *parent, const Digest *diff_id, Digest *ret, Error *err);

/**
 * layer_check() - whether a layer's record is right, stands where it says, and has its files and what lies below it
 *
 * Errors: ImageNotFound (it, or the one it stands on), DigestMismatch, InvalidJson, InvalidSpec, InvalidRootfs, FileError
 */
int layer_check(Store *store, const Digest *chain_id, Error *err);

typedef struct PruneCount {
        uint64_t blobs, layers, images, temporary; /* how many were removed, or would be */
        uint64_t bytes;                            /* of blobs and of unpacked layers */
} PruneCount;

/**
 * store_prune() - remove what neither a name in index.json nor a container refers to, and what dead processes left
 *
 * The caller holds the store's lock "gc" exclusively.
 *
 * Errors: InvalidJson and InvalidSpec (a damaged manifest or record: what it refers to is not known, so nothing is removed), FileError
 */
int store_prune(Store *store, bool dry_run, PruneCount *ret, Error *err);
