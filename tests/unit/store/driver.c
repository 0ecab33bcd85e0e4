/* What every storage driver does, and how one is chosen. */

#include "rooted.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "store/container.h"
#include "store/mounts.h"

static void whiteout(int dir_fd, const char *name) {
        assert_int_equal(mknodat(dir_fd, name, S_IFCHR, 0), 0);
}

/* Three layers with every way of hiding what is below, and what the stack must show. */
static void stack_shows_the_merged_tree(Fixture *f, const char *driver) {
        _cleanup_close_ int one = fixture_layer(f, 1), two = fixture_layer(f, 2), three = fixture_layer(f, 3);
        _cleanup_close_ int d1 = subdir(one, "dir"), d2 = subdir(two, "dir"), o1 = subdir(one, "opaque"), o3 = subdir(three, "opaque");
        _cleanup_close_ int t1 = subdir(one, "typed"), rootfs = -EBADF;
        struct stat st;
        Rooted r;

        fixture_put(one, "base", "1");
        fixture_put(one, "both", "1");
        fixture_put(two, "both", "2");
        fixture_put(one, "gone", "1");
        whiteout(two, "gone");
        fixture_put(one, "back", "1");
        whiteout(two, "back");
        fixture_put(three, "back", "3");
        fixture_put(d1, "a", "1");
        fixture_put(d1, "b", "1");
        whiteout(d2, "b");
        fixture_put(o1, "hidden", "1");
        fixture_put(o3, "shown", "3");
        assert_int_equal(fsetxattr(o3, "trusted.overlay.opaque", "y", 1, 0), 0);
        fixture_put(t1, "inner", "1");
        fixture_put(two, "typed", "now a file");
        assert_int_equal(fchmod(d2, 0700), 0);
        assert_int_equal(fchmod(three, 0751), 0);
        assert_int_equal(fchown(three, 12, 34), 0);

        rooted_open(&r, f, driver, 3);
        rooted_up(&r);
        rootfs = rooted_rootfs(&r);
        assert_string_equal(fixture_read(rootfs, "base"), "1");
        assert_string_equal(fixture_read(rootfs, "both"), "2");
        assert_false(exists(rootfs, "gone"));
        assert_string_equal(fixture_read(rootfs, "back"), "3");
        assert_string_equal(fixture_read(rootfs, "dir/a"), "1");
        assert_false(exists(rootfs, "dir/b"));
        assert_false(exists(rootfs, "opaque/hidden"));
        assert_string_equal(fixture_read(rootfs, "opaque/shown"), "3");
        assert_string_equal(fixture_read(rootfs, "typed"), "now a file");
        assert_int_equal(fstatat(rootfs, "dir", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(fstat(rootfs, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0751);
        assert_int_equal(st.st_uid, 12);
        assert_int_equal(st.st_gid, 34);
        assert_true(lgetxattr("/proc/self/fd/0", "trusted.overlay.opaque", NULL, 0) < 0);

        /* Writing does not touch the layers. */
        fixture_put(rootfs, "both", "mine");
        assert_int_equal(unlinkat(rootfs, "base", 0), 0);
        assert_string_equal(fixture_read(two, "both"), "2");
        assert_string_equal(fixture_read(one, "base"), "1");
        close(rootfs);
        rootfs = -EBADF;
        rooted_down(&r);
        assert_false(exists(store_containers_fd(f->store), "c"));
}

static void overlay_shows_the_merged_tree(void **state) {
        stack_shows_the_merged_tree(*state, "overlay");
}

static void dir_shows_the_merged_tree(void **state) {
        stack_shows_the_merged_tree(*state, "dir");
}

static void an_image_without_layers_is_an_empty_root(void **state) {
        static const char *const drivers[] = { "overlay", "dir" };

        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
                _cleanup_close_ int rootfs = -EBADF;
                struct stat st;
                Rooted r;

                rooted_open(&r, *state, drivers[i], 0);
                rooted_up(&r);
                rootfs = rooted_rootfs(&r);
                fixture_put(rootfs, "x", "y");
                assert_int_equal(fstat(rootfs, &st), 0);
                assert_int_equal(st.st_mode & 07777, 0755);
                close(rootfs);
                rootfs = -EBADF;
                rooted_down(&r);
        }
}

static void mounting_and_unmounting_twice_is_success(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1);
        bool mounted;
        Rooted r;

        rooted_open(&r, f, "overlay", 1);
        rooted_up(&r);
        assert_ok(r.driver->mount(&r.root, &f->err), &f->err);
        assert_ok(r.driver->unmount(&r.root, &f->err), &f->err);
        assert_ok(mount_is_point(r.root.container_fd, "rootfs", &mounted, &f->err), &f->err);
        assert_false(mounted);
        assert_ok(r.driver->unmount(&r.root, &f->err), &f->err);
        rooted_down(&r);
}

static void files_survive_a_new_mount(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1), first = -EBADF, second = -EBADF;
        Rooted r;

        fixture_put(one, "gone", "1");
        rooted_open(&r, f, "overlay", 1);
        rooted_up(&r);
        first = rooted_rootfs(&r);
        fixture_put(first, "mine", "x");
        assert_int_equal(unlinkat(first, "gone", 0), 0);
        close(first);
        first = -EBADF;
        assert_ok(r.driver->unmount(&r.root, &f->err), &f->err);
        assert_ok(r.driver->mount(&r.root, &f->err), &f->err);
        second = rooted_rootfs(&r);
        assert_string_equal(fixture_read(second, "mine"), "x");
        assert_false(exists(second, "gone"));
        close(second);
        second = -EBADF;
        rooted_down(&r);
}

static void nothing_is_removed_while_mounted(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1), upper = -EBADF;
        Rooted r;

        rooted_open(&r, f, "overlay", 1);
        rooted_up(&r);
        upper = subdir(r.root.container_fd, "upper");
        fixture_put(upper, "mine", "x");
        assert_int_equal(r.driver->remove(&r.root, &f->err), -1);
        assert_int_equal(f->err.errnum, EBUSY);
        assert_int_equal(container_dir_remove(f->store, "c", &f->err), -1);
        assert_int_equal(f->err.errnum, EBUSY);
        assert_string_equal(fixture_read(r.root.container_fd, "upper/mine"), "x");
        assert_true(exists(r.root.container_fd, "container.json"));
        rooted_down(&r);
}

static void a_copy_is_not_removed_while_something_is_mounted_in_it(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1), in = subdir(one, "in");
        char path[256];
        Rooted r;

        fixture_put(one, "file", "x");
        rooted_open(&r, f, "dir", 1);
        rooted_up(&r);
        snprintf(path, sizeof(path), "%s/rootfs/in", r.path);
        assert_int_equal(mount("tmpfs", path, "tmpfs", 0, NULL), 0);
        assert_int_equal(r.driver->remove(&r.root, &f->err), -1);
        assert_int_equal(f->err.errnum, EBUSY);
        assert_true(exists(r.root.container_fd, "rootfs/file"));
        assert_int_equal(umount(path), 0);
        rooted_down(&r);
}

/* Whoever walked in could run what a container's root made setuid. */
static void other_users_do_not_get_into_a_root(void **state) {
        static const char *const drivers[] = { "overlay", "dir" };
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1);

        fixture_put(one, "file", "x");
        assert_int_equal(chmod(f->directory, 0711), 0);
        assert_int_equal(chmod(f->path, 0755), 0); /* as an administrator may have made it */
        assert_int_equal(fixture_shell("setpriv --reuid 1000 --clear-groups ls %s >/dev/null", f->path), 0);
        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
                Rooted r;

                rooted_open(&r, f, drivers[i], 1);
                rooted_up(&r);
                assert_int_equal(fixture_shell("cat %s/rootfs/file >/dev/null", r.path), 0);
                assert_int_not_equal(fixture_shell("setpriv --reuid 1000 --clear-groups cat %s/rootfs/file >/dev/null 2>&1", r.path), 0);
                assert_int_not_equal(fixture_shell("setpriv --reuid 1000 --clear-groups ls %s/upper >/dev/null 2>&1", r.path), 0);
                assert_int_not_equal(fixture_shell("setpriv --reuid 1000 --clear-groups ls %s/layers >/dev/null 2>&1", f->path), 0);
                rooted_down(&r);
        }
}

static void an_immutable_file_is_named_with_its_remedy(void **state) {
        static const char *const drivers[] = { "overlay", "dir" };
        static const char *const paths[] = { "upper/d/file", "rootfs/d/file" };
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1), d = subdir(one, "d");

        fixture_put(d, "file", "x");
        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
                Rooted r;

                rooted_open(&r, f, drivers[i], 1);
                rooted_up(&r);
                fixture_put(r.root.container_fd, "rootfs/d/file", "y");
                assert_ok(r.driver->unmount(&r.root, &f->err), &f->err);
                if (fixture_shell("chattr +i %s/%s 2>/dev/null", r.path, paths[i])) {
                        rooted_down(&r);
                        skip();
                }
                assert_int_equal(r.driver->remove(&r.root, &f->err), -1);
                assert_int_equal(f->err.errnum, EPERM);
                assert_non_null(strstr(f->err.text, "'file'"));
                assert_non_null(strstr(f->err.hint, "chattr"));
                assert_int_equal(fixture_shell("chattr -R -i %s", r.path), 0);
                rooted_down(&r);
        }
}

static void a_missing_layer_is_named_and_nothing_is_left(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1);
        static const char *const drivers[] = { "overlay", "dir" };

        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
                Digest two = fixture_digest(2);
                Rooted r;

                rooted_open(&r, f, drivers[i], 2);
                assert_int_equal(r.driver->prepare(&r.root, &f->err), -1);
                assert_int_equal(f->err.kind, ERROR_INVALID_STATE);
                assert_non_null(strstr(f->err.text, two.text));
                assert_false(exists(r.root.container_fd, "rootfs"));
                assert_false(exists(r.root.container_fd, "upper"));
                assert_false(exists(r.root.container_fd, "rootfs.partial"));
                rooted_down(&r);
        }
}

static void prepare_keeps_a_root_that_is_there(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1), upper = -EBADF;
        Rooted r;

        rooted_open(&r, f, "overlay", 1);
        assert_ok(r.driver->prepare(&r.root, &f->err), &f->err);
        upper = subdir(r.root.container_fd, "upper");
        fixture_put(upper, "mine", "x");
        assert_int_equal(r.driver->prepare(&r.root, &f->err), -1);
        assert_string_equal(fixture_read(r.root.container_fd, "upper/mine"), "x");
        rooted_down(&r);
}

static void auto_chooses_overlay_here_and_leaves_nothing(void **state) {
        Fixture *f = *state;
        const Driver *driver;

        assert_ok(driver_choose(f->store, NULL, false, &driver, &f->err), &f->err);
        assert_string_equal(driver->name, "overlay");
        assert_ok(driver_choose(f->store, "auto", false, &driver, &f->err), &f->err);
        assert_int_equal(fixture_shell("test -z \"$(ls -A %s/tmp)\"", f->path), 0);
        assert_int_equal(driver_choose(f->store, "zfs", false, &driver, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_INVALID_ARGUMENT);
        assert_non_null(strstr(f->err.text, "overlay, dir"));
}

static void a_store_on_overlay_falls_back_to_dir(void **state) {
        Fixture *f = *state;
        const Driver *driver;
        char path[128];
        Store *store;

        assert_int_equal(fixture_shell("cd %s && mkdir l u w m && mount -t overlay -o lowerdir=l,upperdir=u,workdir=w o m", f->directory),
                         0);
        snprintf(path, sizeof(path), "%s/m/store", f->directory);
        assert_ok(store_open(path, STORE_CREATE, &store, &f->err), &f->err);
        assert_int_equal(driver_choose(store, "overlay", false, &driver, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_NOT_SUPPORTED);
        assert_string_not_equal(f->err.hint, "");
        assert_ok(driver_choose(store, "auto", false, &driver, &f->err), &f->err);
        assert_string_equal(driver->name, "dir");
        store_close(store);
        assert_int_equal(fixture_shell("umount %s/m", f->directory), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup_in_memory, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(overlay_shows_the_merged_tree),
                TEST(dir_shows_the_merged_tree),
                TEST(an_image_without_layers_is_an_empty_root),
                TEST(mounting_and_unmounting_twice_is_success),
                TEST(files_survive_a_new_mount),
                TEST(nothing_is_removed_while_mounted),
                TEST(a_copy_is_not_removed_while_something_is_mounted_in_it),
                TEST(other_users_do_not_get_into_a_root),
                TEST(an_immutable_file_is_named_with_its_remedy),
                TEST(a_missing_layer_is_named_and_nothing_is_left),
                TEST(prepare_keeps_a_root_that_is_there),
                TEST(auto_chooses_overlay_here_and_leaves_nothing),
                TEST(a_store_on_overlay_falls_back_to_dir),
        };

        return cmocka_run_group_tests_name("driver", tests, NULL, NULL);
}
