/* Mount points by statx; /proc/self/mountinfo is read only where statx has no answer, line by line. */

#include "store/mounts.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"

/* Returns 1 when @name is the root of a mount, 0 when not, or is missing. */
static int stat_mount(int dir_fd, const char *name, uint64_t *ret_id, Error *err) {
        int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name[0] ? 0 : AT_EMPTY_PATH);
        struct statx stx;

        if (statx(dir_fd, name, flags, STATX_MNT_ID, &stx) < 0) {
                if (errno == ENOENT)
                        return 0;
                return error_set_errno(err, ERROR_FILE, errno, "stat '%s'", name);
        }
        if (!(stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) || !(stx.stx_mask & STATX_MNT_ID))
                return error_set(err, ERROR_NOT_SUPPORTED, "this kernel does not tell mount points by statx (Linux 5.8 does)");
        *ret_id = stx.stx_mnt_id;
        return (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

int mount_is_point(int dir_fd, const char *name, bool *ret, Error *err) {
        uint64_t id;
        int r = stat_mount(dir_fd, name, &id, err);

        if (r < 0)
                return -1;
        *ret = r > 0;
        return 0;
}

/* One line of /proc/self/mountinfo. Source: proc(5). */
typedef struct MountLine {
        uint64_t id, parent;
        char *point;  /* unescaped in place; borrowed from the line */
        bool shared;
} MountLine;

/* Undoes \040 \011 \012 \134 and any other octal escape, in place. */
static void unescape(char *text) {
        char *out = text;

        for (char *p = text; *p; p++) {
                if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
                        *out++ = (char) (((p[1] - '0') << 6) | ((p[2] - '0') << 3) | (p[3] - '0'));
                        p += 3;
                } else
                        *out++ = *p;
        }
        *out = '\0';
}

/* False for a line of another shape, which no kernel writes. */
static bool line_parse(char *line, MountLine *ret) {
        unsigned long long id, parent;
        char *rest, *field, *save = NULL;
        int n = 0;

        if (sscanf(line, "%llu %llu %n", &id, &parent, &n) < 2 || n == 0)
                return false;
        *ret = (MountLine) { .id = id, .parent = parent };
        rest = line + n;
        if (!strtok_r(rest, " \n", &save) /* major:minor */ || !strtok_r(NULL, " \n", &save) /* root */)
                return false;
        ret->point = strtok_r(NULL, " \n", &save);
        if (!ret->point || !strtok_r(NULL, " \n", &save) /* options */)
                return false;
        unescape(ret->point);
        while ((field = strtok_r(NULL, " \n", &save)) && strcmp(field, "-"))
                if (!strncmp(field, "shared:", 7))
                        ret->shared = true;
        return field != NULL;
}

/* Calls @each for every mount, in the kernel's order (a parent before what is mounted in it), until it returns non-zero. */
static int for_each_mount(int (*each)(const MountLine *line, void *userdata, Error *err), void *userdata, Error *err) {
        _cleanup_fclose_ FILE *f = NULL;
        _cleanup_free_ char *line = NULL;
        size_t size = 0;

        f = fopen("/proc/self/mountinfo", "re");
        if (!f)
                return error_set_errno(err, ERROR_FILE, errno, "open '/proc/self/mountinfo'");
        while (getline(&line, &size, f) >= 0) {
                MountLine parsed;
                int r;

                if (!line_parse(line, &parsed))
                        continue;
                r = each(&parsed, userdata, err);
                if (r != 0)
                        return r;
        }
        return ferror(f) ? error_set_errno(err, ERROR_FILE, errno, "read '/proc/self/mountinfo'") : 0;
}

typedef struct SharedQuestion {
        uint64_t id;
        bool shared;
} SharedQuestion;

static int answer_shared(const MountLine *line, void *userdata, Error *err) {
        SharedQuestion *question = userdata;

        if (line->id != question->id)
                return 0;
        question->shared = line->shared;
        return 1;
}

int mount_is_shared(int dir_fd, bool *ret, Error *err) {
        SharedQuestion question = {};

        if (stat_mount(dir_fd, "", &question.id, err) < 0 || for_each_mount(answer_shared, &question, err) < 0)
                return -1;
        *ret = question.shared;
        return 0;
}

typedef struct InsideQuestion {
        char *path;
        bool inside;
} InsideQuestion;

static int answer_inside(const MountLine *line, void *userdata, Error *err) {
        InsideQuestion *question = userdata;
        size_t len = strlen(question->path);

        if (strncmp(line->point, question->path, len) || line->point[len] != '/')
                return 0;
        question->inside = true;
        return 1;
}

int mount_is_inside(int dir_fd, bool *ret, Error *err) {
        InsideQuestion question = {};
        int r = -1;

        if (fd_get_path(dir_fd, &question.path, err) == 0)
                r = for_each_mount(answer_inside, &question, err);
        free(question.path);
        if (r < 0)
                return -1;
        *ret = question.inside;
        return 0;
}

/* The mounts beneath one mount: ids, to find the children of children, and where they are. */
typedef struct Subtree {
        uint64_t *ids; /* [0] is the mount whose subtree it is */
        size_t n;
        char **points; /* NULL-terminated; those of ids[1…] */
} Subtree;

static void subtree_done(Subtree *tree) {
        free(tree->ids);
        strv_free(tree->points);
}

static int collect_subtree(const MountLine *line, void *userdata, Error *err) {
        Subtree *tree = userdata;
        uint64_t *ids;

        for (size_t i = 0; i < tree->n; i++) {
                if (tree->ids[i] != line->parent)
                        continue;
                ids = reallocarray(tree->ids, tree->n + 1, sizeof(*ids));
                if (!ids)
                        return error_oom(err);
                tree->ids = ids;
                tree->ids[tree->n++] = line->id;
                return strv_push(&tree->points, line->point, err);
        }
        return 0;
}

/* Unmounts what can be without force beneath a mount; what stays goes with its parent, lazily. */
static int unmount_beneath(uint64_t id, Error *err) {
        _cleanup_(subtree_done) Subtree tree = {};

        tree.ids = malloc(sizeof(*tree.ids));
        if (!tree.ids)
                return error_oom(err);
        tree.ids[tree.n++] = id;
        if (for_each_mount(collect_subtree, &tree, err) < 0)
                return -1;
        for (size_t i = strv_length(tree.points); i-- > 0;)
                (void) umount2(tree.points[i], UMOUNT_NOFOLLOW);
        return 0;
}

int mount_remove(int dir_fd, const char *name, Error *err) {
        char base[FD_PATH_MAX];
        _cleanup_free_ char *path = NULL;

        /* Through the descriptor: it names the directory whatever its path is by now, and is no user of the mount. */
        if (string_format(&path, err, "%s/%s", fd_path(dir_fd, base), name) < 0)
                return -1;
        for (;;) {
                uint64_t id;
                int r = stat_mount(dir_fd, name, &id, err);

                if (r <= 0)
                        return r;
                if (umount2(path, UMOUNT_NOFOLLOW) == 0)
                        continue;
                if (errno == EBUSY) {
                        if (unmount_beneath(id, err) < 0)
                                return error_prefix(err, "unmount '%s'", name);
                        if (umount2(path, UMOUNT_NOFOLLOW) == 0 || (errno == EBUSY && umount2(path, UMOUNT_NOFOLLOW | MNT_DETACH) == 0))
                                continue;
                }
                return error_set_errno(err, ERROR_FILE, errno, "unmount '%s'", name);
        }
}
