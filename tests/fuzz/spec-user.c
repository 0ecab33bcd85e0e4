/* Users of an image: a line with USER[:GROUP], then its /etc/passwd, which serves as /etc/group too. */

#include "fuzz-dir.h"
#include "oci/spec-parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(user_clear) SpecUser user = { 0 };
        _cleanup_free_ char *text = fuzz_text(data, size);
        const uint8_t *rest = memchr(data, '\n', size);
        Error err = ERROR_INIT;

        rest = rest ? rest + 1 : data + size;
        text[strcspn(text, "\n")] = '\0';
        fuzz_dir_put("etc/passwd", rest, size - (size_t) (rest - data));
        fuzz_dir_put("etc/group", rest, size - (size_t) (rest - data));
        if (user_lookup(fuzz_dir(), text, "fuzz", ERROR_INVALID_ARGUMENT, &user, &err) < 0) {
                check_error(&err);
                CHECK(err.kind == ERROR_INVALID_ARGUMENT || err.kind == ERROR_INVALID_ROOTFS);
                return 0;
        }
        CHECK(user.uid != UINT32_MAX && user.gid != UINT32_MAX);
        return 0;
}
