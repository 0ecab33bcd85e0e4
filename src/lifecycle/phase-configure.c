/* Phase 6: the runtime configuration of a container made from an image, from the image's config and the user's options. */

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/json.h"
#include "lifecycle/phases.h"
#include "oci/runtime-spec.h"
#include "runtime/cgroup-create.h"

#define ROOT_DEFAULT "/run/proxmox-lxcri"

/* FNV-1a, 32 bits: tells roots apart, guards nothing. */
static uint32_t hash_text(const char *text) {
        uint32_t hash = 2166136261u;

        for (; *text; text++)
                hash = (hash ^ (unsigned char) *text) * 16777619u;
        return hash;
}

/*
 * Containers of one name under two roots must not share a cgroup, as they would with the runtimes' own default: a limit, a kill or a
 * delete of one would be of both.
 */
static int default_cgroups_path(const Lifecycle *lifecycle, const char *id, char **ret, Error *err) {
        char suffix[16] = "";

        if (strcmp(lifecycle->root, ROOT_DEFAULT))
                snprintf(suffix, sizeof(suffix), "-%08x", hash_text(lifecycle->root));
        if (lifecycle->systemd_cgroup)
                return string_format(ret, err, "%s.slice:proxmox-lxcri:%s%s", lifecycle->rootless_user ? "user" : "system", id, suffix);
        /* Where it may have one, the runtime finds out. */
        if (lifecycle->rootless_user)
                return 0;
        return string_format(ret, err, "/proxmox-lxcri-%s%s", id, suffix);
}

/* crun and runc do without a cgroup where they may not make one, and then without its limits. */
static int check_limits(const Transaction *t, const json_t *spec, Error *err) {
        const json_t *resources = json_object_get(json_object_get(spec, "linux"), "resources");

        if (!t->lifecycle->rootless_user || t->lifecycle->systemd_cgroup || t->cgroups_path ||
            (t->backend->capabilities & BACKEND_OWN_CGROUPS) || !cgroup_is_needed(resources))
                return 0;
        error_set(err, ERROR_NOT_SUPPORTED, "limits need a cgroup, and runtime '%s' makes none for a user without privileges",
                  t->backend->name);
        return error_hint(err, "leave the limits out, or use --systemd-cgroup in a session that systemd manages");
}

static int build_config(Transaction *t, SpecOptions *options, Error *err) {
        _cleanup_json_ json_t *spec = NULL;
        _cleanup_close_ int root_fd = -EBADF;

        if (dir_open_at(t->container_fd, "rootfs", &root_fd, err) < 0 ||
            spec_build(t->image_config, options, root_fd, "rootfs", &spec, err) < 0)
                return error_prefix(err, "image '%s'", t->request->image);
        if (t->boots && machine_id_set(root_fd, options->machine_id, t->mapping, err) < 0)
                return -1;
        if (string_copy(json_string_value(json_object_get(spec, "ociVersion")), &t->oci_version, err) < 0 ||
            string_copy(options->cgroups_path, &t->cgroups_path, err) < 0)
                return -1;
        if (check_limits(t, spec, err) < 0)
                return -1;
        json_decref(t->annotations);
        t->annotations = json_incref(json_object_get(spec, "annotations"));
        if (fault_point("configure.middle", err) < 0)
                return -1;
        /* With --rm nothing of the container outlives a power loss. */
        return spec_save(t->container_fd, spec, t->request->remove ? 0 : WRITE_DURABLE, err);
}

int write_config(Transaction *t, Error *err) {
        const Lifecycle *lifecycle = t->lifecycle;
        _cleanup_free_ char *cgroups_path = NULL;
        SpecOptions options;
        int r;

        options = userns_options(t);
        options.boots = t->boots;
        if (t->boots && spec_machine_id(options.machine_id, err) < 0)
                return -1;
        /* What nobody asked for is not refused. */
        if (options.pids_limit == 0 && (!lifecycle->rootless_user || lifecycle->systemd_cgroup))
                options.pids_limit = lifecycle->config->pids_limit;
        if (!options.cgroups_path) {
                if (default_cgroups_path(lifecycle, t->request->id, &cgroups_path, err) < 0)
                        return -1;
                options.cgroups_path = cgroups_path;
        }

        options.nested = lifecycle->rootless_user;
        options.netns_path = options.userns_path = options.etc_path = NULL;
        r = prepare_network(t, &options, err);
        if (r == 0)
                r = build_config(t, &options, err);
        if (r == 0)
                r = make_network(t, &options, err);
        free(options.netns_path);
        free(options.userns_path);
        free(options.etc_path);
        return r;
}

int remove_config(Undo *undo, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (remove_network(undo, err) < 0)
                return -1;
        if (!undo->whole)
                return 0;
        if (undo_record(undo, &fd, &record, err) < 0)
                return -1;
        if (record && unlinkat(fd, SPEC_FILE, 0) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove '" SPEC_FILE "' of container '%s'", undo->dir->id);
        return 0;
}
