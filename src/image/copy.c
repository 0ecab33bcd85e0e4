/* Walking an image from its root down, so that what refers comes after what it refers to. */

#include "image/copy.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "image/describe.h"

#define COPY_SIZE   (256u << 10) /* bytes at a time */
#define DEPTH_MAX   4            /* indexes within indexes; this program's own cap */

static const CopyTargetKind *const kinds[] = { &copy_to_registry, &copy_to_layout, &copy_to_layout_archive, &copy_to_docker_archive };

void copy_report(const Copy *copy, const Descriptor *blob, uint64_t done) {
        if (copy->progress && copy->progress->report)
                copy->progress->report(copy->progress->userdata, "copy", blob->digest.text, done, blob->size);
}

static int check_cancelled(const Copy *copy, Error *err) {
        if (copy->progress && copy->progress->cancelled && *copy->progress->cancelled)
                return error_set(err, ERROR_INTERRUPTED, "interrupted");
        return 0;
}

/* From a registry, into a file that has no name, and is gone with its descriptor. */
static int fetch(Copy *copy, const Descriptor *blob, int *ret_fd, Error *err) {
        const BlobSource source = remote_source(&copy->source.remote);
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        _cleanup_free_ void *buffer = malloc(COPY_SIZE);
        _cleanup_close_ int fd = -EBADF;
        char hex[SHA256_HEX_MAX];
        void *reader;
        size_t n = 0;
        int r;

        if (!buffer)
                return error_oom(err);
        if (sha256_new(&hash, err) < 0)
                return -1;
        fd = openat(store_tmp_fd(copy->store), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a temporary file in the store '%s'", store_path(copy->store));
        if (source.open(source.userdata, blob, 0, &reader, err) < 0)
                return -1;
        while ((r = source.read(reader, buffer, COPY_SIZE, &n, err)) == 0 && n > 0) {
                sha256_update(hash, buffer, n);
                r = check_cancelled(copy, err) < 0 ? -1 : fd_write_all(fd, buffer, n, err);
                if (r < 0)
                        break;
        }
        source.close(reader);
        if (r < 0)
                return -1;
        sha256_final(hash, hex);
        if (strcmp(hex, digest_hex(&blob->digest)))
                return error_set(err, ERROR_DIGEST_MISMATCH, "blob %s has the digest sha256:%s", blob->digest.text, hex);
        if (lseek(fd, 0, SEEK_SET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read a temporary file");
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* A file of a directory of blobs, if it is there with the right size. */
static int open_there(int dir_fd, const Descriptor *blob) {
        _cleanup_close_ int fd = openat(dir_fd, digest_hex(&blob->digest), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t) st.st_size != blob->size)
                return -1;
        return TAKE_FD(fd);
}

int copy_blob_open(Copy *copy, const Descriptor *blob, int *ret_fd, Error *err) {
        const bool remote = copy->source.remote.registry != NULL;
        const int fd = open_there(remote ? store_blobs_fd(copy->store) : copy->source.blobs_fd, blob);

        if (fd >= 0) {
                *ret_fd = fd;
                return 0;
        }
        if (remote)
                return fetch(copy, blob, ret_fd, err);
        return error_set(err, ERROR_IMAGE_NOT_FOUND, "blob %s is not there, or not of its size", blob->digest.text);
}

int copy_file(Copy *copy, const Descriptor *blob, int fd, Error *err) {
        _cleanup_(sha256_freep) Sha256 *hash = NULL;
        _cleanup_free_ char *buffer = malloc(COPY_SIZE);
        _cleanup_close_ int from = -EBADF;
        char hex[SHA256_HEX_MAX];
        uint64_t done = 0;
        ssize_t n;

        if (!buffer)
                return error_oom(err);
        if (copy_blob_open(copy, blob, &from, err) < 0 || sha256_new(&hash, err) < 0)
                return -1;
        while ((n = read(from, buffer, COPY_SIZE)) > 0) {
                sha256_update(hash, buffer, (size_t) n);
                if (check_cancelled(copy, err) < 0 || fd_write_all(fd, buffer, (size_t) n, err) < 0)
                        return -1;
                done += (uint64_t) n;
                copy_report(copy, blob, done);
        }
        if (n < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read blob %s", blob->digest.text);
        sha256_final(hash, hex);
        if (done != blob->size || strcmp(hex, digest_hex(&blob->digest)))
                return error_set(err, ERROR_DIGEST_MISMATCH, "blob %s has the digest sha256:%s", blob->digest.text, hex);
        return 0;
}

static int read_document(void *userdata, const Descriptor *blob, size_t max, const char *what, char **ret, size_t *ret_len, Error *err) {
        Copy *copy = userdata;
        Descriptor document = *blob;

        /* What an index calls an artifact is a manifest all the same. */
        if (document.type == MEDIA_UNKNOWN)
                document.type = MEDIA_MANIFEST;
        if (copy->source.remote.registry)
                return remote_read(&copy->source.remote, &document, max, what, ret, ret_len, err);
        return blob_read_verified(copy->source.blobs_fd, blob, max, what, ret, ret_len, err);
}

static int copy_blob(Copy *copy, const json_t *json, Error *err) {
        Descriptor blob;

        if (descriptor_parse(json, "a manifest's blob", &blob, err) < 0 || check_cancelled(copy, err) < 0)
                return -1;
        return copy->kind->blob(copy->target, copy, &blob, err);
}

/* Config and layers, whatever they are: an index may hold attestations beside its images. */
static int copy_blobs(Copy *copy, const json_t *manifest, Error *err) {
        json_t *layer;
        size_t i;

        if (json_object_get(manifest, "config") && copy_blob(copy, json_object_get(manifest, "config"), err) < 0)
                return -1;
        json_array_foreach(json_object_get(manifest, "layers"), i, layer)
                if (copy_blob(copy, layer, err) < 0)
                        return -1;
        return 0;
}

static int judge(const Copy *copy, const Descriptor *manifest, Error *err) {
        const ImageJudge *judge = copy->request->judge;

        if (!judge || !copy->source.origin.transport)
                return 0;
        return judge->judge(judge->userdata, &copy->source.origin, &manifest->digest, err);
}

/* An image that no index led to is for the platform that was asked for, too. */
static int check_platform(Copy *copy, const Manifest *manifest, Error *err) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        _cleanup_free_ char *data = NULL;
        size_t len;

        if (!copy->request->platform)
                return 0;
        if (read_document(copy, &manifest->config, IMAGE_CONFIG_SIZE_MAX, "config", &data, &len, err) < 0 ||
            image_config_parse(data, len, "config", &config, err) < 0)
                return -1;
        return platform_check(copy->request->platform, &(Platform) { config->os, config->architecture, config->variant }, err);
}

static int give(Copy *copy, const Descriptor *document, const char *data, size_t len, bool root, Error *err) {
        if (root)
                copy->copied = document->digest;
        return copy->kind->document(copy->target, copy, document, data, len, root, err);
}

static int copy_document(Copy *copy, const Descriptor *document, bool root, unsigned depth, Error *err);

static int copy_index(Copy *copy, const Descriptor *document, const char *data, size_t len, bool root, unsigned depth, Error *err) {
        _cleanup_(index_freep) Index *index = NULL;
        const IndexEntry *chosen;

        if (index_parse(data, len, document->type, "index", &index, err) < 0)
                return -1;
        if (depth == DEPTH_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "more than %d indexes within each other", DEPTH_MAX);
        if (!copy->request->all_platforms) {
                if (index_choose(index, copy->request->platform, "index", &chosen, err) < 0)
                        return -1;
                return copy_document(copy, &chosen->descriptor, root, depth + 1, err);
        }
        for (size_t i = 0; i < index->n_entries; i++)
                if (copy_document(copy, &index->entries[i].descriptor, false, depth + 1, err) < 0)
                        return -1;
        return give(copy, document, data, len, root, err);
}

static int copy_document(Copy *copy, const Descriptor *document, bool root, unsigned depth, Error *err) {
        _cleanup_(manifest_freep) Manifest *manifest = NULL;
        _cleanup_free_ char *data = NULL;
        _cleanup_json_ json_t *json = NULL;
        Descriptor typed = *document;
        const char *own;
        size_t len;

        if (read_document(copy, document, MANIFEST_SIZE_MAX, "manifest", &data, &len, err) < 0)
                return -1;
        if (document->type == MEDIA_INDEX)
                return copy_index(copy, document, data, len, root, depth, err);
        if (json_parse(data, len, "manifest", &json, err) < 0)
                return -1;
        /* The root is an image; what an index lists beside its images goes along as it is. */
        if (root && manifest_parse(data, len, document->type, "manifest", &manifest, err) < 0)
                return -1;
        own = json_string_value(json_object_get(json, "mediaType"));
        if (typed.type == MEDIA_UNKNOWN || own) {
                typed.type = own ? media_type_parse(own) : MEDIA_MANIFEST;
                typed.docker = media_type_is_docker(own);
        }
        if (judge(copy, document, err) < 0 || (manifest && depth == 0 && check_platform(copy, manifest, err) < 0) ||
            copy_blobs(copy, json, err) < 0)
                return -1;
        return give(copy, &typed, data, len, root, err);
}

static void copy_clear(Copy *copy) {
        if (copy->target)
                copy->kind->close(copy->target);
        copy_source_clear(&copy->source);
}

int image_copy(Store *store, const CopyRequest *request, const ImageProgress *progress, ImportedImage *ret, Error *err) {
        _cleanup_(copy_clear) Copy copy = { .store = store, .request = request, .progress = progress };
        _cleanup_close_ int gc = -EBADF;
        const char *text = NULL;
        char *name = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (!strncmp(request->target, kinds[i]->prefix, strlen(kinds[i]->prefix))) {
                        copy.kind = kinds[i];
                        text = request->target + strlen(kinds[i]->prefix);
                }
        if (!copy.kind)
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is no place that can be copied to", request->target);
        if (request->all_platforms && copy.kind->needs_manifest)
                return error_set(err, ERROR_NOT_SUPPORTED, "%s holds images of one platform each", copy.kind->prefix);
        if (store_lock(store, "gc", false, true, &gc, err) < 0 || copy_source_open(store, request, progress, &copy.source, err) < 0)
                return error_prefix(err, "'%s'", request->source);
        if (request->all_platforms && copy.source.one_platform)
                return error_set(err, ERROR_NOT_SUPPORTED, "'%s': of an archive, one platform's image is copied", request->source);
        if (copy.kind->open(&copy, text, &copy.target, err) < 0 || copy_document(&copy, &copy.source.root, true, 0, err) < 0 ||
            (copy.kind->finish && copy.kind->finish(copy.target, &copy, &name, err) < 0)) {
                (void) remote_failed(&copy.source.remote, err);
                return error_prefix(err, "copy '%s' to '%s'", request->source, request->target);
        }
        *ret = (ImportedImage) { .name = name, .manifest = copy.copied };
        return 0;
}
