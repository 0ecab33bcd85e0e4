#pragma once

/*
 * The local store as every command sees it. It is an OCI image layout with more beside it:
 *
 *   oci-layout, index.json, blobs/sha256/HEX     the layout: skopeo and umoci read and write it as it is
 *   images/HEX.json                              what is known of the image whose manifest is HEX (StoreImage); a cache, can be made anew
 *   images/HEX.trust                             where it came from, and by which policy it was let in; see trust/record.h
 *   layers/CHAINID-HEX/diff/                     unpacked layers, in overlay's own format; visible only when whole and synced
 *   layers/CHAINID-HEX/layer.json                {diffID, parent, size, entries}
 *   containers/ID/                               containers made from images: see container.h
 *   downloads/HEX                                halves of blobs, for the next pull to go on with; see image/receive.h
 *   tmp/                                         half-made things, each in a directory of its own, locked by who makes it
 *   index.lock, gc.lock, …                       locks; of gc.lock also a byte for each layer that is being unpacked
 *
 * Directories are made 0700 and files 0600, but for layers' contents. It is not only that images hold other people's secrets: whoever could
 * walk into a container's files could run the setuid programs that its root made there (CVE-2021-41103).
 *
 * Other programs write index.json without our lock: skopeo reads it when it begins to copy and writes it when it is done, and so undoes
 * what anyone changed in between. Don't change names while skopeo or umoci copies in.
 * This folder links libc and jansson only: hashing and unpacking live in layers/ and image/.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "oci/descriptor.h"
#include "oci/image-config.h"
#include "oci/manifest.h"

typedef struct Store Store;

typedef enum StoreMode {
        STORE_READ,   /* ImageNotFound/ContainerNotFound come from look-ups: a store that does not exist yet is an empty one */
        STORE_CREATE, /* make what is missing */
} StoreMode;

/** store_open() - open a store directory. Errors: FileError, InvalidJson (oci-layout), NotSupported (another layout version) */
int store_open(const char *path, StoreMode mode, Store **ret, Error *err);
Store *store_close(Store *store);
static inline void store_closep(Store **store) {
        store_close(*store);
}

/** Borrowed descriptors of the store and its folders; -EBADF when a STORE_READ store does not exist */
int store_fd(const Store *store);
int store_blobs_fd(const Store *store);
int store_images_fd(const Store *store);
int store_layers_fd(const Store *store);
int store_containers_fd(const Store *store);
int store_tmp_fd(const Store *store);
const char *store_path(const Store *store); /* absolute */

/*
 * ---- names (index.json) ----
 * A name is the annotation org.opencontainers.image.ref.name of an entry of index.json; several names may mean one manifest.
 */

typedef struct StoreName {
        char *name;            /* as it stands in index.json; NULL for an entry without one */
        Descriptor descriptor; /* of a manifest, or of an index (multi-platform, as skopeo --all writes it) */
} StoreName;

StoreName *store_names_free(StoreName *names, size_t n);

/** store_names_list() - every entry of index.json, in its order. Errors: InvalidJson, InvalidSpec, FileError */
int store_names_list(Store *store, StoreName **ret, size_t *ret_n, Error *err);

/**
 * store_name_find() - what a user's reference means
 * @text: tried in this order: the exact name; its normalised form; a name of which @text is the short form; a manifest digest
 *        ("sha256:HEX", or NAME@sha256:HEX); a unique prefix of at least 6 hex digits of a manifest or config digest
 *
 * Errors: ImageNotFound (hint: how to import), InvalidArgument when ambiguous
 */
int store_name_find(Store *store, const char *text, StoreName *ret, Error *err);
void store_name_clear(StoreName *name);

/** store_name_set() - let @name mean @descriptor (fsynced, under index.lock); other entries, also unknown fields of them, are kept */
int store_name_set(Store *store, const char *name, const Descriptor *descriptor, Error *err);

/**
 * store_name_remove() - drop a name; the manifest stays until prune
 * @name:     exact; or "sha256:HEX": the entries of that digest that have no name
 * @ret_last: whether no entry means that manifest any more
 *
 * Errors: ImageNotFound
 */
int store_name_remove(Store *store, const char *name, bool *ret_last, Error *err);

/* ---- images ---- */

/** What is known of an image whose manifest, config and layers were verified once. Saved as images/HEX.json. */
typedef struct StoreImage {
        Digest manifest;
        Digest config;
        Digest *chain_ids; /* base first: the keys in layers/ */
        Digest *diff_ids;
        Descriptor *layers; /* compressed blobs, as in the manifest */
        size_t n_layers;
        uint64_t size; /* bytes of all blobs */
} StoreImage;

StoreImage *store_image_free(StoreImage *image);
static inline void store_image_freep(StoreImage **image) {
        store_image_free(*image);
}

/** store_image_load() - *ret is NULL when nothing is known of it yet, or the record, a cache, is damaged. Errors: FileError, OutOfMemory */
int store_image_load(Store *store, const Digest *manifest, StoreImage **ret, Error *err);
int store_image_save(Store *store, const StoreImage *image, Error *err);

/** store_image_config() - read and parse an image's config blob (its digest was verified when it came in). Errors: ImageNotFound, … */
int store_image_config(Store *store, const StoreImage *image, ImageConfig **ret, Error *err);

/** store_blob_open() - O_RDONLY descriptor of a blob. Errors: ImageNotFound when it is not there, DigestMismatch when its size differs */
int store_blob_open(Store *store, const Descriptor *descriptor, int *ret_fd, Error *err);
/** store_blob_read() - the whole of a small blob; free(). @max: bytes */
int store_blob_read(Store *store, const Descriptor *descriptor, size_t max, char **ret_data, size_t *ret_len, Error *err);

/** store_layer_exists() - whether the unpacked layer is there, whole */
bool store_layer_exists(Store *store, const Digest *chain_id);

/* ---- locks ---- */

/**
 * store_lock() - take a named lock of the store
 * @name: "index", "gc", …: everything that uses images holds "gc" shared while it makes a reference; prune holds it exclusive
 */
int store_lock(Store *store, const char *name, bool exclusive, bool wait, int *ret_fd, Error *err);

/**
 * store_discard() - remove the directory @name of @dir_fd, a folder of the store: gone from there at once, then taken apart in tmp/
 *
 * A crash in the middle leaves something for store_tmp_clean(), and nothing half there. Missing: success.
 *
 * Errors: FileError
 */
int store_discard(Store *store, int dir_fd, const char *name, Error *err);

/**
 * store_tmp_make() - a private directory in tmp/, locked while the maker lives
 * @ret_name: its name below tmp/; free()
 * @ret_fd:   the directory
 * @ret_lock: closing it lets store_tmp_clean() remove the directory
 */
int store_tmp_make(Store *store, char **ret_name, int *ret_fd, int *ret_lock, Error *err);

/** store_tmp_clean() - remove what dead makers left in tmp/, and half-written files elsewhere; @ret_n counts. Errors: FileError */
int store_tmp_clean(Store *store, unsigned *ret_n, Error *err);
