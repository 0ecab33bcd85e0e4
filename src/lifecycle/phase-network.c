/*
 * The network of a container made from an image, a part of phase 6: its options are kept in the store, so that every start makes it anew;
 * what is made is recorded in ROOT/ID, and goes with it.
 */

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/json.h"
#include "lifecycle/ids.h"
#include "lifecycle/namespace.h"
#include "lifecycle/phases.h"
#include "network/network.h"

/* Without a network there is nothing for /etc to say, unless the user has something. */
static bool needs_files(const NetworkOptions *options) {
        return options->mode != NETWORK_NONE || options->dns || options->dns_search || options->add_host;
}

static int write_files(const Transaction *t, const NetworkOptions *options, const char *hostname, const NetworkRecord *record,
                       json_t *others, Error *err) {
        NetworkFiles files = {
                .id = t->dir->id,
                .hostname = hostname,
                .options = options,
                .record = record,
                .others = others,
        };
        uint32_t id;

        if (t->mapping && id_map_host(&t->mapping->uids, 0, &id))
                files.uid = id;
        if (t->mapping && id_map_host(&t->mapping->gids, 0, &id))
                files.gid = id;
        return network_files_write(t->container_fd, &files, err);
}

int prepare_network(Transaction *t, SpecOptions *options, Error *err) {
        NetworkOptions *network = t->request->network;

        if (!network)
                return 0;
        if (network_options_check(network, t->lifecycle->config->network_bridge, err) < 0)
                return -1;
        if (network->mode == NETWORK_BRIDGE && t->lifecycle->rootless_user) {
                error_set(err, ERROR_NOT_SUPPORTED, "a network on a bridge: the host's bridges are root's");
                return error_hint(err, "a user without privileges has --network none, which is the default, and --network host");
        }
        if (!needs_files(network))
                return 0;
        if (write_files(t, network, options->hostname, NULL, NULL, err) < 0 || network_options_save(t->container_fd, network, err) < 0 ||
            string_copy(t->container_path, &options->etc_path, err) < 0)
                return -1;
        options->host_network = network->mode == NETWORK_HOST;
        if (network->mode != NETWORK_BRIDGE)
                return 0;
        if (string_format(&options->netns_path, err, "%s/" NETWORK_NETNS, t->dir->path) < 0)
                return -1;
        return t->mapping ? string_format(&options->userns_path, err, "%s/" NETWORK_USERNS, t->dir->path) : 0;
}

/* Adds the names of one container, when it is on the same bridge. */
static int add_other(const Transaction *t, const char *id, const NetworkRecord *own, json_t *others, Error *err) {
        _cleanup_(network_record_freep) NetworkRecord *record = NULL;
        char text[ADDRESS_TEXT_MAX];
        _cleanup_close_ int fd = openat(t->dir->root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        const NetworkAddress *address;

        /* One that comes or goes meanwhile, or cannot be read, is not ours to fail for. */
        if (fd < 0 || network_record_load(fd, &record, NULL) < 0 || !record || !record->complete || strcmp(record->bridge, own->bridge) ||
            record->vlan != own->vlan)
                return 0;
        address = record->ip.family ? &record->ip : &record->ip6;
        if (!address->family)
                return 0;
        return json_object_set_new(others, id, json_string(address_text(address, false, text))) < 0 ? error_oom(err) : 0;
}

static int find_others(const Transaction *t, const NetworkRecord *own, json_t **ret, Error *err) {
        _cleanup_json_ json_t *others = json_object();
        _cleanup_closedir_ DIR *root = NULL;
        struct dirent *entry;

        if (!others)
                return error_oom(err);
        if (dir_read(t->dir->root_fd, &root, err) < 0)
                return -1;
        while ((entry = dir_next(root)))
                if (strcmp(entry->d_name, t->dir->id) && json_object_size(others) < NETWORK_LIST_MAX &&
                    add_other(t, entry->d_name, own, others, err) < 0)
                        return -1;
        *ret = TAKE(others);
        return 0;
}

static int make_network_of(Transaction *t, const NetworkOptions *options, const char *hostname, Error *err) {
        const NetworkRequest request = {
                .root = t->lifecycle->root,
                .id = t->dir->id,
                .dir_fd = t->dir->fd,
                .dir_path = t->dir->path,
                .options = options,
                .mapping = t->mapping,
                .hostname = hostname,
                .dhcp_timeout = (unsigned) t->lifecycle->config->dhcp_timeout,
                .interrupted = t->lifecycle->interrupted,
        };
        _cleanup_(network_record_freep) NetworkRecord *record = NULL;
        _cleanup_json_ json_t *others = NULL;
        const NetworkModule *module;

        if (options->mode != NETWORK_BRIDGE)
                return 0;
        module = network_module(err);
        if (!module || module->create(&request, &record, err) < 0)
                return -1;
        if (find_others(t, record, &others, err) < 0)
                return -1;
        return write_files(t, options, hostname, record, others, err);
}

int make_network(Transaction *t, const SpecOptions *options, Error *err) {
        if (!t->request->network)
                return 0;
        return make_network_of(t, t->request->network, options->hostname, err);
}

int make_network_again(Transaction *t, Error *err) {
        NetworkOptions options;
        int r;

        if (network_options_load(t->container_fd, &options, err) < 0)
                return -1;
        t->skipped = options.mode == NETWORK_NONE;
        r = network_options_check(&options, t->lifecycle->config->network_bridge, err);
        if (r == 0 && options.mode == NETWORK_HOST)
                r = write_files(t, &options, t->record->hostname, NULL, NULL, err);
        if (r == 0)
                r = make_network_of(t, &options, t->record->hostname, err);
        if (r == 0)
                r = fault_point("configure.middle", err);
        network_options_clear(&options);
        return r;
}

typedef struct Removal {
        const NetworkModule *module;
        const NetworkRecord *record;
        const char *path;
} Removal;

/* Opens the directory anew: mounts are seen only by descriptors of the mount namespace they were made in. */
static int remove_here(void *userdata, Error *err) {
        const Removal *removal = userdata;
        _cleanup_close_ int fd = open(removal->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? 0 : error_set_errno(err, ERROR_FILE, errno, "open '%s'", removal->path);
        return removal->module->remove(fd, removal->path, removal->record, err);
}

int remove_network(Undo *undo, Error *err) {
        _cleanup_(network_record_freep) NetworkRecord *record = NULL;
        Removal removal;

        /* What an earlier boot made is gone with it, but for files, which go with the directory. */
        if (!undo->journal || !undo->same_boot)
                return 0;
        if (network_record_load(undo->dir->fd, &record, err) < 0)
                return -1;
        if (!record)
                return 0;
        /* Loaded here: in another mount namespace its file may not be found. */
        removal = (Removal) { .module = network_module(err), .record = record, .path = undo->dir->path };
        if (!removal.module || (record->published && !firewall_module(err)))
                return -1;
        return namespace_call(undo->journal->header.mount_namespace, &undo->journal->monitor, remove_here, &removal, err);
}
