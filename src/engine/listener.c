/*
 * Handing a seccomp listener over. The process that has loaded the filter can hardly call the kernel any more, so its descriptor is taken
 * out of it from here, and it hears of that through memory.
 */

#include <errno.h>
#include <stdatomic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/socket.h"
#include "engine/session.h"

#define TAKE_TIMEOUT_MS 10000 /* for the filter to be loaded: the next thing that the process does */
#define STATE_MAX       (17u << 20)

static bool is_listener(int fd) {
        _cleanup_free_ char *path = NULL;

        return fd_get_path(fd, &path, NULL) == 0 && !strcmp(path, "anon_inode:seccomp notify");
}

static int take(pid_t pid, int number, int *ret, Error *err) {
        _cleanup_close_ int pidfd = pidfd_open(pid, 0);
        const struct timespec step = { .tv_nsec = 200000 };

        for (int waited = 0; pidfd >= 0 && waited < TAKE_TIMEOUT_MS * 5; waited++) {
                _cleanup_close_ int fd = pidfd_getfd(pidfd, number, 0);

                if (fd >= 0 && is_listener(fd)) {
                        *ret = TAKE_FD(fd);
                        return 0;
                }
                if (fd < 0 && errno != EBADF)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "take the seccomp listener");
                (void) nanosleep(&step, NULL);
        }
        return error_set(err, ERROR_TIMEOUT, "the seccomp listener does not appear");
}

/* Source: runtime-spec config-linux.md, "The Container Process State" */
static int process_state(pid_t pid, const json_t *record, char **ret, Error *err) {
        json_t *state = json_copy(json_object_get(record, "state"));
        _cleanup_json_ json_t *whole = json_pack("{s:o,s:[s],s:i,s:o}", "ociVersion", json_incref(json_object_get(state, "ociVersion")),
                                                 "fds", "seccompFd", "pid", (int) pid, "state", state);
        const char *metadata = json_string_value(json_object_get(record, "metadata"));

        if (!whole || json_object_set_new(state, "status", json_string("creating")) < 0 ||
            json_object_set_new(state, "pid", json_integer(pid)) < 0 ||
            (metadata && json_object_set_new(whole, "metadata", json_string(metadata)) < 0))
                return error_oom(err);
        return json_print(whole, ret, err);
}

static int send_to(const char *path, const char *text, int listener, Error *err) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        if (strlen(path) >= sizeof(address.sun_path))
                return error_set_errno(err, ERROR_INVALID_SPEC, ENAMETOOLONG, "linux.seccomp.listenerPath: '%s'", path);
        strcpy(address.sun_path, path);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ||
            socket_send(fd, text, strlen(text), listener) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "linux.seccomp.listenerPath: '%s'", path);
        return 0;
}

int listener_deliver(pid_t pid, int number, int page, const json_t *record, Error *err) {
        const char *path = json_string_value(json_object_get(record, "listener"));
        _cleanup_close_ int listener = -EBADF;
        _cleanup_free_ char *text = NULL;
        _Atomic uint32_t *taken;
        int r;

        if (!path)
                return error_set(err, ERROR_INVALID_SPEC, "config.json: linux.seccomp.listenerPath: missing, and a rule notifies");
        taken = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, page, 0);
        if (taken == MAP_FAILED)
                return error_oom(err);
        r = take(pid, number, &listener, err);
        if (r == 0)
                r = process_state(pid, record, &text, err);
        if (r == 0)
                r = send_to(path, text, listener, err);
        if (r == 0)
                atomic_store(taken, 1);
        else
                (void) kill(pid, SIGKILL);
        (void) munmap((void *) taken, 4096);
        return r;
}
