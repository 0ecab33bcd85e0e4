/*
 * Phases 2 and 3: the image and its layers are there. What is known of the image from an earlier time is enough: only what has to be
 * verified, resolved or unpacked loads the image module.
 */

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "image/admission.h"
#include "image/pull.h"
#include "lifecycle/phases.h"
#include "oci/reference.h"

/*
 * What a name of the store stands for, if the signature policy still lets it be used. An index that another platform was chosen of is
 * looked through again.
 */
static int load_image(Transaction *t, const char *text, Error *err) {
        const Platform *platform = t->request->platform;
        StoreName name = {};
        const ImageModule *module;
        int r = 0;

        if (store_name_find(t->store, text, &name, err) < 0)
                return -1;
        if (name.descriptor.type != MEDIA_INDEX)
                r = store_image_load(t->store, &name.descriptor.digest, &t->image, err);
        if (r == 0 && !t->image) {
                module = image_module(err);
                r = module ? module->resolve(t->store, &name.descriptor, platform, &t->image, NULL, err) : -1;
        }
        if (r == 0)
                r = admission_check(t->store, t->request->signature_policy, name.name, &t->image->manifest, t->request->registry, NULL,
                                    err);
        store_name_clear(&name);
        return r < 0 ? -1 : store_image_config(t->store, t->image, &t->image_config, err);
}

static void forget_image(Transaction *t) {
        t->image = store_image_free(t->image);
        t->image_config = image_config_free(t->image_config);
}

static int check_platform(Transaction *t, Error *err) {
        const ImageConfig *config = t->image_config;

        return platform_check(t->request->platform, &(Platform) { config->os, config->architecture, config->variant }, err);
}

/* In the store, under the name itself or one of those that registries.conf makes of a short one. */
static int find_image(Transaction *t, Error *err) {
        const CreateRequest *request = t->request;
        _cleanup_strv_ char **names = NULL;
        Error cause = ERROR_INIT;

        if (load_image(t, request->image, err) == 0)
                return check_platform(t, err);
        if (!err || err->kind != ERROR_IMAGE_NOT_FOUND || request->pull == PULL_NEVER || !request->registry ||
            image_pull_names(request->registry, request->image, &names, NULL) < 0)
                return -1;
        for (char **name = names; *name; name++) {
                forget_image(t);
                if (load_image(t, *name, &cause) == 0)
                        return check_platform(t, err);
                if (cause.kind == ERROR_SIGNATURE_REJECTED) {
                        if (err)
                                *err = cause;
                        return -1;
                }
        }
        return -1;
}

/* What has the form of an id is no name that a registry could know. */
static bool can_be_pulled(const char *text) {
        _cleanup_(reference_freep) Reference *reference = NULL;

        return strncmp(text, "sha256:", 7) != 0 && reference_parse(text, &reference, NULL) == 0;
}

static int pull_image(Transaction *t, Error *err) {
        ImageProgress progress = t->lifecycle->observer.image_progress;
        ImportedImage pulled = {};
        int r;

        progress.cancelled = t->lifecycle->interrupted;
        const PullRequest request = {
                .name = t->request->image,
                .platform = t->request->platform,
                .registry = t->request->registry,
                .unpack = true,
                .drop_blobs = !t->lifecycle->config->keep_blobs,
                .workers = (unsigned) t->lifecycle->config->workers,
                .unpacked_max = (uint64_t) t->lifecycle->config->layer_size_max,
                .signature_policy = t->request->signature_policy,
        };
        if (image_pull(t->store, &request, &progress, &pulled, err) < 0)
                return error_prefix(err, "pull");
        forget_image(t);
        r = load_image(t, pulled.name, err);
        free(pulled.name);
        return r < 0 ? -1 : check_platform(t, err);
}

static int obtain_image(Transaction *t, Error *err) {
        Error missing = ERROR_INIT;

        if (t->request->pull == PULL_ALWAYS)
                return pull_image(t, err);
        if (find_image(t, &missing) == 0)
                return 0;
        if (missing.kind == ERROR_IMAGE_NOT_FOUND && t->request->pull != PULL_NEVER && t->request->registry &&
            can_be_pulled(t->request->image))
                return pull_image(t, err);
        if (err)
                *err = missing;
        return -1;
}

/* An init boots, unless nobody has said so and the runtime cannot have it do so. Its terminal is the console. */
static int choose_boot(Transaction *t, Error *err) {
        const SpecOptions *options = t->request->options;
        bool able = t->backend->capabilities & BACKEND_BOOTS;

        if (options->systemd == SYSTEMD_FALSE || (options->systemd == SYSTEMD_UNSAID && !able) ||
            (options->systemd != SYSTEMD_ALWAYS && !spec_runs_init(t->image_config, options)))
                return 0;
        if (!able) {
                error_set(err, ERROR_NOT_SUPPORTED, "--systemd: runtime '%s' does not boot system containers", t->backend->name);
                return error_hint(err, "take --runtime lxc or native, or --systemd=false to start the init like any other program");
        }
        if (t->lifecycle->no_cgroups) {
                error_set(err, ERROR_NOT_SUPPORTED, "--systemd: an init needs a cgroup of its own");
                return error_hint(err, "leave '--cgroup-manager disabled' out, or say --systemd=false");
        }
        t->boots = t->terminal = true;
        return 0;
}

static int make_record(Transaction *t, Error *err) {
        const SpecOptions *options = t->request->options;
        const char *stop_signal = options->stop_signal ?: t->image_config->stop_signal;
        const char *default_signal = t->boots ? SPEC_INIT_STOP_SIGNAL : "SIGTERM";
        ContainerRecord *record = calloc(1, sizeof(*record));
        char now[TIME_TEXT_MAX];

        if (!record)
                return error_oom(err);
        t->record = record;
        time_now_text(now);
        record->image = t->image->manifest;
        record->systemd_cgroup = t->lifecycle->systemd_cgroup;
        record->terminal = t->terminal;
        record->on_boot = t->request->on_boot;
        snprintf(record->boot_id, sizeof(record->boot_id), "%s", t->boot_id);
        if (string_copy(t->request->id, &record->id, err) < 0 || string_copy(t->lifecycle->root, &record->root, err) < 0 ||
            string_copy(t->request->image, &record->image_name, err) < 0 || string_copy(t->driver->name, &record->driver, err) < 0 ||
            string_copy(t->backend->name, &record->runtime, err) < 0 || string_copy(now, &record->created, err) < 0 ||
            string_copy(stop_signal && stop_signal[0] ? stop_signal : default_signal, &record->stop_signal, err) < 0 ||
            string_copy(options->hostname, &record->hostname, err) < 0)
                return -1;
        /* From here on the image is referred to, and a power loss leaves something to be undone; nothing of one that goes when it ends. */
        return container_dir_make(t->store, record, !t->request->remove, &t->container_fd, err);
}

int ensure_image(Transaction *t, Error *err) {
        if (store_open(t->lifecycle->store, STORE_CREATE, &t->store, err) < 0)
                return -1;
        if (store_lock(t->store, "gc", false, true, &t->gc_lock, err) < 0)
                return -1;
        if (obtain_image(t, err) < 0)
                return error_prefix(err, "image '%s'", t->request->image);
        if (driver_choose(t->store, t->request->storage_driver ?: t->lifecycle->config->storage_driver, userns_is_wanted(t), &t->driver,
                          err) < 0)
                return -1;
        if (fault_point("image.middle", err) < 0 || choose_boot(t, err) < 0)
                return -1;
        return make_record(t, err);
}

int drop_image(Undo *undo, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;
        _cleanup_close_ int fd = -EBADF;
        Store *store;

        if (!undo->whole)
                return 0;
        if (undo_record(undo, &fd, &record, err) < 0 || undo_store(undo, &store, err) < 0)
                return -1;
        if (!record && (!store || container_dir_open(store, undo->dir->id, &fd, NULL) < 0 || !container_record_is_lost(fd)))
                return 0;
        return container_dir_remove(store, undo->dir->id, err);
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
