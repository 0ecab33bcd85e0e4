/* One layer: its blob opened, streamed through the unpacking, checked, and described. */

#include "layers/layer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "layers/caps.h"
#include "layers/metadata.h"
#include "layers/unpack.h"

typedef struct Pass {
        const LayerJob *job;
        LayerInput input;
        char what[96];
} Pass;

int layer_chain_id(const Digest *parent, const Digest *diff_id, Digest *ret, Error *err) {
        char text[sizeof(parent->text) + sizeof(diff_id->text)], hex[SHA256_HEX_MAX];

        if (!parent) {
                *ret = *diff_id;
                return 0;
        }
        snprintf(text, sizeof(text), "%s %s", parent->text, diff_id->text);
        if (sha256_data(text, strlen(text), hex, err) < 0)
                return -1;
        digest_from_hex(hex, ret);
        return 0;
}

static const Descriptor *blob_of(const LayerJob *job) {
        return &job->request->image->layers[job->layer];
}

static void report(void *userdata, uint64_t done) {
        const Pass *pass = userdata;
        const LayersRequest *request = pass->job->request;

        if (request->progress && request->progress->report)
                request->progress->report(request->progress->userdata, request->what ?: "unpack", blob_of(pass->job)->digest.text, done,
                                          blob_of(pass->job)->size);
}

static bool stopped(void *userdata) {
        const Pass *pass = userdata;

        return pass->job->stopped(pass->job->userdata);
}

/* ---- the blob ---- */

/* A blob of the store, when the request has no others. */
static int open_input(const LayerJob *job, bool needed, LayerInput *ret, bool *ret_skip, Error *err) {
        const LayersRequest *request = job->request;

        const LayerStop stop = { .stopped = job->stopped, .userdata = job->userdata };

        *ret = LAYER_INPUT_INIT;
        *ret_skip = false;
        if (request->blobs)
                return request->blobs->open(request->blobs->userdata, job->layer, needed, &stop, ret, ret_skip, err);
        *ret_skip = !needed;
        return needed ? store_blob_open(request->store, blob_of(job), &ret->fd, err) : 0;
}

static void close_input(const LayerJob *job, LayerInput *input, const Error *failed) {
        const LayersRequest *request = job->request;

        if (request->blobs)
                request->blobs->close(request->blobs->userdata, job->layer, input, failed);
        else
                close_keep_errno(input->fd);
}

static int settle_input(const LayerJob *job, LayerInput *input, const BlobStreamResult *result, Error *err) {
        const LayersRequest *request = job->request;

        return request->blobs && request->blobs->settle ? request->blobs->settle(request->blobs->userdata, job->layer, input, result, err) :
                                                          0;
}

/* @again: the blob was read whole before. */
static int open_stream(Pass *pass, bool again, BlobStream **ret, Error *err) {
        const LayerJob *job = pass->job;
        const LayersRequest *request = job->request;
        const BlobStreamOptions options = {
                .what = pass->what,
                .digest = &blob_of(job)->digest,
                .size = &blob_of(job)->size,
                .diff_id = &request->image->diff_ids[job->layer],
                .copy_fd = again ? -1 : pass->input.copy_fd,
                .more = again ? NULL : pass->input.more,
                .blob = blob_of(job),
                .output_max = request->unpacked_max ?: LAYER_UNPACKED_MAX,
                .cancelled = request->progress ? request->progress->cancelled : NULL,
                .stopped = stopped,
                .report = report,
                .userdata = pass,
        };
        int fd = again && pass->input.more ? pass->input.copy_fd : pass->input.fd;

        if (fd >= 0 && lseek(fd, 0, SEEK_SET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read %s", pass->what);
        return blob_stream_new(fd, &options, ret, err);
}

/* One pass over the blob, to its end, whatever the unpacking made of it. */
static int unpack_pass(Pass *pass, const UnpackTarget *target, UnpackPass kind, uint64_t *ret_size, UnpackResult *ret, Error *err) {
        _cleanup_(blob_stream_freep) BlobStream *stream = NULL;
        bool again = kind != UNPACK_ALL;
        BlobStreamResult digests;

        if (open_stream(pass, again, &stream, err) < 0)
                return -1;
        if (unpack_layer(stream, pass->what, target, kind, ret, err) < 0)
                return blob_stream_blame(stream, err);
        if (blob_stream_finish(stream, &digests, err) < 0)
                return -1;
        *ret_size = digests.output;
        return again ? 0 : settle_input(pass->job, &pass->input, &digests, err);
}

/* ---- the directory ---- */

static int make_directory(int parent_fd, const char *name, int *ret_fd, Error *err) {
        _cleanup_close_ int fd = -EBADF;

        if (mkdirat(parent_fd, name, 0755) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create directory '%s'", name);
        if (dir_open_at(parent_fd, name, &fd, err) < 0)
                return -1;
        /* What an administrator gave the store must not be inherited by a layer's files. */
        if (fremovexattr(fd, ACL_DEFAULT) < 0 && errno != ENODATA && errno != ENOTSUP)
                return error_set_errno(err, ERROR_FILE, errno, "remove the default ACL of '%s'", name);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* Unpacks into an empty "diff". *ret_late: nothing came of it, because a whiteout came too late. */
static int unpack_once(Pass *pass, int layer_fd, bool again, int *ret_root, uint64_t *ret_size, UnpackResult *ret, Error *err) {
        _cleanup_close_ int root = -EBADF;
        _cleanup_(directory_list_close) DirectoryList directories = {};
        const LayerJob *job = pass->job;

        if (make_directory(layer_fd, "diff", &root, err) < 0 || directory_list_open(layer_fd, &directories, err) < 0)
                return -1;

        const UnpackTarget target = {
                .fd = root,
                .directories = &directories,
                .lowers = job->lowers,
                .n_lowers = job->layer,
                .wait_lowers = job->wait_lowers,
                .userdata = job->userdata,
        };

        if (!again) {
                if (unpack_pass(pass, &target, UNPACK_ALL, ret_size, ret, err) < 0)
                        return -1;
        } else if (unpack_pass(pass, &target, UNPACK_WHITEOUTS, ret_size, ret, err) < 0 ||
                   unpack_pass(pass, &target, UNPACK_ENTRIES, ret_size, ret, err) < 0)
                return -1;
        *ret_root = TAKE_FD(root);
        return 0;
}

static int unpack_blob(Pass *pass, int layer_fd, int *ret_root, uint64_t *ret_size, uint64_t *ret_entries, Error *err) {
        _cleanup_close_ int root = -EBADF;
        UnpackResult result;

        if (unpack_once(pass, layer_fd, false, &root, ret_size, &result, err) < 0)
                return -1;
        if (result.late_whiteout) {
                closep(&root);
                root = -EBADF;
                if (dir_remove_tree_at(layer_fd, "diff", err) < 0 ||
                    unpack_once(pass, layer_fd, true, &root, ret_size, &result, err) < 0)
                        return -1;
        }
        *ret_entries = result.entries;
        *ret_root = TAKE_FD(root);
        return 0;
}

static int save_record(const LayerJob *job, int layer_fd, uint64_t size, uint64_t entries, Error *err) {
        _cleanup_json_ json_t *record = NULL;
        const StoreImage *image = job->request->image;
        const Digest *parent = job->layer > 0 ? &image->chain_ids[job->layer - 1] : NULL;

        record = json_pack("{s:s, s:s*, s:I, s:I}", "diffID", image->diff_ids[job->layer].text, "parent", parent ? parent->text : NULL,
                           "size", (json_int_t) size, "entries", (json_int_t) entries);
        if (!record)
                return error_oom(err);
        return json_save_at(layer_fd, "layer.json", record, 0600, 0, err);
}

static int make(Pass *pass, int *ret_root, Error *err) {
        const LayerJob *job = pass->job;
        const Digest *chain_id = &job->request->image->chain_ids[job->layer];
        _cleanup_close_ int layer_fd = -EBADF, root = -EBADF;
        uint64_t size, entries;

        if (mkdirat(job->batch->tmp_fd, digest_hex(chain_id), 0700) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create a directory for layer %s", chain_id->text);
        if (dir_open_at(job->batch->tmp_fd, digest_hex(chain_id), &layer_fd, err) < 0 ||
            unpack_blob(pass, layer_fd, &root, &size, &entries, err) < 0 || save_record(job, layer_fd, size, entries, err) < 0)
                return -1;
        *ret_root = TAKE_FD(root);
        return 0;
}

/* @ret_again: what was there of the blob was wrong, and is gone now */
static int try_make(const LayerJob *job, int *ret_root, bool *ret_again, Error *err) {
        Pass pass = { .job = job };
        Error failed = ERROR_INIT;
        bool skip;

        *ret_again = false;
        snprintf(pass.what, sizeof(pass.what), "layer %s", blob_of(job)->digest.text);
        if (open_input(job, true, &pass.input, &skip, err) < 0)
                return -1;
        if (make(&pass, ret_root, &failed) == 0) {
                close_input(job, &pass.input, NULL);
                return 0;
        }
        *ret_again = pass.input.resumed && failed.kind == ERROR_DIGEST_MISMATCH;
        close_input(job, &pass.input, &failed);
        if (err)
                *err = failed;
        return -1;
}

int layer_make(const LayerJob *job, int *ret_root, Error *err) {
        bool again;

        if (try_make(job, ret_root, &again, err) == 0)
                return 0;
        if (!again || dir_remove_tree_at(job->batch->tmp_fd, digest_hex(&job->request->image->chain_ids[job->layer]), err) < 0)
                return -1;
        return try_make(job, ret_root, &again, err);
}

static int verify(Pass *pass, Error *err) {
        _cleanup_(blob_stream_freep) BlobStream *stream = NULL;
        BlobStreamResult digests;

        if (open_stream(pass, false, &stream, err) < 0)
                return -1;
        if (blob_stream_finish(stream, &digests, err) < 0)
                return blob_stream_blame(stream, err);
        return settle_input(pass->job, &pass->input, &digests, err);
}

static int try_verify(const LayerJob *job, bool needed, bool *ret_again, Error *err) {
        Pass pass = { .job = job };
        Error failed = ERROR_INIT;
        bool skip;

        *ret_again = false;
        snprintf(pass.what, sizeof(pass.what), "layer %s", blob_of(job)->digest.text);
        if (open_input(job, needed, &pass.input, &skip, err) < 0)
                return -1;
        if (skip || verify(&pass, &failed) == 0) {
                close_input(job, &pass.input, NULL);
                return 0;
        }
        *ret_again = pass.input.resumed && failed.kind == ERROR_DIGEST_MISMATCH;
        close_input(job, &pass.input, &failed);
        if (err)
                *err = failed;
        return -1;
}

int layer_verify(const LayerJob *job, bool needed, Error *err) {
        bool again;

        if (try_verify(job, needed, &again, err) == 0)
                return 0;
        return again ? try_verify(job, needed, &again, err) : -1;
}
