/* Following a transaction: its phases, and the bytes of long work. */

#include "cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/output.h"

#define PROGRESS_INTERVAL 100000000   /* ns between two pictures: quick enough to look alive */
#define PICTURE_MAX       (64u << 10) /* bytes of one */
#define COLUMNS_DEFAULT   80          /* where the terminal does not say */

int progress_init(Progress *progress, const Report *report, bool timings, Error *err) {
        *progress = (Progress) {
                .report = report,
                .terminal = isatty(STDERR_FILENO) && !report->json,
                .lock = PTHREAD_MUTEX_INITIALIZER,
        };
        if (timings) {
                progress->timings = mmap(NULL, sizeof(Timings), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                if (progress->timings == MAP_FAILED) {
                        progress->timings = NULL;
                        return error_oom(err);
                }
        }
        return 0;
}

void progress_clear(Progress *progress) {
        progress_hide(progress);
        if (progress->timings)
                (void) munmap(progress->timings, sizeof(Timings));
        progress->timings = NULL;
        free(progress->lines);
        progress->lines = NULL;
}

static void draw(const Buf *picture) {
        if (picture->len > 0)
                (void) fd_write_all(STDERR_FILENO, picture->data, picture->len, NULL);
}

void progress_hide(Progress *progress) {
        _cleanup_buf_ Buf picture = BUF_INIT(PICTURE_MAX);

        pthread_mutex_lock(&progress->lock);
        if (progress->lines && lines_erase(progress->lines, &picture) == 0)
                draw(&picture);
        pthread_mutex_unlock(&progress->lock);
}

static void phase_begin(void *userdata, const char *phase, unsigned index, unsigned count) {
        Progress *progress = userdata;
        char text[ERROR_PHASE_MAX + 64];

        if (progress->report->level < LOG_LEVEL_DEBUG)
                return;
        progress_hide(progress);
        snprintf(text, sizeof(text), "phase %s (%u of %u) begins", phase, index, count);
        report_phase(progress->report, LOG_LEVEL_DEBUG, phase, NULL, text);
}

static void phase_end(void *userdata, const char *phase, uint64_t nanoseconds, bool skipped, const Error *err) {
        bool failed = error_is_set(err);
        double seconds = (double) nanoseconds / 1e9;
        Progress *progress = userdata;
        Timings *timings = progress->timings;
        char text[ERROR_PHASE_MAX + DURATION_TEXT_MAX + 64], duration[DURATION_TEXT_MAX];

        progress_hide(progress);
        if (timings && timings->n < PHASES_MAX) {
                PhaseTime *row = &timings->phases[timings->n++];

                snprintf(row->phase, sizeof(row->phase), "%s", phase);
                row->nanoseconds = nanoseconds;
                row->skipped = skipped;
                row->failed = failed;
        }
        if (progress->report->level < LOG_LEVEL_INFO)
                return;
        if (skipped)
                snprintf(text, sizeof(text), "phase %s: nothing to do", phase);
        else
                snprintf(text, sizeof(text), "phase %s: %s after %s", phase, failed ? "failed" : "done",
                         duration_text(nanoseconds, duration));
        report_phase(progress->report, LOG_LEVEL_INFO, phase, skipped ? NULL : &seconds, text);
}

static void note(void *userdata, const char *text) {
        Progress *progress = userdata;

        progress_hide(progress);
        report_line(progress->report, LOG_LEVEL_INFO, "%s", text);
}

static void warn(void *userdata, const char *text) {
        Progress *progress = userdata;

        progress_hide(progress);
        report_line(progress->report, LOG_LEVEL_WARNING, "%s", text);
}

static uint64_t monotonic(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static unsigned terminal_columns(void) {
        struct winsize size;

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : COLUMNS_DEFAULT;
}

static void show(Progress *progress, uint64_t now) {
        _cleanup_buf_ Buf picture = BUF_INIT(PICTURE_MAX);

        if (now - progress->last < PROGRESS_INTERVAL)
                return;
        progress->last = now;
        if (lines_print(progress->lines, now, terminal_columns(), &picture) == 0)
                draw(&picture);
}

/* Where nothing moves: a line for each thing that is done. */
static void say(const Progress *progress, const ProgressItem *item, uint64_t now) {
        _cleanup_buf_ Buf text = BUF_INIT(4096);

        if (item_text(item, now, &text) < 0)
                return;
        if (progress->plain && !progress->report->json && buf_puts(&text, "\n", NULL) == 0)
                draw(&text);
        else
                report_line(progress->report, LOG_LEVEL_INFO, "%s", text.data);
}

static void image_progress(void *userdata, const char *what, const char *subject, uint64_t done, uint64_t total) {
        const uint64_t now = monotonic();
        Progress *progress = userdata;
        const ProgressItem *finished;

        pthread_mutex_lock(&progress->lock);
        if (!progress->lines)
                progress->lines = calloc(1, sizeof(*progress->lines));
        if (progress->lines) {
                finished = lines_update(progress->lines, what, subject, done, total, now);
                if (progress->terminal)
                        show(progress, now);
                else if (finished)
                        say(progress, finished, now);
        }
        pthread_mutex_unlock(&progress->lock);
}

LifecycleObserver progress_observer(Progress *progress, const volatile sig_atomic_t *cancelled) {
        return (LifecycleObserver) {
                .phase_begin = phase_begin,
                .phase_end = phase_end,
                .note = note,
                .warn = warn,
                .userdata = progress,
                .image_progress = { .report = image_progress, .userdata = progress, .cancelled = cancelled },
        };
}

void progress_print_timings(Progress *progress) {
        _cleanup_table_ Table table = TABLE_INIT("PHASE", "TIME");
        Output out = OUTPUT_INIT(STDERR_FILENO);
        char duration[DURATION_TEXT_MAX];
        uint64_t total = 0;

        if (!progress->timings)
                return;
        progress_hide(progress);
        for (unsigned i = 0; i < progress->timings->n; i++) {
                const PhaseTime *row = &progress->timings->phases[i];

                duration_text(row->nanoseconds, duration);
                if (TABLE_ADD(&table, NULL, row->phase, row->skipped ? "-" : row->failed ? "failed" : duration) < 0)
                        return;
                total += row->nanoseconds;
        }
        if (TABLE_ADD(&table, NULL, "total", duration_text(total, duration)) == 0 && table_print(&table, &out, NULL) == 0)
                (void) output_flush(&out, NULL);
        buf_free(&out.text);
}
