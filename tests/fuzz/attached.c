/* Manifests of attachments. */

#include "fuzz.h"
#include "image/attached.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_attachments_ Attachments attachments = { 0 };
        Digest manifest, subject;
        Error err = ERROR_INIT;

        digest_from_hex("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", &subject);
        digest_from_hex("fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210", &manifest);
        const AttachedPlace place = { .from = "fuzz", .manifest = &manifest, .size = size, .subject = &subject };

        if (attached_parse((const char *) data, size, &place, &attachments, &err) < 0)
                check_error(&err);
        else
                CHECK(attachments.n > 0);
        CHECK(attachments.n <= ATTACHED_MAX);
        for (size_t i = 0; i < attachments.n; i++)
                CHECK(strspn(digest_hex(&attachments.items[i].digest), "0123456789abcdef") == 64);
        return 0;
}
