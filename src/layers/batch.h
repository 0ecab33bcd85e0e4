#pragma once

/* Inside of layers.h's LayerBatch. */

#include "layers/layers.h"

struct LayerBatch {
        Store *store;
        const StoreImage *image;
        char *tmp_name; /* NULL until the first layer is made */
        int tmp_fd, tmp_lock;
        int lock_fd; /* of the lock file: a lock for each layer that is made */
        bool *made;  /* which layers are here */
        size_t n_made;
};

int layer_batch_new(const LayersRequest *request, LayerBatch **ret, Error *err);

/**
 * layer_batch_lock() - keep other processes off a layer until the batch is freed; waits for one that makes it
 *
 * Layers are locked in their order, base first, so that two processes never wait for each other.
 *
 * Errors: FileError, Interrupted
 */
int layer_batch_lock(LayerBatch *batch, size_t layer, const volatile sig_atomic_t *cancelled, Error *err);
void layer_batch_unlock(LayerBatch *batch, size_t layer);
