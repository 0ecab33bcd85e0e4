#pragma once

/* What checkpoint and restore agree upon. Private to engine/. */

#include <jansson.h>
#include <stdbool.h>

#include "engine/create.h"

#define DESCRIPTORS_FILE "descriptors.json" /* among the images: what the init's standard streams were; runc's name and form */
#define DESCRIPTORS_MAX  65536              /* bytes */

/**
 * checkpoint_check() - refuse a configuration with what CRIU does not bring back, or would bring back as something else
 *
 * Errors: NotSupported
 */
int checkpoint_check(const json_t *spec, Error *err);

/** annotation_config() - a file of options for CRIU that the container's annotations name; NULL: none. As runc and crun */
const char *annotation_config(const json_t *spec);

/* ---- mounts: what CRIU does not bring back is named to it, and given again ---- */

bool mount_has_option(const json_t *entry, const char *name);

/** bundle_path() - a path of the configuration, which may be relative to the bundle; free() */
int bundle_path(const EngineContainer *container, const char *path, char **ret, Error *err);

/** mounts_own_namespace() - this process gets a mount namespace into which the host's mounts come, and out of which nothing goes */
int mounts_own_namespace(Error *err);

/** mounts_make_points() - what mounts need of the root filesystem is made where it is missing. Errors: InvalidRootfs, RuntimeError */
int mounts_make_points(const Creation *creation, const char *rootfs, Error *err);

/**
 * mounts_add_dump() - what of the host is mounted in the container: bind mounts, its own cgroups
 * @cgroups: the container's directories
 */
int mounts_add_dump(Criu *criu, const json_t *spec, char *const *cgroups, pid_t init, Error *err);

/** mounts_add_restore() - the same as it is now */
int mounts_add_restore(Criu *criu, const Creation *creation, Error *err);
