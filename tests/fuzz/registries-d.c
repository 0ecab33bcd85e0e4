/* YAML, and registries.d read from it. */

#include <jansson.h>

#include "base/json.h"
#include "fuzz.h"
#include "trust/registries-d.h"
#include "trust/yaml-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const names[] = { "r.example/team/app:1", "a/b/c", "redis", "l:5000/x" };
        _cleanup_registries_d_ RegistriesD conf = { 0 };
        _cleanup_json_ json_t *json = NULL;
        Error err = ERROR_INIT;

        if (yaml_parse((const char *) data, size, "fuzz", &json, &err) < 0) {
                check_error(&err);
                CHECK(!json);
                CHECK(registries_d_parse((const char *) data, size, "fuzz", &conf, NULL) < 0);
                return 0;
        }
        CHECK(json);
        if (registries_d_parse((const char *) data, size, "fuzz", &conf, &err) < 0) {
                check_error(&err);
                return 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(reference_freep) Reference *name = NULL;
                _cleanup_free_ char *url = NULL;
                bool attachments;

                CHECK(reference_parse(names[i], &name, NULL) == 0);
                CHECK(registries_d_attachments(&conf, name, &attachments, NULL) == 0);
                if (registries_d_lookaside(&conf, name, i & 1, &url, &err) < 0)
                        check_error(&err);
                else
                        CHECK(!strncmp(url, "file:///", 8) || !strncmp(url, "http", 4));
        }
        return 0;
}
