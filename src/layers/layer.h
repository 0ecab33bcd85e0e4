#pragma once

/* One layer of a batch, made from its blob. */

#include "layers/batch.h"

/** A layer that is made; different ones may be made by different threads at once */
typedef struct LayerJob {
        const LayersRequest *request;
        LayerBatch *batch;
        size_t layer;
        /** wait_lowers() - come back when all layers below are there. Errors: Interrupted */
        int (*wait_lowers)(void *userdata, Error *err);
        bool (*stopped)(void *userdata); /* whether to give up */
        void *userdata;
        const int *lowers; /* roots of the layers below, topmost first; there after wait_lowers() */
} LayerJob;

/** layer_make() - unpack it below the batch's tmp directory. @ret_root: the directory it was unpacked into */
int layer_make(const LayerJob *job, int *ret_root, Error *err);

/** layer_verify() - read its blob and check it, as far as there is something to be read. @needed: as LayerBlobs.open() */
int layer_verify(const LayerJob *job, bool needed, Error *err);
