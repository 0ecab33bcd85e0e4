/* Where a copy comes from: a registry, the store, a layout as it lies there, or an archive that is taken apart first. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "image/copy.h"

#define DOCKER "docker://"

void copy_source_clear(CopySource *source) {
        if (source->owns_fd)
                closep(&source->blobs_fd);
        free(source->name);
        remote_close(&source->remote);
        staged_images_clear(&source->images);
        if (source->staging.tmp_name)
                staging_close(&source->staging);
        free((char *) source->request.source);
}

static int open_remote(const CopyRequest *request, const char *text, CopySource *ret, Error *err) {
        if (remote_open(request->from, text, &ret->remote, err) < 0)
                return -1;
        ret->root = ret->remote.root.descriptor;
        ret->origin = (ImageOrigin) { .transport = "docker", .name = ret->remote.name, .registry = ret->remote.registry };
        return reference_format(ret->remote.name, &ret->name, err);
}

static int open_stored(Store *store, const char *text, CopySource *ret, Error *err) {
        StoreName name = { 0 };

        if (store_name_find(store, text, &name, err) < 0)
                return -1;
        ret->root = name.descriptor;
        ret->blobs_fd = store_blobs_fd(store);
        ret->name = TAKE(name.name);
        store_name_clear(&name);
        return 0;
}

/* "PATH[:NAME]", the longest path that exists. */
static int open_path(const char *text, int *ret_fd, char **ret_name, Error *err) {
        _cleanup_free_ char *path = NULL;

        if (string_copy(text, &path, err) < 0)
                return -1;
        for (;;) {
                const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                char *colon = strrchr(path, ':');

                if (fd >= 0) {
                        *ret_fd = fd;
                        return text[strlen(path)] ? string_copy(text + strlen(path) + 1, ret_name, err) : 0;
                }
                if (errno != ENOENT || !colon)
                        return error_set_errno(err, ERROR_FILE, errno, "open '%s'", text);
                *colon = '\0';
        }
}

/* Layouts keep no signatures. */
static int judge_layout(const CopyRequest *request, int dir_fd, Error *err) {
        _cleanup_free_ char *path = NULL;

        if (!request->judge)
                return 0;
        if (fd_get_path(dir_fd, &path, err) < 0)
                return -1;
        return request->judge->judge(request->judge->userdata, &(ImageOrigin) { .transport = "oci", .path = path }, NULL, err);
}

static int open_layout(const CopyRequest *request, const char *text, CopySource *ret, Error *err) {
        _cleanup_(index_freep) Index *index = NULL;
        _cleanup_free_ char *data = NULL, *name = NULL;
        const IndexEntry *found = NULL;
        _cleanup_close_ int dir = -EBADF;
        size_t len;

        if (open_path(text, &dir, &name, err) < 0 || judge_layout(request, dir, err) < 0)
                return -1;
        if (file_read_at(dir, "index.json", INDEX_SIZE_MAX, &data, &len, err) < 0 ||
            index_parse(data, len, MEDIA_INDEX, "index.json", &index, err) < 0)
                return error_prefix(err, "'%s'", text);
        for (size_t i = 0; i < index->n_entries; i++) {
                if (!name_is_wanted(index->entries[i].ref_name, name))
                        continue;
                if (found && !digest_equal(&found->descriptor.digest, &index->entries[i].descriptor.digest)) {
                        error_set(err, ERROR_INVALID_ARGUMENT, "'%s' has several images", text);
                        return error_hint(err, "name one of them: oci:DIR:NAME");
                }
                found = &index->entries[i];
        }
        if (!found)
                return error_set(err, ERROR_IMAGE_NOT_FOUND, "'%s' has no such image", text);
        ret->blobs_fd = openat(dir, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (ret->blobs_fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s/blobs/sha256'", text);
        ret->owns_fd = true;
        ret->root = found->descriptor;
        return string_copy(found->ref_name, &ret->name, err);
}

static int open_archive(Store *store, const CopyRequest *request, const ImageProgress *progress, CopySource *ret, Error *err) {
        static const ImageProgress silent = { 0 };
        char *source;

        if (string_copy(request->source, &source, err) < 0)
                return -1;
        ret->request = (ImportRequest) {
                .source = source,
                .platform = request->platform,
                .unpacked_max = request->unpacked_max,
                .judge = request->judge,
        };
        if (image_stage(store, &ret->request, progress ?: &silent, &ret->staging, &ret->images, err) < 0)
                return -1;
        ret->root = ret->images.items[0].manifest;
        ret->blobs_fd = ret->staging.blobs_fd;
        ret->one_platform = true;
        return string_copy(ret->images.items[0].name, &ret->name, err);
}

static bool begins(const char *text, const char *prefix) {
        return !strncmp(text, prefix, strlen(prefix));
}

int copy_source_open(Store *store, const CopyRequest *request, const ImageProgress *progress, CopySource *ret, Error *err) {
        const char *text = request->source;

        *ret = (CopySource) { .blobs_fd = -EBADF, .staging = STAGING_INIT };
        if (begins(text, DOCKER))
                return open_remote(request, text + strlen(DOCKER), ret, err);
        if (begins(text, "oci:"))
                return open_layout(request, text + strlen("oci:"), ret, err);
        if (begins(text, "oci-archive:") || begins(text, "docker-archive:") || begins(text, "dir:"))
                return open_archive(store, request, progress, ret, err);
        return open_stored(store, text, ret, err);
}
