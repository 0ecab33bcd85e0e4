#pragma once

/* A fresh directory for each test, removed afterwards: cmocka_unit_test_setup_teardown(test, scratch_set_up, scratch_tear_down) */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"

typedef struct Scratch {
        int parent; /* /tmp */
        int fd;
        char path[64];
} Scratch;

static inline int scratch_set_up(void **state) {
        Scratch *scratch = calloc(1, sizeof(*scratch));

        strcpy(scratch->path, "/tmp/lxcri-unit-XXXXXX");
        scratch->parent = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (!mkdtemp(scratch->path) || dir_open_at(AT_FDCWD, scratch->path, &scratch->fd, NULL) < 0)
                return -1;
        *state = scratch;
        return 0;
}

static inline int scratch_tear_down(void **state) {
        Scratch *scratch = *state;
        Error err = ERROR_INIT;
        int r = dir_remove_tree_at(scratch->parent, strrchr(scratch->path, '/') + 1, &err);

        if (r < 0)
                fprintf(stderr, "remove '%s': %s\n", scratch->path, err.text);
        close_keep_errno(scratch->fd);
        close_keep_errno(scratch->parent);
        free(scratch);
        return r;
}

#define scratch_test(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)
