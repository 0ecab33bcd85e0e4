#pragma once

/* What an overlay is made of, whichever way the kernel is asked for it. Private to the overlay driver. */

#include <stddef.h>

#include "store/driver.h"

/*
 * Unmounting an overlay writes out everything that is dirty on the whole filesystem, unless it has this option. The kernel then refuses to
 * mount it a second time, as a crash may have cost it data.
 */
#define OVERLAY_TEMPORARY "volatile"

typedef struct OverlayOption {
        const char *key, *value;
} OverlayOption;

/*
 * In a user namespace overlay keeps its notes in user.* attributes, as trusted.* ones are the host's root's alone. Linux 5.11. Source:
 * Documentation/filesystems/overlayfs.rst, "User xattr"
 */
#define OVERLAY_USER_XATTR "userxattr"

/** overlay_options - those that every overlay has; a NULL key ends them */
extern const OverlayOption overlay_options[];

/** overlay_lower_count() - how many lower directories a root has; at least 1 */
size_t overlay_lower_count(const DriverRoot *root);

/**
 * overlay_lower_open() - open the lower directory of a stack that is @index from the top
 * @userns: the container's user namespace: what is opened is a mount of its own, attached nowhere, that shifts the owners; the layer
 *          itself, which other containers share, stays as it is. -EBADF: none
 *
 * Errors: FileError, InvalidState (the layer is missing), NotSupported (the filesystem cannot shift owners)
 */
int overlay_lower_open(const DriverRoot *root, size_t index, int userns, int *ret_fd, Error *err);

/**
 * overlay_layer_open() - the same of a root that has layers, beneath @layers_fd: the store's directory of layers, or a mount that shows it
 *
 * Errors: FileError, InvalidState
 */
int overlay_layer_open(const DriverRoot *root, size_t index, int layers_fd, int *ret_fd, Error *err);

/** overlay_shift() - the same of any directory of the store's filesystem. Errors: FileError, NotSupported */
int overlay_shift(Store *store, int fd, int userns, int *ret_fd, Error *err);

/** overlay_upper_open() - open one of the container's own directories, upper/ or work/. Errors: FileError */
int overlay_upper_open(const DriverRoot *root, const char *name, int *ret_fd, Error *err);

typedef struct FdList {
        int *fds;
        size_t n;
} FdList;

void fd_list_done(FdList *list);
#define _cleanup_fd_list_ _cleanup_(fd_list_done)

/** overlay_lowers_open() - all of them, topmost first, shifted as the root's mapping says */
int overlay_lowers_open(const DriverRoot *root, FdList *ret, Error *err);

/** overlay_attach() - mount the detached overlay @mount on the container's rootfs. Errors: FileError */
int overlay_attach(const DriverRoot *root, int mount, Error *err);

/**
 * overlay_mount_by_data() - mount the stack by mount(2), whose options share one page
 *
 * Errors: FileError, InvalidState, NotSupported (too many layers for a page, or this kernel's overlay takes none that are shifted)
 */
int overlay_mount_by_data(const DriverRoot *root, Error *err);
