/* Leases from outside of their process: starting it, its record, and giving a lease back. */

#include "network/lease.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/json.h"
#include "network/netns.h"
#include "network/rtnetlink.h"

#define END_TIMEOUT_MS 10000 /* for the process to be gone after SIGKILL */

static const JsonPlace place = { LEASE_FILE, ERROR_INVALID_STATE };

NetworkAddress address_of_word(uint32_t word, uint8_t prefix) {
        NetworkAddress address = { .family = AF_INET, .prefix = prefix };

        memcpy(address.bytes, &word, sizeof(word));
        return address;
}

static uint32_t word_of_address(const NetworkAddress *address) {
        uint32_t word;

        memcpy(&word, address->bytes, sizeof(word));
        return word;
}

/* ---- the record ---- */

int lease_record_save(int dir_fd, const LeaseRecord *record, Error *err) {
        char address[ADDRESS_TEXT_MAX], server[ADDRESS_TEXT_MAX], mac[MAC_TEXT_MAX], server_mac[MAC_TEXT_MAX];
        _cleanup_json_ json_t *json = json_pack("{s:i, s:I, s:s}", "pid", (int) record->process.pid, "start",
                                                (json_int_t) record->process.start_time, "mac", mac_text(record->mac, mac));

        if (json && record->address.family &&
            json_object_update_new(json, json_pack("{s:s, s:s, s:s}", "address", address_text(&record->address, true, address), "server",
                                                   address_text(&record->server, false, server), "serverMac",
                                                   mac_text(record->server_mac, server_mac))) < 0)
                return error_oom(err);
        return !json ? error_oom(err) : json_save_at(dir_fd, LEASE_FILE, json, 0600, 0, err);
}

static int parse_record(const json_t *json, LeaseRecord *record, Error *err) {
        const char *mac, *address = NULL, *server, *server_mac;
        int64_t pid, start;

        if (json_need_root(json, place, err) < 0 || json_need_integer(json, "pid", place, 1, INT32_MAX, &pid, err) < 0 ||
            json_need_integer(json, "start", place, 0, INT64_MAX, &start, err) < 0 ||
            json_need_string(json, "mac", place, &mac, err) < 0 || json_opt_string(json, "address", place, &address, err) < 0)
                return -1;
        record->process = (ProcessRef) { .pid = (pid_t) pid, .start_time = (uint64_t) start };
        if (mac_parse(mac, record->mac) < 0)
                return error_set(err, ERROR_INVALID_STATE, LEASE_FILE ": 'mac' is none");
        if (!address)
                return 0;
        if (json_need_string(json, "server", place, &server, err) < 0 || json_need_string(json, "serverMac", place, &server_mac, err) < 0 ||
            address_parse(address, AF_INET, true, &record->address, err) < 0 ||
            address_parse(server, AF_INET, false, &record->server, err) < 0)
                return error_prefix(err, LEASE_FILE);
        return mac_parse(server_mac, record->server_mac) < 0 ? error_set(err, ERROR_INVALID_STATE, LEASE_FILE ": 'serverMac' is none") : 0;
}

int lease_record_load(int dir_fd, LeaseRecord *ret, Error *err) {
        _cleanup_json_ json_t *json = NULL;
        LeaseRecord record = { 0 };
        Error e = ERROR_INIT;

        if (json_load_at(dir_fd, LEASE_FILE, NETWORK_SIZE_MAX, &json, &e) < 0) {
                if (e.errnum != ENOENT) {
                        if (err)
                                *err = e;
                        return -1;
                }
        } else if (parse_record(json, &record, err) < 0)
                return -1;
        *ret = record;
        return 0;
}

/* ---- starting the process ---- */

/* A whole message of it; over EINTR, unless that was a signal to stop. */
static int read_report(const LeaseRequest *request, int fd, void *data, size_t size, Error *err) {
        for (;;) {
                ssize_t n = read(fd, data, size);

                if (n == (ssize_t) size)
                        return 0;
                if (n < 0 && errno == EINTR) {
                        if (!request->interrupted || !*request->interrupted)
                                continue;
                        return error_set_errno(err, ERROR_INTERRUPTED, EINTR, "a signal asked to stop");
                }
                return error_set(err, ERROR_FILE, "the DHCP client died");
        }
}

/* Until its parent has it on record, the process waits; a parent that dies before ends it. */
static _Noreturn void wait_and_run(const LeaseRequest *request, int go, int report) {
        ProcessRef self;
        char byte;

        if (read(go, &byte, 1) != 1 || process_ref(getpid(), &self, NULL) < 0)
                _exit(1);
        lease_main(request, &self, report);
}

static int record_and_go(const LeaseRequest *request, pid_t pid, int go, Error *err) {
        LeaseRecord record = { 0 };

        memcpy(record.mac, request->mac, sizeof(record.mac));
        if (process_ref(pid, &record.process, err) < 0 || lease_record_save(request->dir_fd, &record, err) < 0 ||
            fault_point("network.client", err) < 0)
                return -1;
        return fd_write_all(go, "", 1, err);
}

int lease_acquire(const LeaseRequest *request, DhcpAnswer *ret, Error *err) {
        _cleanup_close_ int go_read = -EBADF, go_write = -EBADF, report_read = -EBADF, report_write = -EBADF;
        int go[2], report[2], status;
        Error e;
        pid_t pid;

        if (pipe2(go, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        go_read = go[0];
        go_write = go[1];
        if (pipe2(report, O_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a pipe");
        report_read = report[0];
        report_write = report[1];
        pid = fork();
        if (pid == 0) {
                close(TAKE_FD(go_write));
                wait_and_run(request, go_read, report_write);
        }
        if (pid < 0)
                return error_set_errno(err, ERROR_FILE, errno, "fork");
        close(TAKE_FD(report_write));
        if (record_and_go(request, pid, go_write, err) < 0) {
                close(TAKE_FD(go_write));
                (void) process_wait(pid, &status, NULL);
                return -1;
        }
        if (read_report(request, report_read, &e, sizeof(e), err) < 0)
                return -1;
        if (error_is_set(&e)) {
                if (err)
                        *err = e;
                return -1;
        }
        return read_report(request, report_read, ret, sizeof(*ret), err);
}

/* ---- giving a lease back ---- */

static int end_client(const ProcessRef *process, Error *err) {
        _cleanup_close_ int fd = process->pid > 0 ? process_open(process) : -ESRCH;
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int r;

        if (fd < 0)
                return 0;
        (void) process_signal(process, SIGKILL);
        do
                r = poll(&p, 1, END_TIMEOUT_MS);
        while (r < 0 && errno == EINTR);
        if (r == 0)
                return error_set(err, ERROR_TIMEOUT, "the DHCP client (process %d) does not end after SIGKILL", (int) process->pid);
        /* It may be our own child. */
        (void) waitpid(process->pid, NULL, WNOHANG);
        return 0;
}

/* No answer is expected; what the container itself has made of its device may be in the way. */
static int send_release(void *userdata, Error *err) {
        const LeaseRecord *record = userdata;
        _cleanup_(netlink_freep) Netlink *netlink = NULL;
        _cleanup_close_ int fd = -EBADF;
        DhcpRequest request = {
                .type = DHCP_RELEASE,
                .transaction = word_of_address(&record->address),
                .own = word_of_address(&record->address),
                .server = word_of_address(&record->server),
                .destination = word_of_address(&record->server),
        };
        Link link;

        memcpy(request.mac, record->mac, sizeof(request.mac));
        if (netlink_open(&netlink, err) < 0)
                return -1;
        if (link_find(netlink, NETWORK_DEVICE, &link, NULL) < 0 || lease_socket(link.index, &fd, NULL) < 0)
                return 0;
        (void) lease_send(fd, link.index, &request, record->server_mac);
        /* A server on the bridge itself has the bridge's address, which changes with its ports. */
        (void) lease_send(fd, link.index, &request, NULL);
        return 0;
}

int lease_release(int dir_fd, int netns, Error *err) {
        LeaseRecord record;

        if (lease_record_load(dir_fd, &record, err) < 0 || end_client(&record.process, err) < 0)
                return -1;
        /* Once more: it may have written until it ended. */
        if (record.process.pid && lease_record_load(dir_fd, &record, err) < 0)
                return -1;
        if (record.address.family && netns >= 0 && netns_call(netns, send_release, &record, err) < 0)
                return -1;
        if (unlinkat(dir_fd, LEASE_FILE, 0) < 0 && errno != ENOENT)
                return error_set_errno(err, ERROR_FILE, errno, "remove '" LEASE_FILE "'");
        return 0;
}
