#pragma once

/*
 * DHCP messages as whole IPv4 packets, for a client on a packet socket. Parsing is of what anybody on the bridge may send.
 * Source: RFC 2131 (protocol), RFC 2132 (options), RFC 768 and 791 (headers)
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP_PACKET_MAX  1500 /* bytes with the IP header; the Ethernet MTU */
#define DHCP_SERVERS_MAX 3    /* name servers that resolv.conf may hold; resolv.conf(5) */
#define DHCP_DOMAIN_MAX  254  /* bytes with the NUL; RFC 1035, 2.3.4 */
#define DHCP_LEASE_MIN   10   /* seconds; this program's own: nobody makes us ask without pause */
#define DHCP_CLIENT_PORT 68
#define DHCP_SERVER_PORT 67

typedef enum DhcpType {
        DHCP_DISCOVER = 1,
        DHCP_OFFER    = 2,
        DHCP_REQUEST  = 3,
        DHCP_ACK      = 5,
        DHCP_NAK      = 6,
        DHCP_RELEASE  = 7,
} DhcpType;

/** Addresses are in network order, 0: none */
typedef struct DhcpRequest {
        DhcpType type;
        uint32_t transaction;
        uint16_t seconds;   /* since it began to ask */
        uint8_t mac[6];
        uint32_t own;       /* the address it has and uses */
        uint32_t requested; /* the one it was offered, or once had */
        uint32_t server;    /* the one it answers */
        uint32_t destination; /* of the packet; 0: everybody */
        const char *hostname; /* NULL: none */
} DhcpRequest;

/** dhcp_request_build() - the packet, from its IP header on. Returns: its bytes */
size_t dhcp_request_build(const DhcpRequest *request, uint8_t ret[DHCP_PACKET_MAX]);

typedef struct DhcpAnswer {
        DhcpType type; /* offer, ack or nak */
        uint32_t address, server, router; /* router 0: none */
        uint8_t prefix;
        uint32_t lease, renew, rebind; /* seconds, each later than the one before: renew < rebind < lease */
        uint32_t name_servers[DHCP_SERVERS_MAX];
        size_t n_name_servers;
        char domain[DHCP_DOMAIN_MAX]; /* "": none */
} DhcpAnswer;

/**
 * dhcp_answer_parse() - read an answer to us
 * @packet: from its IP header on
 *
 * Returns: false for everything else, and for an answer that cannot be used
 */
bool dhcp_answer_parse(const uint8_t *packet, size_t len, uint32_t transaction, const uint8_t mac[6], DhcpAnswer *ret);
