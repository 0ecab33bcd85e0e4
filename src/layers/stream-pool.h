#pragma once

/* The buffers of streams, used again for the next blob that a thread reads: new ones would each cost the kernel 192 pages of zeros. */

#include <stdint.h>

#include "base/pool.h"

#define STREAM_INPUT_SIZE  (256u << 10) /* bytes */
#define STREAM_OUTPUT_SIZE (512u << 10) /* bytes */

typedef struct StreamBuffers {
        uint8_t in[STREAM_INPUT_SIZE];
        uint8_t out[STREAM_OUTPUT_SIZE];
} StreamBuffers;

/** One thread's */
typedef struct StreamPool {
        Pool buffers;
} StreamPool;

#define STREAM_POOL_INIT ((StreamPool) { .buffers = POOL_INIT(StreamBuffers, 1) })

/** stream_pool_take() - @pool may be NULL: they are allocated. NULL with @err set: OutOfMemory */
StreamBuffers *stream_pool_take(StreamPool *pool, Error *err);
void stream_pool_give(StreamPool *pool, StreamBuffers *buffers);
void stream_pool_clear(StreamPool *pool);
