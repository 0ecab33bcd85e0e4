#pragma once

/*
 * A cache of a fixed number of entries from which the one that was not used for the longest time makes room: look-up, insertion and removal
 * take the same time however many there are. All its memory is taken when it is made, but for the keys.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct Lru Lru;

/** Lets a value go that leaves the cache */
typedef void (*LruFree)(void *value);

/**
 * lru_new() - free with lru_free()
 * @capacity: entries; at least 1
 * @free_value: called for each value that leaves, but by lru_take(); may be NULL
 *
 * Errors: OutOfMemory
 */
int lru_new(size_t capacity, LruFree free_value, Lru **ret, Error *err);
Lru *lru_free(Lru *lru);
static inline void lru_freep(Lru **lru) {
        lru_free(*lru);
}

/** lru_get() - the value of a key, which becomes the youngest; NULL when there is none; borrowed until the next lru_put() or lru_remove…() */
void *lru_get(Lru *lru, const char *key);

/** lru_put() - takes @value, also when it fails; an older one of that key leaves. Errors: OutOfMemory */
int lru_put(Lru *lru, const char *key, void *value, Error *err);

/** lru_remove() - nothing happens when there is none */
void lru_remove(Lru *lru, const char *key);

/** lru_remove_below() - the entries whose keys are paths below this one ("": all but ""): looks at all entries */
void lru_remove_below(Lru *lru, const char *path);

/** lru_count() - entries that are there */
size_t lru_count(const Lru *lru);

typedef struct LruStats {
        uint64_t hits, misses, evictions;
} LruStats;
LruStats lru_stats(const Lru *lru);
