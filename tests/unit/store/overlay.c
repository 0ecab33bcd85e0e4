/* What only overlays do: the ways to ask the kernel for one, shifted owners, and whom the mounts are seen by. */

#include "rooted.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "oci/userns.h"
#include "store/drivers/overlay-mount.h"
#include "store/drivers/overlay-parts.h"
#include "store/mounts.h"

/* The container's ids 0…99 are the host's 1000… for users and 2000… for groups. */
static const IdMapping shifting = {
        .uids = { .ranges = (IdRange[]) { { 0, 1000, 100 } }, .n = 1 },
        .gids = { .ranges = (IdRange[]) { { 0, 2000, 100 } }, .n = 1 },
};

static void is_owned(int dir_fd, const char *name, uid_t uid, gid_t gid) {
        struct stat st;

        assert_int_equal(fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_uid, uid);
        assert_int_equal(st.st_gid, gid);
}

static void shifts_owners(Fixture *f, OverlayWay way) {
        _cleanup_close_ int one = fixture_layer(f, 1), two = fixture_layer(f, 2), rootfs = -EBADF;
        Rooted r;

        fixture_put(one, "below", "1");
        fixture_put(two, "above", "2");
        assert_int_equal(fchownat(one, "below", 33, 44, 0), 0);
        assert_int_equal(fchown(two, 5, 6), 0);
        rooted_open(&r, f, "overlay", 2);
        r.root.mapping = &shifting;
        assert_ok(r.driver->prepare(&r.root, &f->err), &f->err);
        assert_int_equal(overlay_mount_by(&r.root, way, &f->err), 0);
        rootfs = rooted_rootfs(&r);
        is_owned(rootfs, ".", 1005, 2006);
        is_owned(rootfs, "below", 1033, 2044);
        is_owned(rootfs, "above", 1000, 2000);

        /* What was changed is found with the same owner after the next mount; the layers keep theirs. */
        assert_int_equal(fchmodat(rootfs, "above", 0600, 0), 0);
        assert_int_equal(fchownat(rootfs, "below", 1007, 2008, 0), 0);
        close(rootfs);
        assert_ok(r.driver->unmount(&r.root, &f->err), &f->err);
        assert_int_equal(overlay_mount_by(&r.root, way, &f->err), 0);
        rootfs = rooted_rootfs(&r);
        is_owned(rootfs, "above", 1000, 2000);
        is_owned(rootfs, "below", 1007, 2008);
        is_owned(one, "below", 33, 44);
        is_owned(two, "above", 0, 0);
        close(rootfs);
        rootfs = -EBADF;
        rooted_down(&r);
}

static void overlay_shifts_owners_by_descriptor(void **state) {
        shifts_owners(*state, OVERLAY_BY_FD);
}

static void overlay_shifts_owners_in_a_namespace_of_its_own(void **state) {
        shifts_owners(*state, OVERLAY_BY_DATA);
}

/* Children that were waited for leave their page faults. */
static long faults_of_children(void) {
        struct rusage used;

        assert_int_equal(getrusage(RUSAGE_CHILDREN, &used), 0);
        return used.ru_minflt;
}

static void whether_owners_can_be_shifted_is_known_without_a_process_on_a_new_kernel(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int userns = -EBADF, tree = -EBADF;
        long before = faults_of_children();
        const Driver *driver;

        assert_ok(driver_choose(f->store, "auto", true, &driver, &f->err), &f->err);
        assert_string_equal(driver->name, "overlay");
        if (overlay_takes_descriptors(store_tmp_fd(f->store)))
                assert_int_equal(faults_of_children(), before);
        assert_ok(userns_open(&shifting, &userns, &f->err), &f->err);
        assert_ok(overlay_shift(f->store, store_tmp_fd(f->store), userns, &tree, &f->err), &f->err);
        assert_true(faults_of_children() > before);
}

static void an_owner_outside_of_the_mapping_is_refused(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1);
        Rooted r;

        assert_int_equal(fchown(one, 100, 0), 0);
        rooted_open(&r, f, "overlay", 1);
        r.root.mapping = &shifting;
        assert_int_equal(r.driver->prepare(&r.root, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_INVALID_ARGUMENT);
        assert_false(exists(r.root.container_fd, "upper"));
        rooted_down(&r);
}

static const IdMapping overlapping = {
        .uids = { .ranges = (IdRange[]) { { 0, 1000, 100 }, { 50, 5000, 1 } }, .n = 2 },
        .gids = { .ranges = (IdRange[]) { { 0, 1000, 100 } }, .n = 1 },
};

static void ranges_that_overlap_are_refused(void **state) {
        Fixture *f = *state;
        Rooted r;

        rooted_open(&r, f, "overlay", 0);
        r.root.mapping = &overlapping;
        assert_ok(r.driver->prepare(&r.root, &f->err), &f->err);
        assert_int_equal(r.driver->mount(&r.root, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_INVALID_ARGUMENT);
        rooted_down(&r);
}

/* The top layer must win and the bottom one show through, so that a cut list of layers is noticed. */
static void mount_many(Fixture *f, OverlayWay way, const IdMapping *mapping, unsigned n) {
        _cleanup_close_ int rootfs = -EBADF;
        char name[32], text[32];
        Rooted r;

        for (unsigned i = 1; i <= n; i++) {
                _cleanup_close_ int fd = fixture_layer(f, i);

                snprintf(name, sizeof(name), "only-%u", i);
                fixture_put(fd, name, "x");
                snprintf(text, sizeof(text), "%u", i);
                fixture_put(fd, "all", text);
        }
        rooted_open(&r, f, "overlay", n);
        r.root.mapping = mapping;
        assert_ok(r.driver->prepare(&r.root, &f->err), &f->err);
        assert_ok(overlay_mount_by(&r.root, way, &f->err), &f->err);
        rootfs = rooted_rootfs(&r);
        assert_string_equal(fixture_read(rootfs, "all"), text);
        for (unsigned i = 1; i <= n; i++) {
                snprintf(name, sizeof(name), "only-%u", i);
                assert_true(exists(rootfs, name));
        }
        close(rootfs);
        rootfs = -EBADF;
        rooted_down(&r);
}

static void overlay_takes_500_layers_by_descriptor(void **state) {
        mount_many(*state, OVERLAY_BY_FD, NULL, 500);
}

static void overlay_takes_500_layers_by_path(void **state) {
        mount_many(*state, OVERLAY_BY_PATH, NULL, 500);
}

static void overlay_takes_500_layers_in_one_page_of_options(void **state) {
        mount_many(*state, OVERLAY_BY_DATA, NULL, 500);
}

static void overlay_takes_500_shifted_layers(void **state) {
        mount_many(*state, OVERLAY_BY_FD, &shifting, 500);
}

static void overlay_takes_500_shifted_layers_in_one_page_of_options(void **state) {
        mount_many(*state, OVERLAY_BY_DATA, &shifting, 500);
}

static void a_temporary_root_is_mounted_once(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1);

        for (OverlayWay way = 0; way < _OVERLAY_WAY_MAX; way++) {
                Rooted r;

                rooted_open(&r, f, "overlay", 1);
                r.root.temporary = true;
                assert_ok(r.driver->prepare(&r.root, &f->err), &f->err);
                assert_ok(overlay_mount_by(&r.root, way, &f->err), &f->err);
                assert_int_equal(fixture_shell("grep ' %s/rootfs ' /proc/self/mountinfo | grep -q volatile", r.path), 0);
                assert_ok(r.driver->mount(&r.root, &f->err), &f->err);
                assert_ok(r.driver->unmount(&r.root, &f->err), &f->err);
                assert_int_equal(r.driver->mount(&r.root, &f->err), -1);
                assert_int_equal(f->err.kind, ERROR_INVALID_STATE);
                rooted_down(&r);
        }
}

static void a_busy_root_with_mounts_in_it_is_detached(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1), in = subdir(one, "in"), busy = -EBADF;
        char path[256];
        Rooted r;

        rooted_open(&r, f, "overlay", 1);
        rooted_up(&r);
        snprintf(path, sizeof(path), "%s/rootfs/in", r.path);
        assert_int_equal(mount("tmpfs", path, "tmpfs", 0, NULL), 0);
        busy = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(busy >= 0);
        assert_ok(r.driver->unmount(&r.root, &f->err), &f->err);
        assert_int_equal(fixture_shell("grep -q ' %s' /proc/self/mountinfo", r.path), 1);
        rooted_down(&r);
}

/* What a path may hold and mount options and mountinfo spell otherwise. */
static void odd_characters_in_the_path_do_no_harm(void **state) {
        Fixture *f = *state;
        char path[200], in[300];

        store_close(f->store);
        snprintf(path, sizeof(path), "%s/a:b,c\\d e\n\t#=", f->directory);
        assert_ok(store_open(path, STORE_CREATE, &f->store, &f->err), &f->err);
        close(fixture_layer(f, 1));
        close(fixture_layer(f, 2));
        for (OverlayWay way = 0; way < _OVERLAY_WAY_MAX; way++) {
                _cleanup_close_ int busy = -EBADF;
                bool inside;
                Rooted r;

                rooted_open(&r, f, "overlay", 2);
                assert_ok(r.driver->prepare(&r.root, &f->err), &f->err);
                assert_ok(overlay_mount_by(&r.root, way, &f->err), &f->err);
                snprintf(in, sizeof(in), "%s/containers/c/rootfs/in", path);
                assert_int_equal(mkdir(in, 0755), 0);
                assert_int_equal(mount("tmpfs", in, "tmpfs", 0, NULL), 0);
                busy = open(in, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                assert_ok(mount_is_inside(r.root.container_fd, &inside, &f->err), &f->err);
                assert_true(inside);
                assert_ok(r.driver->unmount(&r.root, &f->err), &f->err);
                assert_ok(mount_is_inside(r.root.container_fd, &inside, &f->err), &f->err);
                assert_false(inside);
                close(busy);
                busy = -EBADF;
                rooted_down(&r);
        }
}

/* Deleting and replacing must work as on a disk: that is what trusted attributes and redirect_dir are about. */
static void a_directory_of_a_layer_can_be_replaced(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1), d = subdir(one, "d"), rootfs = -EBADF;
        Rooted r;

        fixture_put(d, "old", "1");
        rooted_open(&r, f, "overlay", 1);
        rooted_up(&r);
        rootfs = rooted_rootfs(&r);
        assert_ok(dir_remove_tree_at(rootfs, "d", &f->err), &f->err);
        assert_int_equal(mkdirat(rootfs, "d", 0755), 0);
        close(rootfs);
        assert_ok(r.driver->unmount(&r.root, &f->err), &f->err);
        assert_ok(r.driver->mount(&r.root, &f->err), &f->err);
        rootfs = rooted_rootfs(&r);
        assert_true(exists(rootfs, "d"));
        assert_false(exists(rootfs, "d/old"));
        close(rootfs);
        rootfs = -EBADF;
        rooted_down(&r);
}

static void redirects_in_a_layer_are_not_followed(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1), two = fixture_layer(f, 2), rootfs = -EBADF;
        _cleanup_close_ int secret = subdir(one, "secret"), fake = subdir(two, "fake");
        Rooted r;

        fixture_put(secret, "key", "1");
        assert_int_equal(fsetxattr(fake, "trusted.overlay.redirect", "/secret", 7, 0), 0);
        rooted_open(&r, f, "overlay", 2);
        rooted_up(&r);
        rootfs = rooted_rootfs(&r);
        assert_false(exists(rootfs, "fake/key"));
        close(rootfs);
        rootfs = -EBADF;
        rooted_down(&r);
}

static void a_shared_namespace_does_not_get_the_root(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int one = fixture_layer(f, 1), own = -EBADF;
        struct statfs fs;
        bool mounted;
        char path[200];
        Rooted r;

        own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        assert_int_equal(unshare(CLONE_NEWNS), 0);
        assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL), 0);
        store_close(f->store);
        assert_ok(store_open(f->path, STORE_READ, &f->store, &f->err), &f->err);

        rooted_open(&r, f, "overlay", 1);
        rooted_up(&r);
        snprintf(path, sizeof(path), "%s/rootfs", r.path);
        assert_int_equal(statfs(path, &fs), 0);
        assert_int_equal(fs.f_type, OVERLAYFS_SUPER_MAGIC);
        assert_int_equal(fixture_shell("grep ' %s/rootfs ' /proc/self/mountinfo | grep -q 'shared:.* overlay '", r.path), 1);
        assert_ok(r.driver->unmount(&r.root, &f->err), &f->err);
        assert_ok(mount_is_point(r.root.container_fd, "rootfs", &mounted, &f->err), &f->err);
        assert_false(mounted);
        rooted_down(&r);

        store_close(f->store);
        assert_int_equal(setns(own, CLONE_NEWNS), 0);
        assert_ok(store_open(f->path, STORE_READ, &f->store, &f->err), &f->err);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup_in_memory, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(overlay_shifts_owners_by_descriptor),
                TEST(overlay_shifts_owners_in_a_namespace_of_its_own),
                TEST(whether_owners_can_be_shifted_is_known_without_a_process_on_a_new_kernel),
                TEST(an_owner_outside_of_the_mapping_is_refused),
                TEST(ranges_that_overlap_are_refused),
                TEST(overlay_takes_500_layers_by_descriptor),
                TEST(overlay_takes_500_layers_by_path),
                TEST(overlay_takes_500_layers_in_one_page_of_options),
                TEST(overlay_takes_500_shifted_layers),
                TEST(overlay_takes_500_shifted_layers_in_one_page_of_options),
                TEST(a_temporary_root_is_mounted_once),
                TEST(a_busy_root_with_mounts_in_it_is_detached),
                TEST(odd_characters_in_the_path_do_no_harm),
                TEST(a_directory_of_a_layer_can_be_replaced),
                TEST(redirects_in_a_layer_are_not_followed),
                TEST(a_shared_namespace_does_not_get_the_root),
        };

        return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
