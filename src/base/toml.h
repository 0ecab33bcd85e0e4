#pragma once

/*
 * TOML, as far as configuration files of containers use it: tables, arrays of tables, dotted keys, inline tables, all four kinds of strings,
 * integers, booleans, arrays. Debian has no C library for it that both releases carry. Floats and dates are refused, as is whatever is not
 * TOML 1.0; keys given twice too. Source: https://toml.io/en/v1.0.0
 */

#include <jansson.h>

#include "base/error.h"

#define TOML_SIZE_MAX   (1u << 20) /* bytes; this program's own cap */
#define TOML_VALUES_MAX (1u << 16) /* keys and elements of one document; this program's own cap */
#define TOML_DEPTH_MAX  16         /* values within values; this program's own cap */

/**
 * toml_parse() - one document, as the JSON that means the same
 * @what: names it in errors
 *
 * Errors: InvalidConfig (with the line), OutOfMemory
 */
int toml_parse(const char *text, size_t len, const char *what, json_t **ret, Error *err);
