#pragma once

/* What happens while it happens: phases in the log and for --timings, bytes on a line of a terminal. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/progress-lines.h"
#include "cli/report.h"
#include "lifecycle/lifecycle.h"

#define PHASES_MAX 16 /* nine are there */

typedef struct PhaseTime {
        char phase[ERROR_PHASE_MAX];
        uint64_t nanoseconds;
        bool skipped, failed;
} PhaseTime;

/** Shared with the processes that a transaction forks, so that each phase is counted wherever it runs */
typedef struct Timings {
        unsigned n;
        PhaseTime phases[PHASES_MAX];
} Timings;

typedef struct Progress {
        const Report *report;
        Timings *timings;      /* NULL: not wanted */
        bool terminal;         /* show moving lines */
        bool plain;            /* elsewhere, say what is done, a line each; else only in the log */
        pthread_mutex_t lock;  /* of the members below: layers report from several threads */
        ProgressLines *lines;  /* NULL: nothing was reported yet */
        uint64_t last;         /* ns, monotonic: when they were last drawn */
} Progress;

/** progress_init() - @timings: collect the phases' times. Errors: OutOfMemory */
int progress_init(Progress *progress, const Report *report, bool timings, Error *err);
void progress_clear(Progress *progress);

/** progress_observer() - what lifecycle and image calls report to; points to @progress */
LifecycleObserver progress_observer(Progress *progress, const volatile sig_atomic_t *cancelled);

/** progress_hide() - take the moving line away, before something else is written */
void progress_hide(Progress *progress);

/** progress_print_timings() - the table of --timings, to standard error */
void progress_print_timings(Progress *progress);
