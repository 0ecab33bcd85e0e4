/* Loading the filter; with a listener, handing its descriptor over when hardly a system call is sure to be allowed any more. */

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "engine/init/init.h"

/* The page through which the parent says that it has taken the listener's descriptor; and the number that descriptor will have. */
static int announce_listener(const Init *init, _Atomic uint32_t **ret, Error *err) {
        _cleanup_close_ int memory = memfd_create("listener", MFD_CLOEXEC);
        int next;
        void *page;

        if (memory < 0 || ftruncate(memory, 4096) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "make a page");
        page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        if (page == MAP_FAILED)
                return error_oom(err);
        next = fcntl(0, F_DUPFD_CLOEXEC, 0);
        if (next < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "find the listener's number");
        close(next);
        /* The memory file is open below or above that number, and stays so until exec: the lowest free one does not change. */
        link_send(init, INIT_LISTENER, next, memory);
        (void) TAKE_FD(memory);
        *ret = page;
        return 0;
}

int seccomp_load(const Init *init, Error *err) {
        const PlanProcess *p = &init->plan->process;
        struct sock_fprog program = { .len = (unsigned short) p->seccomp.n,
                                      .filter = (struct sock_filter *) plan_at(init->plan, p->seccomp.at) };
        _Atomic uint32_t *taken = NULL;

        if (p->seccomp.n == 0)
                return 0;
        if ((p->seccomp_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) && announce_listener(init, &taken, err) < 0)
                return -1;
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, p->seccomp_flags, &program) < 0)
                return error_set_errno(err, errno == EINVAL ? ERROR_NOT_SUPPORTED : ERROR_RUNTIME, errno, "linux.seccomp: load the filter");
        /* No system call here: the filter may stop any of them. If the parent fails it kills us. */
        while (taken && atomic_load(taken) == 0)
                atomic_signal_fence(memory_order_seq_cst);
        return 0;
}
