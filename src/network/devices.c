/*
 * Devices of the host that become a container's. Each way is one request that moves, renames and numbers a device at once, so that a name
 * is taken there or not at all; the number is chosen before, because a template's name is the kernel's to find.
 */

#include <net/if.h>
#include <string.h>

#include "base/cleanup.h"
#include "network/create.h"
#include "network/netns.h"
#include "network/rtnetlink.h"

#define INDEX_FIRST 1000 /* numbers tried where a device's own one is taken */
#define INDEX_TRIES 64

typedef struct MovedDevice {
        char name[IF_NAMESIZE];
        int index, index_there; /* index_there 0: it is still here */
        bool was_up;
        SavedAddress *addresses;
        size_t n_addresses;
} MovedDevice;

struct MovedDevices {
        Netlink *there;
        size_t n;
        MovedDevice devices[];
};

MovedDevices *devices_free(MovedDevices *moved) {
        if (!moved)
                return NULL;
        for (size_t i = 0; i < moved->n; i++)
                free(moved->devices[i].addresses);
        netlink_free(moved->there);
        free(moved);
        return NULL;
}

static void devices_freep(MovedDevices **moved) {
        devices_free(*moved);
}

static int open_netlink(void *userdata, Error *err) {
        return netlink_open(userdata, err);
}

static int give_addresses(Netlink *netlink, int index, const MovedDevice *device, bool up, Error *err) {
        for (size_t i = 0; i < device->n_addresses; i++)
                if (address_restore(netlink, index, &device->addresses[i], err) < 0)
                        return -1;
        return up ? link_up(netlink, index, err) : 0;
}

/* Under the number that it has here, or the first of some others that is free there. */
static int move_numbered(Netlink *here, int netns_fd, MovedDevice *device, const char *name, Error *err) {
        for (int i = 0;; i++) {
                int index = i == 0 ? device->index : INDEX_FIRST + device->index + i;
                Error e = ERROR_INIT;

                if (link_move(here, device->index, netns_fd, name, index, &e) == 0) {
                        device->index_there = index;
                        return 0;
                }
                if (e.errnum != EBUSY || i == INDEX_TRIES) {
                        if (err)
                                *err = e;
                        return -1;
                }
        }
}

static int move_one(Netlink *here, Netlink *there, int netns_fd, const NetworkDevice *request, MovedDevice *device, Error *err) {
        const char *name = request->new_name && request->new_name[0] ? request->new_name : request->name;
        Error e = ERROR_INIT;
        Link link;

        if (link_find(here, request->name, &link, err) < 0)
                return -1;
        (void) strncpy(device->name, request->name, sizeof(device->name) - 1);
        device->index = link.index;
        device->was_up = link.is_up;
        /* The kernel finds out too, but not before it has moved a device whose old name is free there. */
        if (!strchr(name, '%') && link_find(there, name, &link, &e) == 0)
                return error_set_errno(err, ERROR_FILE, EEXIST, "the container's network has a device '%s' already", name);
        if (addresses_save(here, device->index, &device->addresses, &device->n_addresses, err) < 0 ||
            move_numbered(here, netns_fd, device, name, err) < 0)
                return -1;
        return give_addresses(there, device->index_there, device, true, err);
}

int devices_move(const NetworkDevice *devices, size_t n, int netns_fd, MovedDevices **ret, Error *err) {
        _cleanup_(devices_freep) MovedDevices *moved = calloc(1, sizeof(*moved) + n * sizeof(moved->devices[0]));
        _cleanup_(netlink_freep) Netlink *here = NULL;

        if (!moved)
                return error_oom(err);
        moved->n = n;
        if (netlink_open(&here, err) < 0 || netns_call(netns_fd, open_netlink, &moved->there, err) < 0)
                return -1;
        for (size_t i = 0; i < n; i++)
                if (move_one(here, moved->there, netns_fd, &devices[i], &moved->devices[i], err) < 0) {
                        (void) devices_return(moved, NULL);
                        return error_prefix(err, "network device '%s'", devices[i].name);
                }
        *ret = TAKE(moved);
        return 0;
}

int devices_return(MovedDevices *moved, Error *err) {
        _cleanup_(netlink_freep) Netlink *here = NULL;
        _cleanup_close_ int own = -EBADF;
        int r = 0;

        if (netns_open_own(&own, err) < 0 || netlink_open(&here, err) < 0)
                return -1;
        for (size_t i = moved->n; i-- > 0;) {
                MovedDevice *device = &moved->devices[i];

                if (device->index_there == 0)
                        continue;
                if (link_move(moved->there, device->index_there, own, device->name, device->index, r == 0 ? err : NULL) < 0 ||
                    give_addresses(here, device->index, device, device->was_up, r == 0 ? err : NULL) < 0) {
                        r = -1;
                        continue;
                }
                device->index_there = 0;
        }
        return r;
}
