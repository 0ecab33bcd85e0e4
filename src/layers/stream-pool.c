/* Buffers from a pool, or without one from malloc(). */

#include "layers/stream-pool.h"

#include <stdlib.h>

StreamBuffers *stream_pool_take(StreamPool *pool, Error *err) {
        StreamBuffers *buffers = pool ? pool_take(&pool->buffers, err) : malloc(sizeof(*buffers));

        if (!buffers && !pool)
                error_oom(err);
        return buffers;
}

void stream_pool_give(StreamPool *pool, StreamBuffers *buffers) {
        if (pool)
                pool_give(&pool->buffers, buffers);
        else
                free(buffers);
}

void stream_pool_clear(StreamPool *pool) {
        pool_clear(&pool->buffers);
}
