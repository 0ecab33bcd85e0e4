/* Taking metadata from a tar entry or a file, and applying it. */

#include "layers/metadata.h"

#include <archive.h>

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "layers/caps.h"

void metadata_clear(Metadata *metadata) {
        for (size_t i = 0; i < metadata->n_xattrs; i++) {
                free(metadata->xattrs[i].name);
                free(metadata->xattrs[i].value);
        }
        free(metadata->xattrs);
        *metadata = (Metadata) { 0 };
}

/*
 * overlay's own attributes would let a layer redirect look-ups to files it does not own: never applied. Names outside of Linux's four
 * namespaces (com.apple.…) can't exist on Linux and mean nothing to it.
 */
static bool xattr_is_wanted(const char *name) {
        static const char *const namespaces[] = { "user.", "trusted.", "security.", "system." };

        if (!strncmp(name, "trusted.overlay.", 16) || !strncmp(name, "user.overlay.", 13))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
                if (!strncmp(name, namespaces[i], strlen(namespaces[i])))
                        return true;
        return false;
}

static int xattr_add(Metadata *m, const char *name, const void *value, size_t len, Error *err) {
        Xattr *grown, x = { .len = len };

        grown = reallocarray(m->xattrs, m->n_xattrs + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        m->xattrs = grown;
        x.name = strdup(name);
        x.value = malloc(len ?: 1);
        if (!x.name || !x.value) {
                free(x.name);
                free(x.value);
                return error_oom(err);
        }
        if (len > 0)
                memcpy(x.value, value, len);
        m->xattrs[m->n_xattrs++] = x;
        return 0;
}

static int xattrs_from_entry(struct archive_entry *entry, Metadata *m, Error *err) {
        const char *name;
        const void *value;
        size_t len, total = 0;

        archive_entry_xattr_reset(entry);
        while (archive_entry_xattr_next(entry, &name, &value, &len) == ARCHIVE_OK) {
                if (!name || !xattr_is_wanted(name))
                        continue;
                if (strlen(name) > XATTR_NAME_MAX)
                        return error_set(err, ERROR_INVALID_SPEC, "an extended attribute's name of more than %d bytes", XATTR_NAME_MAX);
                if (len > XATTR_SIZE_MAX)
                        return error_set(err, ERROR_INVALID_SPEC, "the extended attribute '%s' has more than %d bytes", name,
                                         XATTR_SIZE_MAX);
                total += strlen(name) + len;
                if (total > LAYER_XATTR_MAX)
                        return error_set(err, ERROR_INVALID_SPEC, "more than %u bytes of extended attributes", LAYER_XATTR_MAX);
                if (xattr_add(m, name, value, len, err) < 0)
                        return -1;
        }
        return 0;
}

int metadata_from_entry(struct archive_entry *entry, Metadata *ret, Error *err) {
        _cleanup_metadata_ Metadata m = {
                .mode = archive_entry_mode(entry),
                .times = {
                        { archive_entry_atime(entry), archive_entry_atime_nsec(entry) },
                        { archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) },
                },
        };
        int64_t uid = archive_entry_uid(entry), gid = archive_entry_gid(entry);

        /* (uid_t) -1 means "leave it" to chown, so it is no owner. */
        if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "owner %lld:%lld is out of range", (long long) uid, (long long) gid);
        m.uid = (uid_t) uid;
        m.gid = (gid_t) gid;
        if (S_ISCHR(m.mode) || S_ISBLK(m.mode))
                m.device = makedev(archive_entry_rdevmajor(entry), archive_entry_rdevminor(entry));
        if (!archive_entry_atime_is_set(entry))
                m.times[0] = m.times[1];
        if (xattrs_from_entry(entry, &m, err) < 0)
                return -1;
        *ret = m;
        m = (Metadata) { 0 };
        return 0;
}

static int xattr_from_file(const char *path, const char *name, Metadata *m, Error *err) {
        _cleanup_free_ void *value = malloc(XATTR_SIZE_MAX);
        ssize_t len;

        if (!value)
                return error_oom(err);
        len = getxattr(path, name, value, XATTR_SIZE_MAX);
        if (len < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read the attribute '%s'", name);
        return xattr_add(m, name, value, (size_t) len, err);
}

/* Calls nothing for a filesystem without attributes. *ret_names: NUL-separated; free(). */
static int xattr_names(const char *path, char **ret_names, size_t *ret_len, Error *err) {
        _cleanup_free_ char *names = NULL;
        ssize_t len;

        len = listxattr(path, NULL, 0);
        if (len > 0) {
                names = malloc(XATTR_LIST_MAX);
                if (!names)
                        return error_oom(err);
                len = listxattr(path, names, XATTR_LIST_MAX);
        }
        if (len < 0 && errno != ENOTSUP)
                return error_set_errno(err, ERROR_FILE, errno, "list the extended attributes");
        *ret_names = TAKE(names);
        *ret_len = len > 0 ? (size_t) len : 0;
        return 0;
}

int metadata_from_file(int fd, const struct stat *st, Metadata *ret, Error *err) {
        _cleanup_metadata_ Metadata m = {
                .uid = st->st_uid, .gid = st->st_gid, .mode = st->st_mode, .device = st->st_rdev, .times = { st->st_atim, st->st_mtim },
        };
        _cleanup_free_ char *names = NULL;
        char path[FD_PATH_MAX];
        size_t len;

        fd_path(fd, path);
        if (xattr_names(path, &names, &len, err) < 0)
                return -1;
        for (size_t i = 0; i < len; i += strlen(names + i) + 1)
                if (xattr_is_wanted(names + i) && xattr_from_file(path, names + i, &m, err) < 0)
                        return -1;
        *ret = m;
        m = (Metadata) { 0 };
        return 0;
}

const Xattr *metadata_default_acl(const Metadata *metadata) {
        for (size_t i = 0; i < metadata->n_xattrs; i++)
                if (!strcmp(metadata->xattrs[i].name, ACL_DEFAULT))
                        return &metadata->xattrs[i];
        return NULL;
}

static int xattr_failed(const Xattr *x, Error *err) {
        error_set_errno(err, ERROR_FILE, errno, "set the attribute '%s'", x->name);
        if (err && (err->errnum == ENOTSUP || err->errnum == EPERM))
                error_hint(err, "put the store on a file system that has such attributes (ext4, xfs, btrfs), as root");
        return -1;
}

static int xattrs_apply(const Metadata *m, int parent_fd, const char *name, Error *err) {
        char path[FD_PATH_MAX + NAME_MAX + 2];

        if (m->n_xattrs == 0)
                return 0;
        /* There is no setxattrat() on the kernels we run on; the last component is not followed. */
        snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", parent_fd, name);
        for (size_t i = 0; i < m->n_xattrs; i++) {
                const Xattr *x = &m->xattrs[i];

                if (S_ISDIR(m->mode) && !strcmp(x->name, ACL_DEFAULT))
                        continue;
                if (lsetxattr(path, x->name, x->value, x->len, 0) == 0)
                        continue;
                return xattr_failed(x, err);
        }
        return 0;
}

static bool is_owner(const Metadata *m, bool owned) {
        return owned && m->uid == 0 && m->gid == 0;
}

static int owner_failed(const Metadata *m, Error *err) {
        return error_set_errno(err, ERROR_FILE, errno, "set the owner %u:%u", m->uid, m->gid);
}

static int mode_failed(const Metadata *m, Error *err) {
        return error_set_errno(err, ERROR_FILE, errno, "set the mode %04o", m->mode & 07777);
}

/* chown clears setuid, chmod rewrites what an ACL says, and writing or chown drops capabilities: hence the order. */
int metadata_apply_new(const Metadata *metadata, int parent_fd, const char *name, bool owned, Error *err) {
        if (!is_owner(metadata, owned) && fchownat(parent_fd, name, metadata->uid, metadata->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return owner_failed(metadata, err);
        if (!S_ISLNK(metadata->mode) && fchmodat(parent_fd, name, metadata->mode & 07777, 0) < 0)
                return mode_failed(metadata, err);
        if (xattrs_apply(metadata, parent_fd, name, err) < 0)
                return -1;
        if (!S_ISDIR(metadata->mode) && utimensat(parent_fd, name, metadata->times, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the times");
        return 0;
}

int metadata_apply(const Metadata *metadata, int parent_fd, const char *name, Error *err) {
        return metadata_apply_new(metadata, parent_fd, name, false, err);
}

int metadata_apply_file(const Metadata *metadata, int fd, bool owned, Error *err) {
        if (!is_owner(metadata, owned) && fchown(fd, metadata->uid, metadata->gid) < 0)
                return owner_failed(metadata, err);
        if ((metadata->mode & 07000) && fchmod(fd, metadata->mode & 07777) < 0)
                return mode_failed(metadata, err);
        for (size_t i = 0; i < metadata->n_xattrs; i++) {
                const Xattr *x = &metadata->xattrs[i];

                if (fsetxattr(fd, x->name, x->value, x->len, 0) < 0)
                        return xattr_failed(x, err);
        }
        return futimens(fd, metadata->times) < 0 ? error_set_errno(err, ERROR_FILE, errno, "set the times") : 0;
}

int xattrs_remove(int fd, Error *err) {
        _cleanup_free_ char *names = NULL;
        char path[FD_PATH_MAX];
        size_t len;

        fd_path(fd, path);
        if (xattr_names(path, &names, &len, err) < 0)
                return -1;
        for (size_t i = 0; i < len; i += strlen(names + i) + 1)
                if (xattr_is_wanted(names + i) && removexattr(path, names + i) < 0 && errno != ENODATA)
                        return error_set_errno(err, ERROR_FILE, errno, "remove the attribute '%s'", names + i);
        return 0;
}
