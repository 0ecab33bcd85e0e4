/* A blob as a stream: what a broken connection leaves out is asked for by its range, so that whoever reads never notices. */

#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "registry/client.h"

#define PROGRESS_MIN (64u << 10) /* bytes that make up for the failures before them */

struct RegistryBlob {
        Registry *registry;
        const Descriptor *blob;
        Places places;
        size_t place;
        Http *http;    /* NULL: nothing is under way */
        uint64_t pos;  /* the next byte the reader gets */
        uint64_t skip; /* bytes of the answer before that one, from a server that knows no ranges */
        uint64_t since; /* where the last failure was made up for */
        unsigned failures;
        bool open_ended; /* the answer did not say how long it is */
};

RegistryBlob *registry_blob_close(RegistryBlob *blob) {
        if (!blob)
                return NULL;
        http_give(blob->registry, blob->http);
        places_clear(&blob->places);
        free(blob);
        return NULL;
}

int registry_blob_open(Registry *registry, const Reference *name, const Descriptor *descriptor, uint64_t offset, RegistryBlob **ret,
                       Error *err) {
        RegistryBlob *blob = calloc(1, sizeof(*blob));

        if (!blob)
                return error_oom(err);
        blob->registry = registry;
        blob->blob = descriptor;
        blob->pos = blob->since = offset;
        if (registries_conf_places(&registry->conf, name, false, &blob->places, err) < 0) {
                registry_blob_close(blob);
                return -1;
        }
        *ret = blob;
        return 0;
}

/* Whether the answer is the bytes that were asked for. */
static int check_answer(RegistryBlob *b, const HttpResponse *response, Error *err) {
        const uint64_t size = b->blob->size;
        ContentRange range;

        b->open_ended = response->length < 0;
        if (response->status == 200) {
                if (response->length >= 0 && (uint64_t) response->length != size)
                        return error_set(err, ERROR_DIGEST_MISMATCH, "the registry has %lld bytes, not %llu", (long long) response->length,
                                         (unsigned long long) size);
                b->skip = b->pos;
                return 0;
        }
        if (b->pos == 0 || !response->content_range)
                return error_set(err, ERROR_REGISTRY, "a part of it that was not asked for");
        if (content_range_parse(response->content_range, &range, err) < 0)
                return -1;
        if (range.first != b->pos || range.last != size - 1 || (range.has_total && range.total != size) ||
            (response->length >= 0 && (uint64_t) response->length != size - b->pos))
                return error_set(err, ERROR_REGISTRY, "bytes %llu-%llu of it in place of %llu-%llu", (unsigned long long) range.first,
                                 (unsigned long long) range.last, (unsigned long long) b->pos, (unsigned long long) (size - 1));
        b->skip = 0;
        return 0;
}

/* Asks for the rest of the blob at the current place. *ret_transient: whether another try may help; *ret_wait: when. */
static int ask(RegistryBlob *b, bool *ret_transient, uint64_t *ret_wait, Error *err) {
        const Place *place = &b->places.items[b->place];
        _cleanup_(http_response_clear) HttpResponse response = { .length = -1 };
        _cleanup_free_ char *url = NULL, *scope = NULL, *range = NULL;
        char *headers[] = { NULL, NULL };
        Server *server;

        *ret_transient = false;
        *ret_wait = 0;
        if (string_format(&url, err, "/v2/%s/blobs/%s", place->name->repository, b->blob->digest.text) < 0 ||
            string_format(&scope, err, "repository:%s:pull", place->name->repository) < 0 ||
            string_format(&range, err, "Range: bytes=%llu-%llu", (unsigned long long) b->pos,
                          (unsigned long long) (b->blob->size - 1)) < 0 ||
            server_find(b->registry, place->name->registry, place->insecure, &server, err) < 0 ||
            server_connect(b->registry, server, err) < 0 || (!b->http && http_take(b->registry, &b->http, err) < 0))
                return -1;
        if (b->pos > 0)
                headers[0] = range;
        /* Retries are counted here, over the whole blob. */
        const Call call = {
                .registry = b->registry,
                .server = server,
                .name = place->name,
                .scope = scope,
                .method = "GET",
                .url = url,
                .headers = headers,
                .once = true,
                .follow = true,
        };
        if (call_begin(&call, b->http, &response, err) < 0) {
                const HttpFailure failure = http_failure(b->http);

                *ret_transient = err && err->kind == ERROR_REGISTRY && (failure == HTTP_TRANSIENT || failure == HTTP_UNREACHABLE);
                return -1;
        }
        if (response.status == 200 || response.status == 206)
                return check_answer(b, &response, err);
        *ret_transient = status_is_transient(response.status);
        if (response.retry_after)
                *ret_wait = retry_after_parse(response.retry_after, time(NULL));
        return call_failed(&call, b->http, &response, err);
}

/* After a failure: wait and try again, or go on to the next place; -1 when neither helps, with @cause in @err. */
static int recover(RegistryBlob *b, bool transient, uint64_t wait, const Error *cause, Error *err) {
        http_give(b->registry, TAKE(b->http));
        if (b->pos - b->since >= PROGRESS_MIN) {
                b->since = b->pos;
                b->failures = 0;
        }
        if (cause->kind == ERROR_INTERRUPTED || cause->kind == ERROR_OUT_OF_MEMORY || cause->kind == ERROR_FILE)
                goto fail;
        if (transient && b->failures < b->registry->options.retries) {
                b->failures++;
                registry_note(b->registry, "blob %s: %s; trying again from byte %llu (%u of %u)", b->blob->digest.text, cause->text,
                              (unsigned long long) b->pos, b->failures, b->registry->options.retries);
                return registry_pause(b->registry, b->failures, wait, err);
        }
        if (b->place + 1 < b->places.n) {
                registry_note(b->registry, "mirror: blob %s: %s; passing on to the next", b->blob->digest.text, cause->text);
                b->place++;
                b->failures = 0;
                return 0;
        }
fail:
        if (err)
                *err = *cause;
        return error_prefix(err, "registry '%s': blob %s", b->places.items[b->place].name->registry, b->blob->digest.text);
}

/* Lets the bytes before the wanted one pass by. */
static int skip_bytes(RegistryBlob *b, Error *err) {
        char data[16384];

        while (b->skip > 0) {
                size_t n;

                if (http_read(b->http, data, b->skip < sizeof(data) ? (size_t) b->skip : sizeof(data), &n, err) < 0)
                        return -1;
                if (n == 0)
                        return error_set(err, ERROR_DIGEST_MISMATCH, "it is shorter than its %llu bytes",
                                         (unsigned long long) b->blob->size);
                b->skip -= n;
        }
        return 0;
}

/* Whether the answer ends where the blob does. */
static int check_end(RegistryBlob *b, Error *err) {
        bool more = http_has_more(b->http);
        size_t n;
        char c;

        /* All bytes are here: a connection that breaks now does no harm. */
        if (!more && b->open_ended && http_read(b->http, &c, 1, &n, NULL) == 0)
                more = n > 0;
        return more ? error_set(err, ERROR_DIGEST_MISMATCH, "it has more than its %llu bytes", (unsigned long long) b->blob->size) : 0;
}

static int read_some(RegistryBlob *b, void *data, size_t size, size_t *ret, Error *err) {
        const uint64_t left = b->blob->size - b->pos;

        if (skip_bytes(b, err) < 0 || http_read(b->http, data, left < size ? (size_t) left : size, ret, err) < 0)
                return -1;
        if (*ret == 0)
                return error_set(err, ERROR_DIGEST_MISMATCH, "it ends after %llu of its %llu bytes", (unsigned long long) b->pos,
                                 (unsigned long long) b->blob->size);
        b->pos += *ret;
        return b->pos == b->blob->size ? check_end(b, err) : 0;
}

int registry_blob_read(void *userdata, void *data, size_t size, size_t *ret, Error *err) {
        RegistryBlob *b = userdata;

        if (b->pos >= b->blob->size) {
                http_give(b->registry, TAKE(b->http));
                *ret = 0;
                return 0;
        }
        for (;;) {
                Error cause = ERROR_INIT;
                bool transient;
                uint64_t wait = 0;

                if (!b->http && ask(b, &transient, &wait, &cause) < 0) {
                        if (recover(b, transient, wait, &cause, err) < 0)
                                return -1;
                        continue;
                }
                if (read_some(b, data, size, ret, &cause) == 0)
                        return 0;
                transient = cause.kind == ERROR_REGISTRY && http_failure(b->http) == HTTP_TRANSIENT;
                if (recover(b, transient, 0, &cause, err) < 0)
                        return -1;
        }
}

int registry_blob_get(Registry *registry, const Reference *name, const Descriptor *blob, size_t max, char **ret, size_t *ret_len,
                      Error *err) {
        _cleanup_buf_ Buf data = BUF_INIT(max);
        char piece[16384], hex[SHA256_HEX_MAX];
        RegistryBlob *reader;
        size_t n;
        int r;

        if (blob->size > max) {
                error_set(err, ERROR_REGISTRY, "blob %s has %llu bytes, at most %zu are read", blob->digest.text,
                          (unsigned long long) blob->size, max);
                if (err)
                        err->errnum = EFBIG;
                return -1;
        }
        if (buf_puts(&data, "", err) < 0 || registry_blob_open(registry, name, blob, 0, &reader, err) < 0)
                return -1;
        do
                r = registry_blob_read(reader, piece, sizeof(piece), &n, err);
        while (r == 0 && n > 0 && (r = buf_append(&data, piece, n, err)) == 0);
        registry_blob_close(reader);
        if (r < 0 || sha256_data(data.data, data.len, hex, err) < 0)
                return -1;
        if (strcmp(hex, digest_hex(&blob->digest)) != 0)
                return error_set(err, ERROR_DIGEST_MISMATCH, "blob %s has the digest sha256:%s", blob->digest.text, hex);
        *ret_len = data.len;
        *ret = TAKE(data.data);
        return 0;
}
