/* What anybody on a bridge may send to a DHCP client. Headers and checksum are made right, so that the fuzzer gets behind them. */

#include "fuzz.h"
#include "network/dhcp-message.h"

#define TRANSACTION 0x12345678u

static const uint8_t mac[6] = { 2, 1, 2, 3, 4, 5 };

static void check_answer(const DhcpAnswer *answer) {
        CHECK(answer->server);
        if (answer->type == DHCP_NAK)
                return;
        CHECK(answer->type == DHCP_OFFER || answer->type == DHCP_ACK);
        CHECK(answer->address && answer->prefix >= 1 && answer->prefix <= 32);
        CHECK(answer->renew < answer->rebind && answer->rebind < answer->lease && answer->lease >= DHCP_LEASE_MIN && answer->renew > 0);
        CHECK(answer->n_name_servers <= DHCP_SERVERS_MAX);
        CHECK(strlen(answer->domain) < DHCP_DOMAIN_MAX && !strpbrk(answer->domain, " \t\n\r#;"));
}

static void put16(uint8_t *at, size_t value) {
        at[0] = (uint8_t) (value >> 8);
        at[1] = (uint8_t) value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const uint32_t transaction = TRANSACTION;
        uint8_t packet[DHCP_PACKET_MAX] = { 0x45, [8] = 64, 17 };
        DhcpAnswer answer;
        uint32_t sum = 0;

        /* as it came */
        if (dhcp_answer_parse(data, size, TRANSACTION, mac, &answer))
                check_answer(&answer);

        /* as a message to us */
        if (size > sizeof(packet) - 28)
                size = sizeof(packet) - 28;
        memcpy(packet + 28, data, size);
        put16(packet + 2, size + 28);
        put16(packet + 22, DHCP_CLIENT_PORT);
        put16(packet + 24, size + 8);
        for (unsigned i = 0; i < 20; i += 2)
                sum += (uint32_t) packet[i] << 8 | packet[i + 1];
        while (sum >> 16)
                sum = (sum & 0xffff) + (sum >> 16);
        put16(packet + 10, ~sum & 0xffff);
        if (size >= 240) {
                memcpy(packet + 28, (const uint8_t[]) { 2, 1, 6 }, 3);
                memcpy(packet + 32, &transaction, 4);
                memcpy(packet + 56, mac, 6);
                memcpy(packet + 264, (const uint8_t[]) { 0x63, 0x82, 0x53, 0x63 }, 4);
        }
        if (dhcp_answer_parse(packet, size + 28, TRANSACTION, mac, &answer))
                check_answer(&answer);
        return 0;
}
