#pragma once

/*
 * What the parent tells the init: a plan, one flat piece of memory in which every reference is an offset from its start. The init reads it
 * in place, and needs neither a parser nor memory of its own. Both come of one build: the version is the proof.
 *
 * Descriptors travel beside it (SCM_RIGHTS): a plan names each by its place in that list, -1 for none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_VERSION  4u
#define PLAN_SIZE_MAX (64u << 20) /* bytes: arguments and environment of a configuration of 16 MiB, and what stands around them */
#define PLAN_FDS_MAX  240         /* descriptors that one message takes: SCM_MAX_FD is 253 */

typedef uint32_t PlanRef; /* offset of bytes in the plan; 0: none */
typedef struct PlanList {
        PlanRef at; /* of the first element */
        uint32_t n;
} PlanList;
typedef PlanList PlanStrings; /* elements are PlanRef of strings */

typedef enum PlanKind {
        PLAN_CREATE, /* a container's init: builds everything, then waits for start */
        PLAN_EXEC,   /* one more process in a container */
} PlanKind;

/** Namespaces by their clone flags */
typedef struct PlanNamespaces {
        uint64_t fresh;       /* to be made (CLONE_NEW…) */
        uint64_t cloned;      /* of these, the launcher has made already */
        int32_t paths[8];     /* by PlanNamespace: descriptors of those to be joined, or -1 */
        PlanRef uid_map, gid_map; /* for a fresh user namespace: text for the kernel */
        PlanRef time_offsets; /* text for timens_offsets */
        int32_t container;    /* PLAN_EXEC: pidfd of the container's init */
        uint64_t container_flags; /* PLAN_EXEC: which of its namespaces to join */
        int32_t container_root;   /* PLAN_EXEC: its root directory */
} PlanNamespaces;

typedef enum PlanNamespace {
        NAMESPACE_USER,
        NAMESPACE_MOUNT,
        NAMESPACE_NETWORK,
        NAMESPACE_IPC,
        NAMESPACE_UTS,
        NAMESPACE_CGROUP,
        NAMESPACE_TIME,
        NAMESPACE_PID,
        _NAMESPACE_MAX,
} PlanNamespace;

typedef enum PlanMountKind {
        PLAN_MOUNT_FS,        /* a new mount of a file system */
        PLAN_MOUNT_BIND,
        PLAN_MOUNT_CGROUP_V1, /* a tmpfs with the container's cgroup of each hierarchy in it */
        PLAN_MOUNT_CGROUP_V2, /* the container's own cgroup, or the whole hierarchy */
        PLAN_MOUNT_CGROUP_NAMED, /* its cgroup of the one v1 hierarchy that `data` names: "name=systemd" */
} PlanMountKind;

typedef enum PlanMountFlags {
        PLAN_MOUNT_RECURSIVE = 1 << 0, /* rbind */
        PLAN_MOUNT_COPY_UP   = 1 << 1, /* tmpcopyup */
        PLAN_MOUNT_NO_FOLLOW = 1 << 2, /* of a source or destination that is a symlink, the link itself */
} PlanMountFlags;

typedef struct PlanMount {
        uint32_t kind, flags;
        PlanRef source, target, type;
        PlanRef place;          /* "mounts[3]", for errors */
        PlanStrings data;       /* options of the file system: "key=value" or "key" */
        uint64_t attr_set, attr_clear;   /* MOUNT_ATTR_* */
        uint64_t all_set, all_clear;     /* the same, recursively (rro, …) */
        PlanList propagation;   /* uint64_t: MS_SHARED, …, with MS_REC */
        int32_t fd;             /* a detached mount that the parent has made of the source; -1: the init opens it */
} PlanMount;

typedef struct PlanDevice {
        PlanRef path;
        uint32_t mode; /* type and permissions */
        uint32_t uid, gid;
        uint32_t major, minor;
} PlanDevice;

typedef struct PlanCgroup { /* of one hierarchy, for mounts of type cgroup */
        PlanRef directory;   /* the container's on the host */
        PlanRef controllers; /* "cpu,cpuacct" */
        PlanRef name;        /* what its mount point on the host is called */
} PlanCgroup;

typedef struct PlanHook {
        PlanRef path, place;
        PlanStrings args, env;
        uint32_t timeout; /* seconds; 0: none */
} PlanHook;

typedef struct PlanRlimit {
        uint32_t resource;
        PlanRef place;
        uint64_t soft, hard;
} PlanRlimit;

typedef struct PlanSetting { /* a file below /proc/sys */
        PlanRef path, value, place;
} PlanSetting;

typedef struct PlanCapabilities {
        uint64_t bounding, effective, inheritable, permitted, ambient;
} PlanCapabilities;

typedef struct PlanScheduler { /* struct sched_attr */
        uint32_t is_set, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
} PlanScheduler;

typedef enum PlanProcessFlags {
        PLAN_TERMINAL          = 1 << 0,
        PLAN_CAPABILITIES      = 1 << 1, /* process.capabilities is there */
        PLAN_NO_NEW_PRIVILEGES = 1 << 2,
        PLAN_OOM_SCORE         = 1 << 3,
        PLAN_UMASK             = 1 << 4,
        PLAN_SET_GROUPS        = 1 << 5,
        PLAN_IO_PRIORITY       = 1 << 6,
        PLAN_MEMORY_POLICY     = 1 << 7,
        PLAN_PERSONALITY       = 1 << 8,
        PLAN_HOME              = 1 << 9, /* $HOME is not in the environment: the passwd file's */
        PLAN_NEW_KEYRING       = 1 << 10,
        PLAN_CONSOLE_SIZE      = 1 << 11,
} PlanProcessFlags;

typedef struct PlanProcess {
        uint32_t flags;
        PlanStrings args, env;
        PlanRef cwd;
        uint32_t uid, gid, umask;
        PlanList groups; /* uint32_t */
        PlanCapabilities capabilities;
        PlanList rlimits; /* PlanRlimit */
        int32_t oom_score;
        PlanRef apparmor, selinux;
        PlanScheduler scheduler;
        uint32_t io_priority;
        PlanList affinity_initial, affinity_final; /* bytes of a cpu_set_t; n 0: none */
        uint32_t memory_mode, memory_flags;
        PlanList memory_nodes; /* uint64_t words of a node mask */
        uint32_t personality;
        uint32_t rows, columns;
        int32_t console;   /* connected socket that is sent the terminal's master; -1: the parent is */
        PlanList seccomp;  /* struct sock_filter (8 bytes) */
        uint32_t seccomp_flags;
        uint32_t preserve_fds; /* descriptors 3 … that stay open */
        int32_t stdio[3];      /* -1: as the launcher left them */
        PlanRef keyring;       /* name of the session keyring */
} PlanProcess;

typedef enum PlanFlags {
        PLAN_READONLY_ROOT  = 1 << 0,
        PLAN_NO_PIVOT       = 1 << 1,
        PLAN_OUTER_HOOKS    = 1 << 2, /* the parent has hooks to run, or devices to bring, before the root is entered */
        PLAN_DEVICES_BOUND  = 1 << 3, /* devices are bound from the host, not made: a user namespace cannot */
        PLAN_SET_UP_DEV     = 1 << 4, /* default devices and links: /dev is not the host's */
        PLAN_START_AT_ONCE  = 1 << 5, /* do not wait: whoever made the plan starts it */
        PLAN_DETACHED_ROOT  = 1 << 6, /* no mount namespace of its own: its root and mounts end attached nowhere, see root_detach() */
} PlanFlags;

typedef struct Plan {
        uint32_t version, size; /* PLAN_VERSION; bytes of the whole */
        uint32_t kind, flags;
        PlanNamespaces namespaces;
        PlanList tasks; /* int32_t: descriptors of cgroup v1 `tasks`, or of cgroup.procs, to write "0" into */

        /* PLAN_CREATE */
        PlanRef root;         /* absolute path of the root filesystem on the host */
        int32_t root_fd;      /* a detached mount of it, made by the parent; -1: the init makes it */
        int32_t proc_fd;      /* /proc as the parent sees it */
        uint64_t propagation; /* of all mounts, first: MS_SLAVE | MS_REC */
        uint64_t root_propagation; /* of the root at last; 0: as it is */
        PlanList mounts;      /* PlanMount */
        PlanList devices;     /* PlanDevice */
        PlanList cgroups;     /* PlanCgroup */
        PlanStrings masked, readonly;
        PlanList sysctl;      /* PlanSetting */
        PlanRef hostname, domainname;
        PlanList create_hooks, start_hooks; /* PlanHook */
        PlanRef state_head;   /* the state for hooks, without the fields that change, as JSON up to its last "}" */
        int32_t start_fd;     /* listening socket on which start comes */

        PlanProcess process;
} Plan;

/** plan_at() - what a reference points to; NULL for none */
static inline const void *plan_at(const Plan *plan, PlanRef ref) {
        return ref ? (const char *) plan + ref : NULL;
}

static inline const char *plan_string(const Plan *plan, PlanRef ref) {
        return plan_at(plan, ref);
}

/* ---- messages ---- */

/** Before the plan, so that the init can work while the parent makes the cgroups */
typedef struct PlanHello {
        uint32_t version;
        uint32_t kind;
        uint32_t announce; /* answer with INIT_ANNOUNCED */
        uint32_t reserved;
        uint64_t early;    /* clone flags: namespaces to make now, which take the kernel long; to the plan they are there already */
} PlanHello;

/** In front of a plan; the descriptors come with it, n_fds of them in as many messages as it takes */
typedef struct PlanHeader {
        uint32_t version, size, n_fds, reserved;
} PlanHeader;

typedef enum InitMessageKind {
        INIT_FAILED,    /* an Error follows */
        INIT_ANNOUNCED, /* runs, and waits for its plan */
        INIT_PID,       /* value: the pid of the process that goes on; this one ends */
        INIT_MOUNTED,   /* the outer hooks may run; answered by one byte */
        INIT_READY,     /* waits for start */
        INIT_CONSOLE,   /* the terminal's master comes with it */
        INIT_LISTENER,  /* value: the number under which the listener's descriptor will appear; the page to answer in comes with it */
        INIT_EXECUTED,  /* not sent: the socket's end by close-on-exec says so */
} InitMessageKind;

typedef struct InitMessage {
        uint32_t kind;
        int32_t value;
} InitMessage;
