#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "base/buf.h"
#include "network/network.h"

static void what_is_saved_is_what_is_loaded(void **state) {
        const Scratch *scratch = *state;
        NetworkRecord record = {
                .veth = "lx0123456789ab",
                .bridge = "vmbr0",
                .mac = { 2, 1, 2, 3, 4, 5 },
                .published = true,
                .complete = true,
                .dhcp = true,
                .mtu = 1400,
                .vlan = 5,
        };
        _cleanup_(network_record_freep) NetworkRecord *again = NULL;
        char text[ADDRESS_TEXT_MAX];

        assert_int_equal(address_parse("10.0.0.2/24", 0, true, &record.ip, NULL), 0);
        assert_int_equal(address_parse("10.0.0.1", 0, false, &record.gateway, NULL), 0);
        assert_int_equal(strv_push(&record.ports, "*:80:80/tcp", NULL), 0);
        assert_int_equal(network_record_save(scratch->fd, &record, NULL), 0);
        strv_free(record.ports);
        assert_int_equal(network_record_load(scratch->fd, &again, NULL), 0);
        assert_string_equal(again->veth, record.veth);
        assert_string_equal(again->bridge, "vmbr0");
        assert_memory_equal(again->mac, record.mac, 6);
        assert_true(again->published && again->complete && again->dhcp);
        assert_int_equal(again->mtu, 1400);
        assert_int_equal(again->vlan, 5);
        assert_string_equal(address_text(&again->ip, true, text), "10.0.0.2/24");
        assert_string_equal(address_text(&again->gateway, false, text), "10.0.0.1");
        assert_int_equal(again->ip6.family, 0);
        assert_string_equal(again->ports[0], "*:80:80/tcp");
}

static void none_is_none_and_nonsense_an_error(void **state) {
        const Scratch *scratch = *state;
        NetworkRecord *record = NULL;
        Error err = ERROR_INIT;

        assert_int_equal(network_record_load(scratch->fd, &record, &err), 0);
        assert_null(record);
        for (const char *const *text = (const char *const[]) {
                     "[]", "{}", "{\"bridge\":\"b\",\"hostDevice\":\"0123456789abcdef\",\"macAddress\":\"02:00:00:00:00:00\"}",
                     "{\"bridge\":\"b\",\"hostDevice\":\"v\",\"macAddress\":\"x\"}",
                     "{\"bridge\":\"b\",\"hostDevice\":\"v\",\"macAddress\":\"02:00:00:00:00:00\",\"ip\":\"x/24\"}", NULL };
             *text; text++) {
                assert_int_equal(file_write_atomic_at(scratch->fd, NETWORK_FILE, *text, strlen(*text), 0600, 0, NULL), 0);
                assert_int_equal(network_record_load(scratch->fd, &record, &err), -1);
                assert_true(err.text[0]);
        }
}

typedef struct Etc {
        NetworkOptions options;
        NetworkRecord record;
} Etc;

static void check_file(const Scratch *scratch, const char *name, const char *expected) {
        _cleanup_free_ char *text = NULL;

        assert_int_equal(file_read_at(scratch->fd, name, 1 << 16, &text, NULL, NULL), 0);
        assert_string_equal(text, expected);
}

static void the_files_in_etc_say_what_was_asked_for(void **state) {
        const Scratch *scratch = *state;
        Etc etc = { .options.mode = NETWORK_BRIDGE };
        NetworkFiles files = {
                .id = "c1",
                .hostname = "web",
                .options = &etc.options,
                .record = &etc.record,
                .others = json_pack("{s:s}", "db", "10.0.0.3"),
                .uid = getuid(),
                .gid = getgid(),
        };
        Error err = ERROR_INIT;

        assert_int_equal(address_parse("10.0.0.2/24", 0, true, &etc.record.ip, NULL), 0);
        assert_int_equal(address_parse("10.0.0.1", 0, false, &etc.record.gateway, NULL), 0);
        assert_int_equal(strv_push(&etc.record.dns, "10.0.0.53", NULL), 0);
        assert_int_equal(strv_push(&etc.record.dns_search, "lan", NULL), 0);
        assert_int_equal(network_option_take(&etc.options, "add-host", "gw:host-gateway", NULL), 0);
        if (network_files_write(scratch->fd, &files, &err) < 0)
                fail_msg("%s", err.text);
        check_file(scratch, "hostname", "web\n");
        check_file(scratch, "resolv.conf", "search lan\nnameserver 10.0.0.53\n");
        check_file(scratch, "hosts",
                   "10.0.0.1\tgw\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n10.0.0.2\tweb c1\n10.0.0.3\tdb\n");

        /* the user's own servers go before DHCP's */
        assert_int_equal(network_option_take(&etc.options, "dns", "10.9.9.9", NULL), 0);
        assert_int_equal(network_files_write(scratch->fd, &files, &err), 0);
        check_file(scratch, "resolv.conf", "search lan\nnameserver 10.9.9.9\n");

        etc.record.gateway.family = 0;
        assert_int_equal(network_files_write(scratch->fd, &files, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        json_decref(files.others);
        network_options_clear(&etc.options);
        strv_free(etc.record.dns);
        strv_free(etc.record.dns_search);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(what_is_saved_is_what_is_loaded),
                scratch_test(none_is_none_and_nonsense_an_error),
                scratch_test(the_files_in_etc_say_what_was_asked_for),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
