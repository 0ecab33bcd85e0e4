/* Pulling: the registry module finds and reads, the image module receives. */

#include "image/pull.h"

#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "image/admission.h"
#include "image/remote.h"

typedef struct Pull {
        Store *store;
        const PullRequest *request;
        const ImageProgress *progress;
        const ImageModule *module;
        Admission *admission;
        Remote remote;
        BlobSource source;
} Pull;

static void pull_clear(Pull *pull) {
        remote_close(&pull->remote);
        admission_free(pull->admission);
}

static int receive(Pull *pull, const Descriptor *descriptor, const Platform *platform, const char *name, ImportedImage *ret, Error *err) {
        const ReceiveRequest request = {
                .source = &pull->source,
                .descriptor = descriptor,
                .name = name,
                .platform = platform,
                .unpack = pull->request->unpack,
                .drop_blobs = pull->request->drop_blobs,
                .workers = pull->request->workers,
                .unpacked_max = pull->request->unpacked_max,
                .judge = admission_judge(pull->admission),
                .origin = { .transport = "docker", .name = pull->remote.name, .registry = pull->remote.registry },
        };

        return pull->module->receive(pull->store, &request, pull->progress, ret, err);
}

/* Every image of the index, then the index itself. What is no image (attestations) stays where it is. */
static int receive_all(Pull *pull, const char *name, ImportedImage *ret, Error *err) {
        const RegistryDocument *root = &pull->remote.root;
        _cleanup_(index_freep) Index *index = NULL;
        uint64_t size = root->len;
        size_t n = 0;

        if (index_parse(root->data, root->len, root->descriptor.type, "index", &index, err) < 0)
                return -1;
        for (size_t i = 0; i < index->n_entries; i++) {
                const IndexEntry *entry = &index->entries[i];
                ImportedImage image = { 0 };

                if (entry->descriptor.type == MEDIA_UNKNOWN || (entry->platform.os && !strcmp(entry->platform.os, "unknown")))
                        continue;
                /* What the index calls an image's platform need not be what the image says. */
                const Platform *platform = entry->descriptor.type == MEDIA_INDEX ? &entry->platform : NULL;

                if (receive(pull, &entry->descriptor, platform, NULL, &image, err) < 0)
                        return error_prefix(err, "platform %s/%s", entry->platform.os ?: "?", entry->platform.architecture ?: "?");
                free(image.name);
                size += image.size;
                n++;
        }
        if (n == 0)
                return error_set(err, ERROR_IMAGE_NOT_FOUND, "index %s has no images", root->descriptor.digest.text);
        if (file_write_atomic_at(store_blobs_fd(pull->store), digest_hex(&root->descriptor.digest), root->data, root->len, 0600,
                                 WRITE_DURABLE, err) < 0 ||
            store_name_set(pull->store, name, &root->descriptor, err) < 0 || string_copy(name, &ret->name, err) < 0)
                return -1;
        ret->manifest = root->descriptor.digest;
        ret->size = size;
        return 0;
}

static int pull_image(Pull *pull, ImportedImage *ret, Error *err) {
        _cleanup_free_ char *name = NULL;

        if (pull->request->as ? string_copy(pull->request->as, &name, err) < 0 : reference_format(pull->remote.name, &name, err) < 0)
                return -1;
        if (pull->request->all_platforms && pull->remote.root.descriptor.type == MEDIA_INDEX)
                return receive_all(pull, name, ret, err);
        return receive(pull, &pull->remote.root.descriptor, pull->request->platform, name, ret, err);
}

int image_pull(Store *store, const PullRequest *request, const ImageProgress *progress, ImportedImage *ret, Error *err) {
        _cleanup_(pull_clear) Pull pull = { .store = store, .request = request, .progress = progress };
        _cleanup_close_ int gc = -EBADF;
        ImportedImage image = { 0 };

        if (admission_open(request->signature_policy, &pull.admission, err) < 0 ||
            remote_open(request->registry, request->name, &pull.remote, err) < 0)
                return -1;
        pull.source = remote_source(&pull.remote);
        pull.module = image_module(err);
        if (!pull.module || store_lock(store, "gc", false, true, &gc, err) < 0)
                return -1;
        if (pull_image(&pull, &image, err) < 0)
                return remote_failed(&pull.remote, err);
        if (admission_keep(pull.admission, store, &image, 1, err) < 0) {
                free(image.name);
                return -1;
        }
        *ret = image;
        return 0;
}

int image_pull_names(const RegistryOptions *options, const char *text, char ***ret, Error *err) {
        const RegistryModule *module = registry_module(err);
        Registry *registry;
        int r;

        if (!module || module->open(options, &registry, err) < 0)
                return -1;
        r = module->names(registry, text, ret, err);
        module->close(registry);
        return r;
}
