#pragma once

/* Lists of what refers to a manifest, parsed. */

#include "registry/registry.h"

/** What is wanted of them */
typedef struct ReferrersPage {
        const char *artifact_type; /* NULL: all */
        size_t max;
} ReferrersPage;

/** referrers_parse() - add those of one page. Errors: InvalidJson, InvalidSpec, NotSupported, RegistryError with EFBIG (too many), OutOfMemory */
int referrers_parse(const ReferrersPage *page, const char *data, size_t len, Referrers *referrers, Error *err);
