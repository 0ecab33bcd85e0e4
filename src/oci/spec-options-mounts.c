/* -v, --mount, --tmpfs and --device, in the syntax of podman and docker. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "oci/runtime-spec.h"

#define MOUNT_MAX 4096 /* mounts or devices of one container; this program's own cap */

/* Options that a user may give, and what each is about: of one group at most one may be given. */
typedef enum OptionGroup {
        GROUP_ACCESS,
        GROUP_PROPAGATION,
        GROUP_BIND,
        GROUP_SUID,
        GROUP_DEV,
        GROUP_EXEC,
        GROUP_ATIME,
        GROUP_COPY,
        GROUP_RELABEL,
        GROUP_PLAIN, /* contradicts nothing */
} OptionGroup;

typedef enum MountKind {
        KIND_BIND  = 1 << 0,
        KIND_TMPFS = 1 << 1,
} MountKind;

typedef struct MountOption {
        const char *name; /* ends in '=': takes a value */
        OptionGroup group;
        unsigned kinds;
        const char *why_not; /* NULL: passed to the runtime */
} MountOption;

#define BOTH (KIND_BIND | KIND_TMPFS)

static const MountOption mount_options[] = {
        { "ro", GROUP_ACCESS, BOTH },
        { "rw", GROUP_ACCESS, BOTH },
        { "rro", GROUP_ACCESS, KIND_BIND },
        { "private", GROUP_PROPAGATION, KIND_BIND },
        { "rprivate", GROUP_PROPAGATION, KIND_BIND },
        { "shared", GROUP_PROPAGATION, KIND_BIND },
        { "rshared", GROUP_PROPAGATION, KIND_BIND },
        { "slave", GROUP_PROPAGATION, KIND_BIND },
        { "rslave", GROUP_PROPAGATION, KIND_BIND },
        { "unbindable", GROUP_PROPAGATION, KIND_BIND },
        { "runbindable", GROUP_PROPAGATION, KIND_BIND },
        { "bind", GROUP_BIND, KIND_BIND },
        { "rbind", GROUP_BIND, KIND_BIND },
        { "suid", GROUP_SUID, BOTH },
        { "nosuid", GROUP_SUID, BOTH },
        { "dev", GROUP_DEV, BOTH },
        { "nodev", GROUP_DEV, BOTH },
        { "exec", GROUP_EXEC, BOTH },
        { "noexec", GROUP_EXEC, BOTH },
        { "relatime", GROUP_ATIME, BOTH },
        { "noatime", GROUP_ATIME, BOTH },
        { "strictatime", GROUP_ATIME, BOTH },
        { "tmpcopyup", GROUP_COPY, KIND_TMPFS },
        { "notmpcopyup", GROUP_COPY, KIND_TMPFS },
        { "size=", GROUP_PLAIN, KIND_TMPFS },
        { "mode=", GROUP_PLAIN, KIND_TMPFS },
        { "uid=", GROUP_PLAIN, KIND_TMPFS },
        { "gid=", GROUP_PLAIN, KIND_TMPFS },
        { "nr_inodes=", GROUP_PLAIN, KIND_TMPFS },
        { "nr_blocks=", GROUP_PLAIN, KIND_TMPFS },
        { "huge=", GROUP_PLAIN, KIND_TMPFS },
        { "mpol=", GROUP_PLAIN, KIND_TMPFS },
        { "z", GROUP_RELABEL, KIND_BIND },
        { "Z", GROUP_RELABEL, KIND_BIND },
        { "U", GROUP_PLAIN, KIND_BIND, "changing the owner of the host's files is not supported" },
        { "O", GROUP_PLAIN, KIND_BIND, "overlay volumes are not supported" },
        { "copy", GROUP_PLAIN, KIND_BIND, "it is for named volumes, which are not supported" },
        { "nocopy", GROUP_PLAIN, KIND_BIND, "it is for named volumes, which are not supported" },
};

/* "/a//b/./c/" → "/a/b/c"; ".." ends at the root, as it does in the container */
static void path_clean(char *path) {
        char *out = path;

        for (const char *p = path; *p;) {
                size_t len;

                p += strspn(p, "/");
                len = strcspn(p, "/");
                if (len == 2 && p[0] == '.' && p[1] == '.') {
                        while (out > path && *--out != '/')
                                ;
                } else if (len > 0 && !(len == 1 && p[0] == '.')) {
                        *out++ = '/';
                        memmove(out, p, len);
                        out += len;
                }
                p += len;
        }
        if (out == path)
                *out++ = '/';
        *out = '\0';
}

typedef struct MountBuild {
        const char *option, *value; /* for errors */
        MountKind kind;
        SpecMount mount;
        bool given[GROUP_PLAIN];
} MountBuild;

static void mount_build_clear(MountBuild *build) {
        free(build->mount.type);
        free(build->mount.source);
        free(build->mount.destination);
        strv_free(build->mount.options);
}

static int build_error(const MountBuild *build, Error *err, ErrorKind kind, const char *cause, const char *about) {
        return error_set(err, kind, "%s '%s': %s%s%s%s", build->option, build->value, about ? "'" : "", about ?: "", about ? "': " : "",
                         cause);
}

static const MountOption *option_find(const char *text) {
        for (size_t i = 0; i < ARRAY_SIZE(mount_options); i++) {
                const char *name = mount_options[i].name;
                size_t len = strlen(name);

                if (name[len - 1] == '=' ? !strncmp(text, name, len) && text[len] : !strcmp(text, name))
                        return &mount_options[i];
        }
        return NULL;
}

static bool has_selinux(void) {
        return access("/sys/fs/selinux/enforce", F_OK) == 0;
}

static int option_add(MountBuild *build, const char *text, Error *err) {
        const MountOption *option = option_find(text);

        if (!option || !(option->kinds & build->kind)) {
                build_error(build, err, ERROR_INVALID_ARGUMENT, option ? "not an option of this kind of mount" : "not a mount option",
                            text);
                return error_hint(err, build->kind == KIND_BIND
                                               ? "known are ro, rw, bind, rbind, rprivate, rshared, rslave, nosuid, nodev, noexec, z, Z"
                                               : "known are ro, rw, size=, mode=, uid=, gid=, nosuid, nodev, noexec, exec, notmpcopyup");
        }
        if (option->why_not)
                return build_error(build, err, ERROR_NOT_SUPPORTED, option->why_not, text);
        if (option->group != GROUP_PLAIN && build->given[option->group])
                return build_error(build, err, ERROR_INVALID_ARGUMENT, "contradicts or repeats an earlier option", text);
        if (option->group != GROUP_PLAIN)
                build->given[option->group] = true;
        if (option->group == GROUP_RELABEL) {
                /* Without SELinux there are no labels, and nothing to do. */
                if (has_selinux())
                        return build_error(build, err, ERROR_NOT_SUPPORTED, "SELinux labels are not supported", text);
                return 0;
        }
        /* "notmpcopyup" only says that our own default is not wanted. */
        return !strcmp(text, "notmpcopyup") ? 0 : strv_push(&build->mount.options, text, err);
}

static int option_list_add(MountBuild *build, char *list, Error *err) {
        char *option;

        while ((option = strsep(&list, ",")))
                if (option[0] && option_add(build, option, err) < 0)
                        return -1;
        return 0;
}

static int destination_set(MountBuild *build, const char *path, Error *err) {
        if (path[0] != '/') {
                build_error(build, err, ERROR_INVALID_ARGUMENT, "the place in the container is not an absolute path", path);
                return error_hint(err, "for example -v /srv/data:/data");
        }
        free(build->mount.destination);
        if (string_copy(path, &build->mount.destination, err) < 0)
                return -1;
        path_clean(build->mount.destination);
        if (!strcmp(build->mount.destination, "/"))
                return build_error(build, err, ERROR_INVALID_ARGUMENT, "nothing can be mounted on the container's root", path);
        return 0;
}

static int source_set(MountBuild *build, const char *path, Error *err) {
        free(build->mount.source);
        build->mount.source = NULL;
        if (path[0] == '/')
                return string_copy(path, &build->mount.source, err);
        if (path[0] == '.')
                return path_absolute(path, &build->mount.source, err);
        if (path[0] == '\0')
                return build_error(build, err, ERROR_INVALID_ARGUMENT, "the place on the host is empty", NULL);
        build_error(build, err, ERROR_NOT_SUPPORTED, "named volumes are not supported", path);
        return error_hint(err, "name a directory of the host by an absolute path, or one that starts with './'");
}

/* Adds the defaults and appends the mount to the options. */
static int build_finish(MountBuild *build, SpecOptions *options, Error *err) {
        const struct {
                OptionGroup group;
                unsigned kinds;
                const char *text;
        } defaults[] = {
                { GROUP_BIND, KIND_BIND, "rbind" }, { GROUP_PROPAGATION, KIND_BIND, "rprivate" }, { GROUP_ACCESS, BOTH, "rw" },
                { GROUP_SUID, KIND_TMPFS, "nosuid" }, { GROUP_DEV, KIND_TMPFS, "nodev" },         { GROUP_COPY, KIND_TMPFS, "tmpcopyup" },
        };
        SpecMount *grown;

        for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
                if ((defaults[i].kinds & build->kind) && !build->given[defaults[i].group] &&
                    strv_push(&build->mount.options, defaults[i].text, err) < 0)
                        return -1;
        if (string_copy(build->kind == KIND_BIND ? "bind" : "tmpfs", &build->mount.type, err) < 0)
                return -1;

        for (size_t i = 0; i < options->n_mounts; i++)
                if (!strcmp(options->mounts[i].destination, build->mount.destination))
                        return build_error(build, err, ERROR_INVALID_ARGUMENT, "another mount is already on this place",
                                           build->mount.destination);
        if (options->n_mounts == MOUNT_MAX)
                return build_error(build, err, ERROR_INVALID_ARGUMENT, "too many mounts", NULL);
        grown = reallocarray(options->mounts, options->n_mounts + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        grown[options->n_mounts++] = build->mount;
        options->mounts = grown;
        build->mount = (SpecMount) { 0 };
        return 0;
}

int spec_option_volume(SpecOptions *options, const char *value, Error *err) {
        _cleanup_(mount_build_clear) MountBuild build = { .option = "-v", .value = value, .kind = KIND_BIND };
        _cleanup_free_ char *copy = NULL;
        char *rest, *source, *destination;

        if (string_copy(value, &copy, err) < 0)
                return -1;
        rest = copy;
        source = strsep(&rest, ":");
        destination = strsep(&rest, ":");
        if (!destination) {
                build_error(&build, err, ERROR_NOT_SUPPORTED, "volumes without a place on the host are not supported", NULL);
                return error_hint(err, "-v HOST:CONTAINER[:OPTIONS], for example -v /srv/data:/data:ro");
        }
        if (source_set(&build, source, err) < 0 || destination_set(&build, destination, err) < 0 || option_list_add(&build, rest, err) < 0)
                return -1;
        return build_finish(&build, options, err);
}

int spec_option_tmpfs(SpecOptions *options, const char *value, Error *err) {
        _cleanup_(mount_build_clear) MountBuild build = { .option = "--tmpfs", .value = value, .kind = KIND_TMPFS };
        _cleanup_free_ char *copy = NULL;
        char *rest, *destination;

        if (string_copy(value, &copy, err) < 0)
                return -1;
        rest = copy;
        destination = strsep(&rest, ":");
        if (destination_set(&build, destination, err) < 0 || option_list_add(&build, rest, err) < 0)
                return -1;
        return build_finish(&build, options, err);
}

static bool is_true(const char *value) {
        return !value || !strcmp(value, "true") || !strcmp(value, "1");
}

/* One KEY[=VALUE] of --mount, type= aside. */
static int mount_key(MountBuild *build, const char *key, const char *value, Error *err) {
        _cleanup_free_ char *option = NULL;

        if (!strcmp(key, "source") || !strcmp(key, "src"))
                return build->kind == KIND_TMPFS ? build_error(build, err, ERROR_INVALID_ARGUMENT, "a tmpfs has no source", key)
                                                 : source_set(build, value ?: "", err);
        if (!strcmp(key, "destination") || !strcmp(key, "dst") || !strcmp(key, "target"))
                return destination_set(build, value ?: "", err);
        if (!strcmp(key, "readonly") || !strcmp(key, "ro") || !strcmp(key, "rw")) {
                bool yes = is_true(value);

                if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0)
                        return build_error(build, err, ERROR_INVALID_ARGUMENT, "neither true nor false", key);
                return option_add(build, yes == !strcmp(key, "rw") ? "rw" : "ro", err);
        }
        if (!strcmp(key, "bind-propagation")) {
                const MountOption *propagation = option_find(value ?: "");

                if (!propagation || propagation->group != GROUP_PROPAGATION)
                        return build_error(build, err, ERROR_INVALID_ARGUMENT, "not a propagation such as rslave", value);
                return option_add(build, value, err);
        }
        if (!strcmp(key, "bind-nonrecursive"))
                return is_true(value) ? option_add(build, "bind", err) : 0;
        if (!strcmp(key, "tmpfs-size") || !strcmp(key, "tmpfs-mode")) {
                if (string_format(&option, err, "%s=%s", key + strlen("tmpfs-"), value ?: "") < 0)
                        return -1;
                return option_add(build, option, err);
        }
        if (string_format(&option, err, "%s%s%s", key, value ? "=" : "", value ?: "") < 0)
                return -1;
        return option_add(build, option, err);
}

/* The kind comes first, wherever it stands: it decides what the other keys mean. */
static int mount_kind(MountBuild *build, const char *value, Error *err) {
        const char *type = !strncmp(value, "type=", 5) ? value : strstr(value, ",type=");
        size_t len;

        if (type)
                type = strchr(type, '=') + 1;
        len = type ? strcspn(type, ",") : 0;
        if (len == 4 && !strncmp(type, "bind", len))
                build->kind = KIND_BIND;
        else if (len == 5 && !strncmp(type, "tmpfs", len))
                build->kind = KIND_TMPFS;
        else {
                build_error(build, err, type && strncmp(type, "volume", len) != 0 ? ERROR_INVALID_ARGUMENT : ERROR_NOT_SUPPORTED,
                            type ? "only types bind and tmpfs are supported"
                                 : "without type= this is a named volume, and those are not supported",
                            NULL);
                return error_hint(err, "for example --mount type=bind,src=/srv/data,dst=/data,ro");
        }
        return 0;
}

int spec_option_mount(SpecOptions *options, const char *value, Error *err) {
        _cleanup_(mount_build_clear) MountBuild build = { .option = "--mount", .value = value };
        _cleanup_free_ char *copy = NULL;
        char *rest, *item;

        if (mount_kind(&build, value, err) < 0 || string_copy(value, &copy, err) < 0)
                return -1;
        rest = copy;
        while ((item = strsep(&rest, ","))) {
                const char *key = strsep(&item, "=");

                if (strcmp(key, "type") != 0 && mount_key(&build, key, item, err) < 0)
                        return -1;
        }
        if (!build.mount.destination || (build.kind == KIND_BIND && !build.mount.source)) {
                build_error(&build, err, ERROR_INVALID_ARGUMENT, build.mount.destination ? "src= is missing" : "dst= is missing", NULL);
                return error_hint(err, "for example --mount type=bind,src=/srv/data,dst=/data,ro");
        }
        return build_finish(&build, options, err);
}

static bool is_access(const char *text) {
        return text[0] && text[strspn(text, "rwm")] == '\0';
}

int spec_option_device(SpecOptions *options, const char *value, Error *err) {
        _cleanup_free_ char *copy = NULL, *host = NULL, *container = NULL, *access = NULL;
        const char *parts[3] = { NULL };
        size_t n = 0;
        SpecDevice *grown;
        char *rest;

        if (string_copy(value, &copy, err) < 0)
                return -1;
        rest = copy;
        while (rest && n < ARRAY_SIZE(parts))
                parts[n++] = strsep(&rest, ":");
        /* HOST:rwm, without a place in the container */
        if (n == 2 && parts[1][0] != '/') {
                parts[2] = parts[1];
                parts[1] = NULL;
        }
        if (rest || parts[0][0] != '/' || (parts[1] && parts[1][0] != '/') || (parts[2] && !is_access(parts[2]))) {
                error_set(err, ERROR_INVALID_ARGUMENT, "--device '%s' is not understood", value);
                return error_hint(err, "HOST[:CONTAINER][:rwm] with absolute paths, for example /dev/fuse or /dev/sdb:/dev/data:r");
        }
        if (options->n_devices == MOUNT_MAX)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--device '%s': too many devices", value);
        if (string_copy(parts[0], &host, err) < 0 || string_copy(parts[1] ?: parts[0], &container, err) < 0 ||
            string_copy(parts[2] ?: "rwm", &access, err) < 0)
                return -1;
        path_clean(container);
        grown = reallocarray(options->devices, options->n_devices + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        grown[options->n_devices++] = (SpecDevice) { .host = TAKE(host), .container = TAKE(container), .access = TAKE(access) };
        options->devices = grown;
        return 0;
}
