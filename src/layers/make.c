/*
 * All layers of an image, several at once. Layers are taken base first, so the lowest one that is being made never has to wait: whatever
 * waits for what lies below it gets it.
 */

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/workers.h"
#include "layers/layer.h"

#define WAIT_MS 50 /* between two looks at whether the command was told to stop */

typedef struct Make {
        const LayersRequest *request;
        LayerBatch *batch;
        pthread_mutex_t picking; /* held while a layer is chosen, and while another process is waited for: locks are taken in order */
        size_t next;
        pthread_mutex_t state; /* of all below */
        pthread_cond_t changed;
        bool *done;
        size_t n_done;         /* layers, base first, without a gap */
        int *roots;            /* the topmost first: layer i stands at [n_layers - 1 - i] */
        _Atomic size_t failed; /* the lowest layer that failed; SIZE_MAX: none */
        Error error;           /* its */
} Make;

/* What one thread works on. */
typedef struct Worker {
        Make *make;
        size_t layer;
} Worker;

static bool is_cancelled(const Make *m) {
        const LayerProgress *progress = m->request->progress;

        return progress && progress->cancelled && *progress->cancelled;
}

/* A layer goes on when a higher one has failed: it may itself be the lowest that fails, and then it is the one to tell of. */
static bool stopped(void *userdata) {
        const Worker *w = userdata;

        return atomic_load(&w->make->failed) < w->layer;
}

static int wait_lowers(void *userdata, Error *err) {
        const Worker *w = userdata;
        Make *m = w->make;
        bool ready;

        pthread_mutex_lock(&m->state);
        while (!(ready = m->n_done >= w->layer) && !stopped(userdata) && !is_cancelled(m)) {
                struct timespec until;

                clock_gettime(CLOCK_REALTIME, &until);
                until.tv_nsec += WAIT_MS * 1000000;
                if (until.tv_nsec >= 1000000000) {
                        until.tv_sec++;
                        until.tv_nsec -= 1000000000;
                }
                (void) pthread_cond_timedwait(&m->changed, &m->state, &until);
        }
        pthread_mutex_unlock(&m->state);
        return ready ? 0 : error_set(err, ERROR_INTERRUPTED, "layer %s: interrupted", m->request->image->layers[w->layer].digest.text);
}

static void note_failure(Make *m, size_t layer, const Error *failed) {
        pthread_mutex_lock(&m->state);
        if (layer < atomic_load(&m->failed)) {
                m->error = *failed;
                atomic_store(&m->failed, layer);
        }
        pthread_cond_broadcast(&m->changed);
        pthread_mutex_unlock(&m->state);
}

static void note_done(Make *m, size_t layer, int root) {
        pthread_mutex_lock(&m->state);
        m->roots[m->request->image->n_layers - 1 - layer] = root;
        m->done[layer] = true;
        while (m->n_done < m->request->image->n_layers && m->done[m->n_done])
                m->n_done++;
        pthread_cond_broadcast(&m->changed);
        pthread_mutex_unlock(&m->state);
}

static int open_visible(const Make *m, size_t layer, int *ret_fd, Error *err) {
        const Digest *chain_id = &m->request->image->chain_ids[layer];
        char path[sizeof(Digest) + sizeof("/diff")];
        int fd;

        snprintf(path, sizeof(path), "%s/diff", digest_hex(chain_id));
        fd = openat(store_layers_fd(m->request->store), path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open layer %s", chain_id->text);
        *ret_fd = fd;
        return 0;
}

/* Whether the layer has to be made; if so, it is locked and there is a place for it. */
static int claim(Make *m, size_t layer, bool *ret_make, Error *err) {
        const Digest *chain_id = &m->request->image->chain_ids[layer];
        LayerBatch *batch = m->batch;

        *ret_make = false;
        if (m->request->verify_only || store_layer_exists(m->request->store, chain_id))
                return 0;
        if (layer_batch_lock(batch, layer, m->request->progress ? m->request->progress->cancelled : NULL, err) < 0)
                return -1;
        /* Whoever held the lock has made it. */
        if (store_layer_exists(m->request->store, chain_id)) {
                layer_batch_unlock(batch, layer);
                return 0;
        }
        if (!batch->tmp_name && store_tmp_make(batch->store, &batch->tmp_name, &batch->tmp_fd, &batch->tmp_lock, err) < 0)
                return -1;
        batch->made[layer] = true;
        batch->n_made++;
        *ret_make = true;
        return 0;
}

/* The next layer, claimed; false when there is none, or those that are left are not wanted any more. */
static bool pick(Make *m, size_t *ret_layer, bool *ret_make) {
        Error err = ERROR_INIT;
        bool more;

        pthread_mutex_lock(&m->picking);
        more = m->next < m->request->image->n_layers && m->next < atomic_load(&m->failed);
        if (more) {
                *ret_layer = m->next++;
                if (claim(m, *ret_layer, ret_make, &err) < 0) {
                        note_failure(m, *ret_layer, &err);
                        more = false;
                }
        }
        pthread_mutex_unlock(&m->picking);
        return more;
}

static int do_layer(Worker *w, bool make, int *ret_root, Error *err) {
        Make *m = w->make;
        const LayerJob job = {
                .request = m->request,
                .batch = m->batch,
                .layer = w->layer,
                .wait_lowers = wait_lowers,
                .stopped = stopped,
                .userdata = w,
                .lowers = m->roots + m->request->image->n_layers - w->layer,
        };

        *ret_root = -EBADF;
        if (make)
                return layer_make(&job, ret_root, err);
        if (layer_verify(&job, m->request->verify_only, err) < 0)
                return -1;
        return m->request->verify_only ? 0 : open_visible(m, w->layer, ret_root, err);
}

static void work(void *userdata) {
        Worker w = { .make = userdata };
        bool make;

        while (pick(w.make, &w.layer, &make)) {
                Error err = ERROR_INIT;
                int root;

                if (do_layer(&w, make, &root, &err) < 0)
                        note_failure(w.make, w.layer, &err);
                else
                        note_done(w.make, w.layer, root);
        }
}

/* As many as there is work for: a layer that is there already is none. */
static unsigned count_workers(const LayersRequest *request) {
        unsigned most = request->workers ?: workers_default(), wanted = 0;

        for (size_t i = 0; i < request->image->n_layers && wanted < most; i++)
                wanted += request->blobs || request->verify_only || !store_layer_exists(request->store, &request->image->chain_ids[i]);
        return wanted ?: 1;
}

static void make_clear(Make *m) {
        for (size_t i = 0; m->roots && i < m->request->image->n_layers; i++)
                close_keep_errno(m->roots[i]);
        free(m->roots);
        free(m->done);
        (void) pthread_mutex_destroy(&m->picking);
        (void) pthread_mutex_destroy(&m->state);
        (void) pthread_cond_destroy(&m->changed);
}

int layers_make(const LayersRequest *request, LayerBatch **ret, Error *err) {
        size_t n = request->image->n_layers;
        mode_t before;
        _cleanup_(layer_batch_freep) LayerBatch *batch = NULL;
        _cleanup_(make_clear) Make m = {
                .request = request,
                .picking = PTHREAD_MUTEX_INITIALIZER,
                .state = PTHREAD_MUTEX_INITIALIZER,
                .changed = PTHREAD_COND_INITIALIZER,
                .failed = SIZE_MAX,
        };

        if (layer_batch_new(request, &batch, err) < 0)
                return -1;
        m.batch = batch;
        m.roots = malloc((n + 1) * sizeof(*m.roots));
        m.done = calloc(n + 1, sizeof(*m.done));
        if (!m.roots || !m.done)
                return error_oom(err);
        for (size_t i = 0; i < n; i++)
                m.roots[i] = -EBADF;
        /* Files get their permission bits when they are made. A umask is the whole process's, but all its threads are ours meanwhile. */
        before = umask(0);
        workers_run(count_workers(request), work, &m);
        (void) umask(before);
        if (m.failed != SIZE_MAX) {
                if (err)
                        *err = m.error;
                return -1;
        }
        if (m.n_done < n)
                return error_set(err, ERROR_INTERRUPTED, "interrupted between two layers");
        *ret = TAKE(batch);
        return 0;
}
