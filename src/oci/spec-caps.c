/* Capabilities: the default set, what --cap-add, --cap-drop and --privileged make of it, and what this process can grant at all. */

#include <linux/capability.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>

#include "base/json.h"
#include "oci/spec-parts.h"

/* By number. Source: capabilities(7) */
static const char *const capability_names[] = {
        [CAP_CHOWN]            = "CAP_CHOWN",
        [CAP_DAC_OVERRIDE]     = "CAP_DAC_OVERRIDE",
        [CAP_DAC_READ_SEARCH]  = "CAP_DAC_READ_SEARCH",
        [CAP_FOWNER]           = "CAP_FOWNER",
        [CAP_FSETID]           = "CAP_FSETID",
        [CAP_KILL]             = "CAP_KILL",
        [CAP_SETGID]           = "CAP_SETGID",
        [CAP_SETUID]           = "CAP_SETUID",
        [CAP_SETPCAP]          = "CAP_SETPCAP",
        [CAP_LINUX_IMMUTABLE]  = "CAP_LINUX_IMMUTABLE",
        [CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
        [CAP_NET_BROADCAST]    = "CAP_NET_BROADCAST",
        [CAP_NET_ADMIN]        = "CAP_NET_ADMIN",
        [CAP_NET_RAW]          = "CAP_NET_RAW",
        [CAP_IPC_LOCK]         = "CAP_IPC_LOCK",
        [CAP_IPC_OWNER]        = "CAP_IPC_OWNER",
        [CAP_SYS_MODULE]       = "CAP_SYS_MODULE",
        [CAP_SYS_RAWIO]        = "CAP_SYS_RAWIO",
        [CAP_SYS_CHROOT]       = "CAP_SYS_CHROOT",
        [CAP_SYS_PTRACE]       = "CAP_SYS_PTRACE",
        [CAP_SYS_PACCT]        = "CAP_SYS_PACCT",
        [CAP_SYS_ADMIN]        = "CAP_SYS_ADMIN",
        [CAP_SYS_BOOT]         = "CAP_SYS_BOOT",
        [CAP_SYS_NICE]         = "CAP_SYS_NICE",
        [CAP_SYS_RESOURCE]     = "CAP_SYS_RESOURCE",
        [CAP_SYS_TIME]         = "CAP_SYS_TIME",
        [CAP_SYS_TTY_CONFIG]   = "CAP_SYS_TTY_CONFIG",
        [CAP_MKNOD]            = "CAP_MKNOD",
        [CAP_LEASE]            = "CAP_LEASE",
        [CAP_AUDIT_WRITE]      = "CAP_AUDIT_WRITE",
        [CAP_AUDIT_CONTROL]    = "CAP_AUDIT_CONTROL",
        [CAP_SETFCAP]          = "CAP_SETFCAP",
        [CAP_MAC_OVERRIDE]     = "CAP_MAC_OVERRIDE",
        [CAP_MAC_ADMIN]        = "CAP_MAC_ADMIN",
        [CAP_SYSLOG]           = "CAP_SYSLOG",
        [CAP_WAKE_ALARM]       = "CAP_WAKE_ALARM",
        [CAP_BLOCK_SUSPEND]    = "CAP_BLOCK_SUSPEND",
        [CAP_AUDIT_READ]       = "CAP_AUDIT_READ",
        [CAP_PERFMON]          = "CAP_PERFMON",
        [CAP_BPF]              = "CAP_BPF",
        [CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE",
};
_Static_assert(ARRAY_SIZE(capability_names) <= 64, "a set is one uint64_t");

#define BIT(number) ((uint64_t) 1 << (number))

/* What podman 4 grants; docker adds AUDIT_WRITE, MKNOD and NET_RAW. */
#define DEFAULT_SET                                                                                                                        \
        (BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_KILL) | BIT(CAP_NET_BIND_SERVICE) |          \
         BIT(CAP_SETFCAP) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP) | BIT(CAP_SETUID) | BIT(CAP_SYS_CHROOT))

int capability_find(const char *name) {
        if (!strncasecmp(name, "CAP_", 4))
                name += 4;
        for (size_t i = 0; i < ARRAY_SIZE(capability_names); i++)
                if (!strcasecmp(capability_names[i] + 4, name))
                        return (int) i;
        return -1;
}

/* What a container of ours can get: nothing outside of this process's own bounding set. */
static uint64_t grantable_set(void) {
        uint64_t set = 0;

        for (unsigned i = 0; i < ARRAY_SIZE(capability_names); i++)
                if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
                        set |= BIT(i);
        return set;
}

/* The set an option's values name; *ret_all when "all" is among them. */
static int parse_set(char *const *names, const char *option, uint64_t *ret, bool *ret_all, Error *err) {
        uint64_t set = 0;

        *ret_all = false;
        for (; names && *names; names++) {
                int number = capability_find(*names);

                if (!strcasecmp(*names, "all"))
                        *ret_all = true;
                else if (number < 0) {
                        error_set(err, ERROR_INVALID_ARGUMENT, "%s: '%s' is not a capability", option, *names);
                        return error_hint(err, "capabilities(7) lists them; CAP_ in front is optional, and 'all' names every one");
                } else
                        set |= BIT(number);
        }
        *ret = set;
        return 0;
}

const char *capability_name(unsigned number) {
        return number < ARRAY_SIZE(capability_names) ? capability_names[number] : NULL;
}

static const char *first_name(uint64_t set) {
        return capability_names[__builtin_ctzll(set)];
}

static int set_json(json_t *object, const char *key, uint64_t set, Error *err) {
        json_t *array = json_array();

        for (size_t i = 0; i < ARRAY_SIZE(capability_names); i++)
                if ((set & BIT(i)) && json_array_append_new(array, json_string(capability_names[i])) < 0) {
                        json_decref(array);
                        return error_oom(err);
                }
        return part_set(object, key, array, err);
}

int capabilities_build(const SpecOptions *options, uint32_t uid, json_t **ret, uint64_t *ret_set, Error *err) {
        uint64_t grantable = grantable_set(), add, drop, bounding, own;
        _cleanup_json_ json_t *object = NULL;
        bool add_all, drop_all;

        if (parse_set(options->cap_add, "--cap-add", &add, &add_all, err) < 0 ||
            parse_set(options->cap_drop, "--cap-drop", &drop, &drop_all, err) < 0)
                return -1;
        if (add & drop)
                return error_set(err, ERROR_INVALID_ARGUMENT, "%s is both added and dropped", first_name(add & drop));
        if (add_all && drop_all)
                return error_set(err, ERROR_INVALID_ARGUMENT, "all capabilities are both added and dropped");
        if (add & ~grantable) {
                error_set(err, ERROR_NOT_SUPPORTED, "--cap-add: this process cannot grant %s: it is not in its own bounding set",
                          first_name(add & ~grantable));
                return error_hint(err, "'capsh --print' shows what this environment allows");
        }

        bounding = options->privileged || add_all ? grantable : (DEFAULT_SET | system_capabilities(options)) & grantable;
        if (drop_all)
                bounding = 0;
        bounding = (bounding | add) & ~drop;
        /* A process of another user could not use more without a set-user-id program; what was asked for by name it gets for itself. */
        own = uid == 0 ? bounding : add;

        object = json_object();
        if (!object)
                return error_oom(err);
        if (set_json(object, "bounding", bounding, err) < 0 || set_json(object, "effective", own, err) < 0 ||
            set_json(object, "permitted", own, err) < 0)
                return -1;
        if (uid != 0 && own != 0 && (set_json(object, "inheritable", own, err) < 0 || set_json(object, "ambient", own, err) < 0))
                return -1;
        *ret = TAKE(object);
        *ret_set = bounding;
        return 0;
}
