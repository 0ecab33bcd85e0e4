#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "oci/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void check_normal(const char *text, const char *normal) {
        _cleanup_(reference_freep) Reference *reference = NULL, *again = NULL;
        _cleanup_free_ char *formatted = NULL, *twice = NULL;
        Error err = ERROR_INIT;

        if (reference_parse(text, &reference, &err) < 0)
                fail_msg("%s: %s", text, err.text);
        assert_int_equal(reference_format(reference, &formatted, &err), 0);
        assert_string_equal(formatted, normal);

        /* The normal form of a normal form is itself. */
        assert_int_equal(reference_parse(formatted, &again, &err), 0);
        assert_int_equal(reference_format(again, &twice, &err), 0);
        assert_string_equal(twice, formatted);
}

static void check_refused(const char *text, const char *why) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        Error err = ERROR_INIT;

        if (reference_parse(text, &reference, &err) == 0)
                fail_msg("'%s' was accepted", text);
        assert_null(reference);
        assert_int_equal(err.kind, ERROR_INVALID_ARGUMENT);
        if (!strstr(err.text, why))
                fail_msg("'%s': %s", text, err.text);
}

static void short_names_are_docker_hub_s(void **state) {
        check_normal("redis", "docker.io/library/redis:latest");
        check_normal("redis:7", "docker.io/library/redis:7");
        check_normal("bitnami/redis", "docker.io/bitnami/redis:latest");
        check_normal("docker.io/redis", "docker.io/library/redis:latest");
        check_normal("index.docker.io/redis", "docker.io/library/redis:latest");
        check_normal("index.docker.io/library/redis", "docker.io/library/redis:latest");
        check_normal("a/b/c/d:t", "docker.io/a/b/c/d:t");
        check_normal("localhost", "docker.io/library/localhost:latest");
        check_normal("localhost:5000", "docker.io/library/localhost:5000");
}

static void a_first_component_with_dot_colon_or_capital_is_a_registry(void **state) {
        check_normal("localhost/x", "localhost/x:latest");
        check_normal("localhost:5000/x", "localhost:5000/x:latest");
        check_normal("localhost:5000/x:tag", "localhost:5000/x:tag");
        check_normal("quay.io/a/b:1", "quay.io/a/b:1");
        check_normal("Registry/a", "Registry/a:latest");
        check_normal("127.0.0.1:80/a", "127.0.0.1:80/a:latest");
        check_normal("[::1]:5000/a/b:t", "[::1]:5000/a/b:t");
        check_normal("[fe80::1]/a", "[fe80::1]/a:latest");
}

static void a_digest_stands_alone_or_after_a_tag(void **state) {
        _cleanup_(reference_freep) Reference *reference = NULL;

        check_normal("redis@sha256:" HEX, "docker.io/library/redis@sha256:" HEX);
        check_normal("redis:7@sha256:" HEX, "docker.io/library/redis:7@sha256:" HEX);
        assert_int_equal(reference_parse("redis@sha256:" HEX, &reference, NULL), 0);
        assert_null(reference->tag);
        assert_true(reference->has_digest);
        assert_string_equal(digest_hex(&reference->digest), HEX);
}

static void separators_join_but_never_begin_or_end(void **state) {
        check_normal("a.b", "docker.io/library/a.b:latest");
        check_normal("a_b/c__d/e---f", "docker.io/a_b/c__d/e---f:latest");
        check_refused("a..b", "the name");
        check_refused("a___b", "the name");
        check_refused("-a", "the name");
        check_refused("a-", "the name");
        check_refused("a/", "the name");
        check_refused("a//b", "the name");
        check_refused("/a", "the name");
        check_refused("../a", "registry");
        check_refused("quay.io/../a", "the name");
        check_refused("a._b", "the name");
        check_refused("a b", "the name");
        check_refused("a\xc3\xa4", "the name");
}

static void nothing_is_no_reference(void **state) {
        check_refused("", "the name");
        check_refused(":tag", "the name");
        check_refused("@sha256:" HEX, "the name");
        check_refused("quay.io/", "the name");
        check_refused("a:", "the tag");
        check_refused("a@", "not a digest");
        check_refused("a:b:c", "the name");
}

static void capitals_are_for_tags_only(void **state) {
        Error err = ERROR_INIT;

        check_normal("redis:V1", "docker.io/library/redis:V1");
        check_refused("Redis", "upper-case");
        check_refused("quay.io/Redis", "upper-case");
        assert_int_equal(reference_parse("Redis", &(Reference *) { NULL }, &err), -1);
        assert_string_not_equal(err.hint, "");
}

static void registries_are_hosts(void **state) {
        check_refused("a_b.c/d", "registry");
        check_refused("-a.c/d", "registry");
        check_refused("a-.c/d", "registry");
        check_refused("a.c:/d", "registry");
        check_refused("a.c:x/d", "registry");
        check_refused("a..c/d", "registry");
        check_refused(".a/d", "registry");
        check_refused("[::1/d", "registry");
        check_refused("[]:1/d", "registry");
        check_refused("user:password@quay.io/d", "digest");
}

static void lengths_are_capped_exactly(void **state) {
        char text[5000];

        /* "library/" counts: it is part of the name that the registry sees. */
        _cleanup_(reference_freep) Reference *longest = NULL;

        memset(text, 'a', 247);
        text[247] = '\0';
        assert_int_equal(reference_parse(text, &longest, NULL), 0);
        memset(text, 'a', 248);
        text[248] = '\0';
        check_refused(text, "255");

        memset(text, 't', sizeof(text));
        memcpy(text, "a:", 2);
        text[2 + 129] = '\0';
        check_refused(text, "tag");

        memset(text, 'a', sizeof(text));
        text[4097] = '\0';
        check_refused(text, "4096");
}

static void malformed_digests_are_the_user_s_fault(void **state) {
        check_refused("a@sha256:0123", "not a digest");
        check_refused("a@sha256:" HEX "0", "not a digest");
        check_refused("a@sha256:../../../../../../../../../../../../../../etc/passwd", "not a digest");
        check_refused(HEX, "64 hexadecimal");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(short_names_are_docker_hub_s),
                cmocka_unit_test(a_first_component_with_dot_colon_or_capital_is_a_registry),
                cmocka_unit_test(a_digest_stands_alone_or_after_a_tag),
                cmocka_unit_test(separators_join_but_never_begin_or_end),
                cmocka_unit_test(nothing_is_no_reference),
                cmocka_unit_test(capitals_are_for_tags_only),
                cmocka_unit_test(registries_are_hosts),
                cmocka_unit_test(lengths_are_capped_exactly),
                cmocka_unit_test(malformed_digests_are_the_user_s_fault),
        };

        return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
