#pragma once

/*
 * Image manifests and indexes. Source: image-spec, manifest.md and image-index.md.
 * A document that carries both `layers` and `manifests`, or whose mediaType disagrees with what its descriptor said, is refused (CVE-2021-41190).
 */

#include <stddef.h>

#include "oci/descriptor.h"

#define MANIFEST_SIZE_MAX  (4u << 20) /* bytes; distribution-spec, "Pushing Manifests": registries accept at least 4 MiB */
#define INDEX_SIZE_MAX     (16u << 20) /* bytes; this program's own cap: a store's index lists every image */
#define MANIFEST_LAYER_MAX 500        /* layers; what one overlay mount takes */

typedef struct Manifest {
        Descriptor config;
        Descriptor *layers; /* base first */
        size_t n_layers;    /* 0 is legal: an image of nothing */
} Manifest;

/**
 * manifest_parse() - parse and check a manifest
 * @data:    the very bytes that were hashed
 * @claimed: what its descriptor or Content-Type said; MEDIA_UNKNOWN when nothing did
 * @where:   names it in errors, for example "manifest sha256:ab…"
 *
 * Errors: InvalidJson, InvalidSpec, NotSupported (schema 1, artifacts: config of another type), OutOfMemory
 */
int manifest_parse(const char *data, size_t len, MediaType claimed, const char *where, Manifest **ret, Error *err);
Manifest *manifest_free(Manifest *manifest);
static inline void manifest_freep(Manifest **manifest) {
        manifest_free(*manifest);
}

typedef struct Platform {
        char *os, *architecture, *variant; /* NULL: not said */
} Platform;

/** architecture_of() - the image-spec's name for what uname calls @machine ("x86_64" is "amd64"); @machine itself when it has no other */
const char *architecture_of(const char *machine);

/**
 * platform_check() - whether an image that nobody had to choose is the one that was asked for
 * @wanted: NULL: any
 * @is:     what its configuration says
 *
 * Errors: ImageNotFound, naming both
 */
int platform_check(const Platform *wanted, const Platform *is, Error *err);

typedef struct IndexEntry {
        Descriptor descriptor;
        Platform platform;
        char *ref_name; /* annotation org.opencontainers.image.ref.name; NULL when none */
} IndexEntry;

typedef struct Index {
        IndexEntry *entries;
        size_t n_entries;
} Index;

/** index_parse() - as manifest_parse(); entries of unknown type stay in, as MEDIA_UNKNOWN */
int index_parse(const char *data, size_t len, MediaType claimed, const char *where, Index **ret, Error *err);
Index *index_free(Index *index);
static inline void index_freep(Index **index) {
        index_free(*index);
}

/**
 * index_choose() - the entry for a platform
 * @platform: NULL: this machine's (linux and its architecture; variants as containerd chooses, best first, then amd64 takes 386, arm64
 *            takes arm); architectures also under the names that uname has for them
 * @ret:      a manifest, or an index within the index; borrowed
 *
 * A single entry without a platform is the last choice; attestations are passed over.
 *
 * Errors: ImageNotFound, naming the platforms there are
 */
int index_choose(const Index *index, const Platform *platform, const char *where, const IndexEntry **ret, Error *err);
