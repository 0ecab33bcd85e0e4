#pragma once

/* A store of its own for each test, with layers in it that are made by hand. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "store/store.h"

typedef struct Fixture {
        char directory[96]; /* temporary; holds "store" and whatever the test puts beside it */
        char path[112];     /* of the store */
        Store *store;
        bool in_memory;
        Error err;
} Fixture;

int fixture_setup(void **state);

/** fixture_setup_in_memory() - on a tmpfs: unmounting an overlay syncs the filesystem below it, with all that others have dirty there */
int fixture_setup_in_memory(void **state);
int fixture_teardown(void **state);

/** assert_ok() - a result of 0, else the error's text fails the test */
#define assert_ok(call, err)                                          \
        do {                                                          \
                if ((call) != 0)                                      \
                        fail_msg("%s: %s", #call, (err)->text);       \
        } while (0)

/** fixture_digest() - sha256:000…N */
Digest fixture_digest(unsigned n);

/** fixture_descriptor() - of a manifest with that digest */
Descriptor fixture_descriptor(unsigned n);

/** fixture_layer() - makes layers/N/diff; returns its descriptor */
int fixture_layer(Fixture *f, unsigned n);

/** fixture_put() - writes a small file below a directory */
void fixture_put(int dir_fd, const char *name, const char *text);

/** fixture_read() - a small file's text in a static buffer; NULL when it can't be opened */
const char *fixture_read(int dir_fd, const char *name);

/** fixture_shell() - runs a command line (tests only); its exit code */
int fixture_shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
