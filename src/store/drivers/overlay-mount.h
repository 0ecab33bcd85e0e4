#pragma once

/* How an overlay is asked of the kernel: three ways, newest first, because no kernel has them all. */

#include "store/driver.h"

typedef enum OverlayWay {
        OVERLAY_BY_FD,   /* lowerdir+ by descriptor: Linux 6.13 */
        OVERLAY_BY_PATH, /* lowerdir+ by path: Linux 6.7; not for layers with shifted owners */
        OVERLAY_BY_DATA, /* mount(2): any, with shifted owners Linux 5.19; all of its options share one page */
        _OVERLAY_WAY_MAX,
} OverlayWay;

/**
 * overlay_mount() - mount the stack of @root on containers/ID/rootfs, in the first way this kernel has
 *
 * Errors: FileError, InvalidState (a layer is missing), NotSupported (more layers than this kernel takes)
 */
int overlay_mount(const DriverRoot *root, Error *err);

/**
 * overlay_mount_by() - the same in one way only
 *
 * Returns: 0, -1, or 1 when this kernel does not have that way (@err is set then, too)
 */
int overlay_mount_by(const DriverRoot *root, OverlayWay way, Error *err);

/** overlay_available() - whether the kernel has overlay, and lets this process mount it */
int overlay_available(Error *err);

/** overlay_takes_descriptors() - whether the kernel (Linux 6.12) takes lower directories by descriptor; @dir_fd: any directory of the store */
bool overlay_takes_descriptors(int dir_fd);

/** overlay_try() - let the kernel make an overlay of lower/, upper/ and work/ below @dir_fd, without mounting it anywhere */
int overlay_try(int dir_fd, Error *err);
