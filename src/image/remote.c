/* The blobs of an image in a registry. Documents are asked for as manifests, everything else as blobs. */

#include "image/remote.h"

#include <string.h>

#include "base/buf.h"

typedef struct Reader {
        Remote *remote;
        Descriptor descriptor; /* the registry's blob points to it */
        RegistryBlob *blob;    /* NULL for a document */
        RegistryDocument document;
        const char *data; /* of a document: what is left of it */
        size_t left;
} Reader;

static void source_close(void *userdata) {
        Reader *reader = userdata;

        if (reader->blob)
                reader->remote->module->blob_close(reader->blob);
        registry_document_clear(&reader->document);
        free(reader);
}

/* A manifest or index by its digest; the registry module compares it. */
static int open_document(Reader *reader, Error *err) {
        const Remote *remote = reader->remote;
        Reference name = *remote->name;

        if (digest_equal(&reader->descriptor.digest, &remote->root.descriptor.digest)) {
                reader->data = remote->root.data;
                reader->left = remote->root.len;
                return 0;
        }
        name.has_digest = true;
        name.digest = reader->descriptor.digest;
        if (remote->module->manifest(remote->registry, &name, &reader->document, err) < 0)
                return -1;
        reader->data = reader->document.data;
        reader->left = reader->document.len;
        return 0;
}

static int source_open(void *userdata, const Descriptor *blob, uint64_t offset, void **ret_reader, Error *err) {
        Reader *reader = calloc(1, sizeof(*reader));
        Remote *remote = userdata;
        int r;

        if (!reader)
                return error_oom(err);
        reader->remote = remote;
        reader->descriptor = *blob;
        /* The root is one whatever its type: schema 1 is refused by who reads it. */
        if (blob->type == MEDIA_INDEX || blob->type == MEDIA_MANIFEST || digest_equal(&blob->digest, &remote->root.descriptor.digest)) {
                r = open_document(reader, err);
                if (r == 0) {
                        const size_t skip = offset < reader->left ? (size_t) offset : reader->left;

                        reader->data += skip;
                        reader->left -= skip;
                }
        } else
                r = remote->module->blob_open(remote->registry, remote->name, &reader->descriptor, offset, &reader->blob, err);
        if (r < 0) {
                source_close(reader);
                return -1;
        }
        *ret_reader = reader;
        return 0;
}

static int source_read(void *userdata, void *data, size_t size, size_t *ret_len, Error *err) {
        Reader *reader = userdata;

        if (reader->blob)
                return reader->remote->module->blob_read(reader->blob, data, size, ret_len, err);
        *ret_len = reader->left < size ? reader->left : size;
        if (*ret_len > 0)
                memcpy(data, reader->data, *ret_len);
        reader->data += *ret_len;
        reader->left -= *ret_len;
        return 0;
}

BlobSource remote_source(Remote *remote) {
        return (BlobSource) { .open = source_open, .read = source_read, .close = source_close, .userdata = remote };
}

void remote_close(Remote *remote) {
        registry_document_clear(&remote->root);
        reference_free(remote->name);
        if (remote->registry)
                remote->module->close(remote->registry);
        *remote = (Remote) { 0 };
}

int remote_failed(const Remote *remote, Error *err) {
        if (!err || !remote->name || (err->kind != ERROR_INVALID_SPEC && err->kind != ERROR_INVALID_JSON))
                return -1;
        err->kind = ERROR_REGISTRY;
        return error_prefix(err, "registry '%s': '%s'", remote->name->registry, remote->name->repository);
}

static int try_name(Remote *remote, const char *text, Error *err) {
        _cleanup_(reference_freep) Reference *name = NULL;

        if (reference_parse(text, &name, err) < 0 || remote->module->manifest(remote->registry, name, &remote->root, err) < 0)
                return -1;
        remote->name = TAKE(name);
        return 0;
}

int remote_open(const RegistryOptions *options, const char *text, Remote *ret, Error *err) {
        _cleanup_remote_ Remote remote = { .module = registry_module(err) };
        _cleanup_strv_ char **names = NULL;
        Error first = ERROR_INIT;

        if (!remote.module || remote.module->open(options, &remote.registry, err) < 0 ||
            remote.module->names(remote.registry, text, &names, err) < 0)
                return -1;
        for (char **name = names; *name; name++) {
                Error cause = ERROR_INIT;

                if (try_name(&remote, *name, &cause) == 0) {
                        *ret = remote;
                        remote = (Remote) { 0 };
                        return 0;
                }
                /* Of several, one that answered says more than one that could not be reached. */
                if (first.kind == ERROR_NONE || (first.kind != ERROR_IMAGE_NOT_FOUND && cause.kind == ERROR_IMAGE_NOT_FOUND))
                        first = cause;
                if (cause.kind == ERROR_INTERRUPTED || cause.kind == ERROR_OUT_OF_MEMORY) {
                        first = cause;
                        break;
                }
        }
        if (err)
                *err = first;
        return -1;
}
