#pragma once

/* Parts of a container's statistics. Private to runtime/. */

#include <jansson.h>
#include <stdint.h>

#include "runtime/cgroup-target.h"

#define STATS_TEXT_MAX (1u << 20) /* bytes of one file; memory.numa_stat and blkio's have a line for each node or device */

/** stats_read() - a whole file, or NULL when there is none; free(). Errors: FileError, OutOfMemory */
int stats_read(const CgroupTarget *target, CgroupController controller, const char *file, char **ret, Error *err);

/** stats_number() - a file's one number ("max" is UINT64_MAX). 1; 0 and *ret 0 when there is no such file; -1 */
int stats_number(const CgroupTarget *target, CgroupController controller, const char *file, uint64_t *ret, Error *err);

/** stats_key() - the number behind KEY in "KEY NUMBER" lines; 0 when there is none */
uint64_t stats_key(const char *text, const char *key);

/** stats_set() - object[key] = value, which is taken; NULL is out of memory */
int stats_set(json_t *object, const char *key, json_t *value, Error *err);

/** stats_set_number() - the same of an unsigned number; beyond int64 it is a real, as everywhere; spec_print() makes it an integer again */
int stats_set_number(json_t *object, const char *key, uint64_t value, Error *err);

/** stats_set_unless_zero() - what runc leaves out when it is 0 */
int stats_set_unless_zero(json_t *object, const char *key, uint64_t value, Error *err);

/** stats_psi() - the pressure file of @file ("cpu.pressure") as `psi` of @object, where the kernel has it */
int stats_psi(const CgroupTarget *target, const char *file, json_t *object, Error *err);

int memory_stats(const CgroupTarget *target, json_t *data, Error *err);
int io_stats(const CgroupTarget *target, json_t *data, Error *err);
int cpuset_stats(const CgroupTarget *target, json_t *data, Error *err);
