/* Removing what is not in use: first all is marked, then what is not marked goes. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "layers/gc-mark.h"
#include "layers/layers.h"

#define HEX_LEN 64

typedef struct Sweep {
        Store *store;
        const GcMarks *marks;
        bool dry_run;
        PruneCount count;
} Sweep;

/* Looks at one name of a folder. */
typedef int (*SweepName)(Sweep *sweep, int dir_fd, const char *name, Error *err);

static int for_each_name(Sweep *sweep, int dir_fd, const char *what, SweepName look, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *entry;
        int fd;

        fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                close_keep_errno(fd);
                return error_set_errno(err, ERROR_FILE, errno, "read the store's %s", what);
        }
        while ((errno = 0, entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && look(sweep, dir_fd, entry->d_name, err) < 0)
                        return error_prefix(err, "%s", what);
        return errno != 0 ? error_set_errno(err, ERROR_FILE, errno, "read the store's %s", what) : 0;
}

static bool is_hex(const char *name, const char *suffix) {
        return strspn(name, "0123456789abcdef") == HEX_LEN && !strcmp(name + HEX_LEN, suffix);
}

static int remove_file(const Sweep *sweep, int dir_fd, const char *name, Error *err) {
        if (!sweep->dry_run && unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove '%s'", name);
        return 0;
}

static int sweep_record(Sweep *sweep, int dir_fd, const char *name, Error *err) {
        const bool trust = is_hex(name, ".trust"); /* goes with the other record */
        char hex[HEX_LEN + 1];

        if (!trust && !is_hex(name, ".json"))
                return 0;
        memcpy(hex, name, HEX_LEN);
        hex[HEX_LEN] = '\0';
        if (path_set_has(&sweep->marks->blobs, hex))
                return 0;
        sweep->count.images += !trust;
        return remove_file(sweep, dir_fd, name, err);
}

static int sweep_blob(Sweep *sweep, int dir_fd, const char *name, Error *err) {
        struct stat st;

        if (!is_hex(name, "") || path_set_has(&sweep->marks->blobs, name))
                return 0;
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : error_set_errno(err, ERROR_FILE, errno, "stat '%s'", name);
        sweep->count.blobs++;
        sweep->count.bytes += (uint64_t) st.st_size;
        return remove_file(sweep, dir_fd, name, err);
}

static uint64_t layer_size(int dir_fd, const char *name) {
        _cleanup_json_ json_t *record = NULL;
        char path[HEX_LEN + 16];

        snprintf(path, sizeof(path), "%s/layer.json", name);
        if (json_load_at(dir_fd, path, 4096, &record, NULL) < 0)
                return 0;
        return (uint64_t) json_integer_value(json_object_get(record, "size"));
}

static int sweep_layer(Sweep *sweep, int dir_fd, const char *name, Error *err) {
        /* Earlier versions had a lock file for each layer. */
        if (name[0] == '.' && is_hex(name + 1, ".lock"))
                return remove_file(sweep, dir_fd, name, err);
        if (!is_hex(name, "") || path_set_has(&sweep->marks->layers, name))
                return 0;
        sweep->count.layers++;
        sweep->count.bytes += layer_size(dir_fd, name);
        if (sweep->dry_run)
                return 0;
        return store_discard(sweep->store, dir_fd, name, err);
}

/* What store_tmp_clean() would remove. */
static int count_temporary(Sweep *sweep, int dir_fd, const char *name, Error *err) {
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
                sweep->count.temporary++;
        return 0;
}

/* Half a blob that no pull has come back for. */
static int sweep_download(Sweep *sweep, int dir_fd, const char *name, Error *err) {
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : error_set_errno(err, ERROR_FILE, errno, "stat '%s'", name);
        sweep->count.temporary++;
        sweep->count.bytes += (uint64_t) st.st_size;
        return remove_file(sweep, dir_fd, name, err);
}

static int sweep_downloads(Sweep *sweep, Error *err) {
        _cleanup_close_ int fd = openat(store_fd(sweep->store), "downloads", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? 0 : error_set_errno(err, ERROR_FILE, errno, "open the store's downloads");
        return for_each_name(sweep, fd, "downloads", sweep_download, err);
}

static int sweep_temporary(Sweep *sweep, Error *err) {
        unsigned n = 0;

        if (sweep->dry_run)
                return for_each_name(sweep, store_tmp_fd(sweep->store), "temporary files", count_temporary, err);
        if (store_tmp_clean(sweep->store, &n, err) < 0)
                return -1;
        sweep->count.temporary += n;
        return 0;
}

int store_prune(Store *store, bool dry_run, PruneCount *ret, Error *err) {
        _cleanup_(gc_marks_clear) GcMarks marks = { 0 };
        Sweep sweep = { .store = store, .marks = &marks, .dry_run = dry_run };

        if (gc_mark(store, &marks, err) < 0)
                return -1;
        /* What refers goes before what is referred to: a cut-off prune leaves nothing that points into the void. */
        if (for_each_name(&sweep, store_images_fd(store), "image records", sweep_record, err) < 0 ||
            for_each_name(&sweep, store_layers_fd(store), "layers", sweep_layer, err) < 0 ||
            for_each_name(&sweep, store_blobs_fd(store), "blobs", sweep_blob, err) < 0 || sweep_temporary(&sweep, err) < 0 ||
            sweep_downloads(&sweep, err) < 0)
                return -1;
        *ret = sweep.count;
        return 0;
}
