/* Filling layers/: unpack into tmp/, sync once, rename. */

#include "layers/layers.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/lock.h"
#include "layers/caps.h"
#include "layers/unpack.h"

#define LOCK_NAME_MAX 80 /* bytes of ".HEX.lock" with the NUL */
#define LOCK_POLL_MAX 50 /* milliseconds between two looks at a lock that another process holds */

/* Layers made between two syncs: each holds a lock's descriptor until it is visible, and descriptors are limited to 1024 by default. */
#define BATCH_MAX 64

typedef struct Ensure {
        Store *store;
        const StoreImage *image;
        uint64_t unpacked_max; /* bytes a layer */
        const LayerProgress *progress;
        int *roots; /* of the image's layers, the topmost first: layer i stands at [n_layers - 1 - i] */
        char *tmp_name; /* NULL until the first layer is made */
        int tmp_fd, tmp_lock;
        int locks[BATCH_MAX];
        size_t made[BATCH_MAX]; /* which layers they are */
        size_t n_made;
        size_t current;
} Ensure;

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

static void lock_name(const Digest *chain_id, char ret[LOCK_NAME_MAX]) {
        snprintf(ret, LOCK_NAME_MAX, ".%s.lock", digest_hex(chain_id));
}

/* Forgets what was made but is not visible; the locks go last. */
static void ensure_clear(Ensure *e) {
        for (size_t i = 0; e->roots && i < e->image->n_layers; i++)
                close_keep_errno(e->roots[i]);
        free(e->roots);
        if (e->tmp_name)
                (void) dir_remove_tree_at(store_tmp_fd(e->store), e->tmp_name, NULL);
        free(e->tmp_name);
        closep(&e->tmp_fd);
        closep(&e->tmp_lock);
        for (size_t i = 0; i < e->n_made; i++) {
                char name[LOCK_NAME_MAX];

                lock_name(&e->image->chain_ids[e->made[i]], name);
                (void) unlinkat(store_layers_fd(e->store), name, 0);
                close_keep_errno(e->locks[i]);
        }
}

/* Waits in small steps, so that an interrupted program does not wait for another's layer. */
static int lock_layer(const Ensure *e, const Digest *chain_id, int *ret_fd, Error *err) {
        struct timespec pause = { .tv_nsec = 1000000 };
        char name[LOCK_NAME_MAX];
        Error busy = ERROR_INIT;

        lock_name(chain_id, name);
        while (lock_take_at(store_layers_fd(e->store), name, LOCK_EXCLUSIVE, false, ret_fd, &busy) < 0) {
                if (busy.errnum != EWOULDBLOCK) {
                        if (err)
                                *err = busy;
                        return -1;
                }
                if (e->progress->cancelled && *e->progress->cancelled)
                        return error_set(err, ERROR_INTERRUPTED, "interrupted while another process unpacks layer %s", chain_id->text);
                (void) nanosleep(&pause, NULL);
                if (pause.tv_nsec < LOCK_POLL_MAX * 1000000)
                        pause.tv_nsec += 1000000;
        }
        return 0;
}

static int open_visible(const Ensure *e, const Digest *chain_id, int *ret_fd, Error *err) {
        char path[SHA256_HEX_MAX + 8];
        int fd;

        snprintf(path, sizeof(path), "%s/diff", digest_hex(chain_id));
        fd = openat(store_layers_fd(e->store), path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open layer %s", chain_id->text);
        *ret_fd = fd;
        return 0;
}

static void report(void *userdata, uint64_t done) {
        const Ensure *e = userdata;
        const Descriptor *blob = &e->image->layers[e->current];

        if (e->progress->report)
                e->progress->report(e->progress->userdata, "unpack", blob->digest.text, done, blob->size);
}

/* One pass over the blob. */
static int unpack_pass(Ensure *e, int blob_fd, const UnpackTarget *target, UnpackPass pass, uint64_t *ret_size, UnpackResult *ret,
                       Error *err) {
        _cleanup_(blob_stream_freep) BlobStream *stream = NULL;
        const Descriptor *blob = &e->image->layers[e->current];
        BlobStreamResult digests;
        char what[96];

        snprintf(what, sizeof(what), "layer %s", blob->digest.text);
        const BlobStreamOptions options = {
                .what = what,
                .digest = &blob->digest,
                .size = &blob->size,
                .diff_id = &e->image->diff_ids[e->current],
                .copy_fd = -1,
                .output_max = e->unpacked_max,
                .cancelled = e->progress->cancelled,
                .report = report,
                .userdata = e,
        };

        if (lseek(blob_fd, 0, SEEK_SET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read %s", what);
        if (blob_stream_new(blob_fd, &options, &stream, err) < 0)
                return -1;
        if (unpack_layer(stream, what, target, pass, ret, err) < 0)
                return blob_stream_blame(stream, err);
        if (!ret->late_whiteout && blob_stream_finish(stream, &digests, err) < 0)
                return -1;
        *ret_size = blob_stream_output(stream);
        return 0;
}

static int make_directory(int parent_fd, const char *name, int *ret_fd, Error *err) {
        if (mkdirat(parent_fd, name, 0755) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create directory '%s'", name);
        return dir_open_at(parent_fd, name, ret_fd, err);
}

static int unpack_blob(Ensure *e, int layer_fd, int *ret_root, uint64_t *ret_size, uint64_t *ret_entries, Error *err) {
        _cleanup_close_ int blob_fd = -EBADF, root = -EBADF;
        size_t n = e->image->n_layers;
        UnpackTarget target = { .work_fd = e->tmp_fd, .lowers = e->roots + n - e->current, .n_lowers = e->current };
        UnpackResult result;

        if (store_blob_open(e->store, &e->image->layers[e->current], &blob_fd, err) < 0 ||
            make_directory(layer_fd, "diff", &root, err) < 0)
                return -1;
        target.fd = root;
        if (unpack_pass(e, blob_fd, &target, UNPACK_ALL, ret_size, &result, err) < 0)
                return -1;
        if (result.late_whiteout) {
                closep(&root);
                root = -EBADF;
                if (dir_remove_tree_at(layer_fd, "diff", err) < 0 || make_directory(layer_fd, "diff", &root, err) < 0)
                        return -1;
                target.fd = root;
                if (unpack_pass(e, blob_fd, &target, UNPACK_WHITEOUTS, ret_size, &result, err) < 0 ||
                    unpack_pass(e, blob_fd, &target, UNPACK_ENTRIES, ret_size, &result, err) < 0)
                        return -1;
        }
        *ret_entries = result.entries;
        *ret_root = TAKE_FD(root);
        return 0;
}

static int save_record(const Ensure *e, int layer_fd, uint64_t size, uint64_t entries, Error *err) {
        _cleanup_json_ json_t *record = NULL;
        const Digest *parent = e->current > 0 ? &e->image->chain_ids[e->current - 1] : NULL;

        record = json_pack("{s:s, s:s*, s:I, s:I}", "diffID", e->image->diff_ids[e->current].text, "parent", parent ? parent->text : NULL,
                           "size", (json_int_t) size, "entries", (json_int_t) entries);
        if (!record)
                return error_oom(err);
        return json_save_at(layer_fd, "layer.json", record, 0600, 0, err);
}

/* Makes one layer below tmp/; it becomes visible with its batch. */
static int make_layer(Ensure *e, Error *err) {
        const Digest *chain_id = &e->image->chain_ids[e->current];
        _cleanup_close_ int layer_fd = -EBADF;
        uint64_t size, entries;

        if (!e->tmp_name && store_tmp_make(e->store, &e->tmp_name, &e->tmp_fd, &e->tmp_lock, err) < 0)
                return -1;
        if (mkdirat(e->tmp_fd, digest_hex(chain_id), 0700) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create a directory for layer %s", chain_id->text);
        if (dir_open_at(e->tmp_fd, digest_hex(chain_id), &layer_fd, err) < 0)
                return -1;
        if (unpack_blob(e, layer_fd, &e->roots[e->image->n_layers - 1 - e->current], &size, &entries, err) < 0)
                return -1;
        return save_record(e, layer_fd, size, entries, err);
}

/* Makes the finished layers visible, each after the one it stands on. */
static int publish(Ensure *e, Error *err) {
        if (e->n_made == 0)
                return 0;
        if (syncfs(e->tmp_fd) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "sync the layers");
        for (size_t i = 0; i < e->n_made; i++) {
                const Digest *chain_id = &e->image->chain_ids[e->made[i]];

                if (fault_point("layers.middle", err) < 0)
                        return -1;
                if (renameat2(e->tmp_fd, digest_hex(chain_id), store_layers_fd(e->store), digest_hex(chain_id), RENAME_NOREPLACE) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "rename layer %s into place", chain_id->text);
        }
        if (fsync(store_layers_fd(e->store)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "sync the layers' directory");
        for (size_t i = 0; i < e->n_made; i++) {
                char name[LOCK_NAME_MAX];

                lock_name(&e->image->chain_ids[e->made[i]], name);
                (void) unlinkat(store_layers_fd(e->store), name, 0);
                close_keep_errno(e->locks[i]);
        }
        e->n_made = 0;
        return 0;
}

static int ensure_one(Ensure *e, Error *err) {
        const Digest *chain_id = &e->image->chain_ids[e->current];
        int *root = &e->roots[e->image->n_layers - 1 - e->current];
        int lock;

        if (store_layer_exists(e->store, chain_id))
                return open_visible(e, chain_id, root, err);
        if (e->n_made == BATCH_MAX && publish(e, err) < 0)
                return -1;
        if (lock_layer(e, chain_id, &lock, err) < 0)
                return -1;
        e->locks[e->n_made] = lock;
        e->made[e->n_made++] = e->current;
        if (store_layer_exists(e->store, chain_id)) {
                char name[LOCK_NAME_MAX];

                /* Whoever held the lock has made it. */
                e->n_made--;
                lock_name(chain_id, name);
                (void) unlinkat(store_layers_fd(e->store), name, 0);
                close(lock);
                return open_visible(e, chain_id, root, err);
        }
        return make_layer(e, err);
}

int layers_ensure(Store *store, const StoreImage *image, uint64_t unpacked_max, const LayerProgress *progress, Error *err) {
        static const LayerProgress silent = { 0 };
        _cleanup_(ensure_clear) Ensure e = {
                .store = store,
                .image = image,
                .unpacked_max = unpacked_max ?: LAYER_UNPACKED_MAX,
                .progress = progress ?: &silent,
                .tmp_fd = -EBADF,
                .tmp_lock = -EBADF,
        };

        if (image->n_layers == 0)
                return 0;
        e.roots = malloc(image->n_layers * sizeof(int));
        if (!e.roots)
                return error_oom(err);
        for (size_t i = 0; i < image->n_layers; i++)
                e.roots[i] = -EBADF;
        for (e.current = 0; e.current < image->n_layers; e.current++)
                if (ensure_one(&e, err) < 0)
                        return -1;
        return publish(&e, err);
}
