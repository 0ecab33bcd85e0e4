/* Building and reading DHCP messages. */

#include "network/dhcp-message.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/cleanup.h"

#define BOOT_REQUEST  1
#define BOOT_REPLY    2
#define HARDWARE_ETHERNET 1
#define COOKIE        0x63825363u /* RFC 2131, 3 */
#define TIME_TO_LIVE  64
#define PROTOCOL_UDP  17
#define FRAGMENT_MASK 0x3fff /* more fragments, and the offset */
#define MESSAGE_SIZE_MIN 300 /* bytes of a BOOTP message, which old servers and relays insist on; RFC 1542, 2.1 */

enum {
        OPTION_PAD            = 0,
        OPTION_MASK           = 1,
        OPTION_ROUTER         = 3,
        OPTION_NAME_SERVER    = 6,
        OPTION_HOST_NAME      = 12,
        OPTION_DOMAIN         = 15,
        OPTION_REQUESTED      = 50,
        OPTION_LEASE          = 51,
        OPTION_OVERLOAD       = 52,
        OPTION_TYPE           = 53,
        OPTION_SERVER         = 54,
        OPTION_PARAMETERS     = 55,
        OPTION_SIZE_MAX       = 57,
        OPTION_RENEW          = 58,
        OPTION_REBIND         = 59,
        OPTION_CLIENT         = 61,
        OPTION_END            = 255,
};

typedef struct __attribute__((packed)) IpHeader {
        uint8_t version_and_length, service;
        uint16_t length, id, fragment;
        uint8_t time_to_live, protocol;
        uint16_t checksum;
        uint32_t source, destination;
} IpHeader;

typedef struct __attribute__((packed)) UdpHeader {
        uint16_t source, destination, length, checksum;
} UdpHeader;

typedef struct __attribute__((packed)) Bootp {
        uint8_t operation, hardware, hardware_length, hops;
        uint32_t transaction;
        uint16_t seconds, flags;
        uint32_t client, your, next_server, relay;
        uint8_t hardware_address[16], server_name[64], file[128];
        uint32_t cookie;
} Bootp;

typedef struct __attribute__((packed)) Headers {
        IpHeader ip;
        UdpHeader udp;
        Bootp bootp;
} Headers;

/* RFC 1071: the sum of 16-bit words, carries added. */
static uint32_t sum_add(uint32_t sum, const void *data, size_t len) {
        const uint8_t *bytes = data;

        for (size_t i = 0; i + 1 < len; i += 2)
                sum += (uint32_t) bytes[i] << 8 | bytes[i + 1];
        if (len % 2)
                sum += (uint32_t) bytes[len - 1] << 8;
        return sum;
}

static uint16_t sum_finish(uint32_t sum) {
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return htons((uint16_t) ~sum);
}

/* ---- building ---- */

static uint8_t *put_option(uint8_t *p, uint8_t code, const void *data, size_t len) {
        *p++ = code;
        *p++ = (uint8_t) len;
        memcpy(p, data, len);
        return p + len;
}

static uint8_t *put_options(uint8_t *p, const DhcpRequest *request) {
        static const uint8_t wanted[] = { OPTION_MASK, OPTION_ROUTER, OPTION_NAME_SERVER, OPTION_DOMAIN,
                                          OPTION_LEASE, OPTION_RENEW, OPTION_REBIND, OPTION_SERVER };
        const uint8_t type = (uint8_t) request->type;
        const uint16_t size = htons(DHCP_PACKET_MAX);
        uint8_t client[1 + sizeof(request->mac)] = { HARDWARE_ETHERNET };

        memcpy(client + 1, request->mac, sizeof(request->mac));
        p = put_option(p, OPTION_TYPE, &type, sizeof(type));
        p = put_option(p, OPTION_CLIENT, client, sizeof(client));
        if (request->requested)
                p = put_option(p, OPTION_REQUESTED, &request->requested, sizeof(request->requested));
        if (request->server)
                p = put_option(p, OPTION_SERVER, &request->server, sizeof(request->server));
        if (request->type != DHCP_RELEASE) {
                p = put_option(p, OPTION_SIZE_MAX, &size, sizeof(size));
                p = put_option(p, OPTION_PARAMETERS, wanted, sizeof(wanted));
                if (request->hostname && request->hostname[0] && strlen(request->hostname) < 64)
                        p = put_option(p, OPTION_HOST_NAME, request->hostname, strlen(request->hostname));
        }
        *p++ = OPTION_END;
        return p;
}

size_t dhcp_request_build(const DhcpRequest *request, uint8_t ret[DHCP_PACKET_MAX]) {
        struct __attribute__((packed)) {
                uint32_t source, destination;
                uint8_t zero, protocol;
                uint16_t length;
        } pseudo;
        Headers headers = { 0 };
        uint8_t *end;
        size_t len, udp_len;

        memset(ret, 0, DHCP_PACKET_MAX);
        end = put_options(ret + sizeof(headers), request);
        len = (size_t) (end - ret);
        if (len < sizeof(IpHeader) + sizeof(UdpHeader) + MESSAGE_SIZE_MIN)
                len = sizeof(IpHeader) + sizeof(UdpHeader) + MESSAGE_SIZE_MIN;
        udp_len = len - sizeof(IpHeader);

        headers.bootp = (Bootp) {
                .operation = BOOT_REQUEST,
                .hardware = HARDWARE_ETHERNET,
                .hardware_length = sizeof(request->mac),
                .transaction = request->transaction,
                .seconds = htons(request->seconds),
                .client = request->own,
                .cookie = htonl(COOKIE),
        };
        memcpy(headers.bootp.hardware_address, request->mac, sizeof(request->mac));
        headers.udp = (UdpHeader) {
                .source = htons(DHCP_CLIENT_PORT),
                .destination = htons(DHCP_SERVER_PORT),
                .length = htons((uint16_t) udp_len),
        };
        headers.ip = (IpHeader) {
                .version_and_length = 0x45,
                .length = htons((uint16_t) len),
                .time_to_live = TIME_TO_LIVE,
                .protocol = PROTOCOL_UDP,
                .source = request->own,
                .destination = request->destination ?: UINT32_MAX,
        };
        headers.ip.checksum = sum_finish(sum_add(0, &headers.ip, sizeof(headers.ip)));
        memcpy(ret, &headers, sizeof(headers));

        pseudo.source = headers.ip.source;
        pseudo.destination = headers.ip.destination;
        pseudo.zero = 0;
        pseudo.protocol = PROTOCOL_UDP;
        pseudo.length = headers.udp.length;
        /* 0 would mean that there is none. */
        headers.udp.checksum = sum_finish(sum_add(sum_add(0, &pseudo, sizeof(pseudo)), ret + sizeof(IpHeader), udp_len)) ?: UINT16_MAX;
        memcpy(ret + sizeof(IpHeader), &headers.udp, sizeof(headers.udp));
        return len;
}

/* ---- reading ---- */

typedef struct Options {
        const uint8_t *value[256];
        uint8_t len[256];
} Options;

/* Notes down where each option stands; of several, the first. False when they run over their end. */
static bool read_options(const uint8_t *p, size_t len, Options *options) {
        const uint8_t *end = p + len;

        while (p < end && *p != OPTION_END) {
                uint8_t code = *p++;

                if (code == OPTION_PAD)
                        continue;
                if (p == end || *p > end - p - 1)
                        return false;
                if (!options->value[code]) {
                        options->len[code] = *p;
                        options->value[code] = p + 1;
                }
                p += 1 + *p;
        }
        return true;
}

/* The first 32 bits, in network order, of an option that is one or several of them; 0: none. */
static uint32_t read_word(const Options *options, uint8_t code) {
        uint32_t word = 0;

        if (options->value[code] && options->len[code] >= sizeof(word) && options->len[code] % sizeof(word) == 0)
                memcpy(&word, options->value[code], sizeof(word));
        return word;
}

/* An address that one host can have. */
static bool is_host(uint32_t address) {
        uint32_t a = ntohl(address);

        return a >> 24 != 0 && a >> 24 != 127 && a >> 24 < 224;
}

/* The mask's ones, or what the address's class had, before there were masks. False for a mask with holes, or of no network at all. */
static bool read_prefix(const Options *options, uint32_t address, uint8_t *ret) {
        uint32_t mask = ntohl(read_word(options, OPTION_MASK)), first = ntohl(address) >> 24;

        if (!options->value[OPTION_MASK]) {
                *ret = first < 128 ? 8 : first < 192 ? 16 : 24;
                return true;
        }
        if (mask == 0 || (~mask & (~mask + 1)) != 0)
                return false;
        *ret = (uint8_t) __builtin_popcount(mask);
        return true;
}

static void read_times(const Options *options, DhcpAnswer *answer) {
        uint32_t lease = ntohl(read_word(options, OPTION_LEASE)), renew = ntohl(read_word(options, OPTION_RENEW)),
                 rebind = ntohl(read_word(options, OPTION_REBIND));

        answer->lease = lease < DHCP_LEASE_MIN ? DHCP_LEASE_MIN : lease;
        if (renew == 0 || rebind <= renew || lease <= rebind || renew < DHCP_LEASE_MIN / 2) {
                renew = answer->lease / 2;
                rebind = (uint32_t) ((uint64_t) answer->lease * 7 / 8);
        }
        answer->renew = renew;
        answer->rebind = rebind;
}

static void read_name_servers(const Options *options, DhcpAnswer *answer) {
        for (size_t at = 0; at + 4 <= options->len[OPTION_NAME_SERVER] && answer->n_name_servers < DHCP_SERVERS_MAX; at += 4) {
                uint32_t address;

                memcpy(&address, options->value[OPTION_NAME_SERVER] + at, sizeof(address));
                if (is_host(address))
                        answer->name_servers[answer->n_name_servers++] = address;
        }
}

/* It becomes a word of resolv.conf: one that is no domain's name is none. */
static void read_domain(const Options *options, DhcpAnswer *answer) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
        size_t len = options->len[OPTION_DOMAIN];

        if (len == 0 || len >= sizeof(answer->domain))
                return;
        memcpy(answer->domain, options->value[OPTION_DOMAIN], len);
        answer->domain[len] = '\0';
        /* some servers send the NUL too */
        if (strlen(answer->domain) + 1 < len || answer->domain[strspn(answer->domain, allowed)] || answer->domain[0] == '-')
                answer->domain[0] = '\0';
}

/* The UDP payload of a whole IPv4 packet for the client's port; NULL: it is something else. */
static const uint8_t *read_payload(const uint8_t *packet, size_t len, size_t *ret_len) {
        IpHeader ip;
        UdpHeader udp;
        size_t ip_len, total, udp_total;

        if (len < sizeof(ip))
                return NULL;
        memcpy(&ip, packet, sizeof(ip));
        ip_len = (ip.version_and_length & 15) * 4u;
        total = ntohs(ip.length);
        if (ip.version_and_length >> 4 != 4 || ip_len < sizeof(ip) || total > len || total < ip_len + sizeof(udp) ||
            ip.protocol != PROTOCOL_UDP || ntohs(ip.fragment) & FRAGMENT_MASK || sum_finish(sum_add(0, packet, ip_len)) != 0)
                return NULL;
        memcpy(&udp, packet + ip_len, sizeof(udp));
        udp_total = ntohs(udp.length);
        /* Its checksum says nothing: a packet of this very machine, over a veth, has none yet. */
        if (udp.destination != htons(DHCP_CLIENT_PORT) || udp_total < sizeof(udp) || udp_total > total - ip_len)
                return NULL;
        *ret_len = udp_total - sizeof(udp);
        return packet + ip_len + sizeof(udp);
}

/* Options may go on in the fields of names that are not needed: RFC 2131, 4.1. */
static bool read_all_options(const uint8_t *message, size_t len, Options *options) {
        const uint8_t *file = message + offsetof(Bootp, file), *name = message + offsetof(Bootp, server_name);
        uint8_t overload;

        if (!read_options(message + sizeof(Bootp), len - sizeof(Bootp), options))
                return false;
        overload = options->len[OPTION_OVERLOAD] == 1 ? *options->value[OPTION_OVERLOAD] : 0;
        if (overload & 1 && !read_options(file, sizeof(((Bootp *) NULL)->file), options))
                return false;
        return !(overload & 2) || read_options(name, sizeof(((Bootp *) NULL)->server_name), options);
}

static bool is_answer_to(const Bootp *bootp, uint32_t transaction, const uint8_t mac[6]) {
        return bootp->operation == BOOT_REPLY && bootp->hardware == HARDWARE_ETHERNET && bootp->hardware_length == 6 &&
               bootp->cookie == htonl(COOKIE) && bootp->transaction == transaction && !memcmp(bootp->hardware_address, mac, 6);
}

bool dhcp_answer_parse(const uint8_t *packet, size_t len, uint32_t transaction, const uint8_t mac[6], DhcpAnswer *ret) {
        DhcpAnswer answer = { 0 };
        Options options = { 0 };
        const uint8_t *message = read_payload(packet, len, &len);
        Bootp bootp;

        if (!message || len < sizeof(bootp))
                return false;
        memcpy(&bootp, message, sizeof(bootp));
        if (!is_answer_to(&bootp, transaction, mac) || !read_all_options(message, len, &options) || options.len[OPTION_TYPE] != 1)
                return false;
        answer.type = (DhcpType) *options.value[OPTION_TYPE];
        answer.server = read_word(&options, OPTION_SERVER);
        if (!is_host(answer.server))
                return false;
        if (answer.type == DHCP_NAK) {
                *ret = answer;
                return true;
        }
        answer.address = bootp.your;
        answer.router = read_word(&options, OPTION_ROUTER);
        if (!is_host(answer.router))
                answer.router = 0;
        if ((answer.type != DHCP_OFFER && answer.type != DHCP_ACK) || !is_host(answer.address) || !options.value[OPTION_LEASE] ||
            !read_prefix(&options, answer.address, &answer.prefix))
                return false;
        read_times(&options, &answer);
        read_name_servers(&options, &answer);
        read_domain(&options, &answer);
        *ret = answer;
        return true;
}
