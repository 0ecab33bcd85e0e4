/* Files of a lookaside, and the text that is signed. */

#include "fuzz.h"
#include "oci/digest.h"
#include "trust/format.h"
#include "trust/payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(trust_signature_clear) TrustSignature signature = { 0 };
        Error err = ERROR_INIT;
        bool is_signature;

        if (trust_signature_parse((const char *) data, size, "fuzz", &signature, &is_signature, &err) < 0) {
                check_error(&err);
                CHECK(err.kind == ERROR_SIGNATURE_REJECTED);
        } else
                CHECK(is_signature == (signature.data != NULL));
        for (SignatureKind kind = SIGNATURE_SIMPLE; kind <= SIGNATURE_SIGSTORE; kind++) {
                _cleanup_claim_ TrustClaim claim = { 0 };
                Digest digest;

                if (payload_parse(kind, (const char *) data, size, &claim, &err) < 0) {
                        check_error(&err);
                        CHECK(err.kind == ERROR_SIGNATURE_REJECTED);
                } else
                        CHECK(claim.docker_reference && digest_parse(claim.manifest_digest, &digest, NULL) == 0);
        }
        return 0;
}
