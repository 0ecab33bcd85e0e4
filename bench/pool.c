/* Slabs of objects, and a list of those that are free. */

#include "pool.h"

#include <stdalign.h>
#include <stdlib.h>

typedef union Slab {
        union Slab *next;
        max_align_t align;
} Slab;

static size_t stride(const Pool *pool) {
        return (pool->size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

static int grow(Pool *pool, Error *err) {
        size_t step = stride(pool);
        Slab *slab = malloc(sizeof(*slab) + step * pool->slab);
        char *object;

        if (!slab)
                return error_oom(err);
        slab->next = pool->slabs;
        pool->slabs = slab;
        object = (char *) (slab + 1);
        for (size_t i = 0; i < pool->slab; i++, object += step) {
                *(void **) object = pool->free;
                pool->free = object;
        }
        return 0;
}

void *pool_take(Pool *pool, Error *err) {
        void *object;

        if (!pool->free && grow(pool, err) < 0)
                return NULL;
        object = pool->free;
        pool->free = *(void **) object;
        pool->n_used++;
        return object;
}

void pool_give(Pool *pool, void *object) {
        if (!object)
                return;
        *(void **) object = pool->free;
        pool->free = object;
        pool->n_used--;
}

void pool_clear(Pool *pool) {
        for (Slab *slab = pool->slabs, *next; slab; slab = next) {
                next = slab->next;
                free(slab);
        }
        pool->free = pool->slabs = NULL;
        pool->n_used = 0;
}
