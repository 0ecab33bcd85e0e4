/*
 * The process that gets a container's address from a DHCP server, and renews it. It reads what strangers send, so it has no more rights
 * than setting addresses needs, sees no files but its container's directory, and has nothing open but what it uses.
 * Source: RFC 2131, 4.4
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/cleanup.h"
#include "network/lease.h"
#include "network/rtnetlink.h"

#define RETRY_FIRST_MS 1000  /* between messages that nobody answers, then doubled up to */
#define RETRY_MAX_MS   16000
#define SERVE_MAX_MS   64000 /* once it has waited for a server in vain, between rounds */
#define REQUEST_TRIES  4     /* of one offer, before looking for another */
#define RENEW_MIN_S    5     /* between attempts to renew */

typedef struct Client {
        const LeaseRequest *request;
        Netlink *netlink;
        LeaseRecord record;
        int dir_fd, socket, report, index;
        uint64_t began; /* of this round of asking, ms */
        bool bound;     /* the address is set */
        DhcpAnswer lease;
        uint64_t leased; /* ms, when the lease was asked for */
} Client;

/* ---- messages ---- */

/* IPv4 and UDP for our port, not a later part of a datagram. Offsets are of a packet without its Ethernet header. */
static const struct sock_filter for_clients[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 6),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, DHCP_CLIENT_PORT, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, DHCP_PACKET_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
};

int lease_socket(int index, int *ret, Error *err) {
        const struct sock_fprog program = { .len = ARRAY_SIZE(for_clients), .filter = (struct sock_filter *) for_clients };
        struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index };
        _cleanup_close_ int fd = -EBADF;

        /* Without a protocol nothing arrives before the filter is there. */
        fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
            bind(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open a packet socket");
        *ret = TAKE_FD(fd);
        return 0;
}

int lease_send(int fd, int index, const DhcpRequest *request, const uint8_t *server_mac) {
        struct sockaddr_ll address = {
                .sll_family = AF_PACKET,
                .sll_protocol = htons(ETH_P_IP),
                .sll_ifindex = index,
                .sll_halen = 6,
                .sll_addr = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
        };
        uint8_t packet[DHCP_PACKET_MAX];
        size_t len = dhcp_request_build(request, packet);

        if (server_mac)
                memcpy(address.sll_addr, server_mac, 6);
        return sendto(fd, packet, len, 0, (struct sockaddr *) &address, sizeof(address)) == (ssize_t) len ? 0 : -1;
}

/* Suspended time counts: a lease goes on while the machine sleeps. */
static uint64_t now_ms(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_BOOTTIME, &ts);
        return (uint64_t) ts.tv_sec * 1000 + (uint64_t) ts.tv_nsec / 1000000;
}

/* Up to a fourth more or less, so that many containers do not ask at once. */
static uint64_t jittered(uint64_t ms) {
        uint16_t random = 0;

        (void) !getrandom(&random, sizeof(random), GRND_NONBLOCK);
        return ms - ms / 4 + ms / 2 * random / UINT16_MAX;
}

static DhcpRequest message(const Client *c, DhcpType type, uint32_t transaction) {
        uint64_t seconds = (now_ms() - c->began) / 1000;
        DhcpRequest request = {
                .type = type,
                .transaction = transaction,
                .seconds = (uint16_t) (seconds > UINT16_MAX ? UINT16_MAX : seconds),
                .hostname = c->request->hostname,
        };

        memcpy(request.mac, c->request->mac, sizeof(request.mac));
        return request;
}

/* Waits until @until (ms) for an answer to @transaction. False: none came. */
static bool wait_answer(const Client *c, uint32_t transaction, uint64_t until, DhcpAnswer *ret, uint8_t ret_mac[6]) {
        for (uint64_t now = now_ms(); now < until; now = now_ms()) {
                struct pollfd p = { .fd = c->socket, .events = POLLIN };
                uint64_t wait = until - now;
                struct sockaddr_ll from = { 0 };
                socklen_t from_len = sizeof(from);
                uint8_t packet[DHCP_PACKET_MAX];
                ssize_t n;

                if (poll(&p, 1, wait > INT32_MAX ? INT32_MAX : (int) wait) <= 0)
                        continue;
                n = recvfrom(c->socket, packet, sizeof(packet), MSG_DONTWAIT, (struct sockaddr *) &from, &from_len);
                if (n < 0) {
                        /* The device is down, say: what the container does with it is its own affair. */
                        (void) poll(NULL, 0, RETRY_FIRST_MS);
                        continue;
                }
                if (from.sll_pkttype == PACKET_OUTGOING || from.sll_halen != 6 ||
                    !dhcp_answer_parse(packet, (size_t) n, transaction, c->request->mac, ret))
                        continue;
                memcpy(ret_mac, from.sll_addr, 6);
                return true;
        }
        return false;
}

static uint32_t new_transaction(void) {
        uint32_t transaction = 0;

        (void) !getrandom(&transaction, sizeof(transaction), 0);
        return transaction;
}

/* ---- what a lease means here ---- */

static void set_lease(Client *c, const DhcpAnswer *ack) {
        const NetworkAddress address = address_of_word(ack->address, ack->prefix), router = address_of_word(ack->router, 32);
        const NetworkAddress old = address_of_word(c->lease.address, c->lease.prefix);

        if (c->bound && (c->lease.address != ack->address || c->lease.prefix != ack->prefix))
                (void) address_remove(c->netlink, c->index, &old, NULL);
        if (!c->bound || c->lease.address != ack->address || c->lease.prefix != ack->prefix || c->lease.router != ack->router) {
                (void) address_add(c->netlink, c->index, &address, NULL);
                if (ack->router)
                        (void) gateway_add(c->netlink, c->index, &router, NULL);
        }
        c->lease = *ack;
        c->bound = true;
}

static void drop_lease(Client *c) {
        const NetworkAddress address = address_of_word(c->lease.address, c->lease.prefix);

        if (c->bound)
                (void) address_remove(c->netlink, c->index, &address, NULL);
        c->bound = false;
}

/* A record that cannot be written is of a directory that is gone, and the container with it. */
static void note(Client *c, const DhcpAnswer *answer, const uint8_t server_mac[6]) {
        c->record.address = address_of_word(answer->address, answer->prefix);
        c->record.server = address_of_word(answer->server, 32);
        memcpy(c->record.server_mac, server_mac, 6);
        if (lease_record_save(c->dir_fd, &c->record, NULL) < 0)
                _exit(1);
}

/* ---- asking ---- */

/* Takes up an offer. False: nobody confirmed it. */
static bool take_offer(Client *c, const DhcpAnswer *offer, uint32_t transaction, uint8_t server_mac[6]) {
        note(c, offer, server_mac);
        for (unsigned try = 0; try < REQUEST_TRIES; try++) {
                DhcpRequest request = message(c, DHCP_REQUEST, transaction);
                uint64_t until = now_ms() + jittered((uint64_t) RETRY_FIRST_MS << try);
                DhcpAnswer answer;

                request.requested = offer->address;
                request.server = offer->server;
                c->leased = now_ms();
                (void) lease_send(c->socket, c->index, &request, NULL);
                while (wait_answer(c, transaction, until, &answer, server_mac)) {
                        if (answer.type == DHCP_NAK && answer.server == offer->server)
                                return false;
                        if (answer.type != DHCP_ACK || answer.address != offer->address)
                                continue;
                        note(c, &answer, server_mac);
                        set_lease(c, &answer);
                        return true;
                }
        }
        return false;
}

static bool is_wanted(const Client *c, const DhcpAnswer *offer) {
        return offer->type == DHCP_OFFER && (!c->request->pinned || c->lease.address == 0 || offer->address == c->lease.address);
}

/* Finds a server and gets a lease; @until 0: as long as it takes. */
static bool find_lease(Client *c, uint64_t until) {
        uint64_t pause = RETRY_FIRST_MS;

        c->began = now_ms();
        while (until == 0 || now_ms() < until) {
                uint32_t transaction = new_transaction();
                DhcpRequest request = message(c, DHCP_DISCOVER, transaction);
                uint64_t next = now_ms() + jittered(pause);
                uint8_t server_mac[6];
                DhcpAnswer offer;

                request.requested = c->lease.address;
                (void) lease_send(c->socket, c->index, &request, NULL);
                while (wait_answer(c, transaction, until && until < next ? until : next, &offer, server_mac))
                        if (is_wanted(c, &offer)) {
                                if (take_offer(c, &offer, transaction, server_mac))
                                        return true;
                                break;
                        }
                /* A server that offers and then refuses must not keep us busy. */
                while (now_ms() < next)
                        (void) poll(NULL, 0, (int) (next - now_ms() + 1));
                pause = pause * 2 > (until ? RETRY_MAX_MS : SERVE_MAX_MS) ? (until ? RETRY_MAX_MS : SERVE_MAX_MS) : pause * 2;
        }
        return false;
}

/* One attempt to renew, to be answered until @until. False: the lease is refused. */
static bool renew(Client *c, bool everybody, uint64_t until) {
        uint32_t transaction = new_transaction();
        DhcpRequest request = message(c, DHCP_REQUEST, transaction);
        uint64_t asked = now_ms();
        uint8_t server_mac[6];
        DhcpAnswer answer;

        request.own = c->lease.address;
        request.destination = everybody ? 0 : c->lease.server;
        (void) lease_send(c->socket, c->index, &request, everybody ? NULL : c->record.server_mac);
        while (wait_answer(c, transaction, until, &answer, server_mac)) {
                /* Anybody could refuse; whoever gave it may. */
                if (answer.type == DHCP_NAK && answer.server == c->lease.server)
                        return false;
                if (answer.type != DHCP_ACK || answer.address != c->lease.address)
                        continue;
                note(c, &answer, server_mac);
                set_lease(c, &answer);
                c->leased = asked;
                break;
        }
        return true;
}

/* Keeps a lease until it is lost. */
static void keep_lease(Client *c) {
        for (;;) {
                uint64_t renew_at = c->leased + c->lease.renew * UINT64_C(1000), rebind_at = c->leased + c->lease.rebind * UINT64_C(1000),
                         end = c->leased + c->lease.lease * UINT64_C(1000), leased = c->leased;
                uint8_t mac[6];
                DhcpAnswer none;

                /* What comes unasked is read away meanwhile. */
                while (now_ms() < renew_at)
                        (void) wait_answer(c, new_transaction(), renew_at, &none, mac);
                c->began = now_ms();
                while (c->leased == leased && now_ms() < end) {
                        uint64_t now = now_ms(), phase_end = now < rebind_at ? rebind_at : end, step = (phase_end - now) / 2;

                        if (step < RENEW_MIN_S * 1000)
                                step = RENEW_MIN_S * 1000;
                        if (!renew(c, now >= rebind_at, now + step < end ? now + step : end))
                                return;
                }
                if (c->leased == leased)
                        return;
        }
}

/* ---- becoming that process ---- */

/* Only the right to set addresses, and no way to any other. */
static int drop_rights(int dir_fd, Error *err) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        const uint32_t keep = 1u << CAP_NET_ADMIN;
        struct __user_cap_data_struct data[2] = { { .effective = keep, .permitted = keep } };

        if (fchdir(dir_fd) < 0 || chroot(".") < 0)
                return error_set_errno(err, ERROR_FILE, errno, "leave the file system behind");
        for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
                if (prctl(PR_CAPBSET_DROP, cap) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "drop a capability");
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "drop capabilities");
        return 0;
}

/* The kernel would answer a server's messages as of a port that nobody listens on. */
static int hold_port(void) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(DHCP_CLIENT_PORT) };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), smallest = 0;

        if (fd < 0)
                return -EBADF;
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest));
        (void) bind(fd, (struct sockaddr *) &address, sizeof(address));
        return fd;
}

static void detach(void) {
        sigset_t none;

        for (int signal_number = 1; signal_number < NSIG; signal_number++)
                (void) signal(signal_number, SIG_DFL);
        (void) signal(SIGPIPE, SIG_IGN);
        sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) setsid();
        (void) prctl(PR_SET_NAME, "lxcri-dhcp");
}

static int become_client(Client *c, Error *err) {
        Link link;
        int null;

        detach();
        if (setns(c->request->netns, CLONE_NEWNET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "enter the container's network namespace");
        if (netlink_open(&c->netlink, err) < 0 || link_find(c->netlink, NETWORK_DEVICE, &link, err) < 0 ||
            lease_socket(link.index, &c->socket, err) < 0)
                return -1;
        c->index = link.index;
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '/dev/null'");
        for (int fd = 0; fd < 3; fd++)
                (void) dup2(null, fd);
        descriptors_close_but(3, (int[]) { c->dir_fd, c->report, c->socket, netlink_fd(c->netlink), hold_port() }, 5);
        return drop_rights(c->dir_fd, err);
}

static void tell(Client *c, const Error *err) {
        if (write(c->report, err, sizeof(*err)) != (ssize_t) sizeof(*err) ||
            (!error_is_set(err) && write(c->report, &c->lease, sizeof(c->lease)) != (ssize_t) sizeof(c->lease)))
                _exit(1);
        close(TAKE_FD(c->report));
        if (error_is_set(err))
                _exit(1);
}

_Noreturn void lease_main(const LeaseRequest *request, const ProcessRef *self, int report) {
        Client c = { .request = request, .dir_fd = request->dir_fd, .socket = -EBADF, .report = report, .record.process = *self };
        Error e = ERROR_INIT;

        memcpy(c.record.mac, request->mac, sizeof(c.record.mac));
        if (become_client(&c, &e) == 0 && !find_lease(&c, now_ms() + request->timeout * UINT64_C(1000))) {
                error_set(&e, ERROR_TIMEOUT, "no DHCP server gave the container an address within %u s", request->timeout);
                error_hint(&e, "give it one by --ip ADDRESS/PREFIX, or set up a DHCP server on that bridge");
        }
        tell(&c, &e);
        for (;;) {
                keep_lease(&c);
                drop_lease(&c);
                while (!find_lease(&c, 0))
                        ;
        }
}
