/* Values of options that are numbers, names and limits, in the syntax of podman and docker. */

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/json.h"
#include "oci/runtime-spec.h"

static void mounts_clear(SpecOptions *options) {
        for (size_t i = 0; i < options->n_mounts; i++) {
                free(options->mounts[i].type);
                free(options->mounts[i].source);
                free(options->mounts[i].destination);
                strv_free(options->mounts[i].options);
        }
        free(options->mounts);
}

static void devices_clear(SpecOptions *options) {
        for (size_t i = 0; i < options->n_devices; i++) {
                free(options->devices[i].host);
                free(options->devices[i].container);
                free(options->devices[i].access);
        }
        free(options->devices);
}

void spec_options_clear(SpecOptions *options) {
        char **const lists[] = { options->args,    options->entrypoint, options->env,
                                 options->cap_add, options->cap_drop,   options->security_opt };
        char *const texts[] = { options->user,    options->workdir, options->hostname,    options->userns,
                                options->uid_map, options->gid_map, options->stop_signal, options->cgroups_path,
                                options->netns_path, options->userns_path, options->etc_path };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                strv_free(lists[i]);
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                free(texts[i]);
        mounts_clear(options);
        devices_clear(options);
        for (size_t i = 0; i < options->n_rlimits; i++)
                free(options->rlimits[i].type);
        free(options->rlimits);
        json_decref(options->annotations);
        *options = (SpecOptions) { 0 };
}

static int value_error(const char *option, const char *value, const char *hint, Error *err) {
        error_set(err, ERROR_INVALID_ARGUMENT, "%s '%s' is not understood", option, value);
        return error_hint(err, "%s", hint);
}

/* Digits, with at most @places after a point, as an integer of 10^-places; NULL when it is not that or too large. */
static const char *decimal_parse(const char *text, unsigned places, int64_t *ret) {
        int64_t n = 0;
        bool point = false, digits = false;
        unsigned after = 0;

        for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
                if (*text == '.') {
                        point = true;
                        continue;
                }
                if (point && after == places)
                        return NULL;
                if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *text - '0', &n))
                        return NULL;
                after += point;
                digits = true;
        }
        for (; after < places; after++)
                if (__builtin_mul_overflow(n, 10, &n))
                        return NULL;
        *ret = n;
        return digits ? text : NULL;
}

/* NUMBER[b|k|m|g|t][b], powers of 1024; a fraction has three places at most */
static bool size_parse(const char *text, int64_t *ret) {
        static const char units[] = "bkmgt";
        int64_t milli;
        __int128 bytes;
        const char *p = decimal_parse(text, 3, &milli), *unit;
        unsigned shift = 0;

        if (!p)
                return false;
        if (*p) {
                unit = strchr(units, *p | 0x20);
                if (!unit)
                        return false;
                shift = 10 * (unsigned) (unit - units);
                p++;
                if (shift > 0 && !strcasecmp(p, "ib"))
                        p += 2;
                else if (shift > 0 && !strcasecmp(p, "b"))
                        p++;
        }
        bytes = ((__int128) milli << shift) / 1000;
        if (*p || bytes > INT64_MAX)
                return false;
        *ret = (int64_t) bytes;
        return true;
}

int spec_size(const char *text, int64_t *ret, Error *err) {
        int64_t bytes;

        if (!size_parse(text, &bytes))
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is no size such as 512m", text);
        *ret = bytes;
        return 0;
}

static int size_option(const char *option, const char *value, int64_t *ret, Error *err) {
        int64_t bytes;

        if (!size_parse(value, &bytes) || bytes == 0)
                return value_error(option, value, "a number of bytes with an optional unit b, k, m, g or t, for example 512m", err);
        *ret = bytes;
        return 0;
}

int spec_option_memory(SpecOptions *options, const char *value, Error *err) {
        return size_option("--memory", value, &options->memory, err);
}

int spec_option_memory_swap(SpecOptions *options, const char *value, Error *err) {
        if (!strcmp(value, "-1")) {
                options->memory_swap = -1;
                return 0;
        }
        return size_option("--memory-swap", value, &options->memory_swap, err);
}

int spec_option_shm_size(SpecOptions *options, const char *value, Error *err) {
        return size_option("--shm-size", value, &options->shm_size, err);
}

int spec_option_cpus(SpecOptions *options, const char *value, Error *err) {
        int64_t nano;
        const char *end = decimal_parse(value, 9, &nano);

        if (!end || *end || nano == 0)
                return value_error("--cpus", value, "a number of CPUs with up to nine decimals, for example 1.5", err);
        options->nano_cpus = nano;
        return 0;
}

int spec_option_pids_limit(SpecOptions *options, const char *value, Error *err) {
        int64_t n;
        const char *end = decimal_parse(value, 0, &n);

        if (!strcmp(value, "-1") || (end && !*end && n == 0)) {
                options->pids_limit = -1;
                return 0;
        }
        if (!end || *end || strchr(value, '.'))
                return value_error("--pids-limit", value, "a number of processes; -1 for no limit", err);
        options->pids_limit = n;
        return 0;
}

/* Names of setrlimit(2) without RLIMIT_ */
static const char *const rlimit_names[] = { "as",   "core",  "cpu",    "data",   "fsize", "locks",  "memlock",    "msgqueue",
                                            "nice", "nofile", "nproc", "rss",    "rtprio", "rttime", "sigpending", "stack" };

static bool rlimit_value(const char *text, uint64_t *ret) {
        int64_t n;
        const char *end = decimal_parse(text, 0, &n);

        if (!strcmp(text, "-1") || !strcmp(text, "unlimited")) {
                *ret = UINT64_MAX;
                return true;
        }
        if (!end || *end || strchr(text, '.'))
                return false;
        *ret = (uint64_t) n;
        return true;
}

static int rlimit_set(SpecOptions *options, const char *name, uint64_t soft, uint64_t hard, Error *err) {
        _cleanup_free_ char *type = NULL;
        SpecRlimit *grown;

        if (string_format(&type, err, "RLIMIT_%s", name) < 0)
                return -1;
        for (char *p = type; *p; p++)
                if (*p >= 'a' && *p <= 'z')
                        *p &= (char) ~0x20;
        for (size_t i = 0; i < options->n_rlimits; i++)
                if (!strcmp(options->rlimits[i].type, type)) {
                        options->rlimits[i].soft = soft;
                        options->rlimits[i].hard = hard;
                        return 0;
                }
        grown = reallocarray(options->rlimits, options->n_rlimits + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        grown[options->n_rlimits++] = (SpecRlimit) { .type = TAKE(type), .soft = soft, .hard = hard };
        options->rlimits = grown;
        return 0;
}

int spec_option_ulimit(SpecOptions *options, const char *value, Error *err) {
        static const char hint[] = "NAME=SOFT[:HARD], for example nofile=1024:4096; -1 is unlimited";
        _cleanup_free_ char *copy = NULL;
        char *rest, *name, *soft_text;
        uint64_t soft, hard;

        if (string_copy(value, &copy, err) < 0)
                return -1;
        rest = copy;
        name = strsep(&rest, "=");
        soft_text = rest ? strsep(&rest, ":") : NULL;
        if (!soft_text || !rlimit_value(soft_text, &soft) || (rest && !rlimit_value(rest, &hard)))
                return value_error("--ulimit", value, hint, err);
        if (!rest)
                hard = soft;
        if (soft > hard)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--ulimit '%s': the soft limit is above the hard one", value);
        for (size_t i = 0; i < ARRAY_SIZE(rlimit_names); i++)
                if (!strcmp(rlimit_names[i], name))
                        return rlimit_set(options, name, soft, hard, err);
        error_set(err, ERROR_INVALID_ARGUMENT, "--ulimit '%s': there is no limit '%s'", value, name);
        return error_hint(err, "names are those of setrlimit(2) in lower case: nofile, nproc, core, memlock, …");
}

int spec_option_annotation(SpecOptions *options, const char *value, Error *err) {
        _cleanup_free_ char *key = NULL;
        const char *equals = strchr(value, '=');
        json_t *text;

        if (!equals || equals == value)
                return value_error("--annotation", value, "KEY=VALUE", err);
        key = strndup(value, (size_t) (equals - value));
        if (!key)
                return error_oom(err);
        if (!options->annotations)
                options->annotations = json_object();
        text = json_string(equals + 1);
        if (!text || json_object_set_new(options->annotations, key, text) < 0)
                return value_error("--annotation", value, "KEY=VALUE, both in UTF-8", err);
        return 0;
}

int spec_option_entrypoint(SpecOptions *options, const char *value, Error *err) {
        _cleanup_strv_ char **entrypoint = NULL;
        _cleanup_json_ json_t *array = NULL;

        if (value[0] != '[') {
                if (strv_push(&entrypoint, value, err) < 0)
                        return -1;
        } else {
                if (json_parse(value, strlen(value), "--entrypoint", &array, err) < 0) {
                        if (err)
                                err->kind = ERROR_INVALID_ARGUMENT;
                        return error_hint(err, "a command, or a JSON array of strings such as [\"/bin/sh\", \"-c\"]");
                }
                for (size_t i = 0; i < json_array_size(array); i++) {
                        const char *text = json_string_value(json_array_get(array, i));

                        if (!text)
                                return value_error("--entrypoint", value, "a JSON array of strings only", err);
                        if (strv_push(&entrypoint, text, err) < 0)
                                return -1;
                }
                /* An empty array is no entrypoint, as "" is. */
                if (!entrypoint && strv_push(&entrypoint, "", err) < 0)
                        return -1;
        }
        strv_free(options->entrypoint);
        options->entrypoint = TAKE(entrypoint);
        return 0;
}

int spec_option_userns(SpecOptions *options, const char *value, Error *err) {
        static const char *const modes[] = { "host", "shared", "own", "private", "auto", NULL };
        const char *size = !strncmp(value, "auto:size=", 10) ? value + 10 : NULL, *end, *const *mode = modes;
        char *copy;
        int64_t n;

        if (size) {
                end = decimal_parse(size, 0, &n);
                if (!end || *end || strchr(size, '.') || n == 0 || n > UINT32_MAX)
                        return value_error("--userns", value, "auto:size=N with N ids, for example auto:size=65536", err);
        } else {
                while (*mode && strcmp(*mode, value))
                        mode++;
                if (!*mode)
                        return value_error("--userns", value,
                                           "host, shared, own, private, auto or auto:size=N; with --uidmap and --gidmap, private", err);
        }
        if (string_copy(value, &copy, err) < 0)
                return -1;
        free(options->userns);
        options->userns = copy;
        return 0;
}
