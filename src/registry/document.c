/* Small documents beside images: what registries keep of signatures, and what lookasides on other servers have. */

#include <string.h>

#include "registry/client.h"

int place_call_open(Registry *registry, const Place *place, const char *before, const char *after, PlaceCall *ret, Error *err) {
        _cleanup_free_ char *url = NULL, *scope = NULL;
        Server *server;
        Http *http;

        if (string_format(&url, err, "%s%s%s", before, place->name->repository, after) < 0 ||
            string_format(&scope, err, "repository:%s:pull", place->name->repository) < 0 ||
            server_find(registry, place->name->registry, place->insecure, &server, err) < 0 ||
            server_connect(registry, server, err) < 0 || http_take(registry, &http, err) < 0)
                return -1;
        *ret = (PlaceCall) { .http = http, .url = TAKE(url), .scope = TAKE(scope) };
        ret->call = (Call) {
                .registry = registry,
                .server = server,
                .name = place->name,
                .scope = ret->scope,
                .method = "GET",
                .url = ret->url,
                .small = true,
                .follow = true,
        };
        return 0;
}

int place_call_close(PlaceCall *place_call, int r, Error *err) {
        const Call *call = &place_call->call;

        http_give(call->registry, place_call->http);
        if (r < 0)
                error_prefix(err, "registry '%s': '%.*s'", call->name->registry, (int) strcspn(place_call->url, "?"), place_call->url);
        free(place_call->url);
        free(place_call->scope);
        return r;
}

int places_try(Registry *registry, const Reference *name, PlaceTry *try, void *userdata, bool *ret_found, Error *err) {
        _cleanup_(places_clear) Places places = { 0 };
        bool found = false;

        if (registries_conf_places(&registry->conf, name, false, &places, err) < 0)
                return -1;
        for (size_t i = 0; i < places.n && !found; i++) {
                Error cause = ERROR_INIT;

                if (try(registry, &places.items[i], userdata, &found, &cause) == 0)
                        continue;
                if (i + 1 == places.n || cause.kind == ERROR_INTERRUPTED || cause.kind == ERROR_OUT_OF_MEMORY) {
                        if (err)
                                *err = cause;
                        return -1;
                }
                registry_note(registry, "mirror: %s; passing on to the next", cause.text);
        }
        *ret_found = found;
        return 0;
}

int document_get(const Call *call, Http *http, size_t max, char **ret, size_t *ret_len, char **ret_next, Error *err) {
        for (unsigned n = 1;; n++) {
                _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
                _cleanup_free_ char *data = NULL;
                Error cause = ERROR_INIT;

                if (call_begin(call, http, &response, err) < 0)
                        return -1;
                if (response.status == 404)
                        return 0;
                if (response.status != 200)
                        return call_failed(call, http, &response, err);
                if (http_read_all(http, max, &data, ret_len, &cause) == 0) {
                        if (ret_next && link_next_parse(response.links, ret_next, err) < 0)
                                return -1;
                        *ret = TAKE(data);
                        return 0;
                }
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

typedef struct Api {
        const char *before, *after;
        size_t max;
        char *data;
        size_t len;
} Api;

static int get_place(Registry *registry, const Place *place, void *userdata, bool *ret_found, Error *err) {
        Api *api = userdata;
        PlaceCall place_call;
        int r;

        if (place_call_open(registry, place, api->before, api->after, &place_call, err) < 0)
                return -1;
        r = document_get(&place_call.call, place_call.http, api->max, &api->data, &api->len, NULL, err);
        *ret_found = api->data != NULL;
        return place_call_close(&place_call, r, err);
}

int registry_api_get(Registry *registry, const Reference *name, const char *before, const char *after, size_t max, char **ret,
                     size_t *ret_len, Error *err) {
        Api api = { .before = before, .after = after, .max = max };
        bool found;

        if (places_try(registry, name, get_place, &api, &found, err) < 0)
                return -1;
        *ret = api.data;
        *ret_len = api.len;
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
        r = document_get(&call, http, max, &data, &len, NULL, err);
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
