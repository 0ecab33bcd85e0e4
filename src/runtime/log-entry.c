/* A log's line format: see monitor.h at LOG_FILE. */

#include "runtime/log-entry.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"

/* Each byte as the character of the same number: the way back gives the same bytes, and tools that read the log still show ASCII. */
static json_t *latin1_string(const char *text, size_t len) {
        _cleanup_free_ char *utf8 = malloc(2 * len + 1);
        size_t n = 0;

        if (!utf8)
                return NULL;
        for (size_t i = 0; i < len; i++) {
                unsigned char c = (unsigned char) text[i];

                if (c >= 0x80) {
                        utf8[n++] = (char) (0xc0 | c >> 6);
                        utf8[n++] = (char) (0x80 | (c & 0x3f));
                } else
                        utf8[n++] = (char) c;
        }
        return json_stringn(utf8, n);
}

/* The way back, in place; false when a character is no byte. */
static bool latin1_bytes(char *text, size_t *len) {
        size_t n = 0;

        for (size_t i = 0; i < *len; i++) {
                unsigned char c = (unsigned char) text[i];

                if (c >= 0x80) {
                        if ((c & 0xfc) != 0xc0 || i + 1 >= *len)
                                return false;
                        c = (unsigned char) ((c & 0x03) << 6 | (text[++i] & 0x3f));
                }
                text[n++] = (char) c;
        }
        *len = n;
        return true;
}

int log_entry_append(Buf *buf, const char *text, size_t len, bool is_stderr, const char *time, Error *err) {
        _cleanup_json_ json_t *entry = NULL;
        _cleanup_free_ char *line = NULL;
        json_t *log = json_stringn(text, len);
        bool utf8 = log;

        if (!log)
                log = latin1_string(text, len);
        entry = log ? json_pack("{s:o, s:s, s:s}", "log", log, "stream", is_stderr ? "stderr" : "stdout", "time", time) : NULL;
        if (!entry || (!utf8 && json_object_set_new(entry, "encoding", json_string("latin1")) < 0))
                return error_oom(err);
        line = json_dumps(entry, JSON_COMPACT);
        if (!line)
                return error_oom(err);
        /* The newline belongs to the object: both or neither. */
        return buf_printf(buf, err, "%s\n", line);
}

bool log_entry_parse(const char *line, size_t len, LogEntry *ret) {
        _cleanup_json_ json_t *json = json_loadb(line, len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
        const json_t *log = json_object_get(json, "log");
        const char *stream = json_string_value(json_object_get(json, "stream")), *time = json_string_value(json_object_get(json, "time"));
        const char *encoding = json_string_value(json_object_get(json, "encoding"));
        LogEntry entry = {};

        if (!json_is_string(log) || !stream || !time)
                return false;
        entry.len = json_string_length(log);
        entry.text = malloc(entry.len + 1);
        entry.time = strdup(time);
        entry.is_stderr = !strcmp(stream, "stderr");
        if (entry.text)
                memcpy(entry.text, json_string_value(log), entry.len);
        if (!entry.text || !entry.time || (encoding && (strcmp(encoding, "latin1") || !latin1_bytes(entry.text, &entry.len)))) {
                log_entry_free(&entry);
                return false;
        }
        *ret = entry;
        return true;
}

void log_entry_free(LogEntry *entry) {
        free(entry->text);
        free(entry->time);
        *entry = (LogEntry) {};
}
