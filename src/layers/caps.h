#pragma once

/* What one layer may cost. All are this program's own caps. */

#include <stdint.h>

#define LAYER_UNPACKED_MAX ((uint64_t) 64 << 30) /* bytes one layer may unpack to; config key "layer_size_max" */
#define LAYER_RATIO_MAX    1100u                 /* unpacked : compressed; deflate's limit is 1032, so more is a bomb by another name */
#define LAYER_ENTRY_MAX    10000000u             /* entries of one layer */
#define LAYER_HEADER_MAX   (2u << 20)            /* bytes of the tar headers of one entry: its pax records and its map of holes */
#define LAYER_XATTR_MAX    (1u << 20)            /* bytes of all extended attributes of one entry */
#define LAYER_DEPTH_MAX    256                   /* directories within each other; each costs a look into every layer below */
#define LAYER_SYMLINK_MAX  40                    /* symlinks followed for one path; the kernel's own limit */
