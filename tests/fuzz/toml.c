/* TOML, and registries.conf read from it. */

#include "base/buf.h"
#include "base/json.h"
#include "base/toml.h"
#include "fuzz.h"
#include "registry/registries-conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(registries_conf_clear) RegistriesConf conf = { 0 };
        _cleanup_json_ json_t *json = NULL;
        _cleanup_strv_ char **names = NULL;
        Error err = ERROR_INIT;

        if (toml_parse((const char *) data, size, "fuzz", &json, &err) < 0) {
                check_error(&err);
                CHECK(!json);
                CHECK(registries_conf_parse((const char *) data, size, "fuzz", &conf, NULL) < 0);
                return 0;
        }
        CHECK(json_is_object(json));
        if (registries_conf_parse((const char *) data, size, "fuzz", &conf, &err) < 0) {
                check_error(&err);
                return 0;
        }
        for (size_t i = 0; i < conf.n_rules; i++) {
                _cleanup_(places_clear) Places places = { 0 };
                _cleanup_(reference_freep) Reference *name = NULL;
                _cleanup_free_ char *text = NULL;

                CHECK(conf.rules[i].prefix && conf.rules[i].prefix[0]);
                if (string_format(&text, NULL, "%s/x", conf.rules[i].prefix) < 0 || reference_parse(text, &name, NULL) < 0)
                        continue;
                if (registries_conf_places(&conf, name, false, &places, NULL) == 0)
                        CHECK(places.n > 0 && !places.items[places.n - 1].mirror);
        }
        if (registries_conf_names(&conf, "name", &names, &err) == 0)
                CHECK(names && names[0]);
        else
                check_error(&err);
        return 0;
}
