/* One request to a registry, until it has an answer: authentication, redirects, retries. */

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "registry/client.h"

#define SMALL_DEADLINE 2 /* times the timeout, for answers that are small */

/* One chain of redirects. */
typedef struct Chain {
        const Call *call;
        Http *http;
        char *url;
        char *authorization; /* for the server's own origin alone; NULL: none */
        bool asked;          /* it has been answered once already */
        size_t sent;         /* of call->data */
} Chain;

static void chain_clear(Chain *chain) {
        free(chain->url);
        if (chain->authorization)
                explicit_bzero(chain->authorization, strlen(chain->authorization));
        free(chain->authorization);
}

static int read_file(void *userdata, void *data, size_t size, size_t *ret, Error *err) {
        FileBody *file = userdata;
        ssize_t n;

        do
                n = pread(file->fd, data, file->blob->size - file->offset < size ? (size_t) (file->blob->size - file->offset) : size,
                          (off_t) file->offset);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read a blob");
        if (n == 0 && file->offset < file->blob->size)
                return error_set(err, ERROR_DIGEST_MISMATCH, "a blob ends after %llu of %llu bytes", (unsigned long long) file->offset,
                                 (unsigned long long) file->blob->size);
        file->offset += (uint64_t) n;
        if (file->upload->report)
                file->upload->report(file->upload->userdata, file->blob, file->offset);
        *ret = (size_t) n;
        return 0;
}

static int read_data(void *userdata, void *data, size_t size, size_t *ret, Error *err) {
        Chain *chain = userdata;
        const size_t left = chain->call->len - chain->sent;

        *ret = left < size ? left : size;
        memcpy(data, chain->call->data + chain->sent, *ret);
        chain->sent += *ret;
        return 0;
}

/* Certificates for a host that a redirect led to: its own, never the registry's client certificate. */
static int foreign_certs(const Call *call, const char *url, Certs *scratch, const Certs **ret, Error *err) {
        _cleanup_free_ char *host = NULL;
        Server *other;

        if (call->registry->options.cert_dir) {
                *scratch = CERTS_INIT;
                *ret = scratch;
                return call->server->certs.authorities.len == 0 ? 0 :
                       buf_append(&scratch->authorities, call->server->certs.authorities.data, call->server->certs.authorities.len, err);
        }
        if (url_host(url, &host, err) < 0 || server_find(call->registry, host, call->server->insecure, &other, err) < 0)
                return -1;
        *ret = &other->certs;
        return 0;
}

static int send_one(Chain *chain, HttpResponse *ret, Error *err) {
        const Call *call = chain->call;
        const bool own = call->server->base && url_same_origin(chain->url, call->server->base);
        _cleanup_(certs_clear) Certs scratch = CERTS_INIT;
        const ByteSource file = { read_file, call->file }, data = { read_data, chain };
        const Certs *certs = &call->server->certs;
        _cleanup_free_ char **headers = NULL;
        size_t n = strv_length(call->headers);

        if (!own && foreign_certs(call, chain->url, &scratch, &certs, err) < 0)
                return -1;
        headers = calloc(n + 2, sizeof(*headers));
        if (!headers)
                return error_oom(err);
        if (n > 0)
                memcpy(headers, call->headers, n * sizeof(*headers));
        if (own && chain->authorization)
                headers[n] = chain->authorization;
        chain->sent = 0;
        if (call->file)
                call->file->offset = 0;

        const HttpRequest request = {
                .method = call->method,
                .url = chain->url,
                .headers = headers,
                .verify = !call->server->insecure,
                .certs = certs,
                .body = call->file ? &file : call->data ? &data : NULL,
                .body_len = call->file ? call->file->blob->size : call->len,
                .deadline = call->small ? call->registry->options.timeout * SMALL_DEADLINE : 0,
        };
        return http_begin(chain->http, &request, ret, err);
}

/* Takes the next hop; refuses what would go from TLS to plain text. */
static int redirect(Chain *chain, const HttpResponse *response, Error *err) {
        char *next;

        if (!response->location)
                return error_set(err, ERROR_REGISTRY, "status %d without a Location", response->status);
        if (url_resolve(chain->url, response->location, &next, err) < 0)
                return error_prefix(err, "a redirect");
        if (!strncmp(chain->url, "https://", 8) && strncmp(next, "https://", 8) && !chain->call->server->insecure) {
                error_set(err, ERROR_REGISTRY, "a redirect from HTTPS to '%.*s'", (int) strcspn(next, "?"), next);
                free(next);
                return -1;
        }
        free(chain->url);
        chain->url = next;
        return 0;
}

/* Answers a 401 once. *ret_again: whether to send the request again. */
static int answer(Chain *chain, const HttpResponse *response, bool *ret_again, Error *err) {
        _cleanup_(challenge_clear) Challenge challenge = { 0 };
        const Call *call = chain->call;
        char *authorization;

        *ret_again = false;
        if (chain->asked || !call->scope || !url_same_origin(chain->url, call->server->base))
                return 0;
        if (challenge_parse(response->challenges, &challenge, err) < 0)
                return -1;
        if (server_authorize(call->registry, call->server, call->name, call->scope, &challenge, &authorization, err) < 0)
                return -1;
        chain->asked = true;
        *ret_again = authorization != NULL;
        free(chain->authorization);
        chain->authorization = authorization;
        return 0;
}

static int absolute_url(const Call *call, char **ret, Error *err) {
        return call->url[0] == '/' ? string_format(ret, err, "%s%s", call->server->base, call->url) : string_copy(call->url, ret, err);
}

/* One try. */
static int try_call(const Call *call, Http *http, HttpResponse *ret, Error *err) {
        _cleanup_(chain_clear) Chain chain = { .call = call, .http = http };
        unsigned hops = 0;

        if (call->scope && server_authorize(call->registry, call->server, call->name, call->scope, NULL, &chain.authorization, err) < 0)
                return -1;
        if (absolute_url(call, &chain.url, err) < 0)
                return -1;
        for (;;) {
                _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
                bool again = false;

                if (send_one(&chain, &response, err) < 0)
                        return -1;
                if (response.status == 401 && answer(&chain, &response, &again, err) < 0)
                        return -1;
                if (again)
                        continue;
                if (!call->follow || (response.status != 301 && response.status != 302 && response.status != 303 &&
                                      response.status != 307 && response.status != 308)) {
                        *ret = response;
                        response = (HttpResponse) { .length = -1 };
                        return 0;
                }
                if (++hops > REDIRECTS_MAX)
                        return error_set(err, ERROR_REGISTRY, "more than %d redirects", REDIRECTS_MAX);
                if (redirect(&chain, &response, err) < 0)
                        return -1;
        }
}

int call_begin(const Call *call, Http *http, HttpResponse *ret, Error *err) {
        for (unsigned n = 1;; n++) {
                _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
                Error cause = ERROR_INIT;
                uint64_t wait = 0;
                int r;

                r = try_call(call, http, &response, &cause);
                const bool broke = cause.kind == ERROR_REGISTRY && http_failure(http) == HTTP_TRANSIENT;
                const bool transient = r < 0 ? broke : status_is_transient(response.status);

                if (!transient || call->once || n > call->registry->options.retries) {
                        if (r < 0 && err)
                                *err = cause;
                        if (r < 0)
                                return -1;
                        *ret = response;
                        response = (HttpResponse) { .length = -1 };
                        return 0;
                }
                if (r == 0) {
                        wait = response.retry_after ? retry_after_parse(response.retry_after, time(NULL)) : 0;
                        registry_note(call->registry, "registry '%s': status %d; trying again (%u of %u)", call->server->host,
                                      response.status, n, call->registry->options.retries);
                } else
                        registry_note(call->registry, "registry '%s': %s; trying again (%u of %u)", call->server->host, cause.text, n,
                                      call->registry->options.retries);
                http_end(http);
                if (registry_pause(call->registry, n, wait, err) < 0)
                        return -1;
        }
}

/* The first error of the body, in printable characters; "" when there is none. Source: distribution-spec, "Error Codes" */
static void error_message(Http *http, char *ret, size_t size) {
        _cleanup_free_ char *text = NULL;
        _cleanup_json_ json_t *json = NULL;
        const json_t *first;
        const char *code, *message;
        size_t len;

        ret[0] = '\0';
        if (http_read_all(http, ERROR_BODY_MAX, &text, &len, NULL) < 0)
                return;
        json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        first = json_array_get(json_object_get(json, "errors"), 0);
        code = json_string_value(json_object_get(first, "code"));
        message = json_string_value(json_object_get(first, "message")) ?: json_string_value(json_object_get(json, "details"));
        snprintf(ret, size, "%s%.64s%s%.200s%s", code || message ? " (" : "", code ?: "", code && message ? ": " : "", message ?: "",
                 code || message ? ")" : "");
        for (char *p = ret; *p; p++)
                if ((unsigned char) *p < ' ' || (unsigned char) *p >= 0x7f)
                        *p = '?';
}

int call_failed(const Call *call, Http *http, const HttpResponse *response, Error *err) {
        const bool denied = response->status == 401 || response->status == 403;
        char message[300];

        error_message(http, message, sizeof(message));
        error_set(err, response->status == 404 && call->names_image ? ERROR_IMAGE_NOT_FOUND : ERROR_REGISTRY, "status %d%s%s",
                  response->status, response->status == 429 ? ", too many requests" : denied ? ", access denied" : "", message);
        if (denied)
                error_hint(err, "'proxmox-lxcri login %s' keeps credentials", call->server->host);
        return -1;
}
