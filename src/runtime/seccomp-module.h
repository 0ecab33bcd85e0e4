#pragma once

/* The module `seccomp`: all that needs libseccomp. The program loads it when no compiled program is kept. */

#include <linux/audit.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "runtime/seccomp-profile.h"

#define SECCOMP_MODULE_VERSION 1u
#define SECCOMP_MODULE_SYMBOL  "seccomp_module_table"

typedef struct SeccompModule {
        unsigned version;
        int (*compile)(const SeccompProfile *profile, struct sock_filter **ret, size_t *ret_length, Error *err);
        /** the file that holds this module, or the program it is linked into; borrowed, NULL when unknown */
        const char *(*own_file)(void);
        /** the file that holds libseccomp */
        const char *(*library_file)(void);
} SeccompModule;

/**
 * seccomp_compile() - a profile as instructions
 * @ret:        free()
 * @ret_length: instructions, at most BPF_MAXINSNS
 *
 * Errors: InvalidSpec, NotSupported (libseccomp, or a kernel as old, does not know it), OutOfMemory
 */
int seccomp_compile(const SeccompProfile *profile, struct sock_filter **ret, size_t *ret_length, Error *err);

/** seccomp_translate() - the same before it is made shorter: as libseccomp writes it */
int seccomp_translate(const SeccompProfile *profile, struct sock_filter **ret, size_t *ret_length, Error *err);

/** What a program's beginning has to know of one architecture that the filter covers */
typedef struct SeccompLatest {
        uint32_t architecture; /* AUDIT_ARCH_* */
        uint32_t latest;       /* the highest number that the profile names; with bit 30 on x32 */
        bool is_x32, has_multiplexer; /* x32 shares its AUDIT_ARCH with x86-64; s390's setup() stands for numbers that it has no room for */
} SeccompLatest;

#define SECCOMP_X32_BIT          0x40000000u
#define SECCOMP_STUB_MAX(n)      ((n) * 9 + 1) /* instructions for n architectures */

/**
 * seccomp_stub() - instructions to put in front of a filter, so that calls newer than the profile are answered ENOSYS
 * @program: room for SECCOMP_STUB_MAX(@n)
 *
 * A profile that denies by default cannot mean calls that were not known to its author, and a C library takes its fallback on ENOSYS only.
 *
 * Returns: instructions written
 */
size_t seccomp_stub(const SeccompLatest *latest, size_t n, struct sock_filter *program);

/**
 * seccomp_shrink() - make a program shorter, in place, that answers everything as before
 * @length: instructions
 *
 * Returns: instructions of the result; @length when it has what libseccomp does not write, or no shorter one was found
 */
size_t seccomp_shrink(struct sock_filter *program, size_t length);
