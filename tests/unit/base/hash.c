#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/hash.h"

/* Source: FIPS 180-4 examples, and `sha256sum` of nothing */
static const struct {
        const char *text, *hex;
} vectors[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void known_texts_have_their_known_digests(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
                char hex[SHA256_HEX_MAX];

                assert_int_equal(sha256_data(vectors[i].text, strlen(vectors[i].text), hex, NULL), 0);
                assert_string_equal(hex, vectors[i].hex);
        }
}

static void pieces_hash_like_the_whole(void **state) {
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        char hex[SHA256_HEX_MAX];

        assert_int_equal(sha256_new(&hash, NULL), 0);
        for (const char *p = vectors[2].text; *p; p++) {
                sha256_update(hash, p, 1);
                sha256_update(hash, p, 0);
        }
        sha256_final(hash, hex);
        assert_string_equal(hex, vectors[2].hex);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known_texts_have_their_known_digests),
                cmocka_unit_test(pieces_hash_like_the_whole),
        };

        return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
