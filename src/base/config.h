#pragma once

/*
 * The program's own configuration file (JSON): --config, $PROXMOX_LXCRI_CONFIG, /etc/proxmox-lxcri/config.json. The first of them that is
 * named is the one; only the last may be missing. One table (config.c) holds every key with type, default and help: parsing, `config
 * show`, and the documentation come from it. Unknown keys and wrong types are refused with their line.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CONFIG_PATH_DEFAULT "/etc/proxmox-lxcri/config.json"
#define CONFIG_SIZE_MAX     (1u << 20) /* bytes */

/** One rule of "runtime_rules": the first whose glob (fnmatch) matches chooses the runtime */
typedef struct RuntimeRule {
        char *id;      /* glob on the container's id; NULL: any */
        char *image;   /* glob on the normalised image name; NULL: any */
        char *runtime; /* backend name */
} RuntimeRule;

#define CONFIG_KEYS 22 /* rows of the table */

typedef struct Config {
        char *path;            /* the file it came from; NULL: none, all defaults */
        unsigned lines[CONFIG_KEYS]; /* where each row's key stands in that file; 0: it does not, the default holds */
        char *root;            /* "/run/proxmox-lxcri" */
        char *store;           /* "/var/lib/proxmox-lxcri" */
        char *default_runtime; /* "auto" or a backend name */
        RuntimeRule *rules;    /* default: ids crun-*, oci-*, podman-* → crun */
        size_t n_rules;
        json_t *runtimes;      /* {"crun": {"path": "/usr/bin/crun"}, …}; paths override the PATH look-up */
        char *storage_driver;  /* "auto", "overlay", "dir" */
        bool systemd_cgroup;
        int64_t log_size_max;   /* bytes a log file of a detached container; default 10 MiB */
        int64_t layer_size_max; /* bytes an unpacked layer; default 64 GiB */
        int64_t workers;        /* layers at once; 0: as many as there are processors */
        bool keep_blobs;        /* of layers that were unpacked in the same pass; default true */
        char *userns;           /* of image containers where the runtime makes them unprivileged: "shared", "own" or "host" */
        int64_t userns_first;   /* the host's first id for them; 0: as /etc/subuid and /etc/subgid say */
        int64_t userns_count;   /* how many ids there are from it on */
        int64_t stop_timeout;   /* seconds between stop signal and SIGKILL; default 10 */
        char *network_bridge;   /* of --network bridge without a name; default vmbr0 */
        int64_t dhcp_timeout;   /* seconds for a DHCP server to answer a container that starts; default 45 */
        int64_t pids_limit;     /* for image containers without --pids-limit; default 2048 as podman; 0 or -1: none */
        int64_t registry_timeout;        /* seconds to connect to a registry, and without enough bytes; default 60 */
        int64_t registry_speed_min;      /* bytes a second that are enough; default 64 */
        int64_t registry_retries;        /* tries after the first one; default 5 */
        int64_t registry_retry_wait_max; /* seconds between two tries at most; default 60 */
} Config;

/**
 * config_load() - read the effective configuration
 * @path: --config; NULL: the search order
 *
 * Errors: ConfigError (cannot be read), InvalidConfig (unknown key, wrong type or value; with file and line)
 */
int config_load(const char *path, Config **ret, Error *err);
Config *config_free(Config *config);
static inline void config_freep(Config **config) {
        config_free(*config);
}

/** config_show() - {"KEY": {"value": …, "source": "default" | "/etc/…:LINE"}, …} in the table's order */
int config_show(const Config *config, json_t **ret, Error *err);

/** config_runtime_path() - the configured program of a backend, or NULL; borrowed */
const char *config_runtime_path(const Config *config, const char *runtime);

/** config_key_at() - rows of the table for docs and completion; false past the end */
typedef struct ConfigKey {
        const char *name, *type;
        const char *default_text; /* JSON */
        const char *help;
} ConfigKey;
bool config_key_at(size_t index, ConfigKey *ret);
