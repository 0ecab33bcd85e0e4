#pragma once

/*
 * Letting images in, by policy.json, and remembering why. Part of the program: it loads the trust module when a signature is to be verified.
 */

#include "image/image.h"
#include "registry/registry.h"
#include "trust/record.h"

typedef struct Admission Admission;

/**
 * admission_open() - the policy that holds for what comes into the store, or is copied past it
 * @option: --signature-policy; NULL: the user's policy, else the system's
 *
 * Errors: ConfigError when there is no policy at all, as with podman and skopeo; FileError, InvalidJson, InvalidConfig, OutOfMemory
 */
int admission_open(const char *option, Admission **ret, Error *err);
Admission *admission_free(Admission *admission);
static inline void admission_freep(Admission **admission) {
        admission_free(*admission);
}

/** admission_judge() - the judge for requests to the image module; lives as long as @admission */
const ImageJudge *admission_judge(Admission *admission);

/**
 * admission_keep() - note in the store why images were let in
 * @images: what came of it: all of one source; of an index, under whose name each of its images is noted
 *
 * Errors: FileError, OutOfMemory
 */
int admission_keep(Admission *admission, Store *store, const ImportedImage *images, size_t n, Error *err);

/** image_admit() - ImageModule.import(), with a policy, and a note of it. Errors: of both, and of admission_open() */
int image_admit(Store *store, const ImportRequest *request, const char *policy, const ImageProgress *progress, ImportedImage **ret,
                size_t *ret_n, Error *err);

/**
 * admission_origin() - where an image that the store has came from: what is remembered of it, else what its name says
 * @name: what it is called there; NULL: it has no name
 * @ret:  its full name in a registry; NULL: it came from elsewhere, or nobody knows; free()
 *
 * Errors: FileError, OutOfMemory
 */
int admission_origin(Store *store, const char *name, const Digest *manifest, char **ret, Error *err);

/** Why an image that the store has may be used */
typedef struct Admitted {
        bool judged; /* false: there is no policy */
        TrustOrigin origin;
} Admitted;

void admitted_clear(Admitted *admitted);
#define _cleanup_admitted_ _cleanup_(admitted_clear)

/**
 * admission_check() - whether an image that the store has may be used by the policy as it is now
 * @name:     what it is called there; NULL: it has no name
 * @registry: for signatures that have to be fetched again, because policy or keys have changed
 * @ret:      may be NULL; admitted_clear()
 *
 * While rule and keys are those that it was let in by, what is remembered holds, and no module is loaded. One that nothing is remembered of is
 * taken for what its name says, an image of a registry; without such a name for one of the store's own layout. Without any policy all is
 * well, as with podman, which asks for one only when an image is fetched.
 *
 * Errors: SignatureRejected, and those of admission_open() and trust_judge()
 */
int admission_check(Store *store, const char *option, const char *name, const Digest *manifest, const RegistryOptions *registry,
                    Admitted *ret, Error *err);
