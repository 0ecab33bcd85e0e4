/* Making a container's network, and taking it away by what is on disk. */

#include "network/create.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "network/lease.h"
#include "network/netns.h"
#include "network/rtnetlink.h"

#define LOOPBACK "lo"

/* FNV-1a, 64 bits: tells roots and ids apart, guards nothing. */
static uint64_t hash_add(uint64_t hash, const char *text) {
        do
                hash = (hash ^ (unsigned char) *text) * 1099511628211u;
        while (*text++);
        return hash;
}

/* Names and addresses that a container has whenever it is started. */
static void name_it(const NetworkRequest *request, NetworkRecord *record) {
        uint64_t hash = hash_add(hash_add(14695981039346656037u, request->root), request->id);

        snprintf(record->veth, sizeof(record->veth), "lx%012llx", (unsigned long long) (hash & 0xffffffffffff));
        if (request->options->has_mac) {
                memcpy(record->mac, request->options->mac, sizeof(record->mac));
                return;
        }
        record->mac[0] = 0x02; /* administered locally, for one device: IEEE 802 */
        for (size_t i = 1; i < sizeof(record->mac); i++)
                record->mac[i] = (uint8_t) (hash >> (8 * i));
}

static int find_bridge(Netlink *host, const char *name, Link *ret, Error *err) {
        Error e = ERROR_INIT;

        if (link_find(host, name, ret, &e) < 0) {
                if (e.errnum != ENODEV) {
                        if (err)
                                *err = e;
                        return -1;
                }
                error_set(err, ERROR_INVALID_ARGUMENT, "the host has no bridge '%s'", name);
                return error_hint(err, "name one that is there by --network bridge=NAME ('ip link show type bridge' lists them)");
        }
        if (!ret->is_bridge) {
                error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is a network device of the host, but no bridge", name);
                return error_hint(err, "'ip link show type bridge' lists those that are");
        }
        return 0;
}

static int check_vlan(const Link *bridge, const char *name, Error *err) {
        if (bridge->vlan_filtering > 0)
                return 0;
        if (bridge->vlan_filtering < 0)
                return error_set(err, ERROR_NOT_SUPPORTED, "--vlan: this kernel's bridges know no VLANs (CONFIG_BRIDGE_VLAN_FILTERING)");
        error_set(err, ERROR_NOT_SUPPORTED, "--vlan: the bridge '%s' does not filter VLANs", name);
        return error_hint(err, "'ip link set %s type bridge vlan_filtering 1' makes it; in Proxmox VE: bridge-vlan-aware yes", name);
}

/*
 * Both ends. The host's has the bridge's MTU, so that the bridge does not take a smaller one over, and a high address, because a bridge
 * takes the lowest of its ports' for its own.
 */
static int connect_to(Netlink *host, const Link *bridge, const NetworkRecord *record, int netns, Error *err) {
        uint8_t host_mac[6];
        Veth veth = {
                .name = record->veth,
                .mac = host_mac,
                .mtu = bridge->mtu,
                .bridge = bridge->index,
                .peer_name = NETWORK_DEVICE,
                .peer_mac = record->mac,
                .peer_mtu = record->mtu,
                .peer_namespace = netns,
        };
        Link port;

        memcpy(host_mac, record->mac, sizeof(host_mac));
        host_mac[0] = 0xfe;
        if (veth_create(host, &veth, err) < 0)
                return -1;
        if (fault_point("network.veth", err) < 0 || link_find(host, record->veth, &port, err) < 0)
                return -1;
        if (record->published && port_hairpin_set(host, port.index, err) < 0)
                return error_prefix(err, "bridge '%s'", record->bridge);
        if (record->vlan && port_vlan_set(host, port.index, record->vlan, err) < 0)
                return error_prefix(err, "bridge '%s'", record->bridge);
        return link_up(host, port.index, err);
}

static int open_inside(void *userdata, Error *err) {
        return netlink_open(userdata, err);
}

static int link_up_named(Netlink *netlink, const char *name, int *ret_index, Error *err) {
        Link link;

        if (link_find(netlink, name, &link, err) < 0 || link_up(netlink, link.index, err) < 0)
                return -1;
        *ret_index = link.index;
        return 0;
}

static int set_address(Netlink *inside, int index, const NetworkAddress *address, const NetworkAddress *gateway, Error *err) {
        if (address->family && address_add(inside, index, address, err) < 0)
                return -1;
        return gateway->family ? gateway_add(inside, index, gateway, err) : 0;
}

static int keep_namespaces(const NetworkRequest *request, int netns, int userns, Error *err) {
        _cleanup_close_ int own = -EBADF;

        if (netns_open_own(&own, err) < 0 || nsfs_keep(own, request->dir_fd, request->dir_path, NETWORK_HOSTNS, err) < 0 ||
            nsfs_keep(netns, request->dir_fd, request->dir_path, NETWORK_NETNS, err) < 0)
                return -1;
        return userns >= 0 ? nsfs_keep(userns, request->dir_fd, request->dir_path, NETWORK_USERNS, err) : 0;
}

static int configure_inside(const NetworkRequest *request, int netns, NetworkRecord *record, Error *err) {
        _cleanup_(netlink_freep) Netlink *inside = NULL;
        const NetworkOptions *options = request->options;
        int index;

        if (netns_call(netns, open_inside, &inside, err) < 0 || link_up_named(inside, LOOPBACK, &index, err) < 0 ||
            link_up_named(inside, NETWORK_DEVICE, &index, err) < 0)
                return -1;
        record->ip = options->ip;
        record->ip6 = options->ip6;
        record->gateway = options->gateway;
        record->gateway6 = options->gateway6;
        if (set_address(inside, index, &record->ip, &record->gateway, err) < 0)
                return -1;
        return set_address(inside, index, &record->ip6, &record->gateway6, err);
}

static int take_lease(const NetworkRequest *request, int netns, NetworkRecord *record, Error *err) {
        LeaseRequest lease = {
                .dir_fd = request->dir_fd,
                .netns = netns,
                .hostname = request->hostname,
                .pinned = request->options->n_ports > 0,
                .timeout = request->dhcp_timeout,
                .interrupted = request->interrupted,
        };
        char text[ADDRESS_TEXT_MAX];
        NetworkAddress server;
        DhcpAnswer answer;

        memcpy(lease.mac, record->mac, sizeof(lease.mac));
        if (lease_acquire(&lease, &answer, err) < 0)
                return -1;
        record->dhcp = true;
        record->ip = address_of_word(answer.address, answer.prefix);
        if (answer.router)
                record->gateway = address_of_word(answer.router, 32);
        for (size_t i = 0; i < answer.n_name_servers; i++) {
                server = address_of_word(answer.name_servers[i], 32);
                if (strv_push(&record->dns, address_text(&server, false, text), err) < 0)
                        return -1;
        }
        return answer.domain[0] ? strv_push(&record->dns_search, answer.domain, err) : 0;
}

static int note_port(NetworkRecord *record, const NetworkPort *port, Error *err) {
        _cleanup_free_ char *text = NULL;
        char host[ADDRESS_TEXT_MAX];

        if (string_format(&text, err, port->host.family == AF_INET6 ? "[%s]:%u:%u/%s" : "%s:%u:%u/%s",
                          port->host.family ? address_text(&port->host, false, host) : "*", port->host_port, port->container_port,
                          port->udp ? "udp" : "tcp") < 0)
                return -1;
        return strv_push(&record->ports, text, err);
}

/*
 * A container whose gateway is this host sends its answers back through it, and so may see who asks. Others would answer past the host, and
 * the client would hear from a stranger.
 */
static int publish_ports(const NetworkRequest *request, Netlink *host, NetworkRecord *record, Error *err) {
        const FirewallModule *firewall = firewall_module(err);
        const NetworkOptions *options = request->options;
        bool v4 = true, v6 = true;

        if (!firewall)
                return -1;
        if (record->ip.family && (v4 = record->gateway.family != 0) && address_exists(host, &record->gateway, &v4, err) < 0)
                return -1;
        if (record->ip6.family && (v6 = record->gateway6.family != 0) && address_exists(host, &record->gateway6, &v6, err) < 0)
                return -1;
        for (size_t i = 0; i < options->n_ports; i++)
                if (note_port(record, &options->ports[i], err) < 0)
                        return -1;
        if (firewall->publish(record->veth, options->ports, options->n_ports, &record->ip, &record->ip6, !v4 || !v6, err) < 0)
                return -1;
        return fault_point("network.firewall", err);
}

static int record_new(const NetworkRequest *request, const Link *bridge, NetworkRecord **ret, Error *err) {
        NetworkRecord *record = calloc(1, sizeof(*record));

        if (!record)
                return error_oom(err);
        name_it(request, record);
        snprintf(record->bridge, sizeof(record->bridge), "%s", request->options->bridge);
        record->mtu = request->options->mtu ?: bridge->mtu;
        record->vlan = request->options->vlan;
        record->published = request->options->n_ports > 0;
        *ret = record;
        return 0;
}

int network_create(const NetworkRequest *request, NetworkRecord **ret, Error *err) {
        _cleanup_(network_record_freep) NetworkRecord *record = NULL;
        _cleanup_(netlink_freep) Netlink *host = NULL;
        _cleanup_close_ int netns = -EBADF, userns = -EBADF;
        Link bridge;

        if (netlink_open(&host, err) < 0 || find_bridge(host, request->options->bridge, &bridge, err) < 0 ||
            (request->options->vlan && check_vlan(&bridge, request->options->bridge, err) < 0) ||
            record_new(request, &bridge, &record, err) < 0)
                return -1;
        if (network_record_save(request->dir_fd, record, err) < 0 || fault_point("network.record", err) < 0)
                return -1;
        if (netns_make(request->mapping, &netns, &userns, err) < 0 || keep_namespaces(request, netns, userns, err) < 0 ||
            fault_point("network.namespace", err) < 0)
                return -1;
        /* The name is this container's alone: a device that has it is what an undo could not reach. */
        if (link_remove(host, record->veth, err) < 0 || connect_to(host, &bridge, record, netns, err) < 0 ||
            configure_inside(request, netns, record, err) < 0)
                return -1;
        if (request->options->dhcp && take_lease(request, netns, record, err) < 0)
                return error_prefix(err, "bridge '%s'", record->bridge);
        if (record->published && publish_ports(request, host, record, err) < 0)
                return -1;
        record->complete = true;
        if (network_record_save(request->dir_fd, record, err) < 0)
                return -1;
        *ret = TAKE(record);
        return 0;
}

static int remove_from_host(void *userdata, Error *err) {
        const NetworkRecord *record = userdata;
        _cleanup_(netlink_freep) Netlink *host = NULL;

        if (record->published) {
                const FirewallModule *firewall = firewall_module(err);

                if (!firewall || firewall->unpublish(record->veth, err) < 0)
                        return -1;
        }
        if (netlink_open(&host, err) < 0)
                return -1;
        return link_remove(host, record->veth, err);
}

int network_remove(int dir_fd, const char *dir_path, const NetworkRecord *record, Error *err) {
        _cleanup_close_ int host = -EBADF, netns = -EBADF;
        NetworkRecord copy = *record;

        /* Without hostns nothing was made but namespaces. */
        if (nsfs_open(dir_fd, NETWORK_HOSTNS, &host, err) < 0 || nsfs_open(dir_fd, NETWORK_NETNS, &netns, err) < 0 ||
            lease_release(dir_fd, netns, err) < 0)
                return -1;
        if (host >= 0 && netns_call(host, remove_from_host, &copy, err) < 0)
                return -1;
        if (fault_point("network.remove", err) < 0)
                return -1;
        for (const char *const *name = (const char *const[]) { NETWORK_NETNS, NETWORK_USERNS, NETWORK_HOSTNS, NULL }; *name; name++)
                if (nsfs_drop(dir_fd, dir_path, *name, err) < 0)
                        return -1;
        if (unlinkat(dir_fd, NETWORK_FILE, 0) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove '%s/" NETWORK_FILE "'", dir_path);
        return 0;
}
