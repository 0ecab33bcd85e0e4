#include "fixture.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "store/container.h"
#include "store/driver.h"
#include "store/drivers/overlay-mount.h"
#include "store/mounts.h"

typedef struct Rooted {
        Fixture *f;
        const Driver *driver;
        DriverRoot root;
        Digest chain_ids[512];
        char path[160];
} Rooted;

/* A container over layers 1 … n. */
static void rooted_open(Rooted *r, Fixture *f, const char *driver, unsigned n) {
        ContainerRecord record = {
                .id = (char *) "c",
                .root = (char *) "/run/x",
                .image_name = (char *) "i",
                .image = fixture_digest(1),
                .driver = (char *) driver,
                .runtime = (char *) "crun",
                .created = (char *) "2026-01-01T00:00:00Z",
                .boot_id = "b",
        };

        *r = (Rooted) { .f = f };
        snprintf(r->path, sizeof(r->path), "%s/containers/c", f->path);
        for (unsigned i = 0; i < n; i++)
                r->chain_ids[i] = fixture_digest(i + 1);
        r->root = (DriverRoot) { .store = f->store, .path = r->path, .chain_ids = r->chain_ids, .n_layers = n };
        assert_ok(container_dir_make(f->store, &record, false, &r->root.container_fd, &f->err), &f->err);
        assert_ok(driver_find(driver, &r->driver, &f->err), &f->err);
}

static int rooted_rootfs(const Rooted *r) {
        int fd = openat(r->root.container_fd, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void rooted_up(Rooted *r) {
        assert_ok(r->driver->prepare(&r->root, &r->f->err), &r->f->err);
        assert_ok(r->driver->mount(&r->root, &r->f->err), &r->f->err);
}

static void rooted_down(Rooted *r) {
        assert_ok(r->driver->unmount(&r->root, &r->f->err), &r->f->err);
        assert_ok(r->driver->remove(&r->root, &r->f->err), &r->f->err);
        assert_ok(container_dir_remove(r->f->store, "c", &r->f->err), &r->f->err);
        close(r->root.container_fd);
}

static void whiteout(int dir_fd, const char *name) {
        assert_int_equal(mknodat(dir_fd, name, S_IFCHR, 0), 0);
}

static int subdir(int dir_fd, const char *name) {
        int fd;
        Error err = ERROR_INIT;

        assert_ok(dir_make_at(dir_fd, name, 0755, &fd, &err), &err);
        return fd;
}

static bool exists(int dir_fd, const char *name) {
        return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
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

static void auto_chooses_overlay_here_and_leaves_nothing(void **state) {
        Fixture *f = *state;
        const Driver *driver;

        assert_ok(driver_choose(f->store, NULL, &driver, &f->err), &f->err);
        assert_string_equal(driver->name, "overlay");
        assert_ok(driver_choose(f->store, "auto", &driver, &f->err), &f->err);
        assert_int_equal(fixture_shell("test -z \"$(ls -A %s/tmp)\"", f->path), 0);
        assert_int_equal(driver_choose(f->store, "zfs", &driver, &f->err), -1);
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
        assert_int_equal(driver_choose(store, "overlay", &driver, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_NOT_SUPPORTED);
        assert_string_not_equal(f->err.hint, "");
        assert_ok(driver_choose(store, "auto", &driver, &f->err), &f->err);
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
                TEST(overlay_shifts_owners_by_descriptor),
                TEST(overlay_shifts_owners_in_a_namespace_of_its_own),
                TEST(an_owner_outside_of_the_mapping_is_refused),
                TEST(ranges_that_overlap_are_refused),
                TEST(overlay_takes_500_layers_by_descriptor),
                TEST(overlay_takes_500_layers_by_path),
                TEST(overlay_takes_500_layers_in_one_page_of_options),
                TEST(overlay_takes_500_shifted_layers),
                TEST(overlay_takes_500_shifted_layers_in_one_page_of_options),
                TEST(mounting_and_unmounting_twice_is_success),
                TEST(files_survive_a_new_mount),
                TEST(a_temporary_root_is_mounted_once),
                TEST(nothing_is_removed_while_mounted),
                TEST(a_copy_is_not_removed_while_something_is_mounted_in_it),
                TEST(a_busy_root_with_mounts_in_it_is_detached),
                TEST(odd_characters_in_the_path_do_no_harm),
                TEST(other_users_do_not_get_into_a_root),
                TEST(a_directory_of_a_layer_can_be_replaced),
                TEST(an_immutable_file_is_named_with_its_remedy),
                TEST(a_missing_layer_is_named_and_nothing_is_left),
                TEST(prepare_keeps_a_root_that_is_there),
                TEST(redirects_in_a_layer_are_not_followed),
                TEST(a_shared_namespace_does_not_get_the_root),
                TEST(auto_chooses_overlay_here_and_leaves_nothing),
                TEST(a_store_on_overlay_falls_back_to_dir),
        };

        return cmocka_run_group_tests_name("driver", tests, NULL, NULL);
}
