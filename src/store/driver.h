#pragma once

/*
 * Storage drivers: how a container gets its own writable root from unpacked layers. A new driver is one file in drivers/ and one line
 * in drivers/meson.build; the table is in driver.c. Generic code never compares names: differences are functions or capabilities.
 */

#include "oci/id-mapping.h"
#include "store/store.h"

typedef enum DriverCapability {
        DRIVER_NEEDS_MOUNT = 1 << 0, /* the root is a mount: gone after a reboot, mount() makes it again */
        DRIVER_IDMAP       = 1 << 1, /* can show the root with shifted owners */
} DriverCapability;

typedef struct DriverRoot {
        Store *store;
        int container_fd;        /* containers/ID/, opened in the mount namespace it is used in */
        const char *path;        /* its absolute path, for mount points and messages */
        const Digest *chain_ids; /* base first; may be none: an empty root */
        size_t n_layers;
        const IdMapping *mapping; /* the container's user namespace, for prepare() and mount() with DRIVER_IDMAP; NULL: none */
        bool temporary;          /* it goes with its container: nothing has to reach the disk, and it is mounted once only */
} DriverRoot;

typedef struct Driver {
        const char *name;
        const char *summary; /* one line for --help and docs */
        unsigned capabilities;

        /** probe() - 0 when it can be used on @store here; else -1 with the reason and a hint (NotSupported) */
        int (*probe)(Store *store, Error *err);

        /** probe_shift() - likewise whether a root with shifted owners can be had; NULL: with DRIVER_IDMAP always */
        int (*probe_shift)(Store *store, Error *err);

        /** prepare() - make the durable parts (upper/, work/, rootfs/, or the whole copy). A failure removes its own partial work */
        int (*prepare)(const DriverRoot *root, Error *err);

        /** mount() - make containers/ID/rootfs show the root, privately, in the caller's mount namespace; already mounted: success */
        int (*mount)(const DriverRoot *root, Error *err);

        /** unmount() - undo mount(); not mounted: success. Busy: lazy detach is the fallback. Reads only on-disk state and mountinfo */
        int (*unmount)(const DriverRoot *root, Error *err);

        /** remove() - undo prepare(). Must not be called while mounted: FileError EBUSY, with nothing deleted */
        int (*remove)(const DriverRoot *root, Error *err);
} Driver;

/** driver_find() - by name. Errors: InvalidArgument, naming the drivers there are */
int driver_find(const char *name, const Driver **ret, Error *err);

/**
 * driver_choose() - the named one, probed, or (NULL or "auto") the first that probes well
 * @shifted: it has to show a root with shifted owners
 *
 * Errors: NotSupported with each reason
 */
int driver_choose(Store *store, const char *name, bool shifted, const Driver **ret, Error *err);

/** driver_at() - the table's rows, best first; NULL past the end */
const Driver *driver_at(size_t index);
