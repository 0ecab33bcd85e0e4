/* What create and run understand, and the request it makes. */

#include "cli/container-options.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/process.h"
#include "base/signals.h"

/* The values of these options are parsed by oci/, whose functions take the whole SpecOptions. */
#define TAKE_BY_SPEC(name)                                                                     \
        static int take_##name(void *target, const char *value, Error *err) {                  \
                return spec_option_##name(target, value, err);                                 \
        }

TAKE_BY_SPEC(annotation)
TAKE_BY_SPEC(cpus)
TAKE_BY_SPEC(device)
TAKE_BY_SPEC(entrypoint)
TAKE_BY_SPEC(env)
TAKE_BY_SPEC(env_file)
TAKE_BY_SPEC(memory)
TAKE_BY_SPEC(memory_swap)
TAKE_BY_SPEC(mount)
TAKE_BY_SPEC(pids_limit)
TAKE_BY_SPEC(shm_size)
TAKE_BY_SPEC(systemd)
TAKE_BY_SPEC(tmpfs)
TAKE_BY_SPEC(ulimit)
TAKE_BY_SPEC(userns)
TAKE_BY_SPEC(volume)

/* Likewise of network/, by name. */
#define TAKE_BY_NETWORK(function, name)                                                    \
        static int take_##function(void *target, const char *value, Error *err) {          \
                return network_option_take(target, name, value, err);                      \
        }

TAKE_BY_NETWORK(add_host, "add-host")
TAKE_BY_NETWORK(dns, "dns")
TAKE_BY_NETWORK(dns_search, "dns-search")
TAKE_BY_NETWORK(gateway, "gateway")
TAKE_BY_NETWORK(ip, "ip")
TAKE_BY_NETWORK(ip6, "ip6")
TAKE_BY_NETWORK(mac_address, "mac-address")
TAKE_BY_NETWORK(mtu, "mtu")
TAKE_BY_NETWORK(network, "network")
TAKE_BY_NETWORK(publish, "publish")
TAKE_BY_NETWORK(vlan, "vlan")

/* "CONTAINER:HOST:SIZE", given once for each range. */
static int take_id_map(void *target, const char *value, Error *err) {
        char **map = target, *joined;

        if (string_format(&joined, err, "%s%s%s", *map ?: "", *map ? "," : "", value) < 0)
                return -1;
        free(*map);
        *map = joined;
        return 0;
}

static int take_pull(void *target, const char *value, Error *err) {
        /* The parser has refused every other word. */
        *(PullPolicy *) target = !strcmp(value, "always") ? PULL_ALWAYS : !strcmp(value, "never") ? PULL_NEVER : PULL_MISSING;
        return 0;
}

static int take_stop_signal(void *target, const char *value, Error *err) {
        char **signal = target, *copy;

        if (signal_parse(value, &(int) { 0 }, err) < 0)
                return error_prefix(err, "option '--stop-signal'");
        if (string_copy(value, &copy, err) < 0)
                return -1;
        free(*signal);
        *signal = copy;
        return 0;
}

const Option container_options[] = {
        OPT_GROUP("Options"),
        OPT_STRING('b', "bundle", ContainerArgs, bundle, "DIR",
                   "directory with config.json and the root filesystem; the working directory when neither it nor --image is given"),
        OPT_STRING('f', "config", ContainerArgs, config, "FILE",
                   "take this in place of the bundle's config.json (not with runc); this program's own --config stands before the command"),
        OPT_STRING(0, "image", ContainerArgs, image, "IMAGE", "make the container from an image, fetched if need be"),
        OPT_STRING(0, "pid-file", ContainerArgs, pid_file, "FILE", "write the pid of the container's first process to FILE"),
        OPT_STRING(0, "console-socket", ContainerArgs, console_socket, "SOCKET", "hand the terminal's other end to who listens at SOCKET"),
        OPT_FLAG('d', "detach", ContainerArgs, detach, "leave the container running in the background; create always returns"),
        OPT_FLAG(0, "no-pivot", ContainerArgs, no_pivot, "do not use pivot_root (for a root on a ramdisk)"),
        OPT_FLAG(0, "no-new-keyring", ContainerArgs, no_new_keyring, "keep the caller's session keyring"),
        OPT_FLAG(0, "no-subreaper", ContainerArgs, no_subreaper, "in the foreground: leave processes without a parent to others"),
        OPT_INTEGER(0, "preserve-fds", ContainerArgs, preserve_fds, "N", 0, PRESERVE_FDS_MAX,
                    "hand N descriptors, from 3 on, to the container"),
        OPT_END
};

const Option container_image_options[] = {
        OPT_GROUP("With --image: the image"),
        OPT_CALL(0, "pull", ContainerArgs, pull, "missing|always|never", take_pull,
                 "when to fetch the image from its registry: when the store does not have it, unless given"),
        OPT_CALL(0, "platform", ContainerArgs, platform, "OS/ARCH[/VARIANT]", platform_take,
                 "which platform's image to take; this machine's unless given"),
        OPT_GROUP("With --image: the process"),
        OPT_CALL('e', "env", ContainerArgs, spec, "NAME[=VALUE]", take_env,
                 "set a variable; NAME alone takes it from the caller's environment"),
        OPT_CALL(0, "env-file", ContainerArgs, spec, "FILE", take_env_file, "set the variables in FILE, one NAME=VALUE a line"),
        OPT_COPY('u', "user", ContainerArgs, spec.user, "USER[:GROUP]", "who the process runs as: names of the image, or numbers"),
        OPT_COPY('w', "workdir", ContainerArgs, spec.workdir, "PATH", "the process's working directory, a path in the container"),
        OPT_CALL(0, "entrypoint", ContainerArgs, spec, "COMMAND", take_entrypoint,
                 "in place of the image's entrypoint: a command, or a JSON array"),
        OPT_FLAG('t', "tty", ContainerArgs, spec.tty, "give the process a terminal"),
        OPT_CALL(0, "stop-signal", ContainerArgs, spec.stop_signal, "SIGNAL", take_stop_signal,
                 "what 'stop' sends first, in place of the image's"),
        OPT_CALL(0, "systemd", ContainerArgs, spec, "true|false|always", take_systemd,
                 "boot it as a system container: when its command is an init (true, the default with native and lxc), or always"),
        OPT_FLAG(0, "on-boot", ContainerArgs, on_boot, "'start --on-boot', which the host runs when it has booted, starts it"),
        OPT_COPY(0, "hostname", ContainerArgs, spec.hostname, "NAME", "the container's host name; its ID unless given"),
        OPT_CALL(0, "annotation", ContainerArgs, spec, "KEY=VALUE", take_annotation, "an annotation for the runtime"),
        OPT_GROUP("With --image: files and devices"),
        OPT_CALL('v', "volume", ContainerArgs, spec, "HOST:PATH[:OPTIONS]", take_volume, "show a file or directory of the host at PATH"),
        OPT_CALL(0, "mount", ContainerArgs, spec, "KEY=VALUE[,...]", take_mount, "a mount, such as type=bind,src=/srv,dst=/srv,ro"),
        OPT_CALL(0, "tmpfs", ContainerArgs, spec, "PATH[:OPTIONS]", take_tmpfs, "an empty file system in memory at PATH"),
        OPT_CALL(0, "shm-size", ContainerArgs, spec, "BYTES", take_shm_size, "size of /dev/shm; 64m unless given"),
        OPT_CALL(0, "device", ContainerArgs, spec, "HOST[:PATH][:rwm]", take_device, "let the container use a device of the host"),
        OPT_FLAG(0, "read-only", ContainerArgs, spec.read_only, "the root filesystem can't be written"),
        OPT_STRING(0, "storage-driver", ContainerArgs, storage_driver, "DRIVER", "how the container gets a root of its own"),
        OPT_GROUP("With --image: the network"),
        OPT_CALL(0, "network", ContainerArgs, network, "MODE", take_network,
                 "none (the default), host, bridge, or bridge=NAME with a bridge of the host"),
        OPT_CALL(0, "net", ContainerArgs, network, "MODE", take_network, "the same"),
        OPT_CALL(0, "ip", ContainerArgs, network, "ADDRESS/PREFIX[,gw=GATEWAY]", take_ip,
                 "its IPv4 address on the bridge, or dhcp, which is the default without --ip and --ip6"),
        OPT_CALL(0, "ip6", ContainerArgs, network, "ADDRESS/PREFIX[,gw=GATEWAY]", take_ip6, "its IPv6 address on the bridge"),
        OPT_CALL(0, "gateway", ContainerArgs, network, "ADDRESS", take_gateway, "where packets for other networks go"),
        OPT_CALL(0, "mac-address", ContainerArgs, network, "MAC", take_mac_address, "its hardware address; made from its ID unless given"),
        OPT_CALL(0, "mtu", ContainerArgs, network, "BYTES", take_mtu, "largest packet; the bridge's unless given"),
        OPT_CALL(0, "vlan", ContainerArgs, network, "N", take_vlan, "the VLAN it is in, on a bridge that filters VLANs"),
        OPT_CALL('p', "publish", ContainerArgs, network, "[ADDRESS:]HOST:CONTAINER[/udp]", take_publish,
                 "forward a port of the host to one of the container"),
        OPT_CALL(0, "dns", ContainerArgs, network, "ADDRESS", take_dns, "a name server, in place of DHCP's or the host's"),
        OPT_CALL(0, "dns-search", ContainerArgs, network, "DOMAIN", take_dns_search, "a domain to look short names up in"),
        OPT_CALL(0, "add-host", ContainerArgs, network, "NAME:ADDRESS", take_add_host, "a name for /etc/hosts"),
        OPT_GROUP("With --image: limits"),
        OPT_CALL('m', "memory", ContainerArgs, spec, "BYTES", take_memory, "memory it may use, such as 512m"),
        OPT_CALL(0, "memory-swap", ContainerArgs, spec, "BYTES", take_memory_swap, "memory and swap together; -1 for no limit"),
        OPT_CALL(0, "cpus", ContainerArgs, spec, "N", take_cpus, "processors it may use, such as 1.5"),
        OPT_CALL(0, "pids-limit", ContainerArgs, spec, "N", take_pids_limit, "processes it may have; -1 for no limit"),
        OPT_CALL(0, "ulimit", ContainerArgs, spec, "NAME=SOFT[:HARD]", take_ulimit,
                 "a resource limit of its processes, such as nofile=1024:4096"),
        OPT_GROUP("With --image: security"),
        OPT_FLAG(0, "privileged", ContainerArgs, spec.privileged, "all capabilities and devices, no seccomp filter, nothing masked"),
        OPT_LIST(0, "cap-add", ContainerArgs, spec.cap_add, "CAPABILITY", "give a capability; 'all' for every one"),
        OPT_LIST(0, "cap-drop", ContainerArgs, spec.cap_drop, "CAPABILITY", "take a capability away; 'all' for every one"),
        OPT_LIST(0, "security-opt", ContainerArgs, spec.security_opt, "OPTION",
                 "seccomp=, apparmor=, label=, no-new-privileges, mask=, unmask=, systempaths="),
        OPT_CALL(0, "userns", ContainerArgs, spec, "MODE", take_userns,
                 "who its root is on the host: root (host: a privileged container), another user that containers share (shared) or one of "
                 "its own (own); private and auto: by /etc/subuid. Unless given: the configuration's, with native and lxc; host with "
                 "--privileged and other runtimes"),
        OPT_CALL(0, "uidmap", ContainerArgs, spec.uid_map, "CONTAINER:HOST:SIZE", take_id_map, "map a range of user ids"),
        OPT_CALL(0, "gidmap", ContainerArgs, spec.gid_map, "CONTAINER:HOST:SIZE", take_id_map, "map a range of group ids"),
        OPT_END
};

void container_args_clear(void *args) {
        spec_options_clear(&((ContainerArgs *) args)->spec);
        network_options_clear(&((ContainerArgs *) args)->network);
        platform_clear(&((ContainerArgs *) args)->platform);
}

void container_request_clear(ContainerRequest *request) {
        free(request->bundle);
        free(request->config);
        free(request->pid_file);
        free(request->console_socket);
        *request = (ContainerRequest) {};
}

int descriptors_check(int64_t n, Error *err) {
        int listen = process_listen_fds();

        for (int fd = 3; fd < 3 + listen + (int) n; fd++) {
                if (fcntl(fd, F_GETFD) >= 0)
                        continue;
                if (fd < 3 + listen)
                        return error_set(err, ERROR_INVALID_ARGUMENT, "$LISTEN_FDS is %d: descriptor %d is not open", listen, fd);
                return error_set(err, ERROR_INVALID_ARGUMENT, "--preserve-fds %d: descriptor %d is not open", (int) n, fd);
        }
        return 0;
}

/* Options and operands that mean nothing for a bundle, whose config.json says it all. */
static int check_bundle(const Call *call, Error *err) {
        for (size_t i = 0; i < call->n_given; i++)
                if (options_contain(container_image_options, call->given[i]) || options_contain(policy_options, call->given[i]) ||
                    options_contain(registry_options, call->given[i])) {
                        error_set(err, ERROR_INVALID_ARGUMENT, "option '--%s' goes with --image only", call->given[i]->name);
                        return error_hint(err, "a bundle's own config.json says how it runs");
                }
        if (call->n_operands > 1) {
                error_set(err, ERROR_INVALID_ARGUMENT, "a command ('%s') goes with --image only", call->operands[1]);
                return error_hint(err, "options stand before the ID; a bundle's config.json names its command");
        }
        return 0;
}

static int absolute_or_null(const char *path, char **ret, Error *err) {
        return path ? path_absolute(path, ret, err) : 0;
}

/* The ID, as far as the kernel takes it, unless the user has a name of their own. */
static int choose_hostname(ContainerArgs *args, const char *id, Error *err) {
        return args->spec.hostname ? 0 : string_format(&args->spec.hostname, err, "%.*s", HOST_NAME_MAX, id);
}

static int take_command(ContainerArgs *args, const Call *call, Error *err) {
        for (size_t i = 1; i < call->n_operands; i++)
                if (strv_push(&args->spec.args, call->operands[i], err) < 0)
                        return -1;
        return 0;
}

/* The container's terminal begins with the size of ours, when we have one. */
static void take_terminal_size(ContainerArgs *args) {
        struct winsize size;

        if (!args->spec.tty || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
                return;
        args->spec.tty_rows = size.ws_row;
        args->spec.tty_columns = size.ws_col;
}

int container_request(Cli *cli, const Call *call, ContainerRequest *ret, Error *err) {
        _cleanup_(container_request_clear) ContainerRequest made = {};
        ContainerArgs *args = call->args;

        if (args->image && args->bundle)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--bundle and --image exclude each other");
        if (args->image && args->config) {
                error_set(err, ERROR_INVALID_ARGUMENT, "--config and --image exclude each other");
                return error_hint(err, "this program's own configuration is named before the command: proxmox-lxcri --config FILE create");
        }
        if (args->on_boot && args->remove)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--on-boot and --rm exclude each other");
        if (!args->image && check_bundle(call, err) < 0)
                return -1;
        if (descriptors_check(args->preserve_fds, err) < 0)
                return -1;
        if (args->image && (take_command(args, call, err) < 0 || choose_hostname(args, call->operands[0], err) < 0))
                return -1;
        if ((!args->image && path_absolute(args->bundle ?: ".", &made.bundle, err) < 0) ||
            absolute_or_null(args->config, &made.config, err) < 0 ||
            absolute_or_null(args->pid_file, &made.pid_file, err) < 0 ||
            absolute_or_null(args->console_socket, &made.console_socket, err) < 0)
                return -1;
        take_terminal_size(args);

        made.request = (CreateRequest) {
                .id = call->operands[0],
                .bundle = made.bundle,
                .config = made.config,
                .image = args->image,
                .pull = args->pull,
                .platform = args->platform.os ? &args->platform : NULL,
                .registry = args->image ? &ret->registry : NULL,
                .signature_policy = args->registry.signature_policy,
                .storage_driver = args->storage_driver,
                .options = &args->spec,
                .network = &args->network,
                .pid_file = made.pid_file,
                .console_socket = made.console_socket,
                .no_pivot = args->no_pivot,
                .no_new_keyring = args->no_new_keyring,
                .no_subreaper = args->no_subreaper,
                .preserve_fds = (int) args->preserve_fds,
                .listen_fds = process_listen_fds(),
                .detach = args->detach,
                .remove = args->remove,
                .keep = args->keep,
                .on_boot = args->on_boot,
        };
        made.registry = registry_request(cli, call, &args->registry);
        if (args->image && lifecycle_enter(&cli->lifecycle, NULL, err) < 0)
                return -1;
        *ret = made;
        made = (ContainerRequest) {};
        return 0;
}
