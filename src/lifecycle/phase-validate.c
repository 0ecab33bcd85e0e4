/*
 * Phase 1: is the request right, and is the id free? The id is reserved under its lock, and what a cut-off transaction left of it is
 * undone first.
 */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/json.h"
#include "lifecycle/container.h"
#include "lifecycle/phases.h"
#include "lifecycle/stored.h"
#include "oci/runtime-spec.h"

static bool has(const RunDir *dir, const char *name) {
        return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int exists(const char *id, Error *err) {
        error_set(err, ERROR_CONTAINER_EXISTS, "container '%s' already exists", id);
        return error_hint(err, "choose another id, or delete '%s' first", id);
}

/* Reserves the id: afterwards t->dir is locked, and holds nothing. */
static int reserve_id(Transaction *t, Error *err) {
        const Lifecycle *lifecycle = t->lifecycle;
        const char *id = t->request->id;
        _cleanup_(rundir_freep) RunDir *dir = NULL;
        StoredKind stored;
        bool removed;

        if (rundir_reserve(lifecycle->root, id, &dir, err) < 0)
                return -1;
        if (has(dir, STATE_FILE))
                (void) container_remove_unseen(lifecycle, dir, UNDO_KEEP_ID, &removed, NULL); /* what it could not, is cut off */
        if (has(dir, STATE_FILE))
                return exists(id, err);
        if (stored_kind(lifecycle, id, &stored, err) < 0)
                return -1;
        if (stored == STORED_CUT_OFF || has(dir, JOURNAL_FILE) || has(dir, DELETING_FILE) || has(dir, STOPPING_FILE)) {
                lifecycle_note(lifecycle, "container '%s': undoing what a command that was cut off left", id);
                if (transaction_undo(lifecycle, dir, UNDO_KEEP_ID, err) < 0)
                        return error_prefix(err, "undo what an earlier command on '%s' left", id);
                if (stored_kind(lifecycle, id, &stored, err) < 0)
                        return -1;
        }
        if (stored == STORED_WHOLE) {
                (void) rundir_remove(dir, NULL);
                return exists(id, err);
        }
        /* Of a container whose directory a killed command has half removed: it must not become this one's */
        (void) unlinkat(dir->fd, SPEC_FILE, 0);
        t->dir = TAKE(dir);
        return 0;
}

static int open_bundle(Transaction *t, int *ret_fd, Error *err) {
        if (path_absolute(t->request->bundle, &t->bundle, err) < 0)
                return -1;
        *ret_fd = open(t->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*ret_fd < 0) {
                error_set_errno(err, ERROR_BUNDLE_NOT_FOUND, errno, "bundle '%s'", t->bundle);
                return error_hint(
                        err, "a bundle is a directory with a config.json and a root filesystem; --image makes a container without one");
        }
        return 0;
}

/* linux.cgroupsPath, borrowed; NULL: none. */
static const char *spec_cgroups_path(const json_t *spec) {
        return json_string_value(json_object_get(json_object_get(spec, "linux"), "cgroupsPath"));
}

/* What we need to know of a bundle's config.json, which spec_load() has checked. */
static int read_bundle(Transaction *t, Error *err) {
        const json_t *spec;
        _cleanup_close_ int fd = -EBADF;
        const char *root, *version;
        struct stat st;

        if (open_bundle(t, &fd, err) < 0)
                return -1;
        if (t->request->config ? spec_load_file(t->request->config, &t->spec, err) < 0 : spec_load(fd, &t->spec, err) < 0)
                return error_prefix(err, "bundle '%s'", t->bundle);

        spec = t->spec;
        version = json_string_value(json_object_get(spec, "ociVersion"));
        root = json_string_value(json_object_get(json_object_get(spec, "root"), "path"));
        t->terminal = json_is_true(json_object_get(json_object_get(spec, "process"), "terminal"));
        t->annotations = json_incref(json_object_get(spec, "annotations"));
        if (string_copy(version, &t->oci_version, err) < 0 || string_copy(spec_cgroups_path(spec), &t->cgroups_path, err) < 0)
                return -1;
        if (!root)
                return error_set(err, ERROR_INVALID_SPEC, "bundle '%s': config.json: no root.path", t->bundle);
        if (root[0] == '/' ? string_copy(root, &t->rootfs, err) < 0 : string_format(&t->rootfs, err, "%s/%s", t->bundle, root) < 0)
                return -1;
        if (stat(t->rootfs, &st) < 0)
                return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "bundle '%s': root filesystem '%s'", t->bundle, t->rootfs);
        if (!S_ISDIR(st.st_mode))
                return error_set_errno(err, ERROR_INVALID_ROOTFS, ENOTDIR, "bundle '%s': root filesystem '%s'", t->bundle, t->rootfs);
        return 0;
}

static int check_arguments(Transaction *t, Error *err) {
        const CreateRequest *r = t->request;

        if (id_check(r->id, err) < 0)
                return -1;
        if (!r->bundle == !r->image)
                return error_set(err, ERROR_INVALID_ARGUMENT, "exactly one of --bundle and --image is needed");
        if (r->preserve_fds < 0)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--preserve-fds %d: not a number of descriptors", r->preserve_fds);
        if (r->pid_file && path_absolute(r->pid_file, &t->pid_file, err) < 0)
                return -1;
        if (r->bundle)
                return read_bundle(t, err);

        t->annotations = json_incref(r->options->annotations);
        t->terminal = r->options->tty;
        if (string_format(&t->bundle, err, "%s/containers/%s", t->lifecycle->store, r->id) < 0 ||
            string_copy(t->bundle, &t->container_path, err) < 0 || string_format(&t->rootfs, err, "%s/rootfs", t->bundle) < 0)
                return -1;
        return process_mount_namespace(0, &t->mount_namespace, err);
}

static int begin_journal(Transaction *t, Error *err) {
        JournalHeader header = {
                .kind = t->kind,
                .mount_namespace = t->mount_namespace,
                .bundle = t->bundle,
                .store = t->container_path ? t->lifecycle->store : NULL,
                .runtime = t->backend->name,
                .pid_file = t->pid_file,
                .systemd_cgroup = t->lifecycle->systemd_cgroup,
        };

        if (boot_id_read(t->boot_id, err) < 0 || process_ref(getpid(), &header.maker, err) < 0)
                return -1;
        snprintf(header.boot_id, sizeof(header.boot_id), "%s", t->boot_id);
        return journal_create(t->dir, &header, "validate", &t->journal_fd, err);
}

int validate_request(Transaction *t, Error *err) {
        if (check_arguments(t, err) < 0 ||
            lifecycle_route(t->lifecycle, t->request->id, t->request->image, t->annotations, &t->backend, NULL, err) < 0)
                return -1;
        if (t->request->restore && !t->backend->restore)
                return error_set(err, ERROR_NOT_SUPPORTED, "runtime '%s' cannot restore a container", t->backend->name);
        if (t->request->config && !(t->backend->capabilities & BACKEND_OTHER_CONFIG))
                return error_set(err, ERROR_NOT_SUPPORTED, "--config: runtime '%s' takes the bundle's config.json alone",
                                 t->backend->name);
        if (reserve_id(t, err) < 0)
                return -1;
        if (fault_point("validate.middle", err) < 0 || begin_journal(t, err) < 0)
                return -1;
        /* Later commands ask it, too, and the file may be a pipe. After the journal, without which nobody would clear it away. */
        return t->request->config ? spec_save(t->dir->fd, t->spec, 0, err) : 0;
}

int validate_restart(Transaction *t, Error *err) {
        const char *id = t->request->id;
        _cleanup_json_ json_t *spec = NULL;

        if (string_format(&t->container_path, err, "%s/containers/%s", t->lifecycle->store, id) < 0 ||
            string_copy(t->container_path, &t->bundle, err) < 0 || string_format(&t->rootfs, err, "%s/rootfs", t->bundle) < 0 ||
            store_open(t->lifecycle->store, STORE_READ, &t->store, err) < 0 ||
            container_dir_open(t->store, id, &t->container_fd, err) < 0 || container_record_load(t->container_fd, &t->record, err) < 0)
                return -1;
        if (store_image_load(t->store, &t->record->image, &t->image, err) < 0)
                return -1;
        if (!t->image)
                return error_set(err, ERROR_IMAGE_NOT_FOUND, "the image '%s' of container '%s' is no longer in the store",
                                 t->record->image.text, id);
        if (driver_find(t->record->driver, &t->driver, err) < 0 || backend_find(t->record->runtime, &t->backend, err) < 0)
                return -1;
        if (spec_load(t->container_fd, &spec, err) < 0)
                return error_prefix(err, "container '%s'", id);
        t->terminal = json_is_true(json_object_get(json_object_get(spec, "process"), "terminal"));
        t->annotations = json_incref(json_object_get(spec, "annotations"));
        if (string_copy(json_string_value(json_object_get(spec, "ociVersion")), &t->oci_version, err) < 0 ||
            string_copy(spec_cgroups_path(spec), &t->cgroups_path, err) < 0 ||
            (!t->lifecycle->rootless_user && id_mapping_load(json_object_get(spec, "linux"), &t->mapping, err) < 0) ||
            process_mount_namespace(0, &t->mount_namespace, err) < 0)
                return -1;
        if (fault_point("validate.middle", err) < 0)
                return -1;
        return begin_journal(t, err);
}
