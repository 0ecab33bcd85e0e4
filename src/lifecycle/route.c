/*
 * The one place that chooses a runtime. In order: --runtime, the program's own name, the annotation, the config's rules, the config's
 * default. Labels of an image never become that annotation: an image must not steer the runtime.
 */

#include <fnmatch.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lifecycle/lifecycle.h"
#include "oci/reference.h"

#define PROGRAM_PREFIX "proxmox-lxcri-"

/* Looks a name up on behalf of whoever said it. */
static int choose(const char *name, const char *who, const Backend **ret, char **ret_why, Error *err) {
        if (backend_find(name, ret, err) < 0)
                return error_prefix(err, "%s", who);
        return ret_why ? string_copy(who, ret_why, err) : 0;
}

static int choose_auto(const Lifecycle *lifecycle, const Backend **ret, char **ret_why, Error *err) {
        _cleanup_buf_ Buf reasons = BUF_INIT(ERROR_TEXT_MAX / 2);
        const Backend *backend;

        for (size_t i = 0; (backend = backend_at(i)); i++) {
                Error e = ERROR_INIT;

                if (backend->probe(backend, config_runtime_path(lifecycle->config, backend->name), &e) == 0) {
                        *ret = backend;
                        return ret_why ? string_format(ret_why, err, "default_runtime auto: the first that is available here") : 0;
                }
                /* A reason too long for the text is left out; the count of what was tried is not. */
                (void) buf_printf(&reasons, NULL, "; %s: %s", backend->name, e.text);
        }
        error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "no runtime can be used here%s", reasons.data ?: "");
        return error_hint(err, "install crun or runc");
}

/* A glob of a rule matches an image as the user wrote it, or in its full form. */
static bool image_matches(const char *glob, const char *image, const char *full) {
        return image && (fnmatch(glob, image, 0) == 0 || (full && fnmatch(glob, full, 0) == 0));
}

static char *full_name(const char *image) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        char *full = NULL;

        if (!image || reference_parse(image, &reference, NULL) < 0 || reference_format(reference, &full, NULL) < 0)
                return NULL;
        return full;
}

static const RuntimeRule *find_rule(const Config *config, const char *id, const char *image, size_t *ret_index) {
        _cleanup_free_ char *full = full_name(image);

        for (size_t i = 0; i < config->n_rules; i++) {
                const RuntimeRule *rule = &config->rules[i];

                if (rule->id && fnmatch(rule->id, id, 0) != 0)
                        continue;
                if (rule->image && !image_matches(rule->image, image, full))
                        continue;
                *ret_index = i;
                return rule;
        }
        return NULL;
}

int lifecycle_route(const Lifecycle *lifecycle, const char *id, const char *image, const json_t *annotations, const Backend **ret,
                    char **ret_why, Error *err) {
        const char *annotation = json_string_value(json_object_get(annotations, RUNTIME_ANNOTATION));
        const Config *config = lifecycle->config;
        const RuntimeRule *rule;
        char who[ERROR_HINT_MAX];
        size_t i;

        if (lifecycle->runtime)
                return choose(lifecycle->runtime, "--runtime", ret, ret_why, err);
        if (lifecycle->program_name && !strncmp(lifecycle->program_name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX))) {
                snprintf(who, sizeof(who), "the program's name '%s'", lifecycle->program_name);
                return choose(lifecycle->program_name + strlen(PROGRAM_PREFIX), who, ret, ret_why, err);
        }
        if (annotation)
                return choose(annotation, "annotation " RUNTIME_ANNOTATION, ret, ret_why, err);
        rule = find_rule(config, id, image, &i);
        if (rule) {
                snprintf(who, sizeof(who), "rule %zu:%s%s%s%s", i + 1, rule->id ? " id " : "", rule->id ?: "", rule->image ? " image " : "",
                         rule->image ?: "");
                return choose(rule->runtime, who, ret, ret_why, err);
        }
        if (strcmp(config->default_runtime, "auto"))
                return choose(config->default_runtime, "default_runtime", ret, ret_why, err);
        return choose_auto(lifecycle, ret, ret_why, err);
}
