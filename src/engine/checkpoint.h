#pragma once

/* What checkpoint and restore agree upon. Private to engine/. */

#include <jansson.h>

#include "base/error.h"

#define DESCRIPTORS_FILE "descriptors.json" /* among the images: what the init's standard streams were; runc's name and form */
#define DESCRIPTORS_MAX  65536              /* bytes */

/**
 * checkpoint_check() - refuse a configuration with what CRIU does not bring back, or would bring back as something else
 *
 * Errors: NotSupported
 */
int checkpoint_check(const json_t *spec, Error *err);

/** mount_is_bind() - whether an entry of `mounts` shows something of the host, which is in no checkpoint */
bool mount_is_bind(const json_t *entry);

/** annotation_config() - a file of options for CRIU that the container's annotations name; NULL: none. As runc and crun */
const char *annotation_config(const json_t *spec);
