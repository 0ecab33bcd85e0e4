#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * json_parse_quick() - parse the JSON that programs write, at a fraction of what jansson takes
 * @data: any bytes
 * @any: the text may also be a string, a number, true, false or null alone (JSON_DECODE_ANY)
 * @max_values: cap on commas and brackets, which bound the values
 *
 * What it accepts, jansson does with JSON_REJECT_DUPLICATES, to the same end. It knows no escapes and no nesting beyond 64 levels.
 *
 * Returns: a new reference; NULL for whatever is wrong, unusual, or could not be had: jansson says what it is
 */
json_t *json_parse_quick(const char *data, size_t len, bool any, size_t max_values);
