/* All the work is done, by as many threads as there may be, and none is left. */

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>

#include "base/workers.h"

typedef struct Job {
        atomic_uint next, done, threads, blocked;
        pthread_t caller;
        atomic_uint by_caller;
        pthread_barrier_t *barrier; /* NULL: threads need not be there at once */
} Job;

static void work(void *userdata) {
        Job *job = userdata;
        sigset_t set;

        atomic_fetch_add(&job->threads, 1);
        if (pthread_equal(pthread_self(), job->caller))
                atomic_fetch_add(&job->by_caller, 1);
        else if (pthread_sigmask(SIG_BLOCK, NULL, &set) == 0 && sigismember(&set, SIGTERM))
                atomic_fetch_add(&job->blocked, 1);
        if (job->barrier)
                (void) pthread_barrier_wait(job->barrier);
        while (atomic_fetch_add(&job->next, 1) < 1000)
                atomic_fetch_add(&job->done, 1);
}

static unsigned count_threads(void) {
        DIR *dir = opendir("/proc/self/task");
        unsigned n = 0;

        assert_non_null(dir);
        while (readdir(dir))
                n++;
        closedir(dir);
        return n - 2;
}

static void everything_is_done_once_and_no_thread_is_left(void **state) {
        for (unsigned n = 1; n <= WORKERS_MAX; n *= 2) {
                pthread_barrier_t barrier;
                Job job = { .caller = pthread_self(), .barrier = &barrier };
                unsigned before = count_threads();

                assert_int_equal(pthread_barrier_init(&barrier, NULL, n), 0);
                workers_run(n, work, &job);
                assert_int_equal(job.done, 1000);
                assert_int_equal(job.threads, n);
                assert_int_equal(job.by_caller, 1);
                assert_int_equal(job.blocked, n - 1);
                assert_int_equal(count_threads(), before);
                pthread_barrier_destroy(&barrier);
        }
}

static void there_is_a_bound(void **state) {
        Job job = { .caller = pthread_self() };

        workers_run(1000, work, &job);
        assert_true(job.threads <= WORKERS_MAX);
        assert_int_equal(job.done, 1000);
        assert_in_range(workers_default(), 1, WORKERS_MAX);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(everything_is_done_once_and_no_thread_is_left),
                cmocka_unit_test(there_is_a_bound),
        };

        return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
