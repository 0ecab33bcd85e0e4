#pragma once

/*
 * A container's address by DHCP: a small process of ours, in the container's network namespace, that gets it and keeps it. It is named in
 * ROOT/ID/lease.json before it does anything, and what it asks a server for is in there before it asks, so that an undo ends the process
 * and gives the lease back whenever it was killed.
 */

#include "network/dhcp-message.h"
#include "network/network.h"

#define LEASE_FILE "lease.json"

typedef struct LeaseRecord {
        ProcessRef process;
        NetworkAddress address; /* asked for or held; family 0: none yet */
        NetworkAddress server;
        uint8_t server_mac[6];  /* or of the relay that it is reached by */
        uint8_t mac[6];
} LeaseRecord;

int lease_record_save(int dir_fd, const LeaseRecord *record, Error *err);
/** lease_record_load() - the record is empty when there is none */
int lease_record_load(int dir_fd, LeaseRecord *ret, Error *err);

typedef struct LeaseRequest {
        int dir_fd;           /* ROOT/ID */
        int netns;
        uint8_t mac[6];
        const char *hostname; /* may be NULL */
        bool pinned;          /* another address than the first is no use: ports are forwarded to it */
        unsigned timeout;     /* seconds, for the first lease */
        const volatile sig_atomic_t *interrupted; /* may be NULL */
} LeaseRequest;

/**
 * lease_acquire() - start the process, and wait until it has set the address and the route
 *
 * Errors: Timeout when no server answers, Interrupted, FileError
 */
int lease_acquire(const LeaseRequest *request, DhcpAnswer *ret, Error *err);

/** lease_release() - end the process, and give the lease back from within the namespace (-EBADF: it is gone). Nothing there is success */
int lease_release(int dir_fd, int netns, Error *err);

/** lease_main() - the process itself; @report gets an Error, or an empty one and then a DhcpAnswer */
_Noreturn void lease_main(const LeaseRequest *request, const ProcessRef *self, int report);

/** lease_send() - one message by a packet socket. @server_mac: NULL for everybody. Returns: 0, or -1 with errno */
int lease_send(int socket, int index, const DhcpRequest *request, const uint8_t *server_mac);
/** lease_socket() - a packet socket on a device of this network namespace that gets what may be for a DHCP client. Errors: FileError */
int lease_socket(int index, int *ret, Error *err);

/** address_of_word() - from the order of the network */
NetworkAddress address_of_word(uint32_t word, uint8_t prefix);
