/* $NOTIFY_SOCKET: between the container and the service manager. */

#include "engine/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/socket.h"

#define VARIABLE      "NOTIFY_SOCKET="
#define SOCKET_NAME   "notify.sock"
#define INSIDE        "/run/notify" /* as with runc and crun */
#define MESSAGE_MAX   4096          /* bytes; what is longer is cut, as with runc */
#define BARRIER_MS    5000          /* for the manager to have read what was sent: it looks up who sent it */

static int set_variable(json_t *spec, Error *err) {
        json_t *env = json_array_of(json_object_get(spec, "process"), "env");

        for (size_t i = json_array_size(env); i-- > 0;)
                if (!strncmp(json_string_value(json_array_get(env, i)) ?: "", VARIABLE, strlen(VARIABLE)))
                        (void) json_array_remove(env, i);
        return json_array_append_new(env, json_string(VARIABLE INSIDE "/" SOCKET_NAME)) < 0 ? error_oom(err) : 0;
}

static int add_mount(const EngineContainer *container, json_t *spec, Error *err) {
        json_t *mount = json_pack("{s:s,s:s,s:s+,s:[s,s,s,s,s]}", "destination", INSIDE, "type", "bind", "source", container->runtime_dir,
                                  "/" NOTIFY_DIR, "options", "bind", "ro", "nosuid", "nodev", "noexec");

        return json_array_append_new(json_array_of(spec, "mounts"), mount) < 0 ? error_oom(err) : 0;
}

int notify_prepare(const EngineContainer *container, int dir_fd, json_t *spec, Error *err) {
        if (!json_object_get(spec, "process"))
                return 0; /* nobody who could say anything */
        if (mkdirat(dir_fd, NOTIFY_DIR, 0755) < 0 && errno != EEXIST)
                return error_set_errno(err, ERROR_FILE, errno, "make directory '" NOTIFY_DIR "'");
        /* Whatever the umask is: users of the container go through it. */
        if (fchmodat(dir_fd, NOTIFY_DIR, 0755, 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make directory '" NOTIFY_DIR "'");
        return set_variable(spec, err) < 0 ? -1 : add_mount(container, spec, err);
}

/* "/PATH" or "@NAME", abstract. */
static int connect_manager(const char *text, int *ret, Error *err) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t len = strlen(text);

        if ((text[0] != '/' && text[0] != '@') || len < 2 || len >= sizeof(address.sun_path))
                return error_set(err, ERROR_INVALID_ARGUMENT, "$NOTIFY_SOCKET: '%s' is no address of a socket", text);
        memcpy(address.sun_path, text, len);
        if (text[0] == '@')
                address.sun_path[0] = '\0';
        if (fd < 0 || connect(fd, (const struct sockaddr *) &address, (socklen_t) (offsetof(struct sockaddr_un, sun_path) + len)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "$NOTIFY_SOCKET: connect to '%s'", text);
        *ret = TAKE_FD(fd);
        return 0;
}

/* Whoever the container's process is may write to it; nothing but datagrams of that socket comes of it. */
static int listen_at(int dir_fd, int *ret, Error *err) {
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        (void) unlinkat(dir_fd, NOTIFY_DIR "/" SOCKET_NAME, 0); /* of a start that was cut off */
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" NOTIFY_DIR "/" SOCKET_NAME, dir_fd);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 ||
            fchmodat(dir_fd, NOTIFY_DIR "/" SOCKET_NAME, 0777, 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make the socket '" NOTIFY_DIR "/" SOCKET_NAME "'");
        *ret = TAKE_FD(fd);
        return 0;
}

int notify_begin(Notify *notify, int dir_fd, const char *manager, Error *err) {
        if (!manager || faccessat(dir_fd, NOTIFY_DIR, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        return connect_manager(manager, &notify->manager, err) < 0 ? -1 : listen_at(dir_fd, &notify->listener, err);
}

void notify_end(Notify *notify) {
        close_keep_errno(notify->listener);
        close_keep_errno(notify->manager);
        *notify = NOTIFY_INIT;
}

/* "READY=1" on a line of its own among others */
static bool is_ready(char *message) {
        char *line;

        while ((line = strsep(&message, "\n")))
                if (!strcmp(line, "READY=1"))
                        return true;
        return false;
}

/* Until the manager has read all that came before, which it shows by letting go of what comes with the last. */
static void wait_barrier(int manager) {
        struct pollfd p = { .events = 0 };
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        p.fd = ends[0];
        r = socket_send(manager, "BARRIER=1", strlen("BARRIER=1"), ends[1]);
        close_keep_errno(ends[1]);
        if (r == 0)
                (void) poll(&p, 1, BARRIER_MS);
        close_keep_errno(ends[0]);
}

void notify_relay(Notify *notify, pid_t main_pid) {
        char message[MESSAGE_MAX + 1], text[64];
        ssize_t n = recv(notify->listener, message, MESSAGE_MAX, MSG_DONTWAIT);
        int len;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n >= 0) {
                message[n] = '\0';
                if (!is_ready(message))
                        return;
                len = main_pid > 0 ? snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1", (int) main_pid) :
                                     snprintf(text, sizeof(text), "READY=1");
                /* A manager that went meanwhile has nobody to be told. */
                if (send(notify->manager, text, (size_t) len, MSG_NOSIGNAL) == len && main_pid > 0)
                        wait_barrier(notify->manager);
        }
        notify_end(notify);
}

void notify_await(Notify *notify, int init_fd, pid_t main_pid) {
        while (notify->listener >= 0) {
                struct pollfd fds[] = { { .fd = notify->listener, .events = POLLIN }, { .fd = init_fd, .events = POLLIN } };

                if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
                        return;
                if (fds[0].revents)
                        notify_relay(notify, main_pid);
                else if (fds[1].revents)
                        return;
        }
}

int notify_forget(int dir_fd, Error *err) {
        return dir_remove_tree_at(dir_fd, NOTIFY_DIR, err);
}
