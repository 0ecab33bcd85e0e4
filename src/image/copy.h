#pragma once

/* Copying images between registries, layouts, archives and the store; each kind of target has a file of its own. */

#include "image/import.h"
#include "image/remote.h"

typedef struct Copy Copy;

/** Where an image comes from */
typedef struct CopySource {
        Descriptor root; /* a manifest or an index */
        char *name;      /* the source's own; NULL: none */
        int blobs_fd;    /* directory of blobs named by their hex digits; borrowed from one of those below, or owned */
        bool owns_fd;
        Remote remote;   /* of docker:// */
        Staging staging; /* of an archive */
        StagedImages images;
        ImportRequest request;
        ImageOrigin origin; /* what a judge is told; no transport: what the store has, or what was judged when it was staged */
        bool one_platform; /* the source holds no index: an archive is staged for one platform */
} CopySource;

void copy_source_clear(CopySource *source);
int copy_source_open(Store *store, const CopyRequest *request, const ImageProgress *progress, CopySource *ret, Error *err);

/** Where an image goes. A table for each kind */
typedef struct CopyTargetKind {
        const char *prefix;  /* "oci:" */
        bool needs_manifest; /* it can't take an index */
        /** open() - @text: what follows the prefix */
        int (*open)(Copy *copy, const char *text, void **ret, Error *err);
        /** blob() - a config or layer; copy_blob_open() gives its bytes, if they are needed */
        int (*blob)(void *target, Copy *copy, const Descriptor *blob, Error *err);
        /** document() - after all that it names. @root: the one that gets the name */
        int (*document)(void *target, Copy *copy, const Descriptor *document, const char *data, size_t len, bool root, Error *err);
        int (*finish)(void *target, Copy *copy, char **ret_name, Error *err); /* may be NULL */
        void (*close)(void *target); /* after a failure, what was begun goes */
} CopyTargetKind;

extern const CopyTargetKind copy_to_registry, copy_to_layout, copy_to_layout_archive, copy_to_docker_archive;

struct Copy {
        Store *store;
        const CopyRequest *request;
        const ImageProgress *progress;
        CopySource source;
        const CopyTargetKind *kind;
        void *target;
        Digest copied; /* of the document that got the name */
};

/** copy_blob_open() - a blob of the source as a file, from its beginning; one from a registry is fetched and verified here */
int copy_blob_open(Copy *copy, const Descriptor *blob, int *ret_fd, Error *err);

/** copy_file() - write all of a blob to @fd while its digest and size are checked */
int copy_file(Copy *copy, const Descriptor *blob, int fd, Error *err);

void copy_report(const Copy *copy, const Descriptor *blob, uint64_t done);

/** The module's copy() and describe(); see image.h */
int image_copy(Store *store, const CopyRequest *request, const ImageProgress *progress, ImportedImage *ret, Error *err);
int image_describe_remote(const RegistryOptions *registry, const char *text, const Platform *platform, StoreImage **ret,
                          ImageConfig **ret_config, char **ret_name, Error *err);

/** A tar that is written member by member, and appears under its name when it is whole */
typedef struct TarWriter TarWriter;

int tar_writer_open(const char *path, TarWriter **ret, Error *err);
/** tar_writer_begin() - a file of @size bytes, which are then given to tar_writer_data() */
int tar_writer_begin(TarWriter *writer, const char *name, uint64_t size, Error *err);
int tar_writer_data(TarWriter *writer, const void *data, size_t len, Error *err);
/** tar_writer_file() - a small file at once */
int tar_writer_file(TarWriter *writer, const char *name, const void *data, size_t len, Error *err);
int tar_writer_finish(TarWriter *writer, Error *err);
TarWriter *tar_writer_close(TarWriter *writer);

/** layout_index() - the text of an index.json with one image in place of another of its name. @old: NULL: none */
int layout_index(const json_t *old, const Descriptor *descriptor, const char *name, char **ret, Error *err);

#define LAYOUT_FILE "{\"imageLayoutVersion\":\"1.0.0\"}\n" /* of oci-layout; image-spec, image-layout.md */
