/* The configuration of a container from an image: image-spec, conversion.md, and the user's options. */

#include "oci/runtime-spec.h"

#include <limits.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "oci/spec-parts.h"
#include "oci/spec-schema.h"

#define UMASK_DEFAULT 022 /* as podman and docker; without it the caller's own would leak in */

/* Entrypoint and what follows it, NULL where there is none. */
static void command_parts(const ImageConfig *image, const SpecOptions *options, char *const **ret_entrypoint, char *const **ret_rest) {
        /* --entrypoint "" */
        bool none = options->entrypoint && options->entrypoint[0] && !options->entrypoint[0][0];

        *ret_entrypoint = none ? NULL : options->entrypoint ?: image->entrypoint;
        *ret_rest = options->args || options->entrypoint ? options->args : image->cmd;
}

const char *command_first(const ImageConfig *image, const SpecOptions *options) {
        char *const *entrypoint, *const *rest;

        command_parts(image, options, &entrypoint, &rest);
        return entrypoint && entrypoint[0] ? entrypoint[0] : rest ? rest[0] : NULL;
}

static int args_build(const ImageConfig *image, const SpecOptions *options, json_t **ret, Error *err) {
        char *const *entrypoint, *const *rest;
        _cleanup_json_ json_t *args = NULL;

        command_parts(image, options, &entrypoint, &rest);
        if (texts_json(entrypoint, "the entrypoint", &args, err) < 0)
                return -1;
        for (; rest && *rest; rest++)
                if (text_append(args, *rest, "the command", err) < 0)
                        return -1;
        if (json_array_size(args) == 0) {
                error_set(err, ERROR_INVALID_ARGUMENT, "no command: the image has neither an entrypoint nor a command of its own");
                return error_hint(err, "say what to run after the container's id, for example: run --image IMAGE ID /bin/sh");
        }
        *ret = TAKE(args);
        return 0;
}

static int cwd_set(json_t *process, const ImageConfig *image, const SpecOptions *options, Error *err) {
        _cleanup_free_ char *path = NULL;

        if (options->workdir) {
                if (options->workdir[0] != '/')
                        return error_set(err, ERROR_INVALID_ARGUMENT, "--workdir '%s' is not an absolute path", options->workdir);
                return text_set(process, "cwd", options->workdir, "--workdir", err);
        }
        /* An image's is relative to its root. */
        if (string_format(&path, err, "%s%s", image->working_dir && image->working_dir[0] == '/' ? "" : "/", image->working_dir ?: "") < 0)
                return -1;
        return text_set(process, "cwd", path, "the image's WorkingDir", err);
}

static int user_build(const SpecUser *user, json_t **ret, Error *err) {
        _cleanup_json_ json_t *object = json_pack("{s:I, s:I, s:i}", "uid", (json_int_t) user->uid, "gid", (json_int_t) user->gid, "umask",
                                                  UMASK_DEFAULT);
        _cleanup_json_ json_t *groups = json_array();

        for (size_t i = 0; i < user->n_groups; i++)
                if (part_append(groups, json_integer(user->groups[i]), err) < 0)
                        return -1;
        if (user->n_groups > 0 && part_set(object, "additionalGids", TAKE(groups), err) < 0)
                return -1;
        if (!object)
                return error_oom(err);
        *ret = TAKE(object);
        return 0;
}

typedef struct Build {
        const ImageConfig *image;
        const SpecOptions *options;
        SpecSecurity security;
        SpecUser user;
        uint64_t capabilities; /* bounding set */
} Build;

static void build_clear(Build *build) {
        security_clear(&build->security);
        user_clear(&build->user);
}

/* crun 1.8 gives a new terminal no size unless told. */
static int terminal_build(const SpecOptions *options, json_t *process, Error *err) {
        if (!options->tty && !options->boots)
                return 0;
        if (part_set(process, "terminal", json_true(), err) < 0)
                return -1;
        if (options->tty_rows == 0 || options->tty_columns == 0)
                return 0;
        return part_set(process, "consoleSize", json_pack("{s:i, s:i}", "height", (int) options->tty_rows, "width",
                                                          (int) options->tty_columns), err);
}

static int process_build(Build *build, json_t **ret, Error *err) {
        _cleanup_json_ json_t *process = json_object();
        json_t *part;

        if (terminal_build(build->options, process, err) < 0)
                return -1;
        if (user_build(&build->user, &part, err) < 0 || part_set(process, "user", part, err) < 0)
                return -1;
        if (args_build(build->image, build->options, &part, err) < 0 || part_set(process, "args", part, err) < 0)
                return -1;
        if (environment_build(build->image, build->options, build->user.home, &part, err) < 0 || part_set(process, "env", part, err) < 0)
                return -1;
        if (cwd_set(process, build->image, build->options, err) < 0)
                return -1;
        if (capabilities_build(build->options, build->user.uid, &part, &build->capabilities, err) < 0 ||
            part_set(process, "capabilities", part, err) < 0)
                return -1;
        if (build->security.no_new_privileges && part_set(process, "noNewPrivileges", json_true(), err) < 0)
                return -1;
        if (build->security.apparmor && text_set(process, "apparmorProfile", build->security.apparmor, "--security-opt apparmor", err) < 0)
                return -1;
        *ret = TAKE(process);
        return 0;
}

/* Its own namespace of every kind but time and user. */
static int namespaces_build(const SpecOptions *options, json_t **ret, Error *err) {
        _cleanup_json_ json_t *namespaces = json_array();
        _cleanup_json_ json_t *network = json_pack("{s:s}", "type", "network");

        if (options->netns_path && text_set(network, "path", options->netns_path, "the network namespace", err) < 0)
                return -1;
        if (!options->host_network && part_append(namespaces, TAKE(network), err) < 0)
                return -1;
        for (const char *const *type = (const char *const[]) { "pid", "ipc", "uts", "mount", "cgroup", NULL }; *type; type++)
                if (part_append(namespaces, json_pack("{s:s}", "type", *type), err) < 0)
                        return -1;
        *ret = TAKE(namespaces);
        return 0;
}

/* Adds linux.seccomp, maskedPaths and readonlyPaths; --privileged has only those that are asked for. */
static int confinement_set(const Build *build, json_t *linux_part, Error *err) {
        const SpecSecurity *security = &build->security;
        const SeccompArch *arch = seccomp_arch_find(NULL);
        json_t *seccomp = NULL, *masked, *readonly;

        if (security->seccomp_file) {
                if (seccomp_load(security->seccomp_file, build->capabilities, arch, &seccomp, err) < 0)
                        return -1;
        } else if (!security->seccomp_unconfined && !build->options->privileged &&
                   seccomp_default(build->capabilities, arch, &seccomp, err) < 0)
                return -1;
        if (seccomp && part_set(linux_part, "seccomp", seccomp, err) < 0)
                return -1;
        if (masked_paths_build(security, &masked, err) < 0 || (masked && part_set(linux_part, "maskedPaths", masked, err) < 0))
                return -1;
        if (readonly_paths_build(security, &readonly, err) < 0 || (readonly && part_set(linux_part, "readonlyPaths", readonly, err) < 0))
                return -1;
        return 0;
}

/* @process gets the rlimits. */
static int linux_build(const Build *build, json_t *process, json_t **ret, Error *err) {
        _cleanup_json_ json_t *linux_part = json_object(), *resources = json_object();
        const SpecOptions *options = build->options;
        json_t *part, *nodes, *rules;

        if (namespaces_build(options, &part, err) < 0 || part_set(linux_part, "namespaces", part, err) < 0)
                return -1;
        if (userns_build(options, linux_part, err) < 0)
                return -1;
        /* As podman: root may ping without CAP_NET_RAW. The host's network is the host's to set. */
        if (!options->host_network && part_set(linux_part, "sysctl", json_pack("{s:s}", "net.ipv4.ping_group_range", "0 0"), err) < 0)
                return -1;
        if (devices_build(options, &nodes, &rules, err) < 0)
                return -1;
        if (part_set(resources, "devices", rules, err) < 0) {
                json_decref(nodes);
                return -1;
        }
        if (nodes && part_set(linux_part, "devices", nodes, err) < 0)
                return -1;
        if (limits_build(options, resources, process, err) < 0 || part_set(linux_part, "resources", TAKE(resources), err) < 0)
                return -1;
        if (options->cgroups_path && text_set(linux_part, "cgroupsPath", options->cgroups_path, "the cgroup's path", err) < 0)
                return -1;
        if (confinement_set(build, linux_part, err) < 0)
                return -1;
        *ret = TAKE(linux_part);
        return 0;
}

static int hostname_set(json_t *spec, const char *name, Error *err) {
        if (name[0] == '\0' || strlen(name) > HOST_NAME_MAX)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--hostname '%s': a host name has 1 to %d bytes", name, HOST_NAME_MAX);
        return text_set(spec, "hostname", name, "--hostname", err);
}

/* Fills everything but ociVersion into @spec. */
static int parts_build(Build *build, const char *rootfs, json_t *spec, Error *err) {
        const SpecOptions *options = build->options;
        _cleanup_json_ json_t *process = NULL, *root = json_object();
        json_t *part;

        if (text_set(root, "path", rootfs, "the root's path", err) < 0)
                return -1;
        if (options->read_only && part_set(root, "readonly", json_true(), err) < 0)
                return -1;
        if (process_build(build, &process, err) < 0 || part_set(spec, "process", json_incref(process), err) < 0 ||
            part_set(spec, "root", TAKE(root), err) < 0)
                return -1;
        if (options->hostname && hostname_set(spec, options->hostname, err) < 0)
                return -1;
        if (mounts_build(options, &part, err) < 0 || part_set(spec, "mounts", part, err) < 0)
                return -1;
        if (annotations_build(build->image, options, &part, err) < 0 || (part && part_set(spec, "annotations", part, err) < 0))
                return -1;
        if (linux_build(build, process, &part, err) < 0)
                return -1;
        return part_set(spec, "linux", part, err);
}

/* States the lowest version that has what the configuration uses, and proves the whole by the schema. */
static int version_set(json_t *spec, Error *err) {
        const Place root = { .key = "the configuration built from image and options" };
        SpecVersion version = SPEC_1_0;

        if (part_set(spec, "ociVersion", json_string(spec_version_text(SPEC_1_0)), err) < 0 ||
            schema_walk(&schema_config, spec, &root, &version, err) < 0)
                return -1;
        return part_set(spec, "ociVersion", json_string(spec_version_text(version)), err);
}

int spec_build(const ImageConfig *image, const SpecOptions *options, int root_fd, const char *rootfs, json_t **ret, Error *err) {
        _cleanup_(build_clear) Build build = { .image = image, .options = options };
        /* first, so that it also stands first in the file */
        _cleanup_json_ json_t *spec = json_pack("{s:s}", "ociVersion", spec_version_text(SPEC_1_0));
        int r;

        if (!spec)
                return error_oom(err);
        if (security_parse(options->security_opt, &build.security, err) < 0)
                return -1;
        build.security.paths_unconfined = build.security.paths_unconfined || options->privileged;
        r = options->user ? user_lookup(root_fd, options->user, "--user", ERROR_INVALID_ARGUMENT, &build.user, err)
                          : user_lookup(root_fd, image->user, "the image's User", ERROR_INVALID_ROOTFS, &build.user, err);
        if (r < 0 || parts_build(&build, rootfs, spec, err) < 0 || version_set(spec, err) < 0)
                return -1;
        *ret = TAKE(spec);
        return 0;
}
