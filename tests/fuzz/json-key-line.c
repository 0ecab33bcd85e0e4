/*
 * What the quick reader takes is what jansson makes of it, in the same order.
 * Lines of keys: any text is survived; in valid JSON every key and element of the outer two levels is found, in order of the lines.
 */

#include <stdio.h>

#include "base/json-quick.h"
#include "base/json.h"
#include "fuzz.h"

/* Checks that everything directly in @value is found below @path (of @depth elements), and goes one level deeper. */
static void check_inside(const char *text, const json_t *value, const char **path, size_t depth, unsigned n_lines) {
        const char *key;
        json_t *inner;
        size_t i;

        if (depth == 2)
                return;
        path[depth + 1] = NULL;
        json_object_foreach((json_t *) value, key, inner) {
                unsigned line;

                path[depth] = key;
                path[depth + 1] = NULL;
                line = json_key_line(text, path);
                CHECK(line >= 1 && line <= n_lines);
                check_inside(text, inner, path, depth + 1, n_lines);
        }
        json_array_foreach(value, i, inner) {
                char index[32];
                unsigned line;

                snprintf(index, sizeof(index), "[%zu]", i);
                path[depth] = index;
                path[depth + 1] = NULL;
                line = json_key_line(text, path);
                CHECK(line >= 1 && line <= n_lines);
                check_inside(text, inner, path, depth + 1, n_lines);
        }
}

static void check_quick(const uint8_t *data, size_t size, bool any) {
        _cleanup_json_ json_t *quick = json_parse_quick((const char *) data, size, any, 1000), *json = NULL;
        _cleanup_free_ char *a = NULL, *b = NULL;

        if (!quick)
                return;
        json = json_loadb((const char *) data, size, JSON_REJECT_DUPLICATES | (any ? JSON_DECODE_ANY : 0u), NULL);
        CHECK(json && json_equal(json, quick));
        a = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
        b = json_dumps(quick, JSON_COMPACT | JSON_ENCODE_ANY);
        CHECK(a && b && !strcmp(a, b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);
        _cleanup_json_ json_t *json = NULL;
        const char *path[4] = {};
        unsigned n_lines = 1;

        check_quick(data, size, false);
        check_quick(data, size, true);
        (void) json_key_line(text, (const char *[]) { "a", NULL });
        (void) json_key_line(text, (const char *[]) { "[1]", "a", "[0]", NULL });
        if (json_parse(text, strlen(text), "fuzz", &json, NULL) < 0)
                return 0;
        for (const char *p = text; *p; p++)
                n_lines += *p == '\n';
        check_inside(text, json, path, 0, n_lines);
        return 0;
}
