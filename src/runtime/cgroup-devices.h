#pragma once

/* Device rules, in runc's semantics on v1 and v2. Private to runtime/. */

#include <jansson.h>
#include <linux/bpf.h>

#include "runtime/cgroup-create.h"
#include "runtime/cgroup-target.h"

#define DEVICE_RULES_MAX 4096 /* rules of a container; this program's own cap */

/**
 * Rules in order, reduced to what they come to: a default, and the exceptions to it, each once, none of type 'a'. Exceptions of a default
 * of deny allow what they name whole; those of a default of allow deny what they name in part, as the kernel's v1 controller has it.
 */
typedef struct DeviceFilter {
        bool allow; /* the default */
        CgroupDeviceRule *exceptions;
        size_t n;
} DeviceFilter;

void device_filter_free(DeviceFilter *filter);
#define _cleanup_filter_ _cleanup_(device_filter_free)

/**
 * device_filter_build() - from `linux.resources.devices` and the rules after them
 * @devices: NULL: none
 *
 * It begins with a default of deny, as in runc. What v1 ignores in silence, taking something from within a wildcard, is refused.
 *
 * Errors: InvalidSpec, NotSupported, OutOfMemory
 */
int device_filter_build(const json_t *devices, const CgroupDeviceRule *after, size_t n_after, DeviceFilter *ret, Error *err);

/** device_filter_add() - apply one more rule; @place names it in errors */
int device_filter_add(DeviceFilter *filter, const CgroupDeviceRule *rule, const char *place, Error *err);

/** device_filter_apply() - make it so: v1's files where that hierarchy is, else a BPF program. Errors: NotSupported, FileError, OutOfMemory */
int device_filter_apply(const DeviceFilter *filter, const CgroupTarget *target, Error *err);

/**
 * device_program() - the filter as a BPF program of type CGROUP_DEVICE
 * @ret: free()
 */
int device_program(const DeviceFilter *filter, struct bpf_insn **ret, size_t *ret_n, Error *err);

/** device_program_attach() - attach it to a v2 cgroup in the place of one that was attached before, if any, with no moment without. */
int device_program_attach(int cgroup_fd, const struct bpf_insn *program, size_t n, bool replace, Error *err);
