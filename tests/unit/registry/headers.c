#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "registry/headers.h"

static void the_best_challenge_is_taken(void **state) {
        char *values[] = { (char *) "Negotiate abc==, basic realm=\"x, y\", "
                                    "Bearer realm=\"https://t/a\" , service=\"s\\\"q\",scope=a", NULL };
        char *two[] = { (char *) "Basic realm=\"a\"", (char *) "BEARER REALM=\"https://b\"", NULL };
        char *other[] = { (char *) "Digest realm=\"a\", nonce=\"b\"", NULL };
        Challenge challenge;

        assert_int_equal(challenge_parse(values, &challenge, NULL), 0);
        assert_int_equal(challenge.scheme, AUTH_BEARER);
        assert_string_equal(challenge.realm, "https://t/a");
        assert_string_equal(challenge.service, "s\"q");
        assert_string_equal(challenge.scope, "a");
        challenge_clear(&challenge);

        assert_int_equal(challenge_parse(two, &challenge, NULL), 0);
        assert_int_equal(challenge.scheme, AUTH_BEARER);
        assert_string_equal(challenge.realm, "https://b");
        challenge_clear(&challenge);

        assert_int_equal(challenge_parse(other, &challenge, NULL), 0);
        assert_int_equal(challenge.scheme, AUTH_NONE);
        challenge_clear(&challenge);
        assert_int_equal(challenge_parse(NULL, &challenge, NULL), 0);
        assert_int_equal(challenge.scheme, AUTH_NONE);
}

static void malformed_challenges_are_refused(void **state) {
        static const char *const wrong[] = { "Bearer", "Bearer realm=\"a", "Bearer realm=\"\"", "Bearer realm=", "=x",
                                             "Bearer realm=\"a\" b" };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                char *values[] = { (char *) wrong[i], NULL };
                Challenge challenge = { 0 };
                Error err = ERROR_INIT;

                if (challenge_parse(values, &challenge, &err) == 0)
                        fail_msg("'%s' is taken", wrong[i]);
                assert_int_equal(err.kind, ERROR_REGISTRY);
                assert_null(challenge.realm);
        }
}

static void the_next_page_is_found_among_links(void **state) {
        static const struct {
                const char *fields[3];
                const char *next; /* NULL: there is none */
        } rows[] = {
                { { NULL }, NULL },
                { { "", " , " }, NULL },
                { { "</v2/a>; rel=\"next\"" }, "/v2/a" },
                { { "<a,b;c>;REL=Next" }, "a,b;c" },
                { { "<a>; rel=prev, <b>; title=\"x, \\\"; rel=next\"; rel=\"last  next\"" }, "b" },
                { { "<a>; rel=nextish; rel=next", "<b>;rel=last" }, NULL }, /* of two relations the first counts */
                { { "<a>", "<b> ; x ; rel = next" }, "b" },
                { { "<>; rel=next" }, "" },
        };
        static const char *const wrong[] = { "a; rel=next", "<a; rel=next", "<a> rel=next", "<a>; rel=\"next", "<a>; rel=" };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *next = NULL;

                assert_int_equal(link_next_parse((char *const *) rows[i].fields, &next, NULL), 0);
                if (!string_equal(next, rows[i].next))
                        fail_msg("'%s' in place of '%s'", next ?: "nothing", rows[i].next ?: "nothing");
        }
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                char *fields[] = { (char *) wrong[i], NULL }, *next = NULL;
                Error err = ERROR_INIT;

                if (link_next_parse(fields, &next, &err) == 0)
                        fail_msg("'%s' is taken", wrong[i]);
                assert_int_equal(err.kind, ERROR_REGISTRY);
                assert_null(next);
        }
}

static void ranges_are_read_to_the_last_digit(void **state) {
        static const char *const wrong[] = { "", "bytes", "bytes 1-2", "bytes 2-1/3", "bytes 0-3/3", "bytes 0-1/2x", "bytes -1/2",
                                             "items 0-1/2",
                                             "bytes 99999999999999999999-1/2", "bytes */5", "bytes 0-1/" };
        ContentRange range;

        assert_int_equal(content_range_parse("bytes 5-9/10", &range, NULL), 0);
        assert_int_equal(range.first, 5);
        assert_int_equal(range.last, 9);
        assert_true(range.has_total);
        assert_int_equal(range.total, 10);
        assert_int_equal(content_range_parse("Bytes 0-0/*", &range, NULL), 0);
        assert_false(range.has_total);
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                if (content_range_parse(wrong[i], &range, NULL) == 0)
                        fail_msg("'%s' is taken", wrong[i]);
}

static void retry_after_is_seconds_or_a_date(void **state) {
        assert_int_equal(retry_after_parse("120", 0), 120);
        assert_int_equal(retry_after_parse("Thu, 01 Jan 1970 00:01:40 GMT", 40), 60);
        assert_int_equal(retry_after_parse("Thu, 01 Jan 1970 00:01:40 GMT", 4000), 0);
        assert_int_equal(retry_after_parse("soon", 0), 0);
        assert_int_equal(retry_after_parse("-5", 0), 0);
        assert_int_equal(retry_after_parse("99999999999999999999999", 0), 0);
        assert_int_equal(retry_after_parse("Thu, 01 Foo 2070 00:01:40 GMT", 0), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_best_challenge_is_taken),
                cmocka_unit_test(malformed_challenges_are_refused),
                cmocka_unit_test(the_next_page_is_found_among_links),
                cmocka_unit_test(ranges_are_read_to_the_last_digit),
                cmocka_unit_test(retry_after_is_seconds_or_a_date),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
