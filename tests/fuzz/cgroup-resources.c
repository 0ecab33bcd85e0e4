/* `linux.resources` and annotations of a bundle as what is written to cgroups and said to systemd. The first byte chooses v1 or v2. */

#include "base/json.h"
#include "fuzz-dir.h"
#include "runtime/cgroup-devices.h"
#include "runtime/cgroup-settings.h"
#include "runtime/unit-properties.h"

static void check_settings(const CgroupSettings *settings) {
        for (size_t i = 0; i < settings->n; i++) {
                const CgroupSetting *s = &settings->all[i];

                /* one file of the cgroup itself, one line, and none that moves processes */
                CHECK(s->file[0] && !strchr(s->file, '/') && strcmp(s->file, "..") && strcmp(s->file, "cgroup.procs"));
                CHECK(!strchr(s->value, '\n'));
                CHECK(!strncmp(s->place, "linux.resources.", strlen("linux.resources.")));
        }
}

static void try_devices(const json_t *resources, UnitProperties *properties) {
        _cleanup_filter_ DeviceFilter filter = {};
        _cleanup_free_ struct bpf_insn *program = NULL;
        Error err = ERROR_INIT;
        size_t n;

        if (device_filter_build(json_object_get(resources, "devices"), cgroup_default_devices, cgroup_n_default_devices, &filter,
                                &err) < 0) {
                check_error(&err);
                return;
        }
        CHECK(device_program(&filter, &program, &n, &err) == 0);
        CHECK(n >= 8 && program[n - 1].code == (BPF_JMP | BPF_EXIT));
        for (size_t i = 0; i < n; i++)
                CHECK(BPF_CLASS(program[i].code) != BPF_JMP32 || (program[i].off > 0 && i + (size_t) program[i].off + 1 < n));
        CHECK(properties_from_devices(&filter, properties, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_properties_ UnitProperties properties = {};
        _cleanup_settings_ CgroupSettings settings = {};
        _cleanup_json_ json_t *resources = NULL;
        CgroupTarget target;
        Error err = ERROR_INIT;
        bool v2 = size > 0 && data[0] & 1;

        if (size == 0 || json_parse((const char *) data + 1, size - 1, "fuzz", &resources, NULL) < 0 || !json_is_object(resources))
                return 0;
        cgroup_target_init(&target);
        for (size_t i = 0; i < _CONTROLLER_MAX; i++)
                if (i == CONTROLLER_CORE || controller_name(i, v2)) {
                        target.at[i].fd = fuzz_dir();
                        target.at[i].v2 = v2;
                }
        (void) resources_need(resources);
        if (cgroup_settings_build(resources, &target, &settings, &err) < 0)
                check_error(&err);
        else {
                check_settings(&settings);
                if (properties_from_settings(&settings, v2, &properties, &err) < 0)
                        check_error(&err);
        }
        try_devices(resources, &properties);
        if (properties_from_annotations(json_object_get(resources, "annotations"), &properties, &err) < 0)
                check_error(&err);
        return 0;
}
