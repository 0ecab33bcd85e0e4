/* Who the container's process is: USER[:GROUP] looked up in the image's own passwd and group files, which are not to be trusted. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "oci/spec-parts.h"

#define USER_ID_MAX (UINT32_MAX - 1) /* (uid_t) -1 means "none" to the kernel */

void user_clear(SpecUser *user) {
        free(user->groups);
        free(user->home);
        *user = (SpecUser) { 0 };
}

/*
 * Reads a file of the root; *ret stays NULL when there is none. Opened as a path first: opening a FIFO or a device for reading could hang
 * or do worse.
 */
static int read_root_file(int root_fd, const char *path, char **ret, Error *err) {
        _cleanup_close_ int place = -EBADF, fd = -EBADF;
        char link[FD_PATH_MAX];
        struct stat st;

        place = open_in_root(root_fd, path, O_PATH, 0);
        if (place < 0 && (errno == ENOENT || errno == ENOTDIR))
                return 0;
        if (place < 0)
                return error_set_errno(err, ERROR_INVALID_ROOTFS, errno, "open '%s' of the image", path);
        if (fstat(place, &st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat '%s' of the image", path);
        if (!S_ISREG(st.st_mode))
                return error_set(err, ERROR_INVALID_ROOTFS, "'%s' of the image is not a regular file", path);
        if (st.st_size > USER_FILE_MAX)
                return error_set(err, ERROR_INVALID_ROOTFS, "'%s' of the image has %lld bytes, at most %u are read", path,
                                 (long long) st.st_size, USER_FILE_MAX);
        fd = open(fd_path(place, link), O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s' of the image", path);
        return file_read_fd(fd, path, USER_FILE_MAX, ret, NULL, err);
}

/* A number from 0 to the highest id, and nothing else. */
static bool id_parse(const char *text, uint32_t *ret) {
        unsigned long long n;
        char *end;

        if (text[0] < '0' || text[0] > '9')
                return false;
        errno = 0;
        n = strtoull(text, &end, 10);
        if (errno != 0 || *end != '\0' || n > USER_ID_MAX)
                return false;
        *ret = (uint32_t) n;
        return true;
}

/* The next line of a passwd-like file, cut into its fields in place; false at the end. Lines with fewer fields are passed over. */
static bool next_entry(char **cursor, char *fields[], size_t n_fields) {
        char *line;

        while ((line = strsep(cursor, "\n"))) {
                size_t n = 0;

                while (line && n < n_fields)
                        fields[n++] = strsep(&line, ":");
                if (n == n_fields && fields[0][0] != '\0')
                        return true;
        }
        return false;
}

enum { PASSWD_NAME, PASSWD_PASSWORD, PASSWD_UID, PASSWD_GID, PASSWD_GECOS, PASSWD_HOME, PASSWD_FIELDS };
enum { GROUP_NAME, GROUP_PASSWORD, GROUP_GID, GROUP_MEMBERS, GROUP_FIELDS };

/* Finds a user by name, or by number when @name is NULL; *ret_name is allocated. */
static int find_user(int root_fd, const char *name, SpecUser *user, char **ret_name, Error *err) {
        _cleanup_free_ char *data = NULL;
        char *cursor, *fields[PASSWD_FIELDS];

        if (read_root_file(root_fd, "/etc/passwd", &data, err) < 0)
                return -1;
        cursor = data;
        while (next_entry(&cursor, fields, PASSWD_FIELDS)) {
                uint32_t uid, gid;

                if (!id_parse(fields[PASSWD_UID], &uid) || !id_parse(fields[PASSWD_GID], &gid))
                        continue;
                if (name ? strcmp(fields[PASSWD_NAME], name) != 0 : uid != user->uid)
                        continue;
                if (string_copy(fields[PASSWD_HOME], &user->home, err) < 0 || string_copy(fields[PASSWD_NAME], ret_name, err) < 0)
                        return -1;
                user->uid = uid;
                user->gid = gid;
                return 0;
        }
        return 0;
}

static bool is_member(char *members, const char *name) {
        char *member;

        while ((member = strsep(&members, ",")))
                if (!strcmp(member, name))
                        return true;
        return false;
}

static int add_group(SpecUser *user, uint32_t gid, Error *err) {
        uint32_t *grown;

        for (size_t i = 0; i < user->n_groups; i++)
                if (user->groups[i] == gid)
                        return 0;
        if (user->n_groups == USER_GROUP_MAX)
                return error_set(err, ERROR_INVALID_ROOTFS, "the user is in more than %d groups of the image's /etc/group", USER_GROUP_MAX);
        grown = reallocarray(user->groups, user->n_groups + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        grown[user->n_groups++] = gid;
        user->groups = grown;
        return 0;
}

static int find_groups_of(int root_fd, const char *name, SpecUser *user, Error *err) {
        _cleanup_free_ char *data = NULL;
        char *cursor, *fields[GROUP_FIELDS];

        if (read_root_file(root_fd, "/etc/group", &data, err) < 0)
                return -1;
        cursor = data;
        while (next_entry(&cursor, fields, GROUP_FIELDS)) {
                uint32_t gid;

                if (id_parse(fields[GROUP_GID], &gid) && gid != user->gid && is_member(fields[GROUP_MEMBERS], name) &&
                    add_group(user, gid, err) < 0)
                        return -1;
        }
        return 0;
}

static int find_group(int root_fd, const char *name, bool *ret_found, uint32_t *ret, Error *err) {
        _cleanup_free_ char *data = NULL;
        char *cursor, *fields[GROUP_GID + 1];

        if (read_root_file(root_fd, "/etc/group", &data, err) < 0)
                return -1;
        cursor = data;
        *ret_found = false;
        while (!*ret_found && next_entry(&cursor, fields, GROUP_GID + 1))
                *ret_found = !strcmp(fields[GROUP_NAME], name) && id_parse(fields[GROUP_GID], ret);
        return 0;
}

int user_lookup(int root_fd, const char *text, const char *what, ErrorKind kind, SpecUser *ret, Error *err) {
        _cleanup_(user_clear) SpecUser user = { 0 };
        _cleanup_free_ char *copy = NULL, *entry = NULL;
        char *name, *group;
        bool numeric, found;

        if (string_copy(text ?: "", &copy, err) < 0)
                return -1;
        group = copy;
        name = strsep(&group, ":");
        numeric = id_parse(name, &user.uid);

        if (find_user(root_fd, numeric || !name[0] ? NULL : name, &user, &entry, err) < 0)
                return -1;
        if (!entry && !numeric && name[0]) {
                error_set(err, kind, "%s: user '%s' is not in the image's /etc/passwd", what, name);
                return error_hint(err, "a number needs no entry, for example --user 1000:1000");
        }
        if (group && !group[0])
                return error_set(err, kind, "%s: '%s' names no group after the ':'", what, text);
        if (group && !id_parse(group, &user.gid)) {
                if (find_group(root_fd, group, &found, &user.gid, err) < 0)
                        return -1;
                if (!found) {
                        error_set(err, kind, "%s: group '%s' is not in the image's /etc/group", what, group);
                        return error_hint(err, "a number needs no entry, for example --user 1000:1000");
                }
        }
        if (entry && !numeric && !group && find_groups_of(root_fd, entry, &user, err) < 0)
                return -1;

        *ret = user;
        user = (SpecUser) { 0 };
        return 0;
}
