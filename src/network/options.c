/* Values of the options about a network. What was given is kept as it is, so that a later start takes the same options again. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "network/network.h"

#define MTU_MIN       68    /* bytes; RFC 791, what every IPv4 network carries */
#define MTU_MAX       65535 /* bytes; ETH_MAX_MTU of Linux */
#define VLAN_MAX      4094  /* IEEE 802.1Q: 4095 is reserved */
#define NAME_TEXT_MAX 253   /* characters of a domain name; RFC 1035, 2.3.4 */

void network_options_clear(NetworkOptions *options) {
        free(options->ports);
        strv_free(options->dns);
        strv_free(options->dns_search);
        strv_free(options->add_host);
        json_decref(options->given);
        *options = (NetworkOptions) { 0 };
}

static int not_understood(const char *option, const char *value, const char *hint, Error *err) {
        error_set(err, ERROR_INVALID_ARGUMENT, "--%s '%s' is not understood", option, value);
        return error_hint(err, "%s", hint);
}

/* Names of network devices, as the kernel takes them (dev_valid_name()), of ASCII. */
static bool device_name_valid(const char *name) {
        if (!name[0] || strlen(name) >= IF_NAMESIZE || !strcmp(name, ".") || !strcmp(name, ".."))
                return false;
        for (; *name; name++)
                if (*name <= ' ' || *name >= 127 || *name == '/' || *name == ':')
                        return false;
        return true;
}

/* Letters, digits and what else host names have; so that a line of hosts or resolv.conf stays one line with the words it was to have. */
static bool host_name_valid(const char *name) {
        return name[0] && strlen(name) <= NAME_TEXT_MAX && name[0] != '-' &&
               !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")];
}

static int take_network(NetworkOptions *options, const char *value, Error *err) {
        static const char hint[] = "none, host, bridge, or bridge=NAME with a bridge of the host";
        const char *name = !strncmp(value, "bridge", 6) && (value[6] == '=' || value[6] == ':') ? value + 7 : "";
        NetworkMode mode;

        if (!strcmp(value, "none"))
                mode = NETWORK_NONE;
        else if (!strcmp(value, "host"))
                mode = NETWORK_HOST;
        else if (!strcmp(value, "bridge") || device_name_valid(name))
                mode = NETWORK_BRIDGE;
        else
                return not_understood("network", value, hint, err);
        options->mode = mode;
        snprintf(options->bridge, sizeof(options->bridge), "%s", name);
        return 0;
}

static int gateway_set(NetworkOptions *options, const char *text, Error *err) {
        NetworkAddress address;

        if (address_parse(text, 0, false, &address, err) < 0)
                return -1;
        *(address.family == AF_INET ? &options->gateway : &options->gateway6) = address;
        return 0;
}

static int take_gateway(NetworkOptions *options, const char *value, Error *err) {
        return gateway_set(options, value, err) < 0 ? error_prefix(err, "--gateway") : 0;
}

/* ADDR/PREFIX[,gw=ADDR] */
static int take_static(NetworkOptions *options, const char *option, int family, const char *value, NetworkAddress *ret, Error *err) {
        _cleanup_free_ char *copy = NULL;
        char *rest;

        if (string_copy(value, &copy, err) < 0)
                return -1;
        rest = copy;
        if (address_parse(strsep(&rest, ","), family, true, ret, err) < 0)
                return error_prefix(err, "--%s", option);
        if (!rest)
                return 0;
        if (strncmp(rest, "gw=", 3))
                return not_understood(option, value, "ADDRESS/PREFIX, or ADDRESS/PREFIX,gw=GATEWAY", err);
        return gateway_set(options, rest + 3, err) < 0 ? error_prefix(err, "--%s", option) : 0;
}

static int take_ip(NetworkOptions *options, const char *value, Error *err) {
        NetworkAddress address = { 0 };
        bool dhcp = !strcmp(value, "dhcp");

        if (!dhcp && take_static(options, "ip", AF_INET, value, &address, err) < 0)
                return -1;
        options->dhcp = dhcp;
        options->ip = address;
        return 0;
}

static int take_ip6(NetworkOptions *options, const char *value, Error *err) {
        return take_static(options, "ip6", AF_INET6, value, &options->ip6, err);
}

static int take_mac(NetworkOptions *options, const char *value, Error *err) {
        static const char hint[] = "six pairs of hexadecimal digits, the first one even, such as 02:00:5e:10:20:30";
        uint8_t mac[6];

        if (mac_parse(value, mac) < 0 || (mac[0] & 1) || !memcmp(mac, (uint8_t[6]) { 0 }, sizeof(mac)))
                return not_understood("mac-address", value, hint, err);
        memcpy(options->mac, mac, sizeof(mac));
        options->has_mac = true;
        return 0;
}

/* Digits only, up to @end. */
static const char *number_parse(const char *text, unsigned max, unsigned *ret) {
        unsigned n = 0;

        if (*text < '0' || *text > '9')
                return NULL;
        for (; *text >= '0' && *text <= '9'; text++) {
                n = n * 10 + (unsigned) (*text - '0');
                if (n > max)
                        return NULL;
        }
        *ret = n;
        return text;
}

static int take_mtu(NetworkOptions *options, const char *value, Error *err) {
        unsigned mtu;
        const char *end = number_parse(value, MTU_MAX, &mtu);

        if (!end || *end || mtu < MTU_MIN)
                return not_understood("mtu", value, "bytes, from 68 to 65535", err);
        options->mtu = mtu;
        return 0;
}

static int take_vlan(NetworkOptions *options, const char *value, Error *err) {
        unsigned vlan;
        const char *end = number_parse(value, VLAN_MAX, &vlan);

        if (!end || *end || vlan == 0)
                return not_understood("vlan", value, "a number from 1 to 4094", err);
        options->vlan = vlan;
        return 0;
}

static int list_push(char ***list, const char *option, const char *value, Error *err) {
        if (strv_length(*list) == NETWORK_LIST_MAX)
                return error_set(err, ERROR_INVALID_ARGUMENT, "more than %d --%s", NETWORK_LIST_MAX, option);
        return strv_push(list, value, err);
}

static int take_dns(NetworkOptions *options, const char *value, Error *err) {
        NetworkAddress address;

        if (address_parse(value, 0, false, &address, err) < 0)
                return error_prefix(err, "--dns");
        return list_push(&options->dns, "dns", value, err);
}

static int take_dns_search(NetworkOptions *options, const char *value, Error *err) {
        if (!host_name_valid(value))
                return not_understood("dns-search", value, "a domain, such as example.org", err);
        return list_push(&options->dns_search, "dns-search", value, err);
}

static int take_add_host(NetworkOptions *options, const char *value, Error *err) {
        static const char hint[] = "NAME:ADDRESS, or NAME:host-gateway for the container's gateway";
        const char *colon = strchr(value, ':');
        _cleanup_free_ char *name = NULL;
        NetworkAddress address;

        if (!colon)
                return not_understood("add-host", value, hint, err);
        if (string_format(&name, err, "%.*s", (int) (colon - value), value) < 0)
                return -1;
        if (!host_name_valid(name))
                return not_understood("add-host", value, hint, err);
        if (strcmp(colon + 1, "host-gateway") && address_parse(colon + 1, 0, false, &address, err) < 0) {
                error_hint(err, "%s", hint);
                return error_prefix(err, "--add-host");
        }
        return list_push(&options->add_host, "add-host", value, err);
}

/* The port after the colon. */
static const char *port_parse(const char *text, uint16_t *ret) {
        unsigned n;

        text = number_parse(text, UINT16_MAX, &n);
        if (!text || n == 0)
                return NULL;
        *ret = (uint16_t) n;
        return text;
}

/* "ADDR:" or "[ADDR]:" before the ports; none is fine. */
static const char *host_parse(const char *text, NetworkAddress *ret) {
        bool brackets = text[0] == '[';
        const char *begin = text + brackets, *end = strchr(begin, brackets ? ']' : ':');
        char host[INET6_ADDRSTRLEN];
        size_t len;

        if (brackets && (!end || end[1] != ':'))
                return NULL;
        if (!brackets && (!end || !strchr(end + 1, ':')))
                return text;
        len = (size_t) (end - begin);
        if (len >= sizeof(host))
                return NULL;
        memcpy(host, begin, len);
        host[len] = '\0';
        if (address_parse(host, brackets ? AF_INET6 : AF_INET, false, ret, NULL) < 0)
                return NULL;
        return end + 1 + brackets;
}

static int take_publish(NetworkOptions *options, const char *value, Error *err) {
        static const char hint[] = "[ADDRESS:]HOST:CONTAINER[/tcp|/udp], such as 8080:80 or [::1]:5353:53/udp";
        NetworkPort port = { 0 }, *more;
        const char *p = host_parse(value, &port.host);

        if (p)
                p = port_parse(p, &port.host_port);
        if (p)
                p = *p == ':' ? port_parse(p + 1, &port.container_port) : NULL;
        if (!p || (*p && strcmp(p, "/tcp") && strcmp(p, "/udp")))
                return not_understood("publish", value, hint, err);
        port.udp = !strcmp(p, "/udp");
        if (options->n_ports == NETWORK_LIST_MAX)
                return error_set(err, ERROR_INVALID_ARGUMENT, "more than %d --publish", NETWORK_LIST_MAX);
        more = realloc(options->ports, (options->n_ports + 1) * sizeof(*more));
        if (!more)
                return error_oom(err);
        options->ports = more;
        options->ports[options->n_ports++] = port;
        return 0;
}

static const NetworkOption table[] = {
        { "network", take_network },   { "ip", take_ip },     { "ip6", take_ip6 },   { "gateway", take_gateway },
        { "mac-address", take_mac },   { "mtu", take_mtu },   { "vlan", take_vlan }, { "publish", take_publish },
        { "dns", take_dns },           { "dns-search", take_dns_search },            { "add-host", take_add_host },
};

const NetworkOption *network_option_at(size_t index) {
        return index < ARRAY_SIZE(table) ? &table[index] : NULL;
}

/* Remembers what was given. */
static int remember(NetworkOptions *options, const char *name, const char *value, Error *err) {
        json_t *values;

        if (!options->given && !(options->given = json_object()))
                return error_oom(err);
        values = json_object_get(options->given, name);
        if (!values) {
                values = json_array();
                if (json_object_set_new(options->given, name, values) < 0)
                        return error_oom(err);
        }
        return json_array_append_new(values, json_string(value)) < 0 ? error_oom(err) : 0;
}

int network_option_take(NetworkOptions *options, const char *name, const char *value, Error *err) {
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (!strcmp(table[i].name, name))
                        return table[i].take(options, value, err) < 0 ? -1 : remember(options, name, value, err);
        return error_set(err, ERROR_INVALID_ARGUMENT, "no option about the network is called '%s'", name);
}

/* An option that means nothing in this mode; NULL: none. */
static const char *option_too_much(const NetworkOptions *options) {
        static const char *const everywhere[] = { "network", "dns", "dns-search", "add-host" };
        const char *name;
        json_t *values;

        json_object_foreach(options->given, name, values) {
                bool fits = options->mode == NETWORK_BRIDGE;

                for (size_t i = 0; i < ARRAY_SIZE(everywhere); i++)
                        fits = fits || !strcmp(everywhere[i], name);
                if (!fits)
                        return name;
        }
        return NULL;
}

static int check_gateways(const NetworkOptions *options, Error *err) {
        char text[ADDRESS_TEXT_MAX];

        if (options->gateway.family && !options->ip.family) {
                error_set(err, ERROR_INVALID_ARGUMENT, "gateway %s without --ip: DHCP has one of its own",
                          address_text(&options->gateway, false, text));
                return error_hint(err, "give --ip ADDRESS/PREFIX too, or leave the gateway out");
        }
        if (options->gateway6.family && !options->ip6.family)
                return error_set(err, ERROR_INVALID_ARGUMENT, "gateway %s without --ip6", address_text(&options->gateway6, false, text));
        return 0;
}

static int check_hosts(const NetworkOptions *options, Error *err) {
        for (char **entry = options->add_host; entry && *entry; entry++)
                if (!strcmp(strchr(*entry, ':') + 1, "host-gateway"))
                        return error_set(err, ERROR_INVALID_ARGUMENT, "--add-host '%s': without a network there is no gateway", *entry);
        return 0;
}

static int check_ports(const NetworkOptions *options, Error *err) {
        for (size_t i = 0; i < options->n_ports; i++) {
                const NetworkPort *port = &options->ports[i];
                bool v4 = options->dhcp || options->ip.family, v6 = options->ip6.family;

                if ((port->host.family == AF_INET && !v4) || (port->host.family == AF_INET6 && !v6))
                        return error_set(err, ERROR_INVALID_ARGUMENT, "--publish %u: the container has no IPv%d address", port->host_port,
                                         port->host.family == AF_INET ? 4 : 6);
                if (port->host.family == AF_INET && port->host.bytes[0] == 127) {
                        error_set(err, ERROR_NOT_SUPPORTED, "--publish on 127.0.0.1: the kernel lets no packet leave the loopback device");
                        return error_hint(err, "name another address of the host, or none for all of them");
                }
        }
        return 0;
}

/* From now on it is that bridge, whatever the default becomes. */
static int name_bridge(NetworkOptions *options, const char *bridge, Error *err) {
        char value[sizeof("bridge=") + IF_NAMESIZE];

        if (!device_name_valid(bridge))
                return error_set(err, ERROR_INVALID_CONFIG, "'%s' cannot be the name of a bridge", bridge);
        snprintf(value, sizeof(value), "bridge=%s", bridge);
        (void) json_object_del(options->given, "network");
        return network_option_take(options, "network", value, err);
}

int network_options_check(NetworkOptions *options, const char *bridge, Error *err) {
        const char *name = option_too_much(options);

        if (name) {
                error_set(err, ERROR_INVALID_ARGUMENT, "--%s goes with --network bridge only", name);
                return error_hint(err, "add --network bridge=NAME, with a bridge of the host");
        }
        if (options->mode == NETWORK_NONE && check_hosts(options, err) < 0)
                return -1;
        if (options->mode != NETWORK_BRIDGE)
                return 0;
        if (!options->bridge[0] && name_bridge(options, bridge, err) < 0)
                return -1;
        if (!options->ip.family && !options->ip6.family)
                options->dhcp = true;
        if (check_gateways(options, err) < 0)
                return -1;
        return check_ports(options, err);
}

int network_options_save(int container_fd, const NetworkOptions *options, Error *err) {
        return json_save_at(container_fd, NETWORK_FILE, options->given, 0600, WRITE_DURABLE, err);
}

int network_options_load(int container_fd, NetworkOptions *ret, Error *err) {
        NetworkOptions options = { 0 };
        _cleanup_json_ json_t *json = NULL;
        json_t *values, *value;
        Error e = ERROR_INIT;
        const char *name;
        size_t i;

        if (json_load_at(container_fd, NETWORK_FILE, NETWORK_SIZE_MAX, &json, &e) < 0) {
                if (e.errnum == ENOENT) {
                        *ret = options;
                        return 0;
                }
                if (err)
                        *err = e;
                return -1;
        }
        json_object_foreach(json, name, values)
                json_array_foreach(values, i, value)
                        if (!json_is_string(value) || network_option_take(&options, name, json_string_value(value), err) < 0) {
                                network_options_clear(&options);
                                return error_set(err, ERROR_INVALID_STATE, "'" NETWORK_FILE "': '%s' is not what it was", name);
                        }
        *ret = options;
        return 0;
}
