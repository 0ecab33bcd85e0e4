#pragma once

/* Finding signatures: in a registry's store of them, in lookasides, attached to images in registries. */

#include "trust/trust.h"

/** trust_fetch() - see TrustModule */
int trust_fetch(const FetchRequest *request, TrustSignatures *ret, Error *err);

/** attached_fetch() - sigstore's: under cosign's tag, and among the referrers. Errors: as trust_fetch() */
int attached_fetch(const RegistryModule *module, const FetchRequest *request, TrustSignatures *signatures, Error *err);

/** attached_name() - the image's repository with cosign's tag for a manifest; reference_free(). Errors: OutOfMemory */
int attached_name(const Reference *name, const Digest *manifest, Reference **ret, Error *err);

/** lookaside_path() - what follows the lookaside's URL or directory: "@sha256=HEX/signature-N"; free(). Errors: OutOfMemory */
int lookaside_path(const Digest *manifest, unsigned n, char **ret, Error *err);

/** lookaside_directory() - the path of a file:// URL; free(). Errors: InvalidConfig, OutOfMemory */
int lookaside_directory(const char *url, char **ret, Error *err);

/** fetch_failed() - make a registry's "too large" a rejected signature; always returns -1 */
int fetch_failed(Error *err);
