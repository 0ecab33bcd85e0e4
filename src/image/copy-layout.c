/* Copying to OCI layouts: a directory, which may hold other images, or an archive of one. Source: image-spec, image-layout.md */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "image/copy.h"

#define REF_NAME  "org.opencontainers.image.ref.name"
#define COPY_SIZE (256u << 10) /* bytes at a time */

typedef struct LayoutTarget {
        char *name; /* ref.name; NULL: none */
        int dir_fd, blobs_fd;
        TarWriter *tar; /* of an archive */
        char **written; /* hex digits of what is in it */
        Descriptor root;
} LayoutTarget;

int layout_index(const json_t *old, const Descriptor *descriptor, const char *name, char **ret, Error *err) {
        _cleanup_json_ json_t *index = old ? json_deep_copy(old) : json_pack("{s:i, s:s}", "schemaVersion", 2, "mediaType",
                                                                             media_type_name(MEDIA_INDEX));
        json_t *entry, *entries = json_object_get(index, "manifests");

        if (!index)
                return error_oom(err);
        if (!entries) {
                entries = json_array();
                if (json_object_set_new(index, "manifests", entries) < 0)
                        return error_oom(err);
        }
        for (size_t i = json_array_size(entries); i-- > 0;) {
                const json_t *annotations = json_object_get(json_array_get(entries, i), "annotations");
                const char *other = json_string_value(json_object_get(annotations, REF_NAME));

                if (name ? other && !strcmp(other, name) :
                           !other && !strcmp(json_string_value(json_object_get(json_array_get(entries, i), "digest")) ?: "",
                                             descriptor->digest.text))
                        (void) json_array_remove(entries, i);
        }
        if (descriptor_json(descriptor, &entry, err) < 0)
                return -1;
        if ((name && json_object_set_new(entry, "annotations", json_pack("{s:s}", REF_NAME, name)) < 0) ||
            json_array_append(entries, entry) < 0) {
                json_decref(entry);
                return error_set(err, ERROR_INVALID_ARGUMENT, "the image's name is not UTF-8");
        }
        json_decref(entry);
        return json_print(index, ret, err);
}

static void target_close(void *userdata) {
        LayoutTarget *target = userdata;

        closep(&target->dir_fd);
        closep(&target->blobs_fd);
        tar_writer_close(target->tar);
        strv_free(target->written);
        free(target->name);
        free(target);
}

/* "PATH[:NAME]"; without a NAME the source's own. */
static int split(const Copy *copy, const char *text, LayoutTarget *target, char **ret_path, Error *err) {
        const char *colon = strchr(text, ':');

        if (!text[0] || colon == text)
                return error_set(err, ERROR_INVALID_ARGUMENT, "a path is missing");
        if (string_copy(colon ? colon + 1 : copy->source.name, &target->name, err) < 0)
                return -1;
        return string_format(ret_path, err, "%.*s", (int) (colon ? (size_t) (colon - text) : strlen(text)), text);
}

static int target_new(void **ret, LayoutTarget **ret_target, Error *err) {
        LayoutTarget *target = calloc(1, sizeof(*target));

        if (!target)
                return error_oom(err);
        target->dir_fd = target->blobs_fd = -EBADF;
        *ret = *ret_target = target; /* closed by the caller, also after a failure */
        return 0;
}

/* Whether the directory is a layout; one that has something else in it is not touched. */
static int check_folder(LayoutTarget *target, const char *path, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        const struct dirent *first;

        if (faccessat(target->dir_fd, "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return 0;
        if (dir_read(target->dir_fd, &dir, err) < 0)
                return -1;
        first = dir_next(dir);
        if (first)
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is not empty, and no OCI layout", path);
        return file_write_atomic_at(target->dir_fd, "oci-layout", LAYOUT_FILE, strlen(LAYOUT_FILE), 0644, WRITE_DURABLE, err);
}

static int folder_open(Copy *copy, const char *text, void **ret, Error *err) {
        _cleanup_free_ char *path = NULL;
        LayoutTarget *target;

        if (target_new(ret, &target, err) < 0 || split(copy, text, target, &path, err) < 0 ||
            dir_make_at(AT_FDCWD, path, 0755, &target->dir_fd, err) < 0 || check_folder(target, path, err) < 0)
                return -1;
        return dir_make_at(target->dir_fd, "blobs/sha256", 0755, &target->blobs_fd, err);
}

static int folder_blob(void *userdata, Copy *copy, const Descriptor *blob, Error *err) {
        const LayoutTarget *target = userdata;
        _cleanup_free_ char *part = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r;

        if (fstatat(target->blobs_fd, digest_hex(&blob->digest), &st, AT_SYMLINK_NOFOLLOW) == 0 && (uint64_t) st.st_size == blob->size)
                return 0;
        if (string_format(&part, err, ".%s.%d.part", digest_hex(&blob->digest), (int) getpid()) < 0)
                return -1;
        fd = openat(target->blobs_fd, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create '%s'", part);
        r = copy_file(copy, blob, fd, err);
        if (r == 0 && (fsync(fd) < 0 || renameat(target->blobs_fd, part, target->blobs_fd, digest_hex(&blob->digest)) < 0))
                r = error_set_errno(err, ERROR_FILE, errno, "write blob %s", blob->digest.text);
        if (r < 0)
                (void) unlinkat(target->blobs_fd, part, 0);
        return r;
}

static int folder_document(void *userdata, Copy *copy, const Descriptor *document, const char *data, size_t len, bool root, Error *err) {
        LayoutTarget *target = userdata;

        if (root)
                target->root = *document;
        return file_write_atomic_at(target->blobs_fd, digest_hex(&document->digest), data, len, 0644, WRITE_DURABLE, err);
}

static int folder_finish(void *userdata, Copy *copy, char **ret_name, Error *err) {
        const LayoutTarget *target = userdata;
        _cleanup_json_ json_t *old = NULL;
        _cleanup_free_ char *text = NULL;
        Error cause = ERROR_INIT;

        if (json_load_at(target->dir_fd, "index.json", INDEX_SIZE_MAX, &old, &cause) < 0 && cause.errnum != ENOENT) {
                if (err)
                        *err = cause;
                return -1;
        }
        if (layout_index(old, &target->root, target->name, &text, err) < 0 ||
            file_write_atomic_at(target->dir_fd, "index.json", text, strlen(text), 0644, WRITE_DURABLE, err) < 0)
                return -1;
        copy->source.root = target->root;
        return string_copy(target->name, ret_name, err);
}

static int archive_open(Copy *copy, const char *text, void **ret, Error *err) {
        _cleanup_free_ char *path = NULL;
        LayoutTarget *target;

        if (target_new(ret, &target, err) < 0 || split(copy, text, target, &path, err) < 0 || tar_writer_open(path, &target->tar, err) < 0)
                return -1;
        return tar_writer_file(target->tar, "oci-layout", LAYOUT_FILE, strlen(LAYOUT_FILE), err);
}

/* Whether a member is new; it counts as written then. */
static int note_member(LayoutTarget *target, const Digest *digest, char ret_path[96], bool *ret_new, Error *err) {
        *ret_new = true;
        for (char **hex = target->written; hex && *hex && *ret_new; hex++)
                *ret_new = strcmp(*hex, digest_hex(digest)) != 0;
        snprintf(ret_path, 96, "blobs/sha256/%s", digest_hex(digest));
        return *ret_new ? strv_push(&target->written, digest_hex(digest), err) : 0;
}

static int archive_blob(void *userdata, Copy *copy, const Descriptor *blob, Error *err) {
        _cleanup_free_ char *buffer = malloc(COPY_SIZE);
        LayoutTarget *target = userdata;
        _cleanup_close_ int fd = -EBADF;
        uint64_t done = 0;
        char path[96];
        bool fresh;
        ssize_t n;

        if (!buffer)
                return error_oom(err);
        if (note_member(target, &blob->digest, path, &fresh, err) < 0)
                return -1;
        if (!fresh)
                return 0;
        if (copy_blob_open(copy, blob, &fd, err) < 0 || tar_writer_begin(target->tar, path, blob->size, err) < 0)
                return -1;
        while ((n = read(fd, buffer, COPY_SIZE)) > 0) {
                if (tar_writer_data(target->tar, buffer, (size_t) n, err) < 0)
                        return -1;
                done += (uint64_t) n;
                copy_report(copy, blob, done);
        }
        return n < 0 ? error_set_errno(err, ERROR_FILE, errno, "read blob %s", blob->digest.text) : 0;
}

static int archive_document(void *userdata, Copy *copy, const Descriptor *document, const char *data, size_t len, bool root, Error *err) {
        LayoutTarget *target = userdata;
        char path[96];
        bool fresh;

        if (root)
                target->root = *document;
        if (note_member(target, &document->digest, path, &fresh, err) < 0)
                return -1;
        return fresh ? tar_writer_file(target->tar, path, data, len, err) : 0;
}

static int archive_finish(void *userdata, Copy *copy, char **ret_name, Error *err) {
        const LayoutTarget *target = userdata;
        _cleanup_free_ char *text = NULL;

        if (layout_index(NULL, &target->root, target->name, &text, err) < 0 ||
            tar_writer_file(target->tar, "index.json", text, strlen(text), err) < 0 || tar_writer_finish(target->tar, err) < 0)
                return -1;
        copy->source.root = target->root;
        return string_copy(target->name, ret_name, err);
}

const CopyTargetKind copy_to_layout = {
        .prefix = "oci:",
        .open = folder_open,
        .blob = folder_blob,
        .document = folder_document,
        .finish = folder_finish,
        .close = target_close,
};

const CopyTargetKind copy_to_layout_archive = {
        .prefix = "oci-archive:",
        .open = archive_open,
        .blob = archive_blob,
        .document = archive_document,
        .finish = archive_finish,
        .close = target_close,
};
