#pragma once

/* linux.seccomp parsed once, into what both the compiler and the cache's key are made from: nothing else of it has any effect. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* This program's own caps: libseccomp takes seconds for a thousand conditions on three architectures, podman's profile has forty. */
#define SECCOMP_NAMES_MAX     16384u /* names of system calls in all rules together */
#define SECCOMP_CONDITION_MAX 1024u  /* names times arguments times architectures, in all rules together */
#define SECCOMP_ARGUMENTS     6u     /* that a system call has: the kernel's */
#define SECCOMP_KEY_MAX       (1u << 20) /* bytes */

/** What is returned to the kernel: SECCOMP_RET_* with the data of ERRNO and TRACE */
typedef uint32_t SeccompReturn;

typedef struct SeccompCondition {
        uint32_t index;
        uint32_t operator; /* row of the table of operators, which has libseccomp's order: SCMP_CMP_NE is 1 */
        uint64_t value, value_two;
} SeccompCondition;

typedef struct SeccompRule {
        const json_t *names; /* borrowed; strings, none empty */
        SeccompReturn action;
        SeccompCondition *conditions;
        size_t n_conditions;
} SeccompRule;

typedef struct SeccompProfile {
        SeccompReturn default_action;
        const json_t *architectures; /* borrowed, "SCMP_ARCH_…"; NULL: the native one */
        SeccompRule *rules;
        size_t n_rules;
        unsigned flags;              /* SECCOMP_FILTER_FLAG_*, with NEW_LISTENER when something notifies */
        const char *listener_path;   /* borrowed; NULL unless something notifies */
        const char *listener_metadata;
} SeccompProfile;

/** seccomp_profile_parse() - @seccomp is borrowed, and has to outlive the profile. Errors: InvalidSpec, OutOfMemory */
int seccomp_profile_parse(const json_t *seccomp, SeccompProfile *ret, Error *err);

/** seccomp_profile_free() - what it holds */
void seccomp_profile_free(SeccompProfile *profile);
#define _cleanup_seccomp_profile_ _cleanup_(seccomp_profile_free)

/**
 * seccomp_profile_key() - append all that a compiled program depends on and that the profile says
 *
 * Unambiguous: every list has its count in front, every string its length. Flags and listener are no part of a program.
 * Errors: OutOfMemory, InvalidArgument (the buffer's cap)
 */
int seccomp_profile_key(const SeccompProfile *profile, Buf *key, Error *err);
