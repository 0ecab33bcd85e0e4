/* Manifests and indexes: fetched, checked against every digest that is known of them, and pushed. */

#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "registry/client.h"

/* What registries may answer with; schema 1 is not asked for, and refused by name when it comes all the same. */
#define ACCEPT                                                   \
        "Accept: application/vnd.oci.image.index.v1+json, "      \
        "application/vnd.oci.image.manifest.v1+json, "           \
        "application/vnd.docker.distribution.manifest.list.v2+json, " \
        "application/vnd.docker.distribution.manifest.v2+json"

/* The type by the answer's header; by the document's own word where that says nothing. */
static void find_type(const char *content_type, const char *data, size_t len, Descriptor *ret) {
        _cleanup_free_ char *text = content_type ? strndup(content_type, strcspn(content_type, "; \t")) : NULL;
        _cleanup_json_ json_t *json = NULL;
        const char *own;

        ret->type = media_type_parse(text);
        ret->docker = media_type_is_docker(text);
        if (ret->type != MEDIA_UNKNOWN)
                return;
        json = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);
        own = json_string_value(json_object_get(json, "mediaType"));
        ret->type = media_type_parse(own);
        ret->docker = media_type_is_docker(own);
        if (ret->type == MEDIA_UNKNOWN)
                ret->type = json_object_get(json, "manifests") ? MEDIA_INDEX : MEDIA_MANIFEST;
}

static int check_digest(const Digest *digest, const char *promised, const char *who, Error *err) {
        Digest wanted;

        /* Other algorithms are as good, but can't be compared. */
        if (!promised || digest_parse(promised, &wanted, NULL) < 0 || digest_equal(digest, &wanted))
                return 0;
        return error_set(err, ERROR_DIGEST_MISMATCH, "the manifest has the digest %s, not %s as %s", digest->text, wanted.text, who);
}

static int take_document(Http *http, const HttpResponse *response, const Reference *name, RegistryDocument *ret, Error *err) {
        _cleanup_(registry_document_clear) RegistryDocument document = { 0 };
        char hex[SHA256_HEX_MAX];

        if (response->length > (int64_t) MANIFEST_SIZE_MAX) {
                error_set(err, ERROR_REGISTRY, "a manifest of %lld bytes, at most %u are accepted", (long long) response->length,
                          MANIFEST_SIZE_MAX);
                if (err)
                        err->errnum = EFBIG;
                return -1;
        }
        if (http_read_all(http, MANIFEST_SIZE_MAX, &document.data, &document.len, err) < 0)
                return -1;
        if (sha256_data(document.data, document.len, hex, err) < 0)
                return -1;
        digest_from_hex(hex, &document.descriptor.digest);
        document.descriptor.size = document.len;
        find_type(response->content_type, document.data, document.len, &document.descriptor);
        if ((name->has_digest && check_digest(&document.descriptor.digest, name->digest.text, "was asked for", err) < 0) ||
            check_digest(&document.descriptor.digest, response->digest, "the registry says", err) < 0)
                return -1;
        *ret = document;
        document = (RegistryDocument) { 0 };
        return 0;
}

static int fetch_from(Registry *registry, Server *server, const Reference *name, Http *http, RegistryDocument *ret, Error *err) {
        _cleanup_free_ char *url = NULL, *scope = NULL;
        char *headers[] = { (char *) ACCEPT, NULL };

        if (string_format(&url, err, "/v2/%s/manifests/%s", name->repository, name->has_digest ? name->digest.text : name->tag) < 0 ||
            string_format(&scope, err, "repository:%s:pull", name->repository) < 0)
                return -1;
        const Call call = {
                .registry = registry,
                .server = server,
                .name = name,
                .scope = scope,
                .method = "GET",
                .url = url,
                .headers = headers,
                .small = true,
                .follow = true,
                .names_image = true,
        };
        /* The body may break off as well: then all of it is asked for again. */
        for (unsigned n = 1;; n++) {
                _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
                Error cause = ERROR_INIT;

                if (call_begin(&call, http, &response, err) < 0)
                        return -1;
                if (response.status != 200)
                        return call_failed(&call, http, &response, err);
                if (take_document(http, &response, name, ret, &cause) == 0)
                        return 0;
                if (http_failure(http) != HTTP_TRANSIENT || cause.kind != ERROR_REGISTRY ||
                    n > registry->options.retries) {
                        if (err)
                                *err = cause;
                        return -1;
                }
                registry_note(registry, "registry '%s': %s; trying again (%u of %u)", server->host, cause.text, n,
                              registry->options.retries);
                if (registry_pause(registry, n, 0, err) < 0)
                        return -1;
        }
}

static int fetch_place(Registry *registry, const Place *place, void *userdata, bool *ret_found, Error *err) {
        RegistryDocument *ret = userdata;
        Server *server;
        Http *http;
        int r;

        if (server_find(registry, place->name->registry, place->insecure, &server, err) < 0 || server_connect(registry, server, err) < 0 ||
            http_take(registry, &http, err) < 0)
                return -1;
        r = fetch_from(registry, server, place->name, http, ret, err);
        http_give(registry, http);
        *ret_found = r == 0;
        return r < 0 ? error_prefix(err, "registry '%s': '%s'", place->name->registry, place->name->repository) : 0;
}

int registry_manifest(Registry *registry, const Reference *name, RegistryDocument *ret, Error *err) {
        bool found;

        return places_try(registry, name, fetch_place, ret, &found, err);
}

int registry_manifest_push(Registry *registry, const Reference *name, const Descriptor *descriptor, const char *data, size_t len,
                           Error *err) {
        _cleanup_(places_clear) Places places = { 0 };
        _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
        _cleanup_free_ char *url = NULL, *scope = NULL, *type = NULL;
        char *headers[] = { NULL, NULL };
        const Reference *there;
        Server *server;
        Http *http;
        int r;

        if (registries_conf_places(&registry->conf, name, true, &places, err) < 0)
                return -1;
        there = places.items[0].name;
        if (string_format(&url, err, "/v2/%s/manifests/%s", there->repository, there->tag ?: descriptor->digest.text) < 0 ||
            string_format(&scope, err, "repository:%s:pull,push", there->repository) < 0 ||
            string_format(&type, err, "Content-Type: %s", descriptor_media_type(descriptor)) < 0 ||
            server_find(registry, there->registry, places.items[0].insecure, &server, err) < 0 ||
            server_connect(registry, server, err) < 0 || http_take(registry, &http, err) < 0)
                return -1;
        headers[0] = type;
        const Call call = {
                .registry = registry,
                .server = server,
                .name = there,
                .scope = scope,
                .method = "PUT",
                .url = url,
                .headers = headers,
                .data = data,
                .len = len,
                .small = true,
        };
        r = call_begin(&call, http, &response, err);
        if (r == 0 && response.status != 201 && response.status != 200 && response.status != 202)
                r = call_failed(&call, http, &response, err);
        if (r == 0)
                r = check_digest(&descriptor->digest, response.digest, "the registry says of what was pushed", err);
        http_give(registry, http);
        return r < 0 ? error_prefix(err, "registry '%s': push manifest %s of '%s'", there->registry, descriptor->digest.text,
                                    there->repository) : 0;
}
