/* features: what a runtime can do when this program is in front of it. */

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "lifecycle/lifecycle.h"

/* Annotations that change what this program does; the spec has the list since 1.2. */
static int add_unsafe_annotations(json_t *features, Error *err) {
        json_t *list = json_object_get(features, "potentiallyUnsafeConfigAnnotations");

        if (!json_is_array(list))
                return 0;
        return json_array_append_new(list, json_string(RUNTIME_ANNOTATION)) < 0 ? error_oom(err) : 0;
}

static int add_annotations(json_t *features, const Backend *backend, Error *err) {
        json_t *annotations = json_object_get(features, "annotations");

        if (!json_is_object(annotations)) {
                annotations = json_object();
                if (json_object_set_new(features, "annotations", annotations) < 0)
                        return error_oom(err);
        }
        if (json_object_set_new(annotations, "org.proxmox-lxcri.version", json_string(PROJECT_VERSION)) < 0 ||
            json_object_set_new(annotations, "org.proxmox-lxcri.runtime", json_string(backend->name)) < 0)
                return error_oom(err);
        return 0;
}

static int features(const Lifecycle *lifecycle, json_t **ret, Error *err) {
        _cleanup_json_ json_t *document = NULL;
        const Backend *backend;

        if (lifecycle_route(lifecycle, "", NULL, NULL, &backend, NULL, err) < 0)
                return -1;
        if (!backend->features)
                return error_set(err, ERROR_NOT_SUPPORTED, "runtime '%s' does not tell its features", backend->name);
        if (backend->features(backend, config_runtime_path(lifecycle->config, backend->name), &document, err) < 0 ||
            spec_features_narrow(document, err) < 0 || add_unsafe_annotations(document, err) < 0 ||
            add_annotations(document, backend, err) < 0)
                return -1;
        *ret = TAKE(document);
        return 0;
}

int lifecycle_features(const Lifecycle *lifecycle, json_t **ret, Error *err) {
        return features(lifecycle, ret, err) < 0 ? error_prefix(err, "features") : 0;
}
