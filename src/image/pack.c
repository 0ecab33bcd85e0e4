/* Packing a directory: the same tree gives the same tar. */

#include "image/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "layers/metadata.h"

#define BUFFER_SIZE (256u << 10) /* bytes */

/** A file with several names, and the first of them */
typedef struct Inode {
        ino_t inode;
        char *path;
} Inode;

typedef struct Pack {
        struct archive *archive;
        struct archive_entry *entry;
        GzipWriter *writer;
        dev_t device; /* of the whole tree */
        void *inodes; /* tsearch() tree of Inode */
        char **queue; /* directories still to be packed, the next one last */
        const volatile sig_atomic_t *cancelled;
        unsigned char *buffer;
        Error error; /* of the writer; libarchive has no room for it */
} Pack;

static int compare_inodes(const void *a, const void *b) {
        const Inode *x = a, *y = b;

        return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static void inode_free(void *inode) {
        free(((Inode *) inode)->path);
        free(inode);
}

static void pack_clear(Pack *pack) {
        if (pack->archive)
                archive_write_free(pack->archive);
        if (pack->entry)
                archive_entry_free(pack->entry);
        tdestroy(pack->inodes, inode_free);
        strv_free(pack->queue);
        free(pack->buffer);
}

static la_ssize_t write_out(struct archive *archive, void *userdata, const void *data, size_t len) {
        Pack *pack = userdata;

        if (gzip_writer_write(pack->writer, data, len, &pack->error) < 0) {
                archive_set_error(archive, EIO, "no more output");
                return -1;
        }
        return (la_ssize_t) len;
}

static int failure(Pack *pack, Error *err) {
        if (error_is_set(&pack->error)) {
                if (err)
                        *err = pack->error;
                return -1;
        }
        return error_set(err, ERROR_FILE, "%s", archive_error_string(pack->archive) ?: "write the archive");
}

/* The first name of this file, when it was packed already; else NULL, and @path is remembered. */
static int hardlink_of(Pack *pack, const struct stat *st, const char *path, const char **ret, Error *err) {
        Inode *inode = calloc(1, sizeof(*inode)), **slot;

        *ret = NULL;
        if (!inode)
                return error_oom(err);
        inode->inode = st->st_ino;
        slot = tsearch(inode, &pack->inodes, compare_inodes);
        if (slot && *slot != inode) {
                free(inode);
                *ret = (*slot)->path;
                return 0;
        }
        if (!slot) {
                free(inode);
                return error_oom(err);
        }
        return string_copy(path, &inode->path, err);
}

/* Notes where data is, when there are holes. */
static int add_holes(Pack *pack, int fd, off_t size, Error *err) {
        off_t data = lseek(fd, 0, SEEK_DATA), hole;

        if (data < 0 && errno != ENXIO)
                return 0; /* this file system does not tell */
        if (data == 0 && lseek(fd, 0, SEEK_HOLE) == size)
                return lseek(fd, 0, SEEK_SET) < 0 ? error_set_errno(err, ERROR_FILE, errno, "seek") : 0;
        if (data < 0)
                archive_entry_sparse_add_entry(pack->entry, size, 0);
        for (; data >= 0 && data < size; data = lseek(fd, hole, SEEK_DATA)) {
                hole = lseek(fd, data, SEEK_HOLE);
                if (hole < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "seek");
                archive_entry_sparse_add_entry(pack->entry, data, hole - data);
        }
        return lseek(fd, 0, SEEK_SET) < 0 ? error_set_errno(err, ERROR_FILE, errno, "seek") : 0;
}

static int write_data(Pack *pack, int fd, off_t size, Error *err) {
        for (off_t left = size; left > 0;) {
                ssize_t n = read(fd, pack->buffer, left < BUFFER_SIZE ? (size_t) left : BUFFER_SIZE);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "read");
                if (n == 0)
                        return error_set(err, ERROR_FILE, "it became smaller while it was read");
                if (pack->cancelled && *pack->cancelled)
                        return error_set(err, ERROR_INTERRUPTED, "interrupted");
                if (archive_write_data(pack->archive, pack->buffer, (size_t) n) < 0)
                        return failure(pack, err);
                left -= n;
        }
        return 0;
}

static int set_target(Pack *pack, int fd, Error *err) {
        char target[PATH_MAX];
        ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);

        if (n < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read the symlink");
        target[n] = '\0';
        archive_entry_copy_symlink(pack->entry, target);
        return 0;
}

static int set_metadata(Pack *pack, int fd, const struct stat *st, Error *err) {
        _cleanup_metadata_ Metadata metadata = { 0 };

        if (metadata_from_file(fd, st, &metadata, err) < 0)
                return -1;
        archive_entry_set_mode(pack->entry, st->st_mode);
        archive_entry_set_uid(pack->entry, st->st_uid);
        archive_entry_set_gid(pack->entry, st->st_gid);
        archive_entry_set_mtime(pack->entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
        if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
                archive_entry_set_rdevmajor(pack->entry, major(st->st_rdev));
                archive_entry_set_rdevminor(pack->entry, minor(st->st_rdev));
        }
        for (size_t i = 0; i < metadata.n_xattrs; i++)
                archive_entry_xattr_add_entry(pack->entry, metadata.xattrs[i].name, metadata.xattrs[i].value, metadata.xattrs[i].len);
        return 0;
}

/* @fd: O_PATH of the file */
static int pack_file(Pack *pack, int fd, const struct stat *st, const char *path, Error *err) {
        _cleanup_close_ int data = -EBADF;
        const char *first = NULL;
        char link[FD_PATH_MAX];

        archive_entry_clear(pack->entry);
        archive_entry_copy_pathname(pack->entry, path);
        if (set_metadata(pack, fd, st, err) < 0 || (S_ISLNK(st->st_mode) && set_target(pack, fd, err) < 0))
                return -1;
        if (!S_ISDIR(st->st_mode) && st->st_nlink > 1 && hardlink_of(pack, st, path, &first, err) < 0)
                return -1;
        if (first)
                archive_entry_copy_hardlink(pack->entry, first);
        else if (S_ISREG(st->st_mode)) {
                data = open(fd_path(fd, link), O_RDONLY | O_CLOEXEC);
                if (data < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open");
                archive_entry_set_size(pack->entry, st->st_size);
                if (add_holes(pack, data, st->st_size, err) < 0)
                        return -1;
        }
        if (archive_write_header(pack->archive, pack->entry) < ARCHIVE_WARN)
                return failure(pack, err);
        return data >= 0 ? write_data(pack, data, st->st_size, err) : 0;
}

static int pack_one(Pack *pack, int dir_fd, const char *directory, const char *name, char ***subdirectories, Error *err) {
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (pack->cancelled && *pack->cancelled)
                return error_set(err, ERROR_INTERRUPTED, "interrupted");
        if (string_format(&path, err, "%s%s%s", directory, directory[0] ? "/" : "", name) < 0)
                return -1;
        if (!strncmp(name, ".wh.", 4))
                return error_set(err, ERROR_INVALID_SPEC, "'%s': in a layer this name would mean that '%s' is gone", path, name + 4);
        fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", path);
        if (S_ISSOCK(st.st_mode))
                return 0;
        if (pack_file(pack, fd, &st, path, err) < 0)
                return error_prefix(err, "pack '%s'", path);
        return S_ISDIR(st.st_mode) && st.st_dev == pack->device ? strv_push(subdirectories, path, err) : 0;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static int list_names(int dir_fd, char ***ret, Error *err) {
        _cleanup_closedir_ DIR *dir = fdopendir(dir_fd);
        _cleanup_strv_ char **names = NULL;
        struct dirent *entry;
        size_t n = 0, size = 0;

        if (!dir) {
                close_keep_errno(dir_fd);
                return error_set_errno(err, ERROR_FILE, errno, "read the directory");
        }
        while ((errno = 0, entry = readdir(dir))) {
                if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
                        continue;
                if (n + 2 > size) {
                        char **grown = reallocarray(names, size ? size * 2 : 64, sizeof(*names));

                        if (!grown)
                                return error_oom(err);
                        names = grown;
                        size = size ? size * 2 : 64;
                }
                names[n + 1] = NULL;
                if (string_copy(entry->d_name, &names[n], err) < 0) {
                        names[n] = NULL;
                        return -1;
                }
                n++;
        }
        if (errno != 0)
                return error_set_errno(err, ERROR_FILE, errno, "read the directory");
        if (n > 0)
                qsort(names, n, sizeof(*names), compare_names);
        *ret = TAKE(names);
        return 0;
}

/* What a directory holds; its own directories are queued so that the first of them comes next. */
static int pack_directory_at(Pack *pack, int root_fd, const char *directory, Error *err) {
        _cleanup_strv_ char **names = NULL, **subdirectories = NULL;
        _cleanup_close_ int fd = -EBADF;
        int list_fd;

        fd = open_beneath(root_fd, directory[0] ? directory : ".", O_RDONLY | O_DIRECTORY, 0);
        list_fd = fd < 0 ? -1 : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (list_fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", directory);
        if (list_names(list_fd, &names, err) < 0)
                return error_prefix(err, "'%s'", directory);
        for (char **name = names; name && *name; name++)
                if (pack_one(pack, fd, directory, *name, &subdirectories, err) < 0)
                        return -1;
        for (size_t i = strv_length(subdirectories); i > 0; i--)
                if (strv_push(&pack->queue, subdirectories[i - 1], err) < 0)
                        return -1;
        return 0;
}

static int pack_all(Pack *pack, int dir_fd, Error *err) {
        struct stat st;
        size_t n;

        if (fstat(dir_fd, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat");
        pack->device = st.st_dev;
        if (archive_write_set_format_pax_restricted(pack->archive) != ARCHIVE_OK ||
            archive_write_add_filter_none(pack->archive) != ARCHIVE_OK ||
            archive_write_open(pack->archive, pack, NULL, write_out, NULL) != ARCHIVE_OK)
                return failure(pack, err);
        if (pack_file(pack, dir_fd, &st, "./", err) < 0 || strv_push(&pack->queue, "", err) < 0)
                return -1;
        while ((n = strv_length(pack->queue)) > 0) {
                _cleanup_free_ char *directory = TAKE(pack->queue[n - 1]);

                if (pack_directory_at(pack, dir_fd, directory, err) < 0)
                        return -1;
        }
        return archive_write_close(pack->archive) == ARCHIVE_OK ? 0 : failure(pack, err);
}

int pack_directory(int dir_fd, GzipWriter *writer, const volatile sig_atomic_t *cancelled, Error *err) {
        _cleanup_(pack_clear) Pack pack = { .writer = writer, .cancelled = cancelled };
        locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t) 0), before;
        int r;

        pack.archive = archive_write_new();
        pack.entry = archive_entry_new();
        pack.buffer = malloc(BUFFER_SIZE);
        if (!c || !pack.archive || !pack.entry || !pack.buffer) {
                if (c)
                        freelocale(c);
                return error_oom(err);
        }
        /* As for reading: names are bytes, and stay the bytes they are. */
        before = uselocale(c);
        r = pack_all(&pack, dir_fd, err);
        uselocale(before);
        freelocale(c);
        return r;
}
