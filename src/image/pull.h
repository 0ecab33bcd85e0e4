#pragma once

/* From a registry into the store. Part of the program: it loads the two modules that do the work. */

#include "image/image.h"
#include "registry/registry.h"

typedef struct PullRequest {
        const char *name;         /* as the user wrote it */
        const char *as;           /* the name in the store; NULL: its own, in full */
        const Platform *platform; /* NULL: this machine's */
        bool all_platforms;       /* every image of an index, and the index itself under the name */
        const RegistryOptions *registry;
        bool unpack;              /* its layers, in the same pass */
        bool drop_blobs;          /* with unpack: do not keep what was unpacked */
        unsigned workers;         /* layers at once; 0: by the number of processors */
        uint64_t unpacked_max;    /* bytes one layer may unpack to; 0: the default cap */
        const char *signature_policy; /* file; NULL: the user's, else the system's */
} PullRequest;

/**
 * image_pull() - bring an image from its registry into the store
 * @ret: name: what it is called there, in full; manifest: of the image, or of the index with all_platforms; imported_images_clear()
 *
 * The caller holds the store's lock "gc" shared, or holds it not at all: it is taken here.
 *
 * Errors: SignatureRejected and others of admission_open() and trust_judge(), those of RegistryModule and of ImageModule.receive()
 */
int image_pull(Store *store, const PullRequest *request, const ImageProgress *progress, ImportedImage *ret, Error *err);

/** image_pull_names() - the full names that a user's text may mean, best first; strv_free() */
int image_pull_names(const RegistryOptions *options, const char *text, char ***ret, Error *err);
