/* What was given back is used again, and all of it is freed in the end. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

typedef struct Thing {
        char text[100];
} Thing;

static void objects_come_back(void **state) {
        Pool pool = POOL_INIT(Thing, 4);
        Thing *first = pool_take(&pool, NULL), *second = pool_take(&pool, NULL);

        assert_non_null(first);
        assert_ptr_not_equal(first, second);
        pool_give(&pool, first);
        assert_ptr_equal(pool_take(&pool, NULL), first);
        pool_give(&pool, NULL);
        assert_int_equal(pool.n_used, 2);
        pool_clear(&pool);
        assert_int_equal(pool.n_used, 0);
}

static void objects_are_apart_and_aligned(void **state) {
        Pool pool = POOL_INIT(Thing, 3);
        Thing *things[50];

        for (unsigned i = 0; i < 50; i++) {
                things[i] = pool_take(&pool, NULL);
                assert_int_equal((uintptr_t) things[i] % _Alignof(max_align_t), 0);
                memset(things[i], (int) i, sizeof(Thing));
        }
        for (unsigned i = 0; i < 50; i++)
                for (unsigned j = 0; j < sizeof(Thing); j++)
                        assert_int_equal(things[i]->text[j], (char) i);
        pool_clear(&pool);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(objects_come_back),
                cmocka_unit_test(objects_are_apart_and_aligned),
        };

        return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
