/* From the init to the user's process: everything that is the process's own, then exec. */

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "engine/init/init.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PASSWD_MAX   (1u << 20) /* bytes of /etc/passwd that are looked at */
#define ATTRIBUTE_OF_EXEC "self/attr/exec"

static int limit_failed(const Init *init, const PlanRlimit *limit, int errnum, Error *err) {
        error_set_errno(err, ERROR_RUNTIME, errnum, "%s", plan_string(init->plan, limit->place));
        return errnum == EPERM ? error_hint(err, "raising a hard limit needs CAP_SYS_RESOURCE") : -1;
}

/* Hard limits are raised while we may, the rest is set at last: what comes in between needs descriptors and memory. */
static int raise_limits(const Init *init, Error *err) {
        const PlanRlimit *limits = plan_at(init->plan, init->plan->process.rlimits.at);

        for (uint32_t i = 0; i < init->plan->process.rlimits.n; i++) {
                struct rlimit now;

                if (getrlimit((int) limits[i].resource, &now) < 0)
                        return limit_failed(init, &limits[i], errno, err);
                if (limits[i].hard <= now.rlim_max)
                        continue;
                now.rlim_max = limits[i].hard;
                if (setrlimit((int) limits[i].resource, &now) < 0)
                        return limit_failed(init, &limits[i], errno, err);
        }
        return 0;
}

static int set_limits(const Init *init, Error *err) {
        const PlanRlimit *limits = plan_at(init->plan, init->plan->process.rlimits.at);

        for (uint32_t i = 0; i < init->plan->process.rlimits.n; i++) {
                struct rlimit limit = { .rlim_cur = limits[i].soft, .rlim_max = limits[i].hard };

                if (setrlimit((int) limits[i].resource, &limit) < 0)
                        return limit_failed(init, &limits[i], errno, err);
        }
        return 0;
}

static int set_oom_score(const Init *init, Error *err) {
        _cleanup_close_ int fd = openat(init->proc, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        char text[16];
        int n = snprintf(text, sizeof(text), "%d", (int) init->plan->process.oom_score);

        if (fd < 0 || write(fd, text, (size_t) n) < 0) {
                error_set_errno(err, ERROR_RUNTIME, errno, "process.oomScoreAdj: %s", text);
                return errno == EACCES ? error_hint(err, "lowering it needs CAP_SYS_RESOURCE") : -1;
        }
        return 0;
}

int process_privileged(Init *init, Error *err) {
        if ((init->plan->process.flags & PLAN_OOM_SCORE) && set_oom_score(init, err) < 0)
                return -1;
        return raise_limits(init, err);
}

int attributes_open(Init *init, Error *err) {
        const PlanProcess *p = &init->plan->process;

        if (p->apparmor) {
                init->attributes[ATTRIBUTE_APPARMOR] = openat(init->proc, "self/attr/apparmor/exec", O_WRONLY | O_CLOEXEC);
                if (init->attributes[ATTRIBUTE_APPARMOR] < 0)
                        init->attributes[ATTRIBUTE_APPARMOR] = openat(init->proc, ATTRIBUTE_OF_EXEC, O_WRONLY | O_CLOEXEC);
                if (init->attributes[ATTRIBUTE_APPARMOR] < 0)
                        return error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "process.apparmorProfile");
        }
        if (p->selinux) {
                init->attributes[ATTRIBUTE_EXEC] = openat(init->proc, ATTRIBUTE_OF_EXEC, O_WRONLY | O_CLOEXEC);
                if (init->attributes[ATTRIBUTE_EXEC] < 0)
                        return error_set_errno(err, ERROR_NOT_SUPPORTED, errno, "process.selinuxLabel");
        }
        return 0;
}

int process_label(const Init *init, Error *err) {
        const char *apparmor = plan_string(init->plan, init->plan->process.apparmor);
        const char *selinux = plan_string(init->plan, init->plan->process.selinux);
        char text[PATH_MAX];

        if (apparmor) {
                int n = snprintf(text, sizeof(text), "exec %s", apparmor);

                if (n >= (int) sizeof(text))
                        return error_set_errno(err, ERROR_INVALID_SPEC, ENAMETOOLONG, "process.apparmorProfile");
                if (write(init->attributes[ATTRIBUTE_APPARMOR], text, (size_t) n) < 0) {
                        error_set_errno(err, ERROR_RUNTIME, errno, "process.apparmorProfile: '%s'", apparmor);
                        return error_hint(err, "is that profile loaded? aa-status lists them");
                }
        }
        if (selinux && write(init->attributes[ATTRIBUTE_EXEC], selinux, strlen(selinux)) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "process.selinuxLabel: '%s'", selinux);
        return 0;
}

static int drop_bounding(const Init *init, Error *err) {
        uint64_t kept = init->plan->process.capabilities.bounding;

        /* EINVAL: past the last that this kernel has */
        for (unsigned long c = 0; c < 64; c++)
                if (!(kept & (UINT64_C(1) << c)) && prctl(PR_CAPBSET_DROP, c) < 0)
                        return errno == EINVAL ? 0 : error_set_errno(err, ERROR_RUNTIME, errno,
                                                                     "process.capabilities.bounding: drop capability %lu", c);
        return 0;
}

static int set_capabilities(const Init *init, Error *err) {
        const PlanCapabilities *c = &init->plan->process.capabilities;
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = {
                { (uint32_t) c->effective, (uint32_t) c->permitted, (uint32_t) c->inheritable },
                { (uint32_t) (c->effective >> 32), (uint32_t) (c->permitted >> 32), (uint32_t) (c->inheritable >> 32) },
        };

        if (syscall(SYS_capset, &header, data) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "process.capabilities");
        (void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
        /* One that is not inheritable and permitted cannot be ambient: runc and crun leave it out, too. */
        for (unsigned long i = 0; i < 64; i++)
                if ((c->ambient & (UINT64_C(1) << i)) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0 && errno != EPERM)
                        return error_set_errno(err, ERROR_RUNTIME, errno, "process.capabilities.ambient: capability %lu", i);
        return 0;
}

static int set_user(const Init *init, Error *err) {
        const PlanProcess *p = &init->plan->process;

        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "keep capabilities");
        if ((p->flags & PLAN_SET_GROUPS) && setgroups(p->groups.n, plan_at(init->plan, p->groups.at)) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "process.user.additionalGids");
        if (setresgid(p->gid, p->gid, p->gid) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "process.user.gid: %u", p->gid);
        if (setresuid(p->uid, p->uid, p->uid) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "process.user.uid: %u", p->uid);
        return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 ? error_set_errno(err, ERROR_RUNTIME, errno, "drop capabilities") : 0;
}

/* A directory descriptor of the host that leaked in must not become the working directory: it has to have a path in this root. */
static int enter_cwd(const Init *init, Error *err) {
        const char *cwd = plan_string(init->plan, init->plan->process.cwd);
        char path[PATH_MAX];
        long n;

        if (chdir(cwd) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "process.cwd: '%s'", cwd);
        n = syscall(SYS_getcwd, path, sizeof(path));
        if (n < 0 || path[0] != '/')
                return error_set(err, ERROR_INVALID_SPEC, "process.cwd: '%s' is outside of the container's root", cwd);
        return 0;
}

static const char *environment_value(char *const *env, const char *name) {
        size_t len = strlen(name);
        const char *value = NULL;

        for (; *env; env++)
                if (!strncmp(*env, name, len) && (*env)[len] == '=')
                        value = *env + len + 1;
        return value;
}

#define STRINGS_MAX (1u << 18) /* arguments or variables; the kernel's own limit is far lower */

/* An array of pointers for exec. It is never freed. */
static char **strings_of(const Init *init, PlanStrings strings, const char *extra) {
        const PlanRef *refs = plan_at(init->plan, strings.at);
        char **array = strings.n <= STRINGS_MAX ? calloc(strings.n + 2, sizeof(*array)) : NULL;

        if (!array)
                return NULL;
        for (uint32_t i = 0; i < strings.n; i++)
                array[i] = (char *) plan_string(init->plan, refs[i]);
        array[strings.n] = (char *) extra;
        return array;
}

/* 1 when it can be run as far as file modes tell; else 0 with errno. */
static int is_program(const char *path) {
        struct stat st;

        if (stat(path, &st) < 0)
                return 0;
        if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111)) {
                errno = EACCES;
                return 0;
        }
        return 1;
}

static int not_found(const char *name, int errnum, Error *err) {
        return error_set_errno(err, ERROR_RUNTIME, errnum, "process.args[0]: '%s' in the container", name);
}

int program_search(const Init *init, char *buffer, size_t size, Error *err) {
        const PlanRef *args = plan_at(init->plan, init->plan->process.args.at);
        const char *name = plan_string(init->plan, args[0]), *p;
        char **env = strings_of(init, init->plan->process.env, NULL);
        int failure = ENOENT;

        if (!env)
                return error_oom(err);
        if (strchr(name, '/')) {
                if (snprintf(buffer, size, "%s", name) >= (int) size)
                        return not_found(name, ENAMETOOLONG, err);
                return is_program(buffer) ? 0 : not_found(name, errno, err);
        }
        p = environment_value(env, "PATH") ?: DEFAULT_PATH;
        free(env);
        while (name[0]) {
                size_t len = strcspn(p, ":");

                if (snprintf(buffer, size, "%.*s%s%s", (int) len, p, len ? "/" : "./", name) < (int) size) {
                        if (is_program(buffer))
                                return 0;
                        if (errno == EACCES)
                                failure = EACCES;
                }
                if (!p[len])
                        break;
                p += len + 1;
        }
        return not_found(name, failure, err);
}

/* The home directory of @uid by the container's passwd file, "/" without one. */
static void find_home(const Init *init, uint32_t uid, char *ret, size_t size) {
        _cleanup_close_ int fd = open_in_root(init->root, "etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        _cleanup_free_ char *text = NULL;
        struct stat st;
        char *p, *line;

        (void) snprintf(ret, size, "HOME=/");
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || file_read_fd(fd, "passwd", PASSWD_MAX, &text, NULL, NULL) < 0)
                return;
        p = text;
        while ((line = strsep(&p, "\n"))) {
                char *fields[6] = {}, *end;
                size_t n = 0;

                while (n < ARRAY_SIZE(fields) && (fields[n] = strsep(&line, ":")))
                        n++;
                if (n == ARRAY_SIZE(fields) && fields[2][0] && strtoul(fields[2], &end, 10) == uid && !*end && fields[5][0] == '/') {
                        (void) snprintf(ret, size, "HOME=%s", fields[5]);
                        return;
                }
        }
}

static int settle_descriptors(const PlanProcess *p, Error *err) {
        if (close_range(3 + p->preserve_fds, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "close what is not the container's");
        for (unsigned fd = 3; fd < 3 + p->preserve_fds; fd++)
                (void) fcntl((int) fd, F_SETFD, 0);
        return 0;
}

int process_become(Init *init, Error *err) {
        const PlanProcess *p = &init->plan->process;
        char path[PATH_MAX], home[PATH_MAX];
        char **args, **env;
        bool in_cwd = false;

        if (p->args.n == 0)
                return error_set(err, ERROR_INVALID_SPEC, "config.json: process: missing");
        if (p->flags & PLAN_HOME)
                find_home(init, p->uid, home, sizeof(home));
        args = strings_of(init, p->args, NULL);
        env = strings_of(init, p->env, p->flags & PLAN_HOME ? home : NULL);
        if (!args || !env)
                return error_oom(err);

        if (p->flags & PLAN_NO_NEW_PRIVILEGES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_set_errno(err, ERROR_RUNTIME, errno, "process.noNewPrivileges");
        /* Before the filter, which may know nothing of close_range(2). What is opened from here on closes by itself. */
        if (settle_descriptors(p, err) < 0)
                return -1;
        /* Without no_new_privs loading a filter needs a capability; with it, the later the better. It may refuse getcwd(2). */
        if (!(p->flags & PLAN_NO_NEW_PRIVILEGES)) {
                in_cwd = enter_cwd(init, NULL) == 0;
                if (seccomp_load(init, err) < 0)
                        return -1;
        }
        if (drop_bounding(init, err) < 0 || set_user(init, err) < 0 || (!in_cwd && enter_cwd(init, err) < 0) || set_limits(init, err) < 0 ||
            set_capabilities(init, err) < 0)
                return -1;
        if ((p->flags & PLAN_NO_NEW_PRIVILEGES) && seccomp_load(init, err) < 0)
                return -1;
        (void) umask(p->umask);
        if (program_search(init, path, sizeof(path), err) < 0 || hooks_run(init, init->plan->start_hooks, "created", err) < 0)
                return -1;
        execve(path, args, env);
        return error_set_errno(err, ERROR_RUNTIME, errno, "run '%s' in the container", path);
}
