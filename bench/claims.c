/*
 * What caches, batches and pools claim for an image pipeline, each beside the naive way in the same run: a look-up in an LRU and in a list,
 * records from an LRU and from their files, layers checked in one batch and one by one, buffers from a pool and from malloc(), the memory
 * of each, and all of it together. The program itself has neither the LRU nor the pool: see docs/ARCHITECTURE.md, "Unpacking".
 *
 * usage: claims DIR   (where a scratch store may be made)
 */

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "layers/layers.h"
#include "lru.h"
#include "pool.h"
#include "store/layer.h"

#define LAYERS  400  /* of the batch; an image may have 500 */
#define BUFFERS 2000 /* streams, one after another */
#define RUNS    10   /* of which the mean is taken */
#define SCANNED 4000000 /* list entries looked at for one measurement */

static double now(void) {
        struct timespec t;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return (double) t.tv_sec * 1e9 + (double) t.tv_nsec;
}

static _Noreturn void die(const char *what, const Error *err) {
        fprintf(stderr, "claims: %s: %s\n", what, err ? err->text : "failed");
        exit(2);
}

static void row(const char *what, const char *unit, double ours, double naive) {
        printf("  %-44s %12.2f %12.2f %s %9.2f\n", what, ours, naive, unit, ours / naive);
}

/* ---- LRU ---- */

typedef struct ListNode {
        struct ListNode *next;
        char key[24];
} ListNode;

/* The least recently used one is at the end: what is found moves to the front. */
static const ListNode *list_get(ListNode **head, const char *key) {
        for (ListNode **link = head; *link; link = &(*link)->next)
                if (!strcmp((*link)->key, key)) {
                        ListNode *node = *link;

                        *link = node->next;
                        node->next = *head;
                        return *head = node;
                }
        return NULL;
}

static void key_of(unsigned i, char ret[24]) {
        snprintf(ret, 24, "usr/lib/%u", i * 2654435761u);
}

static unsigned next_random(unsigned *x) {
        return *x = *x * 1664525 + 1013904223, *x >> 8;
}

static void compare_lru(unsigned n) {
        unsigned x = 1, gets = SCANNED / n < 20 ? 20 : SCANNED / n, many = 1000000;
        ListNode *nodes = calloc(n, sizeof(*nodes)), *head = NULL;
        double ours, naive, began, memory;
        char key[24], what[64];
        Error err = ERROR_INIT;
        Lru *lru;

        memory = (double) mallinfo2().uordblks + (double) mallinfo2().hblkhd;
        if (!nodes || lru_new(n, NULL, &lru, &err) < 0)
                die("lru", &err);
        for (unsigned i = 0; i < n; i++) {
                key_of(i, key);
                memcpy(nodes[i].key, key, sizeof(key));
                nodes[i].next = head;
                head = &nodes[i];
                if (lru_put(lru, key, &nodes[i], &err) < 0)
                        die("lru", &err);
        }
        memory = (double) mallinfo2().uordblks + (double) mallinfo2().hblkhd - memory;
        began = now();
        for (unsigned i = 0; i < many; i++) {
                key_of(next_random(&x) % n, key);
                if (!lru_get(lru, key))
                        die("lru: a key is missing", NULL);
        }
        ours = (now() - began) / many;
        began = now();
        for (unsigned i = 0; i < gets; i++) {
                key_of(next_random(&x) % n, key);
                if (!list_get(&head, key))
                        die("list: a key is missing", NULL);
        }
        naive = (now() - began) / gets;
        snprintf(what, sizeof(what), "look-up among %u: LRU, linear scan", n);
        row(what, "ns", ours, naive);
        snprintf(what, sizeof(what), "memory of an entry among %u: LRU, list", n);
        row(what, "B ", memory / n, (double) malloc_usable_size(nodes) / n);
        lru_free(lru);
        free(nodes);
}

/* ---- batch ---- */

/* A chain of layers as it is on disk, but empty. */
static void make_chain(Store *store, Digest *chain) {
        Digest diff = { 0 };
        Error err = ERROR_INIT;

        digest_from_hex("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", &diff);
        for (size_t i = 0; i < LAYERS; i++) {
                char path[128], text[512];

                if (layer_chain_id(i ? &chain[i - 1] : NULL, &diff, &chain[i], &err) < 0)
                        die("chain", &err);
                snprintf(path, sizeof(path), "%s/diff", digest_hex(&chain[i]));
                if (mkdirat(store_layers_fd(store), digest_hex(&chain[i]), 0700) < 0 || mkdirat(store_layers_fd(store), path, 0755) < 0)
                        die("mkdir", NULL);
                snprintf(path, sizeof(path), "layers/%s/layer.json", digest_hex(&chain[i]));
                snprintf(text, sizeof(text), "{\"diffID\":\"%s\",%s%s%s\"size\":1,\"entries\":1}", diff.text, i ? "\"parent\":\"" : "",
                         i ? chain[i - 1].text : "", i ? "\"," : "");
                int fd = openat(store_fd(store), path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
                if (fd < 0 || fd_write_all(fd, text, strlen(text), &err) < 0)
                        die("record", &err);
                close(fd);
        }
}

/* A record and the one it stands on, as checking a layer reads them. */
static void read_records(Store *store, const Digest *id, Lru *cache) {
        const Digest *next = id;

        for (int i = 0; i < 2 && next; i++) {
                StoreLayer *known = cache ? lru_get(cache, digest_hex(next)) : NULL, *layer;
                Error err = ERROR_INIT;

                if (known) {
                        next = known->has_parent ? &known->parent : NULL;
                        continue;
                }
                layer = malloc(sizeof(*layer));
                if (!layer || store_layer_load(store, next, layer, &err) < 0)
                        die("record", &err);
                next = layer->has_parent ? &layer->parent : NULL;
                if (cache && lru_put(cache, digest_hex(&layer->chain_id), layer, &err) < 0)
                        die("cache", &err);
                if (!cache) {
                        /* The parent's digest was in it. */
                        static Digest kept;

                        if (next)
                                kept = *next;
                        next = next ? &kept : NULL;
                        free(layer);
                }
        }
}

static double read_chain(Store *store, const Digest *chain, bool cached) {
        Error err = ERROR_INIT;
        double began = now();
        Lru *cache = NULL;

        if (cached && lru_new(LAYERS, free, &cache, &err) < 0)
                die("cache", &err);
        for (size_t i = 0; i < LAYERS; i++)
                read_records(store, &chain[i], cache);
        lru_free(cache);
        return (now() - began) / LAYERS / 1e3;
}

static Store *open_store(const char *dir) {
        Error err = ERROR_INIT;
        Store *store;

        if (store_open(dir, STORE_CREATE, &store, &err) < 0)
                die("store", &err);
        return store;
}

static double check_chain(const char *dir, const Digest *chain, bool batch) {
        double began = now();
        Store *store = batch ? open_store(dir) : NULL;
        Error err = ERROR_INIT;

        for (size_t i = 0; i < LAYERS; i++) {
                Store *one = batch ? store : open_store(dir);

                if (layer_check(one, &chain[i], &err) < 0)
                        die("check", &err);
                if (!batch)
                        store_close(one);
        }
        store_close(store);
        return (now() - began) / LAYERS / 1e3;
}

static void compare_batch(const char *dir, Digest *chain) {
        double ours = 0, naive = 0, cached = 0, uncached = 0;
        Store *store = open_store(dir);

        make_chain(store, chain);
        for (int i = 0; i < RUNS; i++) {
                cached += read_chain(store, chain, true) / RUNS;
                uncached += read_chain(store, chain, false) / RUNS;
                ours += check_chain(dir, chain, true) / RUNS;
                naive += check_chain(dir, chain, false) / RUNS;
        }
        row("records of a layer: from an LRU, from files", "us", cached, uncached);
        row("checking a layer: in a batch, one by one", "us", ours, naive);
        store_close(store);
}

/* ---- pool ---- */

typedef struct StreamBuffers {
        char in[256 << 10], out[512 << 10];
} StreamBuffers;

/* As a small layer does: some input, some output. */
static void use_buffer(Pool *pool, int i) {
        Error err = ERROR_INIT;
        StreamBuffers *buffers = pool ? pool_take(pool, &err) : malloc(sizeof(*buffers));

        if (!buffers)
                die("buffers", &err);
        memset(buffers->in, i, 16 << 10);
        memset(buffers->out, i, 64 << 10);
        __asm__ volatile("" : : "r"(buffers) : "memory"); /* the compiler must not leave it out */
        if (pool)
                pool_give(pool, buffers);
        else
                free(buffers);
}

static double use_buffers(Pool *pool) {
        double began = now();

        for (int i = 0; i < BUFFERS; i++)
                use_buffer(pool, i);
        return (now() - began) / BUFFERS / 1e3;
}

/* ---- overall ---- */

/* A layer's records are read and it is given its buffers: with all that was measured above, or with nothing of it. */
static double do_all(const char *dir, const Digest *chain, Pool *pool) {
        double began = now();
        Store *store = pool ? open_store(dir) : NULL;
        Error err = ERROR_INIT;
        Lru *cache = NULL;

        if (pool && lru_new(LAYERS, free, &cache, &err) < 0)
                die("cache", &err);
        for (size_t i = 0; i < LAYERS; i++) {
                Store *one = pool ? store : open_store(dir);

                read_records(one, &chain[i], cache);
                use_buffer(pool, (int) i);
                if (!pool)
                        store_close(one);
        }
        lru_free(cache);
        store_close(store);
        return (now() - began) / LAYERS / 1e3;
}

static void compare_all(const char *dir, const Digest *chain, Pool *pool) {
        double ours = 0, naive = 0;

        for (int i = 0; i < RUNS; i++) {
                ours += do_all(dir, chain, pool) / RUNS;
                naive += do_all(dir, chain, NULL) / RUNS;
        }
        row("overall, a layer: all of these, none", "us", ours, naive);
}

int main(int argc, char **argv) {
        static Digest chain[LAYERS];
        Pool pool = POOL_INIT(StreamBuffers, 1);

        if (argc != 2) {
                fputs("usage: claims DIR\n", stderr);
                return 2;
        }
        printf("  %-44s %12s %12s %s %9s\n", "", "ours", "naive", "  ", "ratio");
        for (unsigned n = 1000; n <= 1000000; n *= 10)
                compare_lru(n);
        compare_batch(argv[1], chain);
        row("buffers of a stream: pool, malloc", "us", use_buffers(&pool), use_buffers(NULL));
        compare_all(argv[1], chain, &pool);
        pool_clear(&pool);
        return 0;
}
