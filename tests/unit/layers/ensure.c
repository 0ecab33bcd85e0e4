/* Layers are made once, within their cap, and until somebody interrupts. */

#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


static void one_layer(Fixture *f) {
        TAR(&f->tar, "a", .text = "data", .mode = 0644);
        fixture_layer(f);
}

static void layer_larger_than_its_cap_is_refused(void **state) {
        Fixture *f = *state;

        /* a header, a block of data, two blocks of zeros */
        one_layer(f);
        f->unpacked_max = 4 * 512 - 1;
        fixture_refused(f, ERROR_INVALID_SPEC, "more than the 2047 bytes allowed");
        f->unpacked_max++;
        fixture_unpacked(f);
        assert_text(f, "a", "data");
}

static void interrupt(void *userdata, const char *what, const char *subject, uint64_t done, uint64_t total) {
        volatile sig_atomic_t *cancelled = userdata;

        (void) what, (void) subject, (void) done, (void) total;
        *cancelled = 1;
}

static void interrupt_stops_between_entries(void **state) {
        volatile sig_atomic_t cancelled = 0;
        const LayerProgress progress = { .report = interrupt, .userdata = (void *) &cancelled, .cancelled = &cancelled };
        Fixture *f = *state;

        /* All of it is in the block that was read when the interrupt came; the second entry would be refused. */
        TAR(&f->tar, "a", .text = "data", .mode = 0644);
        TAR(&f->tar, "device", '3', 0600);
        fixture_layer(f);
        f->progress = &progress;
        fixture_refused(f, ERROR_INTERRUPTED, "interrupted");
        f->progress = NULL;
        fixture_refused(f, ERROR_INVALID_SPEC, "device 0:0");
}

static void stop(void *userdata, const char *what, const char *subject, uint64_t done, uint64_t total) {
        bool *stopped = userdata;

        (void) what, (void) subject, (void) done, (void) total;
        if (!*stopped)
                raise(SIGSTOP);
        *stopped = true;
}

static void count(void *userdata, const char *what, const char *subject, uint64_t done, uint64_t total) {
        (void) what, (void) subject, (void) done, (void) total;
        (*(unsigned *) userdata)++;
}

/* Forks a process that unpacks the image and stops in its midst. */
static pid_t start_maker(Fixture *f) {
        bool stopped = false;
        const LayerProgress progress = { .report = stop, .userdata = &stopped };
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                f->progress = &progress;
                _exit(fixture_unpack(f) == 0 && stopped ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(WIFSTOPPED(status));
        return pid;
}

static void two_processes_make_a_layer_once(void **state) {
        Fixture *f = *state;
        pid_t maker, waiter;
        int status;

        one_layer(f);
        maker = start_maker(f);
        waiter = fork();
        assert_true(waiter >= 0);
        if (waiter == 0) {
                unsigned n = 0;
                const LayerProgress progress = { .report = count, .userdata = &n };

                /* What another has made is not reported. */
                f->progress = &progress;
                _exit(fixture_unpack(f) == 0 && n == 0 ? 0 : 1);
        }
        (void) nanosleep(&(struct timespec) { .tv_nsec = 100000000 }, NULL);
        assert_int_equal(waitpid(waiter, &status, WNOHANG), 0);
        assert_false(store_layer_exists(f->store, &f->image.chain_ids[0]));
        kill(maker, SIGCONT);
        assert_int_equal(waitpid(maker, &status, 0), maker);
        assert_int_equal(status, 0);
        assert_int_equal(waitpid(waiter, &status, 0), waiter);
        assert_int_equal(status, 0);
        fixture_unpacked(f);
        assert_text(f, "a", "data");
}

static void killed_maker_is_replaced(void **state) {
        Fixture *f = *state;
        unsigned n;
        pid_t maker;

        one_layer(f);
        maker = start_maker(f);
        kill(maker, SIGKILL);
        assert_int_equal(waitpid(maker, NULL, 0), maker);
        assert_int_equal(fixture_unpack(f), 0);
        assert_int_equal(store_tmp_clean(f->store, &n, &f->err), 0);
        assert_int_equal(n, 1);
        fixture_unpacked(f);
        assert_text(f, "a", "data");
}

static void interrupt_ends_the_wait_for_another(void **state) {
        volatile sig_atomic_t cancelled = 1;
        const LayerProgress progress = { .cancelled = &cancelled };
        Fixture *f = *state;
        struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int lock;

        one_layer(f);
        /* An open file of its own is to these locks what another process is. */
        lock = openat(store_fd(f->store), "gc.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(fcntl(lock, F_OFD_SETLK, &all), 0);
        f->progress = &progress;
        assert_int_equal(fixture_unpack(f), -1);
        assert_int_equal(f->err.kind, ERROR_INTERRUPTED);
        assert_non_null(strstr(f->err.text, "another process"));
        close(lock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(layer_larger_than_its_cap_is_refused),
                TEST(interrupt_stops_between_entries),
                TEST(two_processes_make_a_layer_once),
                TEST(killed_maker_is_replaced),
                TEST(interrupt_ends_the_wait_for_another),
        };

        return cmocka_run_group_tests_name("ensure", tests, NULL, NULL);
}
