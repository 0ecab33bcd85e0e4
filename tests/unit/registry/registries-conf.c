#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "registry/registries-conf.h"

static void parse(const char *text, RegistriesConf *conf) {
        Error err = ERROR_INIT;

        if (registries_conf_parse(text, strlen(text), "x.conf", conf, &err) < 0)
                fail_msg("%s", err.text);
}

/* The names that a text may mean, joined by blanks; free() */
static char *names(const RegistriesConf *conf, const char *text) {
        _cleanup_buf_ Buf all = BUF_INIT(4096);
        _cleanup_strv_ char **list = NULL;

        if (registries_conf_names(conf, text, &list, NULL) < 0)
                return strdup("refused");
        for (char **name = list; *name; name++)
                assert_int_equal(buf_printf(&all, NULL, "%s%s", all.len ? " " : "", *name), 0);
        return strdup(all.data);
}

/* The places of an image, an insecure one with '!', a mirror with '~'; free() */
static char *places(const RegistriesConf *conf, const char *text, bool push) {
        _cleanup_(reference_freep) Reference *name = NULL;
        _cleanup_(places_clear) Places list = { 0 };
        _cleanup_buf_ Buf all = BUF_INIT(4096);

        assert_int_equal(reference_parse(text, &name, NULL), 0);
        if (registries_conf_places(conf, name, push, &list, NULL) < 0)
                return strdup("refused");
        for (size_t i = 0; i < list.n; i++) {
                _cleanup_free_ char *full = NULL;

                assert_int_equal(reference_format(list.items[i].name, &full, NULL), 0);
                assert_int_equal(buf_printf(&all, NULL, "%s%s%s%s", all.len ? " " : "", full, list.items[i].insecure ? "!" : "",
                                            list.items[i].mirror ? "~" : ""), 0);
        }
        return strdup(all.data);
}

#define IS(call, wanted)                                        \
        do {                                                    \
                _cleanup_free_ char *got = (call);              \
                if (strcmp(got, wanted))                        \
                        fail_msg("'%s', not '%s'", got, wanted); \
        } while (0)

static void short_names_mean_what_the_file_says(void **state) {
        _cleanup_(registries_conf_clear) RegistriesConf conf = { 0 };

        IS(names(&conf, "redis"), "docker.io/library/redis:latest");
        parse("unqualified-search-registries = ['a.test', \"docker.io\"]\n[aliases]\nnginx = 'q.test/web/nginx'\n", &conf);
        IS(names(&conf, "redis:7"), "a.test/redis:7 docker.io/library/redis:7");
        IS(names(&conf, "nginx:1"), "q.test/web/nginx:1");
        IS(names(&conf, "b.test/nginx"), "b.test/nginx:latest");
        IS(names(&conf, "localhost/nginx"), "localhost/nginx:latest");
        IS(names(&conf, "team/app"), "a.test/team/app:latest docker.io/team/app:latest");
        IS(names(&conf, "Redis"), "refused");
        /* a later file takes back, and replaces */
        parse("unqualified-search-registries = []\n[aliases]\nnginx = ''\n", &conf);
        IS(names(&conf, "nginx"), "docker.io/library/nginx:latest");
        parse("unqualified-search-registries = ['a.test', 'b.test']\nshort-name-mode = 'enforcing'\n", &conf);
        IS(names(&conf, "redis"), "refused");
}

static void the_longest_prefix_rewrites(void **state) {
        static const char digest[] = "x.test/a@sha256:0000000000000000000000000000000000000000000000000000000000000000";
        _cleanup_(registries_conf_clear) RegistriesConf conf = { 0 };
        _cleanup_free_ char *at = NULL;

        parse("[[registry]]\nprefix = 'x.test'\nlocation = 'y.test:5000/copy'\ninsecure = true\n"
              "[[registry.mirror]]\nlocation = 'm.test'\npull-from-mirror = 'digest-only'\n"
              "[[registry.mirror]]\nlocation = 'n.test/deep/'\ninsecure = true\n"
              "[[registry]]\nlocation = 'x.test/secret'\nblocked = true\n"
              "[[registry]]\nprefix = '*.wild.test'\ninsecure = true\n"
              "[[registry]]\nlocation = 'docker.io'\n[[registry.mirror]]\nlocation = 'hub.test'\n", &conf);
        IS(places(&conf, "x.test/a:1", false), "n.test/deep/a:1!~ y.test:5000/copy/a:1!");
        IS(places(&conf, "x.test/a:1", true), "y.test:5000/copy/a:1!");
        assert_int_equal(string_format(&at, NULL, "m.test/a%s~ n.test/deep/a%s!~ y.test:5000/copy/a%s!", digest + 8, digest + 8,
                                       digest + 8), 0);
        IS(places(&conf, digest, false), at);
        IS(places(&conf, "x.test/secret/a", false), "refused");
        IS(places(&conf, "x.test/secrets/a:1", true), "y.test:5000/copy/secrets/a:1!");
        IS(places(&conf, "x.test:1/a", false), "x.test:1/a:latest");
        IS(places(&conf, "a.b.wild.test/x", false), "a.b.wild.test/x:latest!");
        IS(places(&conf, "wild.test/x", false), "wild.test/x:latest");
        IS(places(&conf, "redis", false), "hub.test/library/redis:latest~ docker.io/library/redis:latest");
}

static void wrong_files_are_refused(void **state) {
        static const char *const wrong[] = {
                "x = 1", "unqualified-search-registries = 'a'", "unqualified-search-registries = [1]", "[[registry]]\n",
                "[[registry]]\nprefix = 'a'\n", "[[registry]]\nlocation = 'https://a'\n", "[[registry]]\nlocation = 'a'\ninsecure = 'no'\n",
                "[[registry]]\nlocation = 'a'\nunknown = 1\n", "[[registry]]\nlocation = 'a'\n[[registry.mirror]]\n",
                "[[registry]]\nprefix = 'a*.b'\nlocation = 'c'\n", "[aliases]\na = 'b'\n", "[aliases]\na = 1\n", "short-name-mode = 'x'\n",
                "[[registry]]\nlocation = 'a'\n[[registry.mirror]]\nlocation = 'b'\npull-from-mirror = 'x'\n",
                "registry = 1", "[registry]\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                _cleanup_(registries_conf_clear) RegistriesConf conf = { 0 };
                Error err = ERROR_INIT;

                if (registries_conf_parse(wrong[i], strlen(wrong[i]), "x.conf", &conf, &err) == 0)
                        fail_msg("taken: %s", wrong[i]);
                assert_int_equal(err.kind, ERROR_INVALID_CONFIG);
                assert_non_null(strstr(err.text, "x.conf"));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(short_names_mean_what_the_file_says),
                cmocka_unit_test(the_longest_prefix_rewrites),
                cmocka_unit_test(wrong_files_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
