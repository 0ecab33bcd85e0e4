/*
 * Whiteouts become what overlay knows: a character device 0:0, or an opaque directory. One is made only where a lower layer has something
 * to hide: overlay shows the devices themselves in directories that it does not merge.
 */

#include "layers/whiteout.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define PREFIX      ".wh."
#define PREFIX_AUFS ".wh..wh."
#define OPAQUE      ".wh..wh..opq"

static bool has_prefix(const char *text, const char *prefix) {
        return !strncmp(text, prefix, strlen(prefix));
}

int whiteout_parse(const char *directory, const char *name, WhiteoutKind *ret, Error *err) {
        for (const char *p = directory; *p; p += strcspn(p, "/"), p += strspn(p, "/")) {
                if (has_prefix(p, PREFIX_AUFS)) {
                        *ret = WHITEOUT_IGNORE;
                        return 0;
                }
                if (has_prefix(p, PREFIX))
                        return error_set(err, ERROR_INVALID_SPEC, "a whiteout as a directory");
        }
        if (!strcmp(name, OPAQUE))
                *ret = WHITEOUT_OPAQUE;
        else if (has_prefix(name, PREFIX_AUFS))
                *ret = WHITEOUT_IGNORE;
        else if (!has_prefix(name, PREFIX))
                *ret = WHITEOUT_NONE;
        else {
                const char *hidden = name + strlen(PREFIX);

                if (!hidden[0] || !strcmp(hidden, ".") || !strcmp(hidden, ".."))
                        return error_set(err, ERROR_INVALID_SPEC, "a whiteout of no file");
                *ret = WHITEOUT_FILE;
        }
        return 0;
}

/* Whether the merged view of the lower layers has @path. */
static int lower_has(LayerTree *tree, const char *path, bool *ret, Error *err) {
        _cleanup_stack_entry_ StackEntry lower = STACK_ENTRY_INIT;

        if (tree_find(tree, path, 1, &lower, err) < 0)
                return -1;
        *ret = lower.fd >= 0;
        return 0;
}

/* Puts the device at @name, making the directory for it when only lower layers have that one. */
static int make_device(LayerTree *tree, const char *directory, const char *name, const char *path, Error *err) {
        _cleanup_tree_directory_ TreeDirectory parent = TREE_DIRECTORY_INIT;

        if (tree_resolve(tree, directory, true, &parent, NULL, err) < 0 || path_set_add(&tree->used, path, err) < 0 ||
            tree_vacate(tree, &parent, name, NULL, err) < 0)
                return -1;
        if (mknodat(parent.fd, name, S_IFCHR, makedev(0, 0)) < 0) {
                error_set_errno(err, ERROR_FILE, errno, "make the whiteout of '%.256s'", path);
                if (err && err->errnum == EPERM)
                        error_hint(err, "unpack as root, on a file system that is not mounted nodev");
                return -1;
        }
        return 0;
}

static int make_opaque(const TreeDirectory *parent, const char *name, Error *err) {
        _cleanup_close_ int fd = openat(parent->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%s'", name);
        return directory_set_opaque(fd, err);
}

int whiteout_apply(LayerTree *tree, const char *directory, const char *name, bool alone, bool *ret_late, Error *err) {
        _cleanup_tree_directory_ TreeDirectory parent = TREE_DIRECTORY_INIT;
        bool found, hides, present;
        char path[PATH_MAX];
        struct stat st;

        *ret_late = false;
        if (tree_resolve(tree, directory, false, &parent, &found, err) < 0)
                return -1;
        if (!found)
                return 0;
        if (tree_join(parent.path, name, path, err) < 0)
                return -1;
        present = parent.fd >= 0 && fstatat(parent.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
        if (present && stat_is_whiteout(&st))
                return 0;
        if (!alone && (path_set_has(&tree->used, path) || path_set_has_below(&tree->used, path))) {
                *ret_late = true;
                return 0;
        }
        if (lower_has(tree, path, &hides, err) < 0)
                return -1;
        if (!hides)
                return 0;

        /* This layer's own file hides the lower ones as it is; its own directory must say so. */
        if (present && !alone)
                return S_ISDIR(st.st_mode) ? make_opaque(&parent, name, err) : 0;
        return make_device(tree, directory, name, path, err);
}

/* overlay merges the roots of its layers whatever they say, so an opaque root is spelled out. */
static int hide_root(LayerTree *tree, bool alone, bool *ret_late, Error *err) {
        if (tree_settle(tree, err) < 0)
                return -1;
        for (size_t i = 1; i < tree->stack.n; i++) {
                _cleanup_closedir_ DIR *dir = NULL;
                struct dirent *entry;
                int fd;

                fd = openat(tree->stack.fds[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                dir = fd < 0 ? NULL : fdopendir(fd);
                if (!dir) {
                        close_keep_errno(fd);
                        return error_set_errno(err, ERROR_FILE, errno, "read the root of a lower layer");
                }
                while ((errno = 0, entry = readdir(dir))) {
                        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
                                continue;
                        if (whiteout_apply(tree, "", entry->d_name, alone, ret_late, err) < 0)
                                return -1;
                        if (*ret_late)
                                return 0;
                }
                if (errno != 0)
                        return error_set_errno(err, ERROR_FILE, errno, "read the root of a lower layer");
        }
        return 0;
}

/* Removes what a directory holds. */
static int empty(const TreeDirectory *directory, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *entry;
        int fd;

        fd = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                close_keep_errno(fd);
                return error_set_errno(err, ERROR_FILE, errno, "read directory '%s'", directory->path);
        }
        while ((errno = 0, entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && dir_remove_tree_at(directory->fd, entry->d_name, err) < 0)
                        return -1;
        return errno != 0 ? error_set_errno(err, ERROR_FILE, errno, "read directory '%s'", directory->path) : 0;
}

int whiteout_apply_opaque(LayerTree *tree, const char *directory, bool alone, bool *ret_late, Error *err) {
        _cleanup_tree_directory_ TreeDirectory parent = TREE_DIRECTORY_INIT, made = TREE_DIRECTORY_INIT;
        bool found, hides;

        *ret_late = false;
        if (tree_resolve(tree, directory, false, &parent, &found, err) < 0)
                return -1;
        if (!found)
                return 0;
        if (!parent.path[0])
                return hide_root(tree, alone, ret_late, err);
        if (!alone && path_set_has_below(&tree->used, parent.path)) {
                *ret_late = true;
                return 0;
        }
        if (lower_has(tree, parent.path, &hides, err) < 0)
                return -1;
        if (!hides)
                return 0;
        if (alone)
                tree_forget(tree, parent.path);
        if (tree_resolve(tree, directory, true, &made, NULL, err) < 0 || (alone && empty(&made, err) < 0))
                return -1;
        return directory_set_opaque(made.fd, err);
}
