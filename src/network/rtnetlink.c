/* Devices, addresses and routes by rtnetlink. */

#include "network/rtnetlink.h"

#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>

#include "base/cleanup.h"

#define MESSAGE_MAX  2048      /* bytes of a request of ours, which are of a few hundred */
#define ANSWER_MAX   (1 << 16) /* bytes; more than the kernel puts into one datagram (32 KiB) */
#define ADDRESSES_MAX 1024     /* of one device that is moved; this program's own cap */
#define VLAN_DEFAULT 1         /* what a bridge gives each new port unless told; ip-link(8), vlan_default_pvid */

struct Netlink {
        struct mnl_socket *socket;
        unsigned sequence;
        char answer[ANSWER_MAX];
};

int netlink_open(Netlink **ret, Error *err) {
        _cleanup_(netlink_freep) Netlink *netlink = calloc(1, sizeof(*netlink));
        int one = 1;

        if (!netlink)
                return error_oom(err);
        netlink->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
        if (!netlink->socket || mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open a netlink socket");
        /* The kernel's own words about a failure, and without our request in the answer. */
        (void) mnl_socket_setsockopt(netlink->socket, NETLINK_EXT_ACK, &one, sizeof(one));
        (void) mnl_socket_setsockopt(netlink->socket, NETLINK_CAP_ACK, &one, sizeof(one));
        *ret = TAKE(netlink);
        return 0;
}

Netlink *netlink_free(Netlink *netlink) {
        if (!netlink)
                return NULL;
        if (netlink->socket)
                (void) mnl_socket_close(netlink->socket);
        free(netlink);
        return NULL;
}

int netlink_fd(const Netlink *netlink) {
        return mnl_socket_get_fd(netlink->socket);
}

static struct nlmsghdr *message_begin(Netlink *netlink, char buffer[MESSAGE_MAX], uint16_t type, uint16_t flags) {
        struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

        message->nlmsg_type = type;
        message->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags);
        message->nlmsg_seq = ++netlink->sequence;
        return message;
}

/*
 * Sends a request and takes its answers. Returns 0, or a negative errno: the kernel's own about the request too.
 * @callback: for what is not the acknowledgement; may be NULL
 */
static int exchange(Netlink *netlink, struct nlmsghdr *message, mnl_cb_t callback, void *userdata) {
        unsigned port = mnl_socket_get_portid(netlink->socket);

        if (mnl_socket_sendto(netlink->socket, message, message->nlmsg_len) < 0)
                return -errno;
        for (;;) {
                ssize_t n = mnl_socket_recvfrom(netlink->socket, netlink->answer, sizeof(netlink->answer));
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                r = mnl_cb_run(netlink->answer, (size_t) n, message->nlmsg_seq, port, callback, userdata);
                if (r < 0)
                        return -errno;
                if (r == MNL_CB_STOP)
                        return 0;
        }
}

/* A request that is only acknowledged. */
static int request(Netlink *netlink, struct nlmsghdr *message) {
        message->nlmsg_flags |= NLM_F_ACK;
        return exchange(netlink, message, NULL, NULL);
}

static int attribute_of(const struct nlattr *attribute, uint16_t type, const struct nlattr **ret) {
        if (mnl_attr_get_type(attribute) == type)
                *ret = attribute;
        return MNL_CB_OK;
}

/* The attribute of a type within a nested one; NULL: none. */
static const struct nlattr *nested_find(const struct nlattr *nest, uint16_t type) {
        const struct nlattr *attribute, *found = NULL;

        if (!nest)
                return NULL;
        mnl_attr_for_each_nested(attribute, nest)
                (void) attribute_of(attribute, type, &found);
        return found;
}

static int take_link(const struct nlmsghdr *message, void *userdata) {
        const struct nlattr *attribute, *info = NULL, *mtu = NULL, *mac = NULL, *kind, *data, *filtering;
        const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
        Link *link = userdata;

        mnl_attr_for_each(attribute, message, sizeof(*header)) {
                (void) attribute_of(attribute, IFLA_LINKINFO, &info);
                (void) attribute_of(attribute, IFLA_MTU, &mtu);
                (void) attribute_of(attribute, IFLA_ADDRESS, &mac);
        }
        kind = nested_find(info, IFLA_INFO_KIND);
        data = nested_find(info, IFLA_INFO_DATA);
        /* A kernel without VLANs says 0 there too, but has no default for them. */
        filtering = nested_find(data, IFLA_BR_VLAN_DEFAULT_PVID) ? nested_find(data, IFLA_BR_VLAN_FILTERING) : NULL;
        *link = (Link) {
                .index = header->ifi_index,
                .mtu = mtu ? mnl_attr_get_u32(mtu) : 0,
                .is_up = header->ifi_flags & IFF_UP,
                .is_bridge = kind && !strcmp(mnl_attr_get_str(kind), "bridge"),
                .vlan_filtering = filtering ? mnl_attr_get_u8(filtering) : -1,
        };
        if (mac && mnl_attr_get_payload_len(mac) == sizeof(link->mac))
                memcpy(link->mac, mnl_attr_get_payload(mac), sizeof(link->mac));
        return MNL_CB_OK;
}

int link_find(Netlink *netlink, const char *name, Link *ret, Error *err) {
        char buffer[MESSAGE_MAX];
        struct nlmsghdr *message = message_begin(netlink, buffer, RTM_GETLINK, NLM_F_ACK);
        int r;

        (void) mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
        mnl_attr_put_strz(message, IFLA_IFNAME, name);
        r = exchange(netlink, message, take_link, ret);
        return r < 0 ? error_set_errno(err, ERROR_FILE, -r, "network device '%s'", name) : 0;
}

static void put_device(struct nlmsghdr *message, const char *name, const uint8_t *mac, unsigned mtu) {
        mnl_attr_put_strz(message, IFLA_IFNAME, name);
        mnl_attr_put(message, IFLA_ADDRESS, 6, mac);
        mnl_attr_put_u32(message, IFLA_MTU, mtu);
}

int veth_create(Netlink *netlink, const Veth *veth, Error *err) {
        char buffer[MESSAGE_MAX];
        struct nlmsghdr *message = message_begin(netlink, buffer, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
        struct nlattr *info, *data, *peer;
        int r;

        (void) mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
        put_device(message, veth->name, veth->mac, veth->mtu);
        mnl_attr_put_u32(message, IFLA_MASTER, (uint32_t) veth->bridge);
        info = mnl_attr_nest_start(message, IFLA_LINKINFO);
        mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
        data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
        peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
        (void) mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
        put_device(message, veth->peer_name, veth->peer_mac, veth->peer_mtu);
        mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t) veth->peer_namespace);
        mnl_attr_nest_end(message, peer);
        mnl_attr_nest_end(message, data);
        mnl_attr_nest_end(message, info);
        r = request(netlink, message);
        if (r == -EOPNOTSUPP)
                return error_set_errno(err, ERROR_NOT_SUPPORTED, -r, "make a veth: this kernel has none");
        return r < 0 ? error_set_errno(err, ERROR_FILE, -r, "make the veth '%s'", veth->name) : 0;
}

int link_remove(Netlink *netlink, const char *name, Error *err) {
        char buffer[MESSAGE_MAX];
        struct nlmsghdr *message = message_begin(netlink, buffer, RTM_DELLINK, 0);
        int r;

        (void) mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
        mnl_attr_put_strz(message, IFLA_IFNAME, name);
        r = request(netlink, message);
        return r < 0 && r != -ENODEV ? error_set_errno(err, ERROR_FILE, -r, "remove the network device '%s'", name) : 0;
}

int link_up(Netlink *netlink, int index, Error *err) {
        char buffer[MESSAGE_MAX];
        struct nlmsghdr *message = message_begin(netlink, buffer, RTM_NEWLINK, 0);
        struct ifinfomsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
        int r;

        header->ifi_index = index;
        header->ifi_change = header->ifi_flags = IFF_UP;
        r = request(netlink, message);
        return r < 0 ? error_set_errno(err, ERROR_FILE, -r, "set network device %d up", index) : 0;
}

/* Broadcast is the network's last address, as ip(8) and DHCP clients set it; networks of one or two addresses have none. */
static void put_broadcast(struct nlmsghdr *message, const NetworkAddress *address) {
        uint32_t bits;

        if (address->family != AF_INET || address->prefix > 30)
                return;
        memcpy(&bits, address->bytes, sizeof(bits));
        bits |= __builtin_bswap32(UINT32_MAX >> address->prefix);
        mnl_attr_put(message, IFA_BROADCAST, sizeof(bits), &bits);
}

static struct nlmsghdr *address_message(Netlink *netlink, char buffer[MESSAGE_MAX], uint16_t type, uint16_t flags, int index,
                                        const NetworkAddress *address) {
        struct nlmsghdr *message = message_begin(netlink, buffer, type, flags);
        struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

        header->ifa_family = (uint8_t) address->family;
        header->ifa_prefixlen = address->prefix;
        header->ifa_index = (uint32_t) index;
        mnl_attr_put(message, IFA_LOCAL, address_size(address), address->bytes);
        return message;
}

int address_add(Netlink *netlink, int index, const NetworkAddress *address, Error *err) {
        char buffer[MESSAGE_MAX], text[ADDRESS_TEXT_MAX];
        struct nlmsghdr *message = address_message(netlink, buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, address);
        int r;

        mnl_attr_put(message, IFA_ADDRESS, address_size(address), address->bytes);
        put_broadcast(message, address);
        /* No waiting for others to object: the process is to find its address usable. */
        if (address->family == AF_INET6)
                mnl_attr_put_u32(message, IFA_FLAGS, IFA_F_NODAD);
        r = request(netlink, message);
        return r < 0 ? error_set_errno(err, ERROR_FILE, -r, "set address %s", address_text(address, true, text)) : 0;
}

int address_remove(Netlink *netlink, int index, const NetworkAddress *address, Error *err) {
        char buffer[MESSAGE_MAX], text[ADDRESS_TEXT_MAX];
        int r = request(netlink, address_message(netlink, buffer, RTM_DELADDR, 0, index, address));

        if (r == 0 || r == -EADDRNOTAVAIL)
                return 0;
        return error_set_errno(err, ERROR_FILE, -r, "remove address %s", address_text(address, true, text));
}

typedef struct AddressSearch {
        const NetworkAddress *address;
        bool found;
} AddressSearch;

static int compare_address(const struct nlmsghdr *message, void *userdata) {
        const struct nlattr *attribute, *address = NULL, *local = NULL;
        AddressSearch *search = userdata;
        size_t size = address_size(search->address);

        mnl_attr_for_each(attribute, message, sizeof(struct ifaddrmsg)) {
                (void) attribute_of(attribute, IFA_ADDRESS, &address);
                (void) attribute_of(attribute, IFA_LOCAL, &local);
        }
        address = local ?: address;
        if (address && mnl_attr_get_payload_len(address) == size && !memcmp(mnl_attr_get_payload(address), search->address->bytes, size))
                search->found = true;
        return MNL_CB_OK;
}

int address_exists(Netlink *netlink, const NetworkAddress *address, bool *ret, Error *err) {
        char buffer[MESSAGE_MAX];
        struct nlmsghdr *message = message_begin(netlink, buffer, RTM_GETADDR, NLM_F_DUMP);
        struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
        AddressSearch search = { .address = address };
        int r;

        header->ifa_family = (uint8_t) address->family;
        r = exchange(netlink, message, compare_address, &search);
        if (r < 0)
                return error_set_errno(err, ERROR_FILE, -r, "list the addresses of the host");
        *ret = search.found;
        return 0;
}

int link_move(Netlink *netlink, int index, int netns_fd, const char *name, int new_index, Error *err) {
        char buffer[MESSAGE_MAX];
        struct nlmsghdr *message = message_begin(netlink, buffer, RTM_NEWLINK, 0);
        struct ifinfomsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
        int r;

        header->ifi_index = index;
        mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t) netns_fd);
        mnl_attr_put_strz(message, IFLA_IFNAME, name);
        mnl_attr_put_u32(message, IFLA_NEW_IFINDEX, (uint32_t) new_index);
        r = request(netlink, message);
        return r < 0 ? error_set_errno(err, ERROR_FILE, -r, "move it to another network namespace as '%s'", name) : 0;
}

typedef struct AddressList {
        int index;
        SavedAddress *all;
        size_t n;
        int failure; /* errno */
} AddressList;

static bool take_bytes(const struct nlattr *attribute, size_t size, uint8_t *ret) {
        if (!attribute || mnl_attr_get_payload_len(attribute) != size)
                return false;
        memcpy(ret, mnl_attr_get_payload(attribute), size);
        return true;
}

static int save_address(const struct nlmsghdr *message, void *userdata) {
        const struct nlattr *attribute, *address = NULL, *local = NULL, *broadcast = NULL, *flags = NULL, *priority = NULL;
        const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
        size_t size = header->ifa_family == AF_INET ? 4 : 16;
        AddressList *list = userdata;
        SavedAddress one = { .family = header->ifa_family, .prefix = header->ifa_prefixlen };

        mnl_attr_for_each(attribute, message, sizeof(*header)) {
                (void) attribute_of(attribute, IFA_ADDRESS, &address);
                (void) attribute_of(attribute, IFA_LOCAL, &local);
                (void) attribute_of(attribute, IFA_BROADCAST, &broadcast);
                (void) attribute_of(attribute, IFA_FLAGS, &flags);
                (void) attribute_of(attribute, IFA_RT_PRIORITY, &priority);
        }
        one.flags = flags ? mnl_attr_get_u32(flags) : header->ifa_flags;
        one.priority = priority ? mnl_attr_get_u32(priority) : 0;
        if ((int) header->ifa_index != list->index || header->ifa_scope != RT_SCOPE_UNIVERSE || !(one.flags & IFA_F_PERMANENT) ||
            (header->ifa_family != AF_INET && header->ifa_family != AF_INET6) || !take_bytes(address, size, one.address))
                return MNL_CB_OK;
        one.has_local = take_bytes(local, size, one.local);
        one.has_broadcast = take_bytes(broadcast, size, one.broadcast);
        if (list->n == ADDRESSES_MAX)
                list->failure = E2BIG;
        else
                list->all[list->n++] = one;
        return MNL_CB_OK;
}

int addresses_save(Netlink *netlink, int index, SavedAddress **ret, size_t *ret_n, Error *err) {
        char buffer[MESSAGE_MAX];
        struct nlmsghdr *message = message_begin(netlink, buffer, RTM_GETADDR, NLM_F_DUMP);
        _cleanup_free_ SavedAddress *all = calloc(ADDRESSES_MAX, sizeof(*all));
        AddressList list = { .index = index, .all = all };
        int r;

        if (!all)
                return error_oom(err);
        (void) mnl_nlmsg_put_extra_header(message, sizeof(struct ifaddrmsg));
        r = exchange(netlink, message, save_address, &list);
        if (r < 0)
                return error_set_errno(err, ERROR_FILE, -r, "list its addresses");
        if (list.failure)
                return error_set_errno(err, ERROR_NOT_SUPPORTED, list.failure, "it has more than %d addresses", ADDRESSES_MAX);
        *ret = TAKE(all);
        *ret_n = list.n;
        return 0;
}

int address_restore(Netlink *netlink, int index, const SavedAddress *address, Error *err) {
        const uint32_t kept = IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;
        char buffer[MESSAGE_MAX];
        struct nlmsghdr *message = message_begin(netlink, buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE);
        struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
        size_t size = address->family == AF_INET ? 4 : 16;
        int r;

        header->ifa_family = address->family;
        header->ifa_prefixlen = address->prefix;
        header->ifa_index = (uint32_t) index;
        mnl_attr_put(message, IFA_ADDRESS, size, address->address);
        if (address->has_local)
                mnl_attr_put(message, IFA_LOCAL, size, address->local);
        if (address->has_broadcast)
                mnl_attr_put(message, IFA_BROADCAST, size, address->broadcast);
        if (address->priority)
                mnl_attr_put_u32(message, IFA_RT_PRIORITY, address->priority);
        mnl_attr_put_u32(message, IFA_FLAGS, address->flags & kept);
        r = request(netlink, message);
        return r < 0 ? error_set_errno(err, ERROR_FILE, -r, "give it back an address") : 0;
}

int gateway_add(Netlink *netlink, int index, const NetworkAddress *gateway, Error *err) {
        char buffer[MESSAGE_MAX], text[ADDRESS_TEXT_MAX];
        struct nlmsghdr *message = message_begin(netlink, buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
        struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
        int r;

        header->rtm_family = (uint8_t) gateway->family;
        header->rtm_table = RT_TABLE_MAIN;
        header->rtm_protocol = RTPROT_STATIC;
        header->rtm_scope = RT_SCOPE_UNIVERSE;
        header->rtm_type = RTN_UNICAST;
        header->rtm_flags = RTNH_F_ONLINK; /* it may be outside of the address's own network, as hosters have it */
        mnl_attr_put(message, RTA_GATEWAY, address_size(gateway), gateway->bytes);
        mnl_attr_put_u32(message, RTA_OIF, (uint32_t) index);
        r = request(netlink, message);
        return r < 0 ? error_set_errno(err, ERROR_FILE, -r, "set gateway %s", address_text(gateway, false, text)) : 0;
}

/* A message about a bridge's port. */
static struct nlmsghdr *port_message(Netlink *netlink, char buffer[MESSAGE_MAX], uint16_t type, int index) {
        struct nlmsghdr *message = message_begin(netlink, buffer, type, 0);
        struct ifinfomsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

        header->ifi_family = AF_BRIDGE;
        header->ifi_index = index;
        return message;
}

int port_hairpin_set(Netlink *netlink, int index, Error *err) {
        char buffer[MESSAGE_MAX];
        struct nlmsghdr *message = port_message(netlink, buffer, RTM_SETLINK, index);
        struct nlattr *nest = mnl_attr_nest_start(message, IFLA_PROTINFO);
        int r;

        mnl_attr_put_u8(message, IFLA_BRPORT_MODE, 1);
        mnl_attr_nest_end(message, nest);
        r = request(netlink, message);
        return r < 0 ? error_set_errno(err, ERROR_FILE, -r, "set up the bridge's port") : 0;
}

static int port_vlan(Netlink *netlink, uint16_t type, int index, unsigned vlan, uint16_t flags) {
        char buffer[MESSAGE_MAX];
        struct nlmsghdr *message = port_message(netlink, buffer, type, index);
        const struct bridge_vlan_info info = { .flags = flags, .vid = (uint16_t) vlan };
        struct nlattr *nest = mnl_attr_nest_start(message, IFLA_AF_SPEC);

        mnl_attr_put(message, IFLA_BRIDGE_VLAN_INFO, sizeof(info), &info);
        mnl_attr_nest_end(message, nest);
        return request(netlink, message);
}

int port_vlan_set(Netlink *netlink, int index, unsigned vlan, Error *err) {
        int r = port_vlan(netlink, RTM_SETLINK, index, vlan, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);

        if (r >= 0 && vlan != VLAN_DEFAULT)
                r = port_vlan(netlink, RTM_DELLINK, index, VLAN_DEFAULT, 0);
        return r < 0 && r != -ENOENT ? error_set_errno(err, ERROR_FILE, -r, "set VLAN %u", vlan) : 0;
}
