/* containers/ID/: its making and removal as one step each, and container.json. */

#include "store/container.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "store/mounts.h"

#define RECORD_NAME     "container.json"
#define RECORD_SIZE_MAX (1u << 20) /* bytes; a dozen short strings */

static const JsonPlace place = { RECORD_NAME, ERROR_INVALID_STATE };

ContainerRecord *container_record_free(ContainerRecord *record) {
        if (!record)
                return NULL;
        free(record->id);
        free(record->root);
        free(record->image_name);
        free(record->driver);
        free(record->runtime);
        free(record->created);
        free(record->stop_signal);
        free(record->hostname);
        free(record);
        return NULL;
}

/* Only what makes an id unusable as a directory's name; what ids may look like is decided above. */
static int check_id(const char *id, Error *err) {
        if (!id || !id[0] || strlen(id) > NAME_MAX || strchr(id, '/') || !strcmp(id, ".") || !strcmp(id, ".."))
                return error_set(err, ERROR_INVALID_ARGUMENT, "container id '%s' cannot name a directory", id ?: "");
        return 0;
}

static int error_exists(Store *store, const char *id, Error *err) {
        return error_set(err, ERROR_CONTAINER_EXISTS, "container '%s' exists in the store '%s'", id, store_path(store));
}

static int fsync_at(int dir_fd, const char *name, Error *err) {
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0 || fsync(fd) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "fsync '%s'", name);
        return 0;
}

/*
 * The temporary directory becomes the container's. A directory that holds a record is not empty, so that rename() never replaces it, on any
 * filesystem. A durable record is synced before it gets its name: as little as one that is whole or absent needs.
 */
static int dir_fill_and_rename(Store *store, const char *name, int fd, const ContainerRecord *record, bool durable, Error *err) {
        if (container_record_save(fd, record, false, err) < 0 || (durable && fsync_at(fd, RECORD_NAME, err) < 0))
                return -1;
        if (renameat(store_tmp_fd(store), name, store_containers_fd(store), record->id) < 0) {
                if (errno == EEXIST || errno == ENOTEMPTY)
                        return error_exists(store, record->id, err);
                return error_set_errno(err, ERROR_FILE, errno, "create directory 'containers/%s'", record->id);
        }
        return 0;
}

int container_dir_make(Store *store, const ContainerRecord *record, bool durable, int *ret_fd, Error *err) {
        _cleanup_close_ int fd = -EBADF, lock = -EBADF;
        _cleanup_free_ char *name = NULL;

        if (check_id(record->id, err) < 0)
                return -1;
        /* Asked beforehand only to spare the work; the rename decides. */
        if (faccessat(store_containers_fd(store), record->id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return error_exists(store, record->id, err);
        if (store_tmp_make(store, &name, &fd, &lock, err) < 0)
                return -1;
        if (dir_fill_and_rename(store, name, fd, record, durable, err) < 0) {
                (void) dir_remove_tree_at(store_tmp_fd(store), name, NULL);
                return -1;
        }
        if (durable && fsync(store_containers_fd(store)) < 0) {
                error_set_errno(err, ERROR_FILE, errno, "fsync directory 'containers'");
                (void) container_dir_remove(store, record->id, NULL);
                return -1;
        }
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* Adds permissions to pass through a directory. */
static int let_through(int fd, const char *name, mode_t bits, Error *err) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat directory '%s'", name);
        if ((st.st_mode & bits) != bits && fchmod(fd, (st.st_mode & 07777) | bits) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the mode of directory '%s'", name);
        return 0;
}

int container_dir_share(Store *store, int container_fd, gid_t gid, Error *err) {
        if (fchown(container_fd, (uid_t) -1, gid) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the group of the container's directory");
        if (let_through(container_fd, "containers/ID", S_IXGRP, err) < 0 ||
            let_through(store_containers_fd(store), "containers", S_IXGRP | S_IXOTH, err) < 0)
                return -1;
        return let_through(store_fd(store), store_path(store), S_IXGRP | S_IXOTH, err);
}

int container_dir_open(Store *store, const char *id, int *ret_fd, Error *err) {
        int fd;

        if (check_id(id, err) < 0)
                return -1;
        fd = openat(store_containers_fd(store), id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && (errno == ENOENT || errno == EBADF))
                return error_set(err, ERROR_CONTAINER_NOT_FOUND, "no container '%s' in the store '%s'", id, store_path(store));
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open container directory '%s'", id);
        *ret_fd = fd;
        return 0;
}

int container_dir_remove(Store *store, const char *id, Error *err) {
        _cleanup_close_ int fd = -EBADF;
        Error cause = ERROR_INIT;
        bool mounted;

        if (container_dir_open(store, id, &fd, &cause) < 0) {
                if (cause.kind == ERROR_CONTAINER_NOT_FOUND)
                        return 0;
                if (err)
                        *err = cause;
                return -1;
        }
        if (mount_is_inside(fd, &mounted, err) < 0)
                return error_prefix(err, "container '%s'", id);
        if (mounted)
                return error_set_errno(err, ERROR_FILE, EBUSY, "remove container '%s': something is mounted in '%s/containers/%s'", id,
                                       store_path(store), id);

        return store_discard(store, store_containers_fd(store), id, err) < 0 ? error_prefix(err, "remove container '%s'", id) : 0;
}

static int compare_ids(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int container_list(Store *store, char ***ret, Error *err) {
        _cleanup_strv_ char **ids = NULL;
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *entry;

        ids = calloc(1, sizeof(*ids));
        if (!ids)
                return error_oom(err);
        if (store_containers_fd(store) < 0) {
                *ret = TAKE(ids);
                return 0;
        }
        if (dir_read(store_containers_fd(store), &dir, err) < 0)
                return error_prefix(err, "'containers'");
        while ((entry = dir_next(dir))) {
                char path[NAME_MAX + sizeof("/" RECORD_NAME)];

                snprintf(path, sizeof(path), "%s/" RECORD_NAME, entry->d_name);
                if (faccessat(dirfd(dir), path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 && strv_push(&ids, entry->d_name, err) < 0)
                        return -1;
        }
        if (errno != 0)
                return error_set_errno(err, ERROR_FILE, errno, "read directory 'containers'");
        qsort(ids, strv_length(ids), sizeof(*ids), compare_ids);
        *ret = TAKE(ids);
        return 0;
}

static int take_string(const json_t *json, const char *key, bool needed, char **ret, Error *err) {
        const char *text = NULL;

        if ((needed ? json_need_string : json_opt_string)(json, key, place, &text, err) < 0)
                return -1;
        return string_copy(text, ret, err);
}

static int record_parse(const json_t *json, ContainerRecord **ret, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;
        const char *image, *boot_id;

        record = calloc(1, sizeof(*record));
        if (!record)
                return error_oom(err);
        if (take_string(json, "id", true, &record->id, err) < 0 || take_string(json, "root", true, &record->root, err) < 0 ||
            take_string(json, "imageName", true, &record->image_name, err) < 0 || json_need_string(json, "image", place, &image, err) < 0 ||
            take_string(json, "driver", true, &record->driver, err) < 0 || take_string(json, "runtime", true, &record->runtime, err) < 0 ||
            take_string(json, "created", true, &record->created, err) < 0 || json_need_string(json, "bootId", place, &boot_id, err) < 0 ||
            take_string(json, "stopSignal", false, &record->stop_signal, err) < 0 ||
            take_string(json, "hostname", false, &record->hostname, err) < 0 ||
            json_opt_bool(json, "complete", place, &record->complete, err) < 0 ||
            json_opt_bool(json, "systemdCgroup", place, &record->systemd_cgroup, err) < 0 ||
            json_opt_bool(json, "terminal", place, &record->terminal, err) < 0 ||
            json_opt_bool(json, "onBoot", place, &record->on_boot, err) < 0)
                return -1;
        if (digest_parse(image, &record->image, err) < 0)
                return error_prefix(err, RECORD_NAME ": 'image'");
        if (strlen(boot_id) >= sizeof(record->boot_id))
                return error_set(err, ERROR_INVALID_STATE, RECORD_NAME ": 'bootId' is too long");
        memcpy(record->boot_id, boot_id, strlen(boot_id) + 1);
        *ret = TAKE(record);
        return 0;
}

bool container_record_is_lost(int container_fd) {
        struct stat st;

        return fstatat(container_fd, RECORD_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

int container_record_load(int container_fd, ContainerRecord **ret, Error *err) {
        _cleanup_json_ json_t *json = NULL;
        Error cause = ERROR_INIT;

        if (container_record_is_lost(container_fd))
                return error_set(err, ERROR_CONTAINER_NOT_FOUND, "the container's '%s' never reached the disk", RECORD_NAME);
        if (json_load_at(container_fd, RECORD_NAME, RECORD_SIZE_MAX, &json, &cause) < 0) {
                if (cause.errnum == ENOENT)
                        return error_set(err, ERROR_CONTAINER_NOT_FOUND, "the container has no '%s'", RECORD_NAME);
                if (err)
                        *err = cause;
                return -1;
        }
        return record_parse(json, ret, err);
}

int container_record_save(int container_fd, const ContainerRecord *record, bool durable, Error *err) {
        _cleanup_json_ json_t *json = NULL;

        /* A field without a value ("s?", "*") is left out. */
        json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:b, s:b, s:b, s:b}", "id", record->id, "root", record->root,
                         "imageName", record->image_name, "image", record->image.text, "driver", record->driver, "runtime", record->runtime,
                         "created", record->created, "bootId", record->boot_id, "stopSignal", record->stop_signal, "hostname",
                         record->hostname, "complete", record->complete, "systemdCgroup", record->systemd_cgroup, "terminal",
                         record->terminal, "onBoot", record->on_boot);
        if (!json)
                return error_set(err, ERROR_INVALID_STATE, "the record of container '%s': a field is missing or not UTF-8", record->id);
        return json_save_at(container_fd, RECORD_NAME, json, 0600, durable ? WRITE_DURABLE : 0, err);
}
