/* Where credentials are looked for, and where they are kept. */

#include "registry/credentials.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/user.h"

#define FILES_HELPER "containers-auth.json" /* registries.conf's name for "the files" */

static const char *environment(const char *name) {
        const char *value = getenv(name);

        return value && value[0] ? value : NULL;
}

/* Containers' own file, where login writes. */
static int containers_file(char **ret, Error *err) {
        const char *runtime = environment("XDG_RUNTIME_DIR");

        if (runtime)
                return string_format(ret, err, "%s/containers/auth.json", runtime);
        return string_format(ret, err, "/run/containers/%u/auth.json", (unsigned) user_outer_id());
}

/* The files to be looked at, in order. */
static int list_files(const char *authfile, char ***ret, Error *err) {
        const char *home = environment("HOME"), *config = environment("XDG_CONFIG_HOME"), *docker = environment("DOCKER_CONFIG");
        _cleanup_strv_ char **files = NULL;
        _cleanup_free_ char *path = NULL, *second = NULL, *third = NULL;

        if (!authfile)
                authfile = environment("REGISTRY_AUTH_FILE");
        if (authfile) {
                if (strv_push(ret, authfile, err) < 0)
                        return -1;
                return 0;
        }
        if (containers_file(&path, err) < 0 || strv_push(&files, path, err) < 0)
                return -1;
        if (config || home) {
                if (string_format(&second, err, "%s%s/containers/auth.json", config ?: home, config ? "" : "/.config") < 0 ||
                    strv_push(&files, second, err) < 0)
                        return -1;
        }
        if (docker || home) {
                if (string_format(&third, err, "%s%s/config.json", docker ?: home, docker ? "" : "/.docker") < 0 ||
                    strv_push(&files, third, err) < 0)
                        return -1;
        }
        *ret = TAKE(files);
        return 0;
}

/* *ret stays NULL for a file that is not there. */
static int load_file(const char *path, json_t **ret, Error *err) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *data = NULL;
        size_t len;
        int r;

        if (fd < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0 : error_set_errno(err, ERROR_CONFIG, errno, "open '%s'", path);
        if (file_read_fd(fd, path, AUTH_FILE_SIZE_MAX, &data, &len, err) < 0)
                return -1;
        r = auth_file_parse(data, len, path, ret, err);
        explicit_bzero(data, len);
        return r;
}

static int ask_file(const char *path, bool must_exist, const Reference *name, Credentials *ret, Error *err) {
        _cleanup_free_ char *helper = NULL, *server = NULL;
        _cleanup_json_ json_t *file = NULL;

        if (load_file(path, &file, err) < 0)
                return -1;
        if (!file && must_exist)
                return error_set_errno(err, ERROR_CONFIG, ENOENT, "open '%s'", path);
        if (!file)
                return 0;
        if (auth_file_find(file, name, ret, &helper, &server, err) < 0)
                return error_prefix(err, "%s", path);
        return helper ? helper_get(helper, server, ret, err) : 0;
}

static int ask_files(const char *authfile, const Reference *name, Credentials *ret, Error *err) {
        _cleanup_strv_ char **files = NULL;

        if (list_files(authfile, &files, err) < 0)
                return -1;
        for (char **file = files; file && *file && !credentials_are_set(ret); file++)
                if (ask_file(*file, authfile != NULL, name, ret, err) < 0)
                        return -1;
        return 0;
}

int credentials_find(const char *authfile, char *const *helpers, const Reference *name, Credentials *ret, Error *err) {
        _cleanup_(credentials_clear) Credentials found = { 0 };

        if (!helpers && ask_files(authfile, name, &found, err) < 0)
                return -1;
        for (; helpers && *helpers && !credentials_are_set(&found); helpers++) {
                int r = !strcmp(*helpers, FILES_HELPER) ? ask_files(authfile, name, &found, err) :
                                                          helper_get(*helpers, name->registry, &found, err);

                if (r < 0)
                        return -1;
        }
        *ret = found;
        found = (Credentials) { 0 };
        return 0;
}

/* Opens the folder of the file that is to be changed, and locks it against others of ours. */
static int open_folder(const char *path, bool make, int *ret_dir, int *ret_lock, const char **ret_name, Error *err) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *folder = NULL, *lock = NULL;
        _cleanup_close_ int dir = -EBADF;

        *ret_name = slash ? slash + 1 : path;
        if (!(*ret_name)[0])
                return error_set(err, ERROR_INVALID_ARGUMENT, "auth file '%s' is a directory", path);
        if (string_format(&folder, err, "%.*s", slash ? (int) (slash - path) + 1 : 1, slash ? path : ".") < 0 ||
            string_format(&lock, err, ".%s.lock", *ret_name) < 0)
                return -1;
        if (make) {
                if (dir_make_at(AT_FDCWD, folder, 0700, &dir, err) < 0)
                        return error_prefix(err, "auth file '%s'", path);
        } else {
                dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (dir < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open '%s'", folder);
        }
        if (lock_take_at(dir, lock, LOCK_EXCLUSIVE, true, ret_lock, err) < 0)
                return -1;
        *ret_dir = TAKE_FD(dir);
        return 0;
}

/* The file that login and logout change. */
static int own_file(const char *authfile, char **ret, Error *err) {
        if (!authfile)
                authfile = environment("REGISTRY_AUTH_FILE");
        return authfile ? string_copy(authfile, ret, err) : containers_file(ret, err);
}

/* The helper that a file names for a registry; borrowed. */
static const char *helper_of(const json_t *file, const char *registry) {
        const char *own = json_string_value(json_object_get(json_object_get(file, "credHelpers"), registry));

        return own ?: json_string_value(json_object_get(file, "credsStore"));
}

static int print_auth(const Credentials *credentials, Buf *ret, Error *err) {
        _cleanup_buf_ Buf plain = BUF_INIT(2 * SECRET_MAX + 1);
        int r;

        if (buf_printf(&plain, err, "%s:%s", credentials->user, credentials->password) < 0)
                return -1;
        r = base64_encode(ret, plain.data, plain.len, err);
        explicit_bzero(plain.data, plain.len);
        return r;
}

static int put_entry(json_t *file, const char *registry, const Credentials *credentials, Error *err) {
        _cleanup_buf_ Buf auth = BUF_INIT(4 * SECRET_MAX);
        json_t *auths = json_object_get(file, "auths");

        if (!auths) {
                auths = json_object();
                if (json_object_set_new(file, "auths", auths) < 0)
                        return error_oom(err);
        }
        if (print_auth(credentials, &auth, err) < 0)
                return -1;
        if (json_object_set_new(auths, registry, json_pack("{s:s}", "auth", auth.data)) < 0)
                return error_oom(err);
        return 0;
}

int credentials_save(const char *authfile, const char *registry, const Credentials *credentials, char **ret_file, Error *err) {
        _cleanup_close_ int dir = -EBADF, lock = -EBADF;
        _cleanup_free_ char *path = NULL;
        _cleanup_json_ json_t *file = NULL;
        const char *name, *helper;

        if (strchr(credentials->user, ':'))
                return error_set(err, ERROR_INVALID_ARGUMENT, "a user name has no ':'");
        if (own_file(authfile, &path, err) < 0 || open_folder(path, true, &dir, &lock, &name, err) < 0 || load_file(path, &file, err) < 0)
                return -1;
        if (!file && !(file = json_object()))
                return error_oom(err);
        helper = helper_of(file, registry);
        if (helper) {
                if (helper_store(helper, !strcmp(registry, "docker.io") ? "https://index.docker.io/v1/" : registry, credentials, err) < 0)
                        return -1;
        } else if (put_entry(file, registry, credentials, err) < 0 || json_save_at(dir, name, file, 0600, 0, err) < 0)
                return error_prefix(err, "auth file '%s'", path);
        *ret_file = TAKE(path);
        return 0;
}

/* Every key of the registry itself, in either program's form. Returns how many there were. */
static int drop_entries(json_t *file, const char *registry, Error *err) {
        json_t *auths = json_object_get(file, "auths"), *value;
        const char *keys[] = { registry, !strcmp(registry, "docker.io") ? "https://index.docker.io/v1/" : NULL };
        int n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(keys) && keys[i]; i++) {
                value = json_object_get(auths, keys[i]);
                if (value)
                        n++;
                (void) json_object_del(auths, keys[i]);
        }
        return n;
}

int credentials_forget(const char *authfile, const char *registry, char **ret_file, Error *err) {
        _cleanup_close_ int dir = -EBADF, lock = -EBADF;
        _cleanup_free_ char *path = NULL;
        _cleanup_json_ json_t *file = NULL;
        const char *name, *helper;
        struct stat st;
        int n;

        *ret_file = NULL;
        if (own_file(authfile, &path, err) < 0)
                return -1;
        if (stat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
                return 0;
        if (open_folder(path, false, &dir, &lock, &name, err) < 0 || load_file(path, &file, err) < 0)
                return -1;
        helper = helper_of(file, registry);
        if (helper && helper_erase(helper, !strcmp(registry, "docker.io") ? "https://index.docker.io/v1/" : registry, err) < 0)
                return -1;
        n = drop_entries(file, registry, err);
        if (n < 0 || (n > 0 && json_save_at(dir, name, file, 0600, 0, err) < 0))
                return error_prefix(err, "auth file '%s'", path);
        if (n > 0 || helper)
                *ret_file = TAKE(path);
        return 0;
}
