/* Compiling in a child, so that a profile which libseccomp cannot cope with ends the child. */

#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/process.h"
#include "runtime/seccomp-parts.h"

#ifdef SANITIZED
#define COMPILE_MEMORY_MAX RLIM_INFINITY /* the sanitizers reserve terabytes */
#else
#define COMPILE_MEMORY_MAX ((rlim_t) 1 << 30) /* bytes of data; podman's profile needs 2 MB */
#endif

/* Exit codes of the child: the file holds a program, an Error, or nothing that can be trusted. */
enum {
        CHILD_COMPILED,
        CHILD_FAILED,
        CHILD_LOST,
};

static int child(const SeccompModule *module, const SeccompProfile *profile, int out) {
        struct sock_filter *program = NULL;
        Error err = ERROR_INIT;
        size_t length;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
            setrlimit(RLIMIT_CPU, &(struct rlimit) { SECCOMP_COMPILE_SECONDS, SECCOMP_COMPILE_SECONDS }) < 0 ||
            setrlimit(RLIMIT_DATA, &(struct rlimit) { COMPILE_MEMORY_MAX, COMPILE_MEMORY_MAX }) < 0 ||
            setrlimit(RLIMIT_CORE, &(struct rlimit) { 0, 0 }) < 0)
                return CHILD_LOST;
        if (module->compile(profile, &program, &length, &err) < 0)
                return fd_write_all(out, &err, sizeof(err), NULL) < 0 ? CHILD_LOST : CHILD_FAILED;
        return fd_write_all(out, program, length * sizeof(*program), NULL) < 0 ? CHILD_LOST : CHILD_COMPILED;
}

static int take_error(const char *data, size_t len, Error *err) {
        Error failed;

        if (len != sizeof(failed))
                return error_set(err, ERROR_FILE, "linux.seccomp: the compiling process was lost");
        memcpy(&failed, data, sizeof(failed));
        if (err)
                *err = failed;
        return -1;
}

int seccomp_compile_bounded(const SeccompModule *module, const SeccompProfile *profile, struct sock_filter **ret, size_t *ret_length,
                            Error *err) {
        _cleanup_free_ char *data = NULL;
        _cleanup_close_ int out = -EBADF;
        int status;
        size_t len;
        pid_t pid;

        out = memfd_create("seccomp", MFD_CLOEXEC);
        if (out < 0)
                return error_set_errno(err, ERROR_FILE, errno, "memfd_create");
        pid = fork();
        if (pid < 0)
                return error_set_errno(err, ERROR_FILE, errno, "linux.seccomp: fork");
        if (pid == 0)
                _exit(child(module, profile, out));
        if (process_wait(pid, &status, err) < 0)
                return -1;
        if (WIFSIGNALED(status)) {
                error_set(err, ERROR_NOT_SUPPORTED, "linux.seccomp: libseccomp could not compile it within %u s (signal %d)",
                          SECCOMP_COMPILE_SECONDS, WTERMSIG(status));
                return error_hint(err, "use fewer rules with conditions on one system call");
        }
        if (lseek(out, 0, SEEK_SET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read back the compiled filter");
        if (file_read_fd(out, "the compiled filter", BPF_MAXINSNS * sizeof(struct sock_filter), &data, &len, err) < 0)
                return -1;
        if (WEXITSTATUS(status) != CHILD_COMPILED || len == 0)
                return take_error(data, WEXITSTATUS(status) == CHILD_FAILED ? len : 0, err);
        *ret_length = len / sizeof(struct sock_filter);
        *ret = (struct sock_filter *) TAKE(data);
        return 0;
}
