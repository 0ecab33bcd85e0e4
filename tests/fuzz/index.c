/* Indexes, and the choice of an entry. The first byte is the type that is claimed for the rest. */

#include "fuzz.h"
#include "oci/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(index_freep) Index *index = NULL;
        Platform wanted = { .os = (char[]) { "linux" }, .architecture = (char[]) { "arm" }, .variant = (char[]) { "v6" } };
        const IndexEntry *entry;
        Error err = ERROR_INIT;

        if (size < 1)
                return 0;
        if (index_parse((const char *) data + 1, size - 1, data[0] % (MEDIA_SCHEMA1 + 1), "fuzz", &index, &err) < 0) {
                check_error(&err);
                CHECK(!index);
                return 0;
        }
        for (int i = 0; i < 2; i++) {
                entry = NULL;
                err = ERROR_INIT;
                if (index_choose(index, i ? &wanted : NULL, "fuzz", &entry, &err) < 0) {
                        CHECK(err.kind == ERROR_IMAGE_NOT_FOUND);
                        continue;
                }
                CHECK(entry >= index->entries && entry < index->entries + index->n_entries);
                CHECK(entry->descriptor.type == MEDIA_MANIFEST || entry->descriptor.type == MEDIA_INDEX);
        }
        return 0;
}
