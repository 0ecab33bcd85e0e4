#pragma once

/*
 * Limits as data: each part of `linux.resources` becomes a list of "write this to that file" for the version of cgroups its controller is
 * on. Nothing is written before all of it is known to be right. Private to runtime/.
 */

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"
#include "runtime/cgroup-target.h"

#define CGROUP_FILE_TEXT_MAX (64u << 10) /* bytes of one of a cgroup's files; a line for each block device */

typedef enum SettingFlags {
        SETTING_LATER    = 1 << 0, /* the kernel compares it with what follows: when refused as invalid, tried again after its controller's others */
        SETTING_HARMLESS = 1 << 1, /* lifts a limit: where there is no such file there is nothing to lift */
        SETTING_KEYED    = 1 << 2, /* a file of lines "KEY VALUE…"; the value's first word is the key */
} SettingFlags;

typedef struct CgroupSetting {
        CgroupController controller;
        unsigned flags;
        char *file;
        char *value;
        char *place;      /* "linux.resources.memory.limit" */
        const char *lack; /* what it means when the file is not there */
        const char *reset; /* SETTING_KEYED: what takes a line back that was not there before */
        char *old;        /* what it was before an update */
        bool written, again;
} CgroupSetting;

typedef struct CgroupSettings {
        CgroupSetting *all;
        size_t n;
} CgroupSettings;

void cgroup_settings_free(CgroupSettings *settings);
#define _cleanup_settings_ _cleanup_(cgroup_settings_free)

/**
 * cgroup_settings_build() - everything `linux.resources` asks for, but for the devices
 * @target: its files are looked at, and nothing is written
 *
 * Errors: InvalidSpec, NotSupported (what this host cannot limit), FileError, OutOfMemory
 */
int cgroup_settings_build(const json_t *resources, const CgroupTarget *target, CgroupSettings *ret, Error *err);

/**
 * cgroup_settings_apply() - write them
 *
 * With @target->update what was there before is noted, and written back when one of them fails.
 */
int cgroup_settings_apply(CgroupSettings *settings, const CgroupTarget *target, Error *err);

/** cgroup_settings_undo() - write back what was there before an update; what cannot be is added to @err, which holds the reason for it all */
void cgroup_settings_undo(CgroupSettings *settings, const CgroupTarget *target, Error *err);

/** resources_need() - the controllers that `linux.resources` asks for, as bits (1 << CgroupController); what says nothing needs none */
unsigned resources_need(const json_t *resources);

/** resources_mentioned() - the same of whatever it has a member for, even if that says nothing */
unsigned resources_mentioned(const json_t *resources);

/* For the files that build the parts. A part's table or code stands in one file for both versions. */

/** A setting as its part knows it; place and file may be formatted on the stack */
typedef struct NewSetting {
        CgroupController controller;
        unsigned flags;
        const char *file, *place, *lack, *reset;
} NewSetting;

/** setting_add() - append one; the value by format. Errors: OutOfMemory */
int setting_add(CgroupSettings *settings, NewSetting setting, Error *err, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** setting_unsupported() - "PLACE: WHY", as NotSupported; always -1 */
int setting_unsupported(const char *place, Error *err, const char *why) __attribute__((cold));

/** target_need() - that the host has a controller for containers. Errors: NotSupported, saying why not */
int target_need(const CgroupTarget *target, CgroupController controller, const char *place, Error *err);

/** target_has() - whether a controller's directory has a file */
bool target_has(const CgroupTarget *target, CgroupController controller, const char *file);

/** target_read() - a number from a file ("max" is UINT64_MAX). 1; 0 when there is no such file; -1 */
int target_read(const CgroupTarget *target, CgroupController controller, const char *file, uint64_t *ret, Error *err);

/**
 * Numbers of the spec. Absent, null and 0 leave *ret at 0, which is "not said", as runc reads it. Errors: InvalidSpec
 */
int spec_limit(const json_t *object, const char *key, const char *where, int64_t *ret, Error *err);   /* int64, -1: none */
int spec_unsigned(const json_t *object, const char *key, const char *where, uint64_t *ret, Error *err); /* 2^63 and more are reals */

int memory_settings(const json_t *memory, const CgroupTarget *target, CgroupSettings *settings, Error *err);
int cpu_settings(const json_t *cpu, const CgroupTarget *target, CgroupSettings *settings, Error *err);
int io_settings(const json_t *block_io, const CgroupTarget *target, CgroupSettings *settings, Error *err);
int pids_settings(const json_t *pids, const CgroupTarget *target, CgroupSettings *settings, Error *err);
int hugepage_settings(const json_t *limits, const CgroupTarget *target, CgroupSettings *settings, Error *err);
int network_settings(const json_t *network, const CgroupTarget *target, CgroupSettings *settings, Error *err);
int rdma_settings(const json_t *rdma, const CgroupTarget *target, CgroupSettings *settings, Error *err);
int unified_settings(const json_t *unified, const CgroupTarget *target, CgroupSettings *settings, Error *err);

/* Conversions from v1's scales. Sources: crun(1), "CGROUP v2"; opencontainers/cgroups, utils.go */
uint64_t cpu_weight_from_shares(uint64_t shares); /* 2 … 262144 → 1 … 10000; 1024 → 100 */
uint64_t io_weight_from_blkio(uint64_t weight);   /* 10 … 1000 → 1 … 10000 */
