#pragma once

/*
 * linux.seccomp of a runtime spec as a program for the kernel. Compiling one costs as much as the rest of a start, so that programs are
 * kept; libseccomp is loaded only for those that are not. Loading a filter into a process is its launcher's work.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct sock_filter;

/** What seccomp(2) takes, and where its listener goes. */
typedef struct SeccompFilter {
        struct sock_filter *program;
        size_t length;          /* instructions; at most BPF_MAXINSNS */
        unsigned flags;         /* SECCOMP_FILTER_FLAG_*; SECCOMP_FILTER_FLAG_NEW_LISTENER when a rule notifies, and the call returns a descriptor then */
        char *listener_path;    /* with a listener only: the socket that is sent the container's state and that descriptor */
        char *listener_metadata; /* NULL: none */
        bool cached;            /* nothing was compiled */
} SeccompFilter;

/**
 * seccomp_filter() - compile linux.seccomp, or take what was compiled before
 * @seccomp:   the object, checked by spec_check(); borrowed
 * @cache_dir: kept programs; made (0700) when missing, its parent must exist. Each --root has its own: ROOT/.cache. NULL: keep nothing
 * @ret:       set on success only; seccomp_filter_free()
 *
 * Without `flags` a filter gets SECCOMP_FILTER_FLAG_SPEC_ALLOW, as with runc and crun. A process that is to load it must be single-threaded,
 * and have CAP_SYS_ADMIN in its user namespace or no_new_privs. Once it is loaded, no call but execve() is sure to be allowed: a listener's
 * descriptor has to leave by shared memory, and a process that shares the descriptor table (a rule may notify of sendmsg and write).
 *
 * A cache that is not private to this user, or that cannot be written, is as good as none; a damaged or foreign file in it is replaced.
 *
 * Source: runtime-spec config-linux.md, "Seccomp". System calls that libseccomp does not know are left out; those newer than any that the
 * profile names are answered ENOSYS in place of a default that denies, as runc does.
 * Errors: InvalidSpec, NotSupported (libseccomp or kernel cannot), FileError (the module), OutOfMemory
 */
int seccomp_filter(const json_t *seccomp, const char *cache_dir, SeccompFilter *ret, Error *err);

/** seccomp_filter_free() - what it holds; it is empty afterwards */
void seccomp_filter_free(SeccompFilter *filter);
#define _cleanup_seccomp_filter_ _cleanup_(seccomp_filter_free)
