#pragma once

/*
 * YAML read into JSON, by libyaml: one document of mappings, sequences and scalars. Refused: anchors and aliases, tags, several documents,
 * keys that are no text, a key twice.
 */

#include <jansson.h>

#include "base/error.h"

#define YAML_SIZE_MAX   (1u << 20) /* bytes of a file; this program's own cap */
#define YAML_VALUES_MAX (1u << 16) /* values of a document; this program's own cap */
#define YAML_DEPTH_MAX  32         /* this program's own cap */

/** yaml_parse() - @what names it in errors; an empty document is null. Errors: InvalidConfig (with line), OutOfMemory */
int yaml_parse(const char *text, size_t len, const char *what, json_t **ret, Error *err);
