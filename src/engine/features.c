/* features: what the engine can do, from the tables it works by. Source: runtime-spec, features.md and features-linux.md */

#include <unistd.h>

#include "base/json.h"
#include "engine/plan.h"
#include "oci/runtime-spec.h"

static bool kernel_has(const char *path) {
        return access(path, F_OK) == 0;
}

int engine_features(json_t **ret, Error *err) {
        _cleanup_json_ json_t *features = NULL, *own = NULL, *options = json_array();

        if (!options)
                return error_oom(err);
        if (spec_features_all(&features, err) < 0 || plan_mount_options(options, err) < 0)
                return -1;
        /* What plan.c refuses is false here: linux.intelRdt. */
        own = json_pack("{s:{s:b, s:b, s:b, s:b, s:b}, s:{s:b}, s:{s:b}, s:{s:b}, s:{s:{s:b}}, s:{s:b}}",
                        "cgroup", "v1", 1, "v2", 1, "systemd", 1, "systemdUser", 0, "rdma", 1,
                        "apparmor", "enabled", kernel_has("/sys/module/apparmor"),
                        "selinux", "enabled", kernel_has("/sys/fs/selinux"),
                        "intelRdt", "enabled", 0,
                        "mountExtensions", "idmap", "enabled", 1,
                        "netDevices", "enabled", 1);
        if (!own || json_object_update(json_object_get(features, "linux"), own) < 0 ||
            json_object_set_new(json_object_get(json_object_get(features, "linux"), "seccomp"), "enabled", json_true()) < 0 ||
            json_object_set(features, "mountOptions", options) < 0 ||
            /* Whether there is a CRIU that works is another matter. Source: runc, types/features; crun, features.c */
            json_object_set_new(features, "annotations", json_pack("{s:s}", "org.opencontainers.runc.checkpoint.enabled", "true")) < 0)
                return error_oom(err);
        *ret = TAKE(features);
        return 0;
}
