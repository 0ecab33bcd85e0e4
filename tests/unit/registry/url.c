#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "registry/client.h"

static void locations_are_resolved_and_others_than_http_refused(void **state) {
        static const struct {
                const char *base, *location, *wanted; /* NULL: refused */
        } rows[] = {
                { "https://a/v2/x/blobs/1", "/y?q=1", "https://a/y?q=1" },
                { "https://a/v2/x/blobs/1", "https://b:8443/z", "https://b:8443/z" },
                { "http://a:5000/v2/", "//c/d", "http://c/d" },
                { "https://a/", "https://user:pass@b/", "https://b/" },
                { "https://a/", "file:///etc/passwd", NULL },
                { "https://a/", "ftp://b/", NULL },
                { "https://a/", "gopher://b/", NULL },
                { "https://a/", "https://b/\r\nX: y", NULL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *got = NULL;

                if (url_resolve(rows[i].base, rows[i].location, &got, NULL) < 0)
                        assert_null(rows[i].wanted);
                else
                        assert_string_equal(got, rows[i].wanted ?: "refused");
        }
}

static void origins_are_scheme_host_and_port(void **state) {
        assert_true(url_same_origin("https://a/x", "https://A:443/y"));
        assert_false(url_same_origin("https://a/", "http://a/"));
        assert_false(url_same_origin("https://a/", "https://a:444/"));
        assert_false(url_same_origin("https://a/", "https://a.b/"));
        assert_false(url_same_origin("https://a/", "nonsense"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(locations_are_resolved_and_others_than_http_refused),
                cmocka_unit_test(origins_are_scheme_host_and_port),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
