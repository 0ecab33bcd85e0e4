/* A picture of several lines that is drawn over itself. */

#include "cli/progress-lines.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"

#define SUBJECT_MAX 12 /* characters of a digest that are shown, as podman and docker do */

static ProgressItem *find(ProgressLines *lines, const char *what, const char *subject) {
        for (size_t i = lines->n; i-- > 0;)
                if (!strcmp(lines->items[i].subject, subject) && !strcmp(lines->items[i].what, what))
                        return &lines->items[i];
        return NULL;
}

const ProgressItem *lines_update(ProgressLines *lines, const char *what, const char *subject, uint64_t done, uint64_t total, uint64_t now) {
        ProgressItem *item = find(lines, what, subject ?: "");
        bool was_done;

        if (!item) {
                if (lines->n == LINES_KEPT)
                        return NULL;
                item = &lines->items[lines->n++];
                *item = (ProgressItem) { .first = done == total ? 0 : done, .began = now };
                snprintf(item->what, sizeof(item->what), "%s", what);
                snprintf(item->subject, sizeof(item->subject), "%s", subject ?: "");
        }
        was_done = progress_item_is_done(item);
        item->done = done;
        item->total = total;
        return !was_done && progress_item_is_done(item) ? item : NULL;
}

static const char *short_subject(const char *subject) {
        return strncmp(subject, "sha256:", 7) ? subject : subject + 7;
}

static int bytes_text(const char *label, uint64_t done, uint64_t total, uint64_t first, uint64_t nanoseconds, Buf *out) {
        char is[SIZE_TEXT_MAX], of[SIZE_TEXT_MAX], rate[SIZE_TEXT_MAX];
        const double seconds = (double) nanoseconds / 1e9;

        if (buf_printf(out, NULL, "%s: %s", label, size_text(done, is)) < 0)
                return -1;
        if (total > 0 && buf_printf(out, NULL, " of %s", size_text(total, of)) < 0)
                return -1;
        if (seconds < 0.1 || done <= first)
                return 0;
        return buf_printf(out, NULL, ", %s/s", size_text((uint64_t) ((double) (done - first) / seconds), rate));
}

int item_text(const ProgressItem *item, uint64_t now, Buf *out) {
        _cleanup_buf_ Buf printable = BUF_INIT(4096), label = BUF_INIT(4096);
        const char *subject = short_subject(item->subject);

        if (text_printable(&printable, subject, false, NULL) < 0 ||
            buf_printf(&label, NULL, "%s %.*s", item->what, subject == item->subject ? 40 : SUBJECT_MAX, printable.data ?: "") < 0)
                return -1;
        return bytes_text(label.data, item->done, item->total, item->first, now - item->began, out);
}

int lines_erase(ProgressLines *lines, Buf *out) {
        int r = 0;

        if (lines->on_screen > 1)
                r = buf_printf(out, NULL, "\r\033[%uA\033[J", lines->on_screen - 1);
        else if (lines->on_screen == 1)
                r = buf_puts(out, "\r\033[J", NULL);
        lines->on_screen = 0;
        return r;
}

/* A line that would wrap would not be erased. */
static int put_line(ProgressLines *lines, const char *text, unsigned columns, Buf *out) {
        return buf_printf(out, NULL, "%s%.*s", lines->on_screen++ ? "\r\n" : "", (int) columns - 1, text);
}

int lines_print(ProgressLines *lines, uint64_t now, unsigned columns, Buf *out) {
        uint64_t done = 0, total = 0, first = 0, began = now;
        unsigned shown = 0, more = 0, finished = 0;

        if (lines_erase(lines, out) < 0)
                return -1;
        for (size_t i = 0; i < lines->n; i++) {
                const ProgressItem *item = &lines->items[i];
                _cleanup_buf_ Buf text = BUF_INIT(4096);

                done += item->done;
                total += item->total;
                first += item->first;
                if (item->began < began)
                        began = item->began;
                if (progress_item_is_done(item)) {
                        finished++;
                        continue;
                }
                if (shown == LINES_SHOWN) {
                        more++;
                        continue;
                }
                shown++;
                if (item_text(item, now, &text) < 0 || put_line(lines, text.data, columns, out) < 0)
                        return -1;
        }
        if (lines->n > 1) {
                _cleanup_buf_ Buf text = BUF_INIT(4096);
                char label[64];

                snprintf(label, sizeof(label), "%u of %zu done%s", finished, lines->n, more ? ", more under way" : "");
                if (bytes_text(label, done, total, first, now - began, &text) < 0 || put_line(lines, text.data, columns, out) < 0)
                        return -1;
        }
        return 0;
}
