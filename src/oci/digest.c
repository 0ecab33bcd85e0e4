/* Content digests: the only text from outside that may become a file name, so its form is checked to the last digit. */

#include "oci/digest.h"

#include <string.h>

#define PREFIX    "sha256:"
#define HEX_LEN   64  /* digits of a SHA-256 */
#define SHOWN_MAX 200 /* bytes; a longer text is not repeated in the error */

static bool is_hex(const char *text, size_t len) {
        return strspn(text, "0123456789abcdef") == len && text[len] == '\0';
}

int digest_parse(const char *text, Digest *ret, Error *err) {
        if (!strncmp(text, "sha512:", 7) && is_hex(text + 7, 128))
                return error_set(err, ERROR_NOT_SUPPORTED, "digest '%s': the algorithm sha512 is not supported", text);
        if (strlen(text) > SHOWN_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "a text of %zu bytes is not a digest (sha256: and 64 lower-case hex digits)",
                                 strlen(text));
        if (strncmp(text, PREFIX, strlen(PREFIX)) || !is_hex(text + strlen(PREFIX), HEX_LEN))
                return error_set(err, ERROR_INVALID_SPEC, "'%s' is not a digest (sha256: and 64 lower-case hex digits)", text);
        memcpy(ret->text, text, strlen(PREFIX) + HEX_LEN + 1);
        return 0;
}

void digest_from_hex(const char *hex, Digest *ret) {
        memcpy(ret->text, PREFIX, strlen(PREFIX));
        memcpy(ret->text + strlen(PREFIX), hex, HEX_LEN);
        ret->text[strlen(PREFIX) + HEX_LEN] = '\0';
}

bool digest_equal(const Digest *a, const Digest *b) {
        return !strcmp(a->text, b->text);
}
