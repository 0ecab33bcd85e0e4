/* A list on disk of directories and what they get last. */

#include "layers/directories.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/fs.h"

typedef struct Record {
        struct timespec times[2];
        uint32_t path_len; /* bytes with the NUL */
        uint32_t acl_len;  /* bytes; 0: none */
} Record;

int directory_list_open(int dir_fd, DirectoryList *ret, Error *err) {
        FILE *file;
        int fd;

        fd = openat(dir_fd, "directories", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 || unlinkat(dir_fd, "directories", 0) < 0) {
                error_set_errno(err, ERROR_FILE, errno, "make a temporary file");
                close_keep_errno(fd);
                return -1;
        }
        file = fdopen(fd, "w+");
        if (!file) {
                close(fd);
                return error_oom(err);
        }
        *ret = (DirectoryList) { .file = file };
        return 0;
}

void directory_list_close(DirectoryList *list) {
        fclosep(&list->file);
        list->file = NULL;
}

int directory_list_add(DirectoryList *list, const char *path, const Metadata *metadata, Error *err) {
        const Xattr *acl = metadata_default_acl(metadata);
        Record record = {
                .times = { metadata->times[0], metadata->times[1] },
                .path_len = (uint32_t) strlen(path) + 1,
                .acl_len = acl ? (uint32_t) acl->len : 0,
        };

        list->has_acls = list->has_acls || acl;
        errno = EIO;
        if (fwrite(&record, sizeof(record), 1, list->file) != 1 || fwrite(path, record.path_len, 1, list->file) != 1 ||
            (record.acl_len > 0 && fwrite(acl->value, record.acl_len, 1, list->file) != 1))
                return error_set_errno(err, ERROR_FILE, errno, "write the list of directories");
        return 0;
}

static int apply(int root_fd, const char *path, const Record *record, const void *acl, bool has_acls, Error *err) {
        _cleanup_close_ int fd = -EBADF;

        fd = open_beneath(root_fd, path[0] ? path : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
        if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
                return 0;
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%.256s'", path);
        if (record->acl_len > 0 && fsetxattr(fd, ACL_DEFAULT, acl, record->acl_len, 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "'%.256s': set the attribute '" ACL_DEFAULT "'", path);
        if (record->acl_len == 0 && has_acls && fremovexattr(fd, ACL_DEFAULT) < 0 && errno != ENODATA)
                return error_set_errno(err, ERROR_FILE, errno, "'%.256s': remove the attribute '" ACL_DEFAULT "'", path);
        if (futimens(fd, record->times) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the times of '%.256s'", path);
        return 0;
}

int directory_list_apply(DirectoryList *list, int root_fd, Error *err) {
        _cleanup_free_ char *path = malloc(PATH_MAX);
        _cleanup_free_ void *acl = malloc(XATTR_SIZE_MAX);
        Record record;

        if (!path || !acl)
                return error_oom(err);
        errno = EIO;
        if (fflush(list->file) != 0 || fseek(list->file, 0, SEEK_SET) != 0)
                return error_set_errno(err, ERROR_FILE, errno, "write the list of directories");
        while (fread(&record, sizeof(record), 1, list->file) == 1) {
                if (record.path_len > PATH_MAX || record.acl_len > XATTR_SIZE_MAX || fread(path, record.path_len, 1, list->file) != 1 ||
                    (record.acl_len > 0 && fread(acl, record.acl_len, 1, list->file) != 1))
                        return error_set_errno(err, ERROR_FILE, EIO, "read the list of directories");
                if (apply(root_fd, path, &record, acl, list->has_acls, err) < 0)
                        return -1;
        }
        if (ferror(list->file))
                return error_set_errno(err, ERROR_FILE, EIO, "read the list of directories");
        return 0;
}
