#pragma once

/*
 * What the engine keeps below runtime_dir, each written before it has an effect: `engine.json` (cgroups, hooks that come later, the state
 * for them), `init` (the process), `start` (the socket on which the init waits). Private to engine/.
 */

#include <jansson.h>
#include <stdbool.h>

#include "base/process.h"
#include "engine/engine.h"
#include "runtime/cgroup-create.h"

#define RECORD_FILE "engine.json"
#define INIT_FILE   "init"
#define START_FILE  "start"

/** record_save() - @planned: cgroups that are about to be made; @keyring: it gets a session keyring; @ret: as record_load() would give it */
int record_save(int dir_fd, const EngineContainer *container, const json_t *spec, bool keyring, char *const *planned, json_t **ret,
                Error *err);

/** record_load() - *ret is NULL when there is none, or none that was whole: nothing had happened then */
int record_load(int dir_fd, json_t **ret, Error *err);

/** record_cgroups() - those that were planned, of a record; strv_free() */
int record_cgroups(const json_t *record, char ***ret, Error *err);

/** record_path() - linux.cgroupsPath of the container; NULL: none */
const char *record_path(const json_t *record);

/** record_save_init(), record_load_init() - pid 0: none is known; @ret: what was written */
int record_save_init(int dir_fd, pid_t pid, ProcessRef *ret, Error *err);
int record_load_init(int dir_fd, ProcessRef *ret, Error *err);

/** record_forget() - remove the files */
int record_forget(int dir_fd, Error *err);

/** cgroup_request() - what cgroup_create() wants, of a configuration */
CgroupRequest cgroup_request(const EngineContainer *container, const json_t *spec);
