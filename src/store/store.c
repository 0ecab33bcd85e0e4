/* The store's directory: opening and making it, its locks, its blobs and layers. */

#include "store/store.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/lock.h"

#define LAYOUT_SIZE_MAX (64u << 10) /* bytes; this program's own cap on a file of one field */
#define LAYOUT_TEXT     "{\"imageLayoutVersion\":\"1.0.0\"}\n"
#define INDEX_TEXT      "{\"schemaVersion\":2,\"manifests\":[]}\n"

typedef enum Folder {
        FOLDER_BLOBS,
        FOLDER_IMAGES,
        FOLDER_LAYERS,
        FOLDER_CONTAINERS,
        FOLDER_TMP,
        _FOLDER_MAX,
} Folder;

static const char *const folders[_FOLDER_MAX] = {
        [FOLDER_BLOBS]      = "blobs/sha256",
        [FOLDER_IMAGES]     = "images",
        [FOLDER_LAYERS]     = "layers",
        [FOLDER_CONTAINERS] = "containers",
        [FOLDER_TMP]        = "tmp",
};

struct Store {
        char *path;
        int fd; /* -EBADF: it does not exist (STORE_READ) */
        int folders[_FOLDER_MAX];
};

Store *store_close(Store *store) {
        if (!store)
                return NULL;
        close_keep_errno(store->fd);
        for (size_t i = 0; i < _FOLDER_MAX; i++)
                close_keep_errno(store->folders[i]);
        free(store->path);
        free(store);
        return NULL;
}

int store_fd(const Store *store) {
        return store->fd;
}

int store_blobs_fd(const Store *store) {
        return store->folders[FOLDER_BLOBS];
}

int store_images_fd(const Store *store) {
        return store->folders[FOLDER_IMAGES];
}

int store_layers_fd(const Store *store) {
        return store->folders[FOLDER_LAYERS];
}

int store_containers_fd(const Store *store) {
        return store->folders[FOLDER_CONTAINERS];
}

int store_tmp_fd(const Store *store) {
        return store->folders[FOLDER_TMP];
}

const char *store_path(const Store *store) {
        return store->path;
}

/* Source: image-spec, image-layout.md, "oci-layout file". *ret_found is false when there is none. */
static int check_layout(Store *store, bool *ret_found, Error *err) {
        _cleanup_json_ json_t *layout = NULL;
        const char *version;
        Error cause = ERROR_INIT;

        *ret_found = false;
        if (json_load_at(store->fd, "oci-layout", LAYOUT_SIZE_MAX, &layout, &cause) < 0) {
                if (cause.kind == ERROR_FILE && cause.errnum == ENOENT)
                        return 0;
                if (err)
                        *err = cause;
                return -1;
        }
        if (json_need_string(layout, "imageLayoutVersion", (JsonPlace) { "oci-layout", ERROR_INVALID_SPEC }, &version, err) < 0)
                return -1;
        if (strncmp(version, "1.", 2))
                return error_set(err, ERROR_NOT_SUPPORTED, "oci-layout: image layout version '%s' is not 1.x", version);
        *ret_found = true;
        return 0;
}

/* Sets the folders that are there; *ret_missing tells whether one is not. */
static int open_folders(Store *store, bool *ret_missing, Error *err) {
        *ret_missing = false;
        for (size_t i = 0; i < _FOLDER_MAX; i++) {
                if (store->folders[i] >= 0)
                        continue;
                store->folders[i] = openat(store->fd, folders[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (store->folders[i] >= 0)
                        continue;
                store->folders[i] = -EBADF;
                if (errno != ENOENT)
                        return error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", folders[i]);
                *ret_missing = true;
        }
        return 0;
}

/* Whether a directory without an oci-layout may become a store: what a mkfs or a crash of ours leaves does no harm. */
static int check_empty(Store *store, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *entry;

        if (dir_read(store->fd, &dir, err) < 0)
                return -1;
        while ((entry = dir_next(dir))) {
                if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "lost+found"))
                        continue;
                if (!strcmp(entry->d_name, "oci-layout")) /* just made by somebody else */
                        return 0;
                error_set(err, ERROR_FILE, "not a store: it holds '%s' but no 'oci-layout'", entry->d_name);
                return error_hint(err, "choose a store, an empty directory or a new one with --store");
        }
        if (errno != 0)
                return error_set_errno(err, ERROR_FILE, errno, "read directory");
        return 0;
}

/* Makes what is missing. The lock is on the directory itself: before there is a store there is no lock file. */
static int store_make(Store *store, Error *err) {
        _cleanup_close_ int lock = -EBADF;
        bool found, missing;

        lock = openat(store->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (lock < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory");
        while (flock(lock, LOCK_EX) < 0)
                if (errno != EINTR)
                        return error_set_errno(err, ERROR_FILE, errno, "lock directory");

        if (check_layout(store, &found, err) < 0)
                return -1;
        if (!found) {
                if (check_empty(store, err) < 0)
                        return -1;
                /* First of all, so that what a crash leaves is still a store. */
                if (file_write_atomic_at(store->fd, "oci-layout", LAYOUT_TEXT, strlen(LAYOUT_TEXT), 0600, WRITE_DURABLE, err) < 0)
                        return -1;
        }
        for (size_t i = 0; i < _FOLDER_MAX; i++)
                if (store->folders[i] < 0 && dir_make_at(store->fd, folders[i], 0700, NULL, err) < 0)
                        return -1;
        if (faccessat(store->fd, "index.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
                if (errno != ENOENT)
                        return error_set_errno(err, ERROR_FILE, errno, "look for 'index.json'");
                if (file_write_atomic_at(store->fd, "index.json", INDEX_TEXT, strlen(INDEX_TEXT), 0600, WRITE_DURABLE, err) < 0)
                        return -1;
        }
        return open_folders(store, &missing, err);
}

static int open_store(Store *store, StoreMode mode, Error *err) {
        int fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bool found, missing;

        if (fd < 0 && errno == ENOENT) {
                if (mode == STORE_READ)
                        return 0;
                if (dir_make_at(AT_FDCWD, store->path, 0700, &fd, err) < 0)
                        return -1;
        } else if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory");
        store->fd = fd;

        if (check_layout(store, &found, err) < 0 || open_folders(store, &missing, err) < 0)
                return -1;
        if (found && !missing)
                return 0;
        if (mode == STORE_CREATE)
                return store_make(store, err);
        return found ? 0 : check_empty(store, err);
}

int store_open(const char *path, StoreMode mode, Store **ret, Error *err) {
        _cleanup_(store_closep) Store *store = NULL;

        store = calloc(1, sizeof(*store));
        if (!store)
                return error_oom(err);
        store->fd = -EBADF;
        for (size_t i = 0; i < _FOLDER_MAX; i++)
                store->folders[i] = -EBADF;

        if (path_absolute(path, &store->path, err) < 0)
                return -1;
        if (open_store(store, mode, err) < 0)
                return error_prefix(err, "store '%s'", store->path);
        *ret = TAKE(store);
        return 0;
}

int store_blob_open(Store *store, const Descriptor *descriptor, int *ret_fd, Error *err) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        /* O_NONBLOCK: a FIFO in a blob's place must not hang us. */
        fd = openat(store_blobs_fd(store), digest_hex(&descriptor->digest), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 && (errno == ENOENT || errno == EBADF))
                return error_set(err, ERROR_IMAGE_NOT_FOUND, "no blob '%s' in the store '%s'", descriptor->digest.text, store->path);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open blob '%s'", descriptor->digest.text);
        if (fstat(fd, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat blob '%s'", descriptor->digest.text);
        if (!S_ISREG(st.st_mode))
                return error_set(err, ERROR_FILE, "blob '%s' is not a regular file", descriptor->digest.text);
        if ((uint64_t) st.st_size != descriptor->size)
                return error_set(err, ERROR_DIGEST_MISMATCH, "blob '%s' has %lld bytes, its descriptor says %llu", descriptor->digest.text,
                                 (long long) st.st_size, (unsigned long long) descriptor->size);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int store_blob_read(Store *store, const Descriptor *descriptor, size_t max, char **ret_data, size_t *ret_len, Error *err) {
        _cleanup_close_ int fd = -EBADF;

        if (store_blob_open(store, descriptor, &fd, err) < 0)
                return -1;
        return file_read_fd(fd, descriptor->digest.text, max, ret_data, ret_len, err);
}

bool store_layer_exists(Store *store, const Digest *chain_id) {
        char path[sizeof(Digest) + sizeof("/diff")];

        snprintf(path, sizeof(path), "%s/diff", digest_hex(chain_id));
        return faccessat(store_layers_fd(store), path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int store_lock(Store *store, const char *name, bool exclusive, bool wait, int *ret_fd, Error *err) {
        char file[64];
        int n;

        n = snprintf(file, sizeof(file), "%s.lock", name);
        if (n < 0 || (size_t) n >= sizeof(file))
                return error_set_errno(err, ERROR_FILE, ENAMETOOLONG, "lock '%s'", name);
        if (lock_take_at(store->fd, file, exclusive ? LOCK_EXCLUSIVE : LOCK_SHARED, wait, ret_fd, err) < 0)
                return error_prefix(err, "store '%s'", store->path);
        return 0;
}
