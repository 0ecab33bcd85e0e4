/*
 * Phases 4 and 5: the container's own writable root, and what is mounted into it. We own the mount of the root: it is made in the
 * mount namespace of whoever creates or starts the container, and undone in that one.
 */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "lifecycle/namespace.h"
#include "lifecycle/phases.h"

DriverRoot driver_root(Store *store, int container_fd, const char *path, const StoreImage *image) {
        return (DriverRoot) {
                .store = store,
                .container_fd = container_fd,
                .path = path,
                .chain_ids = image ? image->chain_ids : NULL,
                .n_layers = image ? image->n_layers : 0,
        };
}

/* Whether those who are in the group, and nobody to the host otherwise, may pass through a directory. */
static int check_passage(const char *path, gid_t gid, Error *err) {
        struct stat st;

        if (stat(path, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat directory '%s'", path);
        if (st.st_mode & (st.st_gid == gid ? S_IXGRP : S_IXOTH))
                return 0;
        error_set_errno(err, ERROR_FILE, EACCES, "a user namespace's root cannot pass through '%s'", path);
        return error_hint(err, "chmod o+x '%s', or choose a --store that everybody may pass through to", path);
}

static int check_passages(const char *store_path, gid_t gid, Error *err) {
        for (const char *p = strchr(store_path + 1, '/'); p; p = strchr(p + 1, '/')) {
                _cleanup_free_ char *path = NULL;

                if (string_format(&path, err, "%.*s", (int) (p - store_path), store_path) < 0 || check_passage(path, gid, err) < 0)
                        return -1;
        }
        return 0;
}

/* Some runtimes go to the root filesystem as the user namespace's root. */
static int prepare_userns(Transaction *t, Error *err) {
        uint32_t gid;

        if (userns_choose(t, err) < 0)
                return -1;
        if (!t->mapping || (t->backend->capabilities & BACKEND_SHIELDS_HOST))
                return 0;
        if (!id_map_host(&t->mapping->gids, 0, &gid))
                return error_set(err, ERROR_INVALID_ARGUMENT, "--gidmap has no group 0");
        if (check_passages(store_path(t->store), gid, err) < 0)
                return -1;
        return container_dir_share(t->store, t->container_fd, gid, err);
}

int make_root(Transaction *t, Error *err) {
        DriverRoot root;

        if (prepare_userns(t, err) < 0)
                return -1;
        root = driver_root(t->store, t->container_fd, t->container_path, t->image);
        root.temporary = t->request->remove;
        root.mapping = t->mapping;
        if (t->driver->prepare(&root, err) < 0)
                return -1;
        if (fault_point("rootfs.middle", err) < 0)
                return -1;
        return t->driver->mount(&root, err);
}

int mount_root(Transaction *t, Error *err) {
        DriverRoot root = driver_root(t->store, t->container_fd, t->container_path, t->image);

        root.mapping = t->mapping;
        if (fault_point("rootfs.middle", err) < 0)
                return -1;
        return t->driver->mount(&root, err);
}

typedef struct Unmount {
        const Undo *undo;
        const Driver *driver;
        const char *path;
} Unmount;

/*
 * Opens everything anew: descriptors of one mount namespace are no use in another. Inode numbers of namespaces come back, too: one in
 * which this store is not to be seen is not the one that was meant, and has nothing of ours mounted.
 */
static int unmount_here(void *userdata, Error *err) {
        const Unmount *u = userdata;
        _cleanup_(store_closep) Store *store = NULL;
        _cleanup_close_ int fd = -EBADF;
        Error e = ERROR_INIT;
        DriverRoot root;

        if (access(u->path, F_OK) < 0)
                return 0;
        if (store_open(u->undo->store_path, STORE_READ, &store, err) < 0)
                return -1;
        if (container_dir_open(store, u->undo->dir->id, &fd, &e) < 0) {
                if (e.kind == ERROR_CONTAINER_NOT_FOUND)
                        return 0;
                if (err)
                        *err = e;
                return -1;
        }
        root = driver_root(store, fd, u->path, NULL);
        return u->driver->unmount(&root, err);
}

int remove_root(Undo *undo, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;
        const Driver *driver;
        DriverRoot root;
        Store *store;

        if (undo_record(undo, &fd, &record, err) < 0)
                return -1;
        if (!record)
                return 0;
        if (driver_find(record->driver, &driver, err) < 0 || undo_store(undo, &store, err) < 0 ||
            string_format(&path, err, "%s/containers/%s", undo->store_path, undo->dir->id) < 0)
                return -1;

        root = driver_root(store, fd, path, NULL);
        if (driver->capabilities & DRIVER_NEEDS_MOUNT) {
                Unmount unmount = { .undo = undo, .driver = driver, .path = path };
                uint64_t namespace = undo->journal && undo->same_boot ? undo->journal->header.mount_namespace : 0;

                if (namespace_call(namespace, undo->journal ? &undo->journal->monitor : NULL, unmount_here, &unmount, err) < 0)
                        return -1;
                /* Where mounts are shared, the mount point that was made for it in another namespace is seen in ours, too. */
                if (namespace != 0 && driver->unmount(&root, err) < 0)
                        return -1;
        }
        if (!undo->whole)
                return 0;
        return driver->remove(&root, err);
}

/* A bind mount's source has to exist: neither runtime would make it, and their words for it name neither option nor remedy. */
int check_volumes(Transaction *t, Error *err) {
        const SpecOptions *options = t->request->options;

        if (!options->n_mounts) {
                t->skipped = true;
                return 0;
        }
        for (size_t i = 0; i < options->n_mounts; i++) {
                const SpecMount *m = &options->mounts[i];

                if (!m->source || !m->type || strcmp(m->type, "bind"))
                        continue;
                if (access(m->source, F_OK) < 0) {
                        error_set_errno(err, ERROR_FILE, errno, "volume '%s' for '%s'", m->source, m->destination);
                        return error_hint(err, "create '%s' first", m->source);
                }
        }
        return fault_point("storage.middle", err);
}
