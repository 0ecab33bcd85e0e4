#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "network/network.h"

static void network_options_clearp(NetworkOptions *options) {
        network_options_clear(options);
}
#define _cleanup_options_ _cleanup_(network_options_clearp)

static void take(NetworkOptions *options, const char *name, const char *value) {
        Error err = ERROR_INIT;

        if (network_option_take(options, name, value, &err) < 0)
                fail_msg("--%s %s: %s", name, value, err.text);
}

static void refused(const char *name, const char *value) {
        _cleanup_options_ NetworkOptions options = { 0 };
        Error err = ERROR_INIT;

        if (network_option_take(&options, name, value, &err) == 0)
                fail_msg("--%s '%s' was accepted", name, value);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        assert_true(err.text[0]);
}

static void check_text(const NetworkAddress *address, bool prefix, const char *expected) {
        char text[ADDRESS_TEXT_MAX];

        assert_string_equal(address_text(address, prefix, text), expected);
}

static void modes_are_none_host_and_a_bridge(void **state) {
        _cleanup_options_ NetworkOptions options = { 0 };

        assert_int_equal(options.mode, NETWORK_NONE);
        take(&options, "network", "host");
        assert_int_equal(options.mode, NETWORK_HOST);
        take(&options, "network", "bridge=vmbr0");
        assert_int_equal(options.mode, NETWORK_BRIDGE);
        assert_string_equal(options.bridge, "vmbr0");
        take(&options, "network", "bridge");
        assert_string_equal(options.bridge, "");
        for (const char *const *value =
                     (const char *const[]) { "", "bridge=", "bridge=a/b", "bridge=0123456789abcdef", "bridge=..", "bridge=a b",
                                             "bridge=\xff", "nat", "bridgex", "container:x", NULL };
             *value; value++)
                refused("network", *value);
}

static void addresses_have_a_prefix_and_may_name_a_gateway(void **state) {
        _cleanup_options_ NetworkOptions options = { 0 };

        take(&options, "ip", "10.1.2.3/24,gw=10.1.2.1");
        check_text(&options.ip, true, "10.1.2.3/24");
        check_text(&options.gateway, false, "10.1.2.1");
        take(&options, "ip6", "fd00::2/64");
        check_text(&options.ip6, true, "fd00::2/64");
        take(&options, "gateway", "fd00::1");
        check_text(&options.gateway6, false, "fd00::1");
        check_text(&options.gateway, false, "10.1.2.1");
        take(&options, "ip", "dhcp");
        assert_true(options.dhcp);
        assert_int_equal(options.ip.family, 0);
        for (const char *const *value =
                     (const char *const[]) { "", "10.1.2.3", "10.1.2.3/33", "10.1.2.3/-1", "10.1.2.3/ 1", "10.1.2/24", "10.1.2.3.4/24",
                                             "fd00::2/64", "10.1.2.3/24,10.1.2.1", "10.1.2.3/24,gw=", "10.1.2.3/24,gw=10.1.2.1/24",
                                             "010.1.2.3/24x", NULL };
             *value; value++)
                refused("ip", *value);
        refused("ip6", "fd00::2/129");
        refused("ip6", "10.1.2.3/24");
        refused("gateway", "10.1.2.1/24");
}

static void numbers_are_in_their_ranges(void **state) {
        _cleanup_options_ NetworkOptions options = { 0 };

        take(&options, "mtu", "68");
        take(&options, "mtu", "65535");
        assert_int_equal(options.mtu, 65535);
        take(&options, "vlan", "4094");
        assert_int_equal(options.vlan, 4094);
        take(&options, "mac-address", "02:00:5E:aa:bb:cc");
        assert_memory_equal(options.mac, ((uint8_t[6]) { 2, 0, 0x5e, 0xaa, 0xbb, 0xcc }), 6);
        refused("mtu", "67");
        refused("mtu", "65536");
        refused("mtu", "4294967364");
        refused("mtu", "1500x");
        refused("vlan", "0");
        refused("vlan", "4095");
        refused("vlan", "-1");
        refused("mac-address", "01:00:5e:aa:bb:cc"); /* of a group */
        refused("mac-address", "00:00:00:00:00:00");
        refused("mac-address", "2:0:5e:aa:bb:cc");
        refused("mac-address", "02:00:5e:aa:bb:cc:dd");
        refused("mac-address", "02:00:5e:aa:bb: c");
}

static void check_port(const char *value, const char *host, unsigned host_port, unsigned container_port, bool udp) {
        _cleanup_options_ NetworkOptions options = { 0 };

        take(&options, "publish", value);
        assert_int_equal(options.n_ports, 1);
        check_text(&options.ports[0].host, false, host);
        assert_int_equal(options.ports[0].host_port, host_port);
        assert_int_equal(options.ports[0].container_port, container_port);
        assert_int_equal(options.ports[0].udp, udp);
}

static void ports_are_host_and_container_with_an_address_before(void **state) {
        check_port("8080:80", "", 8080, 80, false);
        check_port("8080:80/tcp", "", 8080, 80, false);
        check_port("53:5353/udp", "", 53, 5353, true);
        check_port("192.0.2.1:1:65535", "192.0.2.1", 1, 65535, false);
        check_port("[fd00::1]:8080:80/udp", "fd00::1", 8080, 80, true);
        for (const char *const *value =
                     (const char *const[]) { "", "80", "80:", ":80", "0:80", "80:0", "80:65536", "80:80/sctp", "80:80/", "x:80:80",
                                             "[fd00::1:80:80", "fd00::1:80:80", "[1.2.3.4]:80:80", "80-90:80-90", "80:80:80",
                                             "1.2.3.4::80", "80:80 ", NULL };
             *value; value++)
                refused("publish", *value);
}

static void names_are_words_of_their_files(void **state) {
        _cleanup_options_ NetworkOptions options = { 0 };

        take(&options, "add-host", "db:10.0.0.1");
        take(&options, "add-host", "db6:fd00::1");
        take(&options, "add-host", "gw:host-gateway");
        take(&options, "dns", "fd00::53");
        take(&options, "dns-search", "example.org");
        refused("add-host", "db");
        refused("add-host", "a b:10.0.0.1");
        refused("add-host", "a\nb:10.0.0.1");
        refused("add-host", "db:10.0.0.1\n1.2.3.4 bank");
        refused("add-host", ":10.0.0.1");
        refused("dns", "example.org");
        refused("dns", "10.0.0.1\nnameserver 1.2.3.4");
        refused("dns-search", "a b");
        refused("dns-search", "-x");
        refused("dns-search", "");
}

static void lists_have_an_end(void **state) {
        _cleanup_options_ NetworkOptions options = { 0 };
        Error err = ERROR_INIT;

        for (unsigned i = 0; i < NETWORK_LIST_MAX; i++) {
                take(&options, "dns", "10.0.0.1");
                take(&options, "publish", "80:80");
        }
        assert_int_equal(network_option_take(&options, "dns", "10.0.0.1", &err), -1);
        assert_int_equal(network_option_take(&options, "publish", "80:80", &err), -1);
}

/* One option after another, then the check. */
static int check(NetworkOptions *options, const char *const *given, Error *err) {
        for (; *given; given += 2)
                take(options, given[0], given[1]);
        return network_options_check(options, "vmbr9", err);
}
#define GIVEN(...) (const char *const[]) { __VA_ARGS__, NULL }

static void a_bridge_without_an_address_asks_for_one(void **state) {
        _cleanup_options_ NetworkOptions dhcp = { 0 }, v4 = { 0 }, v6 = { 0 }, both = { 0 };

        assert_int_equal(check(&dhcp, GIVEN("network", "bridge"), NULL), 0);
        assert_true(dhcp.dhcp);
        assert_string_equal(dhcp.bridge, "vmbr9");
        assert_int_equal(check(&v4, GIVEN("network", "bridge=b", "ip", "10.0.0.2/24"), NULL), 0);
        assert_false(v4.dhcp);
        assert_int_equal(check(&v6, GIVEN("network", "bridge=b", "ip6", "fd00::2/64"), NULL), 0);
        assert_false(v6.dhcp);
        assert_int_equal(check(&both, GIVEN("network", "bridge=b", "ip6", "fd00::2/64", "ip", "dhcp"), NULL), 0);
        assert_true(both.dhcp);
}

static void what_does_not_go_together_is_refused(void **state) {
        const char *const *const wrong[] = {
                GIVEN("ip", "10.0.0.2/24"),
                GIVEN("add-host", "x:host-gateway"),
                GIVEN("network", "host", "publish", "80:80"),
                GIVEN("network", "none", "vlan", "5"),
                GIVEN("network", "bridge", "gateway", "10.0.0.1"),
                GIVEN("network", "bridge", "ip", "10.0.0.2/24", "gateway", "fd00::1"),
                GIVEN("network", "bridge", "ip6", "fd00::2/64", "publish", "10.0.0.1:80:80"),
                GIVEN("network", "bridge", "publish", "[fd00::1]:80:80"),
                GIVEN("network", "bridge", "publish", "127.0.0.1:80:80"),
        };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                _cleanup_options_ NetworkOptions options = { 0 };
                Error err = ERROR_INIT;

                if (check(&options, wrong[i], &err) == 0)
                        fail_msg("combination %zu was accepted", i);
                assert_true(err.kind == ERROR_INVALID_ARGUMENT || err.kind == ERROR_NOT_SUPPORTED);
        }
}

static void what_is_saved_is_what_is_loaded(void **state) {
        const Scratch *scratch = *state;
        _cleanup_options_ NetworkOptions options = { 0 }, again = { 0 }, none = { 0 };
        Error err = ERROR_INIT;

        assert_int_equal(network_options_load(scratch->fd, &none, &err), 0);
        assert_int_equal(none.mode, NETWORK_NONE);
        assert_int_equal(check(&options,
                               GIVEN("network", "bridge", "ip", "10.0.0.2/24,gw=10.0.0.1", "publish", "80:80", "publish", "81:81/udp",
                                     "vlan", "7", "dns", "10.0.0.53", "add-host", "x:1.2.3.4"),
                               &err),
                         0);
        assert_int_equal(network_options_save(scratch->fd, &options, &err), 0);
        assert_int_equal(network_options_load(scratch->fd, &again, &err), 0);
        /* what was the default bridge is the bridge now */
        assert_int_equal(network_options_check(&again, "other", &err), 0);
        assert_string_equal(again.bridge, "vmbr9");
        assert_true(json_equal(options.given, again.given));
        assert_int_equal(again.n_ports, 2);
        assert_true(again.ports[1].udp);
        check_text(&again.gateway, false, "10.0.0.1");

        assert_int_equal(file_write_atomic_at(scratch->fd, NETWORK_FILE, "{\"vlan\":[\"x\"]}", 14, 0600, 0, NULL), 0);
        assert_int_equal(network_options_load(scratch->fd, &none, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_STATE);
}

static void networks_are_compared_to_the_bit(void **state) {
        NetworkAddress a, b;

        assert_int_equal(address_parse("10.1.2.129/25", 0, true, &a, NULL), 0);
        assert_int_equal(address_parse("10.1.2.254", 0, false, &b, NULL), 0);
        assert_true(address_same_network(&a, &b));
        assert_int_equal(address_parse("10.1.2.1", 0, false, &b, NULL), 0);
        assert_false(address_same_network(&a, &b));
        assert_int_equal(address_parse("fd00::1", 0, false, &b, NULL), 0);
        assert_false(address_same_network(&a, &b));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(modes_are_none_host_and_a_bridge),
                cmocka_unit_test(addresses_have_a_prefix_and_may_name_a_gateway),
                cmocka_unit_test(numbers_are_in_their_ranges),
                cmocka_unit_test(ports_are_host_and_container_with_an_address_before),
                cmocka_unit_test(names_are_words_of_their_files),
                cmocka_unit_test(lists_have_an_end),
                cmocka_unit_test(a_bridge_without_an_address_asks_for_one),
                cmocka_unit_test(what_does_not_go_together_is_refused),
                scratch_test(what_is_saved_is_what_is_loaded),
                cmocka_unit_test(networks_are_compared_to_the_bit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
