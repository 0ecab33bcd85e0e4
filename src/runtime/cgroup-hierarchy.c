/* Which cgroup hierarchies are mounted where: v1, hybrid and v2, named hierarchies included. */

#include "runtime/cgroup-hierarchy.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"

#define MOUNTINFO_MAX   (64u << 20) /* bytes; fs.mount-max is 100,000 mounts by default */
#define PROC_CGROUP_MAX (1u << 20)  /* bytes; a line for each hierarchy, each path below PATH_MAX */
#define CGROUP_V2_MOUNT "/sys/fs/cgroup"

void cgroup_hierarchies_free(CgroupHierarchies *hierarchies) {
        for (size_t i = 0; i < hierarchies->n; i++) {
                free(hierarchies->all[i].controllers);
                free(hierarchies->all[i].mount);
                free(hierarchies->all[i].root);
                free(hierarchies->all[i].own);
        }
        free(hierarchies->all);
        free(hierarchies->ours);
        *hierarchies = (CgroupHierarchies) {};
}

bool cgroup_line_next(char **text, const char **ret_controllers, const char **ret_path) {
        char *line;

        while ((line = strsep(text, "\n"))) {
                char *controllers = strchr(line, ':'), *path;

                if (!controllers)
                        continue;
                path = strchr(++controllers, ':');
                if (!path)
                        continue;
                *path++ = '\0';
                *ret_controllers = controllers;
                *ret_path = path;
                return true;
        }
        return false;
}

/* Octal escapes of mountinfo ("\040"), undone in place. */
static void unescape(char *text) {
        char *to = text;

        for (const char *p = text; *p; p++)
                if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
                        *to++ = (char) ((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
                        p += 3;
                } else
                        *to++ = *p;
        *to = '\0';
}

/* Whether the comma-separated @list has the @len bytes of @word as an element. */
static bool list_has(const char *list, const char *word, size_t len) {
        for (const char *p = list; *p; p += p[strcspn(p, ",")] ? strcspn(p, ",") + 1 : strcspn(p, ","))
                if (strcspn(p, ",") == len && !strncmp(p, word, len))
                        return true;
        return false;
}

/* Whether a v1 mount's options name each controller of the hierarchy. */
static bool options_match(const char *options, const char *controllers) {
        for (const char *p = controllers; *p;) {
                size_t len = strcspn(p, ",");

                if (!list_has(options, p, len))
                        return false;
                p += len + (p[len] == ',');
        }
        return true;
}

/* One line of mountinfo, split in place; false when it is no cgroup mount. */
static bool parse_mount(char *line, char **ret_root, char **ret_mount, bool *ret_v2, char **ret_options) {
        char *fields[5], *type, *p = line;

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                fields[i] = strsep(&p, " ");
                if (!p)
                        return false;
        }
        /* Optional fields of any number end with " - "; the mount's own options stand before them. */
        type = strstr(p, " - ");
        if (!type)
                return false;
        type += 3;
        p = type;
        type = strsep(&p, " ");
        if (!p || (strcmp(type, "cgroup") && strcmp(type, "cgroup2")))
                return false;
        (void) strsep(&p, " "); /* source */
        if (!p)
                return false;
        unescape(fields[3]);
        unescape(fields[4]);
        *ret_root = fields[3];
        *ret_mount = fields[4];
        *ret_v2 = !strcmp(type, "cgroup2");
        *ret_options = p;
        return true;
}

int cgroup_directory(const CgroupHierarchy *hierarchy, const char *path, char **ret, Error *err) {
        size_t len = strcmp(hierarchy->root, "/") ? strlen(hierarchy->root) : 0;

        *ret = NULL;
        /* "/.." is outside of our cgroup namespace; " (deleted)" is v2's word for a cgroup that was removed under a zombie. */
        if (!strcmp(path, "/..") || !strncmp(path, "/../", 4) || strncmp(path, hierarchy->root, len) ||
            (path[len] != '/' && path[len] != '\0'))
                return 0;
        path += len;
        return string_format(ret, err, "%s%s", hierarchy->mount, strcmp(path, "/") ? path : "");
}

/* Finds where @hierarchy is mounted; of several mounts the first through which our own cgroup can be seen. */
static int find_mount(CgroupHierarchy *hierarchy, const char *own_path, const char *mountinfo, Error *err) {
        _cleanup_free_ char *copy = NULL;
        char *text, *line;

        if (string_copy(mountinfo, &copy, err) < 0)
                return -1;
        text = copy;
        while (!hierarchy->own && (line = strsep(&text, "\n"))) {
                char *root, *mount, *options;
                bool v2;

                if (!parse_mount(line, &root, &mount, &v2, &options))
                        continue;
                if (v2 != !hierarchy->controllers[0] || (!v2 && !options_match(options, hierarchy->controllers)))
                        continue;
                free(hierarchy->root);
                free(hierarchy->mount);
                hierarchy->root = hierarchy->mount = NULL;
                if (string_copy(root, &hierarchy->root, err) < 0 || string_copy(mount, &hierarchy->mount, err) < 0 ||
                    cgroup_directory(hierarchy, own_path, &hierarchy->own, err) < 0)
                        return -1;
                if (hierarchy->own && strcmp(hierarchy->own, hierarchy->mount) && access(hierarchy->own, F_OK) < 0) {
                        free(hierarchy->own);
                        hierarchy->own = NULL;
                }
        }
        return 0;
}

/* On pure v2 there is one hierarchy at one place; asking saves reading a mountinfo that may have thousands of lines. */
static int find_unified(CgroupHierarchy *hierarchy, const char *own_path, bool *ret_found, Error *err) {
        struct statfs st;

        *ret_found = false;
        if (hierarchy->controllers[0] || statfs(CGROUP_V2_MOUNT, &st) < 0 || st.f_type != CGROUP2_SUPER_MAGIC)
                return 0;
        if (string_copy("/", &hierarchy->root, err) < 0 || string_copy(CGROUP_V2_MOUNT, &hierarchy->mount, err) < 0 ||
            cgroup_directory(hierarchy, own_path, &hierarchy->own, err) < 0)
                return -1;
        *ret_found = hierarchy->own && access(hierarchy->own, F_OK) == 0;
        if (!*ret_found) {
                free(hierarchy->own);
                hierarchy->own = NULL;
        }
        return 0;
}

/* The lines of mountinfo that may be about cgroups: of what may be thousands, each hierarchy then looks at a dozen. */
static int read_cgroup_mounts(char **ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        char *to, *next;

        if (file_read_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, NULL, err) < 0)
                return -1;
        to = text;
        for (char *line = text; *line; line = next) {
                size_t len = strcspn(line, "\n");

                next = line + len + (line[len] == '\n');
                if (memmem(line, len, " - cgroup", strlen(" - cgroup"))) {
                        memmove(to, line, (size_t) (next - line));
                        to += next - line;
                }
        }
        *to = '\0';
        *ret = TAKE(text);
        return 0;
}

int cgroup_hierarchies_load(CgroupHierarchies *ret, Error *err) {
        _cleanup_hierarchies_ CgroupHierarchies hierarchies = {};
        _cleanup_free_ char *mountinfo = NULL, *text = NULL;
        const char *controllers, *path;
        char *p;

        if (file_read_at(AT_FDCWD, "/proc/self/cgroup", PROC_CGROUP_MAX, &text, NULL, err) < 0)
                return -1;
        p = text;
        while (cgroup_line_next(&p, &controllers, &path)) {
                CgroupHierarchy *all = reallocarray(hierarchies.all, hierarchies.n + 1, sizeof(*all)), *one;
                bool found;

                if (!all)
                        return error_oom(err);
                hierarchies.all = all;
                one = &all[hierarchies.n++];
                *one = (CgroupHierarchy) {};
                if (string_copy(controllers, &one->controllers, err) < 0 || find_unified(one, path, &found, err) < 0)
                        return -1;
                if (found)
                        continue;
                if (!mountinfo && read_cgroup_mounts(&mountinfo, err) < 0)
                        return -1;
                if (find_mount(one, path, mountinfo, err) < 0)
                        return -1;
                if (one->mount)
                        continue;
                free(one->controllers);
                hierarchies.n--;
        }
        *ret = hierarchies;
        hierarchies = (CgroupHierarchies) {};
        return 0;
}

static bool add_inode(CgroupHierarchies *hierarchies, const char *path) {
        struct CgroupInode *ours;
        struct stat st;

        if (stat(path, &st) < 0)
                return errno == ENOENT;
        ours = reallocarray(hierarchies->ours, hierarchies->n_ours + 1, sizeof(*ours));
        if (!ours)
                return false;
        ours[hierarchies->n_ours++] = (struct CgroupInode) { .device = st.st_dev, .inode = st.st_ino };
        hierarchies->ours = ours;
        return true;
}

/* Our own cgroup in each hierarchy and those above it, up to the mount. */
static bool load_inodes(CgroupHierarchies *hierarchies) {
        for (size_t i = 0; i < hierarchies->n; i++) {
                const CgroupHierarchy *h = &hierarchies->all[i];
                char path[PATH_MAX], *slash;

                if (!h->own || strlen(h->own) >= sizeof(path))
                        continue;
                strcpy(path, h->own);
                while (add_inode(hierarchies, path) && strcmp(path, h->mount)) {
                        slash = strrchr(path, '/');
                        if (!slash || slash == path)
                                break;
                        *slash = '\0';
                }
        }
        return hierarchies->n_ours > 0;
}

/* By inode, not by name: names may pass symlinks such as cpu → cpu,cpuacct. */
bool cgroup_holds_us(CgroupHierarchies *hierarchies, int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0 || (hierarchies->n_ours == 0 && !load_inodes(hierarchies)))
                return true;
        for (size_t i = 0; i < hierarchies->n_ours; i++)
                if (hierarchies->ours[i].device == st.st_dev && hierarchies->ours[i].inode == st.st_ino)
                        return true;
        return false;
}
