#include "fixture.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "store/drivers/copy.h"

typedef struct Trees {
        Fixture *f;
        int from, to, links;
} Trees;

static Trees trees_open(Fixture *f) {
        Trees t = { .f = f };

        assert_ok(dir_make_at(store_tmp_fd(f->store), "from", 0755, &t.from, &f->err), &f->err);
        assert_ok(dir_make_at(store_tmp_fd(f->store), "to", 0755, &t.to, &f->err), &f->err);
        assert_ok(dir_make_at(store_tmp_fd(f->store), "links", 0700, &t.links, &f->err), &f->err);
        return t;
}

static void trees_close(Trees *t) {
        close(t->from);
        close(t->to);
        close(t->links);
}

#define _cleanup_trees_ _cleanup_(trees_close)

static void copy(Trees *t) {
        assert_ok(copy_layer(t->from, t->to, t->links, NULL, &t->f->err), &t->f->err);
}

/* Empties the source, for the next layer. */
static void next_layer(Trees *t) {
        close(t->from);
        assert_ok(dir_remove_tree_at(store_tmp_fd(t->f->store), "from", &t->f->err), &t->f->err);
        assert_ok(dir_make_at(store_tmp_fd(t->f->store), "from", 0755, &t->from, &t->f->err), &t->f->err);
}

static struct stat stat_of(int dir_fd, const char *name) {
        struct stat st;

        assert_int_equal(fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
        return st;
}

static void assert_same(const Trees *t, const char *name) {
        struct stat a = stat_of(t->from, name), b = stat_of(t->to, name);

        assert_int_equal(a.st_mode, b.st_mode);
        assert_int_equal(a.st_uid, b.st_uid);
        assert_int_equal(a.st_gid, b.st_gid);
        assert_int_equal(a.st_rdev, b.st_rdev);
        if (!S_ISDIR(a.st_mode))
                assert_int_equal(a.st_size, b.st_size);
        assert_int_equal(a.st_mtim.tv_sec, b.st_mtim.tv_sec);
        assert_int_equal(a.st_mtim.tv_nsec, b.st_mtim.tv_nsec);
}

static void set_times(int dir_fd, const char *name, long seconds) {
        assert_int_equal(utimensat(dir_fd, name, (struct timespec[]) { { seconds, 1 }, { seconds, 123456789 } }, AT_SYMLINK_NOFOLLOW), 0);
}

static void every_type_keeps_owner_mode_and_times(void **state) {
        _cleanup_trees_ Trees t = trees_open(*state);
        static const char *const names[] = { "file", "setuid", "link", "dangling", "fifo", "char", "block", "socket", "dir", "sticky" };

        fixture_put(t.from, "file", "text");
        fixture_put(t.from, "setuid", "text");
        assert_int_equal(symlinkat("file", t.from, "link"), 0);
        assert_int_equal(symlinkat("/nowhere/../..", t.from, "dangling"), 0);
        assert_int_equal(mknodat(t.from, "fifo", S_IFIFO | 0600, 0), 0);
        assert_int_equal(mknodat(t.from, "char", S_IFCHR | 0600, makedev(1, 3)), 0);
        assert_int_equal(mknodat(t.from, "block", S_IFBLK | 0600, makedev(7, 9)), 0);
        assert_int_equal(mknodat(t.from, "socket", S_IFSOCK | 0600, 0), 0);
        assert_int_equal(mkdirat(t.from, "dir", 0755), 0);
        assert_int_equal(mkdirat(t.from, "sticky", 0755), 0);
        fixture_put(t.from, "sticky/inner", "x");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_int_equal(fchownat(t.from, names[i], 1000 + (uid_t) i, 2000 + (gid_t) i, AT_SYMLINK_NOFOLLOW), 0);
                if (names[i][0] != 'l' && strcmp(names[i], "dangling"))
                        assert_int_equal(fchmodat(t.from, names[i], 0640 + (mode_t) i, 0), 0);
        }
        assert_int_equal(fchmodat(t.from, "setuid", 06755, 0), 0);
        assert_int_equal(fchmodat(t.from, "sticky", 07777, 0), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                set_times(t.from, names[i], 1000000000 + (long) i);
        set_times(t.from, ".", 86400);

        copy(&t);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                assert_same(&t, names[i]);
        assert_same(&t, ".");
        assert_same(&t, "sticky/inner");
        assert_string_equal(fixture_read(t.to, "file"), "text");
        assert_string_equal(fixture_read(t.to, "link"), "text");
}

static void attributes_come_along_but_not_overlays_own(void **state) {
        _cleanup_trees_ Trees t = trees_open(*state);
        /* cap_net_raw=ep: VFS_CAP_REVISION_2 with the effective bit */
        static const unsigned char capability[] = { 1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
        unsigned char value[64];
        char path[256];
        _cleanup_close_ int file = -EBADF, dir = -EBADF, file_to = -EBADF, dir_to = -EBADF;

        fixture_put(t.from, "file", "text");
        assert_int_equal(mkdirat(t.from, "dir", 0755), 0);
        assert_int_equal(symlinkat("x", t.from, "link"), 0);
        file = openat(t.from, "file", O_RDONLY | O_CLOEXEC);
        dir = openat(t.from, "dir", O_RDONLY | O_CLOEXEC);
        assert_int_equal(fchown(file, 5, 5), 0);
        assert_int_equal(fsetxattr(file, "user.note", "hello", 5, 0), 0);
        assert_int_equal(fsetxattr(file, "user.empty", "", 0, 0), 0);
        assert_int_equal(fsetxattr(file, "security.capability", capability, sizeof(capability), 0), 0);
        assert_int_equal(fsetxattr(file, "trusted.mine", "1", 1, 0), 0);
        assert_int_equal(fsetxattr(dir, "user.note", "dir", 3, 0), 0);
        assert_int_equal(fsetxattr(dir, "trusted.overlay.opaque", "y", 1, 0), 0);
        assert_int_equal(fsetxattr(dir, "trusted.overlay.impure", "y", 1, 0), 0);
        snprintf(path, sizeof(path), "%s/tmp/from/link", t.f->path);
        assert_int_equal(lsetxattr(path, "trusted.link", "1", 1, 0), 0);

        copy(&t);
        file_to = openat(t.to, "file", O_RDONLY | O_CLOEXEC);
        dir_to = openat(t.to, "dir", O_RDONLY | O_CLOEXEC);
        assert_int_equal(fgetxattr(file_to, "user.note", value, sizeof(value)), 5);
        assert_int_equal(fgetxattr(file_to, "user.empty", value, sizeof(value)), 0);
        assert_int_equal(fgetxattr(file_to, "security.capability", value, sizeof(value)), sizeof(capability));
        assert_memory_equal(value, capability, sizeof(capability));
        assert_int_equal(fgetxattr(file_to, "trusted.mine", value, sizeof(value)), 1);
        assert_int_equal(fgetxattr(dir_to, "user.note", value, sizeof(value)), 3);
        assert_int_equal(fgetxattr(dir_to, "trusted.overlay.opaque", value, sizeof(value)), -1);
        assert_int_equal(fgetxattr(dir_to, "trusted.overlay.impure", value, sizeof(value)), -1);
        snprintf(path, sizeof(path), "%s/tmp/to/link", t.f->path);
        assert_int_equal(lgetxattr(path, "trusted.link", value, sizeof(value)), 1);
}

static void a_directory_laid_over_another_replaces_its_attributes(void **state) {
        _cleanup_trees_ Trees t = trees_open(*state);
        _cleanup_close_ int dir = -EBADF, to = -EBADF;
        char value[8];

        assert_int_equal(mkdirat(t.from, "dir", 0755), 0);
        fixture_put(t.from, "dir/below", "1");
        dir = openat(t.from, "dir", O_RDONLY | O_CLOEXEC);
        assert_int_equal(fsetxattr(dir, "user.old", "1", 1, 0), 0);
        copy(&t);
        next_layer(&t);
        assert_int_equal(mkdirat(t.from, "dir", 0700), 0);
        set_times(t.from, "dir", 5);
        copy(&t);
        assert_same(&t, "dir");
        assert_string_equal(fixture_read(t.to, "dir/below"), "1");
        to = openat(t.to, "dir", O_RDONLY | O_CLOEXEC);
        assert_int_equal(fgetxattr(to, "user.old", value, sizeof(value)), -1);
}

static void hardlinks_stay_one_file(void **state) {
        _cleanup_trees_ Trees t = trees_open(*state);
        struct stat a, b, c;

        fixture_put(t.from, "a", "1");
        assert_int_equal(mkdirat(t.from, "d", 0755), 0);
        assert_int_equal(linkat(t.from, "a", t.from, "d/b", 0), 0);
        assert_int_equal(linkat(t.from, "a", t.from, "c", 0), 0);
        assert_int_equal(symlinkat("x", t.from, "s1"), 0);
        assert_int_equal(linkat(t.from, "s1", t.from, "s2", 0), 0);
        copy(&t);
        a = stat_of(t.to, "a");
        b = stat_of(t.to, "d/b");
        c = stat_of(t.to, "c");
        assert_int_equal(a.st_ino, b.st_ino);
        assert_int_equal(a.st_ino, c.st_ino);
        assert_int_equal(stat_of(t.to, "s1").st_ino, stat_of(t.to, "s2").st_ino);

        /* One name replaced by the next layer: the others are still one file, the replaced one is not. */
        next_layer(&t);
        fixture_put(t.from, "c", "2");
        copy(&t);
        assert_string_equal(fixture_read(t.to, "a"), "1");
        assert_string_equal(fixture_read(t.to, "d/b"), "1");
        assert_string_equal(fixture_read(t.to, "c"), "2");
        assert_int_equal(stat_of(t.to, "a").st_ino, stat_of(t.to, "d/b").st_ino);
}

static void holes_stay_holes(void **state) {
        _cleanup_trees_ Trees t = trees_open(*state);
        _cleanup_close_ int from = openat(t.from, "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600), to = -EBADF;
        char text[6] = "";
        struct stat st;

        assert_int_equal(pwrite(from, "begin", 5, 0), 5);
        assert_int_equal(pwrite(from, "inner", 5, 64 << 20), 5);
        assert_int_equal(ftruncate(from, 256 << 20), 0);
        copy(&t);
        st = stat_of(t.to, "sparse");
        assert_int_equal(st.st_size, 256 << 20);
        assert_true(st.st_blocks * 512 < 1 << 20);
        to = openat(t.to, "sparse", O_RDONLY | O_CLOEXEC);
        assert_int_equal(pread(to, text, 5, 64 << 20), 5);
        assert_string_equal(text, "inner");
        assert_int_equal(pread(to, text, 5, 0), 5);
        assert_string_equal(text, "begin");
}

static void any_type_replaces_any_other(void **state) {
        _cleanup_trees_ Trees t = trees_open(*state);
        _cleanup_close_ int outside = -EBADF;

        assert_ok(dir_make_at(store_tmp_fd(t.f->store), "outside", 0755, &outside, &t.f->err), &t.f->err);
        fixture_put(outside, "precious", "1");
        assert_int_equal(mkdirat(t.from, "dir-file", 0755), 0);
        fixture_put(t.from, "dir-file/x", "1");
        fixture_put(t.from, "file-dir", "1");
        assert_int_equal(symlinkat("../outside", t.from, "link-dir"), 0);
        assert_int_equal(symlinkat("../outside/precious", t.from, "link-file"), 0);
        assert_int_equal(symlinkat("../outside/precious", t.from, "link-gone"), 0);
        copy(&t);
        next_layer(&t);
        fixture_put(t.from, "dir-file", "2");
        assert_int_equal(mkdirat(t.from, "file-dir", 0755), 0);
        assert_int_equal(mkdirat(t.from, "link-dir", 0711), 0);
        fixture_put(t.from, "link-dir/precious", "2");
        fixture_put(t.from, "link-file", "2");
        assert_int_equal(mknodat(t.from, "link-gone", S_IFCHR, 0), 0);
        copy(&t);
        assert_string_equal(fixture_read(t.to, "dir-file"), "2");
        assert_same(&t, "file-dir");
        assert_same(&t, "link-dir");
        assert_same(&t, "link-file");
        assert_true(faccessat(t.to, "link-gone", F_OK, AT_SYMLINK_NOFOLLOW) < 0);
        assert_string_equal(fixture_read(outside, "precious"), "1");
        assert_int_equal(stat_of(outside, ".").st_mode & 07777, 0755);
}

/* Deeper than PATH_MAX, than the descriptors a process may have, and than any stack of recursive calls should be. */
static void a_deep_tree_needs_neither_stack_nor_descriptors(void **state) {
        _cleanup_trees_ Trees t = trees_open(*state);
        int fd = dup(t.from), depth = 3000;

        for (int i = 0; i < depth; i++) {
                int next;

                assert_int_equal(mkdirat(fd, "d", 0755), 0);
                next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                close(fd);
                fd = next;
        }
        fixture_put(fd, "bottom", "x");
        close(fd);
        copy(&t);
        fd = dup(t.to);
        for (int i = 0; i < depth; i++) {
                int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                assert_true(next >= 0);
                close(fd);
                fd = next;
        }
        assert_string_equal(fixture_read(fd, "bottom"), "x");
        close(fd);
}

static void an_error_names_the_file(void **state) {
        _cleanup_trees_ Trees t = trees_open(*state);
        _cleanup_close_ int dir = -EBADF;

        assert_int_equal(fixture_shell("mount -t tmpfs -o size=64k tmpfs %s/tmp/to", t.f->path), 0);
        close(t.to);
        t.to = openat(store_tmp_fd(t.f->store), "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_ok(dir_make_at(t.from, "usr/share", 0755, &dir, &t.f->err), &t.f->err);
        assert_int_equal(fixture_shell("head -c 1M /dev/urandom > %s/tmp/from/usr/share/big", t.f->path), 0);
        assert_int_equal(copy_layer(t.from, t.to, t.links, NULL, &t.f->err), -1);
        assert_int_equal(t.f->err.errnum, ENOSPC);
        assert_string_equal(t.f->err.text, "'usr': 'share': 'big': write: No space left on device");
        close(t.to);
        t.to = -EBADF;
        assert_int_equal(fixture_shell("umount %s/tmp/to", t.f->path), 0);
}

static IdRange shifted[] = { { .container = 0, .host = 100000, .size = 1000 } };
static const IdMapping shifting = { .uids = { shifted, 1 }, .gids = { shifted, 1 } };

static size_t xattr_of(const Fixture *f, const char *name, const char *attribute, unsigned char *value, size_t size) {
        char path[PATH_MAX];
        ssize_t n;

        snprintf(path, sizeof(path), "%s/tmp/%s", f->path, name);
        n = lgetxattr(path, attribute, value, size);
        assert_true(n > 0);
        return (size_t) n;
}

static void owners_are_shifted_in_files_lists_and_capabilities(void **state) {
        /* version 2, CAP_NET_RAW permitted and effective. Source: capabilities(7) */
        static const unsigned char capability[20] = { 1, 0, 0, 2, 0, 0x20 };
        /* user::rw- user:33:r-- group::r-- mask::r-- other::r--. Source: posix_acl_xattr.h */
        static const unsigned char list[] = { 2,  0, 0, 0, 1,   0,   6,   0,   255, 255, 255, 255, 2,   0,  4, 0, 33, 0, 0, 0, 4,   0,
                                              4,  0, 255, 255, 255, 255, 16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 4,  0, 255, 255,
                                              255, 255 };
        _cleanup_trees_ Trees t = trees_open(*state);
        unsigned char value[64];
        char path[PATH_MAX];
        struct stat st;

        assert_int_equal(fixture_shell("cd %s/tmp/from && mkdir d && touch d/f d/s d/l && ln -s f d/link && mkfifo d/p && ln d/f d/g && "
                                       "chown -h 33:44 d/f d/link && chown 5:6 d && chown 7:8 d/s && chmod 6755 d/s",
                                       t.f->path), 0);
        snprintf(path, sizeof(path), "%s/tmp/from/d/f", t.f->path);
        assert_int_equal(lsetxattr(path, "security.capability", capability, sizeof(capability), 0), 0);
        snprintf(path, sizeof(path), "%s/tmp/from/d/l", t.f->path);
        assert_int_equal(lsetxattr(path, "system.posix_acl_access", list, sizeof(list), 0), 0);

        assert_ok(copy_layer(t.from, t.to, t.links, &shifting, &t.f->err), &t.f->err);
        st = stat_of(t.to, "d/f");
        assert_true(st.st_uid == 100033 && st.st_gid == 100044 && st.st_nlink == 3); /* one is in links/ */
        st = stat_of(t.to, "d/link");
        assert_true(st.st_uid == 100033 && st.st_gid == 100044);
        st = stat_of(t.to, "d");
        assert_true(st.st_uid == 100005 && st.st_gid == 100006);
        st = stat_of(t.to, "d/p");
        assert_true(st.st_uid == 100000 && st.st_gid == 100000);
        st = stat_of(t.to, "d/s");
        assert_true(st.st_uid == 100007 && st.st_gid == 100008 && (st.st_mode & 07777) == 06755);
        st = stat_of(t.to, ".");
        assert_true(st.st_uid == 100000 && st.st_gid == 100000);

        assert_int_equal(xattr_of(t.f, "to/d/f", "security.capability", value, sizeof(value)), 24);
        assert_memory_equal(value, ((const unsigned char[]) { 1, 0, 0, 3, 0, 0x20 }), 6);
        assert_memory_equal(value + 20, ((const unsigned char[]) { 0xa0, 0x86, 1, 0 }), 4); /* 100000 */
        assert_int_equal(xattr_of(t.f, "to/d/l", "system.posix_acl_access", value, sizeof(value)), sizeof(list));
        assert_memory_equal(value + 16, ((const unsigned char[]) { 0xc1, 0x86, 1, 0 }), 4); /* 100033 */
}

static void an_owner_that_the_mapping_lacks_is_refused(void **state) {
        _cleanup_trees_ Trees t = trees_open(*state);

        assert_int_equal(fixture_shell("touch %s/tmp/from/f && chown 33:1000 %s/tmp/from/f", t.f->path, t.f->path), 0);
        assert_int_equal(copy_layer(t.from, t.to, t.links, &shifting, &t.f->err), -1);
        assert_int_equal(t.f->err.kind, ERROR_INVALID_ARGUMENT);
        assert_string_equal(t.f->err.text, "'f': the user namespace has no id for group 1000");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(every_type_keeps_owner_mode_and_times),
                TEST(attributes_come_along_but_not_overlays_own),
                TEST(a_directory_laid_over_another_replaces_its_attributes),
                TEST(hardlinks_stay_one_file),
                TEST(holes_stay_holes),
                TEST(any_type_replaces_any_other),
                TEST(a_deep_tree_needs_neither_stack_nor_descriptors),
                TEST(an_error_names_the_file),
                TEST(owners_are_shifted_in_files_lists_and_capabilities),
                TEST(an_owner_that_the_mapping_lacks_is_refused),
        };

        return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
