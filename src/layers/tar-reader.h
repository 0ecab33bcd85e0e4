#pragma once

/*
 * Tar by libarchive, for reading only: nothing here touches the file system. Names come as the bytes that stand in the archive, whatever
 * their encoding; users and groups by number.
 */

#include <archive_entry.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** Where the bytes come from: sets *ret_len to 0 at the end. As blob_stream_read() */
typedef int (*TarSource)(void *userdata, const void **ret_data, size_t *ret_len, Error *err);

typedef struct TarReader TarReader;

/**
 * tar_reader_new() - start reading; free with tar_reader_free()
 * @what: names the archive in errors; borrowed
 *
 * Errors: OutOfMemory, what @source fails with, InvalidSpec when it is no tar
 */
int tar_reader_new(TarSource source, void *userdata, const char *what, TarReader **ret, Error *err);
TarReader *tar_reader_free(TarReader *reader);
static inline void tar_reader_freep(TarReader **reader) {
        tar_reader_free(*reader);
}

/**
 * tar_reader_next() - the next entry; data of the one before that was not read is passed over
 * @ret: borrowed until the next call; NULL at the end of the archive
 *
 * Errors: InvalidSpec (damaged, truncated, too large a header), what the source fails with, OutOfMemory
 */
int tar_reader_next(TarReader *reader, struct archive_entry **ret, Error *err);

/**
 * tar_reader_data() - the next piece of the entry's data
 * @ret_data:   borrowed until the next call
 * @ret_len:    bytes; 0 at the end of the entry
 * @ret_offset: where in the file they belong; what is passed over is a hole
 */
int tar_reader_data(TarReader *reader, const void **ret_data, size_t *ret_len, uint64_t *ret_offset, Error *err);
