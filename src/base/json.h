#pragma once

/*
 * JSON by jansson, with what hostile input asks for: size capped by the caller, the number of values here, depth by jansson (2048),
 * duplicate keys refused, errors with line and column. The accessors name the place in their errors ("config.json: process.args[2]: not a string").
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* json_decrefp() comes from jansson itself. */
#define _cleanup_json_ _cleanup_(json_decrefp)

#define JSON_VALUES_MAX (1u << 17) /* values of one document, so that 40 MiB of memory suffice; this program's own cap */

/** json_parse() - parse one JSON text; @what names it in errors. Errors: InvalidJson (with line and column), OutOfMemory */
int json_parse(const char *data, size_t len, const char *what, json_t **ret, Error *err);

/** json_load_at() - read and parse a file of at most @max bytes. Errors: FileError, InvalidJson, OutOfMemory */
int json_load_at(int dir_fd, const char *path, size_t max, json_t **ret, Error *err);

/** json_print() - compact text, keys in the order they were set; free(). Errors: OutOfMemory */
int json_print(const json_t *json, char **ret, Error *err);

/** json_save_at() - write atomically, compact, with a newline; @flags as file_write_atomic_at() */
int json_save_at(int dir_fd, const char *name, const json_t *json, mode_t mode, unsigned flags, Error *err);

/**
 * json_key_line() - the line on which a key, or an element of an array, stands in a JSON text
 * @text: JSON; on anything else the answer is any line, or 0
 * @path: from the outermost in, NULL-terminated; "[2]" is the third element of an array
 *
 * For errors about a key of a file people write; jansson keeps no positions.
 *
 * Returns: the line, counted from 1; 0 when it is not there
 */
unsigned json_key_line(const char *text, const char *const path[]);

/*
 * Field access. @where is the place of @object ("manifest sha256:ab…", "config.json: process"). A field that is absent or null leaves
 * *ret as it was for json_opt_*() and is an error for json_need_*(). A field of another type is always an error, of @kind.
 * Strings are borrowed from @object.
 */
typedef struct JsonPlace {
        const char *where;
        ErrorKind kind; /* what a wrong field is: ERROR_INVALID_SPEC for specs and manifests, ERROR_INVALID_CONFIG for our config, … */
} JsonPlace;

/** json_array_of() - an object's array, made when it has none; borrowed. NULL: out of memory */
json_t *json_array_of(json_t *object, const char *key);

/** json_need_root() - that a document is an object at all */
int json_need_root(const json_t *json, JsonPlace place, Error *err);

int json_opt_string(const json_t *object, const char *key, JsonPlace place, const char **ret, Error *err);
int json_need_string(const json_t *object, const char *key, JsonPlace place, const char **ret, Error *err);
/* Owned copies in place of borrowed strings: free(). What *ret held before is not freed. */
int json_opt_string_copy(const json_t *object, const char *key, JsonPlace place, char **ret, Error *err);
int json_need_string_copy(const json_t *object, const char *key, JsonPlace place, char **ret, Error *err);
int json_opt_integer(const json_t *object, const char *key, JsonPlace place, int64_t min, int64_t max, int64_t *ret, Error *err);
int json_need_integer(const json_t *object, const char *key, JsonPlace place, int64_t min, int64_t max, int64_t *ret, Error *err);
int json_opt_bool(const json_t *object, const char *key, JsonPlace place, bool *ret, Error *err);
int json_opt_object(const json_t *object, const char *key, JsonPlace place, json_t **ret, Error *err);
int json_need_object(const json_t *object, const char *key, JsonPlace place, json_t **ret, Error *err);
int json_opt_array(const json_t *object, const char *key, JsonPlace place, json_t **ret, Error *err);
int json_need_array(const json_t *object, const char *key, JsonPlace place, json_t **ret, Error *err);
