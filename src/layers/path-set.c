/* A hash set of path prefixes. A path counts as "P", each of its proper ancestors A as "A/". */

#include "layers/path-set.h"

#include <string.h>

#include "base/cleanup.h"

/* FNV-1a; that an attacker can make collisions only costs him a second pass over his own layer. */
#define HASH_START 0xcbf29ce484222325u
static uint64_t hash_byte(uint64_t hash, char c) {
        return (hash ^ (unsigned char) c) * 0x100000001b3u;
}

static uint64_t hash_text(const char *text) {
        uint64_t hash = HASH_START;

        for (; *text; text++)
                hash = hash_byte(hash, *text);
        return hash;
}

static bool lookup(const PathSet *set, uint64_t hash, size_t *ret_slot) {
        size_t i;

        hash = hash ?: 1;
        i = hash & (set->size - 1);
        while (set->slots[i] && set->slots[i] != hash)
                i = (i + 1) & (set->size - 1);
        *ret_slot = i;
        return set->slots[i] != 0;
}

static int grow(PathSet *set, Error *err) {
        PathSet larger = { .n = set->n, .size = set->size ? set->size * 2 : 256 };
        size_t slot;

        larger.slots = calloc(larger.size, sizeof(*larger.slots));
        if (!larger.slots)
                return error_oom(err);
        for (size_t i = 0; i < set->size; i++)
                if (set->slots[i] && !lookup(&larger, set->slots[i], &slot))
                        larger.slots[slot] = set->slots[i];
        free(set->slots);
        *set = larger;
        return 0;
}

static int add(PathSet *set, uint64_t hash, Error *err) {
        size_t slot;

        if (set->n >= set->size / 2 && grow(set, err) < 0)
                return -1;
        if (!lookup(set, hash, &slot)) {
                set->slots[slot] = hash ?: 1;
                set->n++;
        }
        return 0;
}

int path_set_add(PathSet *set, const char *path, Error *err) {
        uint64_t hash = HASH_START;

        if (*path && add(set, hash_byte(hash, '/'), err) < 0)
                return -1;
        for (const char *p = path; *p; p++) {
                hash = hash_byte(hash, *p);
                if (*p == '/' && add(set, hash, err) < 0)
                        return -1;
        }
        return add(set, hash, err);
}

static bool has(const PathSet *set, uint64_t hash) {
        size_t slot;

        return set->n > 0 && lookup(set, hash, &slot);
}

bool path_set_has(const PathSet *set, const char *path) {
        return has(set, hash_text(path));
}

bool path_set_has_below(const PathSet *set, const char *path) {
        return has(set, hash_byte(hash_text(path), '/'));
}

void path_set_free(PathSet *set) {
        free(set->slots);
        *set = (PathSet) { 0 };
}
