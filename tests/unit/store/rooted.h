#pragma once

/* A container over layers of the fixture's store, as the storage drivers see it. */

#include "fixture.h"
#include "store/driver.h"

typedef struct Rooted {
        Fixture *f;
        const Driver *driver;
        DriverRoot root;
        Digest chain_ids[512];
        char path[160];
} Rooted;

/** rooted_open() - a container over layers 1 … @n */
void rooted_open(Rooted *r, Fixture *f, const char *driver, unsigned n);

/** rooted_up() - prepare and mount; rooted_down() - undo both, and remove the container */
void rooted_up(Rooted *r);
void rooted_down(Rooted *r);

/** rooted_rootfs() - the root, as a descriptor */
int rooted_rootfs(const Rooted *r);

/** subdir() - makes a directory and opens it */
int subdir(int dir_fd, const char *name);
bool exists(int dir_fd, const char *name);
