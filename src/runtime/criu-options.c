/* The user's options, and what the engine knows of a container, as fields of CRIU's request. */

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "runtime/criu-message.h"
#include "runtime/criu.h"

#define PROC_CGROUP_MAX 65536 /* bytes; a dozen hierarchies, each a path */
#define PORT_MAX        65535

typedef struct Word {
        const char *name;
        uint64_t value;
} Word;

/* Source: CRIU, rpc.proto, criu_cg_mode; the names are runc's */
static const Word cgroup_modes[] = { { "soft", 3 }, { "full", 4 }, { "strict", 5 }, { "ignore", 0 }, { NULL, 6 } };

/* Source: CRIU, rpc.proto, criu_network_lock_method */
static const Word network_locks[] = { { "iptables", 1 }, { "nftables", 2 }, { "skip", 3 }, { NULL, 0 } };

static const Word namespaces[] = { { "network", CLONE_NEWNET }, { NULL, 0 } };

/* The last row is what nothing said means. */
static int find_word(const Word *words, const char *option, const char *text, uint64_t *ret, Error *err) {
        const Word *word = words;

        while (word->name && (!text || strcmp(word->name, text)))
                word++;
        if (text && !word->name) {
                _cleanup_buf_ Buf known = BUF_INIT(256);

                for (word = words; word->name; word++)
                        (void) buf_printf(&known, NULL, "%s'%s'", word == words ? "" : ", ", word->name);
                return error_set(err, ERROR_INVALID_ARGUMENT, "--%s '%s': not one of %s", option, text, known.data);
        }
        *ret = word->value;
        return 0;
}

/* What is false is left away, so that a configuration file of CRIU's may say so. */
typedef struct Flag {
        CriuField field;
        bool wanted;
} Flag;

static int add_flags(Criu *criu, const Flag *flags, size_t n, Error *err) {
        for (size_t i = 0; i < n; i++)
                if (flags[i].wanted && criu_put_number(&criu->options, flags[i].field, true, err) < 0)
                        return -1;
        return 0;
}

static int add_common(Criu *criu, const CriuOptions *o, Error *err) {
        const Flag flags[] = {
                { CRIU_TCP_ESTABLISHED, o->tcp_established }, { CRIU_EXT_UNIX_SK, o->ext_unix_sk },
                { CRIU_SHELL_JOB, o->shell_job },             { CRIU_FILE_LOCKS, o->file_locks },
                { CRIU_LAZY_PAGES, o->lazy_pages },           { CRIU_AUTO_DEDUP, o->auto_dedup },
        };
        uint64_t mode, lock, one, empty = 0;

        if (find_word(cgroup_modes, "manage-cgroups-mode", o->manage_cgroups_mode, &mode, err) < 0 ||
            find_word(network_locks, "network-lock", o->network_lock, &lock, err) < 0)
                return -1;
        for (char *const *name = o->empty_ns; name && *name; name++) {
                if (find_word(namespaces, "empty-ns", *name, &one, err) < 0)
                        return -1;
                empty |= one;
        }
        if (criu_put_number(&criu->options, CRIU_MANAGE_CGROUPS_MODE, mode, err) < 0 ||
            (lock && criu_put_number(&criu->options, CRIU_NETWORK_LOCK, lock, err) < 0) ||
            (empty && criu_put_number(&criu->options, CRIU_EMPTY_NS, empty, err) < 0))
                return -1;
        return add_flags(criu, flags, ARRAY_SIZE(flags), err);
}

/* "ADDRESS:PORT"; an address of IPv6 is in brackets. */
static int add_page_server(Criu *criu, const char *text, Error *err) {
        const char *colon = strrchr(text, ':');
        _cleanup_buf_ Buf server = BUF_INIT(512);
        _cleanup_free_ char *address = NULL;
        unsigned long port = 0;
        char *end = NULL;
        size_t len = colon ? (size_t) (colon - text) : 0;

        if (colon)
                port = strtoul(colon + 1, &end, 10);
        if (!len || !end || end == colon + 1 || *end || port < 1 || port > PORT_MAX)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--page-server '%s': not ADDRESS:PORT", text);
        if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
                text++;
                len -= 2;
        }
        if (string_format(&address, err, "%.*s", (int) len, text) < 0 || criu_put_text(&server, 1, address, err) < 0 ||
            criu_put_number(&server, 2, port, err) < 0)
                return -1;
        return criu_put_message(&criu->options, CRIU_PAGE_SERVER, &server, err);
}

int criu_add_dump(Criu *criu, const CriuDump *dump, pid_t root, Error *err) {
        const Flag flags[] = {
                { CRIU_LEAVE_RUNNING, dump->leave_running },
                { CRIU_TCP_SKIP_IN_FLIGHT, dump->tcp_skip_in_flight },
                { CRIU_LINK_REMAP, dump->link_remap },
                /* Pages are compared with those of a dump before, or a later one may want to */
                { CRIU_TRACK_MEMORY, dump->parent_path || dump->pre_dump },
        };

        criu->pre_dump = dump->pre_dump;
        if (criu_put_number(&criu->options, CRIU_PID, (uint64_t) root, err) < 0 || add_common(criu, &dump->criu, err) < 0 ||
            add_flags(criu, flags, ARRAY_SIZE(flags), err) < 0 || (dump->page_server && add_page_server(criu, dump->page_server, err) < 0))
                return -1;
        return criu_put_text(&criu->options, CRIU_PARENT_IMAGE, dump->parent_path, err);
}

int criu_add_restore(Criu *criu, const CriuRestore *restore, Error *err) {
        const Flag flags[] = {
                { CRIU_TCP_CLOSE, restore->tcp_close },
                /* A device may be reached by another path than the one it was opened by */
                { CRIU_EVASIVE_DEVICES, true },
                /* The container's init is our child, not CRIU's */
                { CRIU_RESTORE_SIBLING, true },
        };

        if (add_common(criu, &restore->criu, err) < 0 || add_flags(criu, flags, ARRAY_SIZE(flags), err) < 0 ||
            criu_put_text(&criu->options, CRIU_LSM_PROFILE, restore->lsm_profile, err) < 0)
                return -1;
        return criu_put_text(&criu->options, CRIU_LSM_MOUNT_CONTEXT, restore->lsm_mount_context, err);
}

int criu_add_external(Criu *criu, Error *err, const char *fmt, ...) {
        _cleanup_free_ char *text = NULL;
        va_list args;
        int r;

        va_start(args, fmt);
        r = string_vformat(&text, err, fmt, args);
        va_end(args);
        return r < 0 ? -1 : criu_put_text(&criu->options, CRIU_EXTERNAL, text, err);
}

int criu_add_inherited(Criu *criu, const char *key, int number, Error *err) {
        _cleanup_buf_ Buf part = BUF_INIT(CRIU_REQUEST_MAX);

        if (criu_put_text(&part, 1, key, err) < 0 || criu_put_number(&part, 2, (uint64_t) number, err) < 0)
                return -1;
        return criu_put_message(&criu->options, CRIU_INHERIT_FD, &part, err);
}

int criu_add_join(Criu *criu, const char *type, const char *path, Error *err) {
        return criu_put_pair(&criu->options, CRIU_JOIN_NS, type, path, err);
}

/* "4:memory:/a/b": the second part is the controllers' name for CRIU, too; that of v2 is empty. */
int criu_add_own_cgroups(Criu *criu, Error *err) {
        _cleanup_free_ char *text = NULL;
        char path[32], *line, *save = NULL;

        (void) snprintf(path, sizeof(path), "/proc/%d/cgroup", (int) criu->pid);
        if (file_read_at(AT_FDCWD, path, PROC_CGROUP_MAX, &text, NULL, err) < 0)
                return -1;
        for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *names = strchr(line, ':'), *at = names ? strchr(names + 1, ':') : NULL;

                if (!at)
                        continue;
                *at++ = '\0';
                if (criu_put_pair(&criu->options, CRIU_CGROUP_ROOT, names + 1, at, err) < 0)
                        return -1;
        }
        return 0;
}

int criu_add_freezer(Criu *criu, const char *path, Error *err) {
        return criu_put_text(&criu->options, CRIU_FREEZE_CGROUP, path, err);
}

int criu_add_config(Criu *criu, const char *path, Error *err) {
        return criu_put_text(&criu->options, CRIU_CONFIG_FILE, path, err);
}

int criu_add_root(Criu *criu, const char *path, Error *err) {
        return criu_put_text(&criu->options, CRIU_ROOT, path, err);
}
