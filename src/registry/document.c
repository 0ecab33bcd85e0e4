/* Small documents beside images: what registries keep of signatures and referrers, and what lookasides on other servers have. */

#include "registry/client.h"

/* One try after another, until all of the body is there. *ret stays NULL for a 404. */
static int get(const Call *call, Http *http, size_t max, char **ret, size_t *ret_len, Error *err) {
        for (unsigned n = 1;; n++) {
                _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
                Error cause = ERROR_INIT;

                if (call_begin(call, http, &response, err) < 0)
                        return -1;
                if (response.status == 404)
                        return 0;
                if (response.status != 200)
                        return call_failed(call, http, &response, err);
                if (http_read_all(http, max, ret, ret_len, &cause) == 0)
                        return 0;
                if (http_failure(http) != HTTP_TRANSIENT || cause.kind != ERROR_REGISTRY ||
                    n > call->registry->options.retries) {
                        if (err)
                                *err = cause;
                        return -1;
                }
                registry_note(call->registry, "%s; trying again (%u of %u)", cause.text, n, call->registry->options.retries);
                if (registry_pause(call->registry, n, 0, err) < 0)
                        return -1;
        }
}

static int get_place(Registry *registry, const Place *place, const char *before, const char *after, size_t max, char **ret, size_t *ret_len,
                     Error *err) {
        _cleanup_free_ char *url = NULL, *scope = NULL;
        Server *server;
        Http *http;
        int r;

        if (string_format(&url, err, "%s%s%s", before, place->name->repository, after) < 0 ||
            string_format(&scope, err, "repository:%s:pull", place->name->repository) < 0 ||
            server_find(registry, place->name->registry, place->insecure, &server, err) < 0 ||
            server_connect(registry, server, err) < 0 || http_take(registry, &http, err) < 0)
                return -1;
        const Call call = {
                .registry = registry,
                .server = server,
                .name = place->name,
                .scope = scope,
                .method = "GET",
                .url = url,
                .small = true,
                .follow = true,
        };
        r = get(&call, http, max, ret, ret_len, err);
        http_give(registry, http);
        return r < 0 ? error_prefix(err, "registry '%s': '%s'", place->name->registry, url) : 0;
}

int registry_api_get(Registry *registry, const Reference *name, const char *before, const char *after, size_t max, char **ret,
                     size_t *ret_len, Error *err) {
        _cleanup_(places_clear) Places places = { 0 };
        char *data = NULL;
        size_t len = 0;

        if (registries_conf_places(&registry->conf, name, false, &places, err) < 0)
                return -1;
        for (size_t i = 0; i < places.n && !data; i++) {
                Error cause = ERROR_INIT;

                if (get_place(registry, &places.items[i], before, after, max, &data, &len, &cause) == 0)
                        continue;
                if (i + 1 == places.n || cause.kind == ERROR_INTERRUPTED || cause.kind == ERROR_OUT_OF_MEMORY) {
                        if (err)
                                *err = cause;
                        return -1;
                }
                registry_note(registry, "mirror: %s; passing on to the next", cause.text);
        }
        *ret = data;
        *ret_len = len;
        return 0;
}

int registry_url_get(Registry *registry, const char *url, size_t max, char **ret, size_t *ret_len, Error *err) {
        _cleanup_free_ char *host = NULL;
        char *data = NULL;
        Server *server;
        size_t len = 0;
        Http *http;
        int r;

        if (url_host(url, &host, err) < 0 || server_find(registry, host, false, &server, err) < 0 || http_take(registry, &http, err) < 0)
                return -1;
        const Call call = { .registry = registry, .server = server, .method = "GET", .url = url, .small = true, .follow = true };
        r = get(&call, http, max, &data, &len, err);
        http_give(registry, http);
        if (r < 0)
                return error_prefix(err, "'%s'", url);
        *ret = data;
        *ret_len = len;
        return 0;
}

int registry_keeps_signatures(Registry *registry, const Reference *name, bool *ret, Error *err) {
        _cleanup_(places_clear) Places places = { 0 };
        const Place *place;
        Server *server;

        if (registries_conf_places(&registry->conf, name, true, &places, err) < 0)
                return -1;
        place = &places.items[places.n - 1];
        if (server_find(registry, place->name->registry, place->insecure, &server, err) < 0 || server_connect(registry, server, err) < 0)
                return -1;
        pthread_mutex_lock(&server->lock);
        *ret = server->keeps_signatures;
        pthread_mutex_unlock(&server->lock);
        return 0;
}
