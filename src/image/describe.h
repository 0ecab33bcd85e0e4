#pragma once

/* From a descriptor to an image: index, platform, manifest, config, chainIDs; every document verified by its digest. */

#include "store/store.h"

/**
 * blob_read_verified() - a small blob from a directory of blobs named by their hex digits; free()
 * @max:  bytes
 * @what: "manifest", "config", … for errors
 *
 * Errors: ImageNotFound when it is not there, DigestMismatch, FileError, OutOfMemory
 */
int blob_read_verified(int blobs_fd, const Descriptor *blob, size_t max, const char *what, char **ret_data, size_t *ret_len, Error *err);

typedef struct DescribeRequest {
        int blobs_fd;             /* directory of blobs, named by their hex digits */
        const Platform *platform; /* NULL: this machine's */
        bool strict;              /* a manifest that no index led to is for @platform too */
        /** fetch() - called before a document is read from @blobs_fd; may be NULL */
        int (*fetch)(void *userdata, const Descriptor *blob, const char *what, Error *err);
        /** read() - gives a document in place of a file in @blobs_fd, verified; free(). May be NULL */
        int (*read)(void *userdata, const Descriptor *blob, size_t max, const char *what, char **ret_data, size_t *ret_len, Error *err);
        /** judge() - called with the manifest's descriptor before its config is read; may be NULL */
        int (*judge)(void *userdata, const Descriptor *manifest, Error *err);
        void *userdata;
} DescribeRequest;

/**
 * image_describe() - follow a descriptor of a manifest or index to its image
 * @ret_manifest: the manifest's own descriptor; may be NULL
 *
 * Errors: ImageNotFound (a blob or the platform is missing), DigestMismatch, InvalidJson, InvalidSpec, NotSupported, FileError, OutOfMemory
 */
int image_describe(const DescribeRequest *request, const Descriptor *descriptor, StoreImage **ret, Descriptor *ret_manifest, Error *err);
