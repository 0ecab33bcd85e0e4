#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

static int setup(void **state, bool in_memory) {
        Fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        snprintf(f->directory, sizeof(f->directory), "%s/test-store.XXXXXX", getenv("TMPDIR") ?: "/tmp");
        assert_non_null(mkdtemp(f->directory));
        if (in_memory)
                assert_int_equal(mount("tmpfs", f->directory, "tmpfs", 0, NULL), 0);
        f->in_memory = in_memory;
        snprintf(f->path, sizeof(f->path), "%s/store", f->directory);
        assert_ok(store_open(f->path, STORE_CREATE, &f->store, &f->err), &f->err);
        *state = f;
        return 0;
}

int fixture_setup(void **state) {
        return setup(state, false);
}

int fixture_setup_in_memory(void **state) {
        return setup(state, true);
}

int fixture_teardown(void **state) {
        _cleanup_close_ int tmp = -EBADF;
        Fixture *f = *state;

        store_close(f->store);
        if (f->in_memory)
                assert_int_equal(umount2(f->directory, UMOUNT_NOFOLLOW), 0);
        tmp = open(getenv("TMPDIR") ?: "/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_ok(dir_remove_tree_at(tmp, strrchr(f->directory, '/') + 1, &f->err), &f->err);
        free(f);
        return 0;
}

Digest fixture_digest(unsigned n) {
        char hex[65];
        Digest digest;

        snprintf(hex, sizeof(hex), "%064x", n);
        digest_from_hex(hex, &digest);
        return digest;
}

Descriptor fixture_descriptor(unsigned n) {
        return (Descriptor) { .type = MEDIA_MANIFEST, .digest = fixture_digest(n), .size = n };
}

int fixture_layer(Fixture *f, unsigned n) {
        Digest chain_id = fixture_digest(n);
        char path[80];
        int fd;

        snprintf(path, sizeof(path), "%s/diff", digest_hex(&chain_id));
        assert_ok(dir_make_at(store_layers_fd(f->store), path, 0755, &fd, &f->err), &f->err);
        return fd;
}

void fixture_put(int dir_fd, const char *name, const char *text) {
        _cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

const char *fixture_read(int dir_fd, const char *name) {
        static char text[4096];
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return NULL;
        n = read(fd, text, sizeof(text) - 1);
        assert_true(n >= 0);
        text[n] = '\0';
        return text;
}

int fixture_shell(const char *fmt, ...) {
        char command[4096];
        va_list ap;
        int status;

        va_start(ap, fmt);
        vsnprintf(command, sizeof(command), fmt, ap);
        va_end(ap);
        status = system(command);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
