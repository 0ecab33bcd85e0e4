/* Threads for the length of one call. */

#include "base/workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

typedef struct Work {
        void (*work)(void *userdata);
        void *userdata;
} Work;

unsigned workers_default(void) {
        cpu_set_t set;
        int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

        return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (unsigned) n;
}

static void *thread(void *userdata) {
        const Work *work = userdata;

        work->work(work->userdata);
        return NULL;
}

void workers_run(unsigned n, void (*work)(void *userdata), void *userdata) {
        Work shared = { .work = work, .userdata = userdata };
        pthread_t threads[WORKERS_MAX];
        unsigned started = 0;
        sigset_t all, before;

        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        while (started + 1 < n && started < WORKERS_MAX - 1 && pthread_create(&threads[started], NULL, thread, &shared) == 0)
                started++;
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        work(userdata);
        while (started > 0)
                (void) pthread_join(threads[--started], NULL);
}
