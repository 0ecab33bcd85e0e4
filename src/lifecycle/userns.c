/*
 * Whose ids a container made from an image has on the host. "shared" gives every container the same range, so files that are carried from
 * one to another keep their owners; with "own" one that breaks out is still nobody to the others.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "lifecycle/phases.h"

#define OWN_FILE  "ids"   /* in containers/ID/: which range is its own, a number; 0 is the shared one */
#define OWN_MAX   65536   /* containers of one store with ranges of their own: more than there are ids for */
#define RANGE     65536u  /* ids of a container; what images of a Linux distribution use */

/* "shared", "own", or NULL when the user has said all there is to say, or there is nothing to choose. */
static const char *mode_of(const Transaction *t) {
        const SpecOptions *options = t->request->options;
        const char *mode = options->userns;

        if (options->uid_map || options->gid_map)
                return NULL;
        /* All devices and capabilities are worth nothing to a root that is nobody. */
        if (!mode && (t->backend->capabilities & BACKEND_UNPRIVILEGED) && !options->privileged)
                mode = t->lifecycle->config->userns;
        return mode && (!strcmp(mode, "shared") || !strcmp(mode, "own")) ? mode : NULL;
}

bool userns_is_wanted(const Transaction *t) {
        const SpecOptions *options = t->request->options;

        return mode_of(t) || options->uid_map || options->gid_map || (options->userns && strcmp(options->userns, "host"));
}

SpecOptions userns_options(const Transaction *t) {
        SpecOptions options = *t->request->options;

        if (t->uid_map) {
                options.userns = NULL;
                options.uid_map = t->uid_map;
                options.gid_map = t->gid_map;
        }
        return options;
}

static int host_ids(const Config *config, IdRange *ret_uids, IdRange *ret_gids, Error *err) {
        if (config->userns_first == 0)
                return spec_host_ids(ret_uids, ret_gids, err);
        if (config->userns_first + config->userns_count > UINT32_MAX)
                return error_set(err, ERROR_INVALID_CONFIG, "userns_first and userns_count: %" PRId64 ":%" PRId64 " ends past the last id",
                                 config->userns_first, config->userns_count);
        *ret_uids = *ret_gids = (IdRange) { .host = (uint32_t) config->userns_first, .size = (uint32_t) config->userns_count };
        return 0;
}

/* Marks the ranges that the store's other containers have. */
static int find_taken(Transaction *t, bool *taken, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *entry;

        if (dir_read(store_containers_fd(t->store), &dir, err) < 0)
                return -1;
        while ((entry = dir_next(dir))) {
                _cleanup_free_ char *path = NULL, *text = NULL;
                Error cause = ERROR_INIT;
                unsigned long n;
                char *end;

                if (string_format(&path, err, "%s/" OWN_FILE, entry->d_name) < 0)
                        return -1;
                if (file_read_at(store_containers_fd(t->store), path, 16, &text, NULL, &cause) < 0) {
                        if (cause.errnum == ENOENT || cause.errnum == ENOTDIR)
                                continue;
                        return error_set(err, cause.kind, "%s", cause.text);
                }
                if (!text[0])
                        continue; /* of a container that went with a power loss, before it was on the disk */
                n = strtoul(text, &end, 10);
                if (end == text || n >= OWN_MAX)
                        return error_set(err, ERROR_FILE, "'%s/containers/%s' is not the number of a range", store_path(t->store), path);
                taken[n] = true;
        }
        return 0;
}

/* The lowest that nobody has, written down under the lock. */
static int take_own(Transaction *t, size_t n_ranges, size_t *ret, Error *err) {
        _cleanup_free_ bool *taken = calloc(OWN_MAX, sizeof(*taken));
        _cleanup_close_ int lock = -EBADF;
        char text[16];
        size_t i = 1;

        if (!taken)
                return error_oom(err);
        if (store_lock(t->store, OWN_FILE, true, true, &lock, err) < 0 || find_taken(t, taken, err) < 0)
                return -1;
        while (i < n_ranges && taken[i])
                i++;
        if (i >= n_ranges) {
                error_set(err, ERROR_INVALID_CONFIG, "there are ids for %zu containers with ids of their own", i - 1);
                return error_hint(err, "give 'root' a longer range in /etc/subuid and /etc/subgid, or the configuration userns_first and "
                                       "userns_count; or use --userns shared");
        }
        snprintf(text, sizeof(text), "%zu\n", i);
        *ret = i;
        return file_write_atomic_at(t->container_fd, OWN_FILE, text, strlen(text), 0600, t->request->remove ? 0 : WRITE_DURABLE, err);
}

static int choose_range(Transaction *t, bool own, Error *err) {
        IdRange uids, gids;
        size_t n_ranges, i = 0;

        if (host_ids(t->lifecycle->config, &uids, &gids, err) < 0)
                return -1;
        n_ranges = (uids.size < gids.size ? uids.size : gids.size) / RANGE;
        if (own && take_own(t, n_ranges < OWN_MAX ? n_ranges : OWN_MAX, &i, err) < 0)
                return -1;
        if (string_format(&t->uid_map, err, "0:%" PRIu32 ":%u", uids.host + (uint32_t) i * RANGE, RANGE) < 0)
                return -1;
        return string_format(&t->gid_map, err, "0:%" PRIu32 ":%u", gids.host + (uint32_t) i * RANGE, RANGE);
}

int userns_choose(Transaction *t, Error *err) {
        const char *mode = mode_of(t);
        SpecOptions options;

        if (mode && choose_range(t, !strcmp(mode, "own"), err) < 0)
                return -1;
        options = userns_options(t);
        return spec_userns(&options, &t->mapping, err);
}
