#pragma once

/* Tars made by hand, byte for byte, for what no tar program would write. */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Tar {
        char *data;
        size_t len;
        char *pax; /* records for the next entry */
        size_t pax_len;
} Tar;

/** What an entry says; the rest is zero. */
typedef struct TarEntry {
        const char *name;
        char type; /* '0' file, '1' hard link, '2' symlink, '3' char, '4' block, '5' directory, '6' FIFO */
        unsigned mode;
        unsigned uid, gid;
        unsigned long mtime;
        const char *link;
        const char *text; /* contents */
        unsigned major, minor;
} TarEntry;

void tar_add(Tar *tar, const TarEntry *entry);
#define TAR(t, ...) tar_add((t), &(TarEntry) { __VA_ARGS__ })

/** tar_pax() - a pax record for the entry that comes next */
void tar_pax(Tar *tar, const char *key, const void *value, size_t len);
void tar_xattr(Tar *tar, const char *name, const void *value, size_t len);
/** tar_raw() - any bytes */
void tar_raw(Tar *tar, const void *data, size_t len);
/** tar_end() - the two blocks of zeros */
void tar_end(Tar *tar);
void tar_free(Tar *tar);
