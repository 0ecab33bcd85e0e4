#pragma once

/* An image in a registry, as a source of its blobs. */

#include "layers/blob-source.h"
#include "registry/registry.h"

typedef struct Remote {
        const RegistryModule *module;
        Registry *registry;
        Reference *name;       /* what the user's text turned out to mean */
        RegistryDocument root; /* the manifest or index of that name */
} Remote;

/**
 * remote_open() - find the image that a user's text means
 * @options: borrowed until remote_close()
 *
 * Names that may be meant are tried in order, until a registry has one. Errors: InvalidArgument, those of RegistryModule
 */
int remote_open(const RegistryOptions *options, const char *text, Remote *ret, Error *err);
void remote_close(Remote *remote);

/** remote_failed() - what a registry sent and no image can be (InvalidSpec, InvalidJson) is the registry's error. Always returns -1 */
int remote_failed(const Remote *remote, Error *err);
#define _cleanup_remote_ _cleanup_(remote_close)

/** remote_read() - a document, verified; free(). For the image module only, which can hash */
int remote_read(Remote *remote, const Descriptor *blob, size_t max, const char *what, char **ret_data, size_t *ret_len, Error *err);

/** remote_source() - its blobs, documents included; points to @remote */
BlobSource remote_source(Remote *remote);
