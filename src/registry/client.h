#pragma once

/* What the parts of the client share: servers, their tokens, and calls that retry, authenticate and follow redirects. */

#include <pthread.h>

#include "registry/credentials.h"
#include "registry/headers.h"
#include "registry/http.h"
#include "registry/registries-conf.h"
#include "registry/registry.h"

#define REDIRECTS_MAX  10           /* of one request; as Go's clients */
#define ERROR_BODY_MAX (16u << 10)  /* bytes of an error's text that are read; this program's own cap */
#define TOKEN_BODY_MAX (256u << 10) /* bytes of a token server's answer; this program's own cap */
#define URL_MAX        16384        /* bytes; this program's own cap */

typedef struct Token {
        char *scope, *text;
        int64_t expires; /* seconds, monotonic */
} Token;

/** Credentials of one repository, as they were found; none is known, too */
typedef struct Identity {
        char *repository;
        Credentials credentials;
} Identity;

/** A host that we speak to, and what is known of it */
typedef struct Server {
        char *host;    /* as references name it: "docker.io", "localhost:5000" */
        bool insecure; /* plain HTTP and unverified certificates are accepted */
        pthread_mutex_t lock; /* of all members below */
        char *base;    /* "https://HOST"; NULL: not spoken to yet */
        bool keeps_signatures; /* it has a store of signatures */
        Certs certs;
        Challenge challenge;
        Token *tokens;
        size_t n_tokens;
        Identity *identities;
        size_t n_identities;
} Server;

struct Registry {
        RegistryOptions options;
        HttpSettings http;
        RegistriesConf conf;
        Credentials given; /* --creds, or what login tries */
        pthread_mutex_t lock; /* of all members below */
        Server **servers;
        size_t n_servers;
        Http **idle;
        size_t n_idle;
};

/** http_take() - a connection of the pool; http_give() it back */
int http_take(Registry *registry, Http **ret, Error *err);
void http_give(Registry *registry, Http *http);

/** server_find() - a host's entry, made when it is new, with its certificates; it lives as long as the Registry */
int server_find(Registry *registry, const char *host, bool insecure, Server **ret, Error *err);
void server_free(Server *server);

/** server_connect() - find out whether it speaks HTTPS or HTTP, and what it asks for. Errors: RegistryError, … */
int server_connect(Registry *registry, Server *server, Error *err);

/**
 * server_authorize() - the Authorization header for a repository and scope; *ret is NULL when none is needed or known
 * @challenge: of a refusal that made an earlier token worthless; NULL: none
 */
int server_authorize(Registry *registry, Server *server, const Reference *name, const char *scope, const Challenge *challenge, char **ret,
                     Error *err);

/** A file as a request's body */
typedef struct FileBody {
        int fd;
        uint64_t offset;
        const Descriptor *blob; /* what it is */
        const RegistryUpload *upload;
} FileBody;

typedef struct Call {
        Registry *registry;
        Server *server;        /* the Authorization is for it alone */
        const Reference *name; /* as the server calls it */
        const char *scope;     /* "repository:NAME:pull", several joined by a space; NULL: no Authorization */
        const char *method;
        const char *url;       /* absolute, or a path on the server */
        char *const *headers;  /* NULL: none */
        FileBody *file;        /* body; NULL: none or @data */
        const char *data;
        size_t len;
        bool small;            /* a deadline for the whole answer */
        bool once;             /* no retries */
        bool follow;           /* redirects; only for GET and HEAD */
        bool names_image;      /* status 404 is ImageNotFound */
} Call;

/**
 * call_begin() - send, retry what may pass, and answer what the server asks for
 * @http: where the body is then read from
 * @ret:  any status that is neither a redirect nor worth another try; http_response_clear()
 */
int call_begin(const Call *call, Http *http, HttpResponse *ret, Error *err);

/** call_failed() - an error from a response that is not what was wanted; reads its body. Always returns -1 */
int call_failed(const Call *call, Http *http, const HttpResponse *response, Error *err);

/** A GET of a document that belongs to a repository, at a place that has it */
typedef struct PlaceCall {
        Call call;
        Http *http;
        char *url, *scope;
} PlaceCall;

/** place_call_open() - of @before, the repository, @after; place_call_close() whatever becomes of it */
int place_call_open(Registry *registry, const Place *place, const char *before, const char *after, PlaceCall *ret, Error *err);

/** place_call_close() - @r is what became of it, and what is returned: of a failure @err is told the place */
int place_call_close(PlaceCall *place_call, int r, Error *err);

/**
 * document_get() - one try after another, until all of a body is there
 * @ret:      stays as it is for a 404; free()
 * @ret_next: what the answer names as its next page, NULL for none; free(). May be NULL
 */
int document_get(const Call *call, Http *http, size_t max, char **ret, size_t *ret_len, char **ret_next, Error *err);

/** Asks one place; *ret_found ends the search */
typedef int PlaceTry(Registry *registry, const Place *place, void *userdata, bool *ret_found, Error *err);

/** places_try() - ask each place that a name may be found at, mirrors first. A failure passes on to the next place; the last one's is told */
int places_try(Registry *registry, const Reference *name, PlaceTry *try, void *userdata, bool *ret_found, Error *err);

/** registry_pause() - before try number @n (from 1); @retry_after: what the server asked for, seconds. Errors: Interrupted */
int registry_pause(Registry *registry, unsigned n, uint64_t retry_after, Error *err);

/** registry_note() - tell of a retry */
void registry_note(const Registry *registry, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool status_is_transient(int status);
int64_t monotonic_seconds(void);

/** url_resolve() - a Location against the URL it came from; http and https only. Errors: RegistryError, OutOfMemory */
int url_resolve(const char *base, const char *location, char **ret, Error *err);
/** url_same_origin() - scheme, host and port are equal */
bool url_same_origin(const char *a, const char *b);
/** url_host() - HOST[:PORT]; free() */
int url_host(const char *url, char **ret, Error *err);
/** url_escape() - append with everything but unreserved characters as %XX */
int url_escape(Buf *buf, const char *text, Error *err);

/* ---- the module's functions ---- */

int registry_open(const RegistryOptions *options, Registry **ret, Error *err);
Registry *registry_close(Registry *registry);
int registry_manifest(Registry *registry, const Reference *name, RegistryDocument *ret, Error *err);
int registry_manifest_push(Registry *registry, const Reference *name, const Descriptor *descriptor, const char *data, size_t len, Error *err);
int registry_blob_open(Registry *registry, const Reference *name, const Descriptor *blob, uint64_t offset, RegistryBlob **ret, Error *err);
int registry_blob_read(void *blob, void *data, size_t size, size_t *ret, Error *err);
RegistryBlob *registry_blob_close(RegistryBlob *blob);
int registry_blob_exists(Registry *registry, const Reference *name, const Descriptor *blob, bool *ret, Error *err);
int registry_blob_push(Registry *registry, const Reference *name, const Descriptor *blob, const RegistryUpload *upload, Error *err);
int registry_api_get(Registry *registry, const Reference *name, const char *before, const char *after, size_t max, char **ret, size_t *ret_len,
                     Error *err);
int registry_referrers(Registry *registry, const Reference *name, const Digest *subject, const char *artifact_type, size_t max,
                       Referrers *ret, Error *err);
int registry_blob_get(Registry *registry, const Reference *name, const Descriptor *blob, size_t max, char **ret, size_t *ret_len, Error *err);
int registry_url_get(Registry *registry, const char *url, size_t max, char **ret, size_t *ret_len, Error *err);
int registry_keeps_signatures(Registry *registry, const Reference *name, bool *ret, Error *err);
int registry_login(Registry *registry, const RegistryLogin *login, char **ret_file, Error *err);
int registry_logout(Registry *registry, const RegistryLogin *login, char **ret_file, Error *err);
