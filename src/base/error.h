#pragma once

/*
 * Errors are plain values on the caller's stack: no allocation, nothing to leak, usable without memory, and small enough for one
 * atomic pipe write, so that a forked child hands its error whole to its parent.
 *
 * A function that can fail returns 0 or -1 and takes `Error *err` last; NULL is allowed and drops the text. The text grows outwards
 * as it travels: each caller adds its own context with error_prefix(). Only cli/ prints.
 */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>

typedef enum ErrorKind {
        ERROR_NONE,
        ERROR_INVALID_JSON,
        ERROR_INVALID_SPEC,
        ERROR_FILE,
        ERROR_OUT_OF_MEMORY,
        ERROR_IMAGE_NOT_FOUND,
        ERROR_BUNDLE_NOT_FOUND,
        ERROR_CONTAINER_EXISTS,
        ERROR_ZFS,
        ERROR_LXC,
        ERROR_PROXMOX,
        ERROR_CONFIG,
        ERROR_INVALID_CONFIG,
        ERROR_INVALID_ROOTFS,
        ERROR_RUNTIME_NOT_AVAILABLE,
        ERROR_CONTAINER_NOT_FOUND,
        ERROR_INVALID_ARGUMENT,
        ERROR_INVALID_STATE,
        ERROR_DIGEST_MISMATCH,
        ERROR_SIGNATURE_REJECTED,
        ERROR_REGISTRY,
        ERROR_NOT_SUPPORTED,
        ERROR_TIMEOUT,
        ERROR_INTERRUPTED,
        ERROR_RUNTIME, /* the runtime (crun, runc, …) refused or failed; its own words are the cause */
        _ERROR_KIND_MAX,
} ErrorKind;

#define ERROR_TEXT_MAX  3072 /* bytes with the NUL */
#define ERROR_HINT_MAX  512  /* bytes with the NUL */
#define ERROR_PHASE_MAX 32   /* bytes with the NUL */

typedef struct Error {
        ErrorKind kind;
        int errnum;                  /* errno of the first cause; 0 when the cause is none */
        int exit_code;               /* what the program must exit with when the cause knows it (a runtime's own code); 0: cli's default */
        char phase[ERROR_PHASE_MAX]; /* the phase it arose in; "" outside of a transaction */
        char text[ERROR_TEXT_MAX];
        char hint[ERROR_HINT_MAX]; /* what to do about it; "" when not known */
} Error;

_Static_assert(sizeof(Error) <= PIPE_BUF, "an Error must fit one atomic pipe write");

/**
 * error_kind_name() - the kind as users see it, for example "ImageNotFound"
 * @kind: any kind
 *
 * Returns: a static string; "Unknown" for a value out of range
 */
const char *error_kind_name(ErrorKind kind);

/**
 * error_set() - begin an error
 * @err:  where to put it; NULL drops it
 * @kind: what class of failure this is
 * @fmt:  printf format; lower case, 'quoted' names, no full stop
 *
 * Whatever @err held is replaced, phase and hint included.
 *
 * Returns: always -1, so that callers can `return error_set(…)`
 */
int error_set(Error *err, ErrorKind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4), cold));

/**
 * error_set_errno() - begin an error whose cause is an errno; ": No such file or directory" is appended
 * @errnum: a positive errno, taken before any other call could change it
 *
 * An ENOMEM becomes ERROR_OUT_OF_MEMORY, whatever @kind says.
 *
 * Returns: always -1
 */
int error_set_errno(Error *err, ErrorKind kind, int errnum, const char *fmt, ...) __attribute__((format(printf, 4, 5), cold));

/** error_oom() - "out of memory", as ERROR_OUT_OF_MEMORY; always returns -1 */
int error_oom(Error *err) __attribute__((cold));

/**
 * error_prefix() - add outer context: the text becomes "CONTEXT: text"
 *
 * When the result would not fit, the innermost end is cut, and ends in "…".
 *
 * Returns: always -1
 */
int error_prefix(Error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/** error_hint() - say what the user can do; an earlier (more exact) hint is kept. Always returns -1 */
int error_hint(Error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3), cold));

/** error_phase() - note the phase of a transaction; an earlier (inner) one is kept. Always returns -1 */
int error_phase(Error *err, const char *phase) __attribute__((cold));

/** error_is_set() - whether @err holds an error */
static inline bool error_is_set(const Error *err) {
        return err && err->kind != ERROR_NONE;
}

/** ERROR_INIT - an Error without an error */
#define ERROR_INIT ((Error) { .kind = ERROR_NONE })
