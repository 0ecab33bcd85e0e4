/* Devices of a container: those the user names, or with --privileged all the host has, and the device cgroup's rules. */

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/json.h"
#include "oci/spec-parts.h"

#define DEVICE_DEPTH_MAX 8 /* directories below /dev; this program's own cap */

/* What the runtime makes in every container anyway, or makes for itself. Source: runtime-spec, config-linux.md, "Default Devices" */
static const char *const supplied[] = { "console", "core", "fd",     "full",  "log",    "mqueue", "null",    "ptmx", "pts",
                                        "random",  "shm",  "stderr", "stdin", "stdout", "tty",    "urandom", "zero" };

static int node_append(json_t *nodes, const char *path, const struct stat *st, Error *err) {
        _cleanup_json_ json_t *node = json_object();

        if (text_set(node, "path", path, "--device", err) < 0 ||
            part_set(node, "type", json_string(S_ISBLK(st->st_mode) ? "b" : "c"), err) < 0 ||
            part_set(node, "major", json_integer(major(st->st_rdev)), err) < 0 ||
            part_set(node, "minor", json_integer(minor(st->st_rdev)), err) < 0 ||
            part_set(node, "fileMode", json_integer(st->st_mode & 0777), err) < 0 ||
            part_set(node, "uid", json_integer(st->st_uid), err) < 0 || part_set(node, "gid", json_integer(st->st_gid), err) < 0)
                return -1;
        return part_append(nodes, TAKE(node), err);
}

static bool is_supplied(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(supplied); i++)
                if (!strcmp(name, supplied[i]))
                        return true;
        return false;
}

/* Every device node below a directory of the host's /dev. Takes @fd. */
static int collect_nodes(int fd, const char *path, unsigned level, json_t *nodes, Error *err) {
        _cleanup_closedir_ DIR *dir = fdopendir(fd);
        struct dirent *entry;

        if (!dir) {
                close_keep_errno(fd);
                return error_set_errno(err, ERROR_FILE, errno, "read '%s'", path);
        }
        while ((errno = 0, entry = readdir(dir))) {
                _cleanup_free_ char *inner = NULL;
                struct stat st;
                int sub;

                if (entry->d_name[0] == '.' || (level == 0 && is_supplied(entry->d_name)))
                        continue;
                if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                        if (errno == ENOENT)
                                continue;
                        return error_set_errno(err, ERROR_FILE, errno, "stat '%s/%s'", path, entry->d_name);
                }
                if (string_format(&inner, err, "%s/%s", path, entry->d_name) < 0)
                        return -1;
                if ((S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) && node_append(nodes, inner, &st, err) < 0)
                        return -1;
                if (!S_ISDIR(st.st_mode) || level == DEVICE_DEPTH_MAX)
                        continue;
                sub = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (sub < 0 && errno != ENOENT)
                        return error_set_errno(err, ERROR_FILE, errno, "open '%s'", inner);
                if (sub >= 0 && collect_nodes(sub, inner, level + 1, nodes, err) < 0)
                        return -1;
        }
        if (errno != 0)
                return error_set_errno(err, ERROR_FILE, errno, "read '%s'", path);
        return 0;
}

static int collect_host(json_t *nodes, Error *err) {
        int fd = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '/dev'");
        return collect_nodes(fd, "/dev", 0, nodes, err);
}

static bool has_node(const json_t *nodes, const char *path) {
        for (size_t i = 0; i < json_array_size(nodes); i++)
                if (!strcmp(json_string_value(json_object_get(json_array_get(nodes, i), "path")), path))
                        return true;
        return false;
}

static int device_append(const SpecDevice *device, json_t *nodes, json_t *rules, Error *err) {
        _cleanup_json_ json_t *rule = NULL;
        struct stat st;

        if (stat(device->host, &st) < 0)
                return error_set_errno(err, ERROR_INVALID_ARGUMENT, errno, "--device '%s'", device->host);
        if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)) {
                error_set(err, ERROR_INVALID_ARGUMENT, "--device '%s': not a device", device->host);
                return error_hint(err, "files and directories are mounted with -v");
        }
        rule = json_pack("{s:b, s:s, s:I, s:I, s:s}", "allow", 1, "type", S_ISBLK(st.st_mode) ? "b" : "c", "major",
                         (json_int_t) major(st.st_rdev), "minor", (json_int_t) minor(st.st_rdev), "access", device->access);
        if (part_append(rules, TAKE(rule), err) < 0)
                return -1;
        return has_node(nodes, device->container) ? 0 : node_append(nodes, device->container, &st, err);
}

/* Nodes are not ours to make in a /dev that the user mounts. */
static bool brings_dev(const SpecOptions *options) {
        for (size_t i = 0; i < options->n_mounts; i++)
                if (!strcmp(options->mounts[i].destination, "/dev"))
                        return true;
        return false;
}

int devices_build(const SpecOptions *options, json_t **ret_nodes, json_t **ret_rules, Error *err) {
        _cleanup_json_ json_t *nodes = json_array(), *rules = json_array();

        if (part_append(rules, json_pack("{s:b, s:s}", "allow", options->privileged ? 1 : 0, "access", "rwm"), err) < 0)
                return -1;
        if (options->privileged && !brings_dev(options) && collect_host(nodes, err) < 0)
                return -1;
        for (size_t i = 0; i < options->n_devices; i++)
                if (device_append(&options->devices[i], nodes, rules, err) < 0)
                        return -1;
        *ret_nodes = json_array_size(nodes) > 0 ? TAKE(nodes) : NULL;
        *ret_rules = TAKE(rules);
        return 0;
}
