/* URLs that a server names: only http and https ones are ever followed. */

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "registry/client.h"

static void url_cleanup(CURLU **url) {
        curl_url_cleanup(*url);
}

static void curl_freep(char **text) {
        curl_free(*text);
}

int url_resolve(const char *base, const char *location, char **ret, Error *err) {
        _cleanup_(url_cleanup) CURLU *url = curl_url();
        _cleanup_(curl_freep) char *scheme = NULL, *text = NULL;

        if (!url)
                return error_oom(err);
        if (strlen(location) > URL_MAX || !header_is_clean(location))
                return error_set(err, ERROR_REGISTRY, "a URL that is too long, or has control characters");
        if (curl_url_set(url, CURLUPART_URL, base, 0) != CURLUE_OK || curl_url_set(url, CURLUPART_URL, location, 0) != CURLUE_OK ||
            curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
                return error_set(err, ERROR_REGISTRY, "'%.200s' is not a URL that can be followed", location);
        if (strcasecmp(scheme, "http") && strcasecmp(scheme, "https"))
                return error_set(err, ERROR_REGISTRY, "'%.200s' is neither http nor https", location);
        /* Credentials in a URL are the server's own affair; they are not sent. */
        (void) curl_url_set(url, CURLUPART_USER, NULL, 0);
        (void) curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
        (void) curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
        if (curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
                return error_oom(err);
        return string_copy(text, ret, err);
}

/* "scheme://host:port", lower case; NULL when it is no URL. free() */
static char *origin_of(const char *text) {
        _cleanup_(url_cleanup) CURLU *url = curl_url();
        _cleanup_(curl_freep) char *scheme = NULL, *host = NULL, *port = NULL;
        char *origin = NULL;

        if (!url || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
            curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK || curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
            curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
            string_format(&origin, NULL, "%s://%s:%s", scheme, host, port) < 0)
                return NULL;
        for (char *p = origin; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p |= 0x20;
        return origin;
}

bool url_same_origin(const char *a, const char *b) {
        _cleanup_free_ char *first = origin_of(a), *second = origin_of(b);

        return first && second && !strcmp(first, second);
}

int url_host(const char *text, char **ret, Error *err) {
        _cleanup_(url_cleanup) CURLU *url = curl_url();
        _cleanup_(curl_freep) char *host = NULL, *port = NULL;

        if (!url || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK || curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
                return error_set(err, ERROR_REGISTRY, "'%.200s' is not a URL", text);
        (void) curl_url_get(url, CURLUPART_PORT, &port, 0);
        return string_format(ret, err, "%s%s%s", host, port ? ":" : "", port ?: "");
}

int url_escape(Buf *buf, const char *text, Error *err) {
        for (; *text; text++) {
                const char *plain = strchr("-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", *text);

                if (plain ? buf_append(buf, text, 1, err) < 0 : buf_printf(buf, err, "%%%02X", (unsigned char) *text) < 0)
                        return -1;
        }
        return 0;
}
