#pragma once

/* What the store knows of a container, whether or not ROOT/ID exists. */

#include "lifecycle/lifecycle.h"
#include "store/container.h"

typedef enum StoredKind {
        STORED_NOT,     /* nothing, or a container of another root */
        STORED_WHOLE,
        STORED_CUT_OFF, /* a transaction on it was cut off */
} StoredKind;

/** stored_kind() - one access(2) when there is none. Errors: FileError, InvalidJson, InvalidState */
int stored_kind(const Lifecycle *lifecycle, const char *id, StoredKind *ret, Error *err);

/**
 * stored_load() - the record of a container of this root, and its directory
 * @ret: NULL when there is none; container_record_free()
 */
int stored_load(const Lifecycle *lifecycle, const char *id, int *ret_fd, ContainerRecord **ret, Error *err);
