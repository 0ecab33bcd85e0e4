#pragma once

/* From a checked configuration to a plan. Private to engine/. */

#include <jansson.h>

#include "engine/builder.h"
#include "engine/engine.h"
#include "runtime/cgroup-create.h"

/** Everything that a plan is made of */
typedef struct PlanSource {
        const EngineContainer *container;
        const EngineCreate *request;
        const json_t *spec;
        const Cgroup *cgroup;
        uint64_t made_already; /* namespaces that the init finds made, by clone flag */
} PlanSource;

/** plan_create() - the whole of PLAN_CREATE but start_fd and console. Errors: InvalidSpec, NotSupported (naming the field), FileError, OutOfMemory */
int plan_create(Builder *builder, const PlanSource *source, Error *err);

/** plan_namespaces() - which are made, which joined */
int plan_namespaces(Builder *builder, const json_t *linux_part, uint64_t made_already, Error *err);

/** plan_mounts() - `mounts`; sources that the init may not reach are opened here */
int plan_mounts(Builder *builder, const PlanSource *source, Error *err);

/** plan_mount_options() - append the options of mounts that are no file system's own. Errors: OutOfMemory */
int plan_mount_options(json_t *list, Error *err);

/** plan_process() - `process`, and of `linux` what is the process's: seccomp, personality, memory policy */
int plan_process(Builder *builder, const json_t *process, const json_t *linux_part, const char *cache_dir, Error *err);

/** plan_hooks() - one list of `hooks` */
int plan_hooks(Builder *builder, const json_t *hooks, const char *name, PlanList *ret, Error *err);

/** plan_tasks() - the descriptors of a cgroup by which a process enters it */
int plan_tasks(Builder *builder, const Cgroup *cgroup, bool v2_too, Error *err);

/** plan_console() - where the terminal of a process goes. @relayed: to this program when no socket is named */
int plan_console(Builder *builder, const char *socket_path, bool relayed, Error *err);

/** linux_has_namespace() - whether it is made or joined; *ret_path NULL: made */
bool linux_has_namespace(const json_t *linux_part, const char *type, const char **ret_path);
