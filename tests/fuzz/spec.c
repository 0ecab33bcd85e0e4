/* A bundle's config.json: what is accepted is written and read back the same. */

#include "base/json.h"
#include "fuzz-dir.h"
#include "oci/runtime-spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *spec = NULL, *again = NULL;
        Error err = ERROR_INIT;

        fuzz_dir_put("config.json", data, size);
        if (spec_load(fuzz_dir(), &spec, &err) < 0) {
                check_error(&err);
                CHECK(err.kind == ERROR_INVALID_JSON || err.kind == ERROR_INVALID_SPEC);
                CHECK(!spec);
                return 0;
        }
        CHECK(json_is_string(json_object_get(json_object_get(spec, "root"), "path")));
        CHECK(spec_save(fuzz_dir(), spec, 0, &err) == 0);
        CHECK(spec_load(fuzz_dir(), &again, &err) == 0);
        return 0;
}
