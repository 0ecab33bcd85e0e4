/*
 * Runs a program and sends SIGKILL to one process of it, at a moment that a shell could not hit.
 *
 *   kill-one ROLE MICROSECONDS REPORT PROGRAM [ARG…]
 *
 * ROLE        nobody    nobody
 *             cli       the program itself
 *             group     its whole process group
 *             launcher  its last fork: what starts a container's init
 *             monitor   its first fork, or the program that this has become
 *             init      the last init of a container that comes of it
 *             a number  that process
 * MICROSECONDS  after its start; who is not there yet is waited for, as long as the program runs
 * REPORT      a file that gets "KILLED TOOK": how many processes were hit, and how many microseconds the program ran
 *
 * Exits as the program did, 128 + N for a signal.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIDS_MAX   65536
#define STEP_NS    50000L /* between two looks for who is not there yet */
#define TEXT_MAX   512

typedef struct Process {
        pid_t pid, parent;
        char state;
        char program[TEXT_MAX]; /* argv[0] */
} Process;

static unsigned char known[PIDS_MAX / 8]; /* pids that were there before, by their low bits */

static size_t file_read(const char *path, char *data, size_t size) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, data, size - 1);

        if (fd >= 0)
                close(fd);
        data[n > 0 ? n : 0] = '\0';
        return n > 0 ? (size_t) n : 0;
}

static bool process_read(pid_t pid, Process *ret) {
        char path[64], text[TEXT_MAX], *after;

        snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
        if (file_read(path, text, sizeof(text)) == 0 || !(after = strrchr(text, ')')) ||
            sscanf(after, ") %c %d", &ret->state, &ret->parent) != 2)
                return false;
        ret->pid = pid;
        snprintf(path, sizeof(path), "/proc/%d/cmdline", (int) pid);
        (void) file_read(path, ret->program, sizeof(ret->program));
        return true;
}

/* All pids in order, of those that are new since the first call. */
static size_t processes_new(bool first, Process *ret, size_t max) {
        DIR *proc = opendir("/proc");
        struct dirent *entry;
        size_t n = 0;

        if (!proc)
                return 0;
        while (n < max && (entry = readdir(proc))) {
                unsigned pid = (unsigned) atoi(entry->d_name) % PIDS_MAX;

                if (atoi(entry->d_name) <= 0)
                        continue;
                if (first)
                        known[pid / 8] |= (unsigned char) (1u << pid % 8);
                else if (!(known[pid / 8] & 1u << pid % 8) && process_read(atoi(entry->d_name), &ret[n]))
                        n++;
        }
        closedir(proc);
        return n;
}

static bool ends_with(const char *text, const char *end) {
        size_t a = strlen(text), b = strlen(end);

        return a >= b && !strcmp(text + a - b, end);
}

/* A process whose parent is gone already may be of this program, too: what it is called says so. */
static bool descends(const Process *all, size_t n, const Process *one, pid_t cli) {
        pid_t parent = one->parent;

        for (size_t depth = 0; depth < 8; depth++) {
                bool found = false;

                if (parent == cli)
                        return true;
                for (size_t i = 0; i < n && !found; i++)
                        if (all[i].pid == parent) {
                                parent = all[i].parent;
                                found = true;
                        }
                if (!found)
                        return false;
        }
        return false;
}

static pid_t find(const char *role, pid_t cli, const char *program) {
        static Process all[256];
        size_t n = processes_new(false, all, 256);
        pid_t found = 0;

        for (size_t i = 0; i < n; i++) {
                const Process *p = &all[i];
                bool fork = !strcmp(p->program, program), init = ends_with(p->program, "init");

                if (p->pid == cli || p->state == 'Z' || !descends(all, n, p, cli))
                        continue;
                if (!strcmp(role, "init") ? init : !strcmp(role, "launcher") ? fork : fork || ends_with(p->program, "-monitor")) {
                        found = p->pid;
                        if (!strcmp(role, "monitor"))
                                break;
                }
        }
        return found;
}

static bool ended(pid_t pid) {
        siginfo_t info = {};

        return waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == pid;
}

static int strike(const char *role, pid_t cli, const char *program) {
        pid_t number = atoi(role);

        if (!strcmp(role, "nobody"))
                return 0;
        if (!strcmp(role, "cli"))
                return !ended(cli) && kill(cli, SIGKILL) == 0;
        if (!strcmp(role, "group"))
                return !ended(cli) && kill(-cli, SIGKILL) == 0;
        if (number > 0)
                return kill(number, SIGKILL) == 0;
        while (!ended(cli)) {
                pid_t pid = find(role, cli, program);

                if (pid > 0)
                        return kill(pid, SIGKILL) == 0;
                nanosleep(&(struct timespec) { .tv_nsec = STEP_NS }, NULL);
        }
        return 0;
}

static long now_us(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int main(int argc, char *argv[]) {
        long after, since;
        int hit, status;
        FILE *report;
        pid_t pid;

        if (argc < 5 || (after = atol(argv[2])) < 0 || !(report = fopen(argv[3], "we")))
                return 2;
        processes_new(true, NULL, 1);
        since = now_us();
        pid = fork();
        if (pid < 0)
                return 2;
        if (pid == 0) {
                setsid();
                execv(argv[4], argv + 4);
                _exit(127);
        }
        nanosleep(&(struct timespec) { .tv_sec = after / 1000000, .tv_nsec = after % 1000000 * 1000 }, NULL);
        hit = strike(argv[1], pid, argv[4]);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        fprintf(report, "%d %ld\n", hit, now_us() - since);
        fclose(report);
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
