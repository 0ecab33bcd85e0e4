#pragma once

/* Image references, normalised as Docker does: "redis" is docker.io/library/redis:latest. Source: distribution-spec, "Pulling manifests" */

#include "base/cleanup.h"
#include "base/error.h"
#include "oci/digest.h"

typedef struct Reference {
        char *registry;   /* "docker.io", "localhost:5000" */
        char *repository; /* "library/redis" */
        char *tag;        /* "latest"; NULL when only a digest was given */
        bool has_digest;
        Digest digest;
} Reference;

/**
 * reference_parse() - parse and normalise a reference a user wrote
 * @text: NAME[:TAG][@DIGEST], at most 4096 bytes; a repository of at most 255
 * @ret:  set on success only; free with reference_free()
 *
 * Errors: InvalidArgument, OutOfMemory
 */
int reference_parse(const char *text, Reference **ret, Error *err);
Reference *reference_free(Reference *reference);
static inline void reference_freep(Reference **reference) {
        reference_free(*reference);
}

/** reference_is_short() - whether a text that reference_parse() takes names no registry, as "redis" does */
bool reference_is_short(const char *text);

/**
 * reference_beside() - the tag by which tools keep what belongs to a manifest in its repository: sha256-HEX and @suffix
 * @suffix: "" (what refers to it, in registries that have no API for it), ".sig", ".sbom", …
 *
 * Source: distribution-spec, "Referrers Tag Schema"; cosign, "specs/SIGNATURE_SPEC.md". Errors: OutOfMemory
 */
int reference_beside(const Reference *name, const Digest *manifest, const char *suffix, Reference **ret, Error *err);

/** reference_format() - the full normalised text, "docker.io/library/redis:latest"; free() */
int reference_format(const Reference *reference, char **ret, Error *err);
