/* The mounts of a container: what every one has, and on top what its user asked for. */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/json.h"
#include "oci/spec-parts.h"

#define SHM_SIZE_DEFAULT ((int64_t) 64 << 20) /* bytes, as podman and docker */

#define OPTIONS(...) (const char *const[]) { __VA_ARGS__, NULL }

typedef struct SystemMount {
        const char *destination, *type, *source;
        const char *const *options;
        const char *const *privileged; /* in place of @options with --privileged; NULL: the same */
} SystemMount;

/* As podman makes them; cgroup shows the container's own subtree only, since it has its own cgroup namespace. */
static const SystemMount system_mounts[] = {
        { "/proc", "proc", "proc", OPTIONS("nosuid", "noexec", "nodev") },
        { "/dev", "tmpfs", "tmpfs", OPTIONS("nosuid", "noexec", "strictatime", "mode=755", "size=65536k") },
        { "/dev/pts", "devpts", "devpts", OPTIONS("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5") },
        { "/dev/shm", "tmpfs", "shm", OPTIONS("nosuid", "noexec", "nodev", "mode=1777") },
        { "/dev/mqueue", "mqueue", "mqueue", OPTIONS("nosuid", "noexec", "nodev") },
        { "/sys", "sysfs", "sysfs", OPTIONS("nosuid", "noexec", "nodev", "ro"), OPTIONS("nosuid", "noexec", "nodev", "rw") },
        { "/sys/fs/cgroup", "cgroup", "cgroup", OPTIONS("nosuid", "noexec", "nodev", "relatime", "ro"),
          OPTIONS("nosuid", "noexec", "nodev", "relatime", "rw") },
};

/* What systemd would mount itself, which only one with CAP_SYS_ADMIN may. As podman; /run/lock as Debian has it. */
static const SystemMount boot_mounts[] = {
        { "/run", "tmpfs", "tmpfs", OPTIONS("nosuid", "nodev", "mode=755") },
        { "/run/lock", "tmpfs", "tmpfs", OPTIONS("nosuid", "nodev", "noexec", "mode=1777", "size=5m") },
        { "/tmp", "tmpfs", "tmpfs", OPTIONS("nosuid", "nodev", "mode=1777") },
};

/*
 * A cgroup of its own for an init to divide: all of version 2, and of version 1 the hierarchy without controllers, whose limits and devices
 * are not a container's to set.
 */
static const SystemMount boot_cgroup_v2 = { "/sys/fs/cgroup", "cgroup", "cgroup", OPTIONS("nosuid", "noexec", "nodev", "relatime", "rw") };
static const SystemMount boot_cgroup_v1 = { "/sys/fs/cgroup/systemd", "cgroup", "cgroup",
                                            OPTIONS("nosuid", "noexec", "nodev", "relatime", "rw", "name=systemd") };

static bool is_taken(const SpecOptions *options, const char *destination) {
        for (size_t i = 0; i < options->n_mounts; i++)
                if (!strcmp(options->mounts[i].destination, destination))
                        return true;
        return false;
}

static int mount_append(json_t *mounts, const char *destination, const char *type, const char *source, char *const *options,
                        const char *more, Error *err) {
        _cleanup_json_ json_t *mount = json_object(), *list = NULL;

        if (text_set(mount, "destination", destination, "a mount's destination", err) < 0 ||
            text_set(mount, "type", type, "a mount's type", err) < 0 || text_set(mount, "source", source, "a mount's source", err) < 0 ||
            texts_json(options, "a mount's options", &list, err) < 0)
                return -1;
        if (more && text_append(list, more, "a mount's options", err) < 0)
                return -1;
        if (part_set(mount, "options", TAKE(list), err) < 0)
                return -1;
        return part_append(mounts, TAKE(mount), err);
}

/*
 * Only who owns the network's namespace may mount a /sys of it: with the host's network it is the host's, as podman has it. Private: crun
 * takes it from the host's mount namespace, and where that is shared what it mounts for the container's cgroups lands on the host's.
 */
static const SystemMount host_sys = { "/sys", "bind", "/sys", OPTIONS("rbind", "rprivate", "nosuid", "noexec", "nodev", "ro") };

bool has_userns(const SpecOptions *options) {
        return options->uid_map || options->gid_map || (options->userns && strcmp(options->userns, "host"));
}

static int system_mount_append(const SpecOptions *options, const SystemMount *mount, json_t *mounts, Error *err) {
        char size[32];
        const char *const *list = options->privileged && mount->privileged ? mount->privileged : mount->options;
        bool is_shm = !strcmp(mount->destination, "/dev/shm");

        snprintf(size, sizeof(size), "size=%lld", (long long) (options->shm_size > 0 ? options->shm_size : SHM_SIZE_DEFAULT));
        return mount_append(mounts, mount->destination, mount->type, mount->source, (char *const *) list, is_shm ? size : NULL, err);
}

static int boot_mounts_append(const SpecOptions *options, json_t *mounts, Error *err) {
        if (!options->boots)
                return 0;
        if (!cgroup_is_unified() && !is_taken(options, "/sys/fs/cgroup") && !is_taken(options, "/sys") &&
            system_mount_append(options, &boot_cgroup_v1, mounts, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(boot_mounts); i++)
                if (!is_taken(options, boot_mounts[i].destination) && system_mount_append(options, &boot_mounts[i], mounts, err) < 0)
                        return -1;
        return 0;
}

/* Files of the container's own over what the image has there. */
static int etc_mounts_append(const SpecOptions *options, json_t *mounts, Error *err) {
        for (const char *const *name = (const char *const[]) { "hosts", "hostname", "resolv.conf", NULL }; *name; name++) {
                _cleanup_free_ char *source = NULL, *destination = NULL;

                if (string_format(&destination, err, "/etc/%s", *name) < 0 ||
                    string_format(&source, err, "%s/%s", options->etc_path, *name) < 0)
                        return -1;
                if (is_taken(options, destination) || is_taken(options, "/etc"))
                        continue;
                if (mount_append(mounts, destination, "bind", source, (char *const *) OPTIONS("bind", "nosuid", "nodev", "noexec"), NULL,
                                 err) < 0)
                        return -1;
        }
        return 0;
}

static size_t depth(const char *path) {
        size_t n = 0;

        for (; *path; path++)
                n += path[0] == '/' && path[1] != '\0';
        return n;
}

static int user_mount_append(const SpecMount *mount, json_t *mounts, Error *err) {
        bool is_bind = !strcmp(mount->type, "bind");
        struct stat st;

        if (is_bind && stat(mount->source, &st) < 0) {
                error_set_errno(err, ERROR_INVALID_ARGUMENT, errno, "mount '%s' on '%s'", mount->source, mount->destination);
                return error_hint(err, "a directory or file of the host is mounted as it is: create it first");
        }
        return mount_append(mounts, mount->destination, mount->type, mount->source ?: mount->type, mount->options, NULL, err);
}

int mounts_build(const SpecOptions *options, json_t **ret, Error *err) {
        _cleanup_json_ json_t *mounts = json_array();
        size_t deepest = 0;

        if (!mounts)
                return error_oom(err);
        for (size_t i = 0; i < ARRAY_SIZE(system_mounts); i++) {
                const SystemMount *mount = &system_mounts[i];

                /* Who brings their own /dev wants nothing of ours in it. */
                if (is_taken(options, mount->destination) || (is_taken(options, "/dev") && !strncmp(mount->destination, "/dev/", 5)))
                        continue;
                if (options->host_network && (has_userns(options) || options->nested) && !strcmp(mount->destination, host_sys.destination))
                        mount = &host_sys;
                if (options->boots && !strcmp(mount->destination, boot_cgroup_v2.destination) && cgroup_is_unified())
                        mount = &boot_cgroup_v2;
                if (system_mount_append(options, mount, mounts, err) < 0)
                        return -1;
        }

        if (boot_mounts_append(options, mounts, err) < 0)
                return -1;
        if (options->etc_path && etc_mounts_append(options, mounts, err) < 0)
                return -1;

        /* Outer ones first, whatever order they were given in: '-v a:/x/y -v b:/x' must not hide the first. */
        for (size_t i = 0; i < options->n_mounts; i++)
                if (depth(options->mounts[i].destination) > deepest)
                        deepest = depth(options->mounts[i].destination);
        for (size_t level = 0; level <= deepest; level++)
                for (size_t i = 0; i < options->n_mounts; i++)
                        if (depth(options->mounts[i].destination) == level && user_mount_append(&options->mounts[i], mounts, err) < 0)
                                return -1;
        *ret = TAKE(mounts);
        return 0;
}
