/*
 * Published ports: rules of address translation in one table of ours, "inet proxmox-lxcri". Each rule's comment says whose it is and what
 * it forwards ("MARK tcp any4 8080"), which is how it is found again; tables and rules of others are never touched. The table stays, empty,
 * when its last rule is gone: taking it away could take a rule along that another command just added.
 * Source: nft(8), libnftables-json(5)
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "network/network.h"

#define TABLE        "inet proxmox-lxcri"
#define TABLE_NAME   "proxmox-lxcri"
#define CHAIN        "prerouting" /* in which conflicts show */
#define COMMANDS_MAX (1u << 20) /* bytes; a few hundred a port */
#define REMOVE_TRIES 10         /* when others change the table at the same time */

/* Standing at the priorities that translation has everywhere; nft(8), "Standard priority names". */
static const char table_commands[] =
        "add table " TABLE "\n"
        "add chain " TABLE " prerouting { type nat hook prerouting priority -100; }\n"
        "add chain " TABLE " output { type nat hook output priority -100; }\n"
        "add chain " TABLE " postrouting { type nat hook postrouting priority 100; }\n";

static void nft_ctx_freep(struct nft_ctx **nft) {
        if (*nft)
                nft_ctx_free(*nft);
}
#define _cleanup_nft_ _cleanup_(nft_ctx_freep)

static int nft_open(struct nft_ctx **ret, Error *err) {
        struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

        if (!nft)
                return error_set(err, ERROR_NOT_SUPPORTED, "nftables cannot be used");
        if (nft_ctx_buffer_output(nft) || nft_ctx_buffer_error(nft)) {
                nft_ctx_free(nft);
                return error_oom(err);
        }
        nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_NUMERIC_ALL);
        *ret = nft;
        return 0;
}

/* Its own words are the cause: the first line of them. */
static int nft_run(struct nft_ctx *nft, const char *commands, const char *what, Error *err) {
        const char *words;

        if (nft_run_cmd_from_buffer(nft, commands) == 0)
                return 0;
        words = nft_ctx_get_error_buffer(nft);
        return error_set(err, ERROR_RUNTIME, "%s: nftables: %.*s", what, (int) strcspn(words ?: "", "\n"), words ?: "");
}

/* The objects of one kind in what a list command prints, which is the kernel's. */
static int nft_list(struct nft_ctx *nft, const char *command, const char *kind, json_t **ret, Error *err) {
        _cleanup_json_ json_t *answer = NULL, *found = json_array();
        json_t *item;
        size_t i;

        if (nft_run(nft, command, "look at the firewall", err) < 0)
                return -1;
        answer = json_loads(nft_ctx_get_output_buffer(nft), 0, NULL);
        if (!answer || !found)
                return error_set(err, ERROR_RUNTIME, "nftables: '%s' gives no JSON", command);
        json_array_foreach(json_object_get(answer, "nftables"), i, item) {
                json_t *object = json_object_get(item, kind);

                if (object && json_array_append(found, object) < 0)
                        return error_oom(err);
        }
        *ret = TAKE(found);
        return 0;
}

/* The table's rules; none when there is no table. */
static int list_rules(struct nft_ctx *nft, json_t **ret, Error *err) {
        _cleanup_json_ json_t *tables = NULL;
        json_t *table;
        size_t i;

        if (nft_list(nft, "list tables inet", "table", &tables, err) < 0)
                return -1;
        json_array_foreach(tables, i, table) {
                const char *name = json_string_value(json_object_get(table, "name"));

                if (name && !strcmp(name, TABLE_NAME))
                        return nft_list(nft, "list table " TABLE, "rule", ret, err);
        }
        *ret = json_array();
        return *ret ? 0 : error_oom(err);
}

/* ---- adding ---- */

typedef struct Target {
        const char *mark;
        const NetworkPort *port;
        const NetworkAddress *to; /* with the prefix of its network */
        bool masquerade;
} Target;

static const char *ip_word(int family) {
        return family == AF_INET ? "ip" : "ip6";
}

static void comment_of(const Target *t, char ret[128]) {
        char host[ADDRESS_TEXT_MAX];

        if (t->port->host.family)
                address_text(&t->port->host, false, host);
        else
                snprintf(host, sizeof(host), "any%d", t->to->family == AF_INET ? 4 : 6);
        snprintf(ret, 128, "%s %s %s %u", t->mark, t->port->udp ? "udp" : "tcp", host, t->port->host_port);
}

static int put_rules(Buf *commands, const Target *t, Error *err) {
        const char *ip = ip_word(t->to->family), *protocol = t->port->udp ? "udp" : "tcp";
        char comment[128], to[ADDRESS_TEXT_MAX], host[ADDRESS_TEXT_MAX], match[160], network[ADDRESS_TEXT_MAX + 16] = "";

        comment_of(t, comment);
        address_text(t->to, false, to);
        if (t->port->host.family)
                snprintf(match, sizeof(match), "%s daddr %s", ip, address_text(&t->port->host, false, host));
        else
                snprintf(match, sizeof(match), "%s daddr != %s fib daddr type local", ip, t->to->family == AF_INET ? "127.0.0.0/8" : "::1");
        /* Neighbours would hear the answer from the container itself, and not take it. */
        if (!t->masquerade)
                snprintf(network, sizeof(network), "%s saddr %s ", ip, address_text(t->to, true, host));
        for (const char *const *chain = (const char *const[]) { "prerouting", "output", NULL }; *chain; chain++)
                if (buf_printf(commands, err, "add rule " TABLE " %s %s %s dport %u dnat %s to %s%s%s:%u comment \"%s\"\n", *chain, match,
                               protocol, t->port->host_port, ip, t->to->family == AF_INET6 ? "[" : "", to,
                               t->to->family == AF_INET6 ? "]" : "", t->port->container_port, comment) < 0)
                        return -1;
        return buf_printf(commands, err,
                          "add rule " TABLE " postrouting %s%s daddr %s %s dport %u ct status dnat masquerade comment \"%s\"\n", network,
                          ip, to, protocol, t->port->container_port, comment);
}

/* A process of the host that listens there would lose its clients. */
static int check_unused(const NetworkPort *port, int family, Error *err) {
        struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port->host_port) };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port->host_port) };
        _cleanup_close_ int fd = socket(family, (port->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
        int one = 1, r;

        if (port->host.family == AF_INET)
                memcpy(&v4.sin_addr, port->host.bytes, 4);
        if (port->host.family == AF_INET6)
                memcpy(&v6.sin6_addr, port->host.bytes, 16);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a socket");
        if (family == AF_INET6)
                (void) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
        r = family == AF_INET ? bind(fd, (struct sockaddr *) &v4, sizeof(v4)) : bind(fd, (struct sockaddr *) &v6, sizeof(v6));
        if (r == 0)
                return 0;
        if (errno == EADDRNOTAVAIL) {
                error_set_errno(err, ERROR_INVALID_ARGUMENT, errno, "--publish: the host has no such address");
                return error_hint(err, "'ip addr' lists those it has; without an address the port is forwarded from all of them");
        }
        return error_set_errno(err, ERROR_INVALID_ARGUMENT, errno, "--publish: port %u/%s of the host", port->host_port,
                               port->udp ? "udp" : "tcp");
}

/* The kernel routes nothing from one device to another unless told. */
static int check_forwarding(int family, Error *err) {
        const char *path = family == AF_INET ? "/proc/sys/net/ipv4/ip_forward" : "/proc/sys/net/ipv6/conf/all/forwarding";
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        char byte;

        if (fd < 0 || read(fd, &byte, 1) != 1)
                return error_set_errno(err, ERROR_FILE, errno, "read '%s'", path);
        if (byte != '0')
                return 0;
        error_set(err, ERROR_INVALID_STATE, "--publish: this host does not forward packets ('%s' is 0)", path);
        return error_hint(err, "sysctl -w net.%s=1, and a line in /etc/sysctl.d/ to keep it so",
                          family == AF_INET ? "ipv4.ip_forward" : "ipv6.conf.all.forwarding");
}

/* "MARK PROTOCOL HOST PORT": whether two want the same. */
static bool clashes(const char *a, const char *b) {
        char protocol_a[8], protocol_b[8], host_a[64], host_b[64];
        unsigned port_a, port_b;
        bool v6_a, v6_b;

        if (sscanf(a, "%*s %7s %63s %u", protocol_a, host_a, &port_a) != 3 ||
            sscanf(b, "%*s %7s %63s %u", protocol_b, host_b, &port_b) != 3)
                return false;
        v6_a = strchr(host_a, ':') || !strcmp(host_a, "any6");
        v6_b = strchr(host_b, ':') || !strcmp(host_b, "any6");
        return port_a == port_b && v6_a == v6_b && !strcmp(protocol_a, protocol_b) &&
               (!strcmp(host_a, host_b) || !strncmp(host_a, "any", 3) || !strncmp(host_b, "any", 3));
}

/* Asked when ours are there already: of two that come at the same time, the later one sees the other. */
static int check_clashes(struct nft_ctx *nft, const char *mark, Error *err) {
        _cleanup_json_ json_t *rules = NULL;
        json_t *mine, *other;
        size_t i, j;

        if (list_rules(nft, &rules, err) < 0)
                return -1;
        json_array_foreach(rules, i, mine) {
                const char *comment = json_string_value(json_object_get(mine, "comment"));

                if (!comment || strncmp(comment, mark, strlen(mark)) || strcmp(json_string_value(json_object_get(mine, "chain")), CHAIN))
                        continue;
                json_array_foreach(rules, j, other) {
                        const char *theirs = json_string_value(json_object_get(other, "comment"));

                        if (!theirs || strcmp(json_string_value(json_object_get(other, "chain")), CHAIN) ||
                            json_integer_value(json_object_get(other, "handle")) >= json_integer_value(json_object_get(mine, "handle")) ||
                            !clashes(comment, theirs))
                                continue;
                        error_set(err, ERROR_INVALID_ARGUMENT, "--publish: port %s of the host is forwarded to a container already",
                                  strrchr(comment, ' ') + 1);
                        return error_hint(err, "choose another port; 'inspect' shows a container's");
                }
        }
        return 0;
}

static int publish(const char *mark, const NetworkPort *ports, size_t n, const NetworkAddress *ip, const NetworkAddress *ip6,
                   bool masquerade, Error *err) {
        _cleanup_buf_ Buf commands = BUF_INIT(COMMANDS_MAX);
        _cleanup_nft_ struct nft_ctx *nft = NULL;

        if (nft_open(&nft, err) < 0 || buf_puts(&commands, table_commands, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                for (const NetworkAddress *const *to = (const NetworkAddress *const[]) { ip, ip6, NULL }; *to; to++) {
                        const Target target = { .mark = mark, .port = &ports[i], .to = *to, .masquerade = masquerade };

                        if (!(*to)->family || (ports[i].host.family && ports[i].host.family != (*to)->family))
                                continue;
                        if (check_forwarding((*to)->family, err) < 0 || check_unused(&ports[i], (*to)->family, err) < 0 ||
                            put_rules(&commands, &target, err) < 0)
                                return -1;
                }
        if (nft_run(nft, commands.data, "forward ports", err) < 0)
                return -1;
        return check_clashes(nft, mark, err);
}

/* ---- removing ---- */

static int put_removals(Buf *commands, const json_t *rules, const char *mark, Error *err) {
        size_t i, len = strlen(mark);
        json_t *rule;

        json_array_foreach(rules, i, rule) {
                const char *comment = json_string_value(json_object_get(rule, "comment"));

                if (comment && !strncmp(comment, mark, len) && comment[len] == ' ' &&
                    buf_printf(commands, err, "delete rule " TABLE " %s handle %lld\n", json_string_value(json_object_get(rule, "chain")),
                               (long long) json_integer_value(json_object_get(rule, "handle"))) < 0)
                        return -1;
        }
        return 0;
}

static int unpublish(const char *mark, Error *err) {
        for (unsigned try = 0;; try++) {
                _cleanup_buf_ Buf commands = BUF_INIT(COMMANDS_MAX);
                _cleanup_nft_ struct nft_ctx *nft = NULL;
                _cleanup_json_ json_t *rules = NULL;
                Error e = ERROR_INIT;

                if (nft_open(&nft, err) < 0)
                        return -1;
                if (list_rules(nft, &rules, &e) == 0 && put_removals(&commands, rules, mark, &e) == 0 &&
                    (!commands.len || nft_run(nft, commands.data, "stop forwarding ports", &e) == 0))
                        return 0;
                if (try == REMOVE_TRIES) {
                        if (err)
                                *err = e;
                        return -1;
                }
        }
}

extern const FirewallModule firewall_module_table;
__attribute__((visibility("default"))) const FirewallModule firewall_module_table = {
        .version = FIREWALL_MODULE_VERSION,
        .publish = publish,
        .unpublish = unpublish,
};
