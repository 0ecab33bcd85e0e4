#pragma once

/*
 * The network of a container: a network namespace that we make and hand by path to whatever runtime there is, with one end of a veth in it
 * and the other on a bridge of the host.
 *
 * Options and records are in the program; what talks to the kernel is in the module "network" (libmnl), and the rules of published ports in
 * "firewall" (libnftables). In ROOT/ID/:
 *
 *   network.json     NetworkRecord, written before the first effect: undo works from it alone
 *   netns, hostns    the container's network namespace and the host's as bind mounts; with a user namespace also userns, which owns netns
 *   lease.json       LeaseRecord, of a container that has its address by DHCP
 */

#include <jansson.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/process.h"
#include "oci/id-mapping.h"

#define NETWORK_FILE     "network.json" /* in ROOT/ID: the record; in containers/ID: the options, for a later start */
#define NETWORK_NETNS    "netns"
#define NETWORK_HOSTNS   "hostns"
#define NETWORK_USERNS   "userns"
#define NETWORK_DEVICE   "eth0" /* what the container's end is called inside */
#define NETWORK_SIZE_MAX (1u << 20) /* bytes of either file; this program's own cap */
#define NETWORK_LIST_MAX 128 /* ports, name servers, search domains or names for one container; this program's own cap */

/** An IPv4 or IPv6 address, with the length of its network's prefix where that is meant */
typedef struct NetworkAddress {
        int family;        /* AF_INET, AF_INET6; 0: none */
        uint8_t bytes[16]; /* the first 4 of IPv4 */
        uint8_t prefix;
} NetworkAddress;

#define ADDRESS_TEXT_MAX 56 /* bytes of "ADDRESS/PREFIX" with the NUL */

/** address_parse() - "ADDR", or with @prefix "ADDR/N". @family: 0 takes either. Errors: InvalidArgument */
int address_parse(const char *text, int family, bool prefix, NetworkAddress *ret, Error *err);
/** address_text() - @prefix: with "/N" */
const char *address_text(const NetworkAddress *address, bool prefix, char ret[ADDRESS_TEXT_MAX]);
/** address_size() - bytes: 4, 16, or 0 for none */
static inline size_t address_size(const NetworkAddress *address) {
        return address->family == 0 ? 0 : address->family == AF_INET ? 4 : 16;
}
/** address_same_network() - whether @other is in the network of @address */
bool address_same_network(const NetworkAddress *address, const NetworkAddress *other);

#define MAC_TEXT_MAX 18 /* bytes with the NUL */
/** mac_parse() - six pairs of hexadecimal digits with colons between. Returns: 0, or -1 for anything else */
int mac_parse(const char *text, uint8_t ret[6]);
const char *mac_text(const uint8_t mac[6], char ret[MAC_TEXT_MAX]);

typedef struct NetworkPort {
        bool udp;
        NetworkAddress host; /* family 0: every address of the host */
        uint16_t host_port, container_port;
} NetworkPort;

typedef enum NetworkMode {
        NETWORK_NONE, /* a namespace of its own with nothing in it but lo */
        NETWORK_HOST, /* the host's */
        NETWORK_BRIDGE,
} NetworkMode;

/** What the user asked for. Zero is NETWORK_NONE, without anything */
typedef struct NetworkOptions {
        NetworkMode mode;
        char bridge[IF_NAMESIZE];
        bool dhcp; /* asked for, or the default of a bridge without --ip and --ip6, see network_options_check() */
        NetworkAddress ip, ip6, gateway, gateway6;
        bool has_mac;
        uint8_t mac[6];
        unsigned mtu;  /* 0: the bridge's */
        unsigned vlan; /* 0: none */
        NetworkPort *ports;
        size_t n_ports;
        char **dns, **dns_search, **add_host; /* "ADDR", "DOMAIN", "NAME:ADDR" */
        json_t *given; /* {"OPTION": ["VALUE", …]}: the options as they were given, which network_options_load() takes again */
} NetworkOptions;

void network_options_clear(NetworkOptions *options);

/** One option: its name without "--", and what takes its value */
typedef struct NetworkOption {
        const char *name;
        int (*take)(NetworkOptions *options, const char *value, Error *err);
} NetworkOption;

/** network_option_take() - take the value of an option by name ("ip", "publish", …). Errors: InvalidArgument */
int network_option_take(NetworkOptions *options, const char *name, const char *value, Error *err);
/** network_option_at() - the table of them; NULL past the end */
const NetworkOption *network_option_at(size_t index);

/**
 * network_options_check() - combinations, and the defaults that depend on others
 * @bridge: for a bridge without a name
 *
 * Errors: InvalidArgument, with a hint
 */
int network_options_check(NetworkOptions *options, const char *bridge, Error *err);

/** network_options_save(), network_options_load() - containers/ID/network.json. Load: options are empty when there is none; network_options_clear() */
int network_options_save(int container_fd, const NetworkOptions *options, Error *err);
int network_options_load(int container_fd, NetworkOptions *ret, Error *err);

/** What was made, or is about to be */
typedef struct NetworkRecord {
        char veth[IF_NAMESIZE]; /* host's end; it also marks what is the container's among the firewall's rules */
        char bridge[IF_NAMESIZE];
        uint8_t mac[6];
        bool published;         /* the firewall has rules of it */
        bool complete;          /* what follows holds */
        bool dhcp;              /* ip and gateway are a lease's, as of the start */
        unsigned mtu, vlan;
        NetworkAddress ip, ip6, gateway, gateway6;
        char **dns, **dns_search;
        char **ports;           /* "ADDRESS:HOST:CONTAINER/tcp", for people; "*" for every address */
} NetworkRecord;

NetworkRecord *network_record_free(NetworkRecord *record);
static inline void network_record_freep(NetworkRecord **record) {
        network_record_free(*record);
}

/** network_record_load() - *ret is NULL when there is none. Errors: FileError, InvalidJson, InvalidState */
int network_record_load(int dir_fd, NetworkRecord **ret, Error *err);
int network_record_save(int dir_fd, const NetworkRecord *record, Error *err);
/** network_record_json() - for inspect */
int network_record_json(const NetworkRecord *record, json_t **ret, Error *err);

typedef struct NetworkRequest {
        const char *root, *id;
        int dir_fd;           /* ROOT/ID */
        const char *dir_path;
        const NetworkOptions *options; /* checked, NETWORK_BRIDGE */
        const IdMapping *mapping; /* of the container's user namespace, which then owns the network namespace; NULL: none */
        const char *hostname; /* for the DHCP server; may be NULL */
        unsigned dhcp_timeout; /* seconds */
        const volatile sig_atomic_t *interrupted; /* may be NULL */
} NetworkRequest;

/** A device of the host that is to be a container's */
typedef struct NetworkDevice {
        const char *name;
        const char *new_name; /* may hold "%d", for which the kernel finds a number; NULL: keeps its name */
} NetworkDevice;

/** Devices that were moved, and how they were before */
typedef struct MovedDevices MovedDevices;

#define NETWORK_MODULE_VERSION 2

typedef struct NetworkModule {
        unsigned version; /* NETWORK_MODULE_VERSION; first member, see module.h */

        /**
         * create() - namespace, veth, addresses, lease and rules, as asked for. What was made of it before a failure is remove()'s to undo
         *
         * Errors: InvalidArgument (no such bridge), NotSupported, InvalidState, FileError, Timeout (no DHCP server), Interrupted
         */
        int (*create)(const NetworkRequest *request, NetworkRecord **ret, Error *err);

        /**
         * remove() - all of it, from what is in ROOT/ID. Idempotent; nothing there is success. In the mount namespace it was made in
         * @record: of the same directory
         */
        int (*remove)(int dir_fd, const char *dir_path, const NetworkRecord *record, Error *err);

        /**
         * devices_move() - move devices from the caller's network namespace to another; all, or none
         * @ret: to move them back by, or to be freed; it keeps the other namespace in being
         *
         * They get their new names on the way, have their permanent addresses of global scope again there, and are up. What they had
         * besides, routes above all, the kernel takes away. Source: runtime-spec 1.3 config-linux.md, "Network Devices"
         *
         * Errors: FileError (no such device, a name that is taken there), NotSupported
         */
        int (*devices_move)(const NetworkDevice *devices, size_t n, int netns_fd, MovedDevices **ret, Error *err);
        /** devices_return() - back to the caller's network namespace, with name, number and addresses as they were */
        int (*devices_return)(MovedDevices *devices, Error *err);
        MovedDevices *(*devices_free)(MovedDevices *devices);
} NetworkModule;

/** network_module() - load the module on first use. NULL with @err set when it cannot be loaded */
const NetworkModule *network_module(Error *err);

#define FIREWALL_MODULE_VERSION 1

typedef struct FirewallModule {
        unsigned version;

        /**
         * publish() - forward the ports to the container's addresses, in the caller's network namespace
         * @mark:       names the rules, for unpublish()
         * @masquerade: the container sees the host's address as the source; it would answer the clients past the host
         *
         * Errors: InvalidArgument (a port is taken), NotSupported, RuntimeError
         */
        int (*publish)(const char *mark, const NetworkPort *ports, size_t n, const NetworkAddress *ip, const NetworkAddress *ip6,
                       bool masquerade, Error *err);
        /** unpublish() - remove the rules with that mark; none is success */
        int (*unpublish)(const char *mark, Error *err);
} FirewallModule;

const FirewallModule *firewall_module(Error *err);

/** What /etc of a container with a network says */
typedef struct NetworkFiles {
        const char *id, *hostname;
        const NetworkOptions *options;
        const NetworkRecord *record; /* NULL: the host's network, or none yet */
        json_t *others;              /* {"NAME": "ADDR"}: other containers on the bridge; NULL: none */
        int64_t uid, gid;            /* who owns them: the container's root */
} NetworkFiles;

/** network_files_write() - write hosts, hostname and resolv.conf into a container's directory. Errors: FileError, OutOfMemory */
int network_files_write(int container_fd, const NetworkFiles *files, Error *err);
