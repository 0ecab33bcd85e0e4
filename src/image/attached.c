/* Where registries keep what is attached to an image: what refers to it, what cosign's tags name, and what its index says to be of it. */

#include "image/attached.h"

#include <string.h>

#include "base/json.h"
#include "image/remote.h"
#include "trust/signature.h"

#define REFERRERS_MAX 1024 /* signatures are among them; this program's own cap */

typedef struct Search {
        Remote remote;          /* its root is read only when the name still means something */
        const Digest *manifest;
        Attachments found;
} Search;

static void search_clear(Search *search) {
        remote_close(&search->remote);
        attachments_clear(&search->found);
}

/* Buildx keeps what it attests of a manifest beside it, in the same index. */
#define INDEX_TYPE    "vnd.docker.reference.type"
#define INDEX_SUBJECT "vnd.docker.reference.digest"
#define ATTESTATION   "attestation-manifest"

static bool is_known(const Attachments *found, const Digest *manifest) {
        for (size_t i = 0; i < found->n; i++)
                if (digest_equal(&found->items[i].manifest, manifest))
                        return true;
        return false;
}

/* A manifest that need not be; *ret_found says. */
static int get(const Remote *remote, const Reference *name, RegistryDocument *ret, bool *ret_found, Error *err) {
        Error cause = ERROR_INIT;

        *ret_found = remote->module->manifest(remote->registry, name, ret, &cause) == 0;
        if (*ret_found || cause.kind == ERROR_IMAGE_NOT_FOUND)
                return 0;
        if (err)
                *err = cause;
        return -1;
}

static int take(Search *search, const Reference *name, const char *from, const Digest *subject, Error *err) {
        _cleanup_(registry_document_clear) RegistryDocument document = { 0 };
        bool found;

        if (get(&search->remote, name, &document, &found, err) < 0)
                return -1;
        const AttachedPlace place = {
                .from = from,
                .manifest = &document.descriptor.digest,
                .size = document.len,
                .subject = subject,
        };

        return found && !is_known(&search->found, place.manifest) ?
               attached_parse(document.data, document.len, &place, &search->found, err) : 0;
}

static int take_digest(Search *search, const Digest *manifest, const char *from, const Digest *subject, Error *err) {
        Reference name = *search->remote.name;

        name.has_digest = true;
        name.digest = *manifest;
        return is_known(&search->found, manifest) ? 0 : take(search, &name, from, subject, err);
}

static int from_referrers(Search *search, const Digest *subject, Error *err) {
        _cleanup_(referrers_clear) Referrers referrers = { 0 };
        const Remote *remote = &search->remote;

        if (remote->module->referrers(remote->registry, remote->name, subject, NULL, REFERRERS_MAX, &referrers, err) < 0)
                return -1;
        for (size_t i = 0, n = 0; i < referrers.n; i++) {
                if (!strcmp(referrers.items[i].artifact_type, SIGSTORE_ARTIFACT_TYPE))
                        continue;
                if (++n > ATTACHED_MAX)
                        return attached_too_many(err);
                if (take_digest(search, &referrers.items[i].digest, "referrers", subject, err) < 0)
                        return -1;
        }
        return 0;
}

static int from_tags(Search *search, const Digest *subject, Error *err) {
        static const char *const suffixes[] = { ".sbom", ".att" };

        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
                _cleanup_(reference_freep) Reference *tagged = NULL;

                if (reference_beside(search->remote.name, subject, suffixes[i], &tagged, err) < 0 ||
                    take(search, tagged, tagged->tag, subject, err) < 0)
                        return -1;
        }
        return 0;
}

static int from_entry(Search *search, const json_t *entry, JsonPlace place, bool *ret_is_ours, Error *err) {
        const char *digest, *type = "", *subject = "";
        json_t *annotations = NULL;
        Digest manifest;

        if (json_need_root(entry, place, err) < 0 || json_need_string(entry, "digest", place, &digest, err) < 0 ||
            json_opt_object(entry, "annotations", place, &annotations, err) < 0 ||
            (annotations && (json_opt_string(annotations, INDEX_TYPE, place, &type, err) < 0 ||
                             json_opt_string(annotations, INDEX_SUBJECT, place, &subject, err) < 0)))
                return -1;
        if (!strcmp(digest, search->manifest->text))
                *ret_is_ours = true;
        if (strcmp(type, ATTESTATION) != 0 || strcmp(subject, search->manifest->text) != 0)
                return 0;
        return digest_parse(digest, &manifest, err) < 0 ? -1 : take_digest(search, &manifest, "index", search->manifest, err);
}

/* @ret_has: whether the index, which may be a newer one, has the image's manifest at all */
static int from_index(Search *search, bool *ret_has, Error *err) {
        const JsonPlace place = { "the image's index", ERROR_INVALID_SPEC };
        const RegistryDocument *root = &search->remote.root;
        _cleanup_json_ json_t *json = NULL;
        json_t *entries = NULL;

        *ret_has = false;
        if (json_parse(root->data, root->len, place.where, &json, err) < 0 || json_need_root(json, place, err) < 0 ||
            json_opt_array(json, "manifests", place, &entries, err) < 0)
                return -1;
        for (size_t i = 0; i < json_array_size(entries); i++)
                if (from_entry(search, json_array_get(entries, i), place, ret_has, err) < 0)
                        return -1;
        return 0;
}

static int search_all(Search *search, Error *err) {
        Remote *remote = &search->remote;
        bool found, has = false;

        if (get(remote, remote->name, &remote->root, &found, err) < 0 || from_referrers(search, search->manifest, err) < 0 ||
            from_tags(search, search->manifest, err) < 0)
                return -1;
        if (found && !digest_equal(&remote->root.descriptor.digest, search->manifest) && from_index(search, &has, err) < 0)
                return -1;
        return has && (from_referrers(search, &remote->root.descriptor.digest, err) < 0 ||
                       from_tags(search, &remote->root.descriptor.digest, err) < 0) ? -1 : 0;
}

static int open_remote(const AttachedRequest *request, Remote *ret, Error *err) {
        _cleanup_remote_ Remote remote = { .module = registry_module(err) };

        if (!remote.module || remote.module->open(request->registry, &remote.registry, err) < 0 ||
            reference_parse(request->name, &remote.name, err) < 0)
                return -1;
        *ret = remote;
        remote = (Remote) { 0 };
        return 0;
}

int image_attached(const AttachedRequest *request, Attachments *ret, Error *err) {
        _cleanup_(search_clear) Search search = { .manifest = request->manifest };

        if (open_remote(request, &search.remote, err) < 0)
                return -1;
        if (search_all(&search, err) < 0)
                return remote_failed(&search.remote, err);
        *ret = search.found;
        search.found = (Attachments) { 0 };
        return 0;
}

int image_attached_read(const AttachedRequest *request, const Attachment *attachment, char **ret, size_t *ret_len, Error *err) {
        const Descriptor blob = { .digest = attachment->digest, .size = attachment->size };
        _cleanup_(registry_document_clear) RegistryDocument document = { 0 };
        _cleanup_remote_ Remote remote = { 0 };

        if (open_remote(request, &remote, err) < 0)
                return -1;
        if (!digest_equal(&attachment->digest, &attachment->manifest))
                return remote.module->blob_get(remote.registry, remote.name, &blob, ATTACHED_SIZE_MAX, ret, ret_len, err);
        remote.name->has_digest = true;
        remote.name->digest = attachment->digest;
        if (remote.module->manifest(remote.registry, remote.name, &document, err) < 0)
                return -1;
        *ret_len = document.len;
        *ret = TAKE(document.data);
        return 0;
}
