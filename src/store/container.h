#pragma once

/*
 * The record of a container made from an image, containers/ID/:
 *
 *   container.json   ContainerRecord
 *   config.json      the runtime config; the directory is the bundle
 *   rootfs/          mount point of the root (driver overlay), or the root itself (driver dir)
 *   upper/ work/     the driver's
 *   log              stdout and stderr of a detached container (capped, rotated to log.1)
 *   exit.json        {"exitCode", "exited", "oomKilled"} of the last run, written by the monitor
 *
 * A transaction writes it before its first durable effect, so that after a power loss `recover` knows what to undo: fsynced, unless the
 * container goes at its end anyway.
 */

#include "base/process.h"
#include "store/store.h"

typedef struct ContainerRecord {
        char *id;
        char *root;        /* --root it belongs to, absolute */
        char *image_name;  /* what the user said */
        Digest image;      /* manifest */
        char *driver;      /* storage driver */
        char *runtime;     /* backend */
        char *created;     /* RFC 3339 */
        char *stop_signal; /* "SIGTERM" when the image says none */
        char boot_id[BOOT_ID_MAX];
        bool complete;     /* false: a transaction is under way or was cut off */
        bool systemd_cgroup, terminal;
        bool on_boot;      /* to be started with the host */
        char *hostname;
} ContainerRecord;

ContainerRecord *container_record_free(ContainerRecord *record);
static inline void container_record_freep(ContainerRecord **record) {
        container_record_free(*record);
}

/**
 * container_dir_make() - make containers/ID/ with its record in it, whole or not at all: no crash leaves a directory without a record
 * @record:  its id names the directory; saved as it is (`complete` false for a transaction that begins)
 * @durable: a power loss after this call leaves it there; without, nothing is synced: what a power loss leaves may be a lost record
 *
 * Errors: ContainerExists when it is there, InvalidArgument for an id that cannot name a directory
 */
int container_dir_make(Store *store, const ContainerRecord *record, bool durable, int *ret_fd, Error *err);
/** container_dir_open() - Errors: ContainerNotFound */
int container_dir_open(Store *store, const char *id, int *ret_fd, Error *err);
/**
 * container_dir_share() - let a group pass through to what is in containers/ID/, which is root's alone otherwise
 *
 * A user namespace's root is nobody to the host's directories. Only this container's own lets that group through; the store's and
 * containers/ let anybody pass who knows what to look for, which finds no other way that is open. Errors: FileError
 */
int container_dir_share(Store *store, int container_fd, gid_t gid, Error *err);
/** container_dir_remove() - remove it with all it holds; gone from the list at once. A mount in it: FileError EBUSY. Missing: success */
int container_dir_remove(Store *store, const char *id, Error *err);
/** container_list() - ids of every record, sorted; strv_free() */
int container_list(Store *store, char ***ret, Error *err);

/**
 * container_record_is_lost() - whether a power loss came before the record's content reached the disk, which leaves an empty file
 *
 * Only a container that was to go at its end has a record that is not synced. No living process ever sees an empty one: a record gets its
 * name when it is whole.
 */
bool container_record_is_lost(int container_fd);
/** container_record_load() - Errors: ContainerNotFound (none, or lost), InvalidJson, InvalidState (a field is missing or of another type) */
int container_record_load(int container_fd, ContainerRecord **ret, Error *err);
/** container_record_save() - @durable: fsync file and directory */
int container_record_save(int container_fd, const ContainerRecord *record, bool durable, Error *err);
