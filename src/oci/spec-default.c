/* The configuration a bundle starts from when people write it by hand: what `runc spec` prints. */

#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "oci/spec-parts.h"

/*
 * Equal to `runc spec` but for the host name and the version, which is a released one. As there, a container on cgroup v2 gets its own
 * cgroup namespace.
 */
static const char text[] =
        "{\"ociVersion\": \"1.0.2\","
        " \"process\": {\"terminal\": true, \"user\": {\"uid\": 0, \"gid\": 0}, \"args\": [\"sh\"],"
        "  \"env\": [\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\", \"TERM=xterm\"], \"cwd\": \"/\","
        "  \"capabilities\": {"
        "   \"bounding\": [\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"],"
        "   \"effective\": [\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"],"
        "   \"permitted\": [\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"],"
        "   \"ambient\": [\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"]},"
        "  \"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024}],"
        "  \"noNewPrivileges\": true},"
        " \"root\": {\"path\": \"rootfs\", \"readonly\": true},"
        " \"hostname\": \"proxmox-lxcri\","
        " \"mounts\": ["
        "  {\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\"},"
        "  {\"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\","
        "   \"options\": [\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"]},"
        "  {\"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\","
        "   \"options\": [\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\", \"gid=5\"]},"
        "  {\"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\","
        "   \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"]},"
        "  {\"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\","
        "   \"options\": [\"nosuid\", \"noexec\", \"nodev\"]},"
        "  {\"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\","
        "   \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"ro\"]},"
        "  {\"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\","
        "   \"options\": [\"nosuid\", \"noexec\", \"nodev\", \"relatime\", \"ro\"]}],"
        " \"linux\": {"
        "  \"resources\": {\"devices\": [{\"allow\": false, \"access\": \"rwm\"}]},"
        "  \"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"network\"}, {\"type\": \"ipc\"}, {\"type\": \"uts\"}, {\"type\": \"mount\"}],"
        "  \"maskedPaths\": [\"/proc/acpi\", \"/proc/asound\", \"/proc/kcore\", \"/proc/keys\", \"/proc/latency_stats\","
        "   \"/proc/timer_list\", \"/proc/timer_stats\", \"/proc/sched_debug\", \"/sys/firmware\", \"/proc/scsi\"],"
        "  \"readonlyPaths\": [\"/proc/bus\", \"/proc/fs\", \"/proc/irq\", \"/proc/sys\", \"/proc/sysrq-trigger\"]}}";

/* Without the namespaces whose owner the user is not, with one of users in which the user is root. */
static int rootless_namespaces(json_t *linux_part, Error *err) {
        json_t *namespaces = json_object_get(linux_part, "namespaces");

        for (size_t i = json_array_size(namespaces); i-- > 0;) {
                const char *type = json_string_value(json_object_get(json_array_get(namespaces, i), "type"));

                if ((!strcmp(type, "network") || !strcmp(type, "user")) && json_array_remove(namespaces, i) < 0)
                        return error_oom(err);
        }
        if (json_array_append_new(namespaces, json_pack("{s:s}", "type", "user")) < 0 ||
            json_object_set_new(linux_part, "uidMappings",
                                json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID", (json_int_t) geteuid(), "size", 1)) < 0 ||
            json_object_set_new(linux_part, "gidMappings",
                                json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID", (json_int_t) getegid(), "size", 1)) < 0)
                return error_oom(err);
        return 0;
}

/* The one mapped id owns everything: others cannot be named. A sysfs of another network namespace than one's own cannot be mounted. */
static int rootless_mounts(json_t *mounts, Error *err) {
        json_t *mount, *option;
        size_t i;

        json_array_foreach(mounts, i, mount) {
                json_t *options = json_object_get(mount, "options");

                if (!strcmp(json_string_value(json_object_get(mount, "destination")), "/sys")) {
                        json_t *bound = json_pack("{s:s, s:s, s:s, s:[s,s,s,s,s]}", "destination", "/sys", "type", "none", "source", "/sys",
                                                  "options", "rbind", "nosuid", "noexec", "nodev", "ro");

                        if (json_array_set_new(mounts, i, bound) < 0)
                                return error_oom(err);
                        continue;
                }
                for (size_t k = json_array_size(options); k-- > 0;) {
                        option = json_array_get(options, k);
                        if ((!strncmp(json_string_value(option), "uid=", 4) || !strncmp(json_string_value(option), "gid=", 4)) &&
                            json_array_remove(options, k) < 0)
                                return error_oom(err);
                }
        }
        return 0;
}

int spec_make_rootless(json_t *spec, Error *err) {
        json_t *linux_part = json_object_get(spec, "linux");

        (void) json_object_del(linux_part, "resources");
        return rootless_namespaces(linux_part, err) < 0 ? -1 : rootless_mounts(json_object_get(spec, "mounts"), err);
}

int spec_default(json_t **ret, Error *err) {
        _cleanup_json_ json_t *spec = NULL;

        if (json_parse(text, sizeof(text) - 1, "the default configuration", &spec, err) < 0)
                return -1;
        if (cgroup_is_unified()) {
                json_t *namespaces = json_object_get(json_object_get(spec, "linux"), "namespaces");

                if (json_array_append_new(namespaces, json_pack("{s:s}", "type", "cgroup")) < 0)
                        return error_oom(err);
        }
        *ret = TAKE(spec);
        return 0;
}
