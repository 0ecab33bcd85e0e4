#pragma once

/* Containers' cgroups for tests, on the hierarchies this machine has; who may make none skips. */

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "runtime/cgroup-create.h"
#include "runtime/cgroup.h"

/* JSON with ' in place of " */
static inline json_t *fixture_json(const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        Error err = ERROR_INIT;
        json_t *json;

        for (char *c = copy; *c; c++)
                *c = *c == '\'' ? '"' : *c;
        if (json_parse(copy, strlen(copy), "test", &json, &err) < 0)
                fail_msg("%s: %s", text, err.text);
        return json;
}

static inline int plan_cgroup(const CgroupRequest *request, char ***ret, Error *err) {
        _cleanup_(cgroup_layout_freep) CgroupLayout *layout = NULL;

        return cgroup_layout_new(request, &layout, err) < 0 ? -1 : cgroup_plan(layout, ret, err);
}

static inline int create_cgroup(const CgroupRequest *request, Cgroup **ret, Error *err) {
        _cleanup_(cgroup_layout_freep) CgroupLayout *layout = NULL;

        return cgroup_layout_new(request, &layout, err) < 0 ? -1 : cgroup_create(request, layout, ret, err);
}

/* Whether this machine lets us make cgroups at all. */
static inline bool fixture_works(void) {
        const CgroupRequest request = { .id = "lxcri-unit-probe" };
        Cgroup *cgroup;
        bool works;

        if (geteuid() != 0 || create_cgroup(&request, &cgroup, NULL) < 0)
                return false;
        works = cgroup->directories[0];
        (void) cgroup_remove_all(cgroup->directories, 5000, NULL);
        cgroup_free(cgroup);
        return works;
}

static inline Cgroup *fixture_create(const CgroupRequest *request) {
        Error err = ERROR_INIT;
        Cgroup *cgroup;

        if (create_cgroup(request, &cgroup, &err) < 0)
                fail_msg("%s (%s)", err.text, err.hint);
        return cgroup;
}

static inline void fixture_remove(Cgroup *cgroup) {
        Error err = ERROR_INIT;

        if (cgroup_remove_all(cgroup->directories, 10000, &err) < 0)
                fail_msg("%s", err.text);
        for (char **d = cgroup->directories; *d; d++)
                assert_int_equal(access(*d, F_OK), -1);
        cgroup_free(cgroup);
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
}

/* The directory that has @file; NULL. */
static inline const char *fixture_with(const Cgroup *cgroup, const char *file) {
        for (char **d = cgroup->directories; *d; d++) {
                char path[PATH_MAX];

                (void) snprintf(path, sizeof(path), "%s/%s", *d, file);
                if (access(path, F_OK) == 0)
                        return *d;
        }
        return NULL;
}

/* First line of a file of the container's cgroups; "" when no directory has it. */
static inline const char *fixture_read(const Cgroup *cgroup, const char *file) {
        static char text[4096];
        const char *directory = fixture_with(cgroup, file);
        char path[PATH_MAX];
        _cleanup_close_ int fd = -EBADF;
        ssize_t n;

        text[0] = '\0';
        if (!directory)
                return text;
        (void) snprintf(path, sizeof(path), "%s/%s", directory, file);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = read(fd, text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        return text;
}

/* Starts a process inside as a launcher does, into v2 by clone3() and into v1 by itself; it runs @run and exits with what that returns. */
static inline pid_t fixture_enter(const Cgroup *cgroup, int (*run)(void *), void *userdata) {
        struct clone_args args = { .exit_signal = SIGCHLD };
        pid_t pid;

        if (cgroup->v2_fd >= 0) {
                args.flags = CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t) cgroup->v2_fd;
        }
        pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
        if (pid < 0)
                fail_msg("clone3: %m");
        if (pid == 0) {
                for (size_t i = 0; i < cgroup->n_tasks; i++)
                        if (write(cgroup->tasks_fds[i], "0", 1) != 1)
                                _exit(99);
                _exit(run(userdata));
        }
        return pid;
}

static inline int fixture_run(const Cgroup *cgroup, int (*run)(void *), void *userdata) {
        pid_t pid = fixture_enter(cgroup, run, userdata);
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline int fixture_sleep(void *userdata) {
        return pause();
}

static inline int fixture_nothing(void *userdata) {
        return 0;
}

#define needs_cgroups()       \
        if (!fixture_works()) \
        skip()
