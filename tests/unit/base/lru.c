/* The least recently used entry makes room, whatever the number of entries; a removed subtree is gone and nothing else. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/lru.h"

static unsigned freed;

static void count_free(void *value) {
        freed += (unsigned) (uintptr_t) value;
}

static Lru *make(size_t capacity) {
        Lru *lru = NULL;

        freed = 0;
        assert_int_equal(lru_new(capacity, count_free, &lru, NULL), 0);
        return lru;
}

static void put(Lru *lru, const char *key, uintptr_t value) {
        assert_int_equal(lru_put(lru, key, (void *) value, NULL), 0);
}

static uintptr_t get(Lru *lru, const char *key) {
        return (uintptr_t) lru_get(lru, key);
}

static void oldest_makes_room(void **state) {
        Lru *lru = make(3);

        put(lru, "a", 1);
        put(lru, "b", 2);
        put(lru, "c", 4);
        assert_int_equal(get(lru, "a"), 1); /* b is the oldest now */
        put(lru, "d", 8);
        assert_int_equal(freed, 2);
        assert_int_equal(get(lru, "b"), 0);
        assert_int_equal(get(lru, "a"), 1);
        assert_int_equal(get(lru, "c"), 4);
        assert_int_equal(get(lru, "d"), 8);
        assert_int_equal(lru_count(lru), 3);
        assert_int_equal(lru_stats(lru).evictions, 1);
        assert_int_equal(lru_stats(lru).misses, 1);
        assert_int_equal(lru_stats(lru).hits, 4);
        lru_free(lru);
        assert_int_equal(freed, 15);
}

static void new_value_replaces_the_old_one(void **state) {
        Lru *lru = make(2);

        put(lru, "a", 1);
        put(lru, "a", 2);
        assert_int_equal(freed, 1);
        assert_int_equal(get(lru, "a"), 2);
        assert_int_equal(lru_count(lru), 1);
        lru_free(lru);
}

static void removed_keys_make_room(void **state) {
        Lru *lru = make(4);

        put(lru, "", 1);
        put(lru, "a", 2);
        put(lru, "a/b", 4);
        put(lru, "ab", 8);
        lru_remove_below(lru, "a");
        assert_int_equal(freed, 4);
        lru_remove(lru, "a");
        lru_remove(lru, "none");
        assert_int_equal(freed, 6);
        lru_remove_below(lru, "");
        assert_int_equal(freed, 14);
        assert_int_equal(get(lru, ""), 1);
        put(lru, "x", 16);
        put(lru, "y", 32);
        put(lru, "z", 64);
        assert_int_equal(freed, 14);
        lru_free(lru);
}

/* Against a naive model, over far more operations than entries. */
static void agrees_with_a_linear_scan(void **state) {
        enum { CAPACITY = 50, KEYS = 200 };
        unsigned age[KEYS] = { 0 }, clock = 0, x = 1;
        Lru *lru = make(CAPACITY);

        for (int i = 0; i < 100000; i++) {
                unsigned key = (x = x * 1664525 + 1013904223) >> 16, there = 0, oldest = 0;
                char text[16];

                key %= KEYS;
                snprintf(text, sizeof(text), "key/%u", key);
                assert_int_equal(get(lru, text) != 0, age[key] != 0);
                if (age[key] == 0) {
                        for (unsigned k = 0; k < KEYS; k++) {
                                there += age[k] != 0;
                                if (age[k] && (!age[oldest] || age[k] < age[oldest]))
                                        oldest = k;
                        }
                        if (there == CAPACITY)
                                age[oldest] = 0;
                        put(lru, text, 1);
                }
                age[key] = ++clock;
        }
        assert_int_equal(lru_count(lru), CAPACITY);
        lru_free(lru);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(oldest_makes_room),
                cmocka_unit_test(new_value_replaces_the_old_one),
                cmocka_unit_test(removed_keys_make_room),
                cmocka_unit_test(agrees_with_a_linear_scan),
        };

        return cmocka_run_group_tests_name("lru", tests, NULL, NULL);
}
