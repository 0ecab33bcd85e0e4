#pragma once

/* A store in a scratch directory whose image grows layer by layer, and the merged view as overlay shows it. Needs root. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "layers/layers.h"
#include "store/store.h"
#include "tar.h"

#define FIXTURE_LAYER_MAX 16

typedef struct Fixture {
        char directory[64]; /* holds store/, canary/, merged/ */
        char merged[96];    /* where fixture_mount() shows the image */
        Store *store;
        StoreImage image;
        uint64_t unpacked_max;         /* bytes a layer; 0: the default cap */
        const LayerProgress *progress; /* may be NULL */
        Tar tar; /* the layer that is being written */
        Error err;
        bool mounted;
} Fixture;

int fixture_setup(void **state);
int fixture_teardown(void **state);

/** fixture_layer() - the tar written so far becomes the next layer (with its end blocks), and a new one begins */
void fixture_layer(Fixture *f);
/** fixture_blob() - the same with the blob's bytes and diffID given */
void fixture_blob(Fixture *f, const void *blob, size_t len, const Digest *diff_id);
void fixture_digest(const void *data, size_t len, Digest *ret);

/** fixture_image() - config, manifest and record of the layers so far, under this name */
void fixture_image(Fixture *f, const char *name);

/** fixture_unpack() - layers_ensure(); fixture_unpacked() - which must succeed, and then mount it */
int fixture_unpack(Fixture *f);
void fixture_unpacked(Fixture *f);
/** fixture_refused() - unpacking must fail with this kind and text, and leave nothing */
void fixture_refused(Fixture *f, ErrorKind kind, const char *text);

/** Paths below merged/ and below a layer's diff/; static storage */
const char *in_root(Fixture *f, const char *path);
const char *in_layer(Fixture *f, size_t layer, const char *path);

void assert_text(Fixture *f, const char *path, const char *text);
void assert_missing(Fixture *f, const char *path);
/** @type: as S_IFREG; -1 for an owner or mtime that does not matter */
void assert_file(Fixture *f, const char *path, unsigned type, int mode, int uid, int gid, long mtime);
void assert_names(Fixture *f, const char *path, const char *names);
