/* Telling a root filesystem's tar from an archive of images, by the names in it. */

#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/import.h"
#include "layers/tar-reader.h"

typedef enum Guess {
        GUESS_NONE, /* a plain file at the top: both have such */
        GUESS_IMAGES,
        GUESS_ROOTFS,
} Guess;

/* Layers and configs are called by their digests: "HEX/layer.tar", "HEX.json", "sha256:HEX". */
static bool is_digest_name(const char *name) {
        if (!strncmp(name, "sha256:", 7))
                name += 7;
        return strspn(name, "0123456789abcdef") == 64 && (name[64] == '\0' || name[64] == '.' || name[64] == '/');
}

static Guess guess(struct archive_entry *entry) {
        static const char *const documents[] = { "index.json", "manifest.json", "oci-layout", "repositories" };
        const char *name = archive_entry_pathname(entry) ?: "";
        size_t top;

        while (!strncmp(name, "./", 2) || *name == '/')
                name += *name == '/' ? 1 : 2;
        if (!*name || !strcmp(name, "."))
                return GUESS_NONE;
        for (size_t i = 0; i < ARRAY_SIZE(documents); i++)
                if (!strcmp(name, documents[i]))
                        return GUESS_IMAGES;
        top = strcspn(name, "/");
        if (is_digest_name(name) || (top == strlen("blobs") && !memcmp(name, "blobs", top)))
                return GUESS_IMAGES;
        return name[top] || archive_entry_filetype(entry) != AE_IFREG ? GUESS_ROOTFS : GUESS_NONE;
}

static int read_stream(void *userdata, const void **ret_data, size_t *ret_len, Error *err) {
        return blob_stream_read(userdata, ret_data, ret_len, err);
}

static int read_names(int fd, const char *path, bool *ret, Error *err) {
        const BlobStreamOptions options = { .what = path, .copy_fd = -1, .output_max = LAYER_UNPACKED_MAX };
        _cleanup_(blob_stream_freep) BlobStream *stream = NULL;
        _cleanup_(tar_reader_freep) TarReader *tar = NULL;
        struct archive_entry *entry;
        Guess found = GUESS_NONE;

        if (blob_stream_new(fd, &options, &stream, err) < 0 || tar_reader_new(read_stream, stream, path, &tar, err) < 0)
                return -1;
        while (found == GUESS_NONE) {
                if (tar_reader_next(tar, &entry, err) < 0)
                        return -1;
                if (!entry)
                        break;
                found = guess(entry);
        }
        *ret = found != GUESS_IMAGES;
        return 0;
}

int archive_is_rootfs(int fd, const char *path, bool *ret, Error *err) {
        unsigned char magic[6] = { 0 };

        /* Archives of images are never compressed like this; a root filesystem's tar often is. */
        if (pread(fd, magic, sizeof(magic), 0) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read '%s'", path);
        if (!memcmp(magic, "\xfd" "7zXZ", 6) || !memcmp(magic, "BZh", 3)) {
                *ret = true;
                return 0;
        }
        if (lseek(fd, 0, SEEK_SET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read '%s'", path);
        if (read_names(fd, path, ret, err) < 0)
                return error_hint(err, "an image comes as an OCI layout, a docker-archive or a root filesystem");
        return 0;
}
