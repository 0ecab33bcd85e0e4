#pragma once

/* Unpacked layers in the store: each is made once, whoever else asks for it at the same time, and is visible only when whole and synced. */

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
 * Blob digest, size and diffID are checked while a layer unpacks. The caller holds the store's lock "gc" shared.
 *
 * Errors: ImageNotFound (a blob is missing), DigestMismatch, InvalidSpec, FileError, Interrupted, OutOfMemory
 */
int layers_ensure(Store *store, const StoreImage *image, const LayerProgress *progress, Error *err);

/** layer_chain_id() - the chainID of a layer on top of @parent (NULL: of none). Source: image-spec, config.md "Layer ChainID" */
int layer_chain_id(const Digest *parent, const Digest *diff_id, Digest *ret, Error *err);
