/* Documents of an image in a registry, verified: the part of remote.h that needs to hash. */

#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "image/copy.h"
#include "image/describe.h"
#include "image/remote.h"

int remote_read(Remote *remote, const Descriptor *blob, size_t max, const char *what, char **ret_data, size_t *ret_len, Error *err) {
        const BlobSource source = remote_source(remote);
        _cleanup_buf_ Buf text = BUF_INIT(max);
        char data[16384], hex[SHA256_HEX_MAX];
        void *reader;
        size_t n = 0;
        int r;

        if (source.open(source.userdata, blob, 0, &reader, err) < 0)
                return error_prefix(err, "%s", what);
        while ((r = source.read(reader, data, sizeof(data), &n, err)) == 0 && n > 0 && r == 0) {
                r = buf_append(&text, data, n, err);
                if (r < 0)
                        break;
        }
        source.close(reader);
        if (r < 0)
                return error_prefix(err, "%s", what);
        if (sha256_data(text.data ?: "", text.len, hex, err) < 0)
                return -1;
        if (strcmp(hex, digest_hex(&blob->digest)))
                return error_set(err, ERROR_DIGEST_MISMATCH, "%s %s has the digest sha256:%s", what, blob->digest.text, hex);
        if (!text.data && buf_puts(&text, "", err) < 0)
                return -1;
        *ret_len = text.len;
        *ret_data = TAKE(text.data);
        return 0;
}

static int read_document(void *userdata, const Descriptor *blob, size_t max, const char *what, char **ret_data, size_t *ret_len,
                         Error *err) {
        return remote_read(userdata, blob, max, what, ret_data, ret_len, err);
}

int image_describe_remote(const RegistryOptions *registry, const char *text, const Platform *platform, StoreImage **ret,
                          ImageConfig **ret_config, char **ret_name, Error *err) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        _cleanup_free_ char *data = NULL, *name = NULL;
        _cleanup_remote_ Remote remote = { 0 };
        Descriptor blob = { .type = MEDIA_CONFIG }, manifest;
        size_t len;

        if (remote_open(registry, text, &remote, err) < 0)
                return -1;
        const DescribeRequest request = {
                .blobs_fd = -1, .platform = platform, .strict = true, .read = read_document, .userdata = &remote
        };
        if (image_describe(&request, &remote.root.descriptor, &image, &manifest, err) < 0)
                return remote_failed(&remote, err);
        /* Its size is not kept in what is known of an image. */
        blob.digest = image->config;
        blob.size = image->size - manifest.size;
        for (size_t i = 0; i < image->n_layers; i++)
                blob.size -= image->layers[i].size;
        if (remote_read(&remote, &blob, IMAGE_CONFIG_SIZE_MAX, "config", &data, &len, err) < 0 ||
            image_config_parse(data, len, "config", &config, err) < 0 || reference_format(remote.name, &name, err) < 0)
                return remote_failed(&remote, err);
        *ret = TAKE(image);
        *ret_config = TAKE(config);
        *ret_name = TAKE(name);
        return 0;
}
