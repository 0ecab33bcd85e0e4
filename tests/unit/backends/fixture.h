#pragma once

/* A bundle with a busybox root, and a container of it for one backend. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "backends/backend.h"
#include "scratch.h"

typedef struct Fixture {
        const Backend *backend;
        bool available; /* whether the backend can be used here */
        Scratch *scratch;
        char id[48], bundle[96], runtime_dir[96];
        BackendContainer container;
        BackendCreate create;
        State state; /* filled by fixture_create() */
} Fixture;

/** fixture_set_up() - *state is the backend's name before, a Fixture after */
int fixture_set_up(void **state);

/** fixture_tear_down() - fails when a cgroup of the container is left in any hierarchy */
int fixture_tear_down(void **state);

/** fixture_bundle() - write config.json for a shell command; @linux_members: more members of "linux", or "" */
void fixture_bundle(Fixture *fixture, const char *shell, const char *process_members, const char *linux_members);

/** fixture_create() - create the container and fill the state */
void fixture_create(Fixture *fixture);

/** fixture_wait_init() - reap the init, whose subreaper the test is; its exit code */
int fixture_wait_init(Fixture *fixture);

/** fixture_fork() - fork(), and the child dies with the test */
pid_t fixture_fork(void);

/** fixture_file() - a path of the container's root */
const char *fixture_file(Fixture *fixture, const char *name, char ret[160]);

/** fixture_wait_file() - until a file of the container's root exists (5 s at most) */
void fixture_wait_file(Fixture *fixture, const char *name);

/** fixture_count_cgroups() - directories named like the container below any cgroup mount */
unsigned fixture_count_cgroups(const char *id);

/** fixture_skip_unless_available() - crun needs with-cgroups on a hybrid host */
#define fixture_skip_unless_available(f) \
        do {                             \
                if (!(f)->available)     \
                        skip();          \
        } while (0)

#define backend_test(name, runtime) \
        { #name " (" runtime ")", name, fixture_set_up, fixture_tear_down, (void *) runtime }
#define backend_tests(name) backend_test(name, "crun"), backend_test(name, "runc")

/** assert_ok() - show the error of a function that should have succeeded */
#define assert_ok(expression, err)                                                        \
        do {                                                                              \
                if ((expression) < 0)                                                     \
                        fail_msg("%s: %s (%s)", #expression, (err)->text, (err)->hint);   \
        } while (0)
