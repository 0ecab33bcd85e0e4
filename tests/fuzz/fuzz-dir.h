#pragma once

/* A directory for targets whose input has to be a file; made once, one for each process, and removed at its end. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "fuzz.h"

static char fuzz_dir_path[] = "/dev/shm/lxcri-fuzz.XXXXXX";
static int fuzz_dir_fd = -EBADF;

static void fuzz_dir_remove(void) {
        for (const char *const *name = (const char *const[]) { "config.json", "etc/passwd", "etc/group", "profile", NULL }; *name; name++)
                (void) unlinkat(fuzz_dir_fd, *name, 0);
        (void) unlinkat(fuzz_dir_fd, "etc", AT_REMOVEDIR);
        (void) rmdir(fuzz_dir_path);
}

/** fuzz_dir() - the directory, which has an empty etc/ */
static inline int fuzz_dir(void) {
        if (fuzz_dir_fd >= 0)
                return fuzz_dir_fd;
        CHECK(mkdtemp(fuzz_dir_path));
        fuzz_dir_fd = open(fuzz_dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(fuzz_dir_fd >= 0 && mkdirat(fuzz_dir_fd, "etc", 0755) == 0);
        atexit(fuzz_dir_remove);
        return fuzz_dir_fd;
}

/** fuzz_dir_put() - give a file of it these contents */
static inline void fuzz_dir_put(const char *name, const void *data, size_t size) {
        int fd = openat(fuzz_dir(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        CHECK(fd >= 0 && write(fd, data, size) == (ssize_t) size);
        close(fd);
}

/** fuzz_count_names() - how many entries an open directory has */
static inline size_t fuzz_count_names(int dir_fd) {
        _cleanup_closedir_ DIR *dir = NULL;
        size_t n = 0;

        CHECK(dir_read(dir_fd, &dir, NULL) == 0);
        while (dir_next(dir))
                n++;
        return n;
}
