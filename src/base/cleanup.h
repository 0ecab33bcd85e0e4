#pragma once

/* Owners are declared with their cleanup attribute; ownership is handed over with TAKE() and TAKE_FD(). */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A variable may be there for its cleanup alone, which clang 14 calls unused. */
#define _cleanup_(f) __attribute__((cleanup(f), unused))

/** TAKE() - the pointer's value, leaving NULL behind: ownership moves to the expression's user */
#define TAKE(ptr)                           \
        ({                                  \
                __typeof__(ptr) _p = (ptr); \
                (ptr) = NULL;               \
                _p;                         \
        })

/** TAKE_FD() - the descriptor, leaving -EBADF behind */
#define TAKE_FD(fd)            \
        ({                     \
                int _f = (fd); \
                (fd) = -EBADF; \
                _f;            \
        })

/** ARRAY_SIZE() - number of elements of a true array */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Cleanup must never change the errno of the failure that led to it. */
static inline void close_keep_errno(int fd) {
        int saved = errno;

        if (fd >= 0)
                (void) close(fd);
        errno = saved;
}

static inline void closep(int *fd) {
        close_keep_errno(*fd);
}

static inline void freep(void *p) {
        free(*(void **) p);
}

static inline void fclosep(FILE **f) {
        if (*f)
                fclose(*f);
}

static inline void closedirp(DIR **d) {
        if (*d)
                closedir(*d);
}

/** strv_free() - free a NULL-terminated array of strings and its strings; returns NULL */
static inline char **strv_free(char **strv) {
        for (char **s = strv; s && *s; s++)
                free(*s);
        free(strv);
        return NULL;
}

static inline void strv_freep(char ***strv) {
        strv_free(*strv);
}

#define _cleanup_free_     _cleanup_(freep)
#define _cleanup_close_    _cleanup_(closep)
#define _cleanup_fclose_   _cleanup_(fclosep)
#define _cleanup_closedir_ _cleanup_(closedirp)
#define _cleanup_strv_     _cleanup_(strv_freep)
