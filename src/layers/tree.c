/* Resolving paths in the merged view and making their directories in the layer. */

#include "layers/tree.h"

#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "layers/caps.h"

void tree_directory_clear(TreeDirectory *directory) {
        if (directory->owned)
                close_keep_errno(directory->fd);
        directory->fd = -EBADF;
        directory->owned = false;
}

void tree_keep(LayerTree *tree, TreeDirectory *directory) {
        if (!directory->owned || !directory->direct)
                return;
        tree_directory_clear(&tree->last);
        tree->last = *directory;
        directory->owned = false;
        tree_directory_clear(directory);
}

void tree_forget(LayerTree *tree, const char *path) {
        const size_t len = strlen(path);

        if (!strncmp(tree->last.path, path, len) && (len == 0 || tree->last.path[len] == '\0' || tree->last.path[len] == '/'))
                tree_directory_clear(&tree->last);
}

void layer_tree_close(LayerTree *tree) {
        tree_directory_clear(&tree->last);
        path_set_free(&tree->used);
        free(tree->fds);
        *tree = LAYER_TREE_INIT;
}

int tree_join(const char *directory, const char *name, char ret[PATH_MAX], Error *err) {
        unsigned depth = 0;

        if (snprintf(ret, PATH_MAX, "%s%s%s", directory, directory[0] ? "/" : "", name) >= PATH_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "a path of more than %d bytes", PATH_MAX - 1);
        for (const char *p = ret; (p = strchr(p, '/')); p++)
                if (++depth > LAYER_DEPTH_MAX)
                        return error_set(err, ERROR_INVALID_SPEC, "a path of more than %d directories", LAYER_DEPTH_MAX);
        return 0;
}

/* Gives a directory of this layer the metadata of one of a lower layer. */
static int take_metadata(LayerTree *tree, int parent_fd, const char *name, const char *path, const StackEntry *lower, Error *err) {
        _cleanup_metadata_ Metadata metadata = { 0 };

        if (metadata_from_file(lower->fd, &lower->st, &metadata, err) < 0 || metadata_apply(&metadata, parent_fd, name, err) < 0)
                return error_prefix(err, "take up directory '%.256s'", path);
        return directory_list_add(tree->target->directories, path, &metadata, err);
}

/* A directory that no entry describes and no lower layer has. */
static int default_metadata(LayerTree *tree, int parent_fd, const char *name, const char *path, Error *err) {
        const Metadata metadata = { .mode = S_IFDIR | 0755 };

        if (metadata_apply(&metadata, parent_fd, name, err) < 0)
                return error_prefix(err, "directory '%.256s'", path);
        return directory_list_add(tree->target->directories, path, &metadata, err);
}

int layer_tree_open(const UnpackTarget *target, LayerTree *ret, Error *err) {
        _cleanup_(layer_tree_close) LayerTree tree = LAYER_TREE_INIT;

        tree.target = target;
        tree.is_root = geteuid() == 0 && getegid() == 0;
        tree.fds = calloc(target->n_lowers + 1, sizeof(int));
        if (!tree.fds)
                return error_oom(err);
        tree.fds[0] = target->fd;
        tree.stack = (LayerStack) { .fds = tree.fds, .n = 1 };
        *ret = tree;
        tree = LAYER_TREE_INIT;
        return 0;
}

int tree_settle(LayerTree *tree, Error *err) {
        const UnpackTarget *target = tree->target;

        if (tree->settled)
                return 0;
        if (target->n_lowers > 0 && target->wait_lowers && target->wait_lowers(target->userdata, err) < 0)
                return -1;
        for (size_t i = 0; i < target->n_lowers; i++)
                tree->fds[i + 1] = target->lowers[i];
        tree->stack.n = target->n_lowers + 1;
        tree->settled = true;
        return 0;
}

int tree_find(LayerTree *tree, const char *path, size_t from, StackEntry *ret, Error *err) {
        if (!tree->settled && from == 0) {
                if (stack_find(&tree->stack, path, 0, ret, err) < 0)
                        return -1;
                if (ret->fd >= 0)
                        return 0;
        }
        return tree_settle(tree, err) < 0 ? -1 : stack_find(&tree->stack, path, from, ret, err);
}

/* A root that no entry describes is the one below. */
static int settle_root(LayerTree *tree, Error *err) {
        _cleanup_stack_entry_ StackEntry root = STACK_ENTRY_INIT;

        if (tree->has_root)
                return 0;
        if (tree_find(tree, "", 1, &root, err) < 0)
                return -1;
        return root.fd >= 0 ? take_metadata(tree, tree->target->fd, ".", "", &root, err) :
                              default_metadata(tree, tree->target->fd, ".", "", err);
}

int layer_tree_finish(LayerTree *tree, Error *err) {
        return settle_root(tree, err) < 0 ? -1 : directory_list_apply(tree->target->directories, tree->target->fd, err);
}

/* A walk from the root of the merged view. */
typedef struct Walk {
        LayerTree *tree;
        bool make;
        char path[PATH_MAX];     /* where we are: canonical */
        int fd;                  /* the same in this layer; -EBADF: not there */
        char rest[2 * PATH_MAX]; /* what is still to be walked */
        unsigned n_symlinks;
} Walk;

static void walk_clear(Walk *walk) {
        closep(&walk->fd);
}

static int walk_to_root(Walk *walk, Error *err) {
        close_keep_errno(walk->fd);
        walk->path[0] = '\0';
        walk->fd = openat(walk->tree->target->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        return walk->fd < 0 ? error_set_errno(err, ERROR_FILE, errno, "open the layer's root") : 0;
}

/* ".." stops at the root, as in a chroot. */
static int walk_up(Walk *walk, Error *err) {
        char *slash = strrchr(walk->path, '/');

        if (!slash)
                return walk_to_root(walk, err);
        *slash = '\0';
        close_keep_errno(walk->fd);
        walk->fd = open_beneath(walk->tree->target->fd, walk->path, O_PATH | O_DIRECTORY, 0);
        if (walk->fd < 0 && (walk->make || errno != ENOENT))
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%.256s'", walk->path);
        return 0;
}

/* The target takes the symlink's place at the front of what is still to be walked. */
static int walk_symlink(Walk *walk, const char *path, int fd, Error *err) {
        char target[PATH_MAX], rest[sizeof(walk->rest)];
        ssize_t n;

        n = readlinkat(fd, "", target, sizeof(target) - 1);
        if (n < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read the symlink '%.256s'", path);
        target[n] = '\0';
        if (++walk->n_symlinks > LAYER_SYMLINK_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "more than %d symlinks on the way", LAYER_SYMLINK_MAX);
        if ((size_t) snprintf(rest, sizeof(rest), "%s/%s", target, walk->rest) >= sizeof(rest))
                return error_set(err, ERROR_INVALID_SPEC, "the symlinks on the way make a path of more than %zu bytes", sizeof(rest) - 1);
        memcpy(walk->rest, rest, sizeof(rest));
        return target[0] == '/' ? walk_to_root(walk, err) : 0;
}

/* Makes a directory in this layer and steps into it. @lower: its counterpart in a lower layer, or NULL for a new one. */
static int walk_make(Walk *walk, const char *name, const char *path, const StackEntry *lower, bool opaque, Error *err) {
        _cleanup_close_ int fd = -EBADF;

        if (mkdirat(walk->fd, name, 0700) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create directory '%.256s'", path);
        fd = openat(walk->fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open directory '%.256s'", path);
        if (opaque && directory_set_opaque(fd, err) < 0)
                return -1;
        if (lower ? take_metadata(walk->tree, walk->fd, name, path, lower, err) < 0 :
                    default_metadata(walk->tree, walk->fd, name, path, err) < 0)
                return -1;
        close(walk->fd);
        walk->fd = TAKE_FD(fd);
        return 0;
}

/* One component that this layer has. @fd: O_PATH of it, taken */
static int walk_upper(Walk *walk, const char *name, const char *path, int fd, bool *ret_found, Error *err) {
        _cleanup_close_ int owned = fd;
        struct stat st;

        if (fstat(owned, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat '%.256s'", path);
        if (S_ISLNK(st.st_mode))
                return walk_symlink(walk, path, owned, err);
        if (stat_is_whiteout(&st)) {
                *ret_found = walk->make;
                if (!walk->make)
                        return 0;
                if (unlinkat(walk->fd, name, 0) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "remove the whiteout of '%.256s'", path);
                if (walk_make(walk, name, path, NULL, true, err) < 0)
                        return -1;
        } else if (S_ISDIR(st.st_mode)) {
                close(walk->fd);
                walk->fd = TAKE_FD(owned);
        } else
                return error_set(err, ERROR_INVALID_SPEC, "'%.256s' is not a directory", path);
        memcpy(walk->path, path, strlen(path) + 1);
        return 0;
}

/* One component that this layer lacks. */
static int walk_lower(Walk *walk, const char *name, const char *path, bool *ret_found, Error *err) {
        _cleanup_stack_entry_ StackEntry lower = STACK_ENTRY_INIT;

        if (tree_find(walk->tree, path, 1, &lower, err) < 0)
                return -1;
        *ret_found = walk->make || lower.fd >= 0;
        if (!*ret_found)
                return 0;
        if (lower.fd >= 0) {
                if (!S_ISDIR(lower.st.st_mode) && !S_ISLNK(lower.st.st_mode))
                        return error_set(err, ERROR_INVALID_SPEC, "'%.256s' is not a directory", path);
                if ((walk->make || S_ISLNK(lower.st.st_mode)) && path_set_add(&walk->tree->used, path, err) < 0)
                        return -1;
                if (S_ISLNK(lower.st.st_mode))
                        return walk_symlink(walk, path, lower.fd, err);
        }
        if (walk->make) {
                if (walk_make(walk, name, path, lower.fd >= 0 ? &lower : NULL, false, err) < 0)
                        return -1;
        } else {
                close_keep_errno(walk->fd);
                walk->fd = -EBADF;
        }
        memcpy(walk->path, path, strlen(path) + 1);
        return 0;
}

/* Takes the first component off @rest into @name; false at the end. */
static int next_component(Walk *walk, char name[NAME_MAX + 1], bool *ret_more, Error *err) {
        char *p = walk->rest + strspn(walk->rest, "/");
        size_t len = strcspn(p, "/");

        if (len > NAME_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "a name of more than %d bytes", NAME_MAX);
        *ret_more = len > 0;
        memcpy(name, p, len);
        name[len] = '\0';
        memmove(walk->rest, p + len, strlen(p + len) + 1);
        return 0;
}

static int walk_step(Walk *walk, const char *name, bool *ret_found, Error *err) {
        char path[PATH_MAX];
        int fd = -1;

        if (!strcmp(name, "."))
                return 0;
        if (!strcmp(name, ".."))
                return walk_up(walk, err);
        if (tree_join(walk->path, name, path, err) < 0)
                return -1;
        if (walk->fd >= 0) {
                fd = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
                if (fd < 0 && errno != ENOENT)
                        return error_set_errno(err, ERROR_FILE, errno, "open '%.256s'", path);
        }
        return fd >= 0 ? walk_upper(walk, name, path, fd, ret_found, err) : walk_lower(walk, name, path, ret_found, err);
}

/* The common case: this layer has the directory, and no symlink leads to it. */
static int resolve_quickly(LayerTree *tree, const char *path, TreeDirectory *ret) {
        struct stat st;

        if (tree->last.fd >= 0 && !strcmp(tree->last.path, path)) {
                ret->fd = tree->last.fd;
                ret->plain = tree->last.plain;
        } else {
                if (strstr(path, "..") || strlen(path) >= sizeof(ret->path))
                        return -1;
                ret->fd = open_beneath(tree->target->fd, path[0] ? path : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
                if (ret->fd < 0)
                        return -1;
                ret->owned = true;
                /* Files inherit a group by a directory's setgid bit, or always on a filesystem that is mounted so. */
                ret->plain = tree->is_root && fstat(ret->fd, &st) == 0 && st.st_gid == 0 && !(st.st_mode & S_ISGID);
        }
        ret->direct = true;
        memcpy(ret->path, path, strlen(path) + 1);
        return 0;
}

int tree_resolve(LayerTree *tree, const char *path, bool make, TreeDirectory *ret, bool *ret_found, Error *err) {
        _cleanup_(walk_clear) Walk walk = { .tree = tree, .make = make, .fd = -EBADF };
        bool more = true, found = true;

        if (resolve_quickly(tree, path, ret) == 0) {
                if (ret_found)
                        *ret_found = true;
                return 0;
        }
        if (strlen(path) >= PATH_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "a path of more than %d bytes", PATH_MAX - 1);
        snprintf(walk.rest, sizeof(walk.rest), "%s", path);
        if (walk_to_root(&walk, err) < 0)
                return -1;
        while (more && found) {
                char name[NAME_MAX + 1];

                if (next_component(&walk, name, &more, err) < 0 || (more && walk_step(&walk, name, &found, err) < 0))
                        return -1;
        }
        if (ret_found)
                *ret_found = found;
        if (found) {
                memcpy(ret->path, walk.path, sizeof(ret->path));
                ret->fd = TAKE_FD(walk.fd);
                ret->owned = true;
        }
        return 0;
}

int tree_vacate(LayerTree *tree, const TreeDirectory *parent, const char *name, bool *ret_whiteout, Error *err) {
        char path[PATH_MAX];
        struct stat st;

        if (ret_whiteout)
                *ret_whiteout = false;
        if (tree_join(parent->path, name, path, err) < 0)
                return -1;
        if (fstatat(parent->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                if (errno == ENOENT)
                        return 0;
                return error_set_errno(err, ERROR_FILE, errno, "stat '%.256s'", path);
        }
        if (ret_whiteout)
                *ret_whiteout = stat_is_whiteout(&st);
        if (S_ISDIR(st.st_mode))
                tree_forget(tree, path);
        return dir_remove_tree_at(parent->fd, name, err);
}
