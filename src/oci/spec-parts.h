#pragma once

/* The parts that spec_build() puts together; each is one file. Only for src/oci/spec-*.c and their tests. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "oci/runtime-spec.h"

/* ---- JSON from strings of users and images (spec-json.c) ---- */

/**
 * text_json() - a JSON string
 * @what: names it in the error, "--env", "the image's Env"
 *
 * Errors: InvalidArgument when it is not UTF-8 (JSON has no other strings), OutOfMemory
 */
int text_json(const char *text, const char *what, json_t **ret, Error *err);
int text_append(json_t *array, const char *text, const char *what, Error *err);
int text_set(json_t *object, const char *key, const char *text, const char *what, Error *err);

/** part_set(), part_append() - take @value, which may be NULL for out of memory */
int part_set(json_t *object, const char *key, json_t *value, Error *err);
int part_append(json_t *array, json_t *value, Error *err);

/** texts_json() - an array of strings; NULL gives an empty one */
int texts_json(char *const *texts, const char *what, json_t **ret, Error *err);

/* ---- users of the image (spec-user.c) ---- */

#define USER_FILE_MAX  (1u << 20) /* bytes of /etc/passwd or /etc/group; this program's own cap */
#define USER_GROUP_MAX 65536      /* groups; NGROUPS_MAX of Linux, limits.h */

typedef struct SpecUser {
        uint32_t uid, gid;
        uint32_t *groups; /* supplementary */
        size_t n_groups;
        char *home; /* NULL: no entry */
} SpecUser;

/**
 * user_lookup() - resolve USER[:GROUP] in a root filesystem
 * @text: names or numbers; NULL or "": root
 * @what: who said it, for errors: "--user", "the image's User"
 * @kind: of the error about an unknown name
 *
 * Supplementary groups are those of a user given by name and without a group: image-spec, conversion.md, "Config.User".
 *
 * Errors: @kind, InvalidRootfs (passwd or group is not a regular file, or too large), FileError, OutOfMemory
 */
int user_lookup(int root_fd, const char *text, const char *what, ErrorKind kind, SpecUser *ret, Error *err);
void user_clear(SpecUser *user);

/* ---- capabilities (spec-caps.c) ---- */

/** capability_find() - number of "CAP_CHOWN", "chown", …; -1 when unknown */
int capability_find(const char *name);

/** capability_name() - "CAP_CHOWN" of a number; NULL past the last */
const char *capability_name(unsigned number);

/**
 * capabilities_build() - process.capabilities
 * @uid:     of the process: another user than root gets only what --cap-add names, as in podman
 * @ret_set: the bounding set by number, for seccomp
 *
 * Errors: InvalidArgument, NotSupported (this process cannot grant it), OutOfMemory
 */
int capabilities_build(const SpecOptions *options, uint32_t uid, json_t **ret, uint64_t *ret_set, Error *err);

/* ---- --security-opt (spec-security.c) ---- */

typedef struct SpecSecurity {
        bool seccomp_unconfined;
        const char *seccomp_file; /* NULL: the default profile */
        const char *apparmor;     /* NULL: none */
        bool no_new_privileges;
        bool paths_unconfined;
        char **mask, **unmask;
} SpecSecurity;

/** apparmor_is_enabled() - whether this kernel confines processes by it. Source: Linux, security/apparmor/lsm.c, "enabled" */
bool apparmor_is_enabled(void);

/** security_parse() - strings are borrowed but for mask and unmask. Errors: InvalidArgument, NotSupported, OutOfMemory */
int security_parse(char *const *options, SpecSecurity *ret, Error *err);
void security_clear(SpecSecurity *security);

/** masked_paths_build(), readonly_paths_build() - linux.maskedPaths and linux.readonlyPaths; *ret is NULL when there are none */
int masked_paths_build(const SpecSecurity *security, json_t **ret, Error *err);
int readonly_paths_build(const SpecSecurity *security, json_t **ret, Error *err);

/* ---- seccomp (spec-seccomp.c, spec-seccomp-table.c, spec-seccomp-file.c) ---- */

/** An architecture by libseccomp's name ("amd64"), and what a filter for it covers */
typedef struct SeccompArch {
        const char *name;
        const char *const *covers; /* SCMP_ARCH_…, NULL-terminated; NULL: the native one only */
} SeccompArch;

/** seccomp_arch_find() - NULL for a name that is not known; @name NULL: this machine's */
const SeccompArch *seccomp_arch_find(const char *name);

/** seccomp_default() - the default profile, for a set of capabilities */
int seccomp_default(uint64_t capabilities, const SeccompArch *arch, json_t **ret, Error *err);

/**
 * seccomp_load() - a profile in the format of podman and docker, or of the runtime-spec
 *
 * Errors: InvalidArgument, FileError, InvalidJson, InvalidSpec, OutOfMemory
 */
int seccomp_load(const char *path, uint64_t capabilities, const SeccompArch *arch, json_t **ret, Error *err);

/* ---- mounts, devices, limits, namespaces (spec-mounts.c, spec-devices.c, spec-limits.c, spec-userns.c) ---- */

int mounts_build(const SpecOptions *options, json_t **ret, Error *err);

/** devices_build() - linux.devices (NULL: none) and linux.resources.devices */
int devices_build(const SpecOptions *options, json_t **ret_nodes, json_t **ret_rules, Error *err);

/** limits_build() - memory, cpu and pids, added to linux.resources; rlimits to process */
int limits_build(const SpecOptions *options, json_t *resources, json_t *process, Error *err);

/** userns_build() - adds the user namespace and its mappings to linux, when one is asked for */
int userns_build(const SpecOptions *options, json_t *linux_part, Error *err);

/** annotations_build() - labels and image fields by conversion.md, then the user's own; *ret is NULL when there are none */
int annotations_build(const ImageConfig *image, const SpecOptions *options, json_t **ret, Error *err);

/** environment_build() - process.env */
int environment_build(const ImageConfig *image, const SpecOptions *options, const char *home, json_t **ret, Error *err);

/** command_first() - the program of the container's command; NULL when there is no command */
const char *command_first(const ImageConfig *image, const SpecOptions *options);

/** has_userns() - whether a user namespace is asked for */
bool has_userns(const SpecOptions *options);

/* ---- system containers (spec-system.c) ---- */

/** system_capabilities() - what a system container gets besides the default set */
uint64_t system_capabilities(const SpecOptions *options);
