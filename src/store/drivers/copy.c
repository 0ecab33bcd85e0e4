/*
 * Laying one layer over a tree. The walk holds two descriptors and, for each level, the names still to do: neither stack nor descriptors
 * grow with the depth. It goes up by "..", which is sound because nobody else works in either tree, and is checked all the same.
 */

#include "store/drivers/copy.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "store/drivers/copy-entry.h"

/* A directory under way. */
typedef struct Level {
        char **names; /* NULL-terminated */
        size_t next;
        char *name;                       /* its own, for errors; NULL for the root */
        struct stat from, to;             /* who it is, to know it again from below */
} Level;

typedef struct Walk {
        int from_fd, to_fd; /* the innermost level's */
        int links_fd;
        const IdMapping *mapping;
        Level *levels;
        size_t n_levels, size;
} Walk;

static void level_done(Level *level) {
        strv_free(level->names);
        free(level->name);
}

static void walk_done(Walk *walk) {
        close_keep_errno(walk->from_fd);
        close_keep_errno(walk->to_fd);
        for (size_t i = 0; i < walk->n_levels; i++)
                level_done(&walk->levels[i]);
        free(walk->levels);
}

static Level *walk_level(const Walk *walk) {
        return &walk->levels[walk->n_levels - 1];
}

/* Names the place: "'usr/bin': …". Long ones lose their beginning to the cap of an error. */
static int walk_error(const Walk *walk, const char *name, Error *err) {
        if (name)
                error_prefix(err, "'%s'", name);
        for (size_t i = walk->n_levels; i-- > 0;)
                if (walk->levels[i].name)
                        error_prefix(err, "'%s'", walk->levels[i].name);
        return -1;
}

static int read_names(int dir_fd, char ***ret, Error *err) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_closedir_ DIR *dir = NULL;
        size_t n = 0, size = 0;
        struct dirent *entry;

        if (dir_read(dir_fd, &dir, err) < 0)
                return -1;
        while ((entry = dir_next(dir))) {
                if (n + 1 >= size) {
                        char **p = reallocarray(names, size * 2 + 16, sizeof(*names));

                        if (!p)
                                return error_oom(err);
                        names = p;
                        size = size * 2 + 16;
                }
                names[n] = strdup(entry->d_name);
                names[n + 1] = NULL;
                if (!names[n++])
                        return error_oom(err);
        }
        if (errno != 0)
                return error_set_errno(err, ERROR_FILE, errno, "read directory");
        *ret = TAKE(names);
        return 0;
}

/* Makes the two directories (taken) the innermost level. */
static int walk_push(Walk *walk, int from_fd, int to_fd, const char *name, Error *err) {
        _cleanup_close_ int from = from_fd, to = to_fd;
        Level level = { .next = 0 };

        if (walk->n_levels == walk->size) {
                Level *levels = reallocarray(walk->levels, walk->size * 2 + 16, sizeof(*levels));

                if (!levels)
                        return error_oom(err);
                walk->levels = levels;
                walk->size = walk->size * 2 + 16;
        }
        if (fstat(from, &level.from) < 0 || fstat(to, &level.to) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat directory");
        if (string_copy(name, &level.name, err) < 0)
                return -1;
        if (read_names(from, &level.names, err) < 0) {
                level_done(&level);
                return -1;
        }
        walk->levels[walk->n_levels++] = level;
        close_keep_errno(walk->from_fd);
        close_keep_errno(walk->to_fd);
        walk->from_fd = TAKE_FD(from);
        walk->to_fd = TAKE_FD(to);
        return 0;
}

static int open_parent(int fd, const struct stat *expected, int *ret, Error *err) {
        _cleanup_close_ int parent = -EBADF;
        struct stat st;

        if (dir_open_at(fd, "..", &parent, err) < 0)
                return -1;
        if (fstat(parent, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat directory");
        if (st.st_dev != expected->st_dev || st.st_ino != expected->st_ino)
                return error_set_errno(err, ERROR_FILE, EAGAIN, "a directory was moved while it was copied");
        *ret = TAKE_FD(parent);
        return 0;
}

/* The innermost level is done: its attributes come now, when nothing changes its times any more. */
static int walk_pop(Walk *walk, Error *err) {
        int from = -EBADF, to = -EBADF;

        if (copy_attributes(walk->from_fd, walk->to_fd, walk->mapping, err) < 0)
                return -1;
        if (walk->n_levels > 1) {
                const Level *parent = walk_level(walk) - 1;

                if (open_parent(walk->from_fd, &parent->from, &from, err) < 0)
                        return -1;
                if (open_parent(walk->to_fd, &parent->to, &to, err) < 0) {
                        close_keep_errno(from);
                        return -1;
                }
        }
        level_done(walk_level(walk));
        walk->n_levels--;
        close_keep_errno(walk->from_fd);
        close_keep_errno(walk->to_fd);
        walk->from_fd = from;
        walk->to_fd = to;
        return 0;
}

static int is_opaque(int fd, bool *ret, Error *err) {
        char value[2];
        ssize_t n = fgetxattr(fd, OVERLAY_XATTR "opaque", value, sizeof(value));

        if (n < 0 && errno == ENODATA)
                n = fgetxattr(fd, OVERLAY_XATTR_USER "opaque", value, sizeof(value));
        if (n < 0 && errno != ENODATA && errno != EOPNOTSUPP && errno != ERANGE)
                return error_set_errno(err, ERROR_FILE, errno, "read extended attribute '" OVERLAY_XATTR "opaque'");
        *ret = n == 1 && value[0] == 'y';
        return 0;
}

/* A directory over a directory merges, unless it is opaque; over anything else it takes its place. */
static int enter_directory(Walk *walk, const char *name, Error *err) {
        _cleanup_close_ int from = -EBADF, to = -EBADF;

        if (dir_open_at(walk->from_fd, name, &from, err) < 0)
                return -1;
        if (mkdirat(walk->to_fd, name, 0700) < 0) {
                bool replace = false;
                struct stat st;

                if (errno != EEXIST)
                        return error_set_errno(err, ERROR_FILE, errno, "create directory");
                if (fstatat(walk->to_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "stat");
                if (!S_ISDIR(st.st_mode))
                        replace = true;
                else if (is_opaque(from, &replace, err) < 0)
                        return -1;
                if (replace) {
                        if (dir_remove_tree_at(walk->to_fd, name, err) < 0)
                                return -1;
                        if (mkdirat(walk->to_fd, name, 0700) < 0)
                                return error_set_errno(err, ERROR_FILE, errno, "create directory");
                }
        }
        if (dir_open_at(walk->to_fd, name, &to, err) < 0)
                return -1;
        return walk_push(walk, TAKE_FD(from), TAKE_FD(to), name, err);
}

/* Files with several names are made once; links/ keeps one name to make the others from. */
static int copy_linked(const Walk *walk, const char *name, const struct stat *st, Error *err) {
        char key[2 * 16 + 2];

        if (st->st_nlink < 2)
                return copy_entry(walk->from_fd, walk->to_fd, name, st, walk->mapping, err);

        snprintf(key, sizeof(key), "%llx-%llx", (unsigned long long) st->st_dev, (unsigned long long) st->st_ino);
        if (linkat(walk->links_fd, key, walk->to_fd, name, 0) == 0)
                return 0;
        if (errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "create hardlink");
        if (copy_entry(walk->from_fd, walk->to_fd, name, st, walk->mapping, err) < 0)
                return -1;
        if (linkat(walk->to_fd, name, walk->links_fd, key, 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create hardlink");
        return 0;
}

static int walk_entry(Walk *walk, const char *name, Error *err) {
        Error cause = ERROR_INIT;
        struct stat st;

        if (fstatat(walk->from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat");
        if (S_ISDIR(st.st_mode))
                return enter_directory(walk, name, err);
        if (S_ISCHR(st.st_mode) && st.st_rdev == 0) /* overlay's whiteout */
                return dir_remove_tree_at(walk->to_fd, name, err);

        if (copy_linked(walk, name, &st, &cause) == 0)
                return 0;
        if (cause.errnum == EEXIST) {
                if (dir_remove_tree_at(walk->to_fd, name, err) < 0)
                        return -1;
                return copy_linked(walk, name, &st, err);
        }
        if (err)
                *err = cause;
        return -1;
}

int copy_layer(int layer_fd, int to_fd, int links_fd, const IdMapping *mapping, Error *err) {
        _cleanup_(walk_done) Walk walk = { .from_fd = -EBADF, .to_fd = -EBADF, .links_fd = links_fd, .mapping = mapping };
        _cleanup_close_ int from = -EBADF, to = -EBADF;

        if (dir_open_at(layer_fd, ".", &from, err) < 0 || dir_open_at(to_fd, ".", &to, err) < 0 ||
            walk_push(&walk, TAKE_FD(from), TAKE_FD(to), NULL, err) < 0)
                return -1;

        while (walk.n_levels > 0) {
                Level *level = walk_level(&walk);
                const char *name = level->names ? level->names[level->next] : NULL;

                if (!name) {
                        if (walk_pop(&walk, err) < 0)
                                return walk_error(&walk, NULL, err);
                        continue;
                }
                level->next++;
                if (walk_entry(&walk, name, err) < 0)
                        return walk_error(&walk, name, err);
        }
        return 0;
}
