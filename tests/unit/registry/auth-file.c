#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "registry/credentials.h"

/* What a file knows of an image, as "USER:PASSWORD", "token TOKEN", "helper NAME SERVER" or ""; free() */
static char *ask(const char *file, const char *image) {
        _cleanup_(reference_freep) Reference *name = NULL;
        _cleanup_(credentials_clear) Credentials found = { 0 };
        _cleanup_free_ char *helper = NULL, *server = NULL;
        _cleanup_json_ json_t *json = NULL;
        char *text = NULL;

        assert_int_equal(reference_parse(image, &name, NULL), 0);
        if (auth_file_parse(file, strlen(file), "auth.json", &json, NULL) < 0 ||
            auth_file_find(json, name, &found, &helper, &server, NULL) < 0)
                return strdup("refused");
        if (helper)
                assert_int_equal(string_format(&text, NULL, "helper %s %s", helper, server), 0);
        else if (found.identity_token)
                assert_int_equal(string_format(&text, NULL, "token %s", found.identity_token), 0);
        else if (found.user)
                assert_int_equal(string_format(&text, NULL, "%s:%s", found.user, found.password), 0);
        return text ?: strdup("");
}

static void the_most_specific_key_answers(void **state) {
        static const char file[] = "{\"auths\": {\"r.test\": {\"auth\": \"YTox\"}, \"r.test/team\": {\"auth\": \"Yjoy\"}, "
                                   "\"r.test/team/app\": {\"auth\": \"Yzo6Mw==\"}, \"r.test:5000\": {}, "
                                   "\"https://index.docker.io/v1/\": {\"auth\": \"ZDo0\"}, \"t.test\": {\"identitytoken\": \"tok\"}}}";
        static const struct {
                const char *image, *wanted;
        } rows[] = {
                { "r.test/x", "a:1" },        { "r.test/team/x", "b:2" }, { "r.test/team/app:1", "c::3" }, { "r.test/teams/x", "a:1" },
                { "r.test:5000/x", "" },      { "redis", "d:4" },         { "docker.io/a/b", "d:4" },      { "t.test/x", "token tok" },
                { "other.test/x", "" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *got = ask(file, rows[i].image);

                if (strcmp(got, rows[i].wanted))
                        fail_msg("%s: '%s', not '%s'", rows[i].image, got, rows[i].wanted);
        }
}

static void helpers_are_named(void **state) {
        static const char file[] = "{\"credsStore\": \"all\", \"credHelpers\": {\"r.test\": \"one\"}, "
                                   "\"auths\": {\"s.test\": {\"auth\": \"YTox\"}}}";
        _cleanup_free_ char *own = ask(file, "r.test/x"), *plain = ask(file, "s.test/x");
        _cleanup_free_ char *hub = ask(file, "redis"), *other = ask(file, "o.test/x");

        assert_string_equal(own, "helper one r.test");
        assert_string_equal(plain, "a:1");
        assert_string_equal(hub, "helper all https://index.docker.io/v1/");
        assert_string_equal(other, "helper all o.test");
}

static void wrong_files_are_refused(void **state) {
        static const char *const wrong[] = { "[]", "{", "{\"auths\": []}", "{\"auths\": {\"r.test\": 1}}",
                                             "{\"auths\": {\"r.test\": {\"auth\": 1}}}",
                                             "{\"auths\": {\"r.test\": {\"auth\": \"!!\"}}}",
                                             "{\"auths\": {\"r.test\": {\"auth\": \"YQ==\"}}}",
                                             "{\"credHelpers\": {\"r.test\": 1}}", "{\"credsStore\": 1}" };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                _cleanup_free_ char *got = ask(wrong[i], "r.test/x");

                if (strcmp(got, "refused"))
                        fail_msg("%s: '%s'", wrong[i], got);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_most_specific_key_answers),
                cmocka_unit_test(helpers_are_named),
                cmocka_unit_test(wrong_files_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
