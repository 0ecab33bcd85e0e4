/* The choice of a runtime: every source, and which of two wins. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "lifecycle/lifecycle.h"

typedef struct Case {
        const char *what;
        const char *option, *program, *annotation; /* NULL: not given */
        const char *id, *image;
        const char *default_runtime;
        const char *runtime; /* NULL: refused */
        const char *why;     /* part of the reason, or of the error */
} Case;

static const Case cases[] = {
        { "the default", .id = "a", .default_runtime = "runc", .runtime = "runc", .why = "default_runtime" },
        { "an option beats all", .option = "crun", .program = "proxmox-lxcri-runc", .annotation = "runc", .id = "oci-a",
          .default_runtime = "runc", .runtime = "crun", .why = "--runtime" },
        { "the program's name beats the annotation", .program = "proxmox-lxcri-runc", .annotation = "crun", .id = "crun-a",
          .default_runtime = "crun", .runtime = "runc", .why = "proxmox-lxcri-runc" },
        { "the bare program's name says nothing", .program = "proxmox-lxcri", .id = "a", .default_runtime = "runc", .runtime = "runc",
          .why = "default" },
        { "the annotation beats the rules", .annotation = "runc", .id = "crun-a", .default_runtime = "crun", .runtime = "runc",
          .why = "annotation" },
        { "a rule by id beats the default", .id = "crun-a", .default_runtime = "runc", .runtime = "crun", .why = "rule 1: id crun-*" },
        { "the first rule that matches wins", .id = "crun-a", .image = "redis", .default_runtime = "runc", .runtime = "crun",
          .why = "rule 1" },
        { "a rule by image matches the full name", .id = "a", .image = "redis:7", .default_runtime = "crun", .runtime = "runc",
          .why = "rule 2: image docker.io/library/redis:*" },
        { "a rule by image needs an image", .id = "a", .default_runtime = "crun", .runtime = "crun", .why = "default" },
        { "a rule with both needs both", .id = "both-a", .image = "nginx", .default_runtime = "crun", .runtime = "runc", .why = "rule 3" },
        { "a rule with both is no rule for one", .id = "both-a", .image = "apache", .default_runtime = "crun", .runtime = "crun",
          .why = "default" },
        { "an unknown option is refused", .option = "nothing", .id = "a", .default_runtime = "crun", .why = "--runtime" },
        { "an unknown name of the program is refused", .program = "proxmox-lxcri-nothing", .id = "a", .default_runtime = "crun",
          .why = "proxmox-lxcri-nothing" },
        { "an unknown annotation is refused", .annotation = "nothing", .id = "a", .default_runtime = "crun", .why = "annotation" },
};

static void chooses_by_the_table(void **state) {
        RuntimeRule rules[] = {
                { .id = (char *) "crun-*", .runtime = (char *) "crun" },
                { .image = (char *) "docker.io/library/redis:*", .runtime = (char *) "runc" },
                { .id = (char *) "both-*", .image = (char *) "nginx", .runtime = (char *) "runc" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const Case *c = &cases[i];
                Config config = { .rules = rules, .n_rules = ARRAY_SIZE(rules), .default_runtime = (char *) c->default_runtime };
                Lifecycle lifecycle = { .config = &config, .runtime = c->option, .program_name = c->program };
                json_t *annotations = c->annotation ? json_pack("{s:s}", "org.proxmox-lxcri.runtime", c->annotation) : NULL;
                _cleanup_free_ char *why = NULL;
                const Backend *backend = NULL;
                Error err = ERROR_INIT;
                int r;

                r = lifecycle_route(&lifecycle, c->id, c->image, annotations, &backend, &why, &err);
                json_decref(annotations);
                if (r < 0 ? c->runtime || err.kind != ERROR_INVALID_ARGUMENT || !strstr(err.text, c->why)
                          : !c->runtime || strcmp(backend->name, c->runtime) || !strstr(why, c->why))
                        fail_msg("%s: %s, because of '%s' '%s'", c->what, backend ? backend->name : "refused", why ?: "", err.text);
        }
}

/* auto asks each in turn, and says of each why it is not the one. */
static void auto_takes_the_first_that_is_available(void **state) {
        json_t *nowhere = json_pack("{s:{s:s}, s:{s:s}}", "crun", "path", "/nowhere/crun", "runc", "path", "/nowhere/runc");
        Config config = { .default_runtime = (char *) "auto", .runtimes = nowhere };
        Lifecycle lifecycle = { .config = &config };
        const Backend *backend;
        Error err = ERROR_INIT;

        assert_int_equal(lifecycle_route(&lifecycle, "a", NULL, NULL, &backend, NULL, &err), -1);
        assert_int_equal(err.kind, ERROR_RUNTIME_NOT_AVAILABLE);
        assert_non_null(strstr(err.text, "crun: "));
        assert_non_null(strstr(err.text, "runc: "));
        assert_true(err.hint[0]);
        json_decref(nowhere);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(chooses_by_the_table),
                cmocka_unit_test(auto_takes_the_first_that_is_available),
        };

        return cmocka_run_group_tests_name("lifecycle/route", tests, NULL, NULL);
}
