/* Reading a folder of certs.d: NAME.crt are authorities, NAME.cert with NAME.key is our own certificate. */

#include "registry/certs.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"

void certs_clear(Certs *certs) {
        buf_free(&certs->authorities);
        free(certs->cert);
        free(certs->key);
        *certs = CERTS_INIT;
}

/* Whether @name ends in @suffix, with something before it. */
static bool ends_in(const char *name, const char *suffix) {
        const size_t n = strlen(name), m = strlen(suffix);

        return n > m && !strcmp(name + n - m, suffix);
}

static int add_authority(int dir_fd, const char *dir, const char *name, Certs *certs, Error *err) {
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
        _cleanup_free_ char *text = NULL;

        if (fd < 0)
                return error_set_errno(err, ERROR_CONFIG, errno, "open '%s/%s'", dir, name);
        if (file_read_fd(fd, name, CERTS_SIZE_MAX, &text, NULL, err) < 0)
                return error_prefix(err, "'%s'", dir);
        if (buf_printf(&certs->authorities, err, "%s\n", text) < 0)
                return error_prefix(err, "'%s'", dir);
        return 0;
}

static int add_pair(int dir_fd, const char *dir, const char *name, Certs *certs, Error *err) {
        const int stem = (int) (strlen(name) - strlen(".cert"));
        _cleanup_free_ char *key = NULL;

        if (certs->cert)
                return error_set(err, ERROR_NOT_SUPPORTED, "'%s' has several client certificates", dir);
        if (string_format(&key, err, "%.*s.key", stem, name) < 0)
                return -1;
        if (faccessat(dir_fd, key, R_OK, 0) < 0)
                return error_set_errno(err, ERROR_CONFIG, errno, "'%s/%s': its key '%s'", dir, name, key);
        return string_format(&certs->cert, err, "%s/%s", dir, name) < 0 ? -1 : string_format(&certs->key, err, "%s/%s", dir, key);
}

static int load_folder(DIR *folder, const char *dir, Certs *ret, Error *err) {
        _cleanup_(certs_clear) Certs certs = CERTS_INIT;
        struct dirent *entry;

        while ((entry = dir_next(folder))) {
                int r = 0;

                if (ends_in(entry->d_name, ".crt"))
                        r = add_authority(dirfd(folder), dir, entry->d_name, &certs, err);
                else if (ends_in(entry->d_name, ".cert"))
                        r = add_pair(dirfd(folder), dir, entry->d_name, &certs, err);
                if (r < 0)
                        return -1;
        }
        if (errno != 0)
                return error_set_errno(err, ERROR_CONFIG, errno, "read '%s'", dir);
        *ret = certs;
        certs = CERTS_INIT;
        return 0;
}

int certs_load(const char *dir, const char *host, Certs *ret, Error *err) {
        const char *home = getenv("HOME");
        const struct {
                const char *base, *below;
        } places[] = {
                { home && home[0] == '/' ? home : NULL, "/.config/containers/certs.d/" },
                { "", "/etc/containers/certs.d/" },
                { "", "/etc/docker/certs.d/" },
        };

        if (dir) {
                _cleanup_closedir_ DIR *folder = opendir(dir);

                return folder ? load_folder(folder, dir, ret, err) : error_set_errno(err, ERROR_CONFIG, errno, "open '%s'", dir);
        }
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                _cleanup_closedir_ DIR *folder = NULL;
                _cleanup_free_ char *path = NULL;

                if (!places[i].base)
                        continue;
                if (string_format(&path, err, "%s%s%s", places[i].base, places[i].below, host) < 0)
                        return -1;
                folder = opendir(path);
                if (folder)
                        return load_folder(folder, path, ret, err);
                if (errno != ENOENT && errno != ENOTDIR)
                        return error_set_errno(err, ERROR_CONFIG, errno, "open '%s'", path);
        }
        *ret = CERTS_INIT;
        return 0;
}
