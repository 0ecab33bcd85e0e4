#pragma once

/*
 * What a container's network needs of rtnetlink, by libmnl. A handle talks to the network namespace that its maker was in, wherever its
 * user is. Source: rtnetlink(7), linux/if_link.h, linux/if_bridge.h
 */

#include <stdbool.h>
#include <stdint.h>

#include "network/network.h"

typedef struct Netlink Netlink;

/** netlink_open() - Errors: FileError */
int netlink_open(Netlink **ret, Error *err);
Netlink *netlink_free(Netlink *netlink);
static inline void netlink_freep(Netlink **netlink) {
        netlink_free(*netlink);
}
/** netlink_fd() - its descriptor, for a process that closes all others; borrowed */
int netlink_fd(const Netlink *netlink);

typedef struct Link {
        int index;
        unsigned mtu;
        bool is_bridge, is_up;
        int vlan_filtering; /* of a bridge; -1: this kernel has none */
        uint8_t mac[6];
} Link;

/** link_find() - a device by name. Errors: FileError with ENODEV when there is none */
int link_find(Netlink *netlink, const char *name, Link *ret, Error *err);

typedef struct Veth {
        const char *name; /* of the end that is here */
        const uint8_t *mac;
        unsigned mtu;
        int bridge;       /* index of the bridge it becomes a port of */
        const char *peer_name;
        const uint8_t *peer_mac;
        unsigned peer_mtu;
        int peer_namespace; /* descriptor */
} Veth;

/** veth_create() - both ends at once, this one on its bridge, neither up. Errors: FileError (EEXIST: the name is taken), NotSupported */
int veth_create(Netlink *netlink, const Veth *veth, Error *err);
/** link_remove() - none of that name is success */
int link_remove(Netlink *netlink, const char *name, Error *err);
int link_up(Netlink *netlink, int index, Error *err);
int address_add(Netlink *netlink, int index, const NetworkAddress *address, Error *err);
/** address_remove() - none is success */
int address_remove(Netlink *netlink, int index, const NetworkAddress *address, Error *err);
/** address_exists() - whether a device of this namespace has the address, whatever its prefix */
int address_exists(Netlink *netlink, const NetworkAddress *address, bool *ret, Error *err);
/** gateway_add() - the default route; replaced when there is one */
int gateway_add(Netlink *netlink, int index, const NetworkAddress *gateway, Error *err);
/**
 * link_move() - to another network namespace, under a name, which may be a template, and a number there
 *
 * Errors: FileError (EEXIST: the name is taken there; EBUSY: the number is; EINVAL: the device belongs to its namespace)
 */
int link_move(Netlink *netlink, int index, int netns_fd, const char *name, int new_index, Error *err);

/** An address as the kernel has it, to be given to a device again */
typedef struct SavedAddress {
        uint8_t family, prefix;
        uint32_t flags;    /* IFA_F_* */
        uint32_t priority; /* of its route; 0: none */
        bool has_local, has_broadcast;
        uint8_t address[16], local[16], broadcast[16];
} SavedAddress;

/** addresses_save() - a device's permanent addresses of global scope. @ret: free(). Errors: FileError, NotSupported (too many), OutOfMemory */
int addresses_save(Netlink *netlink, int index, SavedAddress **ret, size_t *ret_n, Error *err);
int address_restore(Netlink *netlink, int index, const SavedAddress *address, Error *err);
/** port_hairpin_set() - let a bridge's port get back what came in by it: a container that asks for a port it publishes itself */
int port_hairpin_set(Netlink *netlink, int index, Error *err);
/** port_vlan_set() - the one VLAN of a bridge's port, untagged, in place of the bridge's default one */
int port_vlan_set(Netlink *netlink, int index, unsigned vlan, Error *err);
