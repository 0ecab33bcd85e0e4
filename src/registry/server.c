/* A registry's host: which scheme it speaks, and the tokens it was given. */

#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "registry/client.h"

#define HUB      "docker.io"
#define HUB_HOST "registry-1.docker.io" /* where Docker Hub's registry is */

#define TOKEN_LIFE  60 /* seconds a token is good for when its server does not say; distribution's "token authentication" */
#define TOKEN_SPARE 10 /* seconds before its end that it is not used any more */

static void token_clear(Token *token) {
        free(token->scope);
        if (token->text)
                explicit_bzero(token->text, strlen(token->text));
        free(token->text);
}

void server_free(Server *server) {
        for (size_t i = 0; i < server->n_tokens; i++)
                token_clear(&server->tokens[i]);
        free(server->tokens);
        for (size_t i = 0; i < server->n_identities; i++) {
                free(server->identities[i].repository);
                credentials_clear(&server->identities[i].credentials);
        }
        free(server->identities);
        challenge_clear(&server->challenge);
        certs_clear(&server->certs);
        pthread_mutex_destroy(&server->lock);
        free(server->host);
        free(server->base);
        free(server);
}

static int server_new(Registry *registry, const char *host, bool insecure, Server **ret, Error *err) {
        Server *server = calloc(1, sizeof(*server));

        if (!server)
                return error_oom(err);
        server->certs = CERTS_INIT;
        server->insecure = registry->options.tls_verify == TLS_VERIFY_CONFIGURED ? insecure : registry->options.tls_verify == TLS_VERIFY_NO;
        pthread_mutex_init(&server->lock, NULL);
        if (string_copy(host, &server->host, err) < 0 || certs_load(registry->options.cert_dir, host, &server->certs, err) < 0) {
                server_free(server);
                return -1;
        }
        *ret = server;
        return 0;
}

static int server_find_locked(Registry *registry, const char *host, bool insecure, Server **ret, Error *err) {
        Server **grown;

        for (size_t i = 0; i < registry->n_servers; i++)
                if (!strcmp(registry->servers[i]->host, host)) {
                        *ret = registry->servers[i];
                        return 0;
                }
        grown = reallocarray(registry->servers, registry->n_servers + 1, sizeof(Server *));
        if (!grown)
                return error_oom(err);
        registry->servers = grown;
        if (server_new(registry, host, insecure, &registry->servers[registry->n_servers], err) < 0)
                return -1;
        *ret = registry->servers[registry->n_servers++];
        return 0;
}

int server_find(Registry *registry, const char *host, bool insecure, Server **ret, Error *err) {
        int r;

        pthread_mutex_lock(&registry->lock);
        r = server_find_locked(registry, host, insecure, ret, err);
        pthread_mutex_unlock(&registry->lock);
        return r;
}

/* Asks for /v2/ by one scheme. */
static int ping(Registry *registry, Server *server, Http *http, const char *scheme, Error *err) {
        const char *host = !strcmp(server->host, HUB) ? HUB_HOST : server->host;
        _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
        _cleanup_free_ char *url = NULL;
        int r;

        if (string_format(&server->base, err, "%s://%s", scheme, host) < 0 || string_format(&url, err, "%s/v2/", server->base) < 0)
                return -1;
        const Call call = { .registry = registry, .server = server, .method = "GET", .url = url, .small = true, .follow = true };
        r = call_begin(&call, http, &response, err);
        if (r == 0 && response.status != 200 && response.status != 401)
                r = call_failed(&call, http, &response, err);
        if (r == 0)
                r = challenge_parse(response.status == 401 ? response.challenges : NULL, &server->challenge, err);
        if (r == 0 && response.status == 401 && server->challenge.scheme == AUTH_NONE)
                r = error_set(err, ERROR_NOT_SUPPORTED, "it asks for credentials in a way that is not supported (%.100s)",
                              response.challenges ? response.challenges[0] : "without saying which");
        server->keeps_signatures = r == 0 && response.keeps_signatures;
        if (r < 0) {
                free(server->base);
                server->base = NULL;
        }
        return r;
}

static int connect_locked(Registry *registry, Server *server, Error *err) {
        Error first = ERROR_INIT, second = ERROR_INIT;
        Http *http;
        int r;

        if (server->base)
                return 0;
        if (http_take(registry, &http, err) < 0)
                return -1;
        r = ping(registry, server, http, "https", &first);
        if (r < 0 && server->insecure && (http_failure(http) == HTTP_NO_TLS || http_failure(http) == HTTP_UNREACHABLE)) {
                r = ping(registry, server, http, "http", &second);
                /* When neither is spoken, the first failure says more. */
                if (r < 0 && http_failure(http) != HTTP_UNREACHABLE)
                        first = second;
        }
        if (r < 0 && !server->insecure && http_failure(http) == HTTP_NO_TLS)
                error_hint(&first, "if it speaks plain HTTP: --tls-verify=false, or insecure = true in registries.conf");
        http_give(registry, http);
        if (r == 0)
                return 0;
        if (err)
                *err = first;
        return error_prefix(err, "registry '%s'", server->host);
}

int server_connect(Registry *registry, Server *server, Error *err) {
        int r;

        pthread_mutex_lock(&server->lock);
        r = connect_locked(registry, server, err);
        pthread_mutex_unlock(&server->lock);
        return r;
}

/* Who we are to a repository; borrowed from the server's list. */
static int identify(Registry *registry, Server *server, const Reference *name, const Credentials **ret, Error *err) {
        const char *repository = name ? name->repository : "";
        Identity *grown;

        if (credentials_are_set(&registry->given)) {
                *ret = &registry->given;
                return 0;
        }
        for (size_t i = 0; i < server->n_identities; i++)
                if (!strcmp(server->identities[i].repository, repository)) {
                        *ret = &server->identities[i].credentials;
                        return 0;
                }
        grown = reallocarray(server->identities, server->n_identities + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        server->identities = grown;
        grown = &server->identities[server->n_identities];
        *grown = (Identity) { 0 };
        if (string_copy(repository, &grown->repository, err) < 0)
                return -1;
        if (name && credentials_find(registry->options.authfile, registry->conf.helpers, name, &grown->credentials, err) < 0) {
                free(grown->repository);
                return -1;
        }
        server->n_identities++;
        *ret = &grown->credentials;
        return 0;
}

static int basic_header(const Credentials *credentials, char **ret, Error *err) {
        _cleanup_buf_ Buf plain = BUF_INIT(2 * SECRET_MAX + 1), encoded = BUF_INIT(4 * SECRET_MAX);
        int r;

        if (buf_printf(&plain, err, "%s:%s", credentials->user, credentials->password ?: "") < 0)
                return -1;
        r = base64_encode(&encoded, plain.data, plain.len, err);
        explicit_bzero(plain.data, plain.len);
        if (r == 0)
                r = string_format(ret, err, "Authorization: Basic %s", encoded.data);
        if (encoded.data)
                explicit_bzero(encoded.data, encoded.len);
        return r;
}

/* Appends NAME=VALUE to a query or form. */
static int add_field(Buf *buf, const char *name, const char *value, Error *err) {
        if (!value || !value[0])
                return 0;
        return buf_printf(buf, err, "%s%s=", buf->len > 0 ? "&" : "", name) < 0 ? -1 : url_escape(buf, value, err);
}

/* Each scope is a field of its own. */
static int add_scopes(Buf *buf, const char *scope, Error *err) {
        for (const char *p = scope; p && *p;) {
                const size_t n = strcspn(p, " ");
                _cleanup_free_ char *one = strndup(p, n);

                if (!one)
                        return error_oom(err);
                if (add_field(buf, "scope", one, err) < 0)
                        return -1;
                p += n + strspn(p + n, " ");
        }
        return 0;
}

static int parse_token(const char *text, size_t len, Token *ret, Error *err) {
        const JsonPlace place = { "its answer", ERROR_REGISTRY };
        _cleanup_json_ json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        const char *token = NULL, *access = NULL;
        int64_t life = TOKEN_LIFE;

        if (!json)
                return error_set(err, ERROR_REGISTRY, "its answer is not JSON");
        if (json_need_root(json, place, err) < 0 || json_opt_string(json, "token", place, &token, err) < 0 ||
            json_opt_string(json, "access_token", place, &access, err) < 0 ||
            json_opt_integer(json, "expires_in", place, INT32_MIN, INT32_MAX, &life, err) < 0)
                return -1;
        if (!token || !token[0])
                token = access;
        if (!token || !token[0] || strlen(token) > SECRET_MAX || !header_is_clean(token))
                return error_set(err, ERROR_REGISTRY, "its answer has no token that can be used");
        ret->expires = monotonic_seconds() + (life < TOKEN_LIFE ? TOKEN_LIFE : life) - TOKEN_SPARE;
        return string_copy(token, &ret->text, err);
}

/* Asks the token server. With an identity token by POST, as OAuth2 has it; else by GET. */
static int request_token(Registry *registry, Server *server, const Credentials *credentials, const Challenge *challenge, const char *scope,
                         Http *http, Token *ret, Error *err) {
        _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
        _cleanup_buf_ Buf fields = BUF_INIT(URL_MAX + 2 * SECRET_MAX);
        _cleanup_free_ char *basic = NULL, *url = NULL, *text = NULL, *realm = NULL;
        const bool refresh = credentials->identity_token != NULL;
        char *headers[3] = { NULL };
        size_t len;
        int r;

        if (url_resolve(server->base, challenge->realm, &realm, err) < 0)
                return -1;
        if (!strncmp(realm, "http://", 7) && !strncmp(server->base, "https://", 8) && !server->insecure)
                return error_set(err, ERROR_REGISTRY, "it speaks HTTPS, but wants credentials sent in plain text to '%.200s'", realm);
        if (add_field(&fields, "service", challenge->service, err) < 0 || add_scopes(&fields, scope, err) < 0)
                return -1;
        if (refresh) {
                if (add_field(&fields, "grant_type", "refresh_token", err) < 0 ||
                    add_field(&fields, "refresh_token", credentials->identity_token, err) < 0 ||
                    add_field(&fields, "client_id", "proxmox-lxcri", err) < 0)
                        return -1;
                headers[0] = (char *) "Content-Type: application/x-www-form-urlencoded";
        } else if (credentials->user) {
                if (add_field(&fields, "account", credentials->user, err) < 0 || basic_header(credentials, &basic, err) < 0)
                        return -1;
                headers[0] = basic;
        }
        if (string_format(&url, err, "%s%s%s", realm, refresh || fields.len == 0 ? "" : strchr(realm, '?') ? "&" : "?",
                          refresh ? "" : fields.data ?: "") < 0)
                return -1;

        const Call call = {
                .registry = registry,
                .server = server,
                .method = refresh ? "POST" : "GET",
                .url = url,
                .headers = headers,
                .data = refresh ? fields.data : NULL,
                .len = refresh ? fields.len : 0,
                .small = true,
        };
        r = call_begin(&call, http, &response, err);
        if (basic)
                explicit_bzero(basic, strlen(basic));
        if (r == 0 && (response.status == 401 || response.status == 403) && credentials_are_set(credentials))
                r = error_set(err, ERROR_REGISTRY, "it does not take these credentials");
        else if (r == 0 && response.status != 200)
                r = call_failed(&call, http, &response, err);
        if (r == 0)
                r = http_read_all(http, TOKEN_BODY_MAX, &text, &len, err);
        if (r == 0) {
                r = parse_token(text, len, ret, err);
                explicit_bzero(text, len);
        }
        return r < 0 ? error_prefix(err, "token server '%.*s'", (int) strcspn(realm, "?"), realm) : 0;
}

/* The place of a scope's token in the list. */
static int token_slot(Server *server, const char *scope, Token **ret, Error *err) {
        Token *grown;

        for (size_t i = 0; i < server->n_tokens; i++)
                if (!strcmp(server->tokens[i].scope, scope)) {
                        *ret = &server->tokens[i];
                        return 0;
                }
        grown = reallocarray(server->tokens, server->n_tokens + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        server->tokens = grown;
        grown = &server->tokens[server->n_tokens];
        *grown = (Token) { 0 };
        if (string_copy(scope, &grown->scope, err) < 0)
                return -1;
        server->n_tokens++;
        *ret = grown;
        return 0;
}

static int bearer_header(Registry *registry, Server *server, const Credentials *credentials, const Challenge *challenge, const char *scope,
                         char **ret, Error *err) {
        const bool refused = challenge != &server->challenge;
        Token fresh = { 0 }, *token;
        Http *http;
        int r;

        if (token_slot(server, scope, &token, err) < 0)
                return -1;
        if (!token->text || refused || monotonic_seconds() >= token->expires) {
                if (http_take(registry, &http, err) < 0)
                        return -1;
                r = request_token(registry, server, credentials, challenge, refused && challenge->scope ? challenge->scope : scope, http,
                                  &fresh, err);
                http_give(registry, http);
                if (r < 0)
                        return -1;
                if (token->text)
                        explicit_bzero(token->text, strlen(token->text));
                free(token->text);
                token->text = fresh.text;
                token->expires = fresh.expires;
        }
        return string_format(ret, err, "Authorization: Bearer %s", token->text);
}

static int authorize_locked(Registry *registry, Server *server, const Reference *name, const char *scope, const Challenge *challenge,
                            char **ret, Error *err) {
        const Challenge *asked = challenge ?: &server->challenge;
        const Credentials *credentials;

        *ret = NULL;
        if (asked->scheme == AUTH_NONE)
                return 0;
        if (identify(registry, server, name, &credentials, err) < 0)
                return -1;
        if (asked->scheme == AUTH_BEARER)
                return bearer_header(registry, server, credentials, asked, scope, ret, err);
        return credentials->user ? basic_header(credentials, ret, err) : 0;
}

int server_authorize(Registry *registry, Server *server, const Reference *name, const char *scope, const Challenge *challenge, char **ret,
                     Error *err) {
        int r;

        pthread_mutex_lock(&server->lock);
        r = authorize_locked(registry, server, name, scope, challenge, ret, err);
        pthread_mutex_unlock(&server->lock);
        return r < 0 ? error_prefix(err, "registry '%s'", server->host) : 0;
}
