#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "oci/manifest.h"

/* An index of one entry for each "os/architecture[/variant]" (or "", no platform), in order. */
static Index make_index(const char *const *platforms, IndexEntry *entries) {
        static char texts[16][64];
        size_t n = 0;

        for (; platforms[n]; n++) {
                char *rest = strcpy(texts[n], platforms[n]);

                entries[n] = (IndexEntry) { .descriptor.type = MEDIA_MANIFEST, .descriptor.size = n };
                if (!*rest)
                        continue;
                entries[n].platform.os = strsep(&rest, "/");
                entries[n].platform.architecture = strsep(&rest, "/");
                entries[n].platform.variant = rest;
        }
        return (Index) { .entries = entries, .n_entries = n };
}

/* Which entry is chosen for @wanted ("os/arch[/variant]"; NULL: this machine); -1: none. */
static int choose(const char *wanted, const char *const *platforms) {
        IndexEntry entries[16], wanted_entry;
        Index index = make_index(platforms, entries);
        const IndexEntry *entry = NULL;
        char text[64];
        Error err = ERROR_INIT;

        if (wanted) {
                char *rest = strcpy(text, wanted);

                wanted_entry.platform.os = strsep(&rest, "/");
                wanted_entry.platform.architecture = strsep(&rest, "/");
                wanted_entry.platform.variant = rest;
        }
        if (index_choose(&index, wanted ? &wanted_entry.platform : NULL, "I", &entry, &err) < 0) {
                assert_int_equal(err.kind, ERROR_IMAGE_NOT_FOUND);
                return -1;
        }
        return (int) entry->descriptor.size;
}

#define CHOOSE(wanted, ...) choose(wanted, (const char *const[]) { __VA_ARGS__, NULL })

static void the_machine_s_own_architecture_is_the_default(void **state) {
        struct utsname host;

        uname(&host);
        if (!strcmp(host.machine, "x86_64")) {
                assert_int_equal(CHOOSE(NULL, "linux/arm64", "windows/amd64", "linux/386", "linux/amd64"), 3);
                assert_int_equal(CHOOSE(NULL, "linux/arm64", "linux/386"), 1);
                assert_int_equal(CHOOSE(NULL, "linux/amd64/v3", "linux/amd64"), 1); /* what this machine runs for sure */
        } else if (!strcmp(host.machine, "aarch64")) {
                assert_int_equal(CHOOSE(NULL, "linux/amd64", "linux/arm/v7", "linux/arm64/v8"), 2);
                assert_int_equal(CHOOSE(NULL, "linux/amd64", "linux/arm/v6", "linux/arm/v7"), 2);
        } else
                skip();
}

static void the_best_variant_that_runs_wins(void **state) {
        assert_int_equal(CHOOSE("linux/arm/v7", "linux/arm/v5", "linux/arm/v7", "linux/arm/v6", "linux/arm/v8"), 1);
        assert_int_equal(CHOOSE("linux/arm/v6", "linux/arm/v5", "linux/arm/v7", "linux/arm/v6"), 2);
        assert_int_equal(CHOOSE("linux/arm/v6", "linux/arm/v7"), -1);
        assert_int_equal(CHOOSE("linux/arm", "linux/arm/v6", "linux/arm/v7"), 1);  /* no variant: v7 */
        assert_int_equal(CHOOSE("linux/arm/v7", "linux/arm/v6", "linux/arm"), 1);
        assert_int_equal(CHOOSE("linux/arm64", "linux/arm64/v8"), 0);
        assert_int_equal(CHOOSE("linux/arm64/v8", "linux/arm64"), 0);
        assert_int_equal(CHOOSE("linux/arm64", "linux/arm64/v9"), -1);
        assert_int_equal(CHOOSE("linux/amd64/v3", "linux/amd64", "linux/amd64/v2", "linux/amd64/v4"), 1);
        assert_int_equal(CHOOSE("linux/amd64", "linux/amd64/v2"), -1);
        assert_int_equal(CHOOSE("linux/arm/7", "linux/arm/v7"), 0);
        assert_int_equal(CHOOSE("linux/arm/odd", "linux/arm/v7", "linux/arm/odd"), 1);
        assert_int_equal(CHOOSE("linux/riscv64", "linux/riscv64/x", "linux/riscv64"), 1);
}

static void machine_names_are_understood(void **state) {
        assert_int_equal(CHOOSE("linux/x86_64", "linux/arm64", "linux/amd64"), 1);
        assert_int_equal(CHOOSE("linux/aarch64", "linux/amd64", "linux/arm64"), 1);
        assert_int_equal(CHOOSE("linux/armv7l", "linux/arm/v8", "linux/arm/v7"), 1);
        assert_int_equal(CHOOSE("linux/armv6l", "linux/arm/v7", "linux/arm/v6"), 1);
        assert_int_equal(CHOOSE("linux/i686", "linux/386"), 0);
}

static void a_platform_that_is_asked_for_has_no_fallback(void **state) {
        assert_int_equal(CHOOSE("linux/amd64", "linux/386"), -1);
        assert_int_equal(CHOOSE("linux/arm64", "linux/arm/v7"), -1);
        assert_int_equal(CHOOSE("windows/amd64", "linux/amd64"), -1);
        assert_int_equal(CHOOSE("windows/amd64", "linux/amd64", "windows/amd64"), 1);
}

static void the_first_of_equals_wins(void **state) {
        assert_int_equal(CHOOSE("linux/amd64", "linux/amd64", "linux/amd64"), 0);
}

static void a_single_entry_without_platform_is_the_last_choice(void **state) {
        assert_int_equal(CHOOSE("linux/amd64", ""), 0);
        assert_int_equal(CHOOSE("linux/amd64", "", "linux/amd64"), 1);
        assert_int_equal(CHOOSE("linux/amd64", "", "linux/arm64"), 0);
        assert_int_equal(CHOOSE("linux/amd64", "", ""), -1);
}

static void attestations_and_other_types_are_passed_over(void **state) {
        IndexEntry entries[2];
        Index index = make_index((const char *const[]) { "linux/amd64", "unknown/unknown", NULL }, entries);
        Platform unknown = { .os = (char[]) { "unknown" }, .architecture = (char[]) { "unknown" } };
        Platform amd64 = { .os = (char[]) { "linux" }, .architecture = (char[]) { "amd64" } };
        const IndexEntry *entry = NULL;
        Error err = ERROR_INIT;

        assert_int_equal(index_choose(&index, &unknown, "I", &entry, &err), -1);
        entries[0].descriptor.type = MEDIA_UNKNOWN;
        assert_int_equal(index_choose(&index, &amd64, "I", &entry, &err), -1);
        assert_string_equal(err.text, "I: no image for linux/amd64; it has no image at all");
        entries[0].descriptor.type = MEDIA_INDEX;
        assert_int_equal(index_choose(&index, &amd64, "I", &entry, &err), 0);
        assert_ptr_equal(entry, &entries[0]);
}

static void the_error_names_the_platforms_there_are(void **state) {
        IndexEntry entries[4];
        Index index = make_index((const char *const[]) { "linux/arm/v7", "unknown/unknown", "windows/amd64", NULL }, entries);
        Platform wanted = { .os = (char[]) { "linux" }, .architecture = (char[]) { "s390x" } };
        const IndexEntry *entry = NULL;
        Error err = ERROR_INIT;

        assert_int_equal(index_choose(&index, &wanted, "index I", &entry, &err), -1);
        assert_string_equal(err.text, "index I: no image for linux/s390x; it has linux/arm/v7, windows/amd64");
        assert_null(entry);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_machine_s_own_architecture_is_the_default),
                cmocka_unit_test(the_best_variant_that_runs_wins),
                cmocka_unit_test(machine_names_are_understood),
                cmocka_unit_test(a_platform_that_is_asked_for_has_no_fallback),
                cmocka_unit_test(the_first_of_equals_wins),
                cmocka_unit_test(a_single_entry_without_platform_is_the_last_choice),
                cmocka_unit_test(attestations_and_other_types_are_passed_over),
                cmocka_unit_test(the_error_names_the_platforms_there_are),
        };

        return cmocka_run_group_tests_name("platform", tests, NULL, NULL);
}
