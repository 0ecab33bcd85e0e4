/* What belongs to the container's namespaces, or to its first process for good. */

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/init/init.h"

#define KEY_USR_SEARCH 0x00080000u /* linux/key.h of the kernel: the user may search the keyring */
#define IOPRIO_WHO_PROCESS 1

static int write_sysctl(const Init *init, const PlanSetting *s, Error *err) {
        const char *value = plan_string(init->plan, s->value);
        _cleanup_close_ int fd = open_beneath(init->proc, plan_string(init->plan, s->path), O_WRONLY, 0);
        struct statfs st;

        if (fd < 0)
                return error_set_errno(err, errno == ENOENT ? ERROR_NOT_SUPPORTED : ERROR_RUNTIME, errno, "open it");
        if (fstatfs(fd, &st) < 0 || st.f_type != PROC_SUPER_MAGIC)
                return error_set(err, ERROR_RUNTIME, "it is not a file of procfs");
        if (write(fd, value, strlen(value)) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "write '%s'", value);
        return 0;
}

static int join_keyring(const Init *init, Error *err) {
        long key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, plan_string(init->plan, init->plan->process.keyring));
        char text[256], *permissions;
        long n;

        if (key < 0 && errno == ENOSYS)
                return 0; /* a kernel without keys has no session's to leave */
        if (key < 0) {
                error_set_errno(err, ERROR_RUNTIME, errno, "make a session keyring");
                return error_hint(err, "--no-new-keyring, or a higher kernel.keys.maxkeys");
        }
        /* "type;uid;gid;perm;description" */
        n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, sizeof(text) - 1);
        if (n <= 0 || (size_t) n >= sizeof(text))
                return 0;
        text[n] = '\0';
        permissions = text;
        for (int i = 0; i < 3 && permissions; i++)
                permissions = strchr(permissions, ';') ? strchr(permissions, ';') + 1 : NULL;
        if (permissions)
                (void) syscall(SYS_keyctl, KEYCTL_SETPERM, key, strtoul(permissions, NULL, 16) | KEY_USR_SEARCH);
        return 0;
}

static int set_scheduler(const PlanScheduler *s, Error *err) {
        struct sched_attr attributes = {
                .size = sizeof(attributes),
                .sched_policy = s->policy,
                .sched_flags = s->flags,
                .sched_nice = s->nice,
                .sched_priority = s->priority,
                .sched_runtime = s->runtime,
                .sched_deadline = s->deadline,
                .sched_period = s->period,
        };

        if (s->is_set && syscall(SYS_sched_setattr, 0, &attributes, 0) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "process.scheduler");
        return 0;
}

static int set_memory_policy(const Init *init, Error *err) {
        const PlanProcess *p = &init->plan->process;

        if (!(p->flags & PLAN_MEMORY_POLICY))
                return 0;
        /* The kernel takes one bit less than it is told. */
        if (syscall(SYS_set_mempolicy, p->memory_mode | p->memory_flags, plan_at(init->plan, p->memory_nodes.at),
                    p->memory_nodes.n ? p->memory_nodes.n * 64ul + 1 : 0ul) < 0)
                return error_set_errno(err, errno == ENOSYS ? ERROR_NOT_SUPPORTED : ERROR_RUNTIME, errno, "linux.memoryPolicy");
        return 0;
}

/* A new network namespace has its loopback device, down. */
static int raise_loopback(Error *err) {
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "set the loopback device up");
        return 0;
}

int settings_apply(const Init *init, Error *err) {
        const Plan *plan = init->plan;
        const PlanSetting *settings = plan_at(plan, plan->sysctl.at);
        const char *hostname = plan_string(plan, plan->hostname), *domain = plan_string(plan, plan->domainname);
        const PlanProcess *p = &plan->process;

        if ((plan->namespaces.fresh & CLONE_NEWNET) && raise_loopback(err) < 0)
                return -1;
        if (hostname && sethostname(hostname, strlen(hostname)) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "hostname");
        if (domain && setdomainname(domain, strlen(domain)) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "domainname");
        for (uint32_t i = 0; i < plan->sysctl.n; i++)
                if (write_sysctl(init, &settings[i], err) < 0)
                        return error_prefix(err, "linux.sysctl: '%s'", plan_string(plan, settings[i].place));
        if ((p->flags & PLAN_NEW_KEYRING) && join_keyring(init, err) < 0)
                return -1;
        if ((p->flags & PLAN_PERSONALITY) && personality(p->personality) < 0)
                return error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "linux.personality");
        if ((p->flags & PLAN_IO_PRIORITY) && syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, p->io_priority) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "process.ioPriority");
        if (set_scheduler(&p->scheduler, err) < 0)
                return -1;
        return set_memory_policy(init, err);
}
