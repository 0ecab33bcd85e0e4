/* Pruning keeps what names and containers reach, and removes the rest. */

#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/container.h"

/* An image of two unpacked layers: 4 blobs, 2 layers, 1 record */
static void make_image(Fixture *f, const char *name) {
        TAR(&f->tar, "base", .text = name, .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, "top", .text = name, .mode = 0644);
        fixture_layer(f);
        fixture_image(f, name);
        assert_int_equal(fixture_unpack(f), 0);
}

static void forget_name(Fixture *f, const char *name) {
        bool last;

        assert_int_equal(store_name_remove(f->store, name, &last, &f->err), 0);
        assert_true(last);
}

static void pruned(Fixture *f, bool dry_run, PruneCount expected) {
        PruneCount count;

        if (store_prune(f->store, dry_run, &count, &f->err) < 0)
                fail_msg("%s", f->err.text);
        assert_int_equal(count.blobs, expected.blobs);
        assert_int_equal(count.layers, expected.layers);
        assert_int_equal(count.images, expected.images);
        assert_int_equal(count.temporary, expected.temporary);
        assert_int_equal(count.bytes > 0, expected.blobs + expected.layers > 0);
}

static void make_container(Fixture *f, const char *id) {
        const ContainerRecord record = {
                .id = (char *) id,
                .root = (char *) "/run/proxmox-lxcri",
                .image_name = (char *) "x",
                .image = f->image.manifest,
                .driver = (char *) "overlay",
                .runtime = (char *) "crun",
                .created = (char *) "2026-01-01T00:00:00Z",
                .stop_signal = (char *) "SIGTERM",
                .boot_id = "0123",
                .complete = true,
        };
        int fd;

        assert_int_equal(container_dir_make(f->store, &record, false, &fd, &f->err), 0);
        close(fd);
}

static const PruneCount none = { 0 }, all = { .blobs = 4, .layers = 2, .images = 1 };

static bool has_blob(Fixture *f, const Digest *digest) {
        return faccessat(store_blobs_fd(f->store), digest_hex(digest), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void named_image_stays(void **state) {
        Fixture *f = *state;

        make_image(f, "one");
        pruned(f, false, none);
        assert_true(has_blob(f, &f->image.manifest));
        assert_true(has_blob(f, &f->image.config));
        for (size_t i = 0; i < 2; i++) {
                assert_true(has_blob(f, &f->image.layers[i].digest));
                assert_true(store_layer_exists(f->store, &f->image.chain_ids[i]));
        }
}

static void image_without_a_name_goes(void **state) {
        Fixture *f = *state;

        make_image(f, "one");
        forget_name(f, "one");
        pruned(f, true, all);
        assert_true(has_blob(f, &f->image.manifest));
        assert_true(store_layer_exists(f->store, &f->image.chain_ids[1]));
        pruned(f, false, all);
        assert_false(has_blob(f, &f->image.manifest));
        assert_false(has_blob(f, &f->image.layers[0].digest));
        assert_false(store_layer_exists(f->store, &f->image.chain_ids[0]));
        assert_false(store_layer_exists(f->store, &f->image.chain_ids[1]));
        pruned(f, false, none);
}

static void container_keeps_its_image(void **state) {
        Fixture *f = *state;

        make_image(f, "one");
        make_container(f, "c");
        forget_name(f, "one");
        pruned(f, false, none);
        assert_int_equal(container_dir_remove(f->store, "c", &f->err), 0);
        pruned(f, false, all);
}

static void container_keeps_its_layers_without_the_documents(void **state) {
        Fixture *f = *state;

        make_image(f, "one");
        make_container(f, "c");
        forget_name(f, "one");
        assert_int_equal(unlinkat(store_blobs_fd(f->store), digest_hex(&f->image.manifest), 0), 0);
        pruned(f, false, (PruneCount) { .blobs = 3 });
        assert_true(store_layer_exists(f->store, &f->image.chain_ids[0]));
        assert_true(store_layer_exists(f->store, &f->image.chain_ids[1]));
}

static void shared_base_stays_with_the_other_image(void **state) {
        Fixture *f = *state;

        make_image(f, "one");
        /* the same base, another top */
        f->image.n_layers = 1;
        TAR(&f->tar, "other", .text = "x", .mode = 0644);
        fixture_layer(f);
        fixture_image(f, "two");
        assert_int_equal(fixture_unpack(f), 0);
        forget_name(f, "one");
        pruned(f, false, (PruneCount) { .blobs = 3, .layers = 1, .images = 1 });
        assert_true(store_layer_exists(f->store, &f->image.chain_ids[0]));
        assert_true(store_layer_exists(f->store, &f->image.chain_ids[1]));
}

static void damaged_manifest_stops_everything(void **state) {
        Fixture *f = *state;
        PruneCount count;

        make_image(f, "one");
        assert_int_equal(file_write_atomic_at(store_blobs_fd(f->store), digest_hex(&f->image.manifest), "{", 1, 0600, 0, &f->err), 0);
        assert_int_equal(store_prune(f->store, false, &count, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_INVALID_JSON);
        assert_non_null(strstr(f->err.text, f->image.manifest.text));
        assert_true(has_blob(f, &f->image.config));
        assert_true(store_layer_exists(f->store, &f->image.chain_ids[1]));
}

static void leftovers_of_the_dead_go_and_those_of_the_living_stay(void **state) {
        static const char stale[] = ".0000000000000000000000000000000000000000000000000000000000000000.lock";
        Fixture *f = *state;
        char *name;
        int fd, lock;

        assert_int_equal(mkdirat(store_tmp_fd(f->store), "dead", 0700), 0);
        assert_int_equal(store_tmp_make(f->store, &name, &fd, &lock, &f->err), 0);
        close(openat(store_layers_fd(f->store), stale, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        pruned(f, true, (PruneCount) { .temporary = 1 });
        assert_int_equal(faccessat(store_tmp_fd(f->store), "dead", F_OK, 0), 0);
        pruned(f, false, (PruneCount) { .temporary = 1 });
        assert_int_equal(faccessat(store_tmp_fd(f->store), name, F_OK, 0), 0);
        assert_int_equal(faccessat(store_tmp_fd(f->store), "dead", F_OK, 0), -1);
        assert_int_equal(faccessat(store_layers_fd(f->store), stale, F_OK, 0), -1);
        close(fd);
        close(lock);
        free(name);
}

#ifdef TEST_HOOKS
/* Forks a process that prunes and stops after it has moved a layer away. */
static pid_t start_prune(Fixture *f) {
        PruneCount count;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid > 0)
                return pid;
        /* A failed test must not leave it stopped for ever. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setenv("PROXMOX_LXCRI_FAULT", "discard.middle:stop", 1);
        _exit(store_prune(f->store, false, &count, &f->err) < 0);
}

static void assert_stopped(pid_t pid) {
        int status;

        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(WIFSTOPPED(status));
}

/* Whoever cleans up meanwhile leaves a layer alone that is being taken apart. */
static void cleaning_beside_a_prune_keeps_off(void **state) {
        Fixture *f = *state;
        unsigned n;
        int status;
        pid_t pid;

        make_image(f, "one");
        forget_name(f, "one");
        pid = start_prune(f);
        for (unsigned layer = 0; layer < 2; layer++) {
                assert_stopped(pid);
                assert_int_equal(store_tmp_clean(f->store, &n, &f->err), 0);
                assert_int_equal(n, 0);
                kill(pid, SIGCONT);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        pruned(f, false, none);
}

/* What a killed prune left is in nobody's way when the same layer goes again. */
static void prune_after_a_killed_one(void **state) {
        Fixture *f = *state;
        pid_t pid;

        make_image(f, "one");
        forget_name(f, "one");
        pid = start_prune(f);
        assert_stopped(pid);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_int_equal(fixture_unpack(f), 0);
        pruned(f, false, (PruneCount) { .blobs = 4, .layers = 2, .temporary = 1 });
        pruned(f, false, none);
}
#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(named_image_stays),
                TEST(image_without_a_name_goes),
                TEST(container_keeps_its_image),
                TEST(container_keeps_its_layers_without_the_documents),
                TEST(shared_base_stays_with_the_other_image),
                TEST(damaged_manifest_stops_everything),
                TEST(leftovers_of_the_dead_go_and_those_of_the_living_stay),
#ifdef TEST_HOOKS
                TEST(cleaning_beside_a_prune_keeps_off),
                TEST(prune_after_a_killed_one),
#endif
        };

        return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
