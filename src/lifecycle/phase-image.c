/*
 * Phases 2 and 3: the image and its layers are there. What is known of the image from an earlier time is enough: only what has to be
 * verified, resolved or unpacked loads the image module.
 */

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "lifecycle/phases.h"

static int find_image(Transaction *t, Error *err) {
        StoreName name = {};
        const ImageModule *module;
        int r;

        if (store_name_find(t->store, t->request->image, &name, err) < 0)
                return -1;
        r = store_image_load(t->store, &name.descriptor.digest, &t->image, err);
        if (r == 0 && !t->image) {
                module = image_module(err);
                r = module ? module->resolve(t->store, &name.descriptor, NULL, &t->image, err) : -1;
        }
        store_name_clear(&name);
        return r;
}

static int make_record(Transaction *t, Error *err) {
        const SpecOptions *options = t->request->options;
        const char *stop_signal = options->stop_signal ?: t->image_config->stop_signal;
        ContainerRecord *record = calloc(1, sizeof(*record));
        char now[TIME_TEXT_MAX];

        if (!record)
                return error_oom(err);
        t->record = record;
        time_now_text(now);
        record->image = t->image->manifest;
        record->systemd_cgroup = t->lifecycle->systemd_cgroup;
        record->terminal = t->terminal;
        snprintf(record->boot_id, sizeof(record->boot_id), "%s", t->boot_id);
        if (string_copy(t->request->id, &record->id, err) < 0 || string_copy(t->lifecycle->root, &record->root, err) < 0 ||
            string_copy(t->request->image, &record->image_name, err) < 0 || string_copy(t->driver->name, &record->driver, err) < 0 ||
            string_copy(t->backend->name, &record->runtime, err) < 0 || string_copy(now, &record->created, err) < 0 ||
            string_copy(stop_signal && stop_signal[0] ? stop_signal : "SIGTERM", &record->stop_signal, err) < 0 ||
            string_copy(options->hostname, &record->hostname, err) < 0)
                return -1;
        /* From here on the image is referred to, and a power loss leaves something to be undone. */
        return container_dir_make(t->store, record, true, &t->container_fd, err);
}

int ensure_image(Transaction *t, Error *err) {
        if (store_open(t->lifecycle->store, STORE_CREATE, &t->store, err) < 0)
                return -1;
        if (store_lock(t->store, "gc", false, true, &t->gc_lock, err) < 0)
                return -1;
        if (find_image(t, err) < 0 || store_image_config(t->store, t->image, &t->image_config, err) < 0)
                return error_prefix(err, "image '%s'", t->request->image);
        if (driver_choose(t->store, t->request->storage_driver ?: t->lifecycle->config->storage_driver, &t->driver, err) < 0)
                return -1;
        if (fault_point("image.middle", err) < 0)
                return -1;
        return make_record(t, err);
}

int drop_image(Undo *undo, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;
        _cleanup_close_ int fd = -EBADF;
        Store *store;

        if (!undo->whole)
                return 0;
        if (undo_record(undo, &fd, &record, err) < 0)
                return -1;
        if (!record)
                return 0;
        return undo_store(undo, &store, err) < 0 ? -1 : container_dir_remove(store, undo->dir->id, err);
}

int ensure_layers(Transaction *t, Error *err) {
        const ImageModule *module;
        bool missing = false;

        for (size_t i = 0; i < t->image->n_layers && !missing; i++)
                missing = !store_layer_exists(t->store, &t->image->chain_ids[i]);
        t->skipped = !missing;
        if (missing) {
                const UnpackRequest request = {
                        .unpacked_max = (uint64_t) t->lifecycle->config->layer_size_max,
                        .workers = (unsigned) t->lifecycle->config->workers,
                };
                ImageProgress progress = t->lifecycle->observer.image_progress;

                progress.cancelled = t->lifecycle->interrupted;
                module = image_module(err);
                if (!module || module->unpack(t->store, t->image, &request, &progress, err) < 0)
                        return error_prefix(err, "image '%s'", t->request->image);
        }
        close_keep_errno(TAKE_FD(t->gc_lock));
        return fault_point("layers.middle", err);
}

/* Whole layers stay for others; what a dead maker left half-made is in tmp/. */
int drop_layers(Undo *undo, Error *err) {
        Store *store;
        unsigned n;

        if (!undo->whole || undo_store(undo, &store, err) < 0)
                return undo->whole ? -1 : 0;
        return store ? store_tmp_clean(store, &n, err) : 0;
}
