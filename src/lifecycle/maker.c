/* Who holds a container's lock, and whether that is worth waiting for. */

#include "lifecycle/maker.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "lifecycle/journal.h"
#include "lifecycle/transaction.h"
#include "oci/state.h"

#define STEP_MS   2
#define LOOKS_MAX 2500 /* 5 s: a process that does not die in that time hangs in the kernel */

static bool has_file(const RunDir *dir, const char *name) {
        return faccessat(dir->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Only of a transaction that was cut off: whoever takes a whole container away is not its maker. */
static bool maker_is_dead(const RunDir *dir) {
        _cleanup_(journal_freep) Journal *journal = NULL;

        if (has_file(dir, STATE_FILE) || has_file(dir, DELETING_FILE) || has_file(dir, STOPPING_FILE) ||
            journal_load(dir->fd, &journal, NULL) < 0)
                return false;
        return journal && journal->header.maker.pid > 0 && !process_is_alive(&journal->header.maker);
}

int maker_lock(RunDir *dir, bool *ret_gone, Error *err) {
        const struct timespec step = { .tv_nsec = STEP_MS * 1000000L };

        for (unsigned looks = 0;; looks++) {
                Error e = ERROR_INIT;

                if (rundir_lock(dir, false, ret_gone, &e) == 0)
                        return 0;
                if (e.errnum != EWOULDBLOCK || looks == LOOKS_MAX || !maker_is_dead(dir)) {
                        if (err)
                                *err = e;
                        return -1;
                }
                (void) nanosleep(&step, NULL);
        }
}
