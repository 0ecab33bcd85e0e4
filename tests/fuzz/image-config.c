/* Image configurations. */

#include "fuzz.h"
#include "oci/image-config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        Error err = ERROR_INIT;

        if (image_config_parse((const char *) data, size, "fuzz", &config, &err) < 0) {
                check_error(&err);
                CHECK(!config);
                return 0;
        }
        CHECK(config->architecture && config->os);
        for (char **e = config->env; e && *e; e++)
                CHECK(strchr(*e, '=') > *e);
        for (size_t i = 0; i < config->n_diff_ids; i++)
                CHECK(strspn(digest_hex(&config->diff_ids[i]), "0123456789abcdef") == 64);
        return 0;
}
