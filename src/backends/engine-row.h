#pragma once

/* A row for each launcher of our engine: driver_data is the EngineLauncher, and only probe is the row's own. Private to backends/. */

#include "backends/backend.h"
#include "backends/control.h"
#include "engine/engine.h"

int engine_row_create(const BackendContainer *container, const BackendCreate *request, pid_t *ret_init, Error *err);
int engine_row_start(const BackendContainer *container, Error *err);
int engine_row_delete(const BackendContainer *container, bool force, Error *err);
int engine_row_state(const BackendContainer *container, const State *state, ContainerStatus *ret, Error *err);
int engine_row_run(const BackendContainer *container, const BackendCreate *request,
                   int (*published)(void *userdata, pid_t init, Error *err), void *userdata, int *ret_status, Error *err);
int engine_row_exec(const BackendContainer *container, const State *state, const BackendExec *request, int *ret_status, Error *err);
int engine_row_update(const BackendContainer *container, const State *state, const BackendUpdate *request, Error *err);
int engine_row_checkpoint(const BackendContainer *container, const State *state, const CriuDump *request, Error *err);
int engine_row_features(const Backend *backend, const char *program, json_t **ret, Error *err);

#define ENGINE_ROW_FUNCTIONS                 \
        .create = engine_row_create,         \
        .start = engine_row_start,           \
        .kill = control_kill,                \
        .delete = engine_row_delete,         \
        .state = engine_row_state,           \
        .run = engine_row_run,               \
        .exec = engine_row_exec,             \
        .pause = control_pause,              \
        .resume = control_resume,            \
        .update = engine_row_update,         \
        .stats = control_stats,              \
        .features = engine_row_features,     \
        .checkpoint = engine_row_checkpoint, \
        .restore = engine_row_create
