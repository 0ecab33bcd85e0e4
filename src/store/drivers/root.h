#pragma once

/* What drivers do alike with a container's root. Private to drivers/. */

#include "store/driver.h"

/** layer_files_open() - a layer's files, O_RDONLY or O_PATH. @layers_fd: store_layers_fd(). Errors: InvalidState (not unpacked), FileError */
int layer_files_open(int layers_fd, const Digest *chain_id, int access, int *ret, Error *err);

/** root_unmount() - Driver.unmount of whoever mounts on rootfs/ */
int root_unmount(const DriverRoot *root, Error *err);

/** root_remove_parts() - those of containers/ID/ that exist */
int root_remove_parts(const DriverRoot *root, const char *const *parts, size_t n, Error *err);

/** root_remove() - the same, as Driver.remove has to: nothing while anything is mounted there */
int root_remove(const DriverRoot *root, const char *const *parts, size_t n, Error *err);
