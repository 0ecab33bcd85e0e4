/* Running one hook. Its streams are memory files: nothing can block on them, and nothing is left when it is killed. */

#include "runtime/hook.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/process.h"

#define OUTPUT_SHOWN_MAX 1024 /* bytes of what it said */

/* What it said, in one line. */
static void read_output(int fd, char ret[OUTPUT_SHOWN_MAX]) {
        ssize_t n = pread(fd, ret, OUTPUT_SHOWN_MAX - 1, 0);

        if (n < 0)
                n = 0;
        while (n > 0 && (ret[n - 1] == '\n' || ret[n - 1] == ' '))
                n--;
        ret[n] = '\0';
        for (char *p = ret; *p; p++)
                if (*p == '\n')
                        *p = ' ';
}

static int failed(const Hook *hook, int status, int output, Error *err) {
        char said[OUTPUT_SHOWN_MAX];

        read_output(output, said);
        return error_set(err, ERROR_RUNTIME, "%s: error running hook '%s': it exited with %d%s%s", hook->place, hook->path,
                         exit_code_of(status), said[0] ? ": " : "", said);
}

int hook_run(const Hook *hook, const char *state, size_t len, Error *err) {
        _cleanup_close_ int input = memfd_create("state", MFD_CLOEXEC), output = memfd_create("output", MFD_CLOEXEC), pidfd = -EBADF;
        static const char *const no_env[] = { NULL };
        const char *const only_path[] = { hook->path, NULL };
        Spawn spawn = {
                .argv = only_path,
                .envp = hook->env ? (const char *const *) hook->env : no_env,
                .stdin_fd = input,
                .stdout_fd = output,
                .stderr_fd = output,
                .parent_death_signal = SIGKILL, /* nobody would wait for it, or keep to its timeout */
        };
        struct pollfd p;
        int status, r;
        pid_t pid;

        if (input < 0 || output < 0)
                return error_set_errno(err, ERROR_FILE, errno, "%s: make a memory file", hook->place);
        if (fd_write_all(input, state, len, err) < 0 || lseek(input, 0, SEEK_SET) < 0)
                return error_prefix(err, "%s", hook->place);
        /* Its own argv[0] may be anything: the program is the path. */
        spawn.program = hook->path;
        if (hook->args && hook->args[0])
                spawn.argv = (const char *const *) hook->args;
        if (process_spawn(&spawn, &pid, &pidfd, err) < 0) {
                if (err)
                        err->kind = ERROR_RUNTIME;
                return error_prefix(err, "%s: error running hook", hook->place);
        }
        p = (struct pollfd) { .fd = pidfd, .events = POLLIN };
        do
                r = poll(&p, 1, hook->timeout ? (int) (hook->timeout > INT_MAX / 1000 ? INT_MAX : hook->timeout * 1000) : -1);
        while (r < 0 && errno == EINTR);
        if (r == 0)
                (void) pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
        if (process_wait(pid, &status, err) < 0)
                return -1;
        if (r == 0)
                return error_set(err, ERROR_TIMEOUT, "%s: error running hook '%s': it was killed after %u s", hook->place, hook->path,
                                 hook->timeout);
        return status == 0 ? 0 : failed(hook, status, output, err);
}
