#pragma once

/* For seccomp.c and its tests. */

#include "runtime/seccomp-module.h"
#include "runtime/seccomp.h"

typedef const SeccompModule *(*SeccompLoader)(Error *err);

#define SECCOMP_COMPILE_SECONDS 10u /* of CPU. Podman's profile needs 0.015; a hundred rules that compare by order on two arguments need hours */

/**
 * seccomp_compile_bounded() - @module's compile() in a child that lives for SECCOMP_COMPILE_SECONDS of CPU at most
 *
 * What libseccomp makes of conditions on one system call can take more than any polynomial of their number, in time and memory.
 * Errors: as compile(), NotSupported when it takes longer, FileError
 */
int seccomp_compile_bounded(const SeccompModule *module, const SeccompProfile *profile, struct sock_filter **ret, size_t *ret_length,
                            Error *err);

/** seccomp_filter_by() - seccomp_filter() with another way to the module, which is taken on a miss only */
int seccomp_filter_by(SeccompLoader loader, const json_t *seccomp, const char *cache_dir, SeccompFilter *ret, Error *err);
