#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

static mode_t mode_of(Fixture *f, const char *name) {
        struct stat st;

        assert_int_equal(fstatat(store_fd(f->store), name, &st, AT_SYMLINK_NOFOLLOW), 0);
        return st.st_mode & 07777;
}

static void nothing_is_open_to_others(void **state) {
        Fixture *f = *state;

        assert_int_equal(mode_of(f, "."), 0700);
        assert_int_equal(mode_of(f, "containers"), 0700);
        assert_int_equal(mode_of(f, "blobs"), 0700);
        assert_int_equal(mode_of(f, "images"), 0700);
        assert_int_equal(mode_of(f, "layers"), 0700);
        assert_int_equal(mode_of(f, "tmp"), 0700);
        assert_int_equal(mode_of(f, "index.json"), 0600);
        assert_int_equal(mode_of(f, "oci-layout"), 0600);
}

static void somebody_elses_directory_does_not_become_a_store(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int dir = -EBADF;
        Store *store;
        char path[128];

        snprintf(path, sizeof(path), "%s/other", f->directory);
        assert_ok(dir_make_at(AT_FDCWD, path, 0755, &dir, &f->err), &f->err);
        fixture_put(dir, "passwd", "x");
        assert_int_equal(store_open(path, STORE_CREATE, &store, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_FILE);
        assert_non_null(strstr(f->err.text, "passwd"));
        assert_int_equal(store_open(path, STORE_READ, &store, &f->err), -1);
        assert_int_equal(fixture_shell("test \"$(ls %s)\" = passwd", path), 0);
}

static void a_fresh_filesystem_becomes_a_store(void **state) {
        Fixture *f = *state;
        Store *store;
        char path[128];

        snprintf(path, sizeof(path), "%s/fresh", f->directory);
        assert_int_equal(fixture_shell("mkdir -p %s/lost+found %s/.zfs", path, path), 0);
        assert_ok(store_open(path, STORE_CREATE, &store, &f->err), &f->err);
        store_close(store);
}

static void a_layout_of_others_gets_what_it_lacks(void **state) {
        Fixture *f = *state;
        Store *store;
        char path[128];

        snprintf(path, sizeof(path), "%s/layout", f->directory);
        assert_int_equal(fixture_shell("umoci init --layout %s && umoci new --image %s:x", path, path), 0);
        assert_ok(store_open(path, STORE_READ, &store, &f->err), &f->err);
        assert_int_equal(store_layers_fd(store), -EBADF);
        store_close(store);
        assert_ok(store_open(path, STORE_CREATE, &store, &f->err), &f->err);
        assert_true(store_layers_fd(store) >= 0);
        store_close(store);
        assert_int_equal(fixture_shell("test \"$(umoci ls --layout %s)\" = x", path), 0);
}

static void other_layout_versions_are_refused(void **state) {
        Fixture *f = *state;
        Store *store;

        fixture_put(store_fd(f->store), "oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
        assert_int_equal(store_open(f->path, STORE_READ, &store, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_NOT_SUPPORTED);
        fixture_put(store_fd(f->store), "oci-layout", "{");
        assert_int_equal(store_open(f->path, STORE_READ, &store, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_INVALID_JSON);
        assert_non_null(strstr(f->err.text, f->path));
        fixture_put(store_fd(f->store), "oci-layout", "[]");
        assert_int_equal(store_open(f->path, STORE_READ, &store, &f->err), -1);
}

static void sixteen_makers_of_one_store_all_succeed(void **state) {
        Fixture *f = *state;
        char path[128];

        for (unsigned round = 0; round < 4; round++) {
                snprintf(path, sizeof(path), "%s/new%u/deep/store", f->directory, round);
                for (unsigned i = 0; i < 16; i++) {
                        pid_t pid = fork();

                        if (pid == 0) {
                                Store *store;
                                Error err = ERROR_INIT;

                                if (store_open(path, STORE_CREATE, &store, &err) < 0)
                                        fprintf(stderr, "%s\n", err.text);
                                _exit(error_is_set(&err) || store_tmp_fd(store) < 0);
                        }
                        assert_true(pid > 0);
                }
                for (unsigned i = 0; i < 16; i++) {
                        int status;

                        assert_true(wait(&status) > 0);
                        assert_int_equal(status, 0);
                }
        }
}

static void a_blob_of_another_size_is_a_mismatch(void **state) {
        Fixture *f = *state;
        Descriptor descriptor = fixture_descriptor(4);
        char *data = NULL;
        size_t len;
        int fd;

        assert_int_equal(store_blob_open(f->store, &descriptor, &fd, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_IMAGE_NOT_FOUND);
        fixture_put(store_blobs_fd(f->store), digest_hex(&descriptor.digest), "12345");
        assert_int_equal(store_blob_open(f->store, &descriptor, &fd, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_DIGEST_MISMATCH);
        descriptor.size = 5;
        assert_ok(store_blob_read(f->store, &descriptor, 5, &data, &len, &f->err), &f->err);
        assert_string_equal(data, "12345");
        free(data);
        assert_int_equal(store_blob_read(f->store, &descriptor, 4, &data, &len, &f->err), -1);
        assert_int_equal(f->err.errnum, EFBIG);
}

static void a_blob_that_is_no_file_does_not_hang(void **state) {
        Fixture *f = *state;
        Descriptor fifo = fixture_descriptor(0), link = fixture_descriptor(1);
        int fd;

        assert_int_equal(mknodat(store_blobs_fd(f->store), digest_hex(&fifo.digest), S_IFIFO | 0600, 0), 0);
        assert_int_equal(store_blob_open(f->store, &fifo, &fd, &f->err), -1);
        assert_int_equal(symlinkat("/etc/passwd", store_blobs_fd(f->store), digest_hex(&link.digest)), 0);
        assert_int_equal(store_blob_open(f->store, &link, &fd, &f->err), -1);
        assert_int_equal(f->err.errnum, ELOOP);
}

static void image_records_come_back_whole(void **state) {
        Fixture *f = *state;
        Digest chain_ids[] = { fixture_digest(10), fixture_digest(11) }, diff_ids[] = { fixture_digest(20), fixture_digest(21) };
        Descriptor layers[] = { { .type = MEDIA_LAYER_GZIP, .digest = fixture_digest(30), .size = 30 },
                                { .type = MEDIA_LAYER_ZSTD, .digest = fixture_digest(31), .size = UINT64_C(1) << 39 } };
        StoreImage image = { .manifest = fixture_digest(1), .config = fixture_digest(2), .chain_ids = chain_ids, .diff_ids = diff_ids,
                             .layers = layers, .n_layers = 2, .size = 12345 };
        StoreImage *loaded = NULL;

        assert_ok(store_image_load(f->store, &image.manifest, &loaded, &f->err), &f->err);
        assert_null(loaded);
        assert_ok(store_image_save(f->store, &image, &f->err), &f->err);
        assert_ok(store_image_load(f->store, &image.manifest, &loaded, &f->err), &f->err);
        assert_non_null(loaded);
        assert_true(digest_equal(&loaded->config, &image.config));
        assert_int_equal(loaded->n_layers, 2);
        assert_int_equal(loaded->size, 12345);
        for (size_t i = 0; i < 2; i++) {
                assert_true(digest_equal(&loaded->chain_ids[i], &chain_ids[i]));
                assert_true(digest_equal(&loaded->diff_ids[i], &diff_ids[i]));
                assert_true(digest_equal(&loaded->layers[i].digest, &layers[i].digest));
                assert_int_equal(loaded->layers[i].size, layers[i].size);
                assert_int_equal(loaded->layers[i].type, layers[i].type);
        }
        store_image_free(loaded);
}

static void a_damaged_image_record_counts_as_none(void **state) {
        Fixture *f = *state;
        static const char *const texts[] = { "", "{", "{}", "[]", "{\"manifest\":\"sha256:zz\"}" };
        StoreImage image = { .manifest = fixture_digest(1), .config = fixture_digest(2) };
        Digest other = fixture_digest(2);
        StoreImage *loaded = NULL;
        char name[80], second[80];

        snprintf(name, sizeof(name), "%s.json", digest_hex(&image.manifest));
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                fixture_put(store_images_fd(f->store), name, texts[i]);
                loaded = &image;
                assert_ok(store_image_load(f->store, &image.manifest, &loaded, &f->err), &f->err);
                assert_null(loaded);
        }
        /* A record under another image's name is damage too. */
        assert_ok(store_image_save(f->store, &image, &f->err), &f->err);
        snprintf(second, sizeof(second), "%s.json", digest_hex(&other));
        assert_int_equal(linkat(store_images_fd(f->store), name, store_images_fd(f->store), second, 0), 0);
        assert_ok(store_image_load(f->store, &other, &loaded, &f->err), &f->err);
        assert_null(loaded);
}

static void a_missing_config_is_image_not_found(void **state) {
        Fixture *f = *state;
        StoreImage image = { .manifest = fixture_digest(1), .config = fixture_digest(2) };
        ImageConfig *config = NULL;

        assert_int_equal(store_image_config(f->store, &image, &config, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_IMAGE_NOT_FOUND);
        fixture_put(store_blobs_fd(f->store), digest_hex(&image.config),
                    "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
        assert_ok(store_image_config(f->store, &image, &config, &f->err), &f->err);
        assert_string_equal(config->os, "linux");
        image_config_free(config);
}

static void temporary_directories_live_as_long_as_their_maker(void **state) {
        Fixture *f = *state;
        _cleanup_free_ char *mine = NULL;
        _cleanup_close_ int dir = -EBADF;
        int lock = -EBADF, pipe_fds[2];
        unsigned n = 99;
        char byte;
        pid_t pid;

        assert_ok(store_tmp_make(f->store, &mine, &dir, &lock, &f->err), &f->err);
        fixture_put(dir, "half", "x");

        /* Another process makes one and is killed. */
        assert_int_equal(pipe(pipe_fds), 0);
        pid = fork();
        if (pid == 0) {
                char *name;
                int fd, held;

                store_tmp_make(f->store, &name, &fd, &held, NULL);
                fixture_put(fd, "half", "x");
                fixture_put(store_fd(f->store), "fixture", "x");
                assert_int_equal(write(pipe_fds[1], "x", 1), 1);
                pause();
        }
        assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
        assert_ok(store_tmp_clean(f->store, &n, &f->err), &f->err);
        assert_int_equal(n, 0);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        close(pipe_fds[0]);
        close(pipe_fds[1]);

        assert_ok(store_tmp_clean(f->store, &n, &f->err), &f->err);
        assert_int_equal(n, 1);
        assert_int_equal(faccessat(store_tmp_fd(f->store), mine, F_OK, 0), 0);
        close(lock);
        assert_ok(store_tmp_clean(f->store, &n, &f->err), &f->err);
        assert_int_equal(n, 1);
        assert_int_equal(faccessat(store_tmp_fd(f->store), mine, F_OK, 0), -1);
}

static void half_written_files_of_the_dead_are_removed(void **state) {
        Fixture *f = *state;
        char alive[64], dead[64];
        pid_t pid = fork();
        unsigned n;

        if (pid == 0)
                _exit(0);
        waitpid(pid, NULL, 0);
        snprintf(alive, sizeof(alive), ".index.json.%d.tmp", (int) getpid());
        snprintf(dead, sizeof(dead), ".index.json.%d.tmp", (int) pid);
        fixture_put(store_fd(f->store), alive, "x");
        fixture_put(store_fd(f->store), dead, "x");
        fixture_put(store_images_fd(f->store), dead, "x");
        fixture_put(store_fd(f->store), ".hidden.tmp", "x");
        assert_ok(store_tmp_clean(f->store, &n, &f->err), &f->err);
        assert_int_equal(n, 2);
        assert_int_equal(faccessat(store_fd(f->store), alive, F_OK, 0), 0);
        assert_int_equal(faccessat(store_fd(f->store), ".hidden.tmp", F_OK, 0), 0);
        assert_int_equal(faccessat(store_fd(f->store), dead, F_OK, 0), -1);
}

static void makers_and_cleaners_do_not_meet(void **state) {
        Fixture *f = *state;
        int status;

        for (unsigned i = 0; i < 4; i++) {
                if (fork() == 0) {
                        bool cleaner = i % 2;

                        for (unsigned j = 0; j < 200; j++) {
                                Error err = ERROR_INIT;
                                char *name;
                                int fd, lock;
                                unsigned n;

                                if (cleaner) {
                                        if (store_tmp_clean(f->store, &n, &err) < 0)
                                                goto bad;
                                        continue;
                                }
                                if (store_tmp_make(f->store, &name, &fd, &lock, &err) < 0 || mkdirat(fd, "x", 0700) < 0 ||
                                    faccessat(store_tmp_fd(f->store), name, F_OK, 0) < 0 ||
                                    dir_remove_tree_at(store_tmp_fd(f->store), name, &err) < 0)
                                        goto bad;
                                free(name);
                                close(fd);
                                close(lock);
                                continue;
bad:
                                fprintf(stderr, "%s: %s\n", cleaner ? "cleaner" : "maker", err.text);
                                _exit(1);
                        }
                        _exit(0);
                }
        }
        for (unsigned i = 0; i < 4; i++) {
                assert_true(wait(&status) > 0);
                assert_int_equal(status, 0);
        }
}

static void locks_exclude_and_share(void **state) {
        Fixture *f = *state;
        _cleanup_close_ int a = -EBADF, b = -EBADF;
        int c;

        assert_ok(store_lock(f->store, "gc", false, true, &a, &f->err), &f->err);
        assert_ok(store_lock(f->store, "gc", false, false, &b, &f->err), &f->err);
        assert_int_equal(store_lock(f->store, "gc", true, false, &c, &f->err), -1);
        assert_int_equal(f->err.kind, ERROR_INVALID_STATE);
        assert_int_equal(f->err.errnum, EWOULDBLOCK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(nothing_is_open_to_others),
                TEST(somebody_elses_directory_does_not_become_a_store),
                TEST(a_fresh_filesystem_becomes_a_store),
                TEST(a_layout_of_others_gets_what_it_lacks),
                TEST(other_layout_versions_are_refused),
                TEST(sixteen_makers_of_one_store_all_succeed),
                TEST(a_blob_of_another_size_is_a_mismatch),
                TEST(a_blob_that_is_no_file_does_not_hang),
                TEST(image_records_come_back_whole),
                TEST(a_damaged_image_record_counts_as_none),
                TEST(a_missing_config_is_image_not_found),
                TEST(temporary_directories_live_as_long_as_their_maker),
                TEST(half_written_files_of_the_dead_are_removed),
                TEST(makers_and_cleaners_do_not_meet),
                TEST(locks_exclude_and_share),
        };

        return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
