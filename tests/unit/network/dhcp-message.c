#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "network/dhcp-message.h"

#define TRANSACTION 0x12345678u
#define MESSAGE_AT  28  /* behind the IP and UDP headers */
#define OPTIONS_AT  268 /* behind the fixed part and the cookie */

static const uint8_t mac[6] = { 2, 1, 2, 3, 4, 5 };

typedef struct Packet {
        uint8_t bytes[DHCP_PACKET_MAX];
        size_t len;
} Packet;

static uint16_t sum(const uint8_t *data, size_t len) {
        uint32_t n = 0;

        for (size_t i = 0; i + 1 < len; i += 2)
                n += (uint32_t) data[i] << 8 | data[i + 1];
        while (n >> 16)
                n = (n & 0xffff) + (n >> 16);
        return (uint16_t) ~n;
}

static void put16(uint8_t *at, size_t value) {
        at[0] = (uint8_t) (value >> 8);
        at[1] = (uint8_t) value;
}

/* Lengths and checksum anew, after a test has changed something. */
static void seal(Packet *packet) {
        put16(packet->bytes + 2, packet->len);
        put16(packet->bytes + 24, packet->len - 20);
        put16(packet->bytes + 10, 0);
        put16(packet->bytes + 10, sum(packet->bytes, 20));
}

static void option(Packet *packet, uint8_t code, const void *data, uint8_t len) {
        packet->bytes[packet->len++] = code;
        packet->bytes[packet->len++] = len;
        memcpy(packet->bytes + packet->len, data, len);
        packet->len += len;
        seal(packet);
}

/* What a server says when all is well. */
static void answer(Packet *packet, uint8_t type) {
        uint8_t *message = packet->bytes + MESSAGE_AT;
        uint32_t transaction = TRANSACTION, cookie = htonl(0x63825363);

        memset(packet, 0, sizeof(*packet));
        packet->bytes[0] = 0x45;
        packet->bytes[8] = 64;
        packet->bytes[9] = 17;
        put16(packet->bytes + 20, 67);
        put16(packet->bytes + 22, 68);
        message[0] = 2;
        message[1] = 1;
        message[2] = 6;
        memcpy(message + 4, &transaction, 4);
        memcpy(message + 16, (uint8_t[]) { 10, 0, 0, 100 }, 4);
        memcpy(message + 28, mac, 6);
        memcpy(message + 236, &cookie, 4);
        packet->len = OPTIONS_AT;
        option(packet, 53, &type, 1);
        option(packet, 54, (uint8_t[]) { 10, 0, 0, 1 }, 4);
        option(packet, 51, (uint8_t[]) { 0, 0, 14, 16 }, 4); /* an hour */
        option(packet, 1, (uint8_t[]) { 255, 255, 255, 0 }, 4);
}

static bool parse(const Packet *packet, DhcpAnswer *ret) {
        return dhcp_answer_parse(packet->bytes, packet->len, TRANSACTION, mac, ret);
}

static void an_answer_is_read(void **state) {
        DhcpAnswer a;
        Packet p;

        answer(&p, DHCP_ACK);
        option(&p, 3, (uint8_t[]) { 10, 0, 0, 1, 10, 0, 0, 2 }, 8);
        option(&p, 6, (uint8_t[]) { 10, 0, 0, 53, 127, 0, 0, 1, 9, 9, 9, 9 }, 12);
        option(&p, 15, "example.org", 12);
        assert_true(parse(&p, &a));
        assert_int_equal(a.type, DHCP_ACK);
        assert_int_equal(a.address, inet_addr("10.0.0.100"));
        assert_int_equal(a.server, inet_addr("10.0.0.1"));
        assert_int_equal(a.router, inet_addr("10.0.0.1"));
        assert_int_equal(a.prefix, 24);
        assert_int_equal(a.lease, 3600);
        assert_int_equal(a.renew, 1800);
        assert_int_equal(a.rebind, 3150);
        assert_int_equal(a.n_name_servers, 2); /* nobody is served by itself */
        assert_int_equal(a.name_servers[1], inet_addr("9.9.9.9"));
        assert_string_equal(a.domain, "example.org");
}

static void what_is_for_others_is_not_ours(void **state) {
        DhcpAnswer a;
        Packet p;

        answer(&p, DHCP_OFFER);
        assert_true(parse(&p, &a));
        assert_false(dhcp_answer_parse(p.bytes, p.len, TRANSACTION + 1, mac, &a));
        assert_false(dhcp_answer_parse(p.bytes, p.len, TRANSACTION, (const uint8_t[6]) { 2, 1, 2, 3, 4, 6 }, &a));
        p.bytes[23] = 67;
        assert_false(parse(&p, &a));
        answer(&p, DHCP_OFFER);
        p.bytes[9] = 6;
        seal(&p);
        assert_false(parse(&p, &a));
        answer(&p, DHCP_OFFER);
        p.bytes[MESSAGE_AT] = 1; /* a request, such as our own */
        assert_false(parse(&p, &a));
}

static void every_cut_is_refused_or_whole(void **state) {
        DhcpAnswer a;
        Packet p;

        answer(&p, DHCP_ACK);
        for (size_t len = 0; len < p.len; len++)
                assert_false(dhcp_answer_parse(p.bytes, len, TRANSACTION, mac, &a));
        /* cut where its own lengths agree: some option is missing, or is cut */
        for (size_t len = p.len - 1; len >= OPTIONS_AT; len--) {
                Packet cut = p;

                cut.len = len;
                seal(&cut);
                if (parse(&cut, &a))
                        assert_true(len >= p.len - 6); /* all but the mask */
        }
}

static void hostile_answers_are_refused(void **state) {
        DhcpAnswer a;
        Packet p;

        answer(&p, DHCP_ACK);
        option(&p, 6, "", 0);
        p.bytes[p.len - 1] = 255; /* an option longer than the message */
        assert_false(parse(&p, &a));

        for (const char *const *bad = (const char *const[]) { "0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", NULL }; *bad; bad++) {
                uint32_t address = inet_addr(*bad);

                answer(&p, DHCP_ACK);
                memcpy(p.bytes + MESSAGE_AT + 16, &address, 4);
                assert_false(parse(&p, &a));
        }
        answer(&p, DHCP_ACK);
        memcpy(p.bytes + p.len - 4, (uint8_t[]) { 255, 0, 255, 0 }, 4); /* a mask with a hole */
        assert_false(parse(&p, &a));
        memcpy(p.bytes + p.len - 4, (uint8_t[]) { 0, 0, 0, 0 }, 4);
        assert_false(parse(&p, &a));

        answer(&p, DHCP_ACK);
        option(&p, 15, "a\nnameserver 6.6.6.6", 20);
        assert_true(parse(&p, &a));
        assert_string_equal(a.domain, "");
        answer(&p, DHCP_ACK);
        option(&p, 15, "a\0b", 3);
        assert_true(parse(&p, &a));
        assert_string_equal(a.domain, "");
}

static void nobody_makes_us_ask_without_pause(void **state) {
        DhcpAnswer a;
        Packet p;

        answer(&p, DHCP_ACK);
        memcpy(p.bytes + OPTIONS_AT + 3 + 6 + 2, (uint8_t[]) { 0, 0, 0, 0 }, 4);
        assert_true(parse(&p, &a));
        assert_true(a.lease >= DHCP_LEASE_MIN && a.renew >= DHCP_LEASE_MIN / 2);
        option(&p, 58, (uint8_t[]) { 0, 0, 0, 1 }, 4);
        option(&p, 59, (uint8_t[]) { 0, 0, 0, 2 }, 4);
        assert_true(parse(&p, &a));
        assert_true(a.renew >= DHCP_LEASE_MIN / 2 && a.renew < a.rebind && a.rebind < a.lease);
        answer(&p, DHCP_ACK);
        memcpy(p.bytes + OPTIONS_AT + 3 + 6 + 2, (uint8_t[]) { 255, 255, 255, 255 }, 4);
        assert_true(parse(&p, &a));
        assert_true(a.renew < a.rebind && a.rebind < a.lease);
}

static void options_go_on_in_the_fields_of_names(void **state) {
        DhcpAnswer a;
        Packet p;

        answer(&p, DHCP_ACK);
        option(&p, 52, (uint8_t[]) { 3 }, 1);
        memcpy(p.bytes + MESSAGE_AT + 108, (uint8_t[]) { 3, 4, 10, 0, 0, 9, 255 }, 7);
        memcpy(p.bytes + MESSAGE_AT + 44, (uint8_t[]) { 15, 1, 'x', 255 }, 4);
        assert_true(parse(&p, &a));
        assert_int_equal(a.router, inet_addr("10.0.0.9"));
        assert_string_equal(a.domain, "x");
}

static void a_request_is_a_whole_packet_with_right_sums(void **state) {
        DhcpRequest request = {
                .type = DHCP_REQUEST,
                .transaction = TRANSACTION,
                .mac = { 2, 1, 2, 3, 4, 5 },
                .requested = inet_addr("10.0.0.100"),
                .server = inet_addr("10.0.0.1"),
                .hostname = "web",
        };
        uint8_t packet[DHCP_PACKET_MAX], pseudo[DHCP_PACKET_MAX + 12] = { 0 };
        size_t len = dhcp_request_build(&request, packet);

        assert_true(len >= 328 && len <= 576);
        assert_int_equal(packet[2] << 8 | packet[3], len);
        assert_int_equal(sum(packet, 20), 0);
        assert_memory_equal(packet + 12, ((uint8_t[]) { 0, 0, 0, 0, 255, 255, 255, 255 }), 8);
        memcpy(pseudo, packet + 12, 8);
        pseudo[9] = 17;
        put16(pseudo + 10, len - 20);
        memcpy(pseudo + 12, packet + 20, len - 20);
        assert_int_equal(sum(pseudo, len - 20 + 12), 0);
        assert_memory_equal(packet + OPTIONS_AT, ((uint8_t[]) { 53, 1, DHCP_REQUEST }), 3);
        assert_non_null(memmem(packet, len, "\x0c\x03web", 5));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_answer_is_read),
                cmocka_unit_test(what_is_for_others_is_not_ours),
                cmocka_unit_test(every_cut_is_refused_or_whole),
                cmocka_unit_test(hostile_answers_are_refused),
                cmocka_unit_test(nobody_makes_us_ask_without_pause),
                cmocka_unit_test(options_go_on_in_the_fields_of_names),
                cmocka_unit_test(a_request_is_a_whole_packet_with_right_sums),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
