/* Addresses: from text and back. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/network.h"

int address_parse(const char *text, int family, bool prefix, NetworkAddress *ret, Error *err) {
        NetworkAddress address = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };
        const char *slash = strchr(text, '/');
        size_t len = slash ? (size_t) (slash - text) : strlen(text);
        unsigned long bits = address.family == AF_INET ? 32 : 128;
        char host[INET6_ADDRSTRLEN];
        char *end;

        if (len >= sizeof(host) || (family && family != address.family) || (slash && !prefix))
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is not an %s address", text,
                                 family == AF_INET ? "IPv4" : family == AF_INET6 ? "IPv6" : "IP");
        memcpy(host, text, len);
        host[len] = '\0';
        if (inet_pton(address.family, host, address.bytes) != 1)
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is not an %s address", text,
                                 address.family == AF_INET ? "IPv4" : "IPv6");
        address.prefix = (uint8_t) bits;
        if (slash) {
                unsigned long n = strtoul(slash + 1, &end, 10);

                if (slash[1] < '0' || slash[1] > '9' || *end || n > bits)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "'%s': the prefix is not a number from 0 to %lu", text, bits);
                address.prefix = (uint8_t) n;
        } else if (prefix) {
                error_set(err, ERROR_INVALID_ARGUMENT, "'%s' has no prefix", text);
                return error_hint(err, "say how large its network is, for example %s/%d", text, address.family == AF_INET ? 24 : 64);
        }
        *ret = address;
        return 0;
}

const char *address_text(const NetworkAddress *address, bool prefix, char ret[ADDRESS_TEXT_MAX]) {
        char host[INET6_ADDRSTRLEN];

        if (address->family == 0 || !inet_ntop(address->family, address->bytes, host, sizeof(host)))
                host[0] = '\0';
        if (prefix)
                snprintf(ret, ADDRESS_TEXT_MAX, "%s/%u", host, address->prefix);
        else
                snprintf(ret, ADDRESS_TEXT_MAX, "%s", host);
        return ret;
}

bool address_same_network(const NetworkAddress *address, const NetworkAddress *other) {
        size_t whole = address->prefix / 8;
        unsigned rest = address->prefix % 8;

        if (address->family == 0 || address->family != other->family || memcmp(address->bytes, other->bytes, whole))
                return false;
        return rest == 0 || (address->bytes[whole] ^ other->bytes[whole]) >> (8 - rest) == 0;
}

int mac_parse(const char *text, uint8_t ret[6]) {
        unsigned bytes[6];
        int end = -1;

        if (strlen(text) != MAC_TEXT_MAX - 1 || text[strspn(text, "0123456789abcdefABCDEF:")] ||
            sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4], &bytes[5], &end) != 6 ||
            end != MAC_TEXT_MAX - 1)
                return -1;
        for (size_t i = 0; i < 6; i++)
                ret[i] = (uint8_t) bytes[i];
        return 0;
}

const char *mac_text(const uint8_t mac[6], char ret[MAC_TEXT_MAX]) {
        snprintf(ret, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
        return ret;
}
