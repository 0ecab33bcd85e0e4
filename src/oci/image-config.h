#pragma once

/* The image configuration. Source: image-spec, config.md */

#include <jansson.h>
#include <stddef.h>

#include "oci/digest.h"

#define IMAGE_CONFIG_SIZE_MAX (8u << 20) /* bytes; this program's own cap */

typedef struct ImageConfig {
        char *architecture, *os, *variant; /* variant: NULL when not said */
        char *created, *author;            /* NULL when not said */
        char **env, **entrypoint, **cmd;   /* NULL-terminated; NULL when not said */
        char *user, *working_dir, *stop_signal; /* NULL or "" when not said */
        char **volumes, **exposed_ports;   /* keys of the maps; NULL when not said */
        json_t *labels;                    /* object of strings; NULL when not said */
        Digest *diff_ids;                  /* base first */
        size_t n_diff_ids;
} ImageConfig;

/** image_config_parse() - parse and check. Errors: InvalidJson, InvalidSpec, OutOfMemory */
int image_config_parse(const char *data, size_t len, const char *where, ImageConfig **ret, Error *err);
ImageConfig *image_config_free(ImageConfig *config);
static inline void image_config_freep(ImageConfig **config) {
        image_config_free(*config);
}
