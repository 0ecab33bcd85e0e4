/*
 * Which system calls a container may make unless it asks otherwise: the verdicts of podman's default profile, as Debian 13 ships it in
 * /usr/share/containers/seccomp.json; the unit test names the few that Debian 12's sees otherwise. What stands in no row is answered
 * ENOSYS, so that a C library takes its fallback; what is known and dangerous is answered EPERM.
 */

#include "oci/spec-seccomp.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/personality.h>
#include <stddef.h>
#include <sys/socket.h>

const SeccompRow seccomp_rows[] = {
        /* old, or able to change or probe the whole host */
        { SECCOMP_ALWAYS, SECCOMP_ERRNO, EPERM, .names =
          "bdflush cachestat futex_requeue futex_wait futex_waitv futex_wake io_pgetevents io_pgetevents_time64 kexec_file_load "
          "kexec_load map_shadow_stack migrate_pages move_pages nfsservctl nice oldfstat oldlstat oldolduname oldstat olduname "
          "pciconfig_iobase pciconfig_read pciconfig_write sgetmask ssetmask swapoff swapon syscall sysfs uselib userfaultfd ustat "
          "vm86 vm86old vmsplice"
        },
        /* files and directories */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 "
          "fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync flock fstat "
          "fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd getdents getdents64 ioctl lchown lchown32 "
          "link linkat _llseek lseek lstat lstat64 mkdir mkdirat mknod mknodat name_to_handle_at newfstatat open openat openat2 "
          "pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readdir readlink readlinkat readv rename renameat "
          "renameat2 rmdir stat stat64 statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs truncate truncate64 umask "
          "unlink unlinkat utime utimensat utimensat_time64 utimes write writev"
        },
        /* extended attributes */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "fgetxattr flistxattr fremovexattr fsetxattr getxattr lgetxattr listxattr llistxattr lremovexattr lsetxattr removexattr "
          "setxattr"
        },
        /* mounts; the kernel asks for CAP_SYS_ADMIN */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree pivot_root umount umount2"
        },
        /* waiting for events */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 "
          "fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_setup "
          "io_submit _newselect poll ppoll ppoll_time64 pselect6 pselect6_time64 select"
        },
        /* pipes and copying between descriptors */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "pipe pipe2 sendfile sendfile64 splice tee"
        },
        /* sockets */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64 recvmsg "
          "send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair"
        },
        /* System V and POSIX IPC */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink "
          "msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget"
        },
        /* memory */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "brk get_mempolicy madvise mbind membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 mprotect "
          "mremap msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect process_mrelease remap_file_pages "
          "set_mempolicy"
        },
        /* processes and threads */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "alarm clone clone3 execve execveat exit exit_group fork futex futex_time64 get_robust_list get_thread_area getcpu getpgid "
          "getpgrp getpid getppid getpriority getsid gettid ioprio_get ioprio_set kill pause pidfd_getfd pidfd_open pidfd_send_signal "
          "prctl process_vm_readv process_vm_writev ptrace restart_syscall rseq sched_get_priority_max sched_get_priority_min "
          "sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
          "sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield set_robust_list set_thread_area "
          "set_tid_address setns setpgid setpriority setsid tgkill tkill unshare vfork wait4 waitid waitpid"
        },
        /* signals */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait "
          "rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaction sigaltstack signal signalfd signalfd4 sigpending sigprocmask "
          "sigreturn sigsuspend"
        },
        /* clocks and timers */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
          "clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create timer_delete timer_getoverrun "
          "timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 "
          "timerfd_settime timerfd_settime64 times"
        },
        /* users, groups and capabilities */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "capget capset getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getresgid getresgid32 getresuid "
          "getresuid32 getuid getuid32 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setregid "
          "setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setuid setuid32"
        },
        /* limits and the system */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "getrandom getrlimit getrusage prlimit64 reboot setrlimit sysinfo syslog ugetrlimit uname"
        },
        /* keys and sandboxes */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names =
          "keyctl landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp"
        },

        /* the execution domains of setarch(8) without ADDR_NO_RANDOMIZE and the like; all ones only asks */
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names = "personality", .args = { { 0, SECCOMP_EQ, PER_LINUX } } },
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names = "personality", .args = { { 0, SECCOMP_EQ, PER_LINUX32 } } },
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names = "personality", .args = { { 0, SECCOMP_EQ, UNAME26 } } },
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names = "personality", .args = { { 0, SECCOMP_EQ, UNAME26 | PER_LINUX32 } } },
        { SECCOMP_ALWAYS, SECCOMP_ALLOW, .names = "personality", .args = { { 0, SECCOMP_EQ, 0xffffffff } } },

        /* what only some machines have */
        { SECCOMP_ON_ARCH, SECCOMP_ALLOW, .arches = "ppc64le", .names = "swapcontext sync_file_range2" },
        { SECCOMP_ON_ARCH, SECCOMP_ALLOW, .arches = "riscv64", .names = "riscv_flush_icache" },
        { SECCOMP_ON_ARCH, SECCOMP_ALLOW, .arches = "arm arm64", .names =
          "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2" },
        { SECCOMP_ON_ARCH, SECCOMP_ALLOW, .arches = "amd64 x32", .names = "arch_prctl" },
        { SECCOMP_ON_ARCH, SECCOMP_ALLOW, .arches = "amd64 x32 x86", .names = "modify_ldt" },
        { SECCOMP_ON_ARCH, SECCOMP_ALLOW, .arches = "s390 s390x", .names = "s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr" },

        /* what a capability guards; see capabilities(7) */
        { SECCOMP_BY_CAPABILITY, .capability = CAP_DAC_READ_SEARCH, .names = "open_by_handle_at" },
        { SECCOMP_BY_CAPABILITY, .capability = CAP_SYS_ADMIN, .names =
          "fanotify_init lookup_dcookie quotactl quotactl_fd setdomainname sethostname setns" },
        { SECCOMP_BY_CAPABILITY, .capability = CAP_SYS_ADMIN, .or_capability = CAP_BPF, .names = "bpf" },
        { SECCOMP_BY_CAPABILITY, .capability = CAP_SYS_ADMIN, .or_capability = CAP_PERFMON, .names = "perf_event_open" },
        { SECCOMP_BY_CAPABILITY, .capability = CAP_SYS_CHROOT, .names = "chroot" },
        { SECCOMP_BY_CAPABILITY, .capability = CAP_SYS_MODULE, .names = "delete_module finit_module init_module query_module" },
        { SECCOMP_BY_CAPABILITY, .capability = CAP_SYS_PACCT, .names = "acct" },
        { SECCOMP_BY_CAPABILITY, .capability = CAP_SYS_PTRACE, .names = "kcmp process_madvise" },
        { SECCOMP_BY_CAPABILITY, .capability = CAP_SYS_RAWIO, .names = "ioperm iopl" },
        { SECCOMP_BY_CAPABILITY, .capability = CAP_SYS_TIME, .names = "clock_settime clock_settime64 settimeofday stime" },
        { SECCOMP_BY_CAPABILITY, .capability = CAP_SYS_TTY_CONFIG, .names = "vhangup" },

        /* every socket but the audit one, which without its capability does not exist */
        { SECCOMP_WITHOUT, SECCOMP_ERRNO, EINVAL, .capability = CAP_AUDIT_WRITE, .names = "socket",
          .args = { { 0, SECCOMP_EQ, AF_NETLINK }, { 2, SECCOMP_EQ, NETLINK_AUDIT } } },
        { SECCOMP_WITHOUT, SECCOMP_ALLOW, .capability = CAP_AUDIT_WRITE, .names = "socket", .args = { { 2, SECCOMP_NE, NETLINK_AUDIT } } },
        { SECCOMP_WITHOUT, SECCOMP_ALLOW, .capability = CAP_AUDIT_WRITE, .names = "socket", .args = { { 0, SECCOMP_NE, AF_NETLINK } } },
        { SECCOMP_WITH, SECCOMP_ALLOW, .capability = CAP_AUDIT_WRITE, .names = "socket" },
        { .names = NULL },
};
