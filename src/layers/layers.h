#pragma once

/*
 * Unpacked layers in the store: each is made once, whoever else asks for it at the same time, and is visible only when whole and synced.
 * And what removes them again, with the blobs, once nothing refers to them.
 */

#include <signal.h>

#include "store/store.h"

typedef struct LayerProgress {
        void (*report)(void *userdata, const char *what, const char *subject, uint64_t done, uint64_t total); /* may be NULL */
        void *userdata;
        const volatile sig_atomic_t *cancelled; /* may be NULL */
} LayerProgress;

/**
 * layers_ensure() - make sure every layer of an image is unpacked
 *
 * @unpacked_max: bytes one layer may unpack to; 0: LAYER_UNPACKED_MAX
 *
 * Blob digest, size and diffID are checked while a layer unpacks. The caller holds the store's lock "gc" shared.
 *
 * Errors: ImageNotFound (a blob is missing), DigestMismatch, InvalidSpec (not a valid layer, or too large), FileError, Interrupted, OutOfMemory
 */
int layers_ensure(Store *store, const StoreImage *image, uint64_t unpacked_max, const LayerProgress *progress, Error *err);

/** layer_chain_id() - the chainID of a layer on top of @parent (NULL: of none). Source: image-spec, config.md "Layer ChainID" */
int layer_chain_id(const Digest *parent, const Digest *diff_id, Digest *ret, Error *err);

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
