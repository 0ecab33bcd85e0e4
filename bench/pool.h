#pragma once

/*
 * Objects of one size that are used again in place of being allocated anew: for loops that need one for each of very many things. Not for
 * several threads at once: each has its own.
 */

#include <stddef.h>

#include "base/error.h"

typedef struct Pool {
        size_t size;  /* bytes of an object */
        size_t slab;  /* objects that are allocated at once */
        void *free;   /* a list through the free objects */
        void *slabs;  /* a list through all that was allocated */
        size_t n_used;
} Pool;

/** POOL_INIT() - for objects of type T, @n of them allocated at once */
#define POOL_INIT(T, n) ((Pool) { .size = sizeof(T) > sizeof(void *) ? sizeof(T) : sizeof(void *), .slab = (n) })

/** pool_take() - an object whose content is not defined; give it back with pool_give(). NULL with @err set: OutOfMemory */
void *pool_take(Pool *pool, Error *err);
/** pool_give() - NULL is allowed */
void pool_give(Pool *pool, void *object);
/** pool_clear() - frees everything, also what was not given back */
void pool_clear(Pool *pool);
