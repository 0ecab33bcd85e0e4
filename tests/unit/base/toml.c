#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/toml.h"

static void means(const char *toml, const char *json) {
        _cleanup_json_ json_t *got = NULL, *wanted = json_loads(json, JSON_DECODE_ANY, NULL);
        Error err = ERROR_INIT;

        assert_non_null(wanted);
        if (toml_parse(toml, strlen(toml), "x.toml", &got, &err) < 0)
                fail_msg("%s\n%s", err.text, toml);
        if (!json_equal(got, wanted))
                fail_msg("%s\nis %s", toml, json_dumps(got, 0));
}

static void refused(const char *toml, const char *where) {
        json_t *got = NULL;
        Error err = ERROR_INIT;

        if (toml_parse(toml, strlen(toml), "x.toml", &got, &err) == 0)
                fail_msg("taken: %s", toml);
        assert_int_equal(err.kind, ERROR_INVALID_CONFIG);
        if (strncmp(err.text, where, strlen(where)))
                fail_msg("%s: %s", toml, err.text);
}

static void values_of_every_kind_are_read(void **state) {
        means("", "{}");
        means("a = 1\nb=true # c\r\n\"c d\" = 'x\\y'", "{\"a\":1,\"b\":true,\"c d\":\"x\\\\y\"}");
        means("a = 0x1F\nb = -1_000\nc = 0o17\nd = 0b11\ne = +5", "{\"a\":31,\"b\":-1000,\"c\":15,\"d\":3,\"e\":5}");
        means("a = \"q\\\"\\n\\t\\u00e9\\U0001F600\"", "{\"a\":\"q\\\"\\n\\t\\u00e9\\ud83d\\ude00\"}");
        means("a = \"\"\"\nx\\\n   y\n\"\"z\"\"\"\"", "{\"a\":\"xy\\n\\\"\\\"z\\\"\"}");
        means("a = '''\nx\\'\n'''", "{\"a\":\"x\\\\'\\n\"}");
        means("a = [ 1, # one\n 'b',\n [true],\n]", "{\"a\":[1,\"b\",[true]]}");
        means("a = { b = 1, c.d = 'x' }\ne.f.g = 2\ne.f.h = 3", "{\"a\":{\"b\":1,\"c\":{\"d\":\"x\"}},\"e\":{\"f\":{\"g\":2,\"h\":3}}}");
}

static void tables_and_arrays_of_tables_nest(void **state) {
        means("[a]\nx = 1\n[a.b]\ny = 2\n[c.d]\n", "{\"a\":{\"x\":1,\"b\":{\"y\":2}},\"c\":{\"d\":{}}}");
        means("[[r]]\nn = 1\n[[r.m]]\nx = 1\n[[r.m]]\nx = 2\n[[r]]\nn = 2\n[[r.m]]\nx = 3\n",
              "{\"r\":[{\"n\":1,\"m\":[{\"x\":1},{\"x\":2}]},{\"n\":2,\"m\":[{\"x\":3}]}]}");
        means("[a.b]\n[a]\nx = 1", "{\"a\":{\"b\":{},\"x\":1}}");
}

static void what_is_not_toml_is_refused_with_its_line(void **state) {
        refused("a = 1\na = 2", "x.toml:2:");
        refused("[a]\n[a]", "x.toml:2:");
        refused("a = [1]\n[[a]]", "x.toml:2:");
        refused("[[a]]\n[a]", "x.toml:2:");
        refused("\n\nx", "x.toml:3:");
        refused("x = ", "x.toml:1:");
        refused("x = yes", "x.toml:1:");
        refused("x = truely", "x.toml:1:");
        refused("x = 1.5", "x.toml:1:");
        refused("x = 2020-01-01", "x.toml:1:");
        refused("x = 007", "x.toml:1:");
        refused("x = 99999999999999999999", "x.toml:1:");
        refused("x = \"a\nb\"", "x.toml:1:");
        refused("x = \"a", "x.toml:1:");
        refused("x = \"\\q\"", "x.toml:1:");
        refused("x = \"\\u0000\"", "x.toml:1:");
        refused("x = \"\\ud800\"", "x.toml:1:");
        refused("x = [1 2]", "x.toml:1:");
        refused("x = {a = 1", "x.toml:1:");
        refused("x = 1 y = 2", "x.toml:1:");
        refused("x = \"\xff\"", "x.toml:1:");
        refused("x = [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "x.toml:1:");
        refused("[a", "x.toml:1:");
        refused("# a\x01", "x.toml:1:");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(values_of_every_kind_are_read),
                cmocka_unit_test(tables_and_arrays_of_tables_nest),
                cmocka_unit_test(what_is_not_toml_is_refused_with_its_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
