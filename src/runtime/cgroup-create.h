#pragma once

/*
 * A container's cgroups as made and limited by this program itself, on v1, hybrid and v2, by the files of cgroupfs or through systemd.
 * Asking, signalling, freezing and removing them: runtime/cgroup.h.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/** One rule of `linux.resources.devices` */
typedef struct CgroupDeviceRule {
        bool allow;
        char type;            /* 'a' (all: numbers and access do not count), 'b' or 'c' */
        int64_t major, minor; /* -1: any */
        unsigned access;      /* CgroupDeviceAccess */
} CgroupDeviceRule;

typedef enum CgroupDeviceAccess {
        CGROUP_DEVICE_MKNOD = 1 << 0, /* the bits of BPF_DEVCG_ACC_* */
        CGROUP_DEVICE_READ  = 1 << 1,
        CGROUP_DEVICE_WRITE = 1 << 2,
        CGROUP_DEVICE_ALL   = 7,
} CgroupDeviceAccess;

/** The devices that runc allows every container, after the rules of its configuration; for CgroupRequest.device_rules */
extern const CgroupDeviceRule cgroup_default_devices[];
extern const size_t cgroup_n_default_devices;

/** What a container's cgroups shall be. Everything is borrowed; zero is "not said". */
typedef struct CgroupRequest {
        const char *id;
        const char *path;          /* linux.cgroupsPath; NULL or "": "/ID", of a user other than root beside our own cgroup as runc does */
        bool systemd;              /* a scope unit: @path is "SLICE:PREFIX:NAME" */
        const json_t *resources;   /* linux.resources that passed schema_resources; NULL: no limit */
        const json_t *annotations; /* org.systemd.property.* of these become properties of the unit */
        const CgroupDeviceRule *device_rules; /* applied after those of @resources; neither: every device that the parent allows */
        size_t n_device_rules;
        bool delegate;             /* the container's root shall own them: a user namespace and a writable cgroup mount */
        uid_t uid;                 /* that root on the host */
        gid_t gid;
        bool optional;             /* rootless: where we may not make any, and neither a path nor a limit is asked for, do without */
} CgroupRequest;

/** A container's cgroups, made and limited, with nobody inside */
typedef struct Cgroup {
        char **directories; /* absolute, one for each hierarchy; NULL-terminated; empty: see CgroupRequest.optional */
        char **controllers; /* of each directory as /proc/PID/cgroup names them: "cpu,cpuacct", "name=systemd", "" for v2 */
        int v2_fd;          /* for clone3(CLONE_INTO_CGROUP); -EBADF when there is no v2 hierarchy */
        int *tasks_fds;     /* one for each v1 hierarchy: the child, still single-threaded, writes "0" into each */
        size_t n_tasks;
        pid_t holder;       /* keeps a scope alive until the container is inside; ended by cgroup_free(); 0: none */
} Cgroup;

/** cgroup_free() - close and forget; the cgroups stay. With systemd: not before the container's process is inside. Returns NULL */
Cgroup *cgroup_free(Cgroup *cgroup);
static inline void cgroup_freep(Cgroup **cgroup) {
        cgroup_free(*cgroup);
}

/** Where a container's cgroups are to be; found out once, for cgroup_plan() and cgroup_create() */
typedef struct CgroupLayout CgroupLayout;
CgroupLayout *cgroup_layout_free(CgroupLayout *layout);
static inline void cgroup_layout_freep(CgroupLayout **layout) {
        cgroup_layout_free(*layout);
}

/** cgroup_layout_new() - read this host's hierarchies, and say where @request's cgroups go. Creates nothing. Errors: as cgroup_create() */
int cgroup_layout_new(const CgroupRequest *request, CgroupLayout **ret, Error *err);

/**
 * cgroup_plan() - which directories cgroup_create() will make that are not there yet
 * @ret: strv_free(); to be noted down before cgroup_create(), so that what a crash leaves can be removed; parents that are shared are
 *       not among them
 */
int cgroup_plan(const CgroupLayout *layout, char ***ret, Error *err);

/**
 * cgroup_create() - make a container's cgroups, and apply limits and device rules
 * @layout: of the same request; used up, to be freed
 * @ret:    set on success only; cgroup_free()
 *
 * On failure nothing it made is left. A cgroup that exists is used only when @request->path names it, and it holds no process, as runc does.
 *
 * Errors: NotSupported (what this host cannot limit, with its place in the spec), InvalidSpec, InvalidState (the cgroup is in use),
 * FileError, Timeout (systemd), OutOfMemory
 */
int cgroup_create(const CgroupRequest *request, CgroupLayout *layout, Cgroup **ret, Error *err);

/**
 * cgroup_open() - the descriptors of cgroups that exist, for a process that joins a container: v2_fd and tasks_fds, as after cgroup_create()
 * @directories: as Cgroup.directories; one that is gone is an error
 * @ret:         without `controllers`
 */
int cgroup_open(char *const *directories, Cgroup **ret, Error *err);

/**
 * cgroup_open_beside() - the same where a container's own processes may have divided its cgroup, as systemd does: v2 lets no process into a
 * cgroup that gives controllers to those below it, so one that joins goes where the container's init is, as with runc
 * @init: its process
 */
int cgroup_open_beside(char *const *directories, pid_t init, Cgroup **ret, Error *err);

/**
 * cgroup_update() - change the limits of a running container
 * @directories: its cgroups
 * @request:     @resources: what changes; the rest as it was created. @device_rules count only when @resources has devices
 *
 * All or nothing as far as the kernel lets: everything is checked before the first write; when a write fails, those before it are taken
 * back, and the error says what could not be.
 */
int cgroup_update(char *const *directories, const CgroupRequest *request, Error *err);

/** cgroup_hidden() - the first of them that is not there because its hierarchy is not mounted here: nobody can say what became of it. NULL: none */
const char *cgroup_hidden(char *const *directories);

/**
 * cgroup_release() - end the unit of a container with systemd, kill what is left, remove the cgroups; missing is success
 * @request: @id, @path, @systemd
 */
int cgroup_release(char *const *directories, const CgroupRequest *request, int timeout_ms, Error *err);

/**
 * cgroup_stats() - what `events --stats` prints as "data", with the names and units of runc's JSON
 * @ret: json_decref(); print it with spec_print(): "no limit" is 2^64 - 1
 *
 * What the kernel does not count is absent or 0, as in runc. `rdma` is there where runc has nothing.
 */
int cgroup_stats(char *const *directories, json_t **ret, Error *err);

/** Waiting for the kernel to kill for memory in a container */
typedef struct CgroupOom {
        int fd; /* poll it for POLLIN: an eventfd on v1, an inotify instance on v2 */
        int directory_fd;
        bool v2;
        int emptied;   /* v2: the watch that tells when nobody is left */
        uint64_t seen; /* v2: kills so far */
} CgroupOom;

/** cgroup_oom_open() - begin to watch; close with cgroup_oom_close(). Errors: NotSupported (no memory controller), FileError */
int cgroup_oom_open(char *const *directories, CgroupOom *ret, Error *err);

/**
 * cgroup_oom_read() - take what made the descriptor readable
 * @ret_killed: whether the kernel killed since the last call (v1: or ran out of memory with its killer disabled)
 * @ret_gone:   nothing more will come: on v1 the cgroup has been removed, on v2 that or its last process has ended
 */
int cgroup_oom_read(CgroupOom *oom, bool *ret_killed, bool *ret_gone, Error *err);

void cgroup_oom_close(CgroupOom *oom);

/** cgroup_is_needed() - whether `linux.resources` has limits, which are nothing without a cgroup */
bool cgroup_is_needed(const json_t *resources);
