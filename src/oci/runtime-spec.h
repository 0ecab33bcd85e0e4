#pragma once

/*
 * The runtime configuration (config.json of a bundle): checked by field tables, built from an image config and the user's options.
 * Source: runtime-spec 1.0.2 … 1.3.0, config.md and config-linux.md
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "oci/id-mapping.h"
#include "oci/image-config.h"

#define SPEC_FILE             "config.json" /* in a bundle, or beside a container that was made from another file */
#define RUNTIME_SPEC_SIZE_MAX (16u << 20) /* bytes; this program's own cap */

/**
 * spec_load() - read and check DIR/config.json
 * @bundle_fd: the bundle directory
 *
 * Integers beyond int64 (rlimits of 2^64-1) are legal and become reals. A symlink in the file's place is followed, as runtimes do.
 *
 * Errors: BundleNotFound when there is no config.json, InvalidJson, InvalidSpec, FileError
 */
int spec_load(int bundle_fd, json_t **ret, Error *err);

/** spec_load_bundle() - the same of the directory @bundle, whose name is in the error. Errors: BundleNotFound for that one, too */
int spec_load_bundle(const char *bundle, json_t **ret, Error *err);

/** spec_load_file() - the same of a file that the user named, which may be a pipe. Errors: InvalidJson, InvalidSpec, FileError */
int spec_load_file(const char *path, json_t **ret, Error *err);

/**
 * spec_save() - write DIR/config.json, whole or not at all, readable by root only
 * @flags: as file_write_atomic_at()
 *
 * Unlike json_save_at() it writes the real that stands for an unlimited rlimit as the integer that runtimes read.
 *
 * Errors: FileError, OutOfMemory
 */
int spec_save(int bundle_fd, const json_t *spec, unsigned flags, Error *err);

/** spec_print() - compact text; the real that stands for an unlimited number becomes the integer that runtimes write; free(). Errors: OutOfMemory */
int spec_print(const json_t *json, char **ret, Error *err);

/** spec_check() - check a configuration by the schema and the spec's own rules; a wrong field is named by its path. Errors: InvalidSpec */
int spec_check(const json_t *spec, Error *err);

/** spec_resources_check() - the same of a LinuxResources object by itself, as `update` takes it; unknown fields are refused too. Errors: InvalidSpec */
int spec_resources_check(const json_t *resources, Error *err);

/** spec_size() - "512m" as bytes, in the syntax of podman, docker and runc. Errors: InvalidArgument */
int spec_size(const char *text, int64_t *ret, Error *err);

/** spec_features_narrow() - take out of a runtime's features document what spec_check() would refuse. Errors: OutOfMemory */
int spec_features_narrow(json_t *features, Error *err);

/**
 * spec_features_all() - the features document of a runtime that takes every name the schema has for namespaces, hooks, capabilities,
 * seccomp and memory policies
 * @ret: json_decref(); without what is the runtime's own: linux.cgroup, apparmor, selinux, mountOptions, …
 *
 * Errors: OutOfMemory
 */
int spec_features_all(json_t **ret, Error *err);

/** One -v, --mount or --tmpfs, already parsed */
typedef struct SpecMount {
        char *type;        /* "bind", "tmpfs", "volume" is resolved to a bind by the caller */
        char *source;      /* absolute; NULL for tmpfs */
        char *destination; /* absolute */
        char **options;    /* runtime-spec mount options, NULL-terminated; NULL when none */
} SpecMount;

typedef struct SpecRlimit {
        char *type; /* "RLIMIT_NOFILE" */
        uint64_t soft, hard;
} SpecRlimit;

typedef struct SpecDevice {
        char *host, *container; /* paths */
        char *access;           /* "rwm" */
} SpecDevice;

/** --systemd: whether a container is to boot, as of podman */
typedef enum SpecSystemd {
        SYSTEMD_UNSAID,
        SYSTEMD_FALSE,
        SYSTEMD_TRUE,   /* when its command is an init */
        SYSTEMD_ALWAYS,
} SpecSystemd;

#define SPEC_MACHINE_ID_MAX 33 /* 128 bits in hexadecimal and a NUL. Source: machine-id(5) */

/** What the user asked for on top of the image; all members are optional (zero: not said) */
typedef struct SpecOptions {
        char **args;            /* COMMAND and ARGs: in place of the image's Cmd */
        char **entrypoint;      /* set: in place of the image's Entrypoint, and Cmd is dropped; { "" }: no entrypoint */
        char **env;             /* NAME=VALUE in order; a later one wins. --env NAME and --env-file are already resolved */
        char *user;             /* user[:group], names or numbers */
        char *workdir;
        char *hostname;
        int64_t memory;         /* bytes */
        int64_t memory_swap;    /* bytes of memory + swap, -1 unlimited */
        int64_t nano_cpus;      /* --cpus × 1e9 */
        int64_t pids_limit;     /* -1 unlimited */
        SpecMount *mounts;
        size_t n_mounts;
        SpecDevice *devices;
        size_t n_devices;
        SpecRlimit *rlimits;
        size_t n_rlimits;
        char **cap_add, **cap_drop; /* with or without CAP_; "all" */
        char **security_opt;    /* "seccomp=unconfined|default|FILE", "apparmor=PROFILE|unconfined", "label=disable", "no-new-privileges",
                                 * "mask=PATH[:…]", "unmask=ALL|PATH[:…]", "systempaths=unconfined" */
        bool privileged, read_only, tty;
        unsigned tty_rows, tty_columns; /* size of the terminal at its start; 0: left to the runtime */
        int64_t shm_size;       /* bytes; 0: 64 MiB as podman and docker */
        json_t *annotations;    /* of strings; the user's own, passed as they are */
        char *userns;           /* NULL or "host": none; "private" and "auto": mappings of /etc/sub[ug]id unless given below; "shared" and
                                 * "own" are for the caller to make maps of */
        char *uid_map, *gid_map; /* "CONTAINER:HOST:SIZE[,…]" */
        char *stop_signal;
        SpecSystemd systemd;
        bool boots;              /* make it a system container; the caller has looked at @systemd */
        char machine_id[SPEC_MACHINE_ID_MAX]; /* of a system container whose image has none; "": the container's own to choose */
        char *cgroups_path;     /* for linux.cgroupsPath; NULL: the runtime's default */
        char *netns_path;       /* path of a network namespace; NULL: a new one */
        bool host_network;      /* no network namespace of its own */
        bool nested;            /* the container is made in a user namespace, whether it gets one of its own or not */
        char *userns_path;      /* path of the user namespace that owns netns_path; NULL: a new one, when one is asked for */
        char *etc_path;         /* directory of the host with hosts, hostname and resolv.conf for /etc; NULL: the image's own */
} SpecOptions;

/**
 * spec_userns() - the mapping of the user namespace that the options ask for, as spec_build() will say it
 * @ret: NULL when they ask for none; id_mapping_free()
 *
 * Errors: InvalidArgument
 */
int spec_userns(const SpecOptions *options, IdMapping **ret, Error *err);

/**
 * spec_host_ids() - the host's users and groups for containers: the first ranges of 'containers' or 'root' in /etc/subuid and /etc/subgid
 * @ret_uids: its container member is 0; 100000:65536 as in Proxmox VE when a file has no range of 65536 ids
 *
 * Errors: FileError, InvalidArgument (a range past the highest id)
 */
int spec_host_ids(IdRange *ret_uids, IdRange *ret_gids, Error *err);

/** cgroup_is_unified() - whether the host has cgroup v2 and nothing else */
bool cgroup_is_unified(void);

/** spec_runs_init() - whether the container's command is an init: /sbin/init, /usr/sbin/init, /usr/local/sbin/init, or named systemd. As podman */
bool spec_runs_init(const ImageConfig *image, const SpecOptions *options);

/** spec_machine_id() - a new one. Errors: FileError */
int spec_machine_id(char ret[SPEC_MACHINE_ID_MAX], Error *err);

/** What `stop` sends to an init that does not say otherwise: systemd's "halt". Source: systemd(1) */
#define SPEC_INIT_STOP_SIGNAL "SIGRTMIN+3"

/** spec_options_clear() - free what the members own */
void spec_options_clear(SpecOptions *options);

/**
 * spec_build() - the configuration for a container from an image
 * @image:   the image's own config
 * @options: the user's
 * @root_fd: the mounted root filesystem: user and group names are looked up in its /etc/passwd and /etc/group, never through a symlink
 *           out of it, never blocking on what is not a regular file
 * @rootfs:  what root.path says: "rootfs" or an absolute path
 * @ret:     set on success only
 *
 * By image-spec conversion.md; defaults (capabilities, masked and read-only paths, mounts, seccomp) as podman's and docker's users know
 * them. Labels become annotations but for those that would steer a runtime. ociVersion is the lowest that has the fields used.
 * docs/ARCHITECTURE.md, "Runtime configurations", has the choices.
 *
 * Errors: InvalidSpec, InvalidArgument (an option's value, naming it), NotSupported, InvalidRootfs, FileError, OutOfMemory
 */
int spec_build(const ImageConfig *image, const SpecOptions *options, int root_fd, const char *rootfs, json_t **ret, Error *err);

/** spec_default() - what `generate-config` prints: the documented default bundle config, running `sh` with a terminal (as `runc spec`) */
int spec_default(json_t **ret, Error *err);

/** spec_make_rootless() - change such a configuration for a user without privileges, as `runc spec --rootless`. Errors: OutOfMemory */
int spec_make_rootless(json_t *spec, Error *err);

/*
 * Parsing of option values, in the syntax of podman and docker. Each appends to or sets one member of @options.
 * Errors: InvalidArgument or NotSupported, naming option and value, mostly with a hint; FileError for --env-file
 */
int spec_option_volume(SpecOptions *options, const char *value, Error *err);      /* -v HOST:CONTAINER[:OPTIONS] */
int spec_option_mount(SpecOptions *options, const char *value, Error *err);       /* --mount type=bind,src=…,dst=…,ro,… */
int spec_option_tmpfs(SpecOptions *options, const char *value, Error *err);       /* --tmpfs DIR[:OPTIONS] */
int spec_option_device(SpecOptions *options, const char *value, Error *err);      /* --device HOST[:CONTAINER][:rwm] */
int spec_option_ulimit(SpecOptions *options, const char *value, Error *err);      /* --ulimit NAME=SOFT[:HARD] */
int spec_option_memory(SpecOptions *options, const char *value, Error *err);      /* --memory 512m */
int spec_option_memory_swap(SpecOptions *options, const char *value, Error *err); /* --memory-swap 1g | -1 */
int spec_option_cpus(SpecOptions *options, const char *value, Error *err);        /* --cpus 1.5 */
int spec_option_pids_limit(SpecOptions *options, const char *value, Error *err);
int spec_option_shm_size(SpecOptions *options, const char *value, Error *err);
int spec_option_env(SpecOptions *options, const char *value, Error *err);         /* --env NAME=VALUE | NAME | PREFIX* of the caller's */
int spec_option_env_file(SpecOptions *options, const char *path, Error *err);
int spec_option_annotation(SpecOptions *options, const char *value, Error *err);  /* --annotation KEY=VALUE */
int spec_option_entrypoint(SpecOptions *options, const char *value, Error *err);  /* a command, or a JSON array of strings */
int spec_option_systemd(SpecOptions *options, const char *value, Error *err);     /* true | false | always */
int spec_option_userns(SpecOptions *options, const char *value, Error *err);      /* host | private | auto[:size=N] */
