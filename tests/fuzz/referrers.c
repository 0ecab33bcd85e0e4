/* Lists of what refers to a manifest. The first byte says whether one type of artifact is wanted, and how many. */

#include "fuzz.h"
#include "registry/referrers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Referrers referrers = { 0 };
        Error err = ERROR_INIT;

        if (size < 1)
                return 0;
        const ReferrersPage page = { .artifact_type = data[0] & 1 ? "a" : NULL, .max = data[0] >> 1 };

        if (referrers_parse(&page, (const char *) data + 1, size - 1, &referrers, &err) < 0)
                check_error(&err);
        CHECK(referrers.n <= page.max);
        for (size_t i = 0; i < referrers.n; i++)
                CHECK(!page.artifact_type || !strcmp(referrers.items[i].artifact_type, "a"));
        referrers_clear(&referrers);
        return 0;
}
