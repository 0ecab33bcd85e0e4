/*
 * Starting the init: one clone3() that shares our memory until it has executed (nothing is copied), born into the container's cgroup where
 * that is version 2, from a copy of the program's mount that nobody can write.
 */

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/launch-fds.h"
#include "backends/native/native.h"
#include "base/cleanup.h"
#include "base/process.h"

#define STACK_SIZE 65536 /* bytes, of the child until it executes */

typedef struct Child {
        const EngineLaunch *launch;
        int program;
        char *const *argv;
        int failure; /* errno; shared memory brings it back */
} Child;

/*
 * clone3() with a function for the child, which glibc keeps for itself. The child has a stack of its own: on ours it would overwrite what
 * we return to.
 */
static long clone_with(struct clone_args *args, int (*function)(void *), void *argument) {
        long result;

#if defined(__x86_64__)
        __asm__ volatile("syscall\n\t"
                         "test %%rax, %%rax\n\t"
                         "jnz 1f\n\t"
                         "xor %%ebp, %%ebp\n\t"
                         "mov %[argument], %%rdi\n\t"
                         "call *%[function]\n\t"
                         "mov %%eax, %%edi\n\t"
                         "mov %[exit], %%eax\n\t"
                         "syscall\n\t"
                         "hlt\n"
                         "1:"
                         : "=a"(result)
                         : "a"((long) SYS_clone3), "D"(args), "S"(sizeof(*args)), [function] "r"(function), [argument] "r"(argument),
                           [exit] "i"(SYS_exit)
                         : "rcx", "r11", "memory");
#elif defined(__aarch64__)
        register long number __asm__("x8") = SYS_clone3;
        register long first __asm__("x0") = (long) args;
        register long second __asm__("x1") = sizeof(*args);

        __asm__ volatile("svc #0\n\t"
                         "cbnz x0, 1f\n\t"
                         "mov x29, #0\n\t"
                         "mov x0, %[argument]\n\t"
                         "blr %[function]\n\t"
                         "mov x8, %[exit]\n\t"
                         "svc #0\n"
                         "1:"
                         : "+r"(first)
                         : "r"(number), "r"(second), [function] "r"(function), [argument] "r"(argument), [exit] "i"(SYS_exit)
                         : "memory", "x30");
        result = first;
#else
#error "clone3() with a stack is not written for this processor"
#endif
        if (result < 0) {
                errno = (int) -result;
                return -1;
        }
        return result;
}

/* In the child, in our memory: only system calls. */
static int child_main(void *userdata) {
        static char *const no_environment[] = { NULL };
        Child *child = userdata;
        const EngineLaunch *l = child->launch;

        if (launch_fds(l) < 0) {
                child->failure = errno;
                return 127;
        }
        (void) syscall(SYS_execveat, child->program, "", child->argv, no_environment, AT_EMPTY_PATH);
        child->failure = errno;
        return 127;
}

/* A copy of the program's own mount, read-only and attached nowhere: /proc/PID/exe leads nowhere that could be written (CVE-2019-5736). */
static int open_program(const char *path, int *ret, Error *err) {
        struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
        _cleanup_close_ int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

        if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &readonly, sizeof(readonly)) < 0)
                return error_set_errno(err, ERROR_RUNTIME_NOT_AVAILABLE, errno, "program '%s'", path);
        *ret = TAKE_FD(fd);
        return 0;
}

static int launch(EngineLaunch *l, pid_t *ret_pid, Error *err) {
        _cleanup_close_ int program = -EBADF;
        char number[16];
        char *const argv[] = { (char *) "proxmox-lxcri-init", number, NULL };
        Child child = { .launch = l, .argv = argv };
        struct clone_args args = {
                .flags = CLONE_VM | CLONE_VFORK | l->namespaces | (l->cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
                .exit_signal = SIGCHLD,
                .cgroup = l->cgroup_fd >= 0 ? (uint64_t) l->cgroup_fd : 0,
                .stack_size = STACK_SIZE,
        };
        sigset_t all, saved;
        void *stack;
        long pid;
        int status, failure;

        if (open_program(l->init, &program, err) < 0)
                return -1;
        child.program = program;
        (void) snprintf(number, sizeof(number), "%d", l->socket);
        stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (stack == MAP_FAILED)
                return error_oom(err);
        args.stack = (uint64_t) (uintptr_t) stack;

        /* A handler of ours must not run in the child, which shares our memory. The init clears its mask. */
        sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, &saved);
        pid = clone_with(&args, child_main, &child);
        failure = pid < 0 ? errno : child.failure;
        (void) sigprocmask(SIG_SETMASK, &saved, NULL);
        (void) munmap(stack, STACK_SIZE);
        if (failure) {
                if (pid > 0)
                        (void) process_wait((pid_t) pid, &status, NULL);
                return error_set_errno(err, ERROR_RUNTIME, failure, "start '%s'", l->init);
        }
        *ret_pid = (pid_t) pid;
        return 0;
}

const EngineLauncher native_launcher = {
        .name = "native",
        .namespaces = CLONE_NEWPID,
        .launch = launch,
};
