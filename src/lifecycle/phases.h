#pragma once

/*
 * The phases of the transactions, one file each, or two that belong together. Every run function works on a Transaction, every undo
 * function on what is on disk; see transaction.h. The tables that order them are in create.c and start.c.
 */

#include "lifecycle/transaction.h"

int validate_request(Transaction *t, Error *err);   /* create */
int validate_restart(Transaction *t, Error *err);   /* start of a stopped container */

int ensure_image(Transaction *t, Error *err);
int drop_image(Undo *undo, Error *err);

int ensure_layers(Transaction *t, Error *err);
int drop_layers(Undo *undo, Error *err);

/** userns_is_wanted() - whether the container gets a user namespace: by the user's options, else by runtime and configuration */
bool userns_is_wanted(const Transaction *t);
/** userns_choose() - its ids: sets t->mapping, and t->uid_map and t->gid_map where the user gave none. Errors: InvalidArgument, NotSupported */
int userns_choose(Transaction *t, Error *err);
/** userns_options() - the user's options with what was chosen; a shallow copy: nothing of it is to be freed */
SpecOptions userns_options(const Transaction *t);

int make_root(Transaction *t, Error *err);
int mount_root(Transaction *t, Error *err);         /* start: the root is there, only its mount is gone */
int remove_root(Undo *undo, Error *err);

int check_volumes(Transaction *t, Error *err);

int write_config(Transaction *t, Error *err);
int remove_config(Undo *undo, Error *err);
/** machine_id_set() - write @id to /etc/machine-id, unless the image has one. @mapping: who its owner is on the host. Errors: FileError, InvalidRootfs */
int machine_id_set(int root_fd, const char *id, const IdMapping *mapping, Error *err);

/** prepare_network() - what the configuration has to say of it goes into @options, whose new strings are the caller's to free */
int prepare_network(Transaction *t, SpecOptions *options, Error *err);
int make_network(Transaction *t, const SpecOptions *options, Error *err);
int make_network_again(Transaction *t, Error *err); /* start */
int remove_network(Undo *undo, Error *err);

int create_in_runtime(Transaction *t, Error *err);
/** prepare_runtime() - the runtime's own directory, and no trace of an earlier run's end */
int prepare_runtime(Transaction *t, Error *err);
int kill_in_runtime(Undo *undo, Error *err);

int run_hooks(Transaction *t, Error *err);

int publish(Transaction *t, Error *err);
int unpublish(Undo *undo, Error *err);

/** owner_name() - the name of who runs this, as the host knows it; free() */
int owner_name(char **ret, Error *err);

/** driver_root() - what the storage driver's calls want; @fd and the image borrowed */
DriverRoot driver_root(Store *store, int container_fd, const char *path, const StoreImage *image);

/** container_started() - BackendContainer.started, with a RunDir: who only waits for a container holds up nobody else */
void container_started(void *dir);

/** container_config_dir() - where its config.json is: @dir when it was made from another file than the bundle's, which was copied there.
 * @dir: may be NULL */
const char *container_config_dir(const RunDir *dir, const char *bundle);

/** backend_container() - what the backend's calls want, for a container of @dir; @runtime_dir: its buffer */
BackendContainer backend_container(const Lifecycle *lifecycle, const Backend *backend, const RunDir *dir, const char *bundle, bool systemd_cgroup,
                                   char runtime_dir[PATH_MAX]);

/** backend_failed() - what failed in a call of the backend: a hook, and then the phase is "hooks"; or a runtime that is not usable here at all */
void backend_failed(const Lifecycle *lifecycle, const Backend *backend, Error *err);

/** create_request() - the BackendCreate of a transaction, stdio inherited */
BackendCreate create_request(const Transaction *t);

/**
 * own_stdin() - keep the host's /dev/null from a container with a user namespace: crun gives its standard streams to that one's root
 * @ret_fd: what standard input is now, at its end as well; set when it was /dev/null. The caller closes it
 */
int own_stdin(const Transaction *t, BackendCreate *request, int *ret_fd, Error *err);

/** init_is_known() - identify the init and its cgroups, and journal them */
int init_is_known(Transaction *t, int journal_fd, pid_t init, Error *err);

/** monitored_create() - create in a monitor of ours that holds its stdio; the monitor itself never returns from it */
int monitored_create(Transaction *t, Error *err);
