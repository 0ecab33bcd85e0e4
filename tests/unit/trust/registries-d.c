/* Where signatures are: the most specific scope that says so; files that say what nobody knows are refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../scratch.h"
#include "trust/registries-d.h"

static void parse(const char *text, RegistriesD *conf) {
        Error err = ERROR_INIT;

        if (registries_d_parse(text, strlen(text), "x.yaml", conf, &err) < 0)
                fail_msg("%s", err.text);
}

static void is_kept_at(const RegistriesD *conf, const char *name, bool staging, const char *wanted) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        _cleanup_free_ char *url = NULL;

        assert_int_equal(reference_parse(name, &reference, NULL), 0);
        assert_int_equal(registries_d_lookaside(conf, reference, staging, &url, NULL), 0);
        assert_string_equal(url, wanted);
}

static bool has_attachments(const RegistriesD *conf, const char *name) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        bool attachments;

        assert_int_equal(reference_parse(name, &reference, NULL), 0);
        assert_int_equal(registries_d_attachments(conf, reference, &attachments, NULL), 0);
        return attachments;
}

static void the_most_specific_scope_decides(void **state) {
        _cleanup_registries_d_ RegistriesD conf = { 0 };

        parse("# a comment\n"
              "default-docker:\n"
              "  lookaside: https://all.example/s\n"
              "  lookaside-staging: file:///stage\n"
              "  use-sigstore-attachments: yes\n"
              "docker:\n"
              "  r.example/team/app:1: {lookaside: \"https://tag.example\"}\n"
              "  r.example/team: {sigstore: 'https://old.example/', sigstore-staging: file:///old}\n"
              "  r.example: {use-sigstore-attachments: false}\n"
              "  \"*.example\":\n    lookaside: file:///wild\n"
              "  l:5000: {lookaside: http://l:80/x}\n",
              &conf);
        is_kept_at(&conf, "r.example/team/app:1", false, "https://tag.example/team/app");
        /* A scope without a place for writing has its place for reading. */
        is_kept_at(&conf, "r.example/team/app:1", true, "https://tag.example/team/app");
        is_kept_at(&conf, "r.example/team/app:2", false, "https://old.example//team/app");
        is_kept_at(&conf, "r.example/team/app:2", true, "file:///old/team/app");
        /* r.example itself says nothing of it. */
        is_kept_at(&conf, "r.example/other", false, "file:///wild/other");
        is_kept_at(&conf, "deep.r.example:88/other", false, "file:///wild/other");
        is_kept_at(&conf, "l:5000/a", false, "http://l:80/x/a");
        is_kept_at(&conf, "redis", false, "https://all.example/s/library/redis");
        is_kept_at(&conf, "redis", true, "file:///stage/library/redis");
        assert_false(has_attachments(&conf, "r.example/team/app:1"));
        assert_true(has_attachments(&conf, "redis"));
}

static void nothing_said_is_where_containers_tools_look(void **state) {
        _cleanup_registries_d_ RegistriesD conf = { 0 };

        parse("", &conf);
        parse("# nothing\n", &conf);
        assert_false(has_attachments(&conf, "redis"));
        if (geteuid() == 0)
                is_kept_at(&conf, "redis", false, "file:///var/lib/containers/sigstore/library/redis");
}

static void what_nobody_knows_is_refused(void **state) {
        static const char *const cases[] = {
                "other: {}\n",
                "docker: [a]\n",
                "docker: {a: b}\n",
                "docker: {a: {lookaside: 7}}\n",
                "docker: {a: {lookaside: [x]}}\n",
                "docker: {a: {lookasides: x}}\n",
                "docker: {a: {use-sigstore-attachments: maybe}}\n",
                "docker: {a: {}, a: {}}\n",
                "default-docker: {lookaside: x}\ndefault-docker: {}\n",
                "a: &x {}\ndocker: *x\n",
                "docker: !!map {}\n",
                "docker: {}\n---\ndocker: {}\n",
                "docker: {? [a] : {}}\n",
                "docker: {\n",
                "\t- x",
                "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_registries_d_ RegistriesD conf = { 0 };
                Error err = ERROR_INIT;

                if (registries_d_parse(cases[i], strlen(cases[i]), "x.yaml", &conf, &err) == 0)
                        fail_msg("taken: %s", cases[i]);
                assert_int_equal(err.kind, ERROR_INVALID_CONFIG);
        }
}

static void write_file(const Scratch *scratch, const char *name, const char *text) {
        assert_int_equal(file_write_atomic_at(scratch->fd, name, text, strlen(text), 0600, 0, NULL), 0);
}

static void a_scope_stands_in_one_file_only(void **state) {
        _cleanup_registries_d_ RegistriesD conf = { 0 };
        Scratch *scratch = *state;
        Error err = ERROR_INIT;

        write_file(scratch, "a.yaml", "docker: {r.example: {lookaside: file:///a}}\n");
        write_file(scratch, "b.yaml", "docker: {s.example: {lookaside: file:///b}}\n");
        write_file(scratch, "c.yml", "not read: [\n");
        assert_int_equal(registries_d_load(scratch->path, &conf, NULL), 0);
        is_kept_at(&conf, "s.example/x", false, "file:///b/x");
        registries_d_clear(&conf);
        write_file(scratch, "c.yaml", "docker: {r.example: {}}\n");
        assert_int_equal(registries_d_load(scratch->path, &conf, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_CONFIG);
        assert_int_equal(registries_d_load("/nowhere", &conf, &err), -1);
        assert_int_equal(err.kind, ERROR_CONFIG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_most_specific_scope_decides),
                cmocka_unit_test(nothing_said_is_where_containers_tools_look),
                cmocka_unit_test(what_nobody_knows_is_refused),
                scratch_test(a_scope_stands_in_one_file_only),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
