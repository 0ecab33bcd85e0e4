#pragma once

/*
 * Blobs of layers on their way into the store. Half a blob waits in the store's downloads/ for the next time: a file by its digest, locked by
 * who writes it, so that no blob is fetched twice. Whole, verified and synced, it is renamed into place.
 */

#include "image/staging.h"

/** One layer's */
typedef struct Download {
        char name[96];     /* in downloads/ */
        _Atomic int state; /* DownloadState: a layer of the same blob waits for the lowest one of it */
} Download;

typedef struct Downloads {
        Store *store;
        const StoreImage *image;
        const BlobSource *source;
        const ImageProgress *progress; /* never NULL */
        bool unpack;
        int dir_fd;
        Download *items; /* by layer */
} Downloads;

#define DOWNLOADS_INIT ((Downloads) { .dir_fd = -EBADF })

int downloads_open(Store *store, const StoreImage *image, const BlobSource *source, const ImageProgress *progress, bool unpack,
                   Downloads *ret, Error *err);
void downloads_close(Downloads *downloads);

/** downloads_blobs() - what layers_make() reads; borrows @downloads */
LayerBlobs downloads_blobs(Downloads *downloads);

/** downloads_publish() - rename what has come whole into the store's blobs, or with @drop remove it. All is on disk. Errors: FileError */
int downloads_publish(Downloads *downloads, bool drop, Error *err);
