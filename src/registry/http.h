#pragma once

/*
 * One HTTP transfer at a time, read piece by piece: what nobody asks for yet stays with the server (back-pressure). By libcurl's multi
 * interface. Redirects, credentials and retries are the caller's; nothing is sent that a request does not name.
 */

#include <signal.h>
#include <stdbool.h>

#include <stdint.h>

#include "registry/certs.h"

#define HTTP_HEADERS_MAX (64u << 10) /* bytes of one response's headers; this program's own cap */

typedef struct Http Http;

/** Bytes to be sent */
typedef struct ByteSource {
        /** read() - the next bytes, in order; @ret is 0 at the end only. What it says of a failure is the request's error */
        int (*read)(void *userdata, void *data, size_t size, size_t *ret, Error *err);
        void *userdata;
} ByteSource;

typedef struct HttpSettings {
        unsigned timeout;   /* seconds to connect, and without enough bytes */
        unsigned speed_min; /* bytes a second, on average over @timeout */
        const volatile sig_atomic_t *cancelled; /* may be NULL */
} HttpSettings;

typedef struct HttpRequest {
        const char *method;  /* "GET", "HEAD", "POST", "PUT", … */
        const char *url;     /* http or https; anything else is refused */
        char *const *headers; /* "Name: value"; NULL: none */
        bool verify;         /* the server's certificate */
        const Certs *certs;  /* NULL: the system's authorities, and no certificate of ours */
        const ByteSource *body; /* NULL: none */
        uint64_t body_len;
        unsigned deadline;   /* seconds for all of it; 0: none */
} HttpRequest;

typedef struct HttpResponse {
        int status;
        int64_t length;          /* Content-Length; -1: not said */
        char *location, *content_type, *content_range, *retry_after, *digest; /* NULL: not said; digest: Docker-Content-Digest */
        char **challenges;       /* every WWW-Authenticate; NULL: none */
        char **links;            /* every Link; NULL: none */
        bool keeps_signatures;   /* X-Registry-Supports-Signatures: 1 */
} HttpResponse;

void http_response_clear(HttpResponse *response);

/** http_new() - @settings is borrowed. Connections that can be used again are kept. Errors: OutOfMemory */
int http_new(const HttpSettings *settings, Http **ret, Error *err);
Http *http_free(Http *http);

/** Why the last call failed */
typedef enum HttpFailure {
        HTTP_FATAL,       /* the same would fail again */
        HTTP_TRANSIENT,   /* the connection broke, or a timeout passed */
        HTTP_UNREACHABLE, /* nobody answered at all: no such host, connection refused */
        HTTP_NO_TLS,      /* who answered does not speak TLS */
} HttpFailure;
HttpFailure http_failure(const Http *http);

/** http_begin() - send a request and wait for the response's headers; an earlier transfer is given up. Errors: RegistryError, Interrupted, … */
int http_begin(Http *http, const HttpRequest *request, HttpResponse *ret, Error *err);

/** http_read() - the next bytes of the body; 0 at its end. Errors: as http_begin() */
int http_read(Http *http, void *data, size_t size, size_t *ret, Error *err);

/** http_has_more() - whether bytes of the body were received that nobody has read */
bool http_has_more(const Http *http);

/** http_read_all() - what is left of the body, at most @max bytes; free(), NUL-terminated. Errors: RegistryError with EFBIG when it is more, as http_read() */
int http_read_all(Http *http, size_t max, char **ret, size_t *ret_len, Error *err);

/** http_end() - give the transfer up, or be done with it */
void http_end(Http *http);
