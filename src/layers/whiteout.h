#pragma once

/* Whiteouts: how a layer says that something below it is gone. Source: image-spec, layer.md "Whiteouts" */

#include "layers/tree.h"

typedef enum WhiteoutKind {
        WHITEOUT_NONE,   /* an ordinary name */
        WHITEOUT_FILE,   /* ".wh.NAME": NAME of the lower layers is gone */
        WHITEOUT_OPAQUE, /* ".wh..wh..opq": all the lower layers have in this directory is gone */
        WHITEOUT_IGNORE, /* aufs's own bookkeeping (".wh..wh.plnk", …) */
} WhiteoutKind;

/**
 * whiteout_parse() - what an entry's name says
 * @directory: normalised, without its last component
 * @name:      the last component
 *
 * Errors: InvalidSpec: names that would hide ".", ".." or nothing, or a whiteout in the middle of a path
 */
int whiteout_parse(const char *directory, const char *name, WhiteoutKind *ret, Error *err);

/**
 * whiteout_apply() - hide @name of the lower layers in @directory; what this layer has there stays
 * @alone:   only whiteouts were applied so far: what this layer has is there for their sake
 * @ret_late: true: what is to be hidden was already used; the layer must be made again, whiteouts first. Nothing was changed
 */
int whiteout_apply(LayerTree *tree, const char *directory, const char *name, bool alone, bool *ret_late, Error *err);

/** whiteout_apply_opaque() - hide everything the lower layers have in @directory; as whiteout_apply() */
int whiteout_apply_opaque(LayerTree *tree, const char *directory, bool alone, bool *ret_late, Error *err);
