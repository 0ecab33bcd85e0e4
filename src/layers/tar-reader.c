/* libarchive behind a small face: its locale, its warnings and its memory kept in hand. */

#include "layers/tar-reader.h"

#include <archive.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"
#include "layers/caps.h"

struct TarReader {
        TarSource source;
        void *userdata;
        const char *what;
        struct archive *archive;
        locale_t locale;
        bool in_entry;  /* an entry is current; its data may be unread */
        bool in_header; /* what is read now is a header */
        size_t header;  /* bytes of it */
        Error error;    /* of the source; libarchive has no room for it */
};

static la_ssize_t read_source(struct archive *archive, void *userdata, const void **ret_data) {
        TarReader *r = userdata;
        size_t len = 0;

        /* libarchive has no cap of its own on the map of holes: a few kilobytes of gzip would fill the memory. */
        if (r->in_header && r->header > LAYER_HEADER_MAX + (1u << 20)) {
                error_set(&r->error, ERROR_INVALID_SPEC, "%s: a header of more than %u bytes", r->what, LAYER_HEADER_MAX);
                archive_set_error(archive, EFBIG, "header too large");
                return ARCHIVE_FATAL;
        }
        if (r->source(r->userdata, ret_data, &len, &r->error) < 0) {
                archive_set_error(archive, EIO, "no more input");
                return ARCHIVE_FATAL;
        }
        r->header += len;
        return (la_ssize_t) len;
}

/*
 * libarchive converts names of pax headers to the locale's encoding. In a UTF-8 locale it would also compose characters: another name than
 * the one in the archive. In the C locale it finds that it can't convert, warns, and keeps the bytes, which is what we want.
 */
static bool warning_is_harmless(TarReader *r) {
        const char *text = archive_error_string(r->archive);

        return text && strstr(text, "can't be converted from");
}

static int failure(TarReader *r, Error *err) {
        if (error_is_set(&r->error)) {
                if (err)
                        *err = r->error;
                return -1;
        }
        if (archive_errno(r->archive) == ENOMEM)
                return error_oom(err);
        return error_set(err, ERROR_INVALID_SPEC, "%s: %s", r->what, archive_error_string(r->archive) ?: "damaged tar archive");
}

TarReader *tar_reader_free(TarReader *reader) {
        if (reader) {
                if (reader->archive)
                        archive_read_free(reader->archive);
                if (reader->locale)
                        freelocale(reader->locale);
                free(reader);
        }
        return NULL;
}

int tar_reader_new(TarSource source, void *userdata, const char *what, TarReader **ret, Error *err) {
        _cleanup_(tar_reader_freep) TarReader *r = calloc(1, sizeof(*r));
        locale_t before;
        int result;

        if (!r)
                return error_oom(err);
        *r = (TarReader) { .source = source, .userdata = userdata, .what = what, .in_header = true };
        r->locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
        r->archive = archive_read_new();
        if (!r->locale || !r->archive)
                return error_oom(err);
        if (archive_read_support_format_tar(r->archive) != ARCHIVE_OK || archive_read_support_format_empty(r->archive) != ARCHIVE_OK)
                return failure(r, err);
        before = uselocale(r->locale);
        result = archive_read_open(r->archive, r, NULL, read_source, NULL);
        uselocale(before);
        if (result != ARCHIVE_OK)
                return failure(r, err);
        *ret = TAKE(r);
        return 0;
}

int tar_reader_data(TarReader *reader, const void **ret_data, size_t *ret_len, uint64_t *ret_offset, Error *err) {
        locale_t before = uselocale(reader->locale);
        la_int64_t offset;
        size_t len = 0;
        int r;

        do
                r = archive_read_data_block(reader->archive, ret_data, &len, &offset);
        while (r == ARCHIVE_OK && len == 0);
        uselocale(before);
        if (r != ARCHIVE_OK && r != ARCHIVE_EOF)
                return failure(reader, err);
        *ret_len = r == ARCHIVE_EOF ? 0 : len;
        *ret_offset = (uint64_t) offset;
        return 0;
}

int tar_reader_next(TarReader *reader, struct archive_entry **ret, Error *err) {
        struct archive_entry *entry = NULL;
        locale_t before;
        int r;

        before = uselocale(reader->locale);
        /* Passing over data is not reading a header. */
        reader->in_header = false;
        r = reader->in_entry ? archive_read_data_skip(reader->archive) : ARCHIVE_OK;
        reader->in_entry = false;
        if (r == ARCHIVE_OK || r == ARCHIVE_EOF) {
                reader->in_header = true;
                reader->header = 0;
                r = archive_read_next_header(reader->archive, &entry);
                reader->in_header = false;
        }
        uselocale(before);

        if (r == ARCHIVE_EOF) {
                *ret = NULL;
                return 0;
        }
        if (r != ARCHIVE_OK && !(r == ARCHIVE_WARN && warning_is_harmless(reader)))
                return failure(reader, err);
        reader->in_entry = true;
        *ret = entry;
        return 0;
}
