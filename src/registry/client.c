/* A command's view of the registries: what is open, and for how long to wait. */

#include "registry/client.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#define PAUSE_FIRST   500 /* ms before the first retry; doubled each time */
#define PAUSE_SLICE   100 /* ms between two looks at whether to stop */
#define CONNECTIONS_MAX 64 /* kept for another use */

int64_t monotonic_seconds(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec;
}

bool status_is_transient(int status) {
        return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

void registry_note(const Registry *registry, const char *fmt, ...) {
        char text[ERROR_TEXT_MAX];
        va_list ap;

        if (!registry->options.note)
                return;
        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        registry->options.note(registry->options.userdata, text);
}

int registry_pause(Registry *registry, unsigned n, uint64_t retry_after, Error *err) {
        const int64_t most = (int64_t) registry->options.retry_wait_max * 1000;
        int64_t left = (int64_t) PAUSE_FIRST << (n < 10 ? n - 1 : 9);

        if (retry_after > 0)
                left = retry_after > (uint64_t) most ? most : (int64_t) retry_after * 1000;
        if (left > most)
                left = most;
        for (; left > 0; left -= PAUSE_SLICE) {
                const struct timespec slice = { .tv_nsec = (left < PAUSE_SLICE ? left : PAUSE_SLICE) * 1000000 };

                if (registry->options.cancelled && *registry->options.cancelled)
                        return error_set(err, ERROR_INTERRUPTED, "interrupted while waiting to try again");
                (void) nanosleep(&slice, NULL);
        }
        return 0;
}

int http_take(Registry *registry, Http **ret, Error *err) {
        Http *http = NULL;

        pthread_mutex_lock(&registry->lock);
        if (registry->n_idle > 0)
                http = registry->idle[--registry->n_idle];
        pthread_mutex_unlock(&registry->lock);
        if (!http)
                return http_new(&registry->http, ret, err);
        *ret = http;
        return 0;
}

void http_give(Registry *registry, Http *http) {
        if (!http)
                return;
        http_end(http);
        pthread_mutex_lock(&registry->lock);
        if (registry->n_idle < CONNECTIONS_MAX) {
                registry->idle[registry->n_idle++] = http;
                http = NULL;
        }
        pthread_mutex_unlock(&registry->lock);
        http_free(http);
}

static int take_creds(const char *text, Credentials *ret, Error *err) {
        const char *colon = strchr(text, ':');

        if (colon == text || !text[0])
                return error_set(err, ERROR_INVALID_ARGUMENT, "credentials are USER:PASSWORD");
        if (string_format(&ret->user, err, "%.*s", (int) (colon ? colon - text : (int) strlen(text)), text) < 0)
                return -1;
        return string_copy(colon ? colon + 1 : "", &ret->password, err);
}

int registry_open(const RegistryOptions *options, Registry **ret, Error *err) {
        Registry *registry;

        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
                return error_oom(err);
        registry = calloc(1, sizeof(*registry));
        if (!registry) {
                curl_global_cleanup();
                return error_oom(err);
        }
        registry->options = *options;
        if (!registry->options.timeout)
                registry->options.timeout = REGISTRY_TIMEOUT;
        if (!registry->options.speed_min)
                registry->options.speed_min = REGISTRY_SPEED_MIN;
        if (!registry->options.retry_wait_max)
                registry->options.retry_wait_max = REGISTRY_RETRY_WAIT_MAX;
        registry->http = (HttpSettings) {
                .timeout = registry->options.timeout,
                .speed_min = registry->options.speed_min,
                .cancelled = options->cancelled,
        };
        pthread_mutex_init(&registry->lock, NULL);
        registry->idle = calloc(CONNECTIONS_MAX, sizeof(*registry->idle));
        if (!registry->idle) {
                registry_close(registry);
                return error_oom(err);
        }
        if ((options->creds && take_creds(options->creds, &registry->given, err) < 0) || registries_conf_load(&registry->conf, err) < 0) {
                registry_close(registry);
                return -1;
        }
        *ret = registry;
        return 0;
}

Registry *registry_close(Registry *registry) {
        if (!registry)
                return NULL;
        for (size_t i = 0; i < registry->n_idle; i++)
                http_free(registry->idle[i]);
        free(registry->idle);
        for (size_t i = 0; i < registry->n_servers; i++)
                server_free(registry->servers[i]);
        free(registry->servers);
        credentials_clear(&registry->given);
        registries_conf_clear(&registry->conf);
        pthread_mutex_destroy(&registry->lock);
        free(registry);
        curl_global_cleanup();
        return NULL;
}
