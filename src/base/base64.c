/* Base64 in both directions. */

#include "base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(Buf *buf, const void *data, size_t len, Error *err) {
        const unsigned char *in = data;

        for (size_t i = 0; i < len; i += 3) {
                const size_t n = len - i < 3 ? len - i : 3;
                const unsigned bits = (unsigned) in[i] << 16 | (n > 1 ? (unsigned) in[i + 1] << 8 : 0) | (n > 2 ? in[i + 2] : 0U);
                const char four[4] = {
                        alphabet[bits >> 18 & 63],
                        alphabet[bits >> 12 & 63],
                        n > 1 ? alphabet[bits >> 6 & 63] : '=',
                        n > 2 ? alphabet[bits & 63] : '=',
                };

                if (buf_append(buf, four, 4, err) < 0)
                        return -1;
        }
        return 0;
}

int base64_decode(Buf *buf, const char *text, Error *err) {
        size_t len = strlen(text), whole = len;
        unsigned bits = 0, n = 0;

        while (len > 0 && text[len - 1] == '=' && whole - len < 2)
                len--;
        if (len % 4 == 1 || (whole != len && whole % 4 != 0))
                return error_set(err, ERROR_INVALID_SPEC, "not base64: its length is wrong");
        for (size_t i = 0; i < len; i++) {
                const char *at = strchr(alphabet, text[i]);

                if (!at)
                        return error_set(err, ERROR_INVALID_SPEC, "not base64: an illegal character");
                bits = (bits << 6 | (unsigned) (at - alphabet)) & 0xffffff;
                n += 6;
                if (n >= 8) {
                        const char byte = (char) (bits >> (n - 8));

                        n -= 8;
                        if (buf_append(buf, &byte, 1, err) < 0)
                                return -1;
                }
        }
        return 0;
}
