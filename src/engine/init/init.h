#pragma once

/*
 * The container's init before it becomes the container's process: a small static program. Single-threaded, no memory of its own but the
 * plan's, everything by descriptors: what it touches below the root is a container's, and may be hostile. Private to this folder.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "engine/init/plan.h"

typedef struct Init {
        const Plan *plan;
        const int *fds; /* that came with the plan */
        size_t n_fds;
        int socket;     /* to who made the plan; later to who says start */
        int proc;       /* /proc of the host, or of who made the plan: never the container's own */
        int root;       /* the container's root directory */
        int null;       /* the container's /dev/null (O_PATH), or -EBADF */
        int mounts;     /* PLAN_DETACHED_ROOT: the mount namespace to come back to */
        int attributes[2]; /* opened while we may: see InitAttribute */
} Init;

/** Files of /proc/self that are written once this process may no longer open them */
typedef enum InitAttribute {
        ATTRIBUTE_APPARMOR,
        ATTRIBUTE_EXEC,
} InitAttribute;

/** init_fd() - a descriptor by its place in the plan's list; -EBADF for none */
int init_fd(const Init *init, int32_t index);

/* ---- link.c: the socket ---- */

/** link_receive() - hello and plan. The plan's memory is this program's to its end */
int link_receive(Init *init, PlanHello *ret_hello, Error *err);
int link_receive_plan(Init *init, Error *err);

/** link_send() - a message, with a descriptor unless @fd is negative. A parent that is gone ends this process */
void link_send(const Init *init, InitMessageKind kind, int32_t value, int fd);

/** link_fail() - hand over the error; does not return */
_Noreturn void link_fail(const Init *init, const Error *err);

/** link_await() - one byte from the parent; when it is gone, so are we */
void link_await(const Init *init);

/** link_await_start() - until someone connects to the start socket and says so; the connection takes the place of init->socket */
void link_await_start(Init *init);

/* ---- namespaces.c ---- */

/** namespaces_enter() - cgroups, namespaces, what needs the host's privileges. May go on in another process, whose parent is ours */
int namespaces_enter(Init *init, Error *err);

/** namespaces_join() - PLAN_EXEC: into the container's */
int namespaces_join(Init *init, Error *err);

/* ---- mounts.c ---- */

int mounts_make(const Init *init, Error *err);

/** mount_new() - a file system that is attached nowhere. @data: "key=value" */
int mount_new(const char *type, const char *source, const char *const *data, size_t n_data, uint64_t attributes, int *ret_fd, Error *err);

/** mount_attach() - at an open directory or file */
int mount_attach(int mount_fd, int target_fd, Error *err);

/** mount_change() - set and clear attributes; *flags* AT_RECURSIVE */
int mount_change(int mount_fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation, int userns_fd, Error *err);

/** mount_clone() - the mount that holds @fd's directory or file, from there on, attached nowhere */
int mount_clone(int fd, const char *path, unsigned flags, int *ret_fd, Error *err);

/* ---- copy-up.c ---- */

/** copy_up() - copy what is in directory @from into @to */
int copy_up(int from, int to, Error *err);

/* ---- cgroup-mounts.c ---- */

int mount_cgroup_v1(const Init *init, const PlanMount *m, int target, Error *err);
int mount_cgroup_v2(const Init *init, const PlanMount *m, int target, Error *err);
int mount_cgroup_named(const Init *init, const PlanMount *m, int target, Error *err);

/* ---- root.c ---- */

/** root_open() - the root filesystem as a mount of its own, at its place; init->root */
int root_open(Init *init, Error *err);
/** root_enter() - it becomes "/", and nothing else can be reached */
int root_enter(const Init *init, Error *err);
/** root_finish() - what must not be seen or written */
int root_finish(const Init *init, Error *err);

/**
 * root_prepare_detached(), root_detach() - a root without a mount namespace of its own
 *
 * The root and its mounts are made in a namespace for the purpose. Then a copy of them that is attached nowhere becomes this process's root,
 * and it goes back to the namespace that it came from, which never sees them. They go with the last process that has them as its root.
 * Source: open_tree(2), OPEN_TREE_CLONE; chroot(2)
 */
int root_prepare_detached(Init *init, Error *err);
int root_detach(Init *init, Error *err);

/* ---- devices.c ---- */

int devices_make(Init *init, Error *err);

/* ---- console.c ---- */

/** console_open() - a terminal of the container's devpts: its master goes out, its other end becomes stdio and, for an init, /dev/console */
int console_open(const Init *init, Error *err);

/** stdio_place() - 0, 1 and 2 that came with the plan */
int stdio_place(const Init *init, Error *err);

/** stdio_settle() - the host's /dev/null at 0, 1 and 2 becomes the container's; the user's own */
void stdio_settle(const Init *init);

/* ---- settings.c: what belongs to a container's namespaces or to this process, and stays over exec ---- */

int settings_apply(const Init *init, Error *err);

/* ---- process.c ---- */

/** process_privileged() - what needs the host's privileges: before a user namespace is entered */
int process_privileged(Init *init, Error *err);
/** attributes_open() - open the files of /proc/self that come later */
int attributes_open(Init *init, Error *err);
/** process_label() - the security modules' labels, which count from the next exec on. That a profile is unknown is found here */
int process_label(const Init *init, Error *err);
/** program_search() - whether there is a program to run; *ret_path in @buffer */
int program_search(const Init *init, char *buffer, size_t size, Error *err);
/** process_become() - user, limits, capabilities, seccomp, hooks, exec. Returns only when it failed */
int process_become(Init *init, Error *err);

/* ---- hooks.c ---- */

/** hooks_run() - each of the list, with the container's state. @status: as the state names it */
int hooks_run(const Init *init, PlanList list, const char *status, Error *err);

/* ---- seccomp.c ---- */

int seccomp_load(const Init *init, Error *err);
