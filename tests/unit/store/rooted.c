/* See rooted.h. */

#include "rooted.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/container.h"

void rooted_open(Rooted *r, Fixture *f, const char *driver, unsigned n) {
        ContainerRecord record = {
                .id = (char *) "c",
                .root = (char *) "/run/x",
                .image_name = (char *) "i",
                .image = fixture_digest(1),
                .driver = (char *) driver,
                .runtime = (char *) "crun",
                .created = (char *) "2026-01-01T00:00:00Z",
                .boot_id = "b",
        };

        *r = (Rooted) { .f = f };
        snprintf(r->path, sizeof(r->path), "%s/containers/c", f->path);
        for (unsigned i = 0; i < n; i++)
                r->chain_ids[i] = fixture_digest(i + 1);
        r->root = (DriverRoot) { .store = f->store, .path = r->path, .chain_ids = r->chain_ids, .n_layers = n };
        assert_ok(container_dir_make(f->store, &record, false, &r->root.container_fd, &f->err), &f->err);
        assert_ok(driver_find(driver, &r->driver, &f->err), &f->err);
}

int rooted_rootfs(const Rooted *r) {
        int fd = openat(r->root.container_fd, "rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

void rooted_up(Rooted *r) {
        assert_ok(r->driver->prepare(&r->root, &r->f->err), &r->f->err);
        assert_ok(r->driver->mount(&r->root, &r->f->err), &r->f->err);
}

void rooted_down(Rooted *r) {
        assert_ok(r->driver->unmount(&r->root, &r->f->err), &r->f->err);
        assert_ok(r->driver->remove(&r->root, &r->f->err), &r->f->err);
        assert_ok(container_dir_remove(r->f->store, "c", &r->f->err), &r->f->err);
        close(r->root.container_fd);
}

int subdir(int dir_fd, const char *name) {
        int fd;
        Error err = ERROR_INIT;

        assert_ok(dir_make_at(dir_fd, name, 0755, &fd, &err), &err);
        return fd;
}

bool exists(int dir_fd, const char *name) {
        return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
