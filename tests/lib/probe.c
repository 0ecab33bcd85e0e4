/*
 * What a container's process finds, for tests: a busybox cannot say it. Static, so that it runs in any root.
 *
 *   probe listen    as sd_listen_fds(3) has it: how many descriptors, whether they are for us, and what one connection gets is "hello"
 *   probe notify    sd_notify(3): READY=1
 *   probe keyring   the serial number of the session keyring
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_FDS_START        3
#define KEYCTL_GET_KEYRING_ID   0
#define KEY_SPEC_SESSION_KEYRING (-3)

static int probe_listen(void) {
        const char *fds = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
        int fd;

        printf("fds %s, pid %s, own pid %d\n", fds ? fds : "none", pid ? pid : "none", (int) getpid());
        fflush(stdout);
        fd = accept(LISTEN_FDS_START, NULL, NULL);
        if (fd < 0) {
                perror("accept");
                return 1;
        }
        return write(fd, "hello", 5) == 5 ? 0 : 1;
}

static int probe_notify(void) {
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

        if (!path) {
                fputs("no NOTIFY_SOCKET\n", stderr);
                return 1;
        }
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (sendto(fd, "READY=1", 7, 0, (struct sockaddr *) &address, sizeof(address)) != 7) {
                perror(path);
                return 1;
        }
        return 0;
}

int main(int argc, char *argv[]) {
        if (argc == 2 && !strcmp(argv[1], "listen"))
                return probe_listen();
        if (argc == 2 && !strcmp(argv[1], "notify"))
                return probe_notify();
        if (argc == 2 && !strcmp(argv[1], "keyring")) {
                printf("%ld\n", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
                return 0;
        }
        return 2;
}
