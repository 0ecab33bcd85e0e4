/* Each case of applying layers in which tools are known to go wrong; looked at through an overlay mount of the result. */

#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "layers/metadata.h"
#include "layers/stack.h"

#define DIR_MODE S_IFDIR
#define REG_MODE S_IFREG

static void whiteout_hides_lower_layers_wherever_it_stands(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "a", .text = "old", .mode = 0644);
        TAR(&f->tar, "b", .text = "old", .mode = 0644);
        TAR(&f->tar, "c", .text = "old", .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, "a", .text = "new", .mode = 0644);
        TAR(&f->tar, ".wh.a");
        TAR(&f->tar, ".wh.b");
        TAR(&f->tar, "b", .text = "new", .mode = 0644);
        TAR(&f->tar, ".wh.c");
        fixture_layer(f);
        fixture_unpacked(f);
        assert_text(f, "a", "new");
        assert_text(f, "b", "new");
        assert_missing(f, "c");
        assert_names(f, "", "a b");
}

static void directory_in_place_of_a_whiteout_is_opaque(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "d/", '5', 0700, 7, 7);
        TAR(&f->tar, "d/old", .text = "x", .mode = 0644);
        TAR(&f->tar, "e/", '5', 0700, 7, 7);
        TAR(&f->tar, "e/old", .text = "x", .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, ".wh.d");
        TAR(&f->tar, "d/", '5', 0750);
        TAR(&f->tar, "d/new", .text = "x", .mode = 0644);
        TAR(&f->tar, "e/", '5', 0750);
        TAR(&f->tar, "e/new", .text = "x", .mode = 0644);
        TAR(&f->tar, ".wh.e");
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "d", "new");
        assert_names(f, "e", "new");
        assert_file(f, "d", DIR_MODE, 0750, 0, 0, 0);
}

static void parent_of_a_whited_out_directory_is_new(void **state) {
        Fixture *f = *state;

        /* No entry for d in the second layer: it is neither the lower one nor may it bring back what that holds. */
        TAR(&f->tar, "d/", '5', 0700, 7, 7, 99);
        TAR(&f->tar, "d/old", .text = "x", .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, ".wh.d");
        TAR(&f->tar, "d/sub/new", .text = "x", .mode = 0644);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "d", "sub");
        assert_file(f, "d", DIR_MODE, 0755, 0, 0, -1);
}

static void late_whiteout_undoes_what_was_taken_from_below(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "d/", '5', 0700, 7, 7, 99);
        TAR(&f->tar, "d/old", .text = "x", .mode = 0644);
        TAR(&f->tar, "real/", '5', 0755);
        TAR(&f->tar, "real/old", .text = "x", .mode = 0644);
        TAR(&f->tar, "link", '2', .link = "real");
        fixture_layer(f);
        TAR(&f->tar, "d/sub/new", .text = "x", .mode = 0644);
        TAR(&f->tar, "link/new", .text = "x", .mode = 0644);
        TAR(&f->tar, ".wh.d");
        TAR(&f->tar, ".wh.link");
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "d", "sub");
        assert_file(f, "d", DIR_MODE, 0755, 0, 0, -1);
        assert_file(f, "link", DIR_MODE, 0755, 0, 0, -1);
        assert_names(f, "link", "new");
        assert_names(f, "real", "old");
}

static void opaque_marker_hides_only_lower_layers(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "d/", '5', 0700, 7, 8, 99);
        TAR(&f->tar, "d/a", .text = "old", .mode = 0644);
        TAR(&f->tar, "d/sub/", '5', 0700);
        TAR(&f->tar, "d/sub/b", .text = "old", .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, "d/new", .text = "x", .mode = 0644);
        TAR(&f->tar, "d/.wh..wh..opq");
        TAR(&f->tar, "d/sub/c", .text = "x", .mode = 0644);
        TAR(&f->tar, "d/.wh.gone");
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "d", "new sub");
        assert_names(f, "d/sub", "c");
        assert_file(f, "d", DIR_MODE, 0700, 7, 8, 99);
        assert_file(f, "d/sub", DIR_MODE, 0755, 0, 0, -1);
}

static void opaque_marker_after_a_use_of_what_it_hides(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "d/sub/", '5', 0700, 7, 7);
        TAR(&f->tar, "d/sub/b", .text = "old", .mode = 0644);
        TAR(&f->tar, "d/x", .text = "old", .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, "d/sub/c", .text = "x", .mode = 0644);
        TAR(&f->tar, "d/.wh.x");
        TAR(&f->tar, "d/.wh..wh..opq");
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "d", "sub");
        assert_names(f, "d/sub", "c");
        assert_file(f, "d/sub", DIR_MODE, 0755, 0, 0, -1);
}

static void opaque_root_hides_every_lower_layer(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "a", .text = "old", .mode = 0644);
        TAR(&f->tar, "d/old", .text = "old", .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, "b", .text = "old", .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, "d/", '5', 0755);
        TAR(&f->tar, "d/new", .text = "x", .mode = 0644);
        TAR(&f->tar, ".wh..wh..opq");
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "", "d");
        assert_names(f, "d", "new");
}

static void whiteout_of_nothing_leaves_no_trace(void **state) {
        Fixture *f = *state;
        struct stat st;

        TAR(&f->tar, "d/", '5', 0755);
        TAR(&f->tar, "d/.wh.x");
        TAR(&f->tar, "no/such/.wh.x");
        fixture_layer(f);
        fixture_unpacked(f);
        /* overlay would list the device itself in a directory that has only one layer */
        assert_names(f, "d", "");
        assert_missing(f, "no");
        assert_int_equal(lstat(in_layer(f, 0, "d/x"), &st), -1);
}

static void parent_without_an_entry_keeps_its_metadata(void **state) {
        Fixture *f = *state;
        char value[8];

        tar_xattr(&f->tar, "user.kept", "yes", 3);
        TAR(&f->tar, "d/", '5', 02750, 12, 34, 1234);
        TAR(&f->tar, "d/e/", '5', 0700, 5, 6, 777);
        fixture_layer(f);
        TAR(&f->tar, "d/e/new", .text = "x", .mode = 0644);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_file(f, "d", DIR_MODE, 02750, 12, 34, 1234);
        assert_file(f, "d/e", DIR_MODE, 0700, 5, 6, 777);
        assert_int_equal(getxattr(in_root(f, "d"), "user.kept", value, sizeof(value)), 3);
}

static void root_keeps_its_metadata(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "./", '5', 01777, 3, 4, 55);
        fixture_layer(f);
        TAR(&f->tar, "x", .text = "x", .mode = 0644);
        fixture_layer(f);
        fixture_unpacked(f);
        /* an overlay's root has the metadata of its upper directory: look at the layer */
        struct stat st;
        assert_int_equal(lstat(in_layer(f, 1, ""), &st), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 01777);
        assert_int_equal(st.st_uid, 3);
        assert_int_equal(st.st_gid, 4);
        assert_int_equal(st.st_mtime, 55);
}

static void path_through_a_lower_symlink_writes_through_it(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "usr/lib/", '5', 0711, 1, 2, 88);
        TAR(&f->tar, "usr/lib/old", .text = "old", .mode = 0644);
        TAR(&f->tar, "lib", '2', .link = "usr/lib");
        TAR(&f->tar, "abs", '2', .link = "/lib");
        fixture_layer(f);
        TAR(&f->tar, "lib/new", .text = "new", .mode = 0644);
        TAR(&f->tar, "abs/newer", .text = "newer", .mode = 0644);
        TAR(&f->tar, "lib/.wh.old");
        fixture_layer(f);
        fixture_unpacked(f);
        assert_file(f, "lib", S_IFLNK, -1, 0, 0, -1);
        assert_names(f, "usr/lib", "new newer");
        assert_file(f, "usr/lib", DIR_MODE, 0711, 1, 2, 88);
}

static void entry_replaces_a_lower_symlink_to_a_directory(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "usr/lib/", '5', 0755);
        TAR(&f->tar, "usr/lib/old", .text = "old", .mode = 0644);
        TAR(&f->tar, "lib", '2', .link = "usr/lib");
        fixture_layer(f);
        TAR(&f->tar, "lib/", '5', 0700);
        TAR(&f->tar, "lib/new", .text = "new", .mode = 0644);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "lib", "new");
        assert_file(f, "lib", DIR_MODE, 0700, 0, 0, -1);
        assert_names(f, "usr/lib", "old");
}

static void hardlink_to_a_lower_file_shares_the_inode(void **state) {
        Fixture *f = *state;
        struct stat a, b;
        char value[8];

        tar_xattr(&f->tar, "user.kept", "yes", 3);
        TAR(&f->tar, "d/a", .text = "data", .mode = 04751, .uid = 5, .gid = 6, .mtime = 1000);
        TAR(&f->tar, "d/fifo", '6', 0600, 5, 6, 1000);
        TAR(&f->tar, "l", '2', .link = "d");
        fixture_layer(f);
        TAR(&f->tar, "b", '1', .link = "l/a");
        TAR(&f->tar, "fifo", '1', .link = "d/fifo");
        fixture_layer(f);
        fixture_unpacked(f);
        assert_text(f, "b", "data");
        assert_int_equal(lstat(in_root(f, "d/a"), &a), 0);
        assert_int_equal(lstat(in_root(f, "b"), &b), 0);
        assert_int_equal(a.st_ino, b.st_ino);
        assert_file(f, "b", REG_MODE, 04751, 5, 6, 1000);
        assert_int_equal(getxattr(in_root(f, "b"), "user.kept", value, sizeof(value)), 3);
        assert_file(f, "fifo", S_IFIFO, 0600, 5, 6, 1000);
}

static void hardlink_to_what_was_whited_out_is_refused(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "a", .text = "data", .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, ".wh.a");
        TAR(&f->tar, "b", '1', .link = "a");
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "unpack 'b': hard link to 'a': there is no such file");
}

static void hardlink_to_itself_and_to_a_symlink(void **state) {
        Fixture *f = *state;
        struct stat a, b;

        TAR(&f->tar, "a", .text = "data", .mode = 0644);
        TAR(&f->tar, "a", '1', .link = "a");
        TAR(&f->tar, "s", '2', .link = "nowhere");
        TAR(&f->tar, "t", '1', .link = "s");
        TAR(&f->tar, "b", .text = "other", .mode = 0644);
        TAR(&f->tar, "b", '1', .link = "./a");
        fixture_layer(f);
        fixture_unpacked(f);
        assert_text(f, "a", "data");
        assert_text(f, "b", "data");
        assert_int_equal(lstat(in_root(f, "s"), &a), 0);
        assert_int_equal(lstat(in_root(f, "t"), &b), 0);
        assert_int_equal(a.st_ino, b.st_ino);
        assert_true(S_ISLNK(b.st_mode));
}

static void overlay_attributes_of_a_tar_are_never_applied(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "d/a", .text = "x", .mode = 0644);
        fixture_layer(f);
        tar_xattr(&f->tar, "trusted.overlay.opaque", "y", 1);
        tar_xattr(&f->tar, "trusted.overlay.redirect", "/etc", 4);
        tar_xattr(&f->tar, "user.overlay.opaque", "y", 1);
        tar_xattr(&f->tar, "com.apple.quarantine", "y", 1);
        tar_xattr(&f->tar, "user.fine", "y", 1);
        TAR(&f->tar, "d/", '5', 0755);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "d", "a");
        assert_int_equal(getxattr(in_layer(f, 1, "d"), "trusted.overlay.redirect", NULL, 0), -1);
        assert_int_equal(getxattr(in_layer(f, 1, "d"), "user.overlay.opaque", NULL, 0), -1);
        assert_int_equal(getxattr(in_layer(f, 1, "d"), "user.fine", NULL, 0), 1);
}

static void owners_modes_and_capabilities_survive(void **state) {
        /* version 2, effective, cap_net_raw permitted */
        static const unsigned char capability[20] = { 1, 0, 0, 2, 0, 0x20 };
        Fixture *f = *state;
        unsigned char value[32];

        TAR(&f->tar, "grp/", '5', 02775, 0, 50);
        TAR(&f->tar, "grp/root", .text = "x", .mode = 0644);
        TAR(&f->tar, "grp/dir/", '5', 0755);
        TAR(&f->tar, "su", .text = "x", .mode = 06755, .uid = 9, .gid = 9);
        TAR(&f->tar, "sticky/", '5', 01777);
        tar_xattr(&f->tar, "security.capability", capability, sizeof(capability));
        TAR(&f->tar, "ping", .text = "data after which the attribute must come", .mode = 0755, .uid = 3, .gid = 3, .mtime = 42);
        TAR(&f->tar, "secret", .text = "x", .mode = 0);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_file(f, "grp/root", REG_MODE, 0644, 0, 0, -1);
        assert_file(f, "grp/dir", DIR_MODE, 0755, 0, 0, -1);
        assert_file(f, "su", REG_MODE, 06755, 9, 9, -1);
        assert_file(f, "sticky", DIR_MODE, 01777, 0, 0, -1);
        assert_file(f, "secret", REG_MODE, 0, 0, 0, -1);
        assert_file(f, "ping", REG_MODE, 0755, 3, 3, 42);
        assert_int_equal(getxattr(in_layer(f, 0, "ping"), "security.capability", value, sizeof(value)), sizeof(capability));
        assert_memory_equal(value, capability, sizeof(capability));
}

static void default_acl_is_not_inherited_while_unpacking(void **state) {
        /* version 2; user::rwx user:5:rwx group::r-x mask::rwx other::--- */
        static const unsigned char acl[] = { 2, 0, 0, 0, 1, 0, 7, 0, 255, 255, 255, 255, 2, 0, 7, 0, 5, 0, 0, 0, 4, 0, 5, 0, 255,
                                             255, 255, 255, 16, 0, 7, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255 };
        Fixture *f = *state;

        tar_xattr(&f->tar, ACL_DEFAULT, acl, sizeof(acl));
        TAR(&f->tar, "d/", '5', 0755, .mtime = 5);
        TAR(&f->tar, "d/file", .text = "x", .mode = 0644);
        TAR(&f->tar, "d/dir/", '5', 0755);
        fixture_layer(f);
        TAR(&f->tar, "d/second", .text = "x", .mode = 0644);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_int_equal(getxattr(in_layer(f, 0, "d"), ACL_DEFAULT, NULL, 0), sizeof(acl));
        assert_int_equal(getxattr(in_layer(f, 1, "d"), ACL_DEFAULT, NULL, 0), sizeof(acl));
        assert_int_equal(getxattr(in_layer(f, 0, "d/file"), "system.posix_acl_access", NULL, 0), -1);
        assert_int_equal(getxattr(in_layer(f, 0, "d/dir"), ACL_DEFAULT, NULL, 0), -1);
        assert_int_equal(getxattr(in_layer(f, 1, "d/second"), "system.posix_acl_access", NULL, 0), -1);
        assert_file(f, "d", DIR_MODE, 0755, 0, 0, 5);
}

static void directory_times_survive_what_comes_later(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "d/", '5', 0755, .mtime = 100);
        TAR(&f->tar, "d/e/", '5', 0755, .mtime = 200);
        TAR(&f->tar, "d/e/f", .text = "x", .mode = 0644, .mtime = 300);
        TAR(&f->tar, "d/g", .text = "x", .mode = 0644, .mtime = 300);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_file(f, "d", DIR_MODE, -1, -1, -1, 100);
        assert_file(f, "d/e", DIR_MODE, -1, -1, -1, 200);
        assert_file(f, "d/e/f", REG_MODE, -1, -1, -1, 300);
}

static void special_files_are_made(void **state) {
        Fixture *f = *state;
        struct stat st;

        TAR(&f->tar, "etc/passwd", '6', 0600);
        TAR(&f->tar, "null", '3', 0666, .major = 1, .minor = 3);
        TAR(&f->tar, "loop", '4', 0660, .major = 7, .minor = 1);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_file(f, "etc/passwd", S_IFIFO, 0600, 0, 0, -1);
        assert_file(f, "null", S_IFCHR, 0666, 0, 0, -1);
        assert_int_equal(lstat(in_root(f, "loop"), &st), 0);
        assert_int_equal(st.st_mode, S_IFBLK | 0660);
        assert_int_equal(st.st_rdev, makedev(7, 1));
}

static void device_that_would_be_a_whiteout_is_refused(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "x", '3', 0666);
        fixture_layer(f);
        fixture_refused(f, ERROR_INVALID_SPEC, "unpack 'x': a character device 0:0");
}

static void types_replace_each_other(void **state) {
        Fixture *f = *state;

        TAR(&f->tar, "file", .text = "x", .mode = 0644);
        TAR(&f->tar, "dir/sub/deep", .text = "x", .mode = 0644);
        TAR(&f->tar, "link", '2', .link = "dir");
        TAR(&f->tar, "again", .text = "first", .mode = 0600);
        TAR(&f->tar, "again", .text = "last", .mode = 0644);
        TAR(&f->tar, "twice/", '5', 0700);
        TAR(&f->tar, "twice/kept", .text = "x", .mode = 0644);
        TAR(&f->tar, "twice/", '5', 0755, 1, 1, 9);
        TAR(&f->tar, "was/dir", .text = "x", .mode = 0644);
        TAR(&f->tar, "was", .text = "file now", .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, "file/", '5', 0755);
        TAR(&f->tar, "file/in", .text = "x", .mode = 0644);
        TAR(&f->tar, "dir", .text = "now a file", .mode = 0644);
        TAR(&f->tar, "link", .text = "no link", .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, "dir/", '5', 0755);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "file", "in");
        assert_names(f, "dir", "");
        assert_text(f, "link", "no link");
        assert_text(f, "again", "last");
        assert_text(f, "was", "file now");
        assert_names(f, "twice", "kept");
        assert_file(f, "twice", DIR_MODE, 0755, 1, 1, 9);
}

static void directory_merges_and_loses_its_old_attributes(void **state) {
        Fixture *f = *state;

        tar_xattr(&f->tar, "user.old", "y", 1);
        TAR(&f->tar, "d/", '5', 0700);
        TAR(&f->tar, "d/a", .text = "x", .mode = 0644);
        fixture_layer(f);
        TAR(&f->tar, "d/b", .text = "x", .mode = 0644);
        TAR(&f->tar, "d/", '5', 0755, 1, 2, 3);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_names(f, "d", "a b");
        assert_file(f, "d", DIR_MODE, 0755, 1, 2, 3);
        assert_int_equal(getxattr(in_root(f, "d"), "user.old", NULL, 0), -1);
}

static void names_are_bytes(void **state) {
        Fixture *f = *state;
        char name[512];

        /* The two spellings of one letter are two names; a name that is no UTF-8 is one too. */
        tar_pax(&f->tar, "path", "n\xcc\x83", 3);
        TAR(&f->tar, "x", .text = "decomposed", .mode = 0644);
        tar_pax(&f->tar, "path", "\xc3\xb1", 2);
        TAR(&f->tar, "x", .text = "composed", .mode = 0644);
        tar_pax(&f->tar, "path", "lat\xe9in", 6);
        tar_pax(&f->tar, "linkpath", "to\xe9", 3);
        TAR(&f->tar, "x", '2', .link = "y");
        TAR(&f->tar, "raw\xe9", .text = "raw", .mode = 0644);
        fixture_layer(f);
        fixture_unpacked(f);
        assert_text(f, "n\xcc\x83", "decomposed");
        assert_text(f, "\xc3\xb1", "composed");
        assert_text(f, "raw\xe9", "raw");
        ssize_t n = readlink(in_root(f, "lat\xe9in"), name, sizeof(name));
        assert_int_equal(n, 3);
        assert_memory_equal(name, "to\xe9", 3);
}

static void sparse_files_stay_sparse(void **state) {
        Fixture *f = *state;
        struct stat st;

        /* GNU format 1.0: the map stands before the data. A hole of 10 MiB, 5 bytes, a hole of 10 MiB. */
        static const char map[512] = "2\n10485760\n5\n20971525\n0\n";
        char *text = calloc(1, 512 + 6);

        memcpy(text, map, 512);
        tar_pax(&f->tar, "GNU.sparse.major", "1", 1);
        tar_pax(&f->tar, "GNU.sparse.minor", "0", 1);
        tar_pax(&f->tar, "GNU.sparse.name", "holes", 5);
        tar_pax(&f->tar, "GNU.sparse.realsize", "20971525", 8);
        tar_pax(&f->tar, "size", "517", 3);
        TAR(&f->tar, "x", .mode = 0644);
        tar_raw(&f->tar, map, 512);
        memset(text, 0, 512);
        memcpy(text, "hello", 5);
        tar_raw(&f->tar, text, 512);
        free(text);
        fixture_layer(f);
        TAR(&f->tar, "link", '1', .link = "holes");
        fixture_layer(f);
        fixture_unpacked(f);
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(lstat(in_layer(f, i, "holes"), &st), 0);
                assert_int_equal(st.st_size, 20971525);
                assert_true(st.st_blocks < 64);
        }
}

static void tar_without_an_end_and_bytes_after_it(void **state) {
        Fixture *f = *state;
        Digest diff_id;

        TAR(&f->tar, "a", .text = "x", .mode = 0644);
        fixture_digest(f->tar.data, f->tar.len, &diff_id);
        fixture_blob(f, f->tar.data, f->tar.len, &diff_id);
        tar_end(&f->tar);
        tar_raw(&f->tar, "bytes after the end count", 25);
        fixture_digest(f->tar.data, f->tar.len, &diff_id);
        fixture_blob(f, f->tar.data, f->tar.len, &diff_id);
        fixture_blob(f, "", 0, (fixture_digest("", 0, &diff_id), &diff_id));
        fixture_unpacked(f);
        assert_names(f, "", "a");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(whiteout_hides_lower_layers_wherever_it_stands),
                TEST(directory_in_place_of_a_whiteout_is_opaque),
                TEST(parent_of_a_whited_out_directory_is_new),
                TEST(late_whiteout_undoes_what_was_taken_from_below),
                TEST(opaque_marker_hides_only_lower_layers),
                TEST(opaque_marker_after_a_use_of_what_it_hides),
                TEST(opaque_root_hides_every_lower_layer),
                TEST(whiteout_of_nothing_leaves_no_trace),
                TEST(parent_without_an_entry_keeps_its_metadata),
                TEST(root_keeps_its_metadata),
                TEST(path_through_a_lower_symlink_writes_through_it),
                TEST(entry_replaces_a_lower_symlink_to_a_directory),
                TEST(hardlink_to_a_lower_file_shares_the_inode),
                TEST(hardlink_to_what_was_whited_out_is_refused),
                TEST(hardlink_to_itself_and_to_a_symlink),
                TEST(overlay_attributes_of_a_tar_are_never_applied),
                TEST(owners_modes_and_capabilities_survive),
                TEST(default_acl_is_not_inherited_while_unpacking),
                TEST(directory_times_survive_what_comes_later),
                TEST(special_files_are_made),
                TEST(device_that_would_be_a_whiteout_is_refused),
                TEST(types_replace_each_other),
                TEST(directory_merges_and_loses_its_old_attributes),
                TEST(names_are_bytes),
                TEST(sparse_files_stay_sparse),
                TEST(tar_without_an_end_and_bytes_after_it),
        };

        return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
