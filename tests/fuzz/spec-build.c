/* From an image's configuration to a bundle's: what is built is a configuration that our own check accepts. */

#include "base/json.h"
#include "fuzz-dir.h"
#include "oci/runtime-spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        _cleanup_json_ json_t *spec = NULL, *annotations = NULL;
        const char *name;
        json_t *value;
        SpecOptions options = {};
        Error err = ERROR_INIT;

        if (image_config_parse((const char *) data, size, "fuzz", &config, &err) < 0)
                return 0;
        if (spec_build(config, &options, fuzz_dir(), "rootfs", &spec, &err) < 0) {
                check_error(&err);
                CHECK(!spec);
                return 0;
        }
        if (spec_check(spec, &err) < 0) {
                fprintf(stderr, "%s\n", err.text);
                __builtin_trap();
        }
        CHECK(json_array_size(json_object_get(json_object_get(spec, "process"), "args")) > 0);

        /* An image must not steer the runtime. */
        annotations = json_incref(json_object_get(spec, "annotations"));
        json_object_foreach(annotations, name, value)
                CHECK(strncmp(name, "run.oci.", 8) && strncmp(name, "org.criu.", 9) && strncmp(name, "org.systemd.property.", 21) &&
                      strncmp(name, "org.proxmox-lxcri.", 18));
        return 0;
}
