/* Reading registries.conf: a table of keys for each kind of table. */

#include "registry/registries-conf.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/toml.h"

#define RULES_MAX   4096 /* rules, and mirrors of one; this program's own cap */
#define SYSTEM_CONF "/etc/containers/registries.conf"

static void rule_clear(RegistryRule *rule) {
        for (size_t i = 0; i < rule->n_mirrors; i++)
                free(rule->mirrors[i].location);
        free(rule->mirrors);
        free(rule->prefix);
        free(rule->location);
        *rule = (RegistryRule) { 0 };
}

void registries_conf_clear(RegistriesConf *conf) {
        for (size_t i = 0; i < conf->n_rules; i++)
                rule_clear(&conf->rules[i]);
        free(conf->rules);
        strv_free(conf->search);
        strv_free(conf->helpers);
        json_decref(conf->aliases);
        *conf = (RegistriesConf) { 0 };
}

/* Refuses keys that are not in @known: what is silently passed over might be what somebody relies on. */
static int check_keys(const json_t *table, const char *const known[], JsonPlace place, Error *err) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *) table, key, value) {
                bool found = false;

                for (size_t i = 0; known[i] && !found; i++)
                        found = !strcmp(known[i], key);
                if (!found)
                        return error_set(err, place.kind, "%s: '%.100s' is not a known key", place.where, key);
        }
        return 0;
}

static int parse_strings(const json_t *table, const char *key, JsonPlace place, char ***ret, Error *err) {
        _cleanup_strv_ char **list = NULL;
        json_t *array = NULL, *value;
        size_t i;

        if (json_opt_array(table, key, place, &array, err) < 0)
                return -1;
        if (!array)
                return 0;
        list = calloc(1, sizeof(*list));
        if (!list)
                return error_oom(err);
        json_array_foreach(array, i, value) {
                if (!json_is_string(value) || !json_string_value(value)[0])
                        return error_set(err, place.kind, "%s: %s[%zu] is not a string", place.where, key, i);
                if (strv_push(&list, json_string_value(value), err) < 0)
                        return -1;
        }
        strv_free(*ret);
        *ret = TAKE(list);
        return 0;
}

/* "host[:port]/path", without a scheme; a '/' at the end says nothing. */
static int parse_location(const json_t *table, const char *key, JsonPlace place, char **ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        size_t len;

        if (json_opt_string_copy(table, key, place, &text, err) < 0)
                return -1;
        if (!text)
                return 0;
        len = strlen(text);
        while (len > 0 && text[len - 1] == '/')
                text[--len] = '\0';
        if (strstr(text, "://") || strpbrk(text, " \t\n@?#") || (len > 0 && text[0] == '/'))
                return error_set(err, place.kind, "%s: %s: '%.200s' is not HOST[:PORT][/PATH]", place.where, key, text);
        if (len > 0)
                *ret = TAKE(text);
        return 0;
}

static int parse_mirror(const json_t *table, const char *where, Mirror *ret, Error *err) {
        static const char *const known[] = { "location", "insecure", "pull-from-mirror", NULL };
        static const char *const from[] = {
                [PULL_FROM_ALL] = "all",
                [PULL_FROM_DIGEST_ONLY] = "digest-only",
                [PULL_FROM_TAG_ONLY] = "tag-only",
        };
        const JsonPlace place = { where, ERROR_INVALID_CONFIG };
        const char *pull = "all";

        if (json_need_root(table, place, err) < 0 || check_keys(table, known, place, err) < 0 ||
            parse_location(table, "location", place, &ret->location, err) < 0 ||
            json_opt_bool(table, "insecure", place, &ret->insecure, err) < 0 ||
            json_opt_string(table, "pull-from-mirror", place, &pull, err) < 0)
                return -1;
        if (!ret->location)
                return error_set(err, place.kind, "%s: 'location' is missing", where);
        for (size_t i = 0; i < ARRAY_SIZE(from); i++)
                if (!strcmp(pull, from[i])) {
                        ret->pull_from = (PullFrom) i;
                        return 0;
                }
        return error_set(err, place.kind, "%s: pull-from-mirror: '%.50s' is none of all, digest-only, tag-only", where, pull);
}

static int parse_mirrors(const json_t *table, const char *where, RegistryRule *rule, Error *err) {
        const JsonPlace place = { where, ERROR_INVALID_CONFIG };
        json_t *array = NULL;

        if (json_opt_array(table, "mirror", place, &array, err) < 0)
                return -1;
        if (json_array_size(array) > RULES_MAX)
                return error_set(err, place.kind, "%s: more than %d mirrors", where, RULES_MAX);
        rule->mirrors = calloc(json_array_size(array) + 1, sizeof(*rule->mirrors));
        if (!rule->mirrors)
                return error_oom(err);
        for (size_t i = 0; i < json_array_size(array); i++) {
                _cleanup_free_ char *mirror = NULL;

                if (string_format(&mirror, err, "%s.mirror[%zu]", where, i) < 0)
                        return -1;
                rule->n_mirrors++;
                if (parse_mirror(json_array_get(array, i), mirror, &rule->mirrors[i], err) < 0)
                        return -1;
        }
        return 0;
}

static int parse_rule(const json_t *table, const char *where, RegistryRule *ret, Error *err) {
        static const char *const known[] = { "prefix", "location", "insecure", "blocked", "mirror-by-digest-only", "mirror", NULL };
        const JsonPlace place = { where, ERROR_INVALID_CONFIG };

        if (json_need_root(table, place, err) < 0 || check_keys(table, known, place, err) < 0 ||
            parse_location(table, "prefix", place, &ret->prefix, err) < 0 ||
            parse_location(table, "location", place, &ret->location, err) < 0 ||
            json_opt_bool(table, "insecure", place, &ret->insecure, err) < 0 ||
            json_opt_bool(table, "blocked", place, &ret->blocked, err) < 0 ||
            json_opt_bool(table, "mirror-by-digest-only", place, &ret->mirror_by_digest_only, err) < 0 ||
            parse_mirrors(table, where, ret, err) < 0)
                return -1;
        if (!ret->prefix && string_copy(ret->location, &ret->prefix, err) < 0)
                return -1;
        if (!ret->prefix)
                return error_set(err, place.kind, "%s: neither 'prefix' nor 'location'", where);
        if (strchr(ret->prefix, '*') && (strncmp(ret->prefix, "*.", 2) || strpbrk(ret->prefix + 1, "*/")))
                return error_set(err, place.kind, "%s: prefix: '%.200s' is not of the form *.DOMAIN", where, ret->prefix);
        if (!ret->location && ret->prefix[0] != '*')
                return error_set(err, place.kind, "%s: 'location' is missing", where);
        for (size_t i = 0; i < ret->n_mirrors; i++)
                if (ret->mirror_by_digest_only && ret->mirrors[i].pull_from != PULL_FROM_ALL)
                        return error_set(err, place.kind, "%s: mirror-by-digest-only and pull-from-mirror exclude each other", where);
        return 0;
}

/* Takes @rule, in place of an earlier one of its prefix. */
static int add_rule(RegistriesConf *conf, RegistryRule *rule, Error *err) {
        RegistryRule *grown;

        for (size_t i = 0; i < conf->n_rules; i++)
                if (!strcmp(conf->rules[i].prefix, rule->prefix)) {
                        rule_clear(&conf->rules[i]);
                        conf->rules[i] = *rule;
                        *rule = (RegistryRule) { 0 };
                        return 0;
                }
        if (conf->n_rules == RULES_MAX)
                return error_set(err, ERROR_INVALID_CONFIG, "more than %d rules for registries", RULES_MAX);
        grown = reallocarray(conf->rules, conf->n_rules + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        conf->rules = grown;
        conf->rules[conf->n_rules++] = *rule;
        *rule = (RegistryRule) { 0 };
        return 0;
}

static int parse_aliases(const json_t *root, JsonPlace place, RegistriesConf *conf, Error *err) {
        json_t *aliases = NULL, *value;
        const char *name;

        if (json_opt_object(root, "aliases", place, &aliases, err) < 0)
                return -1;
        json_object_foreach(aliases, name, value) {
                _cleanup_(reference_freep) Reference *reference = NULL;

                if (!json_is_string(value))
                        return error_set(err, place.kind, "%s: aliases: '%.100s' is not a string", place.where, name);
                /* An empty one takes an earlier one back. */
                if (json_string_value(value)[0] &&
                    (reference_parse(json_string_value(value), &reference, NULL) < 0 || reference_is_short(json_string_value(value))))
                        return error_set(err, place.kind, "%s: aliases: '%.100s' is no name with its registry", place.where,
                                         json_string_value(value));
        }
        if (!aliases)
                return 0;
        if (!conf->aliases)
                conf->aliases = json_object();
        return !conf->aliases || json_object_update(conf->aliases, aliases) < 0 ? error_oom(err) : 0;
}

static int parse_short_names(const json_t *root, JsonPlace place, RegistriesConf *conf, Error *err) {
        static const char *const modes[] = {
                [SHORT_NAMES_PERMISSIVE] = "permissive",
                [SHORT_NAMES_ENFORCING] = "enforcing",
                [SHORT_NAMES_DISABLED] = "disabled",
        };
        const char *mode = NULL;

        if (json_opt_string(root, "short-name-mode", place, &mode, err) < 0)
                return -1;
        if (!mode || !mode[0])
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
                if (!strcmp(mode, modes[i])) {
                        conf->short_names = (ShortNames) i;
                        return 0;
                }
        return error_set(err, place.kind, "%s: short-name-mode: '%.50s' is none of permissive, enforcing, disabled", place.where, mode);
}

int registries_conf_parse(const char *text, size_t len, const char *what, RegistriesConf *conf, Error *err) {
        static const char *const known[] = { "unqualified-search-registries", "registry", "credential-helpers",
                                             "additional-layer-store-auth-helper", "short-name-mode", "aliases", NULL };
        const JsonPlace place = { what, ERROR_INVALID_CONFIG };
        _cleanup_json_ json_t *root = NULL;
        json_t *rules = NULL;

        if (toml_parse(text, len, what, &root, err) < 0)
                return -1;
        if (json_object_get(root, "registries")) {
                error_set(err, ERROR_NOT_SUPPORTED, "%s: version 1 of the format ([registries.search], …) is not supported", what);
                return error_hint(err, "write unqualified-search-registries and [[registry]], see containers-registries.conf(5)");
        }
        if (check_keys(root, known, place, err) < 0 ||
            parse_strings(root, "unqualified-search-registries", place, &conf->search, err) < 0 ||
            parse_strings(root, "credential-helpers", place, &conf->helpers, err) < 0 ||
            parse_short_names(root, place, conf, err) < 0 || parse_aliases(root, place, conf, err) < 0 ||
            json_opt_array(root, "registry", place, &rules, err) < 0)
                return -1;
        for (size_t i = 0; i < json_array_size(rules); i++) {
                _cleanup_(rule_clear) RegistryRule rule = { 0 };
                _cleanup_free_ char *where = NULL;

                if (string_format(&where, err, "%s: registry[%zu]", what, i) < 0)
                        return -1;
                if (parse_rule(json_array_get(rules, i), where, &rule, err) < 0 || add_rule(conf, &rule, err) < 0)
                        return -1;
        }
        return 0;
}

/* A file that may be missing; *ret_found is then false. */
static int load_file(const char *path, RegistriesConf *conf, bool *ret_found, Error *err) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *text = NULL;
        size_t len;

        *ret_found = fd >= 0;
        if (fd < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : error_set_errno(err, ERROR_CONFIG, errno, "open '%s'", path);
        if (file_read_fd(fd, path, TOML_SIZE_MAX, &text, &len, err) < 0) {
                if (err && err->kind == ERROR_FILE)
                        err->kind = ERROR_CONFIG;
                return -1;
        }
        return registries_conf_parse(text, len, path, conf, err);
}

static int by_name(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* DIR/registries.conf.d, in the order of names. */
static int load_folder(const char *base, RegistriesConf *conf, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        _cleanup_strv_ char **names = NULL;
        struct dirent *entry;
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s.d", base);
        dir = opendir(path);
        if (!dir)
                return errno == ENOENT || errno == ENOTDIR ? 0 : error_set_errno(err, ERROR_CONFIG, errno, "open '%s'", path);
        while ((entry = dir_next(dir))) {
                const size_t len = strlen(entry->d_name);

                if (len > strlen(".conf") && !strcmp(entry->d_name + len - strlen(".conf"), ".conf") &&
                    strv_push(&names, entry->d_name, err) < 0)
                        return -1;
        }
        if (errno != 0)
                return error_set_errno(err, ERROR_CONFIG, errno, "read '%s'", path);
        if (names)
                qsort(names, strv_length(names), sizeof(*names), by_name);
        for (char **name = names; name && *name; name++) {
                _cleanup_free_ char *file = NULL;
                bool found;

                if (string_format(&file, err, "%s/%s", path, *name) < 0 || load_file(file, conf, &found, err) < 0)
                        return -1;
        }
        return 0;
}

int registries_conf_load(RegistriesConf *conf, Error *err) {
        const char *named = getenv("CONTAINERS_REGISTRIES_CONF"), *home = getenv("HOME");
        _cleanup_free_ char *user = NULL;
        bool found = false;

        if (named && named[0]) {
                if (load_file(named, conf, &found, err) < 0)
                        return error_hint(err, "$CONTAINERS_REGISTRIES_CONF names this file");
                if (found)
                        return 0;
                error_set_errno(err, ERROR_CONFIG, ENOENT, "open '%s'", named);
                return error_hint(err, "$CONTAINERS_REGISTRIES_CONF names this file");
        }
        if (home && home[0] == '/') {
                if (string_format(&user, err, "%s/.config/containers/registries.conf", home) < 0 || load_file(user, conf, &found, err) < 0)
                        return -1;
        }
        if (!found && load_file(SYSTEM_CONF, conf, &found, err) < 0)
                return -1;
        if (load_folder(SYSTEM_CONF, conf, err) < 0)
                return -1;
        return user ? load_folder(user, conf, err) : 0;
}
