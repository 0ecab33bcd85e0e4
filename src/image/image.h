#pragma once

/*
 * The image module: everything that needs libarchive, libcrypto or decompression. The program loads it on first use through
 * image_module(); unit tests and fuzzers link the same code statically.
 *
 * Long work reports through ImageProgress and stops (Interrupted) when *cancelled becomes true.
 */

#include <signal.h>

#include "layers/blob-source.h"
#include "layers/caps.h"
#include "store/store.h"

#define IMAGE_MODULE_VERSION 5

typedef struct ImageProgress {
        /** from several threads at once. what: "import", "verify", "unpack", …; subject: a digest or name; done and total in bytes (total 0: unknown). May be NULL */
        void (*report)(void *userdata, const char *what, const char *subject, uint64_t done, uint64_t total);
        void *userdata;
        const volatile sig_atomic_t *cancelled; /* may be NULL */
} ImageProgress;

/** Where an image comes from, in the words of policy.json. All borrowed */
typedef struct ImageOrigin {
        const char *transport;         /* "docker", "oci", "oci-archive", "docker-archive", "dir", "tarball" */
        const char *path;              /* of all but docker: as it was given */
        const struct Reference *name;  /* of docker */
        struct Registry *registry;     /* of docker */
} ImageOrigin;

/** Who decides whether an image may be used */
typedef struct ImageJudge {
        /**
         * judge() - called once the manifest is known and verified, before anything that it names is read
         * @manifest: NULL: of a source that keeps no signatures, asked before it is read at all, wherever its kind is known by then
         */
        int (*judge)(void *userdata, const ImageOrigin *origin, const Digest *manifest, Error *err);
        void *userdata;
} ImageJudge;

typedef struct ImportRequest {
        const char *source; /* directory or file; "oci:PATH[:NAME]", "oci-archive:…", "docker-archive:…", "dir:PATH" (a root filesystem) fix the kind */
        const char *name;   /* NULL: the source's own ref.name or RepoTags; for a root filesystem it is needed */
        const Platform *platform; /* NULL: this machine's */
        bool all_names;     /* of a docker-archive or layout with several images: take all; else more than one is InvalidArgument unless named */
        bool unpack;        /* unpack the layers in the same pass; else they are verified by decompressing them */
        bool drop_blobs;    /* with unpack: do not keep what was unpacked */
        unsigned workers;   /* layers at once; 0: by the number of processors */
        uint64_t unpacked_max; /* bytes one layer may unpack to; 0: the default cap (LAYER_UNPACKED_MAX) */
        const ImageJudge *judge; /* NULL: nobody is asked */
} ImportRequest;

/** An image that comes blob by blob, from a registry */
typedef struct ReceiveRequest {
        const BlobSource *source;
        const Descriptor *descriptor; /* of a manifest or an index, as the source names it */
        const char *name;             /* what it shall be called in the store, as it is to stand there; NULL: no name */
        const Platform *platform;     /* of an index; NULL: this machine's */
        bool unpack;                  /* unpack the layers in the same pass; else they are verified */
        bool drop_blobs;              /* with unpack: do not keep what was unpacked */
        unsigned workers;             /* layers at once; 0: by the number of processors */
        uint64_t unpacked_max;        /* bytes one layer may unpack to; 0: the default cap (LAYER_UNPACKED_MAX) */
        const ImageJudge *judge;      /* NULL: nobody is asked */
        ImageOrigin origin;           /* what the judge is told */
} ReceiveRequest;

/** What is copied where: docker://NAME, oci:DIR[:NAME], oci-archive:FILE[:NAME], docker-archive:FILE[:NAME], or a name of the store */
typedef struct CopyRequest {
        const char *source, *target;
        const Platform *platform; /* which image of an index, and what one that is in none has to be for; NULL: this machine's, any */
        bool all_platforms;       /* of an index: all of it */
        const struct RegistryOptions *from, *to;
        uint64_t unpacked_max; /* bytes one layer may unpack to; 0: the default cap (LAYER_UNPACKED_MAX) */
        const ImageJudge *judge; /* NULL: nobody is asked; nor is one about what the store has */
} CopyRequest;

typedef struct UnpackRequest {
        uint64_t unpacked_max; /* bytes one layer may unpack to; 0: the default cap (LAYER_UNPACKED_MAX) */
        unsigned workers;      /* layers at once; 0: by the number of processors */
} UnpackRequest;

typedef struct ImportedImage {
        char *name;
        Digest manifest;
        uint64_t size; /* bytes of its blobs */
} ImportedImage;

ImportedImage *imported_images_free(ImportedImage *images, size_t n);

typedef struct VerifyResult {
        char *subject;   /* digest or path */
        ErrorKind kind;  /* ERROR_NONE: right */
        char *problem;   /* NULL when right */
} VerifyResult;

VerifyResult *verify_results_free(VerifyResult *results, size_t n);

#define ATTACHED_MAX      128          /* documents, and manifests that name them, of one image; this program's own cap */
#define ATTACHED_SIZE_MAX (64u << 20)  /* bytes of a document that is read; this program's own cap */

/** A document that a registry keeps beside an image: what its makers say of it, and nobody has judged */
typedef struct Attachment {
        char *type;           /* media type, as it was given */
        char *artifact_type;  /* of the manifest that names it; NULL: not said */
        char *predicate_type; /* of an attestation, what it attests; NULL: not said */
        char *title;          /* a file's name, as it was given; NULL: not said */
        const char *format;   /* "spdx" or "cyclonedx"; NULL: neither, as far as the types say */
        char *from;           /* "referrers", "index", or the tag that names the manifest */
        Digest digest;
        uint64_t size;        /* bytes, as it was given */
        Digest manifest;      /* what names it: itself where it is a manifest without documents */
        Digest subject;       /* what it is attached to: the image's manifest, or the index that leads to it */
} Attachment;

typedef struct Attachments {
        Attachment *items;
        size_t n;
} Attachments;

void attachments_clear(Attachments *attachments);
#define _cleanup_attachments_ _cleanup_(attachments_clear)

/** Whose attachments */
typedef struct AttachedRequest {
        const struct RegistryOptions *registry;
        const char *name;       /* of the image in its registry, in full */
        const Digest *manifest; /* of its image for one platform */
} AttachedRequest;

typedef struct ImageEngine {
        const char *gzip, *zstd; /* library and version */
        unsigned workers;        /* layers at once, when nothing else is said */
} ImageEngine;

typedef struct PruneResult {
        uint64_t blobs, layers, images, temporary; /* how many were removed (or would be) */
        uint64_t bytes;
} PruneResult;

typedef struct ImageModule {
        unsigned version; /* IMAGE_MODULE_VERSION; first member, see module.h */

        /**
         * import() - bring images into the store; all blobs, sizes and diffIDs are verified, nothing is visible before. The layers are
         * checked by decompressing them, not unpacked. A failure leaves the store as it was.
         *
         * Errors: FileError, InvalidJson, InvalidSpec, DigestMismatch, ImageNotFound (no such platform or name), NotSupported,
         * InvalidArgument, Interrupted
         */
        int (*import)(Store *store, const ImportRequest *request, const ImageProgress *progress, ImportedImage **ret, size_t *ret_n, Error *err);

        /**
         * receive() - bring an image into the store from a source of blobs, in one pass: what is read is hashed, kept, decompressed, hashed
         * and, when it is to be, unpacked at once, several layers at a time. What was there already is not asked for again, nor what an
         * earlier call that was cut off had got: half a blob is continued. Nothing is visible before all is verified and synced.
         *
         * Errors: what the source fails with, InvalidJson, InvalidSpec, DigestMismatch, ImageNotFound (no such platform), FileError,
         * NotSupported, Interrupted, OutOfMemory
         */
        int (*receive)(Store *store, const ReceiveRequest *request, const ImageProgress *progress, ImportedImage *ret, Error *err);

        /**
         * resolve() - from a manifest or index descriptor of index.json to a StoreImage: verifies manifest and config by digest, chooses
         * the platform, computes chainIDs, saves images/HEX.json. Images that skopeo or umoci put there get here first.
         *
         * @ret_manifest: the manifest's own descriptor; may be NULL
         */
        int (*resolve)(Store *store, const Descriptor *descriptor, const Platform *platform, StoreImage **ret, Descriptor *ret_manifest,
                       Error *err);

        /**
         * unpack() - make sure every layer of an image is unpacked; each is made once, whoever else asks at the same time. Digest of the blob
         * and diffID are checked while it unpacks.
         */
        int (*unpack)(Store *store, const StoreImage *image, const UnpackRequest *request, const ImageProgress *progress, Error *err);

        /**
         * copy() - an image from anywhere to anywhere but the store; every digest stays what it is, but in a docker-archive, whose layers are
         * not compressed
         * @ret: name: of the target, may be NULL; manifest: what was copied
         */
        int (*copy)(Store *store, const CopyRequest *request, const ImageProgress *progress, ImportedImage *ret, Error *err);

        /** describe() - an image in a registry, from its documents alone; free the three */
        int (*describe)(const struct RegistryOptions *registry, const char *name, const Platform *platform, StoreImage **ret,
                        ImageConfig **ret_config, char **ret_name, Error *err);

        /**
         * attached() - the documents that a registry keeps beside an image, of all kinds but cosign's signatures
         * @ret: in the order they are found; none is no error; attachments_clear()
         *
         * Looked for are the referrers of the image's manifest and of the index that its name means, while that has the manifest; cosign's tags
         * sha256-HEX.sbom and .att; and what an index says to be an attestation of the manifest. Errors: RegistryError (too many, malformed),
         * NotSupported, those of RegistryModule
         */
        int (*attached)(const AttachedRequest *request, Attachments *ret, Error *err);

        /** attached_read() - one of them, verified, at most ATTACHED_SIZE_MAX; free(). Errors: DigestMismatch, those of RegistryModule */
        int (*attached_read)(const AttachedRequest *request, const Attachment *attachment, char **ret, size_t *ret_len, Error *err);

        /**
         * verify() - every blob of an image by digest and size, each layer by diffID; one result per item. A layer whose blob was not kept is
         * checked as verify_layers() does. -1 only when it could not be checked
         */
        int (*verify)(Store *store, const StoreImage *image, const ImageProgress *progress, VerifyResult **ret, size_t *ret_n, Error *err);

        /** verify_layers() - unpacked layers by their records and their places in the chain; one result each, in their order */
        int (*verify_layers)(Store *store, const Digest *layers, size_t n, VerifyResult **ret, Error *err);

        /** engine() - what does the work */
        void (*engine)(ImageEngine *ret);

        /** prune() - remove blobs, layers, image records and leftovers that no name and no container refers to; never what is mounted */
        int (*prune)(Store *store, bool dry_run, PruneResult *ret, Error *err);
} ImageModule;

/** image_module() - load the module on first use. NULL with @err set when it cannot be loaded */
const ImageModule *image_module(Error *err);
