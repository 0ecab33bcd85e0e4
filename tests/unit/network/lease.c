#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "network/lease.h"

static void what_is_saved_is_what_is_loaded(void **state) {
        const Scratch *scratch = *state;
        LeaseRecord record = { .process = { 12, 34 }, .mac = { 2, 1, 2, 3, 4, 5 }, .server_mac = { 2, 9, 9, 9, 9, 9 } }, again;
        char text[ADDRESS_TEXT_MAX];

        assert_int_equal(lease_record_load(scratch->fd, &again, NULL), 0);
        assert_int_equal(again.process.pid, 0);
        assert_int_equal(lease_record_save(scratch->fd, &record, NULL), 0);
        assert_int_equal(lease_record_load(scratch->fd, &again, NULL), 0);
        assert_int_equal(again.process.pid, 12);
        assert_int_equal(again.process.start_time, 34);
        assert_int_equal(again.address.family, 0);
        assert_int_equal(address_parse("10.0.0.2/24", 0, true, &record.address, NULL), 0);
        assert_int_equal(address_parse("10.0.0.1", 0, false, &record.server, NULL), 0);
        assert_int_equal(lease_record_save(scratch->fd, &record, NULL), 0);
        assert_int_equal(lease_record_load(scratch->fd, &again, NULL), 0);
        assert_string_equal(address_text(&again.address, true, text), "10.0.0.2/24");
        assert_string_equal(address_text(&again.server, false, text), "10.0.0.1");
        assert_memory_equal(again.server_mac, record.server_mac, 6);
        assert_memory_equal(again.mac, record.mac, 6);
}

static void giving_back_what_is_not_there_is_done(void **state) {
        const Scratch *scratch = *state;
        LeaseRecord record = { .process = { 1, 1 }, .mac = { 2 } }; /* pid 1 never started at tick 1 of ours: somebody else */

        assert_int_equal(lease_release(scratch->fd, -EBADF, NULL), 0);
        assert_int_equal(lease_record_save(scratch->fd, &record, NULL), 0);
        record.process.start_time = UINT32_MAX;
        assert_int_equal(lease_record_save(scratch->fd, &record, NULL), 0);
        assert_int_equal(lease_release(scratch->fd, -EBADF, NULL), 0);
        assert_int_equal(faccessat(scratch->fd, LEASE_FILE, F_OK, 0), -1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(what_is_saved_is_what_is_loaded),
                scratch_test(giving_back_what_is_not_there_is_done),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
