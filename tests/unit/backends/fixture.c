/* Bundles and containers for the tests of the backends. */

#include "fixture.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "runtime/cgroup.h"

#define TEST_TIMEOUT_S 60 /* for one test */

static const char *const applets[] = { "sh", "sleep", "cat", "echo",     "true", "id",  "env",  "pwd",
                                       "ls", "stty",  "tty", "readlink", "dd",   "yes", "kill", "head" };

static void copy_busybox(const char *to) {
        _cleanup_close_ int in = open("/bin/busybox", O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
        char buffer[65536];
        ssize_t n;

        assert_true(in >= 0 && out >= 0);
        while ((n = read(in, buffer, sizeof(buffer))) > 0)
                assert_int_equal(fd_write_all(out, buffer, (size_t) n, NULL), 0);
}

int fixture_set_up(void **state) {
        Fixture *fixture = calloc(1, sizeof(*fixture));
        Error err = ERROR_INIT;
        void *scratch;
        char path[160];

        assert_int_equal(backend_find(*state, &fixture->backend, &err), 0);
        assert_int_equal(scratch_set_up(&scratch), 0);
        fixture->scratch = scratch;
        fixture->available = fixture->backend->probe(fixture->backend, NULL, &err) == 0;
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        alarm(TEST_TIMEOUT_S);

        snprintf(fixture->id, sizeof(fixture->id), "lxcri-unit-%s-%d", fixture->backend->name, (int) getpid());
        snprintf(fixture->bundle, sizeof(fixture->bundle), "%s/bundle", fixture->scratch->path);
        snprintf(fixture->runtime_dir, sizeof(fixture->runtime_dir), "%s/runtime", fixture->scratch->path);
        static const char *const directories[] = {
                "runtime", "bundle", "bundle/rootfs", "bundle/rootfs/bin", "bundle/rootfs/proc", "bundle/rootfs/dev", "bundle/rootfs/tmp"
        };
        for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
                assert_int_equal(mkdirat(fixture->scratch->fd, directories[i], 0755), 0);
        copy_busybox(fixture_file(fixture, "bin/busybox", path));
        for (size_t i = 0; i < ARRAY_SIZE(applets); i++) {
                char name[32];

                snprintf(name, sizeof(name), "bin/%s", applets[i]);
                assert_int_equal(symlink("busybox", fixture_file(fixture, name, path)), 0);
        }
        fixture->container = (BackendContainer) {
                .backend = fixture->backend,
                .id = fixture->id,
                .bundle = fixture->bundle,
                .config_dir = fixture->bundle,
                .runtime_dir = fixture->runtime_dir,
        };
        fixture->create = (BackendCreate) { .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
        *state = fixture;
        return 0;
}

int fixture_tear_down(void **state) {
        Fixture *fixture = *state;
        void *scratch = fixture->scratch;
        Error err = ERROR_INIT;
        unsigned left;
        int r;

        /* A test that failed may have left its container. */
        if (fixture->available && fixture->backend->delete (&fixture->container, true, &err) < 0)
                fprintf(stderr, "delete: %s\n", err.text);
        left = fixture_count_cgroups(fixture->id);
        if (left > 0)
                fprintf(stderr, "%u cgroups of '%s' are left\n", left, fixture->id);
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
        strv_free(fixture->state.cgroups);
        r = scratch_tear_down(&scratch);
        free(fixture);
        return left > 0 ? -1 : r;
}

pid_t fixture_fork(void) {
        pid_t pid = fork();

        if (pid == 0)
                prctl(PR_SET_PDEATHSIG, SIGKILL);
        return pid;
}

const char *fixture_file(Fixture *fixture, const char *name, char ret[160]) {
        snprintf(ret, 160, "%s/rootfs/%s", fixture->bundle, name);
        return ret;
}

void fixture_bundle(Fixture *fixture, const char *shell, const char *process_members, const char *linux_members) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *text = NULL;

        assert_true(asprintf(&text,
                             "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/"
                             "\",\"user\":{\"uid\":0,\"gid\":0},\"env\":[\"PATH=/bin\"],\"args\":[\"/bin/"
                             "sh\",\"-c\",\"%s\"]%s},\"mounts\":[{\"destination\":\"/"
                             "proc\",\"type\":\"proc\",\"source\":\"proc\"},{\"destination\":\"/"
                             "dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\",\"size=65536k\"]},{"
                             "\"destination\":\"/dev/"
                             "pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"newinstance\",\"ptmxmode=0666\"]}],\"linux\":{"
                             "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":"
                             "\"network\"}]%s}}",
                             shell, process_members, linux_members) > 0);
        assert_int_equal(dir_open_at(AT_FDCWD, fixture->bundle, &fd, NULL), 0);
        assert_int_equal(file_write_atomic_at(fd, "config.json", text, strlen(text), 0644, 0, NULL), 0);
}

void fixture_create(Fixture *fixture) {
        Error err = ERROR_INIT;
        pid_t init = 0;

        assert_ok(fixture->backend->create(&fixture->container, &fixture->create, &init, &err), &err);
        assert_ok(process_ref(init, &fixture->state.init, &err), &err);
        assert_ok(cgroup_of_process(init, &fixture->state.cgroups, &err), &err);
}

int fixture_wait_init(Fixture *fixture) {
        int status = 0;
        pid_t pid;

        /* Whatever else crun's exec left to us is reaped too: until then the init of its pid namespace does not end. */
        do
                pid = waitpid(-1, &status, 0);
        while (pid > 0 && pid != fixture->state.init.pid);
        assert_int_equal(pid, fixture->state.init.pid);
        return exit_code_of(status);
}

void fixture_wait_file(Fixture *fixture, const char *name) {
        char path[160];

        fixture_file(fixture, name, path);
        for (int i = 0; i < 500 && access(path, F_OK) < 0; i++)
                nanosleep(&(struct timespec) { .tv_nsec = 10000000 }, NULL);
        assert_int_equal(access(path, F_OK), 0);
}

static const char *wanted;
static unsigned found;

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        if (type == FTW_D && strstr(path + ftw->base, wanted))
                found++;
        return 0;
}

unsigned fixture_count_cgroups(const char *id) {
        wanted = id;
        found = 0;
        nftw("/sys/fs/cgroup", visit, 16, FTW_PHYS);
        return found;
}
