/* Seccomp profiles that users bring. */

#include "base/json.h"
#include "fuzz-dir.h"
#include "oci/spec-parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *profile = NULL;
        char path[64];
        Error err = ERROR_INIT;

        fuzz_dir_put("profile", data, size);
        snprintf(path, sizeof(path), "%s/profile", fuzz_dir_path);
        if (seccomp_load(path, size, seccomp_arch_find(NULL), &profile, &err) < 0) {
                check_error(&err);
                CHECK(err.kind == ERROR_INVALID_JSON || err.kind == ERROR_INVALID_SPEC);
                return 0;
        }
        CHECK(json_is_string(json_object_get(profile, "defaultAction")));
        return 0;
}
