/* Uploading blobs: mounted from another repository where the registry can, else sent in one piece. */

#include <string.h>

#include "registry/client.h"

/** Where things go: the registry itself, never a mirror */
typedef struct Target {
        Places places;
        const Reference *name;
        Server *server;
        char *scope;
        Http *http;
        Registry *registry;
} Target;

static void target_clear(Target *target) {
        http_give(target->registry, target->http);
        places_clear(&target->places);
        free(target->scope);
}

/* @from: another repository that is to be read, too; NULL: none */
static int target_open(Registry *registry, const Reference *name, const char *from, Target *ret, Error *err) {
        ret->registry = registry;
        if (registries_conf_places(&registry->conf, name, true, &ret->places, err) < 0)
                return -1;
        ret->name = ret->places.items[0].name;
        if (string_format(&ret->scope, err, "repository:%s:pull,push%s%s%s", ret->name->repository, from ? " repository:" : "", from ?: "",
                          from ? ":pull" : "") < 0 ||
            server_find(registry, ret->name->registry, ret->places.items[0].insecure, &ret->server, err) < 0 ||
            server_connect(registry, ret->server, err) < 0)
                return -1;
        return http_take(registry, &ret->http, err);
}

static Call target_call(const Target *target, const char *method, const char *url) {
        return (Call) {
                .registry = target->registry,
                .server = target->server,
                .name = target->name,
                .scope = target->scope,
                .method = method,
                .url = url,
        };
}

int registry_blob_exists(Registry *registry, const Reference *name, const Descriptor *blob, bool *ret, Error *err) {
        _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
        _cleanup_(target_clear) Target target = { .registry = registry };
        _cleanup_free_ char *url = NULL;
        Call call;

        if (target_open(registry, name, NULL, &target, err) < 0 ||
            string_format(&url, err, "/v2/%s/blobs/%s", target.name->repository, blob->digest.text) < 0)
                return -1;
        call = target_call(&target, "HEAD", url);
        call.small = call.follow = true;
        if (call_begin(&call, target.http, &response, err) < 0)
                return error_prefix(err, "registry '%s'", target.server->host);
        if (response.status != 200 && response.status != 404) {
                call_failed(&call, target.http, &response, err);
                return error_prefix(err, "registry '%s': '%s'", target.server->host, target.name->repository);
        }
        *ret = response.status == 200;
        return 0;
}

/* Begins an upload. *ret_location stays NULL when there is nothing to send any more: the blob was mounted. */
static int begin(const Target *target, const Descriptor *blob, const char *from, char **ret_location, Error *err) {
        _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
        _cleanup_buf_ Buf url = BUF_INIT(URL_MAX);
        _cleanup_free_ char *base = NULL;
        Call call;

        if (buf_printf(&url, err, "/v2/%s/blobs/uploads/", target->name->repository) < 0)
                return -1;
        if (from && (buf_printf(&url, err, "?mount=%s&from=", blob->digest.text) < 0 || url_escape(&url, from, err) < 0))
                return -1;
        call = target_call(target, "POST", url.data);
        call.small = true;
        if (call_begin(&call, target->http, &response, err) < 0)
                return -1;
        if (response.status == 201 && from)
                return 0;
        if (response.status != 202)
                return call_failed(&call, target->http, &response, err);
        if (!response.location)
                return error_set(err, ERROR_REGISTRY, "status 202 without a Location");
        if (string_format(&base, err, "%s%s", target->server->base, url.data) < 0)
                return -1;
        return url_resolve(base, response.location, ret_location, err);
}

static int send(const Target *target, const char *location, FileBody *file, bool *ret_transient, Error *err) {
        _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
        char *headers[] = { (char *) "Content-Type: application/octet-stream", NULL };
        _cleanup_free_ char *url = NULL;
        Call call;

        *ret_transient = false;
        if (!strncmp(target->server->base, "https://", 8) && strncmp(location, "https://", 8) && !target->server->insecure)
                return error_set(err, ERROR_REGISTRY, "it speaks HTTPS, but wants the blob sent in plain text");
        if (string_format(&url, err, "%s%sdigest=%s", location, strchr(location, '?') ? "&" : "?", file->blob->digest.text) < 0)
                return -1;
        call = target_call(target, "PUT", url);
        call.headers = headers;
        call.file = file;
        call.once = true; /* a broken upload begins anew, with a location of its own */
        if (call_begin(&call, target->http, &response, err) < 0) {
                *ret_transient = http_failure(target->http) == HTTP_TRANSIENT;
                return -1;
        }
        if (response.status == 201 || response.status == 204)
                return 0;
        *ret_transient = status_is_transient(response.status);
        return call_failed(&call, target->http, &response, err);
}

int registry_blob_push(Registry *registry, const Reference *name, const Descriptor *blob, const RegistryUpload *upload, Error *err) {
        _cleanup_(target_clear) Target target = { .registry = registry };
        _cleanup_close_ int fd = -EBADF;
        FileBody file = { .blob = blob, .upload = upload };

        if (target_open(registry, name, upload->from, &target, err) < 0)
                return -1;
        for (unsigned n = 1;; n++) {
                _cleanup_free_ char *location = NULL;
                Error cause = ERROR_INIT;
                bool transient = false;

                if (begin(&target, blob, upload->from, &location, &cause) == 0) {
                        if (!location)
                                return 0;
                        if (fd < 0 && upload->open(upload->userdata, blob, &fd, err) < 0)
                                return -1;
                        file.fd = fd;
                        if (send(&target, location, &file, &transient, &cause) == 0)
                                return 0;
                }
                if (!transient || n > registry->options.retries) {
                        if (err)
                                *err = cause;
                        return error_prefix(err, "registry '%s': push blob %s", target.server->host, blob->digest.text);
                }
                registry_note(registry, "registry '%s': %s; sending it again (%u of %u)", target.server->host, cause.text, n,
                              registry->options.retries);
                if (registry_pause(registry, n, 0, err) < 0)
                        return -1;
        }
}
