#pragma once

/* What the store knows of a container, whether or not ROOT/ID exists. */

#include "lifecycle/lifecycle.h"
#include "store/container.h"

typedef enum StoredKind {
        STORED_NOT,     /* nothing, or a container of another root */
        STORED_WHOLE,
        STORED_CUT_OFF, /* a transaction on it was cut off; or its record was lost with a power loss */
} StoredKind;

/**
 * stored_is_lost() - whether a power loss left nothing of a container's record (container_record_is_lost())
 *
 * Whose it was cannot be told any more; it was to go, so it is anyone's to take away.
 */
bool stored_is_lost(const Lifecycle *lifecycle, const char *id);

/** stored_kind() - two calls of the kernel when there is none. Errors: FileError, InvalidJson, InvalidState */
int stored_kind(const Lifecycle *lifecycle, const char *id, StoredKind *ret, Error *err);

/**
 * stored_load() - the record of a container of this root, and its directory
 * @ret: NULL when there is none, or it is lost; container_record_free()
 */
int stored_load(const Lifecycle *lifecycle, const char *id, int *ret_fd, ContainerRecord **ret, Error *err);
