/*
 * A user without privileges. What has to do with images is done as root of a user namespace: a container keeps the one it was made in, and
 * commands on it join that through its processes, as long as it has any. Bundles' containers are made as the user, without such a
 * namespace.
 */

#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/module.h"
#include "lifecycle/journal.h"
#include "lifecycle/namespace.h"
#include "lifecycle/rundir.h"
#include "lifecycle/transaction.h"
#include "oci/subid.h"
#include "runtime/user-namespace.h"

/* Who may be in the namespaces of a container, likeliest first. */
typedef struct Candidates {
        ProcessRef processes[5];
        size_t n;
        uint64_t mount_namespace;
        char boot_id[BOOT_ID_MAX];
} Candidates;

static void add_candidate(Candidates *c, const ProcessRef *process) {
        if (process->pid > 0 && c->n < ARRAY_SIZE(c->processes))
                c->processes[c->n++] = *process;
}

/* Our own ids first, then the ranges that the file gives us. */
static int map_ids(const char *path, const char *name, uint32_t own, IdMap *map, Error *err) {
        _cleanup_free_ SubidRange *ranges = NULL;
        uint32_t next = 1;
        char id[16];
        size_t n;

        snprintf(id, sizeof(id), "%u", (unsigned) getuid());
        if (subid_ranges(path, name, id, &ranges, &n, err) < 0)
                return -1;
        if (n == 0) {
                error_set(err, ERROR_NOT_SUPPORTED, "'%s' has no range of ids for user '%s', whose containers of images need one", path,
                          name);
                return error_hint(err,
                                  "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s, with ids that nobody "
                                  "else has",
                                  name);
        }
        map->ranges = calloc(n + 1, sizeof(*map->ranges));
        if (!map->ranges)
                return error_oom(err);
        map->ranges[map->n++] = (IdRange) { .container = 0, .host = own, .size = 1 };
        for (size_t i = 0; i < n; i++) {
                int64_t start = ranges[i].start, size = ranges[i].size;

                if (start < 1 || size < 1 || start >= UINT32_MAX || size > UINT32_MAX - start || size >= UINT32_MAX - next)
                        return error_set(err, ERROR_INVALID_CONFIG, "'%s': %lld:%lld is no range of ids", path, (long long) start,
                                         (long long) size);
                map->ranges[map->n++] = (IdRange) { .container = next, .host = (uint32_t) start, .size = (uint32_t) size };
                next += (uint32_t) size;
        }
        return 0;
}

static int make_namespace(Error *err) {
        _cleanup_(id_mapping_freep) IdMapping *mapping = calloc(1, sizeof(*mapping));
        const struct passwd *user = getpwuid(getuid());
        char name[sizeof("4294967295")];

        if (!mapping)
                return error_oom(err);
        snprintf(name, sizeof(name), "%u", (unsigned) getuid());
        if (map_ids("/etc/subuid", user ? user->pw_name : name, geteuid(), &mapping->uids, err) < 0 ||
            map_ids("/etc/subgid", user ? user->pw_name : name, getegid(), &mapping->gids, err) < 0)
                return -1;
        return user_namespace_make(mapping, err);
}

static void add_state(const RunDir *dir, const char *file, Candidates *c) {
        _cleanup_(state_freep) State *state = NULL;

        if (state_load_as(dir->fd, file, &state, NULL) < 0)
                return;
        add_candidate(c, &state->monitor);
        add_candidate(c, &state->waiter);
        add_candidate(c, &state->init);
        c->mount_namespace = state->mount_namespace;
        memcpy(c->boot_id, state->boot_id, sizeof(c->boot_id));
}

/* What the container's files say; what cannot be read is told by the command itself. */
static int find_candidates(const char *root, const char *id, Candidates *c, Error *err) {
        _cleanup_(journal_freep) Journal *journal = NULL;
        _cleanup_(rundir_freep) RunDir *dir = NULL;

        if (rundir_open(root, id, &dir, err) < 0)
                return -1;
        if (!dir)
                return 0;
        if (journal_load(dir->fd, &journal, NULL) == 0 && journal && journal->has_header) {
                add_candidate(c, &journal->monitor);
                add_candidate(c, &journal->init);
                c->mount_namespace = journal->header.mount_namespace;
                memcpy(c->boot_id, journal->header.boot_id, sizeof(c->boot_id));
        }
        for (const char *const *file = (const char *const[]) { STATE_FILE, DELETING_FILE, STOPPING_FILE, NULL }; *file; file++)
                add_state(dir, *file, c);
        return 0;
}

static bool is_in(pid_t pid, uint64_t mount_namespace) {
        uint64_t inode;

        return process_mount_namespace(pid, &inode, NULL) == 0 && inode == mount_namespace;
}

/* A process in the container's mounts, else any of its user namespaces; 0: nobody is left in them, and the mounts are gone with them. */
static pid_t choose_process(const Candidates *c) {
        pid_t alive = 0;

        for (size_t i = 0; i < c->n; i++) {
                if (!process_is_alive(&c->processes[i]))
                        continue;
                alive = alive ?: c->processes[i].pid;
                if (is_in(c->processes[i].pid, c->mount_namespace))
                        return c->processes[i].pid;
        }
        /* Namespaces' numbers come back: one that is known to be the container's goes first. */
        return alive || c->mount_namespace == 0 ? alive : namespace_process(c->mount_namespace);
}

static int join_container(const Lifecycle *lifecycle, const char *id, bool *ret_joined, Error *err) {
        char boot_id[BOOT_ID_MAX];
        Candidates c = {};
        Error e = ERROR_INIT;
        pid_t pid;

        *ret_joined = false;
        if (find_candidates(lifecycle->root, id, &c, err) < 0 || boot_id_read(boot_id, err) < 0)
                return -1;
        pid = strcmp(boot_id, c.boot_id) ? 0 : choose_process(&c);
        if (!pid)
                return 0;
        *ret_joined = true;
        if (user_namespace_join(pid, c.mount_namespace, &e) == 0)
                return 0;
        /* It has just gone, or a namespace's number has come back: nothing has happened to us then. */
        if (geteuid() != 0) {
                *ret_joined = false;
                return 0;
        }
        if (err)
                *err = e;
        return -1;
}

int lifecycle_enter(Lifecycle *lifecycle, const char *id, Error *err) {
        char path[PATH_MAX];
        bool joined = false;
        int r = 0;

        if (lifecycle->rootless_user || geteuid() == 0)
                return 0;
        /* Asked now, for all who ask later: see there. */
        if (program_path(path, err) < 0)
                return -1;
        if (id) {
                /* What is no container's id is told by the command itself. */
                if (id_check(id, NULL) < 0 ||
                    snprintf(path, sizeof(path), "%s/containers/%s", lifecycle->store, id) >= (int) sizeof(path) ||
                    access(path, F_OK) < 0)
                        return 0;
                r = join_container(lifecycle, id, &joined, err);
        }
        if (r < 0 || (!joined && make_namespace(err) < 0))
                return error_prefix(err, "a user without privileges");
        lifecycle->rootless_user = true;
        return 0;
}
