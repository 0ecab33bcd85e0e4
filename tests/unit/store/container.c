#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "store/container.h"

static ContainerRecord record_of(const char *id) {
        return (ContainerRecord) {
                .id = (char *) id,
                .root = (char *) "/run/proxmox-lxcri",
                .image_name = (char *) "redis",
                .image = fixture_digest(1),
                .driver = (char *) "overlay",
                .runtime = (char *) "crun",
                .created = (char *) "2026-01-01T00:00:00Z",
                .stop_signal = (char *) "SIGQUIT",
                .boot_id = "0123",
                .terminal = true,
        };
}

static void a_record_comes_back_whole(void **state) {
        Fixture *f = *state;
        ContainerRecord record = record_of("web"), *loaded = NULL;
        _cleanup_close_ int fd = -EBADF, again = -EBADF;
        struct stat st;

        assert_ok(container_dir_make(f->store, &record, true, &fd, &f->err), &f->err);
        assert_ok(container_record_load(fd, &loaded, &f->err), &f->err);
        assert_string_equal(loaded->id, "web");
        assert_string_equal(loaded->stop_signal, "SIGQUIT");
        assert_string_equal(loaded->boot_id, "0123");
        assert_true(digest_equal(&loaded->image, &record.image));
        assert_null(loaded->hostname);
        assert_false(loaded->complete);
        assert_true(loaded->terminal);
        container_record_free(loaded);

        record.complete = true;
        record.hostname = (char *) "h";
        assert_ok(container_record_save(fd, &record, false, &f->err), &f->err);
        assert_ok(container_dir_open(f->store, "web", &again, &f->err), &f->err);
        assert_ok(container_record_load(again, &loaded, &f->err), &f->err);
        assert_true(loaded->complete);
        assert_string_equal(loaded->hostname, "h");
        container_record_free(loaded);

        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(fixture_shell("test -z \"$(ls -A %s/tmp)\"", f->path), 0);
}

static void a_record_that_a_power_loss_emptied_is_none(void **state) {
        Fixture *f = *state;
        ContainerRecord record = record_of("web"), *loaded = NULL;
        _cleanup_close_ int fd = -EBADF;

        assert_ok(container_dir_make(f->store, &record, false, &fd, &f->err), &f->err);
        assert_false(container_record_is_lost(fd));
        assert_int_equal(fixture_shell(": > %s/containers/web/container.json", f->path), 0);
        assert_true(container_record_is_lost(fd));
        assert_int_equal(container_record_load(fd, &loaded, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_CONTAINER_NOT_FOUND);
        assert_ok(container_dir_remove(f->store, "web", &f->err), &f->err);
}

static void an_id_is_made_once(void **state) {
        Fixture *f = *state;
        ContainerRecord record = record_of("web"), *loaded = NULL;
        _cleanup_close_ int fd = -EBADF;
        unsigned made = 0;
        int other;

        for (unsigned i = 0; i < 8; i++) {
                pid_t pid = fork();

                if (pid == 0) {
                        Error err = ERROR_INIT;

                        if (container_dir_make(f->store, &record, false, &other, &err) == 0)
                                _exit(7);
                        _exit(err.kind == ERROR_CONTAINER_EXISTS ? 0 : 1);
                }
                assert_true(pid > 0);
        }
        for (unsigned i = 0; i < 8; i++) {
                int status;

                assert_true(wait(&status) > 0);
                assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 7);
                made += WEXITSTATUS(status) == 7;
        }
        assert_int_equal(made, 1);
        assert_int_equal(container_dir_make(f->store, &record, false, &fd, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_CONTAINER_EXISTS);
        assert_ok(container_dir_open(f->store, "web", &fd, &f->err), &f->err);
        assert_ok(container_record_load(fd, &loaded, &f->err), &f->err);
        container_record_free(loaded);
        assert_int_equal(fixture_shell("test -z \"$(ls -A %s/tmp)\"", f->path), 0);
}

static void ids_that_name_no_directory_are_refused(void **state) {
        Fixture *f = *state;
        static const char *const ids[] = { "", ".", "..", "a/b", "../x" };
        int fd;

        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                ContainerRecord record = record_of(ids[i]);

                assert_int_equal(container_dir_make(f->store, &record, false, &fd, &f->err), -1);
                assert_int_equal(f->err.kind, ERROR_INVALID_ARGUMENT);
                assert_int_equal(container_dir_open(f->store, ids[i], &fd, &f->err), -1);
                assert_int_equal(container_dir_remove(f->store, ids[i], &f->err), -1);
        }
}

static void the_list_is_sorted_and_holds_records_only(void **state) {
        Fixture *f = *state;
        static const char *const ids[] = { "c", "a", "b" };
        _cleanup_strv_ char **list = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                ContainerRecord record = record_of(ids[i]);
                _cleanup_close_ int fd = -EBADF;

                assert_ok(container_dir_make(f->store, &record, false, &fd, &f->err), &f->err);
        }
        assert_int_equal(mkdirat(store_containers_fd(f->store), "empty", 0700), 0);
        fixture_put(store_containers_fd(f->store), "file", "x");
        assert_ok(container_list(f->store, &list, &f->err), &f->err);
        assert_int_equal(strv_length(list), 3);
        assert_string_equal(list[0], "a");
        assert_string_equal(list[1], "b");
        assert_string_equal(list[2], "c");
}

static void removal_takes_everything_and_may_be_repeated(void **state) {
        Fixture *f = *state;
        ContainerRecord record = record_of("web");
        _cleanup_close_ int fd = -EBADF, deep = -EBADF;
        int none;

        assert_ok(container_dir_make(f->store, &record, false, &fd, &f->err), &f->err);
        assert_ok(dir_make_at(fd, "upper/a/b/c", 0700, &deep, &f->err), &f->err);
        fixture_put(deep, "x", "y");
        assert_ok(container_dir_remove(f->store, "web", &f->err), &f->err);
        assert_ok(container_dir_remove(f->store, "web", &f->err), &f->err);
        assert_int_equal(container_dir_open(f->store, "web", &none, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_CONTAINER_NOT_FOUND);
        assert_int_equal(fixture_shell("test -z \"$(ls -A %s/tmp %s/containers | grep -v :)\"", f->path, f->path), 0);
}

static void removal_refuses_whatever_is_mounted_inside(void **state) {
        Fixture *f = *state;
        ContainerRecord record = record_of("web");
        _cleanup_close_ int fd = -EBADF;
        char path[256];

        assert_ok(container_dir_make(f->store, &record, false, &fd, &f->err), &f->err);
        assert_ok(dir_make_at(fd, "volumes/v", 0700, NULL, &f->err), &f->err);
        snprintf(path, sizeof(path), "%s/containers/web/volumes/v", f->path);
        assert_int_equal(mount("tmpfs", path, "tmpfs", 0, NULL), 0);
        assert_int_equal(container_dir_remove(f->store, "web", &f->err), -1);
        assert_int_equal(f->err.errnum, EBUSY);
        assert_int_equal(faccessat(fd, "container.json", F_OK, 0), 0);
        assert_int_equal(faccessat(store_containers_fd(f->store), "web", F_OK, 0), 0);
        assert_int_equal(umount(path), 0);
        assert_ok(container_dir_remove(f->store, "web", &f->err), &f->err);
}

static void a_record_with_wrong_fields_is_named(void **state) {
        Fixture *f = *state;
        ContainerRecord record = record_of("web"), *loaded = NULL;
        _cleanup_close_ int fd = -EBADF;
        static const struct {
                const char *text, *names;
                ErrorKind kind;
        } cases[] = {
                { "{", "container.json", ERROR_INVALID_JSON },
                { "{}", "'id'", ERROR_INVALID_STATE },
                { "{\"id\":1}", "'id'", ERROR_INVALID_STATE },
                { "{\"id\":\"a\",\"id\":\"b\"}", "duplicate", ERROR_INVALID_JSON },
        };

        assert_ok(container_dir_make(f->store, &record, false, &fd, &f->err), &f->err);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                fixture_put(fd, "container.json", cases[i].text);
                assert_int_equal(container_record_load(fd, &loaded, &f->err), -1);
                assert_int_equal(f->err.kind, cases[i].kind);
                assert_non_null(strstr(f->err.text, cases[i].names));
        }
        assert_int_equal(unlinkat(fd, "container.json", 0), 0);
        assert_int_equal(container_record_load(fd, &loaded, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_CONTAINER_NOT_FOUND);
}

static void fields_of_a_later_version_do_no_harm(void **state) {
        Fixture *f = *state;
        ContainerRecord record = record_of("web"), *loaded = NULL;
        _cleanup_close_ int fd = -EBADF;
        char text[1024];
        size_t len;

        assert_ok(container_dir_make(f->store, &record, false, &fd, &f->err), &f->err);
        snprintf(text, sizeof(text), "{\"later\":[1],%s", fixture_read(fd, "container.json") + 1);
        len = strlen(text);
        assert_true(len > 20);
        fixture_put(fd, "container.json", text);
        assert_ok(container_record_load(fd, &loaded, &f->err), &f->err);
        assert_string_equal(loaded->id, "web");
        container_record_free(loaded);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(a_record_comes_back_whole),
                TEST(a_record_that_a_power_loss_emptied_is_none),
                TEST(an_id_is_made_once),
                TEST(ids_that_name_no_directory_are_refused),
                TEST(the_list_is_sorted_and_holds_records_only),
                TEST(removal_takes_everything_and_may_be_repeated),
                TEST(removal_refuses_whatever_is_mounted_inside),
                TEST(a_record_with_wrong_fields_is_named),
                TEST(fields_of_a_later_version_do_no_harm),
        };

        return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
