/* libyaml's events, put together. */

#include "trust/yaml-json.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/json.h"

typedef struct Reader {
        yaml_parser_t parser;
        yaml_event_t event; /* the current one */
        bool has_event;
        const char *what;
        unsigned values;
} Reader;

static void reader_clear(Reader *reader) {
        if (reader->has_event)
                yaml_event_delete(&reader->event);
        yaml_parser_delete(&reader->parser);
}

static int fail(const Reader *reader, const char *problem, Error *err) {
        return error_set(err, ERROR_INVALID_CONFIG, "%s:%zu: %s", reader->what, reader->event.start_mark.line + 1, problem);
}

static int next(Reader *reader, Error *err) {
        if (reader->has_event)
                yaml_event_delete(&reader->event);
        reader->has_event = false;
        if (!yaml_parser_parse(&reader->parser, &reader->event)) {
                if (reader->parser.error == YAML_MEMORY_ERROR)
                        return error_oom(err);
                return error_set(err, ERROR_INVALID_CONFIG, "%s:%zu: %s", reader->what, reader->parser.problem_mark.line + 1,
                                 reader->parser.problem ?: "not YAML");
        }
        reader->has_event = true;
        return 0;
}

static bool is_word(const char *text, const char *const *words) {
        for (; *words; words++)
                if (!strcmp(text, *words))
                        return true;
        return false;
}

/* What a plain scalar means is decided as YAML 1.1 does, which is what containers' tools read. */
static json_t *plain(const char *text, size_t len) {
        static const char *const nothing[] = { "", "~", "null", "Null", "NULL", NULL };
        static const char *const yes[] = { "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y", NULL };
        static const char *const no[] = { "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N", NULL };
        const size_t sign = text[0] == '-';

        if (strlen(text) != len)
                return NULL;
        if (is_word(text, nothing))
                return json_null();
        if (is_word(text, yes))
                return json_true();
        if (is_word(text, no))
                return json_false();
        if (len > sign && len < 18 && strspn(text + sign, "0123456789") == len - sign && (text[sign] != '0' || len == sign + 1))
                return json_integer(strtoll(text, NULL, 10));
        return json_stringn(text, len);
}

static int read_value(Reader *reader, unsigned depth, json_t **ret, Error *err);

static int read_scalar(Reader *reader, json_t **ret, Error *err) {
        const char *text = (const char *) reader->event.data.scalar.value;
        const size_t len = reader->event.data.scalar.length;

        if (reader->event.data.scalar.anchor || reader->event.data.scalar.tag)
                return fail(reader, "anchors and tags are not supported", err);
        *ret = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain(text, len) : json_stringn(text, len);
        return *ret ? 0 : fail(reader, "a text that cannot be taken", err);
}

static int read_sequence(Reader *reader, unsigned depth, json_t **ret, Error *err) {
        _cleanup_json_ json_t *array = json_array();

        if (reader->event.data.sequence_start.anchor || reader->event.data.sequence_start.tag)
                return fail(reader, "anchors and tags are not supported", err);
        for (;;) {
                json_t *value;

                if (next(reader, err) < 0)
                        return -1;
                if (reader->event.type == YAML_SEQUENCE_END_EVENT)
                        break;
                if (read_value(reader, depth + 1, &value, err) < 0)
                        return -1;
                if (json_array_append_new(array, value) < 0)
                        return error_oom(err);
        }
        *ret = TAKE(array);
        return *ret ? 0 : error_oom(err);
}

static int read_mapping(Reader *reader, unsigned depth, json_t **ret, Error *err) {
        _cleanup_json_ json_t *object = json_object();

        if (reader->event.data.mapping_start.anchor || reader->event.data.mapping_start.tag)
                return fail(reader, "anchors and tags are not supported", err);
        for (;;) {
                _cleanup_free_ char *key = NULL;
                json_t *value;

                if (next(reader, err) < 0)
                        return -1;
                if (reader->event.type == YAML_MAPPING_END_EVENT)
                        break;
                if (reader->event.type != YAML_SCALAR_EVENT || reader->event.data.scalar.anchor || reader->event.data.scalar.tag ||
                    strlen((const char *) reader->event.data.scalar.value) != reader->event.data.scalar.length)
                        return fail(reader, "a key that is no text", err);
                key = strdup((const char *) reader->event.data.scalar.value);
                if (!key)
                        return error_oom(err);
                if (json_object_get(object, key))
                        return fail(reader, "a key stands here twice", err);
                if (next(reader, err) < 0 || read_value(reader, depth + 1, &value, err) < 0)
                        return -1;
                if (json_object_set_new(object, key, value) < 0)
                        return fail(reader, "a key that is no text", err);
        }
        *ret = TAKE(object);
        return *ret ? 0 : error_oom(err);
}

static int read_value(Reader *reader, unsigned depth, json_t **ret, Error *err) {
        if (depth > YAML_DEPTH_MAX)
                return fail(reader, "nested too deeply", err);
        if (++reader->values > YAML_VALUES_MAX)
                return fail(reader, "too many values", err);
        if (reader->event.type == YAML_SCALAR_EVENT)
                return read_scalar(reader, ret, err);
        if (reader->event.type == YAML_SEQUENCE_START_EVENT)
                return read_sequence(reader, depth, ret, err);
        if (reader->event.type == YAML_MAPPING_START_EVENT)
                return read_mapping(reader, depth, ret, err);
        return fail(reader, "aliases are not supported", err);
}

int yaml_parse(const char *text, size_t len, const char *what, json_t **ret, Error *err) {
        _cleanup_(reader_clear) Reader reader = { .what = what };
        _cleanup_json_ json_t *json = NULL;

        if (len > YAML_SIZE_MAX)
                return error_set(err, ERROR_INVALID_CONFIG, "%s: more than %u bytes", what, YAML_SIZE_MAX);
        if (!yaml_parser_initialize(&reader.parser))
                return error_oom(err);
        yaml_parser_set_input_string(&reader.parser, (const unsigned char *) text, len);
        if (next(&reader, err) < 0 || next(&reader, err) < 0)
                return -1;
        if (reader.event.type == YAML_STREAM_END_EVENT) {
                *ret = json_null();
                return 0;
        }
        /* Now at the beginning of a document. */
        if (next(&reader, err) < 0 || read_value(&reader, 0, &json, err) < 0 || next(&reader, err) < 0 || next(&reader, err) < 0)
                return -1;
        if (reader.event.type != YAML_STREAM_END_EVENT)
                return fail(&reader, "a second document", err);
        *ret = TAKE(json);
        return 0;
}
