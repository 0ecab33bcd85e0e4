/* A hash table whose entries are also a list in order of use. */

#include "lru.h"

#include <string.h>

#include "base/cleanup.h"

#define NONE UINT32_MAX

/* Links are indices into one array, half as large as pointers. */
typedef struct Node {
        char *key; /* NULL: free */
        void *value;
        uint64_t hash;
        uint32_t older, younger; /* in order of use; of free nodes older is the next free one */
        uint32_t next;           /* of the same bucket */
} Node;

struct Lru {
        LruFree free_value;
        Node *nodes;
        uint32_t *buckets;
        size_t n, capacity, mask;
        uint32_t oldest, youngest, free;
        LruStats stats;
};

/* FNV-1a: keys are short. Whoever chooses keys that collide makes his own look-ups slow, within the capacity. */
static uint64_t hash_key(const char *key) {
        uint64_t hash = 0xcbf29ce484222325u;

        for (; *key; key++)
                hash = (hash ^ (unsigned char) *key) * 0x100000001b3u;
        return hash ^ hash >> 32;
}

int lru_new(size_t capacity, LruFree free_value, Lru **ret, Error *err) {
        _cleanup_(lru_freep) Lru *lru = calloc(1, sizeof(*lru));
        size_t size = 8;

        if (!lru || capacity == 0 || capacity >= NONE)
                return error_oom(err);
        while (size < capacity + capacity / 2)
                size *= 2;
        lru->nodes = calloc(capacity, sizeof(*lru->nodes));
        lru->buckets = malloc(size * sizeof(*lru->buckets));
        if (!lru->nodes || !lru->buckets)
                return error_oom(err);
        memset(lru->buckets, 0xff, size * sizeof(*lru->buckets));
        lru->free_value = free_value;
        lru->capacity = capacity;
        lru->mask = size - 1;
        lru->oldest = lru->youngest = NONE;
        for (size_t i = 0; i < capacity; i++)
                lru->nodes[i].older = i + 1 < capacity ? (uint32_t) i + 1 : NONE;
        *ret = TAKE(lru);
        return 0;
}

static void let_go(const Lru *lru, void *value) {
        if (lru->free_value)
                lru->free_value(value);
}

Lru *lru_free(Lru *lru) {
        if (!lru)
                return NULL;
        for (size_t i = 0; lru->nodes && i < lru->capacity; i++)
                if (lru->nodes[i].key) {
                        let_go(lru, lru->nodes[i].value);
                        free(lru->nodes[i].key);
                }
        free(lru->nodes);
        free(lru->buckets);
        free(lru);
        return NULL;
}

static uint32_t find(const Lru *lru, const char *key, uint64_t hash) {
        uint32_t i = lru->buckets[hash & lru->mask];

        while (i != NONE && (lru->nodes[i].hash != hash || strcmp(lru->nodes[i].key, key) != 0))
                i = lru->nodes[i].next;
        return i;
}

static void unlink_order(Lru *lru, uint32_t i) {
        const Node *node = &lru->nodes[i];

        *(node->older == NONE ? &lru->oldest : &lru->nodes[node->older].younger) = node->younger;
        *(node->younger == NONE ? &lru->youngest : &lru->nodes[node->younger].older) = node->older;
}

static void link_youngest(Lru *lru, uint32_t i) {
        Node *node = &lru->nodes[i];

        node->older = lru->youngest;
        node->younger = NONE;
        *(lru->youngest == NONE ? &lru->oldest : &lru->nodes[lru->youngest].younger) = i;
        lru->youngest = i;
}

static void drop(Lru *lru, uint32_t i) {
        Node *node = &lru->nodes[i];
        uint32_t *link = &lru->buckets[node->hash & lru->mask];

        while (*link != i)
                link = &lru->nodes[*link].next;
        *link = node->next;
        unlink_order(lru, i);
        let_go(lru, node->value);
        free(node->key);
        node->key = NULL;
        node->older = lru->free;
        lru->free = i;
        lru->n--;
}

void *lru_get(Lru *lru, const char *key) {
        uint32_t i = find(lru, key, hash_key(key));

        if (i == NONE) {
                lru->stats.misses++;
                return NULL;
        }
        lru->stats.hits++;
        if (i != lru->youngest) {
                unlink_order(lru, i);
                link_youngest(lru, i);
        }
        return lru->nodes[i].value;
}

int lru_put(Lru *lru, const char *key, void *value, Error *err) {
        uint64_t hash = hash_key(key);
        uint32_t i = find(lru, key, hash);
        char *copy;

        if (i != NONE)
                drop(lru, i);
        copy = strdup(key);
        if (!copy) {
                let_go(lru, value);
                return error_oom(err);
        }
        if (lru->free == NONE) {
                drop(lru, lru->oldest);
                lru->stats.evictions++;
        }
        i = lru->free;
        lru->free = lru->nodes[i].older;
        lru->nodes[i] = (Node) { .key = copy, .value = value, .hash = hash, .next = lru->buckets[hash & lru->mask] };
        lru->buckets[hash & lru->mask] = i;
        link_youngest(lru, i);
        lru->n++;
        return 0;
}

void lru_remove(Lru *lru, const char *key) {
        uint32_t i = find(lru, key, hash_key(key));

        if (i != NONE)
                drop(lru, i);
}

void lru_remove_below(Lru *lru, const char *path) {
        size_t len = strlen(path);

        for (uint32_t i = lru->oldest, younger; i != NONE; i = younger) {
                const char *key = lru->nodes[i].key;

                younger = lru->nodes[i].younger;
                if (key[0] && (len == 0 || (!strncmp(key, path, len) && key[len] == '/')))
                        drop(lru, i);
        }
}

size_t lru_count(const Lru *lru) {
        return lru->n;
}

LruStats lru_stats(const Lru *lru) {
        return lru->stats;
}
