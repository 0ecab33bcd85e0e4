/* Descriptors of a launcher's child. */

#include "backends/launch-fds.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <unistd.h>

#include "base/process.h"

/* Puts @fd, or /dev/null, at a standard stream's number. */
static int place_stream(int fd, int number) {
        if (fd == SPAWN_INHERIT)
                return 0;
        if (fd < 0)
                fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return -1;
        if (fd == number)
                return fcntl(fd, F_SETFD, 0);
        return dup2(fd, number) < 0 ? -1 : 0;
}

int launch_fds(const EngineLaunch *l) {
        if (place_stream(l->stdin_fd, STDIN_FILENO) < 0 || place_stream(l->stdout_fd, STDOUT_FILENO) < 0 ||
            place_stream(l->stderr_fd, STDERR_FILENO) < 0 ||
            close_range(3 + (unsigned) l->preserve_fds, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0 || fcntl(l->socket, F_SETFD, 0) < 0)
                return -1;
        for (int fd = 3; fd < 3 + l->preserve_fds; fd++)
                (void) fcntl(fd, F_SETFD, 0);
        return 0;
}
