/* What registries.conf makes of a name: short names, rewriting, mirrors. */

#include <string.h>

#include "base/buf.h"
#include "registry/registries-conf.h"

void places_clear(Places *places) {
        for (size_t i = 0; i < places->n; i++)
                reference_free(places->items[i].name);
        free(places->items);
        *places = (Places) { 0 };
}

static int add_name(char ***names, const char *text, Error *err) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        _cleanup_free_ char *full = NULL;

        if (reference_parse(text, &reference, err) < 0 || reference_format(reference, &full, err) < 0)
                return -1;
        return strv_push(names, full, err);
}

/* Where the name ends and ":TAG" or "@DIGEST" begins. */
static size_t name_length(const char *text) {
        const char *at = strchr(text, '@'), *end = at ?: text + strlen(text), *colon;

        for (colon = end; colon > text && colon[-1] != '/' && colon[-1] != ':'; colon--);
        return colon > text && colon[-1] == ':' ? (size_t) (colon - 1 - text) : (size_t) (end - text);
}

static const char *alias_of(const RegistriesConf *conf, const char *text) {
        _cleanup_free_ char *name = strndup(text, name_length(text));
        const char *alias = name ? json_string_value(json_object_get(conf->aliases, name)) : NULL;

        return alias && alias[0] ? alias : NULL;
}

int registries_conf_names(const RegistriesConf *conf, const char *text, char ***ret, Error *err) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *full = NULL;
        const char *alias;

        if (!reference_is_short(text) || (strv_length(conf->search) == 0 && !conf->aliases)) {
                if (add_name(&names, text, err) < 0)
                        return -1;
                *ret = TAKE(names);
                return 0;
        }
        /* First as a name at all, so that nonsense is refused in the words the user wrote. */
        if (add_name(&names, text, err) < 0)
                return -1;
        alias = conf->short_names == SHORT_NAMES_DISABLED ? NULL : alias_of(conf, text);
        if (alias) {
                names = strv_free(names);
                if (string_format(&full, err, "%s%s", alias, text + name_length(text)) < 0 || add_name(&names, full, err) < 0)
                        return -1;
        } else if (strv_length(conf->search) > 0) {
                if (conf->short_names == SHORT_NAMES_ENFORCING && strv_length(conf->search) > 1) {
                        error_set(err, ERROR_INVALID_ARGUMENT,
                                  "the short name '%s' may mean several images, and short-name-mode is enforcing", text);
                        return error_hint(err, "write the registry too, for example %s/%s", conf->search[0], text);
                }
                names = strv_free(names);
                for (char **registry = conf->search; *registry; registry++) {
                        _cleanup_free_ char *one = NULL;

                        if (string_format(&one, err, "%s/%s", *registry, text) < 0 || add_name(&names, one, err) < 0)
                                return -1;
                }
        }
        *ret = TAKE(names);
        return 0;
}

/* Bytes of @text that a rule's prefix covers; 0: it does not. */
static size_t prefix_match(const RegistryRule *rule, const char *text) {
        size_t n;

        if (rule->prefix[0] == '*') {
                const size_t host = strcspn(text, "/:"), suffix = strlen(rule->prefix + 1);

                return host > suffix && !strncmp(text + host - suffix, rule->prefix + 1, suffix) ? host : 0;
        }
        n = strlen(rule->prefix);
        if (strncmp(text, rule->prefix, n))
                return 0;
        /* After a host alone a colon begins its port: another registry. */
        return !text[n] || text[n] == '/' || (strchr(rule->prefix, '/') && strchr(":@", text[n])) ? n : 0;
}

static const RegistryRule *rule_of(const RegistriesConf *conf, const char *text, size_t *ret_covered) {
        const RegistryRule *best = NULL;
        size_t length = 0;

        for (size_t i = 0; i < conf->n_rules; i++) {
                const RegistryRule *rule = &conf->rules[i];
                const size_t n = prefix_match(rule, text);

                if (n > 0 && strlen(rule->prefix) > length) {
                        length = strlen(rule->prefix);
                        best = rule;
                        *ret_covered = n;
                }
        }
        return best;
}

static int add_place(Places *places, const char *location, const char *rest, bool insecure, bool mirror, Error *err) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        _cleanup_free_ char *text = NULL;
        Place *grown;

        if (string_format(&text, err, "%s%s", location, rest) < 0)
                return -1;
        if (reference_parse(text, &reference, err) < 0) {
                if (err && err->kind == ERROR_INVALID_ARGUMENT)
                        err->kind = ERROR_INVALID_CONFIG;
                return error_prefix(err, "registries.conf: location '%s'", location);
        }
        grown = reallocarray(places->items, places->n + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        places->items = grown;
        places->items[places->n++] = (Place) { .name = TAKE(reference), .insecure = insecure, .mirror = mirror };
        return 0;
}

static bool mirror_serves(const RegistryRule *rule, const Mirror *mirror, const Reference *name) {
        if (rule->mirror_by_digest_only || mirror->pull_from == PULL_FROM_DIGEST_ONLY)
                return name->has_digest;
        return mirror->pull_from != PULL_FROM_TAG_ONLY || !name->has_digest;
}

int registries_conf_places(const RegistriesConf *conf, const Reference *name, bool push, Places *ret, Error *err) {
        _cleanup_(places_clear) Places places = { 0 };
        _cleanup_free_ char *text = NULL, *host = NULL;
        const RegistryRule *rule;
        size_t covered = 0;

        if (reference_format(name, &text, err) < 0)
                return -1;
        rule = rule_of(conf, text, &covered);
        if (rule && rule->blocked) {
                error_set(err, ERROR_REGISTRY, "registry '%s' is blocked", name->registry);
                return error_hint(err, "registries.conf says so of the prefix '%s'", rule->prefix);
        }
        for (size_t i = 0; rule && !push && i < rule->n_mirrors; i++)
                if (mirror_serves(rule, &rule->mirrors[i], name) &&
                    add_place(&places, rule->mirrors[i].location, text + covered, rule->mirrors[i].insecure, true, err) < 0)
                        return -1;
        if (rule && rule->location ? add_place(&places, rule->location, text + covered, rule->insecure, false, err) < 0 :
                                     add_place(&places, text, "", rule && rule->insecure, false, err) < 0)
                return -1;
        *ret = places;
        places = (Places) { 0 };
        return 0;
}
