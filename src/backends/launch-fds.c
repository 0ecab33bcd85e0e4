/* Descriptors of a launcher's child. */

#include "backends/launch-fds.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <unistd.h>

#include "base/process.h"

int launch_fds(const EngineLaunch *l) {
        if (streams_place(l->stdin_fd, l->stdout_fd, l->stderr_fd, 3 + l->preserve_fds) < 0 ||
            close_range(3 + (unsigned) l->preserve_fds, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0 || fcntl(l->socket, F_SETFD, 0) < 0)
                return -1;
        for (int fd = 3; fd < 3 + l->preserve_fds; fd++)
                (void) fcntl(fd, F_SETFD, 0);
        return 0;
}
