/* Copying to a docker-archive, as `docker save` writes it: layers as plain tars, named by their diffIDs. Source: moby's image-spec v1.2 */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "image/copy.h"
#include "layers/blob-stream.h"

typedef struct DockerTarget {
        TarWriter *tar;
        char *name;      /* RepoTags; NULL: none */
        json_t *written; /* name of a member → true */
} DockerTarget;

static void target_close(void *userdata) {
        DockerTarget *target = userdata;

        tar_writer_close(target->tar);
        json_decref(target->written);
        free(target->name);
        free(target);
}

static int target_open(Copy *copy, const char *text, void **ret, Error *err) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        _cleanup_free_ char *path = NULL;
        const char *colon = strchr(text, ':'), *name = colon ? colon + 1 : copy->source.name;
        DockerTarget *target = calloc(1, sizeof(*target));

        if (!target)
                return error_oom(err);
        *ret = target; /* closed by the caller, also after a failure */
        target->written = json_object();
        if (!text[0] || colon == text)
                return error_set(err, ERROR_INVALID_ARGUMENT, "a path is missing");
        /* A tag is a whole reference here, and never a digest. */
        if (name) {
                if (reference_parse(name, &reference, err) < 0)
                        return -1;
                reference->has_digest = false;
                if (reference->tag && reference_format(reference, &target->name, err) < 0)
                        return -1;
        }
        if (string_format(&path, err, "%.*s", (int) (colon ? (size_t) (colon - text) : strlen(text)), text) < 0)
                return -1;
        return tar_writer_open(path, &target->tar, err);
}

/* Layers wait for the manifest, which says what they are; it is known by then that they can be read. */
static int target_blob(void *userdata, Copy *copy, const Descriptor *blob, Error *err) {
        return 0;
}

/* Decompressed into a file without a name, because a tar's member says its size first. */
static int decompress(Copy *copy, const Descriptor *layer, const Digest *diff_id, int fd, uint64_t *ret_size, Error *err) {
        _cleanup_(blob_stream_freep) BlobStream *stream = NULL;
        _cleanup_close_ int from = -EBADF;
        BlobStreamResult result;
        const void *data;
        size_t len;

        if (copy_blob_open(copy, layer, &from, err) < 0)
                return -1;
        const BlobStreamOptions options = {
                .what = layer->digest.text,
                .digest = &layer->digest,
                .size = &layer->size,
                .diff_id = diff_id,
                .copy_fd = -1,
                .output_max = copy->request->unpacked_max,
                .cancelled = copy->progress ? copy->progress->cancelled : NULL,
        };
        if (blob_stream_new(from, &options, &stream, err) < 0)
                return -1;
        do {
                if (blob_stream_read(stream, &data, &len, err) < 0)
                        return blob_stream_blame(stream, err);
                if (fd_write_all(fd, data, len, err) < 0)
                        return -1;
        } while (len > 0);
        if (blob_stream_finish(stream, &result, err) < 0)
                return -1;
        *ret_size = result.output;
        copy_report(copy, layer, layer->size);
        return 0;
}

static int add_file(DockerTarget *target, const char *name, int fd, uint64_t size, Error *err) {
        _cleanup_free_ char *buffer = malloc(256u << 10);
        ssize_t n;

        if (!buffer)
                return error_oom(err);
        if (lseek(fd, 0, SEEK_SET) < 0 || tar_writer_begin(target->tar, name, size, err) < 0)
                return error_is_set(err) ? -1 : error_set_errno(err, ERROR_FILE, errno, "read a temporary file");
        while ((n = read(fd, buffer, 256u << 10)) > 0)
                if (tar_writer_data(target->tar, buffer, (size_t) n, err) < 0)
                        return -1;
        return n < 0 ? error_set_errno(err, ERROR_FILE, errno, "read a temporary file") : 0;
}

static int add_layer(DockerTarget *target, Copy *copy, const Descriptor *layer, const Digest *diff_id, json_t *layers, Error *err) {
        _cleanup_close_ int fd = -EBADF;
        char name[96];
        uint64_t size;

        snprintf(name, sizeof(name), "%s.tar", digest_hex(diff_id));
        if (json_array_append_new(layers, json_string(name)) < 0)
                return error_oom(err);
        if (json_object_get(target->written, name))
                return 0;
        fd = openat(store_tmp_fd(copy->store), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "make a temporary file in the store '%s'", store_path(copy->store));
        if (decompress(copy, layer, diff_id, fd, &size, err) < 0 || add_file(target, name, fd, size, err) < 0)
                return error_prefix(err, "layer %s", layer->digest.text);
        return json_object_set_new(target->written, name, json_true()) < 0 ? error_oom(err) : 0;
}

static int target_document(void *userdata, Copy *copy, const Descriptor *document, const char *data, size_t len, bool root, Error *err) {
        _cleanup_(image_config_freep) ImageConfig *config = NULL;
        _cleanup_(manifest_freep) Manifest *manifest = NULL;
        _cleanup_json_ json_t *image = json_array(), *layers = json_array();
        _cleanup_free_ char *config_data = NULL, *text = NULL;
        _cleanup_close_ int fd = -EBADF;
        DockerTarget *target = userdata;
        char config_name[96];
        size_t config_len;
        json_t *item;

        if (manifest_parse(data, len, document->type, "manifest", &manifest, err) < 0 ||
            copy_blob_open(copy, &manifest->config, &fd, err) < 0 ||
            file_read_fd(fd, "config", IMAGE_CONFIG_SIZE_MAX, &config_data, &config_len, err) < 0 ||
            image_config_parse(config_data, config_len, "config", &config, err) < 0)
                return -1;
        if (config->n_diff_ids != manifest->n_layers)
                return error_set(err, ERROR_INVALID_SPEC, "config has %zu diffIDs for %zu layers", config->n_diff_ids, manifest->n_layers);
        snprintf(config_name, sizeof(config_name), "%s.json", digest_hex(&manifest->config.digest));
        if (tar_writer_file(target->tar, config_name, config_data, config_len, err) < 0)
                return -1;
        for (size_t i = 0; i < manifest->n_layers; i++)
                if (add_layer(target, copy, &manifest->layers[i], &config->diff_ids[i], layers, err) < 0)
                        return -1;
        item = json_pack("{s:s, s:[], s:O}", "Config", config_name, "RepoTags", "Layers", layers);
        if (json_array_append_new(image, item) < 0 ||
            (target->name && json_array_append_new(json_object_get(item, "RepoTags"), json_string(target->name)) < 0))
                return error_oom(err);
        if (json_print(image, &text, err) < 0)
                return -1;
        copy->source.root = *document;
        return tar_writer_file(target->tar, "manifest.json", text, strlen(text), err);
}

static int target_finish(void *userdata, Copy *copy, char **ret_name, Error *err) {
        const DockerTarget *target = userdata;

        return tar_writer_finish(target->tar, err) < 0 ? -1 : string_copy(target->name, ret_name, err);
}

const CopyTargetKind copy_to_docker_archive = {
        .prefix = "docker-archive:",
        .needs_manifest = true,
        .open = target_open,
        .blob = target_blob,
        .document = target_document,
        .finish = target_finish,
        .close = target_close,
};
