/*
 * Everything that a process can tell of itself and of what it sees, one fact a line, in an order that does not depend on chance: the same
 * bundle on two runtimes must give the same lines. Static, so that it runs in any root; numbers that are never the same are left out.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#define FILE_MAX_SIZE 262144

/* sched_attr of linux/sched/types.h, which glibc's sched.h is at odds with */
struct scheduling {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
};

static char *read_file(const char *path) {
        static char text[FILE_MAX_SIZE];
        size_t len = 0;
        ssize_t n;
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return NULL;
        while (len < sizeof(text) - 1 && (n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
                len += (size_t) n;
        close(fd);
        text[len] = '\0';
        return text;
}

/* Each line of a file behind its name; those that begin with one of @without are left out. */
static void show_file(const char *name, const char *path, const char *const *without) {
        char *p = read_file(path), *line;

        if (!p)
                printf("%s: %s\n", name, strerrorname_np(errno));
        while (p && (line = strsep(&p, "\n"))) {
                const char *const *w = without;

                while (w && *w && strncmp(line, *w, strlen(*w)))
                        w++;
                if (*line && !(w && *w))
                        printf("%s: %s\n", name, line);
        }
}

static int by_text(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Without numbers of mounts and devices. */
static void show_mounts(void) {
        char *p = read_file("/proc/self/mountinfo"), *line;

        while (p && (line = strsep(&p, "\n")) && *line) {
                int at = 0;

                sscanf(line, "%*s %*s %*s %n", &at);
                printf("mount: %s\n", line + at);
        }
}

static void show_entry(const char *path) {
        char target[4096];
        struct stat st;
        ssize_t n;

        if (lstat(path, &st) < 0) {
                printf("file: %s %s\n", path, strerrorname_np(errno));
                return;
        }
        n = S_ISLNK(st.st_mode) ? readlink(path, target, sizeof(target) - 1) : 0;
        target[n > 0 ? n : 0] = '\0';
        printf("file: %s %o %u:%u %u,%u %s\n", path, st.st_mode, st.st_uid, st.st_gid, major(st.st_rdev), minor(st.st_rdev), target);
}

static void show_directory(const char *path, int depth) {
        char *names[4096];
        struct dirent *entry;
        size_t n = 0;
        DIR *dir = opendir(path);

        show_entry(path);
        while (dir && depth > 0 && n < sizeof(names) / sizeof(*names) && (entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
                        names[n++] = strdup(entry->d_name);
        if (dir)
                closedir(dir);
        qsort(names, n, sizeof(*names), by_text);
        for (size_t i = 0; i < n; i++) {
                char inner[4096];
                struct stat st;

                snprintf(inner, sizeof(inner), "%s/%s", path, names[i]);
                if (lstat(inner, &st) == 0 && S_ISDIR(st.st_mode))
                        show_directory(inner, depth - 1);
                else
                        show_entry(inner);
        }
}

static void show_descriptors(void) {
        for (int fd = 0; fd < 1024; fd++) {
                char path[64], target[4096];
                struct stat st;
                ssize_t n;

                if (fstat(fd, &st) < 0)
                        continue;
                snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                n = readlink(path, target, sizeof(target) - 1);
                target[n > 0 ? n : 0] = '\0';
                printf("descriptor: %d %s flags %o %d, mode %o, owner %u:%u, device %u,%u\n", fd, target, (unsigned) fcntl(fd, F_GETFL),
                       fcntl(fd, F_GETFD), st.st_mode, st.st_uid, st.st_gid, major(st.st_rdev), minor(st.st_rdev));
        }
}

static void show_keyring(void) {
        static const struct {
                const char *name;
                int id;
        } rings[] = {
                { "thread", -1 }, { "process", -2 }, { "session", -3 }, { "user", -4 }, { "user session", -5 },
        };

        for (size_t i = 0; i < sizeof(rings) / sizeof(*rings); i++) {
                char text[512] = "";
                long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, rings[i].id, text, sizeof(text) - 1);
                unsigned char keys[64];

                printf("keyring: %s %s", rings[i].name, n < 0 ? strerrorname_np(errno) : text);
                printf(" %ld bytes of keys\n", n < 0 ? 0 : syscall(SYS_keyctl, KEYCTL_READ, rings[i].id, keys, sizeof(keys)));
        }
}

static void show_credentials(void) {
        gid_t groups[256];
        uid_t r, e, s;
        int n;

        getresuid(&r, &e, &s);
        printf("uid: %u %u %u\n", r, e, s);
        getresgid(&r, &e, &s);
        printf("gid: %u %u %u\n", r, e, s);
        n = getgroups(256, groups);
        printf("groups:");
        for (int i = 0; i < n; i++)
                printf(" %u", groups[i]);
        printf("\nsession: pid %d, parent %d, group %d, session %d, terminal's group %d\n", (int) getpid(), (int) getppid(),
               (int) getpgrp(), (int) getsid(0), (int) tcgetpgrp(0));
}

static void show_process(void) {
        struct scheduling scheduler = {};
        cpu_set_t cpus;
        struct winsize size = {};
        int signal = 0, subreaper = 0, mode = 0;
        char cwd[4096] = "", host[256] = "", domain[256] = "";
        mode_t mask = umask(0);

        prctl(PR_GET_PDEATHSIG, &signal);
        prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
        printf("process: pdeathsig %d, subreaper %d, dumpable %d, securebits %x, timer slack %d\n", signal, subreaper,
               prctl(PR_GET_DUMPABLE), (unsigned) prctl(PR_GET_SECUREBITS), prctl(PR_GET_TIMERSLACK));
        syscall(SYS_sched_getattr, 0, &scheduler, sizeof(scheduler), 0);
        CPU_ZERO(&cpus);
        sched_getaffinity(0, sizeof(cpus), &cpus);
        syscall(SYS_get_mempolicy, &mode, NULL, 0ul, NULL, 0ul);
        printf("scheduler: policy %u, flags %llx, nice %d, priority %u; io %ld; %d processors; memory %d\n", scheduler.policy,
               (unsigned long long) scheduler.flags, scheduler.nice, scheduler.priority, syscall(SYS_ioprio_get, 1, 0),
               CPU_COUNT(&cpus), mode);
        printf("umask: %o\ncwd: %s\n", mask, getcwd(cwd, sizeof(cwd)) ? cwd : strerrorname_np(errno));
        gethostname(host, sizeof(host));
        (void) !getdomainname(domain, sizeof(domain));
        printf("names: %s %s\n", host, domain);
        printf("program: %s, secure %lu\n", (const char *) getauxval(AT_EXECFN), getauxval(AT_SECURE));
        if (ioctl(0, TIOCGWINSZ, &size) == 0)
                printf("terminal: %u lines of %u\n", size.ws_row, size.ws_col);
}

static void show_namespaces(void) {
        static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "time_for_children", "user", "uts" };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                char path[64], target[128];
                ssize_t n;

                snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
                n = readlink(path, target, sizeof(target) - 1);
                target[n > 0 ? n : 0] = '\0';
                printf("namespace: %s %s\n", names[i], target);
        }
}

int main(int argc, char *argv[]) {
        /* Memory, signals that wait and context switches are never the same; NStgid and the like repeat what the session says */
        static const char *const volatile_fields[] = { "Vm", "Rss", "Hugetlb", "SigQ", "voluntary", "nonvoluntary", "FDSize", NULL };

        for (int i = 0; i < argc; i++)
                printf("argument: %s\n", argv[i]);
        for (char **e = environ; *e; e++)
                printf("environment: %s\n", *e);
        show_credentials();
        show_process();
        show_keyring();
        show_descriptors();
        show_namespaces();
        show_file("status", "/proc/self/status", volatile_fields);
        show_file("limits", "/proc/self/limits", NULL);
        show_file("uid_map", "/proc/self/uid_map", NULL);
        show_file("gid_map", "/proc/self/gid_map", NULL);
        show_file("setgroups", "/proc/self/setgroups", NULL);
        show_file("cgroup", "/proc/self/cgroup", NULL);
        show_file("oom_score_adj", "/proc/self/oom_score_adj", NULL);
        show_file("personality", "/proc/self/personality", NULL);
        show_file("timens_offsets", "/proc/self/timens_offsets", NULL);
        show_file("coredump_filter", "/proc/self/coredump_filter", NULL);
        show_file("loginuid", "/proc/self/loginuid", NULL);
        show_file("lo", "/sys/class/net/lo/flags", NULL);
        show_mounts();
        show_directory("/dev", 3);
        show_directory("/", 1);
        puts("end");
        return 0;
}
