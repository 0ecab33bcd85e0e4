/* /etc/hosts, /etc/hostname and /etc/resolv.conf of a container that has a network. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "network/network.h"

#define ETC_FILE_MAX     (1u << 20) /* bytes of each, and of the host's; this program's own cap */
#define HOST_RESOLV_CONF "/etc/resolv.conf"

static int file_put(int dir_fd, const NetworkFiles *files, const char *name, const Buf *text, Error *err) {
        if (file_write_atomic_at(dir_fd, name, text->data ?: "", text->len, 0644, 0, err) < 0)
                return error_prefix(err, "the container's '/etc/%s'", name);
        if (fchownat(dir_fd, name, (uid_t) files->uid, (gid_t) files->gid, AT_SYMLINK_NOFOLLOW) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "set the owner of the container's '/etc/%s'", name);
        return 0;
}

/* --add-host's NAME:ADDR, or NAME:host-gateway. */
static int put_added(const NetworkFiles *files, const char *entry, Buf *buf, Error *err) {
        const char *colon = strchr(entry, ':');
        char text[ADDRESS_TEXT_MAX];
        const NetworkAddress *gateway;

        if (strcmp(colon + 1, "host-gateway"))
                return buf_printf(buf, err, "%s\t%.*s\n", colon + 1, (int) (colon - entry), entry);
        if (files->options->mode == NETWORK_HOST)
                return buf_printf(buf, err, "127.0.0.1\t%.*s\n", (int) (colon - entry), entry);
        gateway = !files->record ? NULL : files->record->gateway.family ? &files->record->gateway : &files->record->gateway6;
        if (!gateway)
                return 0; /* written again once there is a record */
        if (!gateway->family) {
                error_set(err, ERROR_INVALID_ARGUMENT, "--add-host '%s': the container has no gateway", entry);
                return error_hint(err, "give one by --gateway, or an address in place of host-gateway");
        }
        return buf_printf(buf, err, "%s\t%.*s\n", address_text(gateway, false, text), (int) (colon - entry), entry);
}

static int put_own(const NetworkFiles *files, const NetworkAddress *address, Buf *buf, Error *err) {
        char text[ADDRESS_TEXT_MAX];

        if (!address->family)
                return 0;
        if (files->hostname && (!files->hostname[0] || strpbrk(files->hostname, " \t\n\r\v\f#"))) {
                error_set(err, ERROR_INVALID_ARGUMENT, "--hostname '%s' cannot stand in '/etc/hosts'", files->hostname);
                return error_hint(err, "choose one of letters, digits, '-' and '.'");
        }
        address_text(address, false, text);
        if (files->hostname && strcmp(files->hostname, files->id))
                return buf_printf(buf, err, "%s\t%s %s\n", text, files->hostname, files->id);
        return buf_printf(buf, err, "%s\t%s\n", text, files->id);
}

static int write_hosts(int dir_fd, const NetworkFiles *files, Error *err) {
        static const NetworkAddress loopback = { AF_INET, { 127, 0, 1, 1 }, 8 };
        _cleanup_buf_ Buf buf = BUF_INIT(ETC_FILE_MAX);
        const NetworkRecord *record = files->record;
        const char *name;
        json_t *address;

        /* What was added stands first, and so wins. */
        for (char **entry = files->options->add_host; entry && *entry; entry++)
                if (put_added(files, *entry, &buf, err) < 0)
                        return -1;
        if (buf_puts(&buf, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n", err) < 0)
                return -1;
        if (record && (record->ip.family || record->ip6.family)) {
                if (put_own(files, &record->ip, &buf, err) < 0 || put_own(files, &record->ip6, &buf, err) < 0)
                        return -1;
        } else if (put_own(files, &loopback, &buf, err) < 0)
                return -1;
        json_object_foreach(files->others, name, address)
                if (buf_printf(&buf, err, "%s\t%s\n", json_string_value(address), name) < 0)
                        return -1;
        return file_put(dir_fd, files, "hosts", &buf, err);
}

static int write_hostname(int dir_fd, const NetworkFiles *files, Error *err) {
        _cleanup_buf_ Buf buf = BUF_INIT(ETC_FILE_MAX);

        if (buf_printf(&buf, err, "%s\n", files->hostname ?: files->id) < 0)
                return -1;
        return file_put(dir_fd, files, "hostname", &buf, err);
}

/* What the container can use of the host's: a server on the host's loopback is out of its reach, unless it shares the network. */
static int put_hosts_own(const NetworkFiles *files, bool servers, bool search, Buf *buf, Error *err) {
        _cleanup_free_ char *data = NULL;
        _cleanup_close_ int fd = open(HOST_RESOLV_CONF, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        char *cursor, *line;

        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '" HOST_RESOLV_CONF "'");
        if (file_read_fd(fd, HOST_RESOLV_CONF, ETC_FILE_MAX, &data, NULL, err) < 0)
                return -1;
        cursor = data;
        while ((line = strsep(&cursor, "\n"))) {
                bool is_server = !strncmp(line, "nameserver", 10);
                const char *address = line + 10 + strspn(is_server ? line + 10 : "", " \t");
                bool loopback = is_server && (!strncmp(address, "127.", 4) || !strcmp(address, "::1"));

                if (is_server ? !servers || (loopback && files->options->mode != NETWORK_HOST)
                              : !search || (strncmp(line, "search", 6) && strncmp(line, "domain", 6)))
                        continue;
                if (buf_printf(buf, err, "%s\n", line) < 0)
                        return -1;
        }
        return 0;
}

static int put_each(Buf *buf, const char *before, char *const *strings, const char *after, Error *err) {
        for (; *strings; strings++)
                if (buf_printf(buf, err, "%s%s%s", before, *strings, after) < 0)
                        return -1;
        return 0;
}

/* The user's own, else what DHCP says, else the host's. */
static int write_resolv_conf(int dir_fd, const NetworkFiles *files, Error *err) {
        _cleanup_buf_ Buf buf = BUF_INIT(ETC_FILE_MAX);
        const NetworkOptions *options = files->options;
        char *const *servers = options->dns ?: files->record ? files->record->dns : NULL;
        char *const *search = options->dns_search ?: files->record ? files->record->dns_search : NULL;

        if (options->mode != NETWORK_NONE && (!servers || !search) && put_hosts_own(files, !servers, !search, &buf, err) < 0)
                return -1;
        if (search && (buf_puts(&buf, "search", err) < 0 || put_each(&buf, " ", search, "", err) < 0 || buf_puts(&buf, "\n", err) < 0))
                return -1;
        if (servers && put_each(&buf, "nameserver ", servers, "\n", err) < 0)
                return -1;
        return file_put(dir_fd, files, "resolv.conf", &buf, err);
}

int network_files_write(int container_fd, const NetworkFiles *files, Error *err) {
        if (write_hosts(container_fd, files, err) < 0 || write_hostname(container_fd, files, err) < 0)
                return -1;
        return write_resolv_conf(container_fd, files, err);
}
