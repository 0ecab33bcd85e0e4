/*
 * Compares programs fairly: every round runs each side once, in rotating order, on the same machine in the same minute. Ratios are paired:
 * the median of what each round's two runs had, so that a slow minute is one for both. A side is a list of commands that succeed;
 * together they take one container through its life.
 *
 * This process is the subreaper of what it starts, as conmon and containerd's shim are: the pseudo command `reap` waits until every
 * process that was left behind has ended.
 */

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIDES_MAX  8
#define CHECKS_MAX 8
#define ARGS_MAX   64
#define ROUNDS_MAX 10000
#define APART_MAX  10000 /* ms */

static const char usage[] =
        "usage: compare --rounds N [--warmup N] [--apart MS] [--most SIDE FACTOR BASE]… [--most-cpu SIDE FACTOR BASE]…\n"
        "               --side NAME COMMAND [; COMMAND]… [--side …]\n"
        "  COMMAND  a program and its arguments; '@' stands for an id which is new each time; `reap` waits for all that was left running\n"
        "  --apart  wait that long before each run: what the kernel still does for the one before then does not count\n"
        "  --most   fail when SIDE takes more than FACTOR of BASE's wall time; --most-cpu: of its CPU time\n";

typedef struct Sample {
        double wall, cpu; /* ms */
} Sample;

typedef struct Side {
        const char *name;
        char **commands; /* arguments, ";" between commands */
        int n_commands;
        Sample *samples;
        Sample median;
} Side;

typedef struct Check {
        const char *side, *base;
        double factor;
        bool cpu;
} Check;

typedef struct Plan {
        Side sides[SIDES_MAX];
        Check checks[CHECKS_MAX];
        int n_sides, n_checks, rounds, warmup, apart; /* apart: ms */
        int null_fd, errors_fd;
} Plan;

static _Noreturn void die(const char *what, const char *name) {
        fprintf(stderr, "compare: %s '%s'%s%s\n", what, name, errno ? ": " : "", errno ? strerror(errno) : "");
        exit(2);
}

static double now(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static double cpu_of(const struct rusage *usage_) {
        return (double) (usage_->ru_utime.tv_sec + usage_->ru_stime.tv_sec) * 1e3 +
               (double) (usage_->ru_utime.tv_usec + usage_->ru_stime.tv_usec) / 1e3;
}

/* Copies what the failed command said to our own stderr. */
static void show_errors(const Plan *plan) {
        char buf[4096];
        ssize_t n;

        lseek(plan->errors_fd, 0, SEEK_SET);
        while ((n = read(plan->errors_fd, buf, sizeof(buf))) > 0)
                if (write(STDERR_FILENO, buf, (size_t) n) < 0)
                        break;
}

/* Waits for @pid, reaping others on the way; 0: until no child is left. The CPU time of all of them is added. */
static int reap(pid_t pid, double *cpu) {
        for (;;) {
                struct rusage used;
                int status;
                pid_t got = wait4(-1, &status, 0, &used);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return 0;
                *cpu += cpu_of(&used);
                if (got == pid)
                        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
}

static void run_command(const Plan *plan, const Side *side, char **argv, double *cpu) {
        posix_spawn_file_actions_t actions;
        pid_t pid;
        int code;

        if (!strcmp(argv[0], "reap")) {
                reap(0, cpu);
                return;
        }
        if (ftruncate(plan->errors_fd, 0) < 0 || lseek(plan->errors_fd, 0, SEEK_SET) < 0)
                die("cannot reset the error output of", argv[0]);
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, plan->null_fd, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, plan->null_fd, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, plan->errors_fd, STDERR_FILENO);
        errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
        if (errno)
                die("cannot start", argv[0]);
        posix_spawn_file_actions_destroy(&actions);
        code = reap(pid, cpu);
        if (code == 0)
                return;
        fprintf(stderr, "compare: %s: exited with %d:", side->name, code);
        for (char **arg = argv; *arg; arg++)
                fprintf(stderr, " %s", *arg);
        fputc('\n', stderr);
        show_errors(plan);
        exit(2);
}

static Sample run_side(const Plan *plan, const Side *side, const char *id) {
        Sample sample = { 0 };
        double began = now();

        for (int i = 0; i < side->n_commands;) {
                char *argv[ARGS_MAX + 1];
                int n = 0;

                for (; i < side->n_commands && strcmp(side->commands[i], ";"); i++) {
                        if (n == ARGS_MAX)
                                die("too many arguments for", side->name);
                        argv[n++] = strcmp(side->commands[i], "@") ? side->commands[i] : (char *) id;
                }
                i++;
                argv[n] = NULL;
                if (n)
                        run_command(plan, side, argv, &sample.cpu);
        }
        sample.wall = now() - began;
        return sample;
}

static int by_value(const void *a, const void *b) {
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

static double median(double *values, int n) {
        qsort(values, (size_t) n, sizeof(*values), by_value);
        return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void run_rounds(Plan *plan) {
        for (int round = -plan->warmup; round < plan->rounds; round++)
                for (int i = 0; i < plan->n_sides; i++) {
                        Side *side = &plan->sides[(round + plan->warmup + i) % plan->n_sides];
                        char id[64];
                        Sample sample;

                        snprintf(id, sizeof(id), "bench-%d-%d-%d", getpid(), round + plan->warmup, i);
                        if (plan->apart > 0)
                                (void) nanosleep(&(struct timespec) { plan->apart / 1000, plan->apart % 1000 * 1000000L }, NULL);
                        sample = run_side(plan, side, id);
                        if (round >= 0)
                                side->samples[round] = sample;
                }
}

static void compute_medians(Plan *plan) {
        double *values = calloc((size_t) plan->rounds, sizeof(*values));

        if (!values)
                die("no memory for", "medians");
        for (int i = 0; i < plan->n_sides; i++) {
                Side *side = &plan->sides[i];

                for (int r = 0; r < plan->rounds; r++)
                        values[r] = side->samples[r].wall;
                side->median.wall = median(values, plan->rounds);
                for (int r = 0; r < plan->rounds; r++)
                        values[r] = side->samples[r].cpu;
                side->median.cpu = median(values, plan->rounds);
        }
        free(values);
}

static const Side *find_side(const Plan *plan, const char *name) {
        for (int i = 0; i < plan->n_sides; i++)
                if (!strcmp(plan->sides[i].name, name))
                        return &plan->sides[i];
        errno = 0;
        die("no such side", name);
}

/* The median of how much of @base's time @side took in the same round. */
static double paired_ratio(const Plan *plan, const Side *side, const Side *base, bool cpu) {
        double *values = calloc((size_t) plan->rounds, sizeof(*values)), result;

        if (!values)
                die("no memory for", "ratios");
        for (int r = 0; r < plan->rounds; r++)
                values[r] = cpu ? side->samples[r].cpu / base->samples[r].cpu : side->samples[r].wall / base->samples[r].wall;
        result = median(values, plan->rounds);
        free(values);
        return result;
}

/* Prints the table; each side against the first. */
static void print_table(const Plan *plan) {
        const Side *base = &plan->sides[0];

        printf("  %-24s %9s %7s %9s %7s\n", "", "wall ms", "ratio", "CPU ms", "ratio");
        for (int i = 0; i < plan->n_sides; i++) {
                const Side *side = &plan->sides[i];

                printf("  %-24s %9.2f %7.2f %9.2f %7.2f\n", side->name, side->median.wall, paired_ratio(plan, side, base, false),
                       side->median.cpu, paired_ratio(plan, side, base, true));
        }
}

static bool run_checks(const Plan *plan) {
        bool good = true;

        for (int i = 0; i < plan->n_checks; i++) {
                const Check *check = &plan->checks[i];
                double ratio = paired_ratio(plan, find_side(plan, check->side), find_side(plan, check->base), check->cpu);
                bool holds = ratio <= check->factor;

                printf("  %-4s  %s takes %.2f of %s's %s time (at most %.2f)\n", holds ? "ok" : "over", check->side, ratio, check->base,
                       check->cpu ? "CPU" : "wall", check->factor);
                good = good && holds;
        }
        return good;
}

static int parse_number(const char *text, int max) {
        char *end;
        long value = strtol(text, &end, 10);

        errno = 0;
        if (*end || value < 0 || value > max)
                die("not a number in range:", text);
        return (int) value;
}

static void parse_plan(Plan *plan, int argc, char **argv) {
        for (int i = 1; i < argc;) {
                if (!strcmp(argv[i], "--rounds") && i + 1 < argc) {
                        plan->rounds = parse_number(argv[i + 1], ROUNDS_MAX);
                        i += 2;
                } else if (!strcmp(argv[i], "--warmup") && i + 1 < argc) {
                        plan->warmup = parse_number(argv[i + 1], ROUNDS_MAX);
                        i += 2;
                } else if (!strcmp(argv[i], "--apart") && i + 1 < argc) {
                        plan->apart = parse_number(argv[i + 1], APART_MAX);
                        i += 2;
                } else if ((!strcmp(argv[i], "--most") || !strcmp(argv[i], "--most-cpu")) && i + 3 < argc && plan->n_checks < CHECKS_MAX) {
                        plan->checks[plan->n_checks++] = (Check) {
                                .side = argv[i + 1],
                                .factor = strtod(argv[i + 2], NULL),
                                .base = argv[i + 3],
                                .cpu = !strcmp(argv[i], "--most-cpu"),
                        };
                        i += 4;
                } else if (!strcmp(argv[i], "--side") && i + 2 < argc && plan->n_sides < SIDES_MAX) {
                        Side *side = &plan->sides[plan->n_sides++];

                        *side = (Side) { .name = argv[i + 1], .commands = argv + i + 2 };
                        for (i += 2; i < argc && strcmp(argv[i], "--side"); i++)
                                side->n_commands++;
                } else {
                        fputs(usage, stderr);
                        exit(2);
                }
        }
        if (!plan->rounds || !plan->n_sides) {
                fputs(usage, stderr);
                exit(2);
        }
}

int main(int argc, char **argv) {
        Plan plan = { .warmup = 3 };
        bool good;

        parse_plan(&plan, argc, argv);
        plan.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        plan.errors_fd = memfd_create("errors", MFD_CLOEXEC);
        if (plan.null_fd < 0 || plan.errors_fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
                die("cannot prepare", argv[0]);
        for (int i = 0; i < plan.n_sides; i++) {
                plan.sides[i].samples = calloc((size_t) plan.rounds, sizeof(Sample));
                if (!plan.sides[i].samples)
                        die("no memory for", plan.sides[i].name);
        }
        run_rounds(&plan);
        compute_medians(&plan);
        print_table(&plan);
        good = run_checks(&plan);
        for (int i = 0; i < plan.n_sides; i++)
                free(plan.sides[i].samples);
        return good ? 0 : 1;
}
