/* Checking unpacked layers, many in one call: each record, and its place in the chain. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "layers/layers.h"

static int check_place(Store *store, const StoreLayer *layer, Error *err) {
        StoreLayer parent;
        Digest wanted;

        if (layer_chain_id(layer->has_parent ? &layer->parent : NULL, &layer->diff_id, &wanted, err) < 0)
                return -1;
        if (!digest_equal(&wanted, &layer->chain_id))
                return error_set(err, ERROR_DIGEST_MISMATCH, "its record is that of layer %s", wanted.text);
        return layer->has_parent ? store_layer_load(store, &layer->parent, &parent, err) : 0;
}

static int check_directory(Store *store, const Digest *chain_id, Error *err) {
        char path[sizeof(Digest) + sizeof("/diff")];
        struct stat st;

        snprintf(path, sizeof(path), "%s/diff", digest_hex(chain_id));
        if (fstatat(store_layers_fd(store), path, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat its files");
        return S_ISDIR(st.st_mode) ? 0 : error_set(err, ERROR_INVALID_ROOTFS, "its files are no directory");
}

int layer_check(Store *store, const Digest *chain_id, Error *err) {
        StoreLayer layer;

        return store_layer_load(store, chain_id, &layer, err) < 0 || check_directory(store, chain_id, err) < 0 ?
                       -1 :
                       check_place(store, &layer, err);
}
