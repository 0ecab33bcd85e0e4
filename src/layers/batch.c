/* Layers between their making and the rename that makes them visible. */

#include "layers/batch.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/fs.h"

#define LOCK_FILE     "gc.lock" /* whoever unpacks has it anyway; its bytes are locked apart from the whole */
#define LOCK_POLL_MAX 50 /* milliseconds between two looks at a lock that another process holds */

int layer_batch_new(const LayersRequest *request, LayerBatch **ret, Error *err) {
        _cleanup_(layer_batch_freep) LayerBatch *batch = calloc(1, sizeof(*batch));

        if (!batch)
                return error_oom(err);
        *batch = (LayerBatch) { .store = request->store, .image = request->image, .tmp_fd = -EBADF, .tmp_lock = -EBADF, .lock_fd = -EBADF };
        /* The locks belong to the open file, which a copy of the descriptor shares. */
        if (request->lock_fd) {
                batch->lock_fd = fcntl(*request->lock_fd, F_DUPFD_CLOEXEC, 3);
                if (batch->lock_fd < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "copy the descriptor of '" LOCK_FILE "'");
        }
        batch->made = calloc(request->image->n_layers + 1, sizeof(*batch->made));
        if (!batch->made)
                return error_oom(err);
        *ret = TAKE(batch);
        return 0;
}

LayerBatch *layer_batch_free(LayerBatch *batch) {
        if (!batch)
                return NULL;
        if (batch->tmp_name)
                (void) dir_remove_tree_at(store_tmp_fd(batch->store), batch->tmp_name, NULL);
        free(batch->tmp_name);
        close_keep_errno(batch->tmp_fd);
        close_keep_errno(batch->tmp_lock);
        close_keep_errno(batch->lock_fd);
        free(batch->made);
        free(batch);
        return NULL;
}

/*
 * One byte of the lock file stands for a layer, by the first digits of its chainID: one descriptor serves any number of layers. That two
 * layers share a byte would only make one wait for the other.
 */
static int lock_call(const LayerBatch *batch, size_t layer, short type) {
        char digits[16] = "";
        struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };

        memcpy(digits, digest_hex(&batch->image->chain_ids[layer]), sizeof(digits) - 1);
        lock.l_start = (off_t) strtoull(digits, NULL, 16);
        return fcntl(batch->lock_fd, F_OFD_SETLK, &lock);
}

int layers_lock_open(Store *store, int *ret_fd, Error *err) {
        int fd = openat(store_fd(store), LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '" LOCK_FILE "'");
        *ret_fd = fd;
        return 0;
}

/* Waits in small steps, so that an interrupted program does not wait for another's layer. */
int layer_batch_lock(LayerBatch *batch, size_t layer, const volatile sig_atomic_t *cancelled, Error *err) {
        struct timespec pause = { .tv_nsec = 1000000 };

        if (batch->lock_fd < 0 && layers_lock_open(batch->store, &batch->lock_fd, err) < 0)
                return -1;
        while (lock_call(batch, layer, F_WRLCK) < 0) {
                if (errno != EAGAIN && errno != EACCES && errno != EINTR)
                        return error_set_errno(err, ERROR_FILE, errno, "lock layer %s", batch->image->chain_ids[layer].text);
                if (cancelled && *cancelled)
                        return error_set(err, ERROR_INTERRUPTED, "interrupted while another process unpacks layer %s",
                                         batch->image->chain_ids[layer].text);
                (void) nanosleep(&pause, NULL);
                if (pause.tv_nsec < LOCK_POLL_MAX * 1000000)
                        pause.tv_nsec += 1000000;
        }
        return 0;
}

void layer_batch_unlock(LayerBatch *batch, size_t layer) {
        (void) lock_call(batch, layer, F_UNLCK);
}

int layer_batch_sync(LayerBatch *batch, Error *err) {
        if (batch->n_made > 0 && syncfs(batch->tmp_fd) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "sync the layers");
        return 0;
}

static int publish_one(const LayerBatch *batch, size_t layer, Error *err) {
        const char *name = digest_hex(&batch->image->chain_ids[layer]);

        if (fault_point("layers.middle", err) < 0)
                return -1;
        /* Another image of the same import may have it: it is there then. */
        if (renameat2(batch->tmp_fd, name, store_layers_fd(batch->store), name, RENAME_NOREPLACE) < 0 && errno != EEXIST)
                return error_set_errno(err, ERROR_FILE, errno, "rename layer %s into place", batch->image->chain_ids[layer].text);
        return 0;
}

int layer_batch_publish(LayerBatch *batch, Error *err) {
        if (batch->n_made == 0)
                return 0;
        for (size_t i = 0; i < batch->image->n_layers; i++)
                if (batch->made[i] && publish_one(batch, i, err) < 0)
                        return -1;
        if (fsync(store_layers_fd(batch->store)) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "sync the layers' directory");
        batch->n_made = 0;
        closep(&batch->lock_fd);
        batch->lock_fd = -EBADF;
        return 0;
}

int layers_ensure(const LayersRequest *request, Error *err) {
        _cleanup_(layer_batch_freep) LayerBatch *batch = NULL;

        if (layers_make(request, &batch, err) < 0 || layer_batch_sync(batch, err) < 0)
                return -1;
        return layer_batch_publish(batch, err);
}
