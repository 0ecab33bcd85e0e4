/*
 * System containers: an image whose command is an init, which wants to be the first process of a machine. Sources: systemd,
 * docs/CONTAINER_INTERFACE.md; podman-run(1), --systemd
 */

#include <linux/capability.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/random.h>
#include <sys/vfs.h>

#include "base/json.h"
#include "oci/spec-parts.h"

#define BIT(number) ((uint64_t) 1 << (number))

/* What LXC leaves to a container with a user namespace and systemd's own units ask for. Not SYS_BOOT: without it systemd ends at halt by
 * exiting. Not SYS_MODULE, SYS_RAWIO, SYS_TIME, AUDIT_READ: by these, units tell whether they have a machine to look after. */
#define SYSTEM_SET                                                                                                                         \
        (BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_NET_BROADCAST) | BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) |            \
         BIT(CAP_IPC_LOCK) | BIT(CAP_IPC_OWNER) | BIT(CAP_SYS_PTRACE) | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_NICE) | BIT(CAP_SYS_RESOURCE) |   \
         BIT(CAP_SYS_TTY_CONFIG) | BIT(CAP_MKNOD) | BIT(CAP_LEASE) | BIT(CAP_AUDIT_WRITE))

int spec_option_systemd(SpecOptions *options, const char *value, Error *err) {
        /* The parser has refused every other word. */
        options->systemd = !strcmp(value, "always") ? SYSTEMD_ALWAYS : !strcmp(value, "true") ? SYSTEMD_TRUE : SYSTEMD_FALSE;
        return 0;
}

bool spec_runs_init(const ImageConfig *image, const SpecOptions *options) {
        static const char *const inits[] = { "/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init" };
        const char *command = command_first(image, options), *name;

        if (!command)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(inits); i++)
                if (!strcmp(command, inits[i]))
                        return true;
        name = strrchr(command, '/');
        return !strcmp(name ? name + 1 : command, "systemd");
}

int spec_machine_id(char ret[SPEC_MACHINE_ID_MAX], Error *err) {
        unsigned char bytes[16];

        if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
                return error_set_errno(err, ERROR_FILE, errno, "make a machine id");
        /* A random UUID, as machine-id(5) wants it. Source: RFC 9562, 5.4 */
        bytes[6] = (unsigned char) ((bytes[6] & 0x0f) | 0x40);
        bytes[8] = (unsigned char) ((bytes[8] & 0x3f) | 0x80);
        for (size_t i = 0; i < sizeof(bytes); i++)
                (void) snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
        return 0;
}

bool cgroup_is_unified(void) {
        struct statfs fs;

        return statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

uint64_t system_capabilities(const SpecOptions *options) {
        /* Of the host's own root they would be the host's. */
        return options->boots && has_userns(options) ? SYSTEM_SET : 0;
}
