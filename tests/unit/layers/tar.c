/* Writing ustar headers and pax records. */

#include "tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 512

void tar_raw(Tar *tar, const void *data, size_t len) {
        tar->data = realloc(tar->data, tar->len + len + 1);
        if (!tar->data)
                abort();
        memcpy(tar->data + tar->len, data, len);
        tar->len += len;
}

static void header(Tar *tar, const TarEntry *e, size_t size) {
        unsigned char h[BLOCK] = { 0 };
        unsigned sum = 0;

        strncpy((char *) h, e->name, 100);
        snprintf((char *) h + 100, 8, "%07o", e->mode);
        snprintf((char *) h + 108, 8, "%07o", e->uid);
        snprintf((char *) h + 116, 8, "%07o", e->gid);
        snprintf((char *) h + 124, 12, "%011zo", size);
        snprintf((char *) h + 136, 12, "%011lo", e->mtime);
        h[156] = (unsigned char) (e->type ? e->type : '0');
        if (e->link)
                strncpy((char *) h + 157, e->link, 100);
        memcpy(h + 257, "ustar\00000", 8);
        snprintf((char *) h + 329, 8, "%07o", e->major);
        snprintf((char *) h + 337, 8, "%07o", e->minor);
        memset(h + 148, ' ', 8);
        for (size_t i = 0; i < BLOCK; i++)
                sum += h[i];
        snprintf((char *) h + 148, 8, "%06o", sum);
        tar_raw(tar, h, BLOCK);
}

static void contents(Tar *tar, const void *data, size_t len) {
        static const char zeros[BLOCK];

        tar_raw(tar, data, len);
        tar_raw(tar, zeros, (BLOCK - len % BLOCK) % BLOCK);
}

void tar_add(Tar *tar, const TarEntry *entry) {
        size_t len = entry->text ? strlen(entry->text) : 0;

        if (tar->pax) {
                header(tar, &(TarEntry) { .name = "pax", .type = 'x', .mode = 0644 }, tar->pax_len);
                contents(tar, tar->pax, tar->pax_len);
                free(tar->pax);
                tar->pax = NULL;
                tar->pax_len = 0;
        }
        header(tar, entry, len);
        if (len > 0)
                contents(tar, entry->text, len);
}

void tar_pax(Tar *tar, const char *key, const void *value, size_t len) {
        size_t body = strlen(key) + len + 3, digits = 1, size = 10;

        /* The record's length counts its own digits. */
        while (body + digits >= size) {
                digits++;
                size *= 10;
        }
        tar->pax = realloc(tar->pax, tar->pax_len + body + digits + 1);
        if (!tar->pax)
                abort();
        tar->pax_len += (size_t) sprintf(tar->pax + tar->pax_len, "%zu %s=", body + digits, key);
        memcpy(tar->pax + tar->pax_len, value, len);
        tar->pax_len += len;
        tar->pax[tar->pax_len++] = '\n';
}

void tar_xattr(Tar *tar, const char *name, const void *value, size_t len) {
        char key[256];

        snprintf(key, sizeof(key), "SCHILY.xattr.%s", name);
        tar_pax(tar, key, value, len);
}

void tar_end(Tar *tar) {
        static const char zeros[2 * BLOCK];

        tar_raw(tar, zeros, sizeof(zeros));
}

void tar_free(Tar *tar) {
        free(tar->data);
        free(tar->pax);
        *tar = (Tar) { 0 };
}
