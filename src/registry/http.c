/* libcurl, driven by whoever reads. */

#include "registry/http.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"

#define BUFFER_MAX     (256u << 10) /* bytes received and not asked for yet */
#define RECEIVE_SIZE   (128l << 10) /* bytes of curl's own buffer */
#define WAIT_SLICE     100          /* ms between two looks at whether to stop */
#define HEADERS_KEPT   32           /* WWW-Authenticate fields; this program's own cap */
#define CA_FOLDER      "/etc/ssl/certs" /* Debian's authorities, hashed */

struct Http {
        HttpSettings settings;
        CURLM *multi;
        CURL *easy;
        struct curl_slist *headers; /* of the request */
        const ByteSource *body;
        Error body_error; /* what the body's own source said */
        HttpResponse *response; /* being filled; NULL once complete */
        size_t header_bytes;
        bool in_multi, headers_done, done, paused, too_large;
        CURLcode result;
        HttpFailure failure;
        int64_t deadline;       /* ms, monotonic; 0: none */
        int64_t waited, window; /* ms spent waiting, and bytes received, since the last check of the speed */
        uint64_t sent;
        char *data; /* received and not asked for yet */
        size_t start, len;
        char problem[CURL_ERROR_SIZE];
        char host[256]; /* for errors */
};

void http_response_clear(HttpResponse *response) {
        free(response->location);
        free(response->content_type);
        free(response->content_range);
        free(response->retry_after);
        free(response->digest);
        strv_free(response->challenges);
        strv_free(response->links);
        *response = (HttpResponse) { .length = -1 };
}

int http_new(const HttpSettings *settings, Http **ret, Error *err) {
        Http *http = calloc(1, sizeof(*http));

        if (!http)
                return error_oom(err);
        http->settings = *settings;
        http->multi = curl_multi_init();
        http->easy = curl_easy_init();
        http->data = malloc(BUFFER_MAX);
        if (!http->multi || !http->easy || !http->data) {
                http_free(http);
                return error_oom(err);
        }
        *ret = http;
        return 0;
}

Http *http_free(Http *http) {
        if (!http)
                return NULL;
        http_end(http);
        if (http->easy)
                curl_easy_cleanup(http->easy);
        if (http->multi)
                (void) curl_multi_cleanup(http->multi);
        free(http->data);
        free(http);
        return NULL;
}

HttpFailure http_failure(const Http *http) {
        return http->failure;
}

static int64_t now_ms(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- what curl calls ---- */

static size_t on_data(char *data, size_t size, size_t n, void *userdata) {
        Http *http = userdata;
        const size_t len = size * n;

        if (http->start > 0 && http->start == http->len)
                http->start = http->len = 0;
        if (http->len + len > BUFFER_MAX) {
                if (http->len > http->start) {
                        http->paused = true;
                        return CURL_WRITEFUNC_PAUSE;
                }
                return 0; /* curl hands over at most 16 KiB at once */
        }
        memcpy(http->data + http->len, data, len);
        http->len += len;
        http->window += (int64_t) len;
        return len;
}

/* The value of a field, without blanks around it; NULL when it is another field. */
static char *field_value(const char *line, size_t len, const char *name) {
        const size_t n = strlen(name);

        if (len <= n || strncasecmp(line, name, n) || line[n] != ':')
                return NULL;
        line += n + 1;
        len -= n + 1;
        while (len > 0 && (*line == ' ' || *line == '\t')) {
                line++;
                len--;
        }
        while (len > 0 && strchr(" \t\r\n", line[len - 1]))
                len--;
        return memchr(line, '\0', len) ? NULL : strndup(line, len);
}

static void take_field(HttpResponse *response, const char *line, size_t len) {
        const struct {
                const char *name;
                char **target;
        } fields[] = {
                { "Location", &response->location },
                { "Content-Type", &response->content_type },
                { "Content-Range", &response->content_range },
                { "Retry-After", &response->retry_after },
                { "Docker-Content-Digest", &response->digest },
        };
        const struct {
                const char *name;
                char ***target;
        } lists[] = {
                { "WWW-Authenticate", &response->challenges },
                { "Link", &response->links },
        };
        _cleanup_free_ char *length = NULL, *signatures = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                char *value = field_value(line, len, fields[i].name);

                if (value) {
                        free(*fields[i].target);
                        *fields[i].target = value;
                        return;
                }
        }
        length = field_value(line, len, "Content-Length");
        if (length && length[0] && strlen(length) < 19 && strspn(length, "0123456789") == strlen(length))
                response->length = strtoll(length, NULL, 10);
        signatures = field_value(line, len, "X-Registry-Supports-Signatures");
        if (signatures)
                response->keeps_signatures = !strcmp(signatures, "1");
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                _cleanup_free_ char *value = field_value(line, len, lists[i].name);

                if (value && strv_length(*lists[i].target) < HEADERS_KEPT)
                        (void) strv_push(lists[i].target, value, NULL);
        }
}

static size_t on_header(char *line, size_t size, size_t n, void *userdata) {
        Http *http = userdata;
        const size_t len = size * n;

        http->header_bytes += len;
        http->window += (int64_t) len;
        if (http->header_bytes > HTTP_HEADERS_MAX) {
                http->too_large = true;
                return 0;
        }
        if (!http->response)
                return len; /* trailers */
        if (len > 5 && !strncmp(line, "HTTP/", 5)) {
                http_response_clear(http->response);
                return len;
        }
        if (len <= 2 && (line[0] == '\r' || line[0] == '\n')) {
                long status = 0;

                (void) curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
                if (status >= 200) {
                        http->response->status = (int) status;
                        http->response = NULL;
                        http->headers_done = true;
                }
                return len;
        }
        take_field(http->response, line, len);
        return len;
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        Http *http = userdata;
        size_t got = 0;

        if (!http->body || http->body->read(http->body->userdata, data, size * n, &got, &http->body_error) < 0)
                return CURL_READFUNC_ABORT;
        http->window += (int64_t) got;
        http->sent += got;
        return got;
}

/* ---- driving it ---- */

/* A proxy that says no will say so again; one that can't reach the registry may later. */
static bool is_refused_by_proxy(Http *http) {
        long status = 0;

        (void) curl_easy_getinfo(http->easy, CURLINFO_HTTP_CONNECTCODE, &status);
        return status >= 400 && status < 500;
}

/* Turns curl's verdict into ours. */
static int fail(Http *http, Error *err) {
        const CURLcode code = http->result;

        if (error_is_set(&http->body_error)) {
                http->failure = HTTP_FATAL;
                if (err)
                        *err = http->body_error;
                return -1;
        }
        http->failure = HTTP_FATAL;
        switch ((int) code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
                http->failure = HTTP_UNREACHABLE;
                break;
        case CURLE_OPERATION_TIMEDOUT:
                http->failure = HTTP_UNREACHABLE;
                return error_set(err, ERROR_REGISTRY, "%s: no connection within %u s", http->host, http->settings.timeout);
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_PARTIAL_FILE:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
        case CURLE_SEND_FAIL_REWIND:
        case CURLE_UPLOAD_FAILED:
                /* A TLS alert (our certificate is missing, …) comes again. */
                http->failure = strstr(http->problem, "alert") || is_refused_by_proxy(http) ? HTTP_FATAL : HTTP_TRANSIENT;
                break;
        case CURLE_SSL_CONNECT_ERROR:
                http->failure = HTTP_NO_TLS;
                break;
        case CURLE_OUT_OF_MEMORY:
                return error_oom(err);
        default:
                break;
        }
        if (http->too_large)
                return error_set(err, ERROR_REGISTRY, "%s: more than %u bytes of headers", http->host, HTTP_HEADERS_MAX);
        error_set(err, ERROR_REGISTRY, "%s: %s", http->host, http->problem[0] ? http->problem : curl_easy_strerror(code));
        if (code == CURLE_PEER_FAILED_VERIFICATION)
                error_hint(err, "put its authority into /etc/containers/certs.d/%s/ca.crt, or use --tls-verify=false", http->host);
        return -1;
}

static int timed_out(Http *http, const char *what, unsigned seconds, Error *err) {
        http->failure = HTTP_TRANSIENT;
        return error_set(err, ERROR_REGISTRY, "%s: %s within %u s", http->host, what, seconds);
}

/* Only time that we wait counts: a reader who is busy is no reason to call the server slow. */
static int check_time(Http *http, int64_t waited, Error *err) {
        const int64_t timeout = (int64_t) http->settings.timeout * 1000;

        if (http->deadline && now_ms() > http->deadline)
                return timed_out(http, "no whole answer", http->settings.timeout, err);
        http->waited += waited;
        if (http->waited < timeout)
                return 0;
        if (http->window < (int64_t) http->settings.speed_min * http->settings.timeout)
                return timed_out(http, http->window > 0 ? "too few bytes" : "nothing", http->settings.timeout, err);
        http->waited = http->window = 0;
        return 0;
}

static void take_result(Http *http) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(http->multi, &left)))
                if (message->msg == CURLMSG_DONE) {
                        http->done = true;
                        http->result = message->data.result;
                }
}

/* One step: let curl work, then, unless something came of it, wait. */
static int step(Http *http, Error *err) {
        const size_t had = http->len - http->start;
        const bool had_headers = http->headers_done;
        int running;
        int64_t before;

        if (http->settings.cancelled && *http->settings.cancelled) {
                http->failure = HTTP_FATAL;
                return error_set(err, ERROR_INTERRUPTED, "%s: interrupted", http->host);
        }
        if (http->paused && http->len - http->start < BUFFER_MAX / 2) {
                http->paused = false;
                (void) curl_easy_pause(http->easy, CURLPAUSE_CONT);
        }
        if (curl_multi_perform(http->multi, &running) != CURLM_OK) {
                http->failure = HTTP_FATAL;
                return error_set(err, ERROR_REGISTRY, "%s: the transfer cannot go on", http->host);
        }
        take_result(http);
        if (http->done || http->headers_done != had_headers || http->len - http->start != had)
                return check_time(http, 0, err);
        before = now_ms();
        (void) curl_multi_poll(http->multi, NULL, 0, WAIT_SLICE, NULL);
        return check_time(http, now_ms() - before, err);
}

static const char *host_of(const char *url) {
        const char *scheme = strstr(url, "://");

        return scheme ? scheme + 3 : url;
}

#define SET(option, value)                                                  \
        do {                                                                \
                if (code == CURLE_OK)                                       \
                        code = curl_easy_setopt(http->easy, option, value); \
        } while (0)

static CURLcode set_tls(Http *http, const HttpRequest *request) {
        CURLcode code = CURLE_OK;

        SET(CURLOPT_SSL_VERIFYPEER, request->verify ? 1L : 0L);
        SET(CURLOPT_SSL_VERIFYHOST, request->verify ? 2L : 0L);
        SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
        if (!request->certs)
                return code;
        if (request->certs->authorities.len > 0) {
                struct curl_blob blob = { .data = request->certs->authorities.data, .len = request->certs->authorities.len,
                                          .flags = CURL_BLOB_COPY };

                SET(CURLOPT_CAINFO_BLOB, &blob);
                SET(CURLOPT_CAPATH, CA_FOLDER);
        }
        if (request->certs->cert) {
                SET(CURLOPT_SSLCERT, request->certs->cert);
                SET(CURLOPT_SSLKEY, request->certs->key);
        }
        return code;
}

/* curl knows the variables in lower case only, for fear of CGI; other tools for containers know both. */
static CURLcode set_proxy(Http *http, const HttpRequest *request) {
        const char *proxy = getenv("HTTP_PROXY");
        CURLcode code = CURLE_OK;

        if (proxy && proxy[0] && !getenv("http_proxy") && !strncasecmp(request->url, "http://", 7))
                SET(CURLOPT_PROXY, proxy);
        SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        return code;
}

static CURLcode set_body(Http *http, const HttpRequest *request) {
        CURLcode code = CURLE_OK;

        if (!strcmp(request->method, "HEAD")) {
                SET(CURLOPT_NOBODY, 1L);
                return code;
        }
        if (request->body) {
                SET(CURLOPT_UPLOAD, 1L);
                SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t) request->body_len);
                SET(CURLOPT_READFUNCTION, on_body);
                SET(CURLOPT_READDATA, http);
                SET(CURLOPT_UPLOAD_BUFFERSIZE, RECEIVE_SIZE);
        } else if (!strcmp(request->method, "POST") || !strcmp(request->method, "PUT"))
                SET(CURLOPT_POSTFIELDS, "");
        SET(CURLOPT_CUSTOMREQUEST, request->method);
        return code;
}

static CURLcode set_headers(Http *http, const HttpRequest *request) {
        static const char *const always[] = { "Expect:", "Accept-Encoding: identity" };
        CURLcode code = CURLE_OK;

        for (size_t i = 0; i < ARRAY_SIZE(always) + strv_length(request->headers); i++) {
                const char *line = i < ARRAY_SIZE(always) ? always[i] : request->headers[i - ARRAY_SIZE(always)];
                struct curl_slist *longer = curl_slist_append(http->headers, line);

                if (!longer)
                        return CURLE_OUT_OF_MEMORY;
                http->headers = longer;
        }
        SET(CURLOPT_HTTPHEADER, http->headers);
        return code;
}

static CURLcode set_up(Http *http, const HttpRequest *request) {
        CURLcode code = CURLE_OK;

        curl_easy_reset(http->easy);
        SET(CURLOPT_URL, request->url);
        SET(CURLOPT_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_FOLLOWLOCATION, 0L);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_ERRORBUFFER, http->problem);
        SET(CURLOPT_USERAGENT, "proxmox-lxcri/" PROJECT_VERSION);
        SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
        SET(CURLOPT_CONNECTTIMEOUT, (long) http->settings.timeout);
        SET(CURLOPT_BUFFERSIZE, RECEIVE_SIZE);
        SET(CURLOPT_WRITEFUNCTION, on_data);
        SET(CURLOPT_WRITEDATA, http);
        SET(CURLOPT_HEADERFUNCTION, on_header);
        SET(CURLOPT_HEADERDATA, http);
        SET(CURLOPT_TCP_KEEPALIVE, 1L);
        /* No ~/.netrc, cookies or alternative services: curl reads none of them unless asked to. */
        if (code == CURLE_OK)
                code = set_tls(http, request);
        if (code == CURLE_OK)
                code = set_proxy(http, request);
        if (code == CURLE_OK)
                code = set_body(http, request);
        if (code == CURLE_OK)
                code = set_headers(http, request);
        return code;
}

int http_begin(Http *http, const HttpRequest *request, HttpResponse *ret, Error *err) {
        HttpResponse response = { .length = -1 };
        CURLcode code;

        http_end(http);
        if (!http->easy)
                return error_oom(err);
        snprintf(http->host, sizeof(http->host), "%.*s", (int) strcspn(host_of(request->url), "/?#"), host_of(request->url));
        http->failure = HTTP_FATAL;
        http->body = request->body;
        http->deadline = request->deadline ? now_ms() + (int64_t) request->deadline * 1000 : 0;
        code = set_up(http, request);
        if (code != CURLE_OK) {
                http->result = code;
                return fail(http, err);
        }
        if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK)
                return error_oom(err);
        http->in_multi = true;
        http->response = &response;
        while (!http->headers_done) {
                if (!http->done) {
                        if (step(http, err) < 0)
                                goto failed;
                        continue;
                }
                if (http->result == CURLE_OK) {
                        http->failure = HTTP_TRANSIENT;
                        error_set(err, ERROR_REGISTRY, "%s: an answer without headers", http->host);
                        goto failed;
                }
                fail(http, err);
                goto failed;
        }
        http->response = NULL;
        *ret = response;
        return 0;

failed:
        http->response = NULL;
        http_response_clear(&response);
        http_end(http);
        return -1;
}

int http_read(Http *http, void *data, size_t size, size_t *ret, Error *err) {
        size_t n;

        while (http->len == http->start) {
                if (!http->in_multi || (http->done && http->result == CURLE_OK)) {
                        *ret = 0;
                        return 0;
                }
                if (http->done)
                        return fail(http, err);
                if (step(http, err) < 0)
                        return -1;
        }
        n = http->len - http->start < size ? http->len - http->start : size;
        memcpy(data, http->data + http->start, n);
        http->start += n;
        if (http->start == http->len)
                http->start = http->len = 0;
        *ret = n;
        return 0;
}

bool http_has_more(const Http *http) {
        return http->len > http->start;
}

int http_read_all(Http *http, size_t max, char **ret, size_t *ret_len, Error *err) {
        _cleanup_buf_ Buf text = BUF_INIT(max);
        char data[16384];
        size_t n;

        for (;;) {
                if (http_read(http, data, sizeof(data), &n, err) < 0)
                        return -1;
                if (n == 0)
                        break;
                if (text.len + n > max) {
                        http->failure = HTTP_FATAL;
                        error_set(err, ERROR_REGISTRY, "%s: an answer of more than %zu bytes", http->host, max);
                        if (err)
                                err->errnum = EFBIG;
                        return -1;
                }
                if (buf_append(&text, data, n, err) < 0)
                        return -1;
        }
        if (!text.data && buf_puts(&text, "", err) < 0)
                return -1;
        if (ret_len)
                *ret_len = text.len;
        *ret = TAKE(text.data);
        return *ret ? 0 : error_oom(err);
}

void http_end(Http *http) {
        if (http->in_multi)
                (void) curl_multi_remove_handle(http->multi, http->easy);
        if (http->result != CURLE_OK) {
                /* After some failures (a host without an address) curl 7.88 has it set up no more. Connections are the multi's. */
                curl_easy_cleanup(http->easy);
                http->easy = curl_easy_init();
        }
        curl_slist_free_all(http->headers);
        http->headers = NULL;
        http->in_multi = http->headers_done = http->done = http->paused = http->too_large = false;
        http->body = NULL;
        http->body_error = ERROR_INIT;
        http->response = NULL;
        http->result = CURLE_OK;
        http->header_bytes = http->start = http->len = 0;
        http->waited = http->window = 0;
        http->problem[0] = '\0';
}
