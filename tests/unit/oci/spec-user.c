#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "oci/spec-parts.h"

#include "../scratch.h"

static const char passwd[] = "# a comment\n"
                             "root:x:0:0:root:/root:/bin/sh\n"
                             "broken\n"
                             "+nis\n"
                             "huge:x:4294967295:1::/:\n"
                             "bob:x:1001:1002:Bob,,:/home/bob:/bin/sh\n"
                             "last:x:5:6::/last:";
static const char group[] = "root:x:0:bob\n"
                            "bob:x:1002:bob\n"
                            "audio:x:29:alice,bob\n"
                            "bobby:x:30:bobby\n"
                            "video:x:44:bob\n"
                            "again:x:44:bob\n"
                            "short:x:7\n";

static void write_etc(const Scratch *root, const char *name, const char *text) {
        _cleanup_close_ int etc = -EBADF;

        assert_int_equal(dir_make_at(root->fd, "etc", 0755, &etc, NULL), 0);
        assert_int_equal(file_write_atomic_at(etc, name, text, strlen(text), 0644, 0, NULL), 0);
}

static SpecUser found(const Scratch *root, const char *text) {
        SpecUser user;
        Error err = ERROR_INIT;

        alarm(5);
        if (user_lookup(root->fd, text, "--user", ERROR_INVALID_ARGUMENT, &user, &err) < 0)
                fail_msg("%s: %s", text, err.text);
        alarm(0);
        return user;
}

static void refused(const Scratch *root, const char *text, ErrorKind kind, const char *wanted) {
        SpecUser user;
        Error err = ERROR_INIT;

        alarm(5);
        assert_int_equal(user_lookup(root->fd, text, "--user", ERROR_INVALID_ARGUMENT, &user, &err), -1);
        alarm(0);
        assert_int_equal(err.kind, kind);
        assert_string_equal(err.text, wanted);
}

static void a_name_brings_its_group_home_and_groups(void **state) {
        const Scratch *root = *state;
        _cleanup_(user_clear) SpecUser bob = { 0 };

        write_etc(root, "passwd", passwd);
        write_etc(root, "group", group);
        bob = found(root, "bob");
        assert_int_equal(bob.uid, 1001);
        assert_int_equal(bob.gid, 1002);
        assert_string_equal(bob.home, "/home/bob");
        assert_int_equal(bob.n_groups, 3);
        assert_int_equal(bob.groups[0], 0);
        assert_int_equal(bob.groups[1], 29);
        assert_int_equal(bob.groups[2], 44);
}

static void a_number_or_a_group_brings_no_groups(void **state) {
        const Scratch *root = *state;
        static const struct {
                const char *text;
                uint32_t uid, gid;
                const char *home;
        } cases[] = {
                { "1001", 1001, 1002, "/home/bob" }, { "bob:audio", 1001, 29, "/home/bob" }, { "bob:77", 1001, 77, "/home/bob" },
                { "1234", 1234, 0, NULL },           { "1234:short", 1234, 7, NULL },        { "4294967294:1", 4294967294, 1, NULL },
                { NULL, 0, 0, "/root" },             { "", 0, 0, "/root" },                  { "last", 5, 6, "/last" },
        };

        write_etc(root, "passwd", passwd);
        write_etc(root, "group", group);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(user_clear) SpecUser user = found(root, cases[i].text);

                assert_int_equal(user.uid, cases[i].uid);
                assert_int_equal(user.gid, cases[i].gid);
                assert_int_equal(user.n_groups, 0);
                assert_int_equal(!user.home, !cases[i].home);
                if (user.home)
                        assert_string_equal(user.home, cases[i].home);
        }
}

static void a_name_that_is_not_there_is_named(void **state) {
        const Scratch *root = *state;

        refused(root, "bob", ERROR_INVALID_ARGUMENT, "--user: user 'bob' is not in the image's /etc/passwd");
        write_etc(root, "passwd", passwd);
        refused(root, "bo", ERROR_INVALID_ARGUMENT, "--user: user 'bo' is not in the image's /etc/passwd");
        refused(root, "huge", ERROR_INVALID_ARGUMENT, "--user: user 'huge' is not in the image's /etc/passwd");
        refused(root, "4294967295", ERROR_INVALID_ARGUMENT, "--user: user '4294967295' is not in the image's /etc/passwd");
        refused(root, "-1", ERROR_INVALID_ARGUMENT, "--user: user '-1' is not in the image's /etc/passwd");
        refused(root, "bob:audio", ERROR_INVALID_ARGUMENT, "--user: group 'audio' is not in the image's /etc/group");
        refused(root, "bob:", ERROR_INVALID_ARGUMENT, "--user: 'bob:' names no group after the ':'");
}

static void a_number_needs_no_files(void **state) {
        _cleanup_(user_clear) SpecUser user = found(*state, "12:34");

        assert_int_equal(user.uid, 12);
        assert_int_equal(user.gid, 34);
        assert_null(user.home);
}

static void a_fifo_is_refused_at_once(void **state) {
        const Scratch *root = *state;

        assert_int_equal(mkdirat(root->fd, "etc", 0755), 0);
        assert_int_equal(mkfifoat(root->fd, "etc/passwd", 0644), 0);
        refused(root, "bob", ERROR_INVALID_ROOTFS, "'/etc/passwd' of the image is not a regular file");
}

static void a_huge_file_is_refused_unread(void **state) {
        const Scratch *root = *state;
        _cleanup_close_ int fd = -EBADF;

        assert_int_equal(mkdirat(root->fd, "etc", 0755), 0);
        fd = openat(root->fd, "etc/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_int_equal(ftruncate(fd, USER_FILE_MAX + 1), 0);
        refused(root, "bob", ERROR_INVALID_ROOTFS, "'/etc/passwd' of the image has 1048577 bytes, at most 1048576 are read");
}

static void a_symlink_stays_inside_the_root(void **state) {
        const Scratch *root = *state;

        /* inside the root there is no such file; outside there is one, with root in it */
        assert_int_equal(mkdirat(root->fd, "etc", 0755), 0);
        assert_int_equal(symlinkat("../../../../../../etc/group", root->fd, "etc/passwd"), 0);
        refused(root, "root", ERROR_INVALID_ARGUMENT, "--user: user 'root' is not in the image's /etc/passwd");
        assert_int_equal(unlinkat(root->fd, "etc/passwd", 0), 0);
        assert_int_equal(symlinkat("/etc/real", root->fd, "etc/passwd"), 0);
        write_etc(root, "real", passwd);
        {
                _cleanup_(user_clear) SpecUser user = found(root, "last");

                assert_int_equal(user.uid, 5);
        }
}

static void a_loop_of_symlinks_is_an_error(void **state) {
        const Scratch *root = *state;

        assert_int_equal(mkdirat(root->fd, "etc", 0755), 0);
        assert_int_equal(symlinkat("passwd", root->fd, "etc/passwd"), 0);
        refused(root, "bob", ERROR_INVALID_ROOTFS, "open '/etc/passwd' of the image: Too many levels of symbolic links");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(a_name_brings_its_group_home_and_groups),
                scratch_test(a_number_or_a_group_brings_no_groups),
                scratch_test(a_name_that_is_not_there_is_named),
                scratch_test(a_number_needs_no_files),
                scratch_test(a_fifo_is_refused_at_once),
                scratch_test(a_huge_file_is_refused_unread),
                scratch_test(a_symlink_stays_inside_the_root),
                scratch_test(a_loop_of_symlinks_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
