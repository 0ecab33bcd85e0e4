/* The loop over a layer's entries, and how each type of entry is made. */

#include "layers/unpack.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/user.h"
#include "layers/caps.h"
#include "layers/tar-reader.h"
#include "layers/tree.h"
#include "layers/whiteout.h"

/* How much of a name from a tar an error shows: the cause that follows must not be cut off. */
#define SHOWN "%.256s"

/** An entry's name, without ".", empty components and a leading "/" */
typedef struct EntryName {
        char directory[PATH_MAX];
        const char *base; /* "": the root itself */
        char buffer[PATH_MAX];
} EntryName;

typedef struct Unpack {
        LayerTree tree;
        TarReader *tar;
        struct archive_entry *entry;
        UnpackPass pass;
        EntryName name;
        char path[PATH_MAX]; /* room for the entry's whole path */
} Unpack;

static void unpack_clear(Unpack *unpack) {
        tar_reader_free(unpack->tar);
        layer_tree_close(&unpack->tree);
}

/* ".." stays in directories, where it is resolved as a chroot would; as the last component it names nothing. */
static int name_parse(const char *text, EntryName *ret, Error *err) {
        const char *last = NULL;
        char *out = ret->buffer;
        size_t last_len = 0;

        ret->directory[0] = '\0';
        for (const char *p = text + strspn(text, "/"); *p; p += strspn(p, "/")) {
                size_t len = strcspn(p, "/");

                if (len > NAME_MAX)
                        return error_set(err, ERROR_INVALID_SPEC, "a name of more than %d bytes", NAME_MAX);
                if (len > 1 || *p != '.') {
                        if (last) {
                                if ((size_t) (out - ret->buffer) + last_len + 2 > sizeof(ret->buffer))
                                        return error_set(err, ERROR_INVALID_SPEC, "a path of more than %d bytes", PATH_MAX - 1);
                                if (out > ret->buffer)
                                        *out++ = '/';
                                memcpy(out, last, last_len);
                                out += last_len;
                        }
                        last = p;
                        last_len = len;
                }
                p += len;
        }
        memcpy(ret->directory, ret->buffer, (size_t) (out - ret->buffer));
        ret->directory[out - ret->buffer] = '\0';
        if (last_len == 2 && !memcmp(last, "..", 2))
                return error_set(err, ERROR_INVALID_SPEC, "a path that ends in '..'");
        if (last_len > 0)
                memcpy(ret->buffer, last, last_len);
        ret->buffer[last_len] = '\0';
        ret->base = ret->buffer;
        return 0;
}

static int write_at(int fd, const uint8_t *data, size_t len, uint64_t offset, Error *err) {
        while (len > 0) {
                ssize_t n = pwrite(fd, data, len, (off_t) offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "write");
                data += n;
                len -= (size_t) n;
                offset += (uint64_t) n;
        }
        return 0;
}

/* Nearly always there is nothing in the way, so it is not looked for first. With a umask of 0 the permission bits are right at once. */
static int create_file(Unpack *u, const TreeDirectory *parent, const Metadata *metadata, int *ret_fd, Error *err) {
        for (int tries = 0;; tries++) {
                int fd = openat(parent->fd, u->name.base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, metadata->mode & 0777);

                if (fd >= 0) {
                        *ret_fd = fd;
                        return 0;
                }
                if (errno != EEXIST || tries > 0)
                        return error_set_errno(err, ERROR_FILE, errno, "create");
                if (tree_vacate(&u->tree, parent, u->name.base, NULL, err) < 0)
                        return -1;
        }
}

static int make_regular(Unpack *u, const TreeDirectory *parent, const Metadata *metadata, Error *err) {
        _cleanup_close_ int fd = -EBADF;
        int64_t size = archive_entry_size(u->entry);
        uint64_t offset, end = 0;
        const void *data;
        size_t len;

        if (create_file(u, parent, metadata, &fd, err) < 0)
                return -1;
        for (;;) {
                if (tar_reader_data(u->tar, &data, &len, &offset, err) < 0)
                        return -1;
                if (len == 0)
                        break;
                if (write_at(fd, data, len, offset, err) < 0)
                        return -1;
                end = offset + len;
        }
        /* A hole at the end. */
        if (size > 0 && end < (uint64_t) size && ftruncate(fd, size) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the size %lld", (long long) size);
        return metadata_apply_file(metadata, fd, parent->plain, err);
}

static int make_symlink(Unpack *u, const TreeDirectory *parent, Error *err) {
        const char *target = archive_entry_symlink(u->entry);

        if (!target || !target[0])
                return error_set(err, ERROR_INVALID_SPEC, "a symlink without a target");
        if (symlinkat(target, parent->fd, u->name.base) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create the symlink");
        return 0;
}

static int make_special(Unpack *u, const TreeDirectory *parent, const Metadata *metadata, Error *err) {
        if (mknodat(parent->fd, u->name.base, (metadata->mode & S_IFMT) | 0600, metadata->device) == 0)
                return 0;
        if (errno == EPERM && user_is_nested()) {
                error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "a device node, which a user namespace may not make");
                return error_hint(err, "containers of this image are root's to make");
        }
        error_set_errno(err, ERROR_FILE, errno, "create the special file");
        if (err && err->errnum == EPERM)
                error_hint(err, "unpack as root, on a file system that is not mounted nodev");
        return -1;
}

static int make_directory(Unpack *u, const TreeDirectory *parent, const Metadata *metadata, Error *err) {
        _cleanup_close_ int fd = -EBADF;
        char path[PATH_MAX];
        bool opaque = false;
        struct stat st;

        if (tree_join(parent->path, u->name.base, path, err) < 0)
                return -1;
        if (mkdirat(parent->fd, u->name.base, 0700) < 0) {
                if (errno != EEXIST)
                        return error_set_errno(err, ERROR_FILE, errno, "create");
                if (fstatat(parent->fd, u->name.base, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "stat");
                /* A directory stays with all it holds; anything else gives way. */
                if (!S_ISDIR(st.st_mode) &&
                    (tree_vacate(&u->tree, parent, u->name.base, &opaque, err) < 0 ||
                     (mkdirat(parent->fd, u->name.base, 0700) < 0 && error_set_errno(err, ERROR_FILE, errno, "create") < 0)))
                        return -1;
                fd = openat(parent->fd, u->name.base, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "open");
                if (S_ISDIR(st.st_mode) && xattrs_remove(fd, err) < 0)
                        return -1;
                tree_forget(&u->tree, path); /* its group may change */
                /* It stands where the lower layers' was whited out. */
                if (opaque && directory_set_opaque(fd, err) < 0)
                        return -1;
        }
        if (metadata_apply(metadata, parent->fd, u->name.base, err) < 0)
                return -1;
        return directory_list_add(u->tree.target->directories, path, metadata, err);
}

static int make_root(Unpack *u, const Metadata *metadata, Error *err) {
        if (!S_ISDIR(metadata->mode))
                return error_set(err, ERROR_INVALID_SPEC, "the root is not a directory");
        if (xattrs_remove(u->tree.target->fd, err) < 0 || metadata_apply(metadata, u->tree.target->fd, ".", err) < 0)
                return -1;
        u->tree.has_root = true;
        tree_forget(&u->tree, "");
        return directory_list_add(u->tree.target->directories, "", metadata, err);
}

/* Finds a hard link's target, in this layer after the call. */
static int find_link_target(Unpack *u, const EntryName *target, StackEntry *ret, Error *err) {
        _cleanup_tree_directory_ TreeDirectory directory = TREE_DIRECTORY_INIT, made = TREE_DIRECTORY_INIT;
        _cleanup_stack_entry_ StackEntry found = STACK_ENTRY_INIT;
        char path[PATH_MAX];
        bool exists;

        if (tree_resolve(&u->tree, target->directory, false, &directory, &exists, err) < 0)
                return -1;
        if (exists && (tree_join(directory.path, target->base, path, err) < 0 || tree_find(&u->tree, path, 0, &found, err) < 0))
                return -1;
        if (found.fd < 0)
                return error_set(err, ERROR_INVALID_SPEC, "there is no such file");
        if (S_ISDIR(found.st.st_mode))
                return error_set(err, ERROR_INVALID_SPEC, "it is a directory");
        if (found.layer > 0) {
                if (tree_resolve(&u->tree, target->directory, true, &made, NULL, err) < 0 ||
                    tree_copy_up(&u->tree, &found, &made, target->base, err) < 0)
                        return -1;
                stack_entry_clear(&found);
                if (tree_find(&u->tree, path, 0, &found, err) < 0)
                        return -1;
        }
        *ret = found;
        found.fd = -EBADF;
        return 0;
}

static int make_hardlink(Unpack *u, const TreeDirectory *parent, Error *err) {
        _cleanup_stack_entry_ StackEntry target = STACK_ENTRY_INIT;
        const char *text = archive_entry_hardlink(u->entry);
        char path[FD_PATH_MAX];
        EntryName name;
        struct stat st;

        if (name_parse(text, &name, err) < 0 || find_link_target(u, &name, &target, err) < 0)
                return error_prefix(err, "hard link to '" SHOWN "'", text);
        if (fstatat(parent->fd, u->name.base, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == target.st.st_ino)
                return 0;
        if (tree_vacate(&u->tree, parent, u->name.base, NULL, err) < 0)
                return -1;
        if (linkat(AT_FDCWD, fd_path(target.fd, path), parent->fd, u->name.base, AT_SYMLINK_FOLLOW) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "hard link to '" SHOWN "'", text);
        return 0;
}

/* @parent: found on the way, cleared by the caller */
static int make_in(Unpack *u, TreeDirectory *parent, Error *err) {
        _cleanup_metadata_ Metadata metadata = { 0 };
        int r;

        if (archive_entry_hardlink(u->entry)) {
                if (!u->name.base[0])
                        return error_set(err, ERROR_INVALID_SPEC, "the root is not a directory");
                return tree_resolve(&u->tree, u->name.directory, true, parent, NULL, err) < 0 ? -1 : make_hardlink(u, parent, err);
        }
        if (metadata_from_entry(u->entry, &metadata, err) < 0)
                return -1;
        if (!u->name.base[0])
                return make_root(u, &metadata, err);
        if (tree_resolve(&u->tree, u->name.directory, true, parent, NULL, err) < 0)
                return -1;
        if (S_ISDIR(metadata.mode))
                return make_directory(u, parent, &metadata, err);

        if (S_ISCHR(metadata.mode) && metadata.device == makedev(0, 0))
                return error_set(err, ERROR_INVALID_SPEC, "a character device 0:0, which is overlay's mark for a whiteout");
        if (S_ISREG(metadata.mode))
                return tree_join(parent->path, u->name.base, u->path, err) < 0 ? -1 : make_regular(u, parent, &metadata, err);
        if (tree_vacate(&u->tree, parent, u->name.base, NULL, err) < 0)
                return -1;
        switch (metadata.mode & S_IFMT) {
        case S_IFLNK:
                r = make_symlink(u, parent, err);
                break;
        case S_IFCHR:
        case S_IFBLK:
        case S_IFIFO:
                r = make_special(u, parent, &metadata, err);
                break;
        default:
                return error_set(err, ERROR_INVALID_SPEC, "a file of an unknown type (mode %o)", metadata.mode);
        }
        return r < 0 ? -1 : metadata_apply_new(&metadata, parent->fd, u->name.base, parent->plain, err);
}

static int make_entry(Unpack *u, Error *err) {
        _cleanup_tree_directory_ TreeDirectory parent = TREE_DIRECTORY_INIT;

        if (make_in(u, &parent, err) < 0)
                return -1;
        tree_keep(&u->tree, &parent);
        return 0;
}

static int one_entry(Unpack *u, bool *ret_late, Error *err) {
        const char *text = archive_entry_pathname(u->entry);
        bool alone = u->pass == UNPACK_WHITEOUTS;
        WhiteoutKind kind;

        if (!text || !text[0])
                return error_set(err, ERROR_INVALID_SPEC, "an entry without a name");
        if (name_parse(text, &u->name, err) < 0 || whiteout_parse(u->name.directory, u->name.base, &kind, err) < 0)
                return -1;
        if (kind == WHITEOUT_NONE)
                return alone ? 0 : make_entry(u, err);
        if (kind == WHITEOUT_IGNORE || u->pass == UNPACK_ENTRIES)
                return 0;
        if (kind == WHITEOUT_OPAQUE)
                return whiteout_apply_opaque(&u->tree, u->name.directory, alone, ret_late, err);
        return whiteout_apply(&u->tree, u->name.directory, u->name.base + strlen(".wh."), alone, ret_late, err);
}

static int read_stream(void *userdata, const void **ret_data, size_t *ret_len, Error *err) {
        return blob_stream_read(userdata, ret_data, ret_len, err);
}

int unpack_layer(BlobStream *stream, const char *what, const UnpackTarget *target, UnpackPass pass, UnpackResult *ret, Error *err) {
        _cleanup_(unpack_clear) Unpack u = { .tree = LAYER_TREE_INIT, .pass = pass };
        UnpackResult result = { 0 };

        if (layer_tree_open(target, &u.tree, err) < 0)
                return -1;
        if (tar_reader_new(read_stream, stream, what, &u.tar, err) < 0)
                return -1;
        for (;;) {
                if (tar_reader_next(u.tar, &u.entry, err) < 0)
                        return -1;
                if (!u.entry)
                        break;
                if (blob_stream_interrupted(stream, err) < 0)
                        return -1;
                if (++result.entries > LAYER_ENTRY_MAX)
                        return error_set(err, ERROR_INVALID_SPEC, "%s: more than %u entries", what, LAYER_ENTRY_MAX);
                if (one_entry(&u, &result.late_whiteout, err) < 0)
                        return error_prefix(err, "unpack '" SHOWN "'", archive_entry_pathname(u.entry) ?: "");
                if (result.late_whiteout)
                        goto done;
                if (fault_point("layers.middle", err) < 0)
                        return -1;
        }
        if (pass != UNPACK_WHITEOUTS && layer_tree_finish(&u.tree, err) < 0)
                return -1;
done:
        *ret = result;
        return 0;
}
