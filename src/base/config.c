/* The configuration file: one table of keys, from which defaults, parsing, `config show` and the documentation come. */

#include "base/config.h"

#include <fcntl.h>
#include <net/if.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"

#define RULES_MAX 1000 /* rules */

/* Where a value comes from; for errors. */
typedef struct Source {
        const char *path;
        const char *text; /* the whole file */
} Source;

typedef struct Key Key;

struct Key {
        ConfigKey doc;
        size_t offset; /* of the member of Config; rules and runtimes know their own */
        int64_t min, max;
        const char *const *words; /* the values it may have; NULL-terminated */
        int (*parse)(const Key *key, json_t *value, const Source *source, Config *config, Error *err);
        json_t *(*show)(const Key *key, const Config *config);
};

static int parse_path(const Key *key, json_t *value, const Source *source, Config *config, Error *err);
static int parse_name(const Key *key, json_t *value, const Source *source, Config *config, Error *err);
static int parse_word(const Key *key, json_t *value, const Source *source, Config *config, Error *err);
static int parse_device(const Key *key, json_t *value, const Source *source, Config *config, Error *err);
static int parse_bool(const Key *key, json_t *value, const Source *source, Config *config, Error *err);
static int parse_integer(const Key *key, json_t *value, const Source *source, Config *config, Error *err);
static int parse_rules(const Key *key, json_t *value, const Source *source, Config *config, Error *err);
static int parse_runtimes(const Key *key, json_t *value, const Source *source, Config *config, Error *err);
static json_t *show_text(const Key *key, const Config *config);
static json_t *show_bool(const Key *key, const Config *config);
static json_t *show_integer(const Key *key, const Config *config);
static json_t *show_rules(const Key *key, const Config *config);
static json_t *show_runtimes(const Key *key, const Config *config);

#define PATH(m)             .offset = offsetof(Config, m), .parse = parse_path, .show = show_text
#define NAME(m)             .offset = offsetof(Config, m), .parse = parse_name, .show = show_text
#define WORD(m, ...)        .offset = offsetof(Config, m), .parse = parse_word, .show = show_text, \
                            .words = (const char *const[]) { __VA_ARGS__, NULL }
#define DEVICE(m)           .offset = offsetof(Config, m), .parse = parse_device, .show = show_text
#define BOOL(m)             .offset = offsetof(Config, m), .parse = parse_bool, .show = show_bool
#define INTEGER(m, low, up) .offset = offsetof(Config, m), .parse = parse_integer, .show = show_integer, .min = (low), .max = (up)

/* One row a key; a default is JSON, and is read as if it stood in the file. */
static const Key keys[CONFIG_KEYS] = {
        { { "root", "path", "\"/run/proxmox-lxcri\"", "where the state of containers is kept, as --root" }, PATH(root) },
        { { "store", "path", "\"/var/lib/proxmox-lxcri\"", "where images, layers and containers made from images are kept, as --store" },
          PATH(store) },
        { { "default_runtime", "name", "\"auto\"", "the runtime when nothing else chooses one; auto: the first that is available" },
          NAME(default_runtime) },
        { { "runtime_rules", "rules",
            "[{\"id\":\"crun-*\",\"runtime\":\"crun\"},{\"id\":\"oci-*\",\"runtime\":\"crun\"},"
            "{\"id\":\"podman-*\",\"runtime\":\"crun\"}]",
            "ordered rules {id, image, runtime}: the first whose globs match a container's id and image name chooses its runtime" },
          .parse = parse_rules, .show = show_rules },
        { { "runtimes", "runtimes", "{}",
            "the program of a runtime in place of the one found by PATH: {\"crun\": {\"path\": \"/opt/bin/crun\"}}" },
          .parse = parse_runtimes, .show = show_runtimes },
        { { "storage_driver", "name", "\"auto\"", "the storage driver; auto: the first that works on the store's file system" },
          NAME(storage_driver) },
        { { "systemd_cgroup", "boolean", "false", "let systemd manage the containers' cgroups, as --systemd-cgroup" },
          BOOL(systemd_cgroup) },
        { { "log_size_max", "integer", "10485760", "bytes of the log of a detached container, before its older half is dropped" },
          INTEGER(log_size_max, 4096, INT64_C(1) << 40) },
        { { "layer_size_max", "integer", "68719476736", "bytes that one layer may unpack to" },
          INTEGER(layer_size_max, 1, INT64_C(1) << 50) },
        { { "workers", "integer", "0", "layers that are read and unpacked at once; 0: as many as there are processors" },
          INTEGER(workers, 0, 16) },
        { { "keep_blobs", "boolean", "true", "keep the compressed layers beside the unpacked ones; without them there is no push" },
          BOOL(keep_blobs) },
        { { "userns", "shared|own|host", "\"shared\"",
            "who root of a container of native and lxc made from an image is on the host: another user that containers share, one of its "
            "own, or root itself" },
          WORD(userns, "shared", "own", "host") },
        { { "userns_first", "integer", "0",
            "the host's first id for them; 0: the range of 'containers' or 'root' in /etc/subuid and /etc/subgid, else 100000, as in "
            "Proxmox VE" },
          INTEGER(userns_first, 0, UINT32_MAX - 1) },
        { { "userns_count", "integer", "65536",
            "ids from userns_first on; containers share the first 65536, and take as many each with 'own'" },
          INTEGER(userns_count, 65536, UINT32_MAX - 1) },
        { { "stop_timeout", "integer", "10", "seconds between a container's stop signal and SIGKILL" },
          INTEGER(stop_timeout, 0, INT32_MAX) },
        { { "network_bridge", "device", "\"vmbr0\"", "the bridge of the host that '--network bridge' means" }, DEVICE(network_bridge) },
        { { "dhcp_timeout", "integer", "45", "seconds for a DHCP server to give a container that starts an address" },
          INTEGER(dhcp_timeout, 1, 3600) },
        { { "pids_limit", "integer", "2048",
            "processes of a container made from an image, when --pids-limit is not given; 0 or -1: no limit" },
          INTEGER(pids_limit, -1, INT64_C(1) << 22) },
        { { "registry_timeout", "integer", "60",
            "seconds to wait for a registry's connection, and for registry_speed_min bytes a second on average" },
          INTEGER(registry_timeout, 1, 86400) },
        { { "registry_speed_min", "integer", "64", "bytes a second that a registry must send, or it counts as stuck" },
          INTEGER(registry_speed_min, 1, INT64_C(1) << 30) },
        { { "registry_retries", "integer", "5", "how often a request to a registry is tried again after what may pass" },
          INTEGER(registry_retries, 0, 1000) },
        { { "registry_retry_wait_max", "integer", "60",
            "seconds between two tries at most, also where a registry asks for more by Retry-After" },
          INTEGER(registry_retry_wait_max, 1, 86400) },
};

static void *member_of(const Config *config, const Key *key) {
        return (char *) config + key->offset;
}

/* "FILE:LINE: 'runtime_rules[0].id' is not a string"; @at as for json_key_line(). */
static int refuse(const Source *source, const char *const at[], const char *what, Error *err) {
        _cleanup_buf_ Buf name = BUF_INIT(1024);

        for (size_t i = 0; at[i]; i++)
                (void) buf_printf(&name, NULL, "%s%s", i && at[i][0] != '[' ? "." : "", at[i]);
        return error_set(err, ERROR_INVALID_CONFIG, "%s:%u: '%s' %s", source->path, json_key_line(source->text, at), name.data ?: at[0],
                         what);
}

static int refuse_unknown(const Source *source, const char *const at[], Error *err) {
        refuse(source, at, "is not a known key", err);
        return error_hint(err, "`proxmox-lxcri config show` lists the keys there are");
}

static bool is_name(const char *text) {
        return text && text[0] && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text);
}

static int set_text(char **ret, json_t *value, const char *const at[], const Source *source, Error *err) {
        if (!json_is_string(value))
                return refuse(source, at, "is not a string", err);
        return string_copy(json_string_value(value), ret, err);
}

static int parse_path(const Key *key, json_t *value, const Source *source, Config *config, Error *err) {
        const char *at[] = { key->doc.name, NULL };

        if (json_is_string(value) && json_string_value(value)[0] != '/')
                return refuse(source, at, "is not an absolute path", err);
        return set_text(member_of(config, key), value, at, source, err);
}

static int parse_name(const Key *key, json_t *value, const Source *source, Config *config, Error *err) {
        const char *at[] = { key->doc.name, NULL };

        if (json_is_string(value) && !is_name(json_string_value(value)))
                return refuse(source, at, "is not a name of lower-case letters, digits and '-'", err);
        return set_text(member_of(config, key), value, at, source, err);
}

static int parse_word(const Key *key, json_t *value, const Source *source, Config *config, Error *err) {
        const char *at[] = { key->doc.name, NULL }, *text = json_string_value(value);
        _cleanup_buf_ Buf what = BUF_INIT(256);
        bool known = false;

        for (size_t i = 0; key->words[i]; i++) {
                known = known || (text && !strcmp(key->words[i], text));
                if (buf_printf(&what, err, "%s'%s'", i ? ", " : "is not one of ", key->words[i]) < 0)
                        return -1;
        }
        if (text && !known)
                return refuse(source, at, what.data, err);
        return set_text(member_of(config, key), value, at, source, err);
}

static int parse_device(const Key *key, json_t *value, const Source *source, Config *config, Error *err) {
        const char *at[] = { key->doc.name, NULL }, *text = json_string_value(value);

        if (text && (!text[0] || strlen(text) >= IF_NAMESIZE || strpbrk(text, "/: \t\n")))
                return refuse(source, at, "cannot be the name of a network device", err);
        return set_text(member_of(config, key), value, at, source, err);
}

static int parse_bool(const Key *key, json_t *value, const Source *source, Config *config, Error *err) {
        if (!json_is_boolean(value))
                return refuse(source, (const char *[]) { key->doc.name, NULL }, "is not true or false", err);
        *(bool *) member_of(config, key) = json_is_true(value);
        return 0;
}

static int parse_integer(const Key *key, json_t *value, const Source *source, Config *config, Error *err) {
        json_int_t n = json_integer_value(value);

        if (!json_is_integer(value) || n < key->min || n > key->max) {
                char what[96];

                snprintf(what, sizeof(what), "is not an integer between %lld and %lld", (long long) key->min, (long long) key->max);
                return refuse(source, (const char *[]) { key->doc.name, NULL }, what, err);
        }
        *(int64_t *) member_of(config, key) = n;
        return 0;
}

static int parse_rule(const Key *key, size_t number, json_t *value, const Source *source, RuntimeRule *rule, Error *err) {
        char index[32];
        const char *at[] = { key->doc.name, index, NULL, NULL };
        const char *name;
        json_t *field;

        snprintf(index, sizeof(index), "[%zu]", number);
        if (!json_is_object(value))
                return refuse(source, at, "is not an object", err);
        json_object_foreach(value, name, field) {
                char **text = !strcmp(name, "id")      ? &rule->id :
                              !strcmp(name, "image")   ? &rule->image :
                              !strcmp(name, "runtime") ? &rule->runtime :
                                                         NULL;

                at[2] = name;
                if (!text)
                        return refuse_unknown(source, at, err);
                if (set_text(text, field, at, source, err) < 0)
                        return -1;
        }
        at[2] = rule->runtime ? "runtime" : NULL;
        if (!is_name(rule->runtime))
                return refuse(source, at, rule->runtime ? "is not the name of a runtime" : "has no 'runtime'", err);
        return 0;
}

static int parse_rules(const Key *key, json_t *value, const Source *source, Config *config, Error *err) {
        const char *at[] = { key->doc.name, NULL };

        if (!json_is_array(value))
                return refuse(source, at, "is not an array", err);
        if (json_array_size(value) > RULES_MAX)
                return refuse(source, at, "has more than 1000 rules", err);
        config->rules = calloc(json_array_size(value) ?: 1, sizeof(*config->rules));
        if (!config->rules)
                return error_oom(err);
        config->n_rules = json_array_size(value);
        for (size_t i = 0; i < config->n_rules; i++)
                if (parse_rule(key, i, json_array_get(value, i), source, &config->rules[i], err) < 0)
                        return -1;
        return 0;
}

static int parse_runtimes(const Key *key, json_t *value, const Source *source, Config *config, Error *err) {
        const char *at[] = { key->doc.name, NULL, NULL, NULL };
        const char *runtime, *name;
        json_t *fields, *field;

        if (!json_is_object(value))
                return refuse(source, at, "is not an object", err);
        json_object_foreach(value, runtime, fields) {
                at[1] = runtime;
                at[2] = NULL;
                if (!is_name(runtime))
                        return refuse(source, at, "is not the name of a runtime", err);
                if (!json_is_object(fields))
                        return refuse(source, at, "is not an object", err);
                json_object_foreach(fields, name, field) {
                        at[2] = name;
                        if (strcmp(name, "path"))
                                return refuse_unknown(source, at, err);
                        if (!json_is_string(field) || json_string_value(field)[0] != '/')
                                return refuse(source, at, "is not an absolute path", err);
                }
        }
        config->runtimes = json_incref(value);
        return 0;
}

static json_t *show_text(const Key *key, const Config *config) {
        return json_string(*(char *const *) member_of(config, key));
}

static json_t *show_bool(const Key *key, const Config *config) {
        return json_boolean(*(const bool *) member_of(config, key));
}

static json_t *show_integer(const Key *key, const Config *config) {
        return json_integer(*(const int64_t *) member_of(config, key));
}

static json_t *show_rules(const Key *key, const Config *config) {
        _cleanup_json_ json_t *array = json_array();

        for (size_t i = 0; i < config->n_rules; i++) {
                const RuntimeRule *rule = &config->rules[i];
                /* "s*" leaves out what is NULL. */
                json_t *row = json_pack("{s:s*, s:s*, s:s}", "id", rule->id, "image", rule->image, "runtime", rule->runtime);

                if (json_array_append_new(array, row) < 0)
                        return NULL;
        }
        return TAKE(array);
}

static json_t *show_runtimes(const Key *key, const Config *config) {
        return json_incref(config->runtimes);
}

Config *config_free(Config *config) {
        if (!config)
                return NULL;
        free(config->path);
        free(config->root);
        free(config->store);
        free(config->default_runtime);
        for (size_t i = 0; i < config->n_rules; i++) {
                free(config->rules[i].id);
                free(config->rules[i].image);
                free(config->rules[i].runtime);
        }
        free(config->rules);
        json_decref(config->runtimes);
        free(config->storage_driver);
        free(config->network_bridge);
        free(config->userns);
        free(config);
        return NULL;
}

/* The file that is named, or the default one when it is there; *ret_path stays NULL when there is none. */
static int find_and_read(const char *named, const char **ret_path, char **ret_text, size_t *ret_len, Error *err) {
        const char *environment = getenv("PROXMOX_LXCRI_CONFIG");
        const char *path = named ?: environment && environment[0] ? environment : NULL;
        _cleanup_close_ int fd = -EBADF;

        /* An administrator's own file: a symlink to it is followed. */
        fd = open(path ?: CONFIG_PATH_DEFAULT, O_RDONLY | O_CLOEXEC);
        if (fd < 0 && !path && errno == ENOENT)
                return 0;
        if (!path)
                path = CONFIG_PATH_DEFAULT;
        if (fd < 0) {
                error_set_errno(err, ERROR_CONFIG, errno, "open '%s'", path);
                if (!named && path == environment)
                        error_hint(err, "$PROXMOX_LXCRI_CONFIG names this file");
                return -1;
        }
        if (file_read_fd(fd, path, CONFIG_SIZE_MAX, ret_text, ret_len, err) < 0) {
                if (err && err->kind == ERROR_FILE)
                        err->kind = ERROR_CONFIG;
                return -1;
        }
        *ret_path = path;
        return 0;
}

static int parse_file(const Source *source, size_t len, json_t **ret, Error *err) {
        _cleanup_json_ json_t *json = NULL;
        const char *name;
        json_t *value;

        if (json_parse(source->text, len, source->path, &json, err) < 0) {
                if (err && err->kind == ERROR_INVALID_JSON)
                        err->kind = ERROR_INVALID_CONFIG;
                return -1;
        }
        if (json_need_root(json, (JsonPlace) { source->path, ERROR_INVALID_CONFIG }, err) < 0)
                return -1;
        json_object_foreach(json, name, value) {
                bool known = false;

                for (size_t i = 0; i < ARRAY_SIZE(keys) && !known; i++)
                        known = !strcmp(keys[i].doc.name, name);
                if (!known)
                        return refuse_unknown(source, (const char *[]) { name, NULL }, err);
        }
        *ret = TAKE(json);
        return 0;
}

/*
 * Another user than root has places of their own. Source: XDG Base Directory Specification; as there, a relative path in the environment
 * does not count. NULL: the table's default holds; free()
 */
static int user_default(const char *name, char **ret, Error *err) {
        const char *runtime, *data, *home;

        if ((strcmp(name, "root") && strcmp(name, "store")) || geteuid() == 0)
                return 0;
        runtime = getenv("XDG_RUNTIME_DIR");
        data = getenv("XDG_DATA_HOME");
        home = getenv("HOME");
        if (!strcmp(name, "root"))
                return runtime && runtime[0] == '/' ? string_format(ret, err, "%s/proxmox-lxcri", runtime) :
                                                      string_format(ret, err, "/run/user/%u/proxmox-lxcri", (unsigned) geteuid());
        if (data && data[0] == '/')
                return string_format(ret, err, "%s/proxmox-lxcri", data);
        if (home && home[0] == '/')
                return string_format(ret, err, "%s/.local/share/proxmox-lxcri", home);
        return 0;
}

static int default_value(const Key *key, json_t **ret, Error *err) {
        _cleanup_free_ char *text = NULL;

        if (user_default(key->doc.name, &text, err) < 0)
                return -1;
        *ret = text ? json_string(text) : json_loads(key->doc.default_text, JSON_DECODE_ANY, NULL);
        return *ret ? 0 : error_oom(err);
}

int config_load(const char *path, Config **ret, Error *err) {
        _cleanup_(config_freep) Config *config = calloc(1, sizeof(*config));
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *text = NULL;
        Source file = {};
        size_t len = 0;

        if (!config)
                return error_oom(err);
        if (find_and_read(path, &file.path, &text, &len, err) < 0)
                return -1;
        if (file.path) {
                file.text = text;
                if (parse_file(&file, len, &json, err) < 0 || string_copy(file.path, &config->path, err) < 0)
                        return -1;
        }

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                const Key *key = &keys[i];
                json_t *value = json_object_get(json, key->doc.name);
                _cleanup_json_ json_t *fallback = NULL;
                Source source = file;

                if (value)
                        config->lines[i] = json_key_line(file.text, (const char *[]) { key->doc.name, NULL });
                else {
                        if (default_value(key, &fallback, err) < 0)
                                return -1;
                        value = fallback;
                        source = (Source) { "default", key->doc.default_text };
                }
                if (key->parse(key, value, &source, config, err) < 0)
                        return -1;
        }
        *ret = TAKE(config);
        return 0;
}

int config_show(const Config *config, json_t **ret, Error *err) {
        _cleanup_json_ json_t *json = json_object();

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                _cleanup_free_ char *source = NULL;
                json_t *value = keys[i].show(&keys[i], config);
                int r;

                if (!value)
                        return error_oom(err);
                r = config->lines[i] ? string_format(&source, err, "%s:%u", config->path, config->lines[i]) :
                                       string_copy("default", &source, err);
                if (r < 0) {
                        json_decref(value);
                        return -1;
                }
                if (json_object_set_new(json, keys[i].doc.name, json_pack("{s:o, s:s}", "value", value, "source", source)) < 0)
                        return error_oom(err);
        }
        *ret = TAKE(json);
        return 0;
}

const char *config_runtime_path(const Config *config, const char *runtime) {
        return json_string_value(json_object_get(json_object_get(config->runtimes, runtime), "path"));
}

bool config_key_at(size_t index, ConfigKey *ret) {
        if (index >= ARRAY_SIZE(keys))
                return false;
        *ret = keys[index].doc;
        return true;
}
