/* What kind of thing is to be imported, under which names, and all or nothing of it. */

#include "image/import.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "oci/reference.h"

typedef enum SourceKind {
        SOURCE_DETECT,
        SOURCE_LAYOUT,
        SOURCE_ARCHIVE, /* of either kind below */
        SOURCE_LAYOUT_ARCHIVE,
        SOURCE_DOCKER_ARCHIVE,
        SOURCE_ROOTFS,
} SourceKind;

static const struct {
        const char *prefix;
        SourceKind kind;
        bool selects; /* "PREFIX:PATH:NAME" names one image of several */
} prefixes[] = {
        { "oci:", SOURCE_LAYOUT, true },
        { "oci-archive:", SOURCE_LAYOUT_ARCHIVE, true },
        { "docker-archive:", SOURCE_DOCKER_ARCHIVE, true },
        { "dir:", SOURCE_ROOTFS, false },
};

/** A source, opened */
typedef struct Source {
        SourceKind kind;
        char *path;
        char *selector; /* NULL: none */
        int fd;
        struct stat st;
} Source;

static void source_clear(Source *source) {
        free(source->path);
        free(source->selector);
        closep(&source->fd);
}

static int try_open(const char *path, int *ret_fd) {
        /* O_NONBLOCK: a FIFO must not hang us; it is refused by its type. */
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

        if (fd < 0)
                return -1;
        *ret_fd = fd;
        return 0;
}

/* A path may have colons of its own: the longest one that exists is the path, the rest is the name. */
static int split_selector(Source *source, Error *err) {
        if (try_open(source->path, &source->fd) == 0)
                return 0;
        for (char *colon = strrchr(source->path, ':'); colon && errno == ENOENT;) {
                char *before;

                *colon = '\0';
                if (try_open(source->path, &source->fd) == 0)
                        return string_copy(colon + 1, &source->selector, err);
                before = strrchr(source->path, ':');
                *colon = ':';
                colon = before;
        }
        return error_set_errno(err, ERROR_FILE, errno, "open '%s'", source->path);
}

static int source_open(const char *text, Source *ret, Error *err) {
        const char *path = text;
        bool selects = false;

        *ret = (Source) { .fd = -EBADF };
        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                if (!strncmp(text, prefixes[i].prefix, strlen(prefixes[i].prefix))) {
                        path = text + strlen(prefixes[i].prefix);
                        ret->kind = prefixes[i].kind;
                        selects = prefixes[i].selects;
                        break;
                }
        if (string_copy(path, &ret->path, err) < 0)
                return -1;
        if (selects) {
                if (split_selector(ret, err) < 0)
                        return -1;
        } else if (try_open(path, &ret->fd) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", path);
        if (fstat(ret->fd, &ret->st) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "stat '%s'", path);
        if (!S_ISREG(ret->st.st_mode) && !S_ISDIR(ret->st.st_mode))
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is neither a file nor a directory", path);
        return 0;
}

static bool has_file(int dir_fd, const char *name) {
        return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int detect_directory(Source *source, Error *err) {
        static const char *const typical[] = { "bin", "etc", "lib", "sbin", "usr" };

        if (has_file(source->fd, "oci-layout") || has_file(source->fd, "index.json")) {
                source->kind = SOURCE_LAYOUT;
                return 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(typical); i++)
                if (has_file(source->fd, typical[i])) {
                        source->kind = SOURCE_ROOTFS;
                        return 0;
                }
        error_set(err, ERROR_INVALID_ARGUMENT, "'%s' looks neither like an OCI layout nor like a root filesystem", source->path);
        return error_hint(err, "say which it is: oci:%s or dir:%s", source->path, source->path);
}

static int detect(Source *source, Error *err) {
        bool rootfs;

        if (S_ISDIR(source->st.st_mode))
                return detect_directory(source, err);
        if (archive_is_rootfs(source->fd, source->path, &rootfs, err) < 0)
                return -1;
        source->kind = rootfs ? SOURCE_ROOTFS : SOURCE_ARCHIVE;
        return 0;
}

/* A prefix may promise a directory where there is a file. */
static int check_type(const Source *source, Error *err) {
        bool directory = S_ISDIR(source->st.st_mode);

        if (source->kind == SOURCE_LAYOUT && !directory)
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is not a directory", source->path);
        if (source->kind != SOURCE_LAYOUT && source->kind != SOURCE_ROOTFS && directory)
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is a directory, not an archive", source->path);
        return 0;
}

/* Of all these kinds none keeps signatures. */
static int judge(const Staging *staging, const Source *source, const char *transport, Error *err) {
        const ImageJudge *judge = staging->request->judge;
        const ImageOrigin origin = { .transport = transport, .path = source->path };

        return judge ? judge->judge(judge->userdata, &origin, NULL, err) : 0;
}

/* Docker writes archives that are both kinds at once; the layout has the digests. */
static int stage_archive(Staging *staging, const Source *source, StagedImages *ret, Error *err) {
        _cleanup_(members_clear) Members members = MEMBERS_INIT;
        const LayoutSource layout = { .open = members_open, .userdata = &members, .what = source->path, .selector = source->selector };

        if ((source->kind == SOURCE_LAYOUT_ARCHIVE && judge(staging, source, "oci-archive", err) < 0) ||
            (source->kind == SOURCE_DOCKER_ARCHIVE && judge(staging, source, "docker-archive", err) < 0) ||
            members_extract(staging, source->fd, source->path, &members, err) < 0)
                return -1;
        if (source->kind == SOURCE_ARCHIVE &&
            judge(staging, source, members_find(&members, "index.json") ? "oci-archive" : "docker-archive", err) < 0)
                return -1;
        if (source->kind == SOURCE_LAYOUT_ARCHIVE || (source->kind == SOURCE_ARCHIVE && members_find(&members, "index.json")))
                return import_layout(staging, &layout, ret, err);
        if (source->kind == SOURCE_ARCHIVE && !members_find(&members, "manifest.json")) {
                error_set(err, ERROR_INVALID_SPEC, "'%s' has neither index.json nor manifest.json", source->path);
                return error_hint(err, "if it is the tar of a root filesystem, say so: dir:%s", source->path);
        }
        return import_docker(staging, &members, source->path, source->selector, ret, err);
}

static int stage_source(Staging *staging, const Source *source, StagedImages *ret, Error *err) {
        const bool directory = S_ISDIR(source->st.st_mode);

        if ((source->kind == SOURCE_LAYOUT && judge(staging, source, "oci", err) < 0) ||
            (source->kind == SOURCE_ROOTFS && judge(staging, source, directory ? "dir" : "tarball", err) < 0))
                return -1;
        if (source->kind == SOURCE_LAYOUT)
                return import_layout_directory(staging, source->fd, source->path, source->selector, ret, err);
        if (source->kind != SOURCE_ROOTFS)
                return stage_archive(staging, source, ret, err);
        if (directory)
                return import_rootfs_directory(staging, source->fd, source->path, ret, err);
        return import_rootfs_tar(staging, source->fd, source->path, ret, err);
}

/* The full normalised name when the text reads as a reference, else the text. */
static int store_name_of(const char *text, const Digest *manifest, char **ret, Error *err) {
        _cleanup_(reference_freep) Reference *reference = NULL;

        if (reference_parse(text, &reference, NULL) < 0)
                return string_copy(text, ret, err);
        if (reference->has_digest && !digest_equal(&reference->digest, manifest))
                return error_set(err, ERROR_DIGEST_MISMATCH, "'%s' names another digest than the image's, %s", text, manifest->text);
        return reference_format(reference, ret, err);
}

static void keep_one(StagedImages *images, size_t i) {
        StagedImage chosen = images->items[i];

        images->items[i] = images->items[0];
        images->items[0] = chosen;
        while (images->n > 1)
                staged_image_clear(&images->items[--images->n]);
}

static bool are_one(const StagedImages *images) {
        for (size_t i = 1; i < images->n; i++)
                if (!digest_equal(&images->items[i].manifest.digest, &images->items[0].manifest.digest))
                        return false;
        return true;
}

/* Drops all images but the one the request's name selects, when the source has several. */
static int choose(const ImportRequest *request, const char *path, StagedImages *images, Error *err) {
        if (images->n <= 1 || request->all_names)
                return 0;
        for (size_t i = 0; request->name && i < images->n; i++)
                if (name_is_wanted(images->items[i].name, request->name)) {
                        keep_one(images, i);
                        return 0;
                }
        /* One image of several names keeps them all, unless it gets another. */
        if (are_one(images)) {
                if (request->name)
                        keep_one(images, 0);
                return 0;
        }
        error_set(err, ERROR_INVALID_ARGUMENT, "'%s' has %zu images", path, images->n);
        return error_hint(err, "name one of them, or take all (--all)");
}

static bool has_sibling(const StagedImages *images, size_t i) {
        for (size_t j = 0; j < i; j++)
                if (digest_equal(&images->items[j].manifest.digest, &images->items[i].manifest.digest))
                        return true;
        return false;
}

/* Sources that cannot tell before they were read which layers they have: those are in the staging area now. */
static int unpack_staged(Staging *staging, StagedImages *images, Error *err) {
        for (size_t i = 0; staging->request->unpack && i < images->n; i++)
                if (!images->items[i].layers && !has_sibling(images, i) &&
                    staging_add_layers(staging, images->items[i].image, NULL, NULL, &images->items[i].layers, err) < 0)
                        return -1;
        return 0;
}

/* What was unpacked needs no blob any more. */
static void drop_blobs(const Staging *staging, const StagedImages *images) {
        for (size_t i = 0; staging->request->unpack && staging->request->drop_blobs && i < images->n; i++)
                for (size_t l = 0; l < images->items[i].image->n_layers; l++)
                        (void) unlinkat(staging->blobs_fd, digest_hex(&images->items[i].image->layers[l].digest), 0);
}

/* All blobs are in the store: now layers and names. */
static int publish(Store *store, const StagedImages *images, const ImportedImage *named, Error *err) {
        for (size_t i = 0; i < images->n; i++)
                if (images->items[i].layers && layer_batch_publish(images->items[i].layers, err) < 0)
                        return -1;
        for (size_t i = 0; i < images->n; i++)
                if (store_image_save(store, images->items[i].image, err) < 0)
                        return -1;
        if (fault_point("image.middle", err) < 0)
                return -1;
        for (size_t i = 0; i < images->n; i++)
                if (store_name_set(store, named[i].name, &images->items[i].manifest, err) < 0)
                        return -1;
        return 0;
}

static int name_images(const ImportRequest *request, const char *path, const StagedImages *images, ImportedImage *ret, Error *err) {
        for (size_t i = 0; i < images->n; i++) {
                const StagedImage *item = &images->items[i];
                const char *name = images->n == 1 && request->name ? request->name : item->name;

                if (!name) {
                        error_set(err, ERROR_INVALID_ARGUMENT, "'%s' does not say how its image is called", path);
                        return error_hint(err, "give a name: image import %s NAME", request->source);
                }
                if (store_name_of(name, &item->manifest.digest, &ret[i].name, err) < 0)
                        return -1;
                ret[i].manifest = item->manifest.digest;
                ret[i].size = item->image->size;
        }
        return 0;
}

int image_import(Store *store, const ImportRequest *request, const ImageProgress *progress, ImportedImage **ret, size_t *ret_n,
                 Error *err) {
        static const ImageProgress silent = { 0 };
        _cleanup_(source_clear) Source source = { .fd = -EBADF };
        _cleanup_staged_images_ StagedImages images = { 0 };
        _cleanup_staging_ Staging staging = STAGING_INIT;
        _cleanup_close_ int gc = -EBADF;
        ImportedImage *named;
        int r;

        if (source_open(request->source, &source, err) < 0 || (source.kind == SOURCE_DETECT && detect(&source, err) < 0) ||
            check_type(&source, err) < 0)
                return -1;
        if (store_lock(store, "gc", false, true, &gc, err) < 0)
                return -1;
        if (staging_open(store, request, progress ?: &silent, &staging, err) < 0 || stage_source(&staging, &source, &images, err) < 0 ||
            choose(request, source.path, &images, err) < 0)
                return -1;

        named = calloc(images.n, sizeof(*named));
        if (!named)
                return error_oom(err);
        if (name_images(request, source.path, &images, named, err) < 0) {
                imported_images_free(named, images.n);
                return -1;
        }
        r = unpack_staged(&staging, &images, err);
        if (r == 0)
                drop_blobs(&staging, &images);
        if (r < 0 || staging_sync(&staging, err) < 0 || staging_commit(&staging, err) < 0 ||
            publish(store, &images, named, err) < 0) {
                staging_rollback(&staging);
                imported_images_free(named, images.n);
                return -1;
        }
        *ret = named;
        *ret_n = images.n;
        return 0;
}

int image_stage(Store *store, const ImportRequest *request, const ImageProgress *progress, Staging *ret_staging, StagedImages *ret,
                Error *err) {
        _cleanup_(source_clear) Source source = { .fd = -EBADF };
        _cleanup_staged_images_ StagedImages images = { 0 };
        _cleanup_staging_ Staging staging = STAGING_INIT;

        if (source_open(request->source, &source, err) < 0 || (source.kind == SOURCE_DETECT && detect(&source, err) < 0) ||
            check_type(&source, err) < 0 || staging_open(store, request, progress, &staging, err) < 0 ||
            stage_source(&staging, &source, &images, err) < 0 || choose(request, source.path, &images, err) < 0)
                return -1;
        *ret_staging = staging;
        staging = STAGING_INIT;
        *ret = images;
        images = (StagedImages) { 0 };
        return 0;
}
