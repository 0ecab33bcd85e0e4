/* Copying to a registry. What it has already is not sent, and what another of its repositories has is mounted from there. */

#include <string.h>

#include "base/buf.h"
#include "image/copy.h"

typedef struct RegistryTarget {
        const RegistryModule *module;
        Registry *registry;
        Reference *name;
        Digest digest; /* of the root */
} RegistryTarget;

static void target_close(void *userdata) {
        RegistryTarget *target = userdata;

        if (target->registry)
                target->module->close(target->registry);
        reference_free(target->name);
        free(target);
}

static int target_open(Copy *copy, const char *text, void **ret, Error *err) {
        RegistryTarget *target = calloc(1, sizeof(*target));

        if (!target)
                return error_oom(err);
        *ret = target; /* closed by the caller, also after a failure */
        target->module = registry_module(err);
        if (!target->module || reference_parse(text, &target->name, err) < 0)
                return -1;
        if (target->name->has_digest)
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s': a target has a tag, not a digest", text);
        return target->module->open(copy->request->to, &target->registry, err) < 0 ? -1 : 0;
}

static int open_blob(void *userdata, const Descriptor *blob, int *ret_fd, Error *err) {
        return copy_blob_open(userdata, blob, ret_fd, err);
}

static void report(void *userdata, const Descriptor *blob, uint64_t done) {
        copy_report(userdata, blob, done);
}

static int target_blob(void *userdata, Copy *copy, const Descriptor *blob, Error *err) {
        const RegistryTarget *target = userdata;
        const Reference *from = copy->source.remote.name;
        RegistryUpload upload = { .open = open_blob, .report = report, .userdata = copy };
        bool exists;

        if (target->module->blob_exists(target->registry, target->name, blob, &exists, err) < 0)
                return -1;
        if (exists) {
                copy_report(copy, blob, blob->size);
                return 0;
        }
        if (from && !strcmp(from->registry, target->name->registry) && strcmp(from->repository, target->name->repository) != 0)
                upload.from = from->repository;
        return target->module->blob_push(target->registry, target->name, blob, &upload, err);
}

static int target_document(void *userdata, Copy *copy, const Descriptor *document, const char *data, size_t len, bool root, Error *err) {
        RegistryTarget *target = userdata;
        Reference name = *target->name;

        /* Those that an index names have no tag of their own. */
        if (!root)
                name.tag = NULL;
        target->digest = document->digest;
        return target->module->manifest_push(target->registry, &name, document, data, len, err);
}

static int target_finish(void *userdata, Copy *copy, char **ret_name, Error *err) {
        RegistryTarget *target = userdata;

        copy->source.root.digest = target->digest;
        return reference_format(target->name, ret_name, err);
}

const CopyTargetKind copy_to_registry = {
        .prefix = "docker://",
        .open = target_open,
        .blob = target_blob,
        .document = target_document,
        .finish = target_finish,
        .close = target_close,
};
