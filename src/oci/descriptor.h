#pragma once

/* Descriptors and media types. Source: image-spec, descriptor.md, media-types.md, and Docker's "Image Manifest V2, Schema 2" */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "oci/digest.h"

typedef enum MediaType {
        MEDIA_UNKNOWN,
        MEDIA_INDEX,        /* OCI image index or Docker manifest list */
        MEDIA_MANIFEST,     /* OCI image manifest or Docker schema 2 */
        MEDIA_CONFIG,       /* OCI image config or Docker container image */
        MEDIA_LAYER_TAR,    /* tar, OCI or Docker, distributable or not */
        MEDIA_LAYER_GZIP,
        MEDIA_LAYER_ZSTD,
        MEDIA_SCHEMA1,      /* Docker schema 1: recognised to be refused by name */
} MediaType;

/** media_type_parse() - MEDIA_UNKNOWN for anything else; NULL is MEDIA_UNKNOWN */
MediaType media_type_parse(const char *text);

/** The canonical OCI text of a type, for what this program writes */
const char *media_type_name(MediaType type);

typedef struct Descriptor {
        MediaType type;
        Digest digest;
        uint64_t size; /* bytes */
        bool docker;   /* its type stands in Docker's words, not in OCI's: whoever repeats it must use the same */
} Descriptor;

/** media_type_is_docker() - whether a known type stands in Docker's words; false for NULL */
bool media_type_is_docker(const char *text);

/** descriptor_media_type() - the text of its type, in its own dialect */
const char *descriptor_media_type(const Descriptor *descriptor);

#define DESCRIPTOR_SIZE_MAX ((int64_t) 1 << 40) /* bytes; 1 TiB, this program's own cap on what a blob may claim */

/** descriptor_parse() - @where names the place in errors. Errors: InvalidSpec */
int descriptor_parse(const json_t *json, const char *where, Descriptor *ret, Error *err);

/** descriptor_json() - a new object {mediaType, digest, size}. Errors: OutOfMemory */
int descriptor_json(const Descriptor *descriptor, json_t **ret, Error *err);
