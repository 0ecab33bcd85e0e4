/* Writing the journal, and reading what a crash left of it. */

#include "lifecycle/journal.h"

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"

#define JOURNAL_VERSION 1

static const JsonPlace place = { .where = "journal", .kind = ERROR_INVALID_JSON };

static const char *const kind_names[] = {
        [JOURNAL_CREATE] = "create",
        [JOURNAL_START] = "start",
};

Journal *journal_free(Journal *journal) {
        if (!journal)
                return NULL;
        for (size_t i = 0; i < journal->n_phases; i++)
                free(journal->phases[i]);
        strv_free(journal->cgroups);
        json_decref(journal->_header);
        free(journal);
        return NULL;
}

/* Appends one object (taken; NULL: no memory) as a line. */
static int buf_put_line(Buf *buf, json_t *line, Error *err) {
        _cleanup_json_ json_t *owned = line;
        _cleanup_free_ char *text = NULL;

        if (!owned)
                return error_oom(err);
        if (json_print(owned, &text, err) < 0 || buf_puts(buf, text, err) < 0 || buf_puts(buf, "\n", err) < 0)
                return -1;
        return 0;
}

static json_t *phase_line(const char *phase) {
        return json_pack("{s:s}", "begin", phase);
}

static json_t *process_json(const ProcessRef *process) {
        return json_pack("{s:I, s:I}", "pid", (json_int_t) process->pid, "start", (json_int_t) process->start_time);
}

static int write_line(int fd, json_t *line, Error *err) {
        _cleanup_buf_ Buf buf = BUF_INIT(JOURNAL_SIZE_MAX);

        if (buf_put_line(&buf, line, err) < 0)
                return -1;
        if (fd_write_all(fd, buf.data, buf.len, err) < 0)
                return error_prefix(err, "journal");
        return 0;
}

int journal_create(const RunDir *dir, const JournalHeader *header, const char *phase, int *ret_fd, Error *err) {
        _cleanup_buf_ Buf buf = BUF_INIT(JOURNAL_SIZE_MAX);
        _cleanup_close_ int fd = -EBADF;
        json_t *line;

        line = json_pack("{s:i, s:s, s:s, s:I, s:s*, s:s*, s:s*, s:s*, s:b, s:o*}", "journal", JOURNAL_VERSION, "kind",
                         kind_names[header->kind], "boot", header->boot_id, "mountNamespace", (json_int_t) header->mount_namespace,
                         "bundle", header->bundle, "store", header->store, "runtime", header->runtime, "pidFile", header->pid_file,
                         "systemdCgroup", header->systemd_cgroup, "maker",
                         header->maker.pid > 0 ? process_json(&header->maker) : NULL);
        if (buf_put_line(&buf, line, err) < 0 || buf_put_line(&buf, phase_line(phase), err) < 0)
                return -1;

        fd = openat(dir->fd, JOURNAL_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create '%s/" JOURNAL_FILE "'", dir->path);
        if (fd_write_all(fd, buf.data, buf.len, err) < 0)
                return error_prefix(err, "'%s/" JOURNAL_FILE "'", dir->path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int journal_append_phase(int fd, const char *phase, Error *err) {
        return write_line(fd, phase_line(phase), err);
}

int journal_append_monitor(int fd, const ProcessRef *monitor, Error *err) {
        return write_line(fd, json_pack("{s:o}", "monitor", process_json(monitor)), err);
}

int journal_append_init(int fd, const ProcessRef *init, char *const *cgroups, Error *err) {
        _cleanup_json_ json_t *array = json_array();

        for (; array && cgroups && *cgroups; cgroups++)
                if (json_array_append_new(array, json_string(*cgroups)) < 0)
                        return error_oom(err);
        return write_line(fd, json_pack("{s:o, s:O}", "init", process_json(init), "cgroups", array), err);
}

static int parse_process(const json_t *object, ProcessRef *ret, Error *err) {
        int64_t pid, start;

        if (json_need_integer(object, "pid", place, 1, INT32_MAX, &pid, err) < 0 ||
            json_need_integer(object, "start", place, 0, INT64_MAX, &start, err) < 0)
                return -1;
        *ret = (ProcessRef) { .pid = (pid_t) pid, .start_time = (uint64_t) start };
        return 0;
}

static int parse_strings(const json_t *array, char ***ret, Error *err) {
        _cleanup_strv_ char **strings = NULL;
        const json_t *item;
        size_t i;

        json_array_foreach(array, i, item) {
                if (!json_is_string(item))
                        return error_set(err, ERROR_INVALID_JSON, "journal: not a string");
                if (strv_push(&strings, json_string_value(item), err) < 0)
                        return -1;
        }
        strv_free(*ret);
        *ret = TAKE(strings);
        return 0;
}

static int parse_header(Journal *journal, json_t *line, Error *err) {
        JournalHeader *h = &journal->header;
        const char *kind, *boot;
        int64_t version, namespace;
        json_t *maker = NULL;

        if (json_need_integer(line, "journal", place, JOURNAL_VERSION, JOURNAL_VERSION, &version, err) < 0 ||
            json_need_string(line, "kind", place, &kind, err) < 0 || json_need_string(line, "boot", place, &boot, err) < 0 ||
            json_need_integer(line, "mountNamespace", place, 0, INT64_MAX, &namespace, err) < 0 ||
            json_opt_string(line, "bundle", place, &h->bundle, err) < 0 || json_opt_string(line, "store", place, &h->store, err) < 0 ||
            json_opt_string(line, "runtime", place, &h->runtime, err) < 0 ||
            json_opt_string(line, "pidFile", place, &h->pid_file, err) < 0 ||
            json_opt_bool(line, "systemdCgroup", place, &h->systemd_cgroup, err) < 0 ||
            json_opt_object(line, "maker", place, &maker, err) < 0 || (maker && parse_process(maker, &h->maker, err) < 0))
                return -1;
        h->kind = !strcmp(kind, kind_names[JOURNAL_START]) ? JOURNAL_START : JOURNAL_CREATE;
        h->mount_namespace = (uint64_t) namespace;
        snprintf(h->boot_id, sizeof(h->boot_id), "%s", boot);
        journal->_header = json_incref(line);
        journal->has_header = true;
        return 0;
}

static int parse_line(Journal *journal, json_t *line, Error *err) {
        const char *phase = NULL;
        json_t *init = NULL, *monitor = NULL, *strings = NULL;

        if (!journal->has_header)
                return parse_header(journal, line, err);

        if (json_opt_string(line, "begin", place, &phase, err) < 0 || json_opt_object(line, "init", place, &init, err) < 0 ||
            json_opt_object(line, "monitor", place, &monitor, err) < 0)
                return -1;
        if (phase) {
                if (journal->n_phases == JOURNAL_PHASES)
                        return error_set(err, ERROR_INVALID_JSON, "journal: more than %d phases", JOURNAL_PHASES);
                if (string_copy(phase, &journal->phases[journal->n_phases], err) < 0)
                        return -1;
                journal->n_phases++;
                return 0;
        }
        if (monitor)
                return parse_process(monitor, &journal->monitor, err);
        if (init) {
                if (parse_process(init, &journal->init, err) < 0 || json_need_array(line, "cgroups", place, &strings, err) < 0)
                        return -1;
                return parse_strings(strings, &journal->cgroups, err);
        }
        return error_set(err, ERROR_INVALID_JSON, "journal: a line of no known kind");
}

int journal_parse(const char *text, size_t len, Journal **ret, Error *err) {
        _cleanup_(journal_freep) Journal *journal = calloc(1, sizeof(*journal));
        const char *end = text + len, *newline;

        if (!journal)
                return error_oom(err);
        for (; text < end && (newline = memchr(text, '\n', (size_t) (end - text))); text = newline + 1) {
                _cleanup_json_ json_t *line = NULL;

                Error e = ERROR_INIT;

                if (json_parse(text, (size_t) (newline - text), "journal", &line, &e) < 0 || parse_line(journal, line, &e) < 0) {
                        if (e.kind == ERROR_OUT_OF_MEMORY) {
                                if (err)
                                        *err = e;
                                return -1;
                        }
                        journal->damaged = true;
                        break;
                }
        }
        *ret = TAKE(journal);
        return 0;
}

bool journal_has_phase(const Journal *journal, const char *phase) {
        if (journal->damaged)
                return true;
        for (size_t i = 0; i < journal->n_phases; i++)
                if (!strcmp(journal->phases[i], phase))
                        return true;
        return false;
}

int journal_load(int dir_fd, Journal **ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        Error e = ERROR_INIT;
        size_t len;

        if (file_read_at(dir_fd, JOURNAL_FILE, JOURNAL_SIZE_MAX, &text, &len, &e) < 0) {
                if (e.errnum == ENOENT) {
                        *ret = NULL;
                        return 0;
                }
                if (err)
                        *err = e;
                return -1;
        }
        return journal_parse(text, len, ret, err);
}
