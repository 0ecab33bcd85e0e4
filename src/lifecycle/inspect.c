/* inspect: everything that is known of a container, in one document. */

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "lifecycle/container.h"
#include "lifecycle/phases.h"
#include "lifecycle/stored.h"
#include "lifecycle/transaction.h"
#include "lifecycle/wait.h"
#include "network/network.h"
#include "oci/runtime-spec.h"
#include "runtime/monitor.h"

/* Adds @value (taken) under @key; NULL values are left out. */
static int put(json_t *object, const char *key, json_t *value, Error *err) {
        if (!value)
                return 0;
        return json_object_set_new(object, key, value) < 0 ? error_oom(err) : 0;
}

static int put_text(json_t *object, const char *key, const char *text, Error *err) {
        return put(object, key, text ? json_string(text) : NULL, err);
}

static int put_strings(json_t *object, const char *key, char *const *strings, Error *err) {
        json_t *array = json_array();

        for (; array && strings && *strings; strings++)
                if (json_array_append_new(array, json_string(*strings)) < 0) {
                        json_decref(array);
                        return error_oom(err);
                }
        return put(object, key, array, err);
}

static int put_exit(json_t *document, const Container *c, Error *err) {
        ExitRecord exit;

        if (c->status != STATUS_STOPPED || !wait_exit(c, &exit))
                return 0;
        return put(document, "exit",
                   json_pack("{s:i, s:s, s:b}", "exitCode", exit.exit_code, "exited", exit.exited, "oomKilled", exit.oom_killed), err);
}

static int put_record(json_t *document, const Lifecycle *lifecycle, const char *id, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;

        if (stored_load(lifecycle, id, NULL, &record, err) < 0)
                return -1;
        if (!record)
                return 0;
        if (put(document, "image", json_pack("{s:s, s:s}", "name", record->image_name, "manifest", record->image.text), err) < 0 ||
            put_text(document, "storageDriver", record->driver, err) < 0 ||
            put_text(document, "stopSignal", record->stop_signal, err) < 0 || put_text(document, "hostname", record->hostname, err) < 0 ||
            put(document, "onBoot", json_boolean(record->on_boot), err) < 0)
                return -1;
        return put_text(document, "store", lifecycle->store, err);
}

static int put_network(json_t *document, const Container *c, Error *err) {
        _cleanup_(network_record_freep) NetworkRecord *record = NULL;
        json_t *network;

        if (!c->dir || c->status == STATUS_STOPPED)
                return 0;
        if (network_record_load(c->dir->fd, &record, err) < 0)
                return -1;
        if (!record)
                return 0;
        if (network_record_json(record, &network, err) < 0)
                return -1;
        return put(document, "network", network, err);
}

/* The bundle's own config: process, mounts and limits as the runtime was told. A bundle that is gone has nothing to say. */
static int put_config(json_t *document, const Container *c, Error *err) {
        _cleanup_json_ json_t *spec = NULL;

        if (spec_load_bundle(container_config_dir(c->dir, c->state->bundle), &spec, NULL) < 0)
                return 0;
        if (put(document, "process", json_incref(json_object_get(spec, "process")), err) < 0 ||
            put(document, "mounts", json_incref(json_object_get(spec, "mounts")), err) < 0)
                return -1;
        return put(document, "resources", json_incref(json_object_get(json_object_get(spec, "linux"), "resources")), err);
}

int lifecycle_inspect(const Lifecycle *lifecycle, const char *id, json_t **ret, Error *err) {
        _cleanup_(container_freep) Container *c = NULL;
        _cleanup_json_ json_t *document = NULL;
        const State *state;

        if (container_find(lifecycle, id, FIND_CREATING, &c, err) < 0 || state_oci_json(c->state, c->status, &document, err) < 0)
                return error_prefix(err, "inspect '%s'", id);
        state = c->state;
        if (put_text(document, "runtime", state->runtime, err) < 0 || put_text(document, "root", lifecycle->root, err) < 0 ||
            put_exit(document, c, err) < 0 || put_record(document, lifecycle, id, err) < 0 ||
            (process_is_alive(&state->monitor) && put(document, "monitorPid", json_integer(state->monitor.pid), err) < 0) ||
            (c->status != STATUS_STOPPED && put_strings(document, "cgroups", state->cgroups, err) < 0) ||
            put_network(document, c, err) < 0 || put_config(document, c, err) < 0)
                return error_prefix(err, "inspect '%s'", id);
        *ret = TAKE(document);
        return 0;
}
