/* Credentials that a person gives: tried before they are kept. */

#include <string.h>

#include "registry/client.h"

/* "https://index.docker.io/v1/" and the like are what Docker calls its hub. */
static int check_name(const char *registry, Reference *ret, Error *err) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        _cleanup_free_ char *text = NULL;

        if (strchr(registry, '/') || !registry[0])
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is not the name of a registry, HOST[:PORT]", registry);
        if (string_format(&text, err, "%s/x", registry) < 0)
                return -1;
        if (reference_parse(text, &reference, NULL) < 0 || reference_is_short(text))
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is not the name of a registry, HOST[:PORT]", registry);
        ret->registry = TAKE(reference->registry);
        return 0;
}

static void name_clear(Reference *name) {
        free(name->registry);
}

static int verify(Registry *registry, Server *server, Error *err) {
        _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
        Http *http;
        int r;

        if (server->challenge.scheme == AUTH_NONE)
                return error_set(err, ERROR_REGISTRY, "it asks for no credentials");
        if (http_take(registry, &http, err) < 0)
                return -1;
        const Call call = {
                .registry = registry,
                .server = server,
                .scope = "",
                .method = "GET",
                .url = "/v2/",
                .small = true,
                .follow = true,
        };
        r = call_begin(&call, http, &response, err);
        if (r == 0 && response.status == 401)
                r = error_set(err, ERROR_REGISTRY, "it does not take these credentials");
        else if (r == 0 && response.status != 200)
                r = call_failed(&call, http, &response, err);
        http_give(registry, http);
        return r;
}

int registry_login(Registry *registry, const RegistryLogin *login, char **ret_file, Error *err) {
        _cleanup_(name_clear) Reference name = { 0 };
        Server *server;
        int r;

        if (!login->user || !login->user[0] || strlen(login->user) > SECRET_MAX || strlen(login->password) > SECRET_MAX)
                return error_set(err, ERROR_INVALID_ARGUMENT, "a user name and a password are needed, of at most %u bytes", SECRET_MAX);
        if (strchr(login->user, ':'))
                return error_set(err, ERROR_INVALID_ARGUMENT, "a user name has no ':'");
        if (check_name(login->registry, &name, err) < 0)
                return -1;
        credentials_clear(&registry->given);
        if (string_copy(login->user, &registry->given.user, err) < 0 || string_copy(login->password, &registry->given.password, err) < 0)
                return -1;
        r = server_find(registry, name.registry, false, &server, err);
        if (r == 0)
                r = server_connect(registry, server, err);
        if (r < 0)
                return -1;
        if (verify(registry, server, err) < 0)
                return error_prefix(err, "registry '%s'", name.registry);
        return credentials_save(registry->options.authfile, name.registry, &registry->given, ret_file, err);
}

int registry_logout(Registry *registry, const RegistryLogin *login, char **ret_file, Error *err) {
        _cleanup_(name_clear) Reference name = { 0 };

        if (check_name(login->registry, &name, err) < 0)
                return -1;
        return credentials_forget(registry->options.authfile, name.registry, ret_file, err);
}
