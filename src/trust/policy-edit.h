#pragma once

/* Changing policy.json, for `image trust set`. */

#include "trust/policy.h"

typedef struct PolicyEdit {
        const char *scope; /* "default", or one of a transport: of the one that has it, else of docker */
        RequirementKind kind;
        char **key_files; /* a requirement for each: a signature by every one of them is asked for, as podman has it */
} PolicyEdit;

/**
 * policy_edit() - replace what a scope requires
 * @path: absolute; made, with its folder, when it is not there and the scope is "default"
 *
 * Errors: FileError, InvalidArgument, InvalidConfig (also of what was there before), OutOfMemory
 */
int policy_edit(const char *path, const PolicyEdit *edit, Error *err);
