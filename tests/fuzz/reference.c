/* Image references: what is accepted has one normal form, which is safe in a URL's path. */

#include "fuzz.h"
#include "oci/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(reference_freep) Reference *reference = NULL, *again = NULL;
        _cleanup_free_ char *text = fuzz_text(data, size), *normal = NULL, *twice = NULL;
        Error err = ERROR_INIT;

        if (reference_parse(text, &reference, &err) < 0) {
                check_error(&err);
                return 0;
        }
        CHECK(reference->tag || reference->has_digest);
        CHECK(strlen(reference->repository) <= 255);
        CHECK(strspn(reference->repository, "abcdefghijklmnopqrstuvwxyz0123456789._-/") == strlen(reference->repository));
        CHECK(!strstr(reference->repository, "..") && !strstr(reference->repository, "//") && reference->repository[0] != '/');
        CHECK(reference_format(reference, &normal, &err) == 0);
        CHECK(reference_parse(normal, &again, &err) == 0);
        CHECK(reference_format(again, &twice, &err) == 0);
        CHECK(!strcmp(normal, twice));
        return 0;
}
