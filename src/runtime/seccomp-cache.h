#pragma once

/*
 * Compiled filters on disk. A directory holds at most SECCOMP_CACHE_SLOTS files, each under a number that the key gives; two keys with one
 * number take turns. What is found there is used only when it is whole, was written by this user into a directory that nobody else may enter,
 * carries the very same key, and was compiled by files (the module, libseccomp) that have not changed since.
 */

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define SECCOMP_CACHE_SLOTS     256u
#define SECCOMP_CACHE_ENTRY_MAX 65536u /* bytes of one file; podman's profile has 22,000. With the slots: 16 MiB of a tmpfs */
#define SECCOMP_CACHE_FILES     2u     /* that an entry depends on */
#define SECCOMP_CACHE_NAME_MAX  4u

/** seccomp_cache_open() - the directory, made when missing; -EBADF when it is not there, or not private to this user */
int seccomp_cache_open(const char *path);

/** seccomp_cache_name() - the file of a key */
void seccomp_cache_name(const Buf *key, char ret[SECCOMP_CACHE_NAME_MAX]);

/** seccomp_cache_find() - the program under a key; *ret is free()d. Returns: false when there is none that can be trusted */
bool seccomp_cache_find(int dir_fd, const Buf *key, struct sock_filter **ret, size_t *ret_length);

/**
 * seccomp_cache_store() - keep a program, in place of whatever has its slot
 * @files: absolute paths of what compiled it
 *
 * Whole or not at all, and nothing is left of a writer that was killed. What cannot be kept is compiled again the next time.
 */
void seccomp_cache_store(int dir_fd, const Buf *key, const char *const files[SECCOMP_CACHE_FILES], const struct sock_filter *program,
                         size_t length);
