/* The user namespace of a container and the ids mapped into it. */

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "oci/spec-parts.h"
#include "oci/subid.h"

#define USERNS_SIZE_AUTO  65536      /* ids; what images of a Linux distribution use */
#define HOST_START_DEFAULT 100000    /* Proxmox VE, pct(1), unprivileged containers */
#define MAPPING_MAX       340        /* ranges; user_namespaces(7) */

static int mapping_append(json_t *mappings, int64_t container, int64_t host, int64_t size, Error *err) {
        return part_append(
                mappings,
                json_pack("{s:I, s:I, s:I}", "containerID", (json_int_t) container, "hostID", (json_int_t) host, "size", (json_int_t) size),
                err);
}

/* CONTAINER:HOST:SIZE[,…]; ranges are checked with the rest of the configuration. */
static int map_parse(const char *option, const char *text, json_t **ret, Error *err) {
        _cleanup_json_ json_t *mappings = json_array();

        for (const char *p = text;; p++) {
                int64_t numbers[3];

                for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                        char *end;

                        errno = 0;
                        numbers[i] = strtoll(p, &end, 10);
                        if (end == p || *p < '0' || *p > '9' || errno != 0 || numbers[i] > UINT32_MAX || (i < 2 && *end != ':')) {
                                error_set(err, ERROR_INVALID_ARGUMENT, "%s '%s' is not CONTAINER:HOST:SIZE", option, text);
                                return error_hint(err, "for example %s 0:100000:65536", option);
                        }
                        p = i < 2 ? end + 1 : end;
                }
                if (json_array_size(mappings) == MAPPING_MAX)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "%s has more than %d ranges", option, MAPPING_MAX);
                if (mapping_append(mappings, numbers[0], numbers[1], numbers[2], err) < 0)
                        return -1;
                if (*p == '\0')
                        break;
                if (*p != ',')
                        return error_set(err, ERROR_INVALID_ARGUMENT, "%s '%s' is not CONTAINER:HOST:SIZE[,…]", option, text);
        }
        *ret = TAKE(mappings);
        return 0;
}

/* The first range that /etc/subuid or /etc/subgid gives a user; *ret_size is 0 when there is none. */
static int subid_find(const char *path, const char *user, int64_t *ret_start, int64_t *ret_size, Error *err) {
        _cleanup_free_ SubidRange *ranges = NULL;
        size_t n;

        if (subid_ranges(path, user, NULL, &ranges, &n, err) < 0)
                return -1;
        *ret_start = n > 0 ? ranges[0].start : 0;
        *ret_size = n > 0 ? ranges[0].size : 0;
        return 0;
}

static int subid_of_containers(const char *path, int64_t *ret_start, int64_t *ret_size, Error *err) {
        *ret_size = 0;
        for (const char *const *user = (const char *const[]) { "containers", "root", NULL }; *user && *ret_size == 0; user++)
                if (subid_find(path, *user, ret_start, ret_size, err) < 0)
                        return -1;
        return 0;
}

/* A range for containers, of at most @wanted ids (0: all there are): that of the user 'containers', as for podman, else root's. */
static int subid_mapping(const char *path, int64_t wanted, json_t **ret, Error *err) {
        _cleanup_json_ json_t *mappings = NULL;
        int64_t start = 0, size = 0;

        if (subid_of_containers(path, &start, &size, err) < 0)
                return -1;
        if (size <= 0 || size < wanted) {
                error_set(err, ERROR_INVALID_ARGUMENT, "--userns: '%s' has no range of %lld ids for 'containers' or 'root'", path,
                          (long long) (wanted ?: 1));
                return error_hint(
                        err,
                        "add one: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 root, or give --uidmap and --gidmap");
        }
        mappings = json_array();
        if (mapping_append(mappings, 0, start, wanted ?: size, err) < 0)
                return -1;
        *ret = TAKE(mappings);
        return 0;
}

static int mappings_of(const SpecOptions *options, const char *option, const char *own, const char *other, const char *subid, json_t **ret,
                       Error *err) {
        int64_t wanted = 0;

        /* One map given serves both, as in podman. */
        if (own || other)
                return map_parse(option, own ?: other, ret, err);
        if (!strncmp(options->userns, "auto", 4)) {
                const char *size = strchr(options->userns, '=');

                wanted = size ? strtoll(size + 1, NULL, 10) : USERNS_SIZE_AUTO;
        }
        return subid_mapping(subid, wanted, ret, err);
}

int userns_build(const SpecOptions *options, json_t *linux_part, Error *err) {
        bool mapped = options->uid_map || options->gid_map, host = options->userns && !strcmp(options->userns, "host");
        json_t *uids, *gids;

        if (host && mapped)
                return error_set(err, ERROR_INVALID_ARGUMENT,
                                 "--uidmap and --gidmap map into a user namespace, and --userns host asks for none");
        if (host || (!options->userns && !mapped))
                return 0;
        if (mappings_of(options, "--uidmap", options->uid_map, options->gid_map, "/etc/subuid", &uids, err) < 0 ||
            part_set(linux_part, "uidMappings", uids, err) < 0)
                return -1;
        if (mappings_of(options, "--gidmap", options->gid_map, options->uid_map, "/etc/subgid", &gids, err) < 0 ||
            part_set(linux_part, "gidMappings", gids, err) < 0)
                return -1;
        return part_append(json_object_get(linux_part, "namespaces"),
                           json_pack("{s:s, s:s*}", "type", "user", "path", options->userns_path), err);
}

static int host_range(const char *path, IdRange *ret, Error *err) {
        int64_t start, size;

        if (subid_of_containers(path, &start, &size, err) < 0)
                return -1;
        if (size < USERNS_SIZE_AUTO) {
                start = HOST_START_DEFAULT;
                size = USERNS_SIZE_AUTO;
        }
        if (start < 1 || start >= UINT32_MAX || size > UINT32_MAX - start)
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' has no range of ids for containers: %lld:%lld", path, (long long) start,
                                 (long long) size);
        *ret = (IdRange) { .host = (uint32_t) start, .size = (uint32_t) size };
        return 0;
}

int spec_host_ids(IdRange *ret_uids, IdRange *ret_gids, Error *err) {
        return host_range("/etc/subuid", ret_uids, err) < 0 ? -1 : host_range("/etc/subgid", ret_gids, err);
}

int spec_userns(const SpecOptions *options, IdMapping **ret, Error *err) {
        _cleanup_json_ json_t *part = json_pack("{s:[]}", "namespaces");

        if (!part)
                return error_oom(err);
        if (userns_build(options, part, err) < 0)
                return -1;
        return id_mapping_load(part, ret, err);
}
