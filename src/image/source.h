#pragma once

/* Where an image comes from, owned, in the form that policies are asked in. For admission.c and admission-check.c. */

#include "image/image.h"
#include "trust/policy.h"

typedef struct AdmissionSource {
        char *transport;
        char *path;      /* canonical */
        Reference *name; /* by tag or by digest, not both: the digest counts, as for podman */
} AdmissionSource;

void admission_source_clear(AdmissionSource *source);

/** admission_source_make() - Errors: FileError (a path that is not there), OutOfMemory */
int admission_source_make(const ImageOrigin *origin, AdmissionSource *ret, Error *err);

/** admission_source() - borrowed from @source */
TrustSource admission_source(const AdmissionSource *source);
