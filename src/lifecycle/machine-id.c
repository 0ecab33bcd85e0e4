/*
 * The machine id of a system container. A root without one is, to systemd, a machine that boots for the first time, and it asks its user
 * questions at a console where nobody need be; roots as debootstrap and mmdebstrap make them have none. Source: machine-id(5)
 */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "lifecycle/phases.h"

#define NAME "machine-id"
#define MACHINE_ID_FILE_MAX 64 /* bytes; an id has 33 */

/* Whether the image has left it to be set; what is something else than a short file has its reasons. */
static int is_unset(int etc, bool *ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        Error e = ERROR_INIT;

        *ret = false;
        if (file_read_at(etc, NAME, MACHINE_ID_FILE_MAX, &text, NULL, &e) < 0) {
                *ret = e.errnum == ENOENT;
                return e.kind == ERROR_OUT_OF_MEMORY ? error_oom(err) : 0;
        }
        text[strcspn(text, " \n")] = '\0';
        *ret = !text[0] || !strcmp(text, "uninitialized");
        return 0;
}

int machine_id_set(int root_fd, const char *id, const IdMapping *mapping, Error *err) {
        _cleanup_close_ int etc = open_in_root(root_fd, "etc", O_PATH | O_DIRECTORY, 0), fd = -EBADF;
        uint32_t uid = 0, gid = 0;
        char text[SPEC_MACHINE_ID_MAX + 1];
        bool unset;

        if (etc < 0)
                return 0;
        if (is_unset(etc, &unset, err) < 0)
                return -1;
        if (!unset)
                return 0;
        if (mapping && (!id_map_host(&mapping->uids, 0, &uid) || !id_map_host(&mapping->gids, 0, &gid)))
                return error_set(err, ERROR_INVALID_ARGUMENT, "a system container's user namespace must have a root");
        (void) snprintf(text, sizeof(text), "%s\n", id);
        /* Made anew: what stands there may be anything. A crash in between undoes the container. */
        if (unlinkat(etc, NAME, 0) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "replace '/etc/" NAME "' in the container");
        fd = openat(etc, NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
        if (fd < 0 || fchown(fd, uid, gid) < 0 || fchmod(fd, 0444) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make '/etc/" NAME "' in the container");
        return fd_write_all(fd, text, strlen(text), err);
}
