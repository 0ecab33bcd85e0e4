/* image rm: drop names of images; what nothing refers to any more goes with prune. */

#include <string.h>

#include "base/cleanup.h"
#include "cli/images.h"
#include "store/container.h"

typedef struct RemoveArgs {
        Store *store; /* opened by run(), for every operand */
} RemoveArgs;

/* Names that mean the same manifest or index. */
static int count_names(Store *store, const Digest *digest, size_t *ret, Error *err) {
        StoreName *names;
        size_t n, count = 0;

        if (store_names_list(store, &names, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                count += names[i].name && digest_equal(&names[i].descriptor.digest, digest);
        store_names_free(names, n);
        *ret = count;
        return 0;
}

/* Whether @text names an image by hex digits: then it means all its names at once. */
static bool is_digest(const char *text, const StoreName *found) {
        if (found->name && !strcmp(found->name, text))
                return false;
        if (!strncmp(text, "sha256:", 7))
                text += 7;
        return strlen(text) >= 6 && strspn(text, "0123456789abcdef") == strlen(text);
}

/* The image's manifest, when @found is that of an index; else its own digest. Not resolvable: its own as well, nothing can use it. */
static Digest manifest_of(Store *store, const StoreName *found) {
        _cleanup_(store_image_freep) StoreImage *image = NULL;

        return image_resolve(store, &found->descriptor, &image, NULL) < 0 ? found->descriptor.digest : image->manifest;
}

static int check_unused(Store *store, const StoreName *found, const char *text, Error *err) {
        _cleanup_strv_ char **ids = NULL;
        Digest manifest = manifest_of(store, found);

        if (container_list(store, &ids, err) < 0)
                return -1;
        for (char **id = ids; id && *id; id++) {
                _cleanup_(container_record_freep) ContainerRecord *record = NULL;
                _cleanup_close_ int fd = -EBADF;
                Error gone = ERROR_INIT;

                if (container_dir_open(store, *id, &fd, &gone) < 0 || container_record_load(fd, &record, &gone) < 0) {
                        if (gone.kind == ERROR_CONTAINER_NOT_FOUND || gone.errnum == ENOENT)
                                continue;
                        *err = gone;
                        return error_prefix(err, "container '%s'", *id);
                }
                if (digest_equal(&record->image, &manifest)) {
                        error_set(err, ERROR_INVALID_STATE, "image '%s' is used by container '%s'", text, *id);
                        return error_hint(err, "proxmox-lxcri delete %s", *id);
                }
        }
        return 0;
}

static int remove_found(Store *store, const StoreName *found, const char *text, Error *err) {
        size_t n;

        if (!found->name) {
                error_set(err, ERROR_INVALID_ARGUMENT, "image '%s' has no name to remove", text);
                return error_hint(err, "'image tag' gives it one");
        }
        if (count_names(store, &found->descriptor.digest, &n, err) < 0)
                return -1;
        if (n > 1 && is_digest(text, found)) {
                error_set(err, ERROR_INVALID_ARGUMENT, "image '%s' has %zu names", text, n);
                return error_hint(err, "say which to remove; 'image inspect' shows them");
        }
        if (n <= 1 && check_unused(store, found, text, err) < 0)
                return -1;
        return store_name_remove(store, found->name, &(bool) { false }, err);
}

static int remove_one(Cli *cli, const Call *call, const char *text, Error *err) {
        Store *store = ((RemoveArgs *) call->args)->store;
        _cleanup_close_ int lock = -EBADF;
        StoreName found;
        int r;

        /* Whoever makes a container from an image holds this lock shared meanwhile. */
        if (store_fd(store) >= 0 && store_lock(store, "gc", true, true, &lock, err) < 0)
                return -1;
        if (store_name_find(store, text, &found, err) < 0)
                return -1;
        r = remove_found(store, &found, text, err);
        store_name_clear(&found);
        return r;
}

static void clear(void *args) {
        store_close(((RemoveArgs *) args)->store);
}

static int run(Cli *cli, const Call *call, Error *err) {
        RemoveArgs *args = call->args;

        if (cli_open_store(cli, STORE_READ, &args->store, err) < 0)
                return -1;
        return command_each(cli, call, remove_one, err);
}

const Command cmd_image_rm = {
        .name = "image rm",
        .alias = "rmi",
        .group = COMMANDS_IMAGES,
        .summary = "remove names of images",
        .operands = "IMAGE...",
        .description = "The last name of an image that a container uses is not removed. The space of an image without names is given "
                       "back by 'prune'.",
        .examples = "proxmox-lxcri image rm redis:7\nproxmox-lxcri prune",
        .flags = COMMAND_OWNERS,
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .args_size = sizeof(RemoveArgs),
        .clear = clear,
        .run = run,
};
