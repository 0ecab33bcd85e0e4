/* Kept filters: what is used again, and what never is. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <linux/seccomp.h>

#include "base/json.h"
#include "base/process.h"
#include "runtime/seccomp-cache.h"
#include "runtime/seccomp-parts.h"
#include "scratch.h"

/* A compiler whose every program differs, so that one can see which was given. */
static unsigned *counter;
#define compiled (*counter)
static bool tells_profile; /* programs tell of their profile instead */
static char library[128], own[128];

static int compile(const SeccompProfile *profile, struct sock_filter **ret, size_t *ret_length, Error *err) {
        struct sock_filter *program = calloc(2, sizeof(*program));

        program[0] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
        program[1] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, ++compiled);
        if (tells_profile)
                program[1].k = (profile->default_action & SECCOMP_RET_DATA) << 8;
        *ret = program;
        *ret_length = 2;
        return 0;
}

static const char *own_file(void) {
        return own;
}

static const char *library_file(void) {
        return library;
}

static const SeccompModule *module(Error *err) {
        static const SeccompModule table = {
                .version = SECCOMP_MODULE_VERSION, .compile = compile, .own_file = own_file, .library_file = library_file
        };

        return &table;
}

static void file_put(const char *path, const char *text) {
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, text, strlen(text), NULL), 0);
        close(fd);
}

static int set_up(void **state) {
        Scratch *scratch;

        if (scratch_set_up(state) < 0)
                return -1;
        scratch = *state;
        if (!counter)
                counter = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (counter == MAP_FAILED)
                return -1;
        snprintf(library, sizeof(library), "%s/libseccomp.so", scratch->path);
        snprintf(own, sizeof(own), "%s/seccomp.so", scratch->path);
        file_put(library, "one");
        file_put(own, "one");
        return 0;
}

#define cache_test(name) cmocka_unit_test_setup_teardown(name, set_up, scratch_tear_down)

/* Which program a profile gets from the cache "NAME" of the scratch directory. */
static unsigned filter_of(Scratch *scratch, const char *name, const char *text, bool *ret_cached) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };
        _cleanup_json_ json_t *seccomp = json_loads(text, 0, NULL);
        char path[128];
        Error err = ERROR_INIT;

        snprintf(path, sizeof(path), "%s/%s", scratch->path, name);
        assert_non_null(seccomp);
        if (seccomp_filter_by(module, seccomp, path, &filter, &err) < 0)
                fail_msg("%s", err.text);
        if (ret_cached)
                *ret_cached = filter.cached;
        assert_int_equal(filter.length, 2);
        return filter.program[1].k;
}

static const char plain[] = "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}";

/* Whether the cache "cache" answers for `plain`, with what was compiled last. */
static bool hits(Scratch *scratch) {
        unsigned before = compiled, program;
        bool cached;

        program = filter_of(scratch, "cache", plain, &cached);
        assert_int_equal(program, cached ? before : before + 1);
        assert_int_equal(compiled, program);
        return cached;
}

/* The one file in the cache, relative to the scratch directory. */
static void entry_path(Scratch *scratch, char ret[64]) {
        _cleanup_closedir_ DIR *dir = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct dirent *entry;

        assert_int_equal(dir_open_at(scratch->fd, "cache", &fd, NULL), 0);
        assert_int_equal(dir_read(fd, &dir, NULL), 0);
        entry = dir_next(dir);
        assert_non_null(entry);
        snprintf(ret, 64, "cache/%.32s", entry->d_name);
        assert_null(dir_next(dir));
}

static void what_was_compiled_is_used_again(void **state) {
        struct stat st;
        char path[64];

        assert_false(hits(*state));
        assert_true(hits(*state));
        assert_true(hits(*state));
        assert_int_equal(fstatat(((Scratch *) *state)->fd, "cache", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        entry_path(*state, path);
        assert_int_equal(fstatat(((Scratch *) *state)->fd, path, &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
}

/* Every field that a program depends on is in the key. */
static void any_other_profile_is_another_program(void **state) {
        static const char *const profiles[] = {
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}",
                "{\"defaultAction\": \"SCMP_ACT_LOG\"}",
                "{\"defaultAction\": \"SCMP_ACT_ERRNO\"}",
                "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 2}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_X86\"]}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_TRAP\"}]}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"rea\", \"d\"], \"action\": \"SCMP_ACT_TRAP\"}]}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ERRNO\"}]}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ERRNO\", "
                "\"errnoRet\": 5}]}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_TRAP\"}, "
                "{\"names\": [\"write\"], \"action\": \"SCMP_ACT_TRAP\"}]}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_TRAP\", \"args\": ["
                "{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]}]}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_TRAP\", \"args\": ["
                "{\"index\": 1, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]}]}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_TRAP\", \"args\": ["
                "{\"index\": 0, \"value\": 2, \"op\": \"SCMP_CMP_EQ\"}]}]}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_TRAP\", \"args\": ["
                "{\"index\": 0, \"value\": 1, \"valueTwo\": 1, \"op\": \"SCMP_CMP_EQ\"}]}]}",
                "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_TRAP\", \"args\": ["
                "{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_NE\"}]}]}",
        };
        unsigned programs[ARRAY_SIZE(profiles)];

        for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
                bool cached;

                programs[i] = filter_of(*state, "cache", profiles[i], &cached);
                assert_false(cached);
        }
        for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
                bool cached;
                unsigned program = filter_of(*state, "cache", profiles[i], &cached);

                if (cached)
                        assert_int_equal(program, programs[i]);
        }
}

/* Flags are not part of a program. */
static void flags_and_listener_do_not_change_the_program(void **state) {
        bool cached;

        filter_of(*state, "cache", plain, NULL);
        filter_of(*state, "cache", "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"flags\": [\"SECCOMP_FILTER_FLAG_LOG\"]}", &cached);
        assert_true(cached);
}

static void another_library_or_module_compiles_anew(void **state) {
        assert_false(hits(*state));
        file_put(library, "other");
        assert_false(hits(*state));
        assert_true(hits(*state));
        assert_int_equal(unlink(own), 0);
        assert_false(hits(*state)); /* and is not kept: nobody knows what compiled it */
        assert_false(hits(*state));
        file_put(own, "one");
        assert_false(hits(*state));
        assert_true(hits(*state));
}

static void two_caches_share_nothing(void **state) {
        bool cached;

        assert_false(hits(*state));
        filter_of(*state, "another", plain, &cached);
        assert_false(cached);
}

static void a_directory_open_to_others_is_not_used(void **state) {
        Scratch *scratch = *state;
        bool cached;

        assert_false(hits(scratch));
        for (const mode_t *mode = (const mode_t[]) { 0750, 0770, 0701, 01777, 0 }; *mode; mode++) {
                assert_int_equal(fchmodat(scratch->fd, "cache", *mode, 0), 0);
                assert_false(hits(scratch));
        }
        assert_int_equal(fchmodat(scratch->fd, "cache", 0700, 0), 0);
        filter_of(scratch, "cache", plain, &cached);
        assert_true(cached);
}

static void a_directory_of_another_user_is_not_used(void **state) {
        Scratch *scratch = *state;
        char path[64];

        assert_int_equal(geteuid(), 0);
        assert_false(hits(scratch));
        entry_path(scratch, path);
        assert_int_equal(fchownat(scratch->fd, path, 1234, 1234, 0), 0);
        assert_false(hits(scratch));
        assert_true(hits(scratch)); /* replaced */
        assert_int_equal(fchownat(scratch->fd, "cache", 1234, 1234, 0), 0);
        assert_false(hits(scratch));
        assert_false(hits(scratch));
}

static void a_symlink_in_its_place_is_not_followed(void **state) {
        Scratch *scratch = *state;
        char path[64];

        assert_false(hits(scratch));
        entry_path(scratch, path);
        assert_int_equal(renameat(scratch->fd, path, scratch->fd, "moved"), 0);
        assert_int_equal(symlinkat("../moved", scratch->fd, path), 0);
        assert_false(hits(scratch));
        assert_true(hits(scratch));
        assert_int_equal(renameat(scratch->fd, "cache", scratch->fd, "elsewhere"), 0);
        assert_int_equal(symlinkat("elsewhere", scratch->fd, "cache"), 0);
        assert_false(hits(scratch));
        assert_false(hits(scratch));
}

static void a_second_name_of_an_entry_makes_it_foreign(void **state) {
        Scratch *scratch = *state;
        char path[64];

        assert_false(hits(scratch));
        entry_path(scratch, path);
        assert_int_equal(linkat(scratch->fd, path, scratch->fd, "second", 0), 0);
        assert_false(hits(scratch));
        assert_true(hits(scratch));
}

static void anything_else_in_its_place_is_replaced(void **state) {
        Scratch *scratch = *state;
        char path[64];

        assert_false(hits(scratch));
        entry_path(scratch, path);
        assert_int_equal(unlinkat(scratch->fd, path, 0), 0);
        assert_int_equal(mkfifoat(scratch->fd, path, 0600), 0);
        assert_false(hits(scratch));
        assert_true(hits(scratch));
        assert_int_equal(unlinkat(scratch->fd, path, 0), 0);
        assert_int_equal(mkdirat(scratch->fd, path, 0700), 0);
        assert_false(hits(scratch));
        assert_true(hits(scratch));
}

/* A byte changed anywhere, a cut anywhere, a tail: never a wrong program. */
static void a_damaged_entry_is_replaced(void **state) {
        Scratch *scratch = *state;
        _cleanup_free_ char *whole = NULL;
        _cleanup_close_ int fd = -EBADF;
        char path[64];
        size_t len;

        assert_false(hits(scratch));
        entry_path(scratch, path);
        assert_int_equal(dir_open_at(scratch->fd, "cache", &fd, NULL), 0);
        assert_int_equal(file_read_at(scratch->fd, path, SECCOMP_CACHE_ENTRY_MAX, &whole, &len, NULL), 0);
        for (size_t i = 0; i <= 2 * len; i++) {
                _cleanup_free_ char *bad = malloc(len + 1);
                size_t bad_len = i < len ? len : i == 2 * len ? len + 1 : i - len;

                memcpy(bad, whole, len);
                bad[len] = 0;
                if (i < len)
                        bad[i] = (char) (bad[i] ^ 0x41);
                assert_int_equal(file_write_atomic_at(fd, path + strlen("cache/"), bad, bad_len, 0600, 0, NULL), 0);
                assert_false(hits(scratch));
                assert_true(hits(scratch));
        }
}

/* An entry whose place another key shares is never taken for that key's. */
static void an_entry_under_a_wrong_number_is_not_used(void **state) {
        Scratch *scratch = *state;
        char path[64], other[64];
        bool cached;

        assert_false(hits(scratch));
        entry_path(scratch, path);
        assert_int_equal(renameat(scratch->fd, path, scratch->fd, "moved"), 0);
        filter_of(scratch, "cache", "{\"defaultAction\": \"SCMP_ACT_LOG\"}", NULL);
        entry_path(scratch, other);
        assert_int_equal(renameat(scratch->fd, "moved", scratch->fd, other), 0);
        filter_of(scratch, "cache", "{\"defaultAction\": \"SCMP_ACT_LOG\"}", &cached);
        assert_false(cached);
}

static void the_number_of_files_is_bounded(void **state) {
        Scratch *scratch = *state;
        _cleanup_closedir_ DIR *dir = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct dirent *entry;
        unsigned n = 0;

        for (unsigned i = 0; i < 3 * SECCOMP_CACHE_SLOTS; i++) {
                char text[64];

                snprintf(text, sizeof(text), "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": %u}", i);
                filter_of(scratch, "cache", text, NULL);
        }
        assert_int_equal(dir_open_at(scratch->fd, "cache", &fd, NULL), 0);
        assert_int_equal(dir_read(fd, &dir, NULL), 0);
        while ((entry = dir_next(dir))) {
                assert_int_equal(strlen(entry->d_name), 2);
                n++;
        }
        assert_true(n <= SECCOMP_CACHE_SLOTS);
        assert_true(n > SECCOMP_CACHE_SLOTS / 2);
}

static void a_profile_too_large_to_keep_is_compiled_each_time(void **state) {
        _cleanup_json_ json_t *seccomp = json_pack("{s:s, s:[{s:[], s:s}]}", "defaultAction", "SCMP_ACT_ALLOW", "syscalls", "names",
                                                   "action", "SCMP_ACT_TRAP");
        json_t *names = json_object_get(json_array_get(json_object_get(seccomp, "syscalls"), 0), "names");
        _cleanup_free_ char *text = NULL;
        bool cached;

        for (int i = 0; i < 4000; i++)
                json_array_append_new(names, json_sprintf("a_name_of_length_%d", i));
        text = json_dumps(seccomp, 0);
        filter_of(*state, "cache", text, NULL);
        filter_of(*state, "cache", text, &cached);
        assert_false(cached);
}

/* Writers of one entry and of several, and a reader: every answer is a program of the reader's profile. */
static void writers_at_once_leave_whole_entries(void **state) {
        Scratch *scratch = *state;
        pid_t children[4];

        tells_profile = true;
        for (size_t c = 0; c < ARRAY_SIZE(children); c++) {
                children[c] = fork();
                if (children[c] == 0) {
                        for (int i = 0; i < 200; i++) {
                                char text[64];

                                snprintf(text, sizeof(text), "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": %d}", i % 3);
                                if (i % 10 == 0)
                                        file_put(c == 0 ? library : own, "again");
                                if (filter_of(scratch, "cache", text, NULL) >> 8 != (unsigned) i % 3)
                                        _exit(1);
                        }
                        _exit(0);
                }
                assert_true(children[c] > 0);
        }
        for (size_t c = 0; c < ARRAY_SIZE(children); c++) {
                int status;

                assert_int_equal(process_wait(children[c], &status, NULL), 0);
                assert_int_equal(exit_code_of(status), 0);
        }
        tells_profile = false;
}

static void without_a_directory_nothing_is_kept(void **state) {
        bool cached;

        filter_of(*state, "missing/cache", plain, NULL);
        filter_of(*state, "missing/cache", plain, &cached);
        assert_false(cached);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cache_test(what_was_compiled_is_used_again),
                cache_test(any_other_profile_is_another_program),
                cache_test(flags_and_listener_do_not_change_the_program),
                cache_test(another_library_or_module_compiles_anew),
                cache_test(two_caches_share_nothing),
                cache_test(a_directory_open_to_others_is_not_used),
                cache_test(a_directory_of_another_user_is_not_used),
                cache_test(a_symlink_in_its_place_is_not_followed),
                cache_test(a_second_name_of_an_entry_makes_it_foreign),
                cache_test(anything_else_in_its_place_is_replaced),
                cache_test(a_damaged_entry_is_replaced),
                cache_test(an_entry_under_a_wrong_number_is_not_used),
                cache_test(the_number_of_files_is_bounded),
                cache_test(a_profile_too_large_to_keep_is_compiled_each_time),
                cache_test(writers_at_once_leave_whole_entries),
                cache_test(without_a_directory_nothing_is_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
