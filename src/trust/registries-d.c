/* registries.d, and what it says of an image. */

#include "trust/registries-d.h"

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/user.h"
#include "trust/yaml-json.h"

#define SYSTEM_FOLDER "/etc/containers/registries.d"
#define SYSTEM_STORE  "/var/lib/containers/sigstore"     /* what containers' tools take when nothing is said */
#define USER_STORE    ".local/share/containers/sigstore" /* the same without root, below $HOME */

void registries_d_clear(RegistriesD *conf) {
        json_decref(conf->fallback);
        json_decref(conf->scopes);
        json_decref(conf->scope_files);
        free(conf->fallback_file);
        *conf = (RegistriesD) { 0 };
}

static int check_settings(const json_t *settings, const char *where, Error *err) {
        static const char *const texts[] = { "lookaside", "lookaside-staging", "sigstore", "sigstore-staging" };
        const JsonPlace place = { where, ERROR_INVALID_CONFIG };
        const char *key, *text;
        const json_t *value;
        bool attachments;

        if (json_need_root(settings, place, err) < 0 || json_opt_bool(settings, "use-sigstore-attachments", place, &attachments, err) < 0)
                return -1;
        json_object_foreach((json_t *) settings, key, value) {
                bool known = !strcmp(key, "use-sigstore-attachments");

                for (size_t i = 0; i < ARRAY_SIZE(texts) && !known; i++)
                        known = !strcmp(key, texts[i]);
                if (!known)
                        return error_set(err, ERROR_INVALID_CONFIG, "%s: '%.100s' is not known", where, key);
                if (strcmp(key, "use-sigstore-attachments") != 0 && json_opt_string(settings, key, place, &text, err) < 0)
                        return -1;
        }
        return 0;
}

static int add_scopes(json_t *docker, const char *what, RegistriesD *conf, Error *err) {
        const char *scope;
        json_t *settings;

        if (!conf->scopes)
                conf->scopes = json_object();
        if (!conf->scope_files)
                conf->scope_files = json_object();
        if (!conf->scopes || !conf->scope_files)
                return error_oom(err);
        json_object_foreach(docker, scope, settings) {
                _cleanup_free_ char *where = NULL;

                if (string_format(&where, err, "%s: docker.%.200s", what, scope) < 0)
                        return -1;
                if (json_object_get(conf->scopes, scope))
                        return error_set(err, ERROR_INVALID_CONFIG, "%s: stands in '%s' already", where,
                                         json_string_value(json_object_get(conf->scope_files, scope)));
                if (check_settings(settings, where, err) < 0)
                        return -1;
                if (json_object_set(conf->scopes, scope, settings) < 0 ||
                    json_object_set_new(conf->scope_files, scope, json_string(what)) < 0)
                        return error_oom(err);
        }
        return 0;
}

int registries_d_parse(const char *text, size_t len, const char *what, RegistriesD *conf, Error *err) {
        const JsonPlace place = { what, ERROR_INVALID_CONFIG };
        json_t *fallback = NULL, *docker = NULL;
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *where = NULL;
        const char *key;
        json_t *value;

        if (yaml_parse(text, len, what, &json, err) < 0)
                return -1;
        if (json_is_null(json))
                return 0;
        if (json_need_root(json, place, err) < 0)
                return -1;
        json_object_foreach(json, key, value)
                if (strcmp(key, "default-docker") != 0 && strcmp(key, "docker") != 0)
                        return error_set(err, ERROR_INVALID_CONFIG, "%s: '%.100s' is not known", what, key);
        if (json_opt_object(json, "default-docker", place, &fallback, err) < 0 ||
            json_opt_object(json, "docker", place, &docker, err) < 0 ||
            string_format(&where, err, "%s: default-docker", what) < 0)
                return -1;
        if (fallback) {
                if (conf->fallback)
                        return error_set(err, ERROR_INVALID_CONFIG, "%s: stands in '%s' already", where, conf->fallback_file);
                if (check_settings(fallback, where, err) < 0 || string_copy(what, &conf->fallback_file, err) < 0)
                        return -1;
                conf->fallback = json_incref(fallback);
        }
        return docker ? add_scopes(docker, what, conf, err) : 0;
}

static int load_file(int folder_fd, const char *folder, const char *name, RegistriesD *conf, Error *err) {
        _cleanup_free_ char *what = NULL, *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        size_t len;

        if (string_format(&what, err, "%s/%s", folder, name) < 0)
                return -1;
        fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_CONFIG, errno, "open '%s'", what);
        if (file_read_fd(fd, what, YAML_SIZE_MAX, &text, &len, err) < 0) {
                if (err && err->kind == ERROR_FILE)
                        err->kind = ERROR_CONFIG;
                return -1;
        }
        return registries_d_parse(text, len, what, conf, err);
}

/* *ret_found: whether the folder is there. */
static int load_folder(const char *folder, RegistriesD *conf, bool *ret_found, Error *err) {
        _cleanup_closedir_ DIR *dir = opendir(folder);
        struct dirent *entry;

        *ret_found = dir != NULL;
        if (!dir)
                return errno == ENOENT || errno == ENOTDIR ? 0 : error_set_errno(err, ERROR_CONFIG, errno, "open '%s'", folder);
        while ((entry = dir_next(dir))) {
                const size_t len = strlen(entry->d_name);

                if (len > strlen(".yaml") && !strcmp(entry->d_name + len - strlen(".yaml"), ".yaml") &&
                    load_file(dirfd(dir), folder, entry->d_name, conf, err) < 0)
                        return -1;
        }
        return errno != 0 ? error_set_errno(err, ERROR_CONFIG, errno, "read '%s'", folder) : 0;
}

int registries_d_load(const char *folder, RegistriesD *conf, Error *err) {
        _cleanup_registries_d_ RegistriesD loaded = { 0 };
        const char *home = getenv("HOME");
        _cleanup_free_ char *user = NULL;
        bool found = false;

        if (folder) {
                if (load_folder(folder, &loaded, &found, err) < 0)
                        return -1;
                if (!found)
                        return error_set_errno(err, ERROR_CONFIG, ENOENT, "open '%s'", folder);
        } else {
                if (home && home[0] == '/' &&
                    (string_format(&user, err, "%s/.config/containers/registries.d", home) < 0 ||
                     load_folder(user, &loaded, &found, err) < 0))
                        return -1;
                if (!found && load_folder(SYSTEM_FOLDER, &loaded, &found, err) < 0)
                        return -1;
        }
        *conf = loaded;
        loaded = (RegistriesD) { 0 };
        return 0;
}

/* ---- what it says of an image ---- */

typedef const json_t *(*Ask)(const json_t *settings, const void *userdata);

/* The answer of the most specific scope that has one: NAME:TAG or NAME@DIGEST, NAME, its parents, the host, *.DOMAIN. */
static int ask_scopes(const RegistriesD *conf, const Reference *name, Ask ask, const void *userdata, const json_t **ret, Error *err) {
        _cleanup_free_ char *scope = NULL, *wildcard = NULL;
        size_t full;

        if (string_format(&scope, err, "%s/%s%s%s", name->registry, name->repository, name->has_digest ? "@" : name->tag ? ":" : "",
                          name->has_digest ? name->digest.text : name->tag ?: "") < 0)
                return -1;
        *ret = ask(json_object_get(conf->scopes, scope), userdata);
        full = strlen(name->registry) + 1 + strlen(name->repository);
        for (scope[full] = '\0'; !*ret;) {
                char *slash = strrchr(scope, '/');

                *ret = ask(json_object_get(conf->scopes, scope), userdata);
                if (!slash)
                        break;
                *slash = '\0';
        }
        for (const char *domain = name->registry; !*ret && (domain = strchr(domain, '.'));) {
                free(TAKE(wildcard));
                domain++;
                if (string_format(&wildcard, err, "*.%.*s", (int) strcspn(domain, ":"), domain) < 0)
                        return -1;
                *ret = ask(json_object_get(conf->scopes, wildcard), userdata);
        }
        if (!*ret)
                *ret = ask(conf->fallback, userdata);
        return 0;
}

static const json_t *ask_lookaside(const json_t *settings, const void *userdata) {
        static const char *const keys[] = { "lookaside-staging", "sigstore-staging", "lookaside", "sigstore" };
        const bool *staging = userdata;

        for (size_t i = *staging ? 0 : 2; i < ARRAY_SIZE(keys); i++) {
                const json_t *value = json_object_get(settings, keys[i]);

                if (json_string_length(value) > 0)
                        return value;
        }
        return NULL;
}

static const json_t *ask_attachments(const json_t *settings, const void *userdata) {
        const json_t *value = json_object_get(settings, "use-sigstore-attachments");

        return json_is_boolean(value) ? value : NULL;
}

int registries_d_lookaside(const RegistriesD *conf, const Reference *name, bool staging, char **ret, Error *err) {
        const char *home = getenv("HOME"), *url;
        const json_t *value;

        if (ask_scopes(conf, name, ask_lookaside, &staging, &value, err) < 0)
                return -1;
        if (!value) {
                if (user_outer_id() == 0 || !home || home[0] != '/')
                        return string_format(ret, err, "file://" SYSTEM_STORE "/%s", name->repository);
                return string_format(ret, err, "file://%s/" USER_STORE "/%s", home, name->repository);
        }
        url = json_string_value(value);
        if ((strncmp(url, "file:///", 8) != 0 && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) ||
            strpbrk(url, "?#")) {
                error_set(err, ERROR_INVALID_CONFIG, "registries.d: '%.300s' is no lookaside", url);
                return error_hint(err, "it is file:///PATH, https://HOST/PATH or http://HOST/PATH");
        }
        return string_format(ret, err, "%s/%s", url, name->repository);
}

int registries_d_attachments(const RegistriesD *conf, const Reference *name, bool *ret, Error *err) {
        const json_t *value;

        if (ask_scopes(conf, name, ask_attachments, NULL, &value, err) < 0)
                return -1;
        *ret = json_is_true(value);
        return 0;
}
