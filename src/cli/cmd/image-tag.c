/* image tag: a further name for an image. */

#include "base/cleanup.h"
#include "cli/images.h"
#include "oci/reference.h"

static int normalise(const char *text, char **ret, Error *err) {
        _cleanup_(reference_freep) Reference *reference = NULL;

        if (reference_parse(text, &reference, err) < 0)
                return -1;
        if (reference->has_digest)
                return error_set(err, ERROR_INVALID_ARGUMENT, "a name can't be given a digest: '%s'", text);
        return reference_format(reference, ret, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_(store_closep) Store *store = NULL;
        _cleanup_close_ int lock = -EBADF;
        _cleanup_free_ char *name = NULL;
        StoreName found;
        int r;

        if (normalise(call->operands[1], &name, err) < 0 || cli_open_store(cli, STORE_READ, &store, err) < 0)
                return -1;
        if (store_fd(store) >= 0 && store_lock(store, "gc", false, true, &lock, err) < 0)
                return -1;
        if (store_name_find(store, call->operands[0], &found, err) < 0)
                return -1;
        r = store_name_set(store, name, &found.descriptor, err);
        store_name_clear(&found);
        return r;
}

const Command cmd_image_tag = {
        .name = "image tag",
        .group = COMMANDS_IMAGES,
        .summary = "give an image a further name",
        .operands = "IMAGE NAME",
        .description = "A NAME that means another image already means this one afterwards.",
        .examples = "proxmox-lxcri image tag redis:7 redis:stable",
        .min_operands = 2,
        .max_operands = 2,
        .run = run,
};
