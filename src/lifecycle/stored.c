/* Looking a container up in the store. */

#include "lifecycle/stored.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"

int stored_load(const Lifecycle *lifecycle, const char *id, int *ret_fd, ContainerRecord **ret, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;
        _cleanup_(store_closep) Store *store = NULL;
        _cleanup_close_ int fd = -EBADF;
        Error e = ERROR_INIT;
        char path[PATH_MAX];
        int n;

        *ret = NULL;
        n = snprintf(path, sizeof(path), "%s/containers/%s", lifecycle->store, id);
        if (n < 0 || (size_t) n >= sizeof(path))
                return error_set_errno(err, ERROR_FILE, ENAMETOOLONG, "store '%s'", lifecycle->store);
        if (access(path, F_OK) < 0)
                return 0;
        if (store_open(lifecycle->store, STORE_READ, &store, err) < 0)
                return -1;
        if (container_dir_open(store, id, &fd, &e) < 0 || container_record_load(fd, &record, &e) < 0) {
                if (e.kind == ERROR_CONTAINER_NOT_FOUND)
                        return 0;
                if (err)
                        *err = e;
                return -1;
        }
        if (strcmp(record->root, lifecycle->root))
                return 0;
        if (ret_fd)
                *ret_fd = TAKE_FD(fd);
        *ret = TAKE(record);
        return 0;
}

bool stored_is_lost(const Lifecycle *lifecycle, const char *id) {
        _cleanup_close_ int fd = -EBADF;
        char path[PATH_MAX];

        (void) snprintf(path, sizeof(path), "%s/containers/%s", lifecycle->store, id); /* its length is checked */
        fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd >= 0 && container_record_is_lost(fd);
}

int stored_kind(const Lifecycle *lifecycle, const char *id, StoredKind *ret, Error *err) {
        _cleanup_(container_record_freep) ContainerRecord *record = NULL;

        if (stored_load(lifecycle, id, NULL, &record, err) < 0)
                return -1;
        if (record)
                *ret = record->complete ? STORED_WHOLE : STORED_CUT_OFF;
        else
                *ret = stored_is_lost(lifecycle, id) ? STORED_CUT_OFF : STORED_NOT;
        return 0;
}
