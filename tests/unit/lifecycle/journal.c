/* The journal: what is read back after a crash at any byte. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../scratch.h"
#include "lifecycle/journal.h"

static const JournalHeader header = {
        .kind = JOURNAL_START,
        .boot_id = "7d3f9c1e-0000-4000-8000-000000000001",
        .mount_namespace = 4026531841,
        .bundle = "/srv/a \"b\"\n",
        .store = "/var/lib/store",
        .runtime = "crun",
        .pid_file = "/run/pid",
        .systemd_cgroup = true,
        .maker = { .pid = 6, .start_time = 60 },
};

static RunDir rundir(const Scratch *scratch) {
        return (RunDir) { .id = (char *) "x", .path = (char *) scratch->path, .root_fd = -EBADF, .fd = scratch->fd, .lock_fd = -EBADF };
}

/* A journal as a whole transaction leaves it. */
static char *write_journal(const Scratch *scratch, size_t *ret_len) {
        char *cgroups[] = { (char *) "/sys/fs/cgroup/a", (char *) "/sys/fs/cgroup/b", NULL };
        RunDir dir = rundir(scratch);
        _cleanup_close_ int fd = -EBADF;
        char *text;

        assert_int_equal(journal_create(&dir, &header, "validate", &fd, NULL), 0);
        assert_int_equal(journal_append_phase(fd, "runtime", NULL), 0);
        assert_int_equal(journal_append_monitor(fd, &(ProcessRef) { .pid = 7, .start_time = 70 }, NULL), 0);
        assert_int_equal(journal_append_init(fd, &(ProcessRef) { .pid = 8, .start_time = 80 }, cgroups, NULL), 0);
        assert_int_equal(journal_append_phase(fd, "hooks", NULL), 0);
        assert_int_equal(file_read_at(scratch->fd, JOURNAL_FILE, JOURNAL_SIZE_MAX, &text, ret_len, NULL), 0);
        return text;
}

static void reads_back_what_was_written(void **state) {
        _cleanup_(journal_freep) Journal *journal = NULL;
        _cleanup_free_ char *text = NULL;
        const Scratch *scratch = *state;
        size_t len;

        text = write_journal(scratch, &len);
        assert_int_equal(journal_load(scratch->fd, &journal, NULL), 0);
        assert_true(journal->has_header);
        assert_false(journal->damaged);
        assert_int_equal(journal->header.kind, JOURNAL_START);
        assert_string_equal(journal->header.boot_id, header.boot_id);
        assert_int_equal(journal->header.mount_namespace, header.mount_namespace);
        assert_string_equal(journal->header.bundle, header.bundle);
        assert_string_equal(journal->header.store, header.store);
        assert_string_equal(journal->header.runtime, header.runtime);
        assert_string_equal(journal->header.pid_file, header.pid_file);
        assert_true(journal->header.systemd_cgroup);
        assert_int_equal(journal->header.maker.pid, 6);
        assert_int_equal(journal->header.maker.start_time, 60);
        assert_int_equal(journal->n_phases, 3);
        assert_true(journal_has_phase(journal, "validate") && journal_has_phase(journal, "runtime") && journal_has_phase(journal, "hooks"));
        assert_false(journal_has_phase(journal, "publish"));
        assert_int_equal(journal->monitor.pid, 7);
        assert_int_equal(journal->monitor.start_time, 70);
        assert_int_equal(journal->init.pid, 8);
        assert_string_equal(journal->cgroups[1], "/sys/fs/cgroup/b");
        assert_null(journal->cgroups[2]);
}

static void no_journal_is_no_error(void **state) {
        const Scratch *scratch = *state;
        Journal *journal = (Journal *) 1;

        assert_int_equal(journal_load(scratch->fd, &journal, NULL), 0);
        assert_null(journal);
}

/* Torn at every byte: what is whole counts, what is torn did not happen, and nothing is taken for damage. */
static void torn_anywhere_keeps_what_is_whole(void **state) {
        _cleanup_free_ char *text = NULL;
        size_t len, lines = 0;

        text = write_journal(*state, &len);
        for (size_t cut = 0; cut <= len; cut++) {
                _cleanup_(journal_freep) Journal *journal = NULL;

                if (cut > 0 && text[cut - 1] == '\n')
                        lines++;
                assert_int_equal(journal_parse(text, cut, &journal, NULL), 0);
                assert_false(journal->damaged);
                assert_int_equal(journal->has_header, lines >= 1);
                assert_int_equal(journal_has_phase(journal, "validate"), lines >= 2);
                assert_int_equal(journal_has_phase(journal, "runtime"), lines >= 3);
                assert_int_equal(journal->monitor.pid, lines >= 4 ? 7 : 0);
                assert_int_equal(journal->init.pid, lines >= 5 ? 8 : 0);
                assert_int_equal(journal_has_phase(journal, "hooks"), lines >= 6);
        }
        assert_int_equal(lines, 6);
}

/* After a line that makes no sense every phase may have begun: undo must try them all. */
static void a_damaged_line_begins_every_phase(void **state) {
        static const char *const bad[] = {
                "\n", "{}\n", "[]\n", "{\"begin\":1}\n", "{\"init\":{\"pid\":0,\"start\":1},\"cgroups\":[]}\n", "garbage\n"
        };
        _cleanup_free_ char *text = NULL;
        size_t len;

        text = write_journal(*state, &len);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_(journal_freep) Journal *journal = NULL;
                _cleanup_free_ char *damaged = NULL;

                assert_true(asprintf(&damaged, "%s%s{\"begin\":\"publish\"}\n", text, bad[i]) > 0);
                assert_int_equal(journal_parse(damaged, strlen(damaged), &journal, NULL), 0);
                assert_true(journal->damaged);
                assert_int_equal(journal->init.pid, 8);
                assert_true(journal_has_phase(journal, "rootfs"));
        }
}

static void zeros_of_a_power_loss_are_no_header(void **state) {
        _cleanup_(journal_freep) Journal *journal = NULL;
        static const char zeros[4096] = {};

        assert_int_equal(journal_parse(zeros, sizeof(zeros), &journal, NULL), 0);
        assert_false(journal->has_header);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                scratch_test(reads_back_what_was_written),
                scratch_test(no_journal_is_no_error),
                scratch_test(torn_anywhere_keeps_what_is_whole),
                scratch_test(a_damaged_line_begins_every_phase),
                cmocka_unit_test(zeros_of_a_power_loss_are_no_header),
        };

        return cmocka_run_group_tests_name("lifecycle/journal", tests, NULL, NULL);
}
