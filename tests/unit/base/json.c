#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json-quick.h"
#include "base/json.h"
#include "base/process.h"

#include "../scratch.h"

#define LINE(text, ...) json_key_line(text, (const char *[]) { __VA_ARGS__, NULL })

static void errors_name_line_and_column(void **state) {
        _cleanup_json_ json_t *json = NULL;
        Error err = ERROR_INIT;
        const char text[] = "{\n  \"a\": 1,\n  \"b\": nul\n}";

        assert_int_equal(json_parse(text, strlen(text), "x.json", &json, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_JSON);
        assert_non_null(strstr(err.text, "x.json: line 3, column "));
}

static void duplicate_keys_are_refused(void **state) {
        _cleanup_json_ json_t *json = NULL;
        Error err = ERROR_INIT;
        const char text[] = "{\"x\": {\"a\": 1, \"\\u0061\": 2}}";

        assert_int_equal(json_parse(text, strlen(text), "x.json", &json, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_JSON);
        assert_non_null(strstr(err.text, "duplicate"));
}

static void what_is_not_json_is_refused(void **state) {
        const char *const texts[] = { "", " ", "{", "{}x", "{\"a\":1,}", "{'a':1}", "nan", "\"\xff\"", "{\"a\":\"\\u0000\"}",
                                      "{\"a\\u0000b\":1}", "[1,]" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_json_ json_t *json = NULL;
                Error err = ERROR_INIT;

                assert_int_equal(json_parse(texts[i], strlen(texts[i]), "x", &json, &err), -1);
                assert_int_equal(err.kind, ERROR_INVALID_JSON);
        }
}

static void a_nul_byte_is_refused_wherever_it_stands(void **state) {
        static const char text[] = "{\"a\": [1, \"b\"]}";

        for (size_t i = 0; i <= strlen(text); i++) {
                _cleanup_json_ json_t *json = NULL;
                char with_nul[sizeof(text)];
                Error err = ERROR_INIT;

                memcpy(with_nul, text, i);
                with_nul[i] = '\0';
                memcpy(with_nul + i + 1, text + i, strlen(text) - i);
                assert_int_equal(json_parse(with_nul, sizeof(with_nul), "x", &json, &err), -1);
                assert_int_equal(err.kind, ERROR_INVALID_JSON);
        }
}

/* Parses @text in a child and returns by how many KiB its peak memory grew; the text must be refused. */
static long refused_at_the_cost_of(const char *text, size_t len) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                struct rusage before, after;
                json_t *json = NULL;
                long grown;

                getrusage(RUSAGE_SELF, &before);
                if (json_parse(text, len, "x", &json, NULL) == 0)
                        _exit(255);
                getrusage(RUSAGE_SELF, &after);
                grown = (after.ru_maxrss - before.ru_maxrss) / 1024;
                _exit(grown > 254 ? 254 : (int) grown);
        }
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_true(WIFEXITED(status));
        assert_int_not_equal(WEXITSTATUS(status), 255);
        return WEXITSTATUS(status) * 1024L;
}

static void deep_nesting_is_refused_cheaply(void **state) {
        _cleanup_free_ char *text = malloc(20000 * 5);
        char *p = text;

        memset(text, '[', 10000);
        memset(text + 10000, ']', 10000);
        assert_in_range(refused_at_the_cost_of(text, 20000), 0, 4096);

        for (size_t i = 0; i < 10000; i++)
                p = stpcpy(p, "{\"a\":");
        p = stpcpy(p, "1");
        memset(p, '}', 10000);
        assert_in_range(refused_at_the_cost_of(text, (size_t) (p - text) + 10000), 0, 4096);
}

static void many_small_values_are_refused_before_they_cost_memory(void **state) {
        const size_t len = 1 + 3 * (1 << 20);
        _cleanup_free_ char *text = malloc(len);

        for (size_t i = 0; i < len; i++)
                text[i] = ",{}"[i % 3];
        text[0] = '[';
        text[len - 1] = ']';
        assert_in_range(refused_at_the_cost_of(text, len), 0, 4096);
}

static void commas_within_strings_are_no_values(void **state) {
        const size_t len = JSON_VALUES_MAX + 10;
        _cleanup_free_ char *text = malloc(len);
        _cleanup_json_ json_t *json = NULL;

        memset(text, ',', len);
        memcpy(text, "[\"\\\"", 4);
        memcpy(text + len - 4, "\\\\\"]", 4);
        assert_int_equal(json_parse(text, len, "x", &json, NULL), 0);
        assert_int_equal(json_string_length(json_array_get(json, 0)), len - 6);
}

/* What the quick reader takes is what jansson makes of it, in the same order; it may leave all but plain texts to jansson. */
static void the_quick_reader_agrees_with_jansson(void **state) {
        static const struct {
                const char *text;
                bool taken;
        } rows[] = {
                { "{}", true },
                { "[]", true },
                { " \t\r\n{ \"a\" : [ 1 , -2 , 0 , -0 , true , false , null , { } , [ ] ] } \n", true },
                { "{\"b\": 1, \"a\": {\"b\": \"x\", \"\": \"\"}, \"c\": [\"\", \"ä€😀\"]}", true },
                { "[999999999999999999, -999999999999999999, 1.5, -0.25, 18446744073709551615.0]", true },
                { "[1000000000000000000, 9223372036854775807, 1e5, 1.5E-3]", false },
                { "[9223372036854775808]", false },
                { "{\"a\": \"\\n\"}", false },
                { "{\"ä\": 1}", false },
                { "{\"a\": 1, \"b\": 2, \"a\": 1}", false },
                { "[\"\xff\"]", false },
                { "[\"\xc0\x80\"]", false },
                { "[\"\xed\xa0\x80\"]", false },
                { "[\"a\nb\"]", false },
                { "[01]", false },
                { "[-]", false },
                { "[1.]", false },
                { "[.5]", false },
                { "[+1]", false },
                { "[1 2]", false },
                { "[1,]", false },
                { "[,1]", false },
                { "{\"a\":1,}", false },
                { "{\"a\"}", false },
                { "{\"a\":}", false },
                { "{a:1}", false },
                { "[truex]", false },
                { "[True]", false },
                { "[tru", false },
                { "[\"a", false },
                { "{\"a\":[1}", false },
                { "[1]]", false },
                { "[1]x", false },
                { "\"a\"", false },
                { "1", false },
                { "", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *text = rows[i].text;
                _cleanup_json_ json_t *quick = json_parse_quick(text, strlen(text), false, 100), *json = NULL;
                _cleanup_free_ char *a = NULL, *b = NULL;

                assert_int_equal(quick != NULL, rows[i].taken);
                if (!quick)
                        continue;
                json = json_loadb(text, strlen(text), JSON_REJECT_DUPLICATES, NULL);
                assert_true(json_equal(json, quick));
                a = json_dumps(json, JSON_COMPACT);
                b = json_dumps(quick, JSON_COMPACT);
                assert_string_equal(a, b);
        }
}

static void the_quick_reader_has_its_bounds(void **state) {
        char deep[200];
        json_t *json;

        json = json_parse_quick("[1,2,3]", 7, false, 4);
        assert_non_null(json);
        json_decref(json);
        assert_null(json_parse_quick("[1,2,3]", 7, false, 3));
        json = json_parse_quick(" true ", 6, true, 1);
        assert_true(json_is_true(json));
        assert_null(json_parse_quick("true", 4, false, 1));
        assert_null(json_parse_quick("true true", 9, true, 1));
        assert_null(json_parse_quick("[1]\0", 4, false, 100));
        assert_null(json_parse_quick("[1]", 2, false, 100));

        memset(deep, '[', 100);
        memset(deep + 100, ']', 100);
        assert_null(json_parse_quick(deep, 200, false, 1000));
        json = json_parse_quick(deep + 50, 100, false, 1000);
        assert_non_null(json);
        json_decref(json);
}

static void keys_are_found_on_their_line(void **state) {
        const char text[] = "{\n"                                /* 1 */
                            " \"a\": \"b\",\n"                    /* 2 */
                            " \"c\": {\n"                         /* 3 */
                            "   \"a\": 1, \"x\": {\"d\": 0},\n"   /* 4 */
                            "   \"d\":\n"                         /* 5 */
                            "     {\"e\"\n"                       /* 6 */
                            "  : 1}},\n"                          /* 7 */
                            " \"b\": 2, \"\\u0065\": {\n"         /* 8 */
                            "   \"q\\\"\": 3}}\n";                /* 9 */

        assert_int_equal(LINE(text, "a"), 2);
        assert_int_equal(LINE(text, "b"), 8);
        assert_int_equal(LINE(text, "c"), 3);
        assert_int_equal(LINE(text, "c", "a"), 4);
        assert_int_equal(LINE(text, "c", "d"), 5);
        assert_int_equal(LINE(text, "c", "d", "e"), 6);
        assert_int_equal(LINE(text, "e"), 8);
        assert_int_equal(LINE(text, "e", "q\""), 9);
}

static void keys_that_are_not_there_have_no_line(void **state) {
        const char text[] = "{\"a\": {\"b\": 1}, \"c\": \"d\", \"e\": [{\"f\": 1}]}";

        assert_int_equal(LINE(text, "b"), 0);
        assert_int_equal(LINE(text, "d"), 0);
        assert_int_equal(LINE(text, "a", "c"), 0); /* after the object's end */
        assert_int_equal(LINE(text, "c", "e"), 0); /* a scalar has no keys */
        assert_int_equal(LINE(text, "e", "f"), 0); /* an array has none either */
        assert_int_equal(LINE(text, "a", "b", "x"), 0);
        assert_int_equal(LINE("{\"a\": 1, \"x\": {\"b\": 2}}", "a", "b"), 0); /* what follows is another key's */
        assert_int_equal(json_key_line(text, (const char *[]) { NULL }), 0);
}

static void elements_of_arrays_are_found_on_their_line(void **state) {
        const char text[] = "{\"r\": [\n"                     /* 1 */
                            " {\"a\": [1, {\"b\": 2}]},\n"    /* 2 */
                            " [\n"                            /* 3 */
                            "  1,\n"                          /* 4 */
                            "  [], 7],\n"                     /* 5 */
                            " {\"b\": \"x,]\",\n"             /* 6 */
                            "  \"a\": 2}, \"s\"],\n"          /* 7 */
                            " \"[0]\": 1}";                   /* 8 */

        assert_int_equal(LINE(text, "r", "[0]"), 2);
        assert_int_equal(LINE(text, "r", "[1]"), 3);
        assert_int_equal(LINE(text, "r", "[1]", "[0]"), 4);
        assert_int_equal(LINE(text, "r", "[1]", "[1]"), 5);
        assert_int_equal(LINE(text, "r", "[2]"), 6);
        assert_int_equal(LINE(text, "r", "[2]", "a"), 7);
        assert_int_equal(LINE(text, "r", "[3]"), 7);
        assert_int_equal(LINE(text, "r", "[0]", "a", "[1]", "b"), 2);
        assert_int_equal(LINE(text, "r", "[0]", "b"), 0);
        assert_int_equal(LINE(text, "r", "[4]"), 0);
        assert_int_equal(LINE(text, "[0]"), 8);
}

static void broken_text_only_yields_some_line(void **state) {
        const char *const texts[] = { "", "\"", "{\"", "{\"a\"", "}}}}", "]{\"a\":1", "{\"\\", "{\"a\\\":1", ",,,,", "[,", "[",
                                      "{\"\\q\":1}" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                (void) LINE(texts[i], "a");
                (void) LINE(texts[i], "[0]");
                (void) LINE(texts[i], "a", "[1]", "b");
        }
}

static void fields_of_a_wrong_type_are_named(void **state) {
        _cleanup_json_ json_t *json = json_pack("{s:i, s:s, s:n, s:o, s:{}, s:[]}", "i", 5, "s", "x", "n", "b", json_true(), "o", "a");
        JsonPlace place = { "doc", ERROR_INVALID_SPEC };
        Error err = ERROR_INIT;
        const char *text = "kept";
        int64_t n = 7;
        bool b = false;
        json_t *j = json;

        assert_int_equal(json_opt_string(json, "i", place, &text, &err), -1);
        assert_string_equal(err.text, "doc: 'i' is not a string");
        assert_int_equal(err.kind, ERROR_INVALID_SPEC);
        assert_int_equal(json_opt_integer(json, "s", place, 0, 9, &n, &err), -1);
        assert_string_equal(err.text, "doc: 's' is not an integer");
        assert_int_equal(json_opt_integer(json, "i", place, 6, 9, &n, &err), -1);
        assert_string_equal(err.text, "doc: 'i' is 5, not between 6 and 9");
        assert_int_equal(json_opt_bool(json, "i", place, &b, &err), -1);
        assert_string_equal(err.text, "doc: 'i' is not true or false");
        assert_int_equal(json_opt_object(json, "a", place, &j, &err), -1);
        assert_int_equal(json_opt_array(json, "o", place, &j, &err), -1);

        /* Outputs stay as they were when a field is absent or null, or wrong. */
        assert_int_equal(json_opt_string(json, "n", place, &text, &err), 0);
        assert_int_equal(json_opt_string(json, "absent", place, &text, &err), 0);
        assert_string_equal(text, "kept");
        assert_int_equal(n, 7);
        assert_ptr_equal(j, json);

        assert_int_equal(json_need_string(json, "n", place, &text, &err), -1);
        assert_string_equal(err.text, "doc: 'n' is missing");
        assert_int_equal(json_need_integer(json, "absent", place, 0, 9, &n, &err), -1);
        assert_int_equal(json_need_object(json, "absent", place, &j, &err), -1);
        assert_int_equal(json_need_array(json, "absent", place, &j, &err), -1);
        assert_int_equal(json_need_root(json_array_get(json, 0), place, &err), -1);
        assert_int_equal(json_opt_bool(json, "b", place, &b, &err), 0);
        assert_true(b);
        assert_int_equal(json_opt_integer(json, "i", place, 5, 5, &n, &err), 0);
        assert_int_equal(n, 5);
}

static void what_is_saved_loads_again(void **state) {
        int fd = ((Scratch *) *state)->fd;
        _cleanup_json_ json_t *json = json_pack("{s:s, s:I}", "z", "\xc3\xa4\n\"", "a", (json_int_t) INT64_MIN), *again = NULL;
        _cleanup_free_ char *text = NULL;

        assert_int_equal(json_save_at(fd, "x.json", json, 0640, 0, NULL), 0);
        assert_int_equal(file_read_at(fd, "x.json", 1000, &text, NULL, NULL), 0);
        assert_string_equal(text, "{\"z\":\"\xc3\xa4\\n\\\"\",\"a\":-9223372036854775808}\n"); /* keys in the order they were set */
        assert_int_equal(json_load_at(fd, "x.json", 1000, &again, NULL), 0);
        assert_true(json_equal(json, again));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(errors_name_line_and_column),
                cmocka_unit_test(duplicate_keys_are_refused),
                cmocka_unit_test(what_is_not_json_is_refused),
                cmocka_unit_test(a_nul_byte_is_refused_wherever_it_stands),
                cmocka_unit_test(deep_nesting_is_refused_cheaply),
                cmocka_unit_test(many_small_values_are_refused_before_they_cost_memory),
                cmocka_unit_test(commas_within_strings_are_no_values),
                cmocka_unit_test(the_quick_reader_agrees_with_jansson),
                cmocka_unit_test(the_quick_reader_has_its_bounds),
                cmocka_unit_test(keys_are_found_on_their_line),
                cmocka_unit_test(keys_that_are_not_there_have_no_line),
                cmocka_unit_test(elements_of_arrays_are_found_on_their_line),
                cmocka_unit_test(broken_text_only_yields_some_line),
                cmocka_unit_test(fields_of_a_wrong_type_are_named),
                scratch_test(what_is_saved_loads_again),
        };

        return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
