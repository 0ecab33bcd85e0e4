#pragma once

/* What is known of an unpacked layer: layers/CHAINID-HEX/layer.json */

#include "store/store.h"

typedef struct StoreLayer {
        Digest chain_id;
        Digest diff_id;
        bool has_parent;
        Digest parent;    /* chainID of the layer it stands on */
        uint64_t size;    /* bytes of its tar */
        uint64_t entries; /* of its tar */
} StoreLayer;

/** store_layer_load() - Errors: ImageNotFound (no such layer), InvalidJson, InvalidSpec (a damaged record), FileError, OutOfMemory */
int store_layer_load(Store *store, const Digest *chain_id, StoreLayer *ret, Error *err);

/** store_layers_list() - the chainIDs of all that is visible, in their order; free(). Errors: FileError, OutOfMemory */
int store_layers_list(Store *store, Digest **ret, size_t *ret_n, Error *err);

/**
 * store_layer_find() - the layer a user means
 * @text: "sha256:HEX", HEX, or a unique prefix of at least 6 digits
 *
 * Errors: ImageNotFound, InvalidArgument (ambiguous, or no chainID at all)
 */
int store_layer_find(Store *store, const char *text, Digest *ret, Error *err);
