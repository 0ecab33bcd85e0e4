/* The program's entry: what concerns the process as a whole, standard streams and signals, before the first command line is read. */

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"

/* The signal that asked us to stop. A second one changes nothing: what is being undone is undone to the end. */
static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal) {
        interrupted = signal;
}

/* Without this, the first files opened would become the standard streams. Returns whether standard output was missing, or -1. */
static int open_standard_streams(void) {
        bool missing = false;

        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                if (fcntl(fd, F_GETFD) >= 0)
                        continue;
                if (fd == STDOUT_FILENO)
                        missing = true;
                if (open("/dev/null", O_RDWR) != fd) /* the lowest free number; inherited by what we start */
                        return -1;
        }
        return missing;
}

/* Interrupted system calls return, so that waiting ends. What the caller ignores (nohup) stays ignored. */
static int catch_signals(void) {
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
        struct sigaction action = { .sa_handler = on_interrupt }, old;

        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                if (sigaction(signals[i], NULL, &old) < 0)
                        return -1;
                if (old.sa_handler != SIG_IGN && sigaction(signals[i], &action, NULL) < 0)
                        return -1;
        }
        /* A closed pipe is an error of write(), so that a transaction is not cut off by it. */
        return sigaction(SIGPIPE, &(struct sigaction) { .sa_handler = SIG_IGN }, NULL);
}

/* jansson would open /dev/urandom for it, in each process anew. */
static void seed_hashes(void) {
        size_t seed;

        if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t) sizeof(seed) && seed)
                json_object_seed(seed);
}

int main(int argc, char **argv) {
        int missing = open_standard_streams();
        Cli cli = { .out = OUTPUT_INIT(STDOUT_FILENO), .interrupted = &interrupted };

        if (missing < 0 || catch_signals() < 0) {
                perror("proxmox-lxcri: standard streams and signals");
                return EXIT_CODE_FAILURE;
        }
        seed_hashes();
        cli.out.missing = missing;
        return cli_run(&cli, argv);
}
