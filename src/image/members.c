/*
 * An archive of images is read once, from front to back, and its index may stand at the end: so its files go into the staging area under
 * numbers, and a table remembers their names. No name of the archive ever becomes a path.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "image/import.h"
#include "layers/tar-reader.h"

#define MEMBER_MAX      65536u       /* files of one archive; this program's own cap */
#define MEMBER_NAME_MAX 1024u        /* bytes of one name */
#define NAMES_MAX       (8u << 20)   /* bytes of all names */
#define LINK_MAX        8            /* links to links */

void members_clear(Members *members) {
        closep(&members->dir_fd);
        for (size_t i = 0; i < members->n; i++) {
                free(members->items[i].name);
                free(members->items[i].target);
        }
        free(members->items);
        *members = MEMBERS_INIT;
}

/* Lexically: "." and empty components go, ".." takes its parent along, and stops at the top. @base: where a relative name starts. */
static int clean_name(const char *base, const char *name, char **ret, Error *err) {
        _cleanup_buf_ Buf buf = BUF_INIT(2 * MEMBER_NAME_MAX);

        if (buf_puts(&buf, base, err) < 0)
                return -1;
        for (const char *p = name; *p; p += strspn(p, "/")) {
                size_t len = strcspn(p, "/");

                if (len == 2 && !memcmp(p, "..", 2)) {
                        char *slash = buf.data ? strrchr(buf.data, '/') : NULL;

                        buf.len = slash ? (size_t) (slash - buf.data) : 0;
                        buf.data[buf.len] = '\0';
                } else if (len > 0 && !(len == 1 && *p == '.'))
                        if ((buf.len > 0 && buf_puts(&buf, "/", err) < 0) || buf_append(&buf, p, len, err) < 0)
                                return -1;
                p += len;
        }
        return string_copy(buf.data, ret, err);
}

static int add_member(Members *members, const char *name, char *target, Error *err) {
        Member item = { .target = target };
        Member *grown;

        snprintf(item.file, sizeof(item.file), "%zu", members->n);
        if (clean_name("", name, &item.name, err) < 0) {
                free(target);
                return -1;
        }
        members->names_len += strlen(item.name) + (target ? strlen(target) : 0);
        grown = reallocarray(members->items, members->n + 1, sizeof(*grown));
        if (!grown) {
                free(item.name);
                free(target);
                return error_oom(err);
        }
        members->items = grown;
        members->items[members->n++] = item;
        return 0;
}

/* A symlink's target is relative to the directory it stands in, a hard link's to the archive. */
static int link_target(struct archive_entry *entry, const char *name, char **ret, Error *err) {
        const char *text = archive_entry_hardlink(entry), *slash = strrchr(name, '/');
        _cleanup_free_ char *base = NULL, *directory = NULL;

        if (text)
                return clean_name("", text, ret, err);
        text = archive_entry_symlink(entry);
        if (!text || strlen(text) > MEMBER_NAME_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "a symlink to nowhere");
        directory = strndup(name, slash ? (size_t) (slash - name) : 0);
        if (!directory)
                return error_oom(err);
        if (clean_name("", text[0] == '/' ? "" : directory, &base, err) < 0)
                return -1;
        return clean_name(base, text, ret, err);
}

static int write_member(const Members *members, TarReader *tar, Error *err) {
        const uint64_t max = members->staging->request->unpacked_max ?: LAYER_UNPACKED_MAX;
        _cleanup_close_ int fd = -EBADF;
        uint64_t offset;
        const void *data;
        char file[12];
        size_t len;

        snprintf(file, sizeof(file), "%zu", members->n);
        fd = openat(members->dir_fd, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create a temporary file in the store");
        for (;;) {
                if (tar_reader_data(tar, &data, &len, &offset, err) < 0)
                        return -1;
                if (len == 0)
                        return 0;
                if (offset + len > max)
                        return error_set(err, ERROR_INVALID_SPEC, "more than the %llu bytes allowed", (unsigned long long) max);
                if (lseek(fd, (off_t) offset, SEEK_SET) < 0)
                        return error_set_errno(err, ERROR_FILE, errno, "seek");
                if (fd_write_all(fd, data, len, err) < 0)
                        return -1;
        }
}

static int extract_one(Members *members, TarReader *tar, struct archive_entry *entry, Error *err) {
        const char *name = archive_entry_pathname(entry);
        char *target = NULL;

        if (!name || strlen(name) > MEMBER_NAME_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "a name of more than %u bytes, or none", MEMBER_NAME_MAX);
        if (members->n == MEMBER_MAX || members->names_len > NAMES_MAX)
                return error_set(err, ERROR_INVALID_SPEC, "too many files for an archive of images (at most %u)", MEMBER_MAX);
        if (archive_entry_hardlink(entry) || archive_entry_filetype(entry) == AE_IFLNK) {
                if (link_target(entry, name, &target, err) < 0)
                        return -1;
        } else if (archive_entry_filetype(entry) != AE_IFREG)
                return 0;
        else if (write_member(members, tar, err) < 0)
                return -1;
        return add_member(members, name, target, err);
}

static int read_stream(void *userdata, const void **ret_data, size_t *ret_len, Error *err) {
        return blob_stream_read(userdata, ret_data, ret_len, err);
}

static int extract_all(Members *members, int fd, const char *path, Error *err) {
        const BlobStreamOptions options = {
                .what = path, .copy_fd = -1, .output_max = DESCRIPTOR_SIZE_MAX, .cancelled = members->staging->progress->cancelled,
        };
        _cleanup_(blob_stream_freep) BlobStream *stream = NULL;
        _cleanup_(tar_reader_freep) TarReader *tar = NULL;
        struct archive_entry *entry;
        BlobStreamResult result;

        if (lseek(fd, 0, SEEK_SET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read '%s'", path);
        if (blob_stream_new(fd, &options, &stream, err) < 0 || tar_reader_new(read_stream, stream, path, &tar, err) < 0)
                return -1;
        for (;;) {
                if (tar_reader_next(tar, &entry, err) < 0)
                        return -1;
                if (!entry)
                        break;
                if (extract_one(members, tar, entry, err) < 0)
                        return error_prefix(err, "'%s': '%.256s'", path, archive_entry_pathname(entry) ?: "");
        }
        return blob_stream_finish(stream, &result, err);
}

int members_extract(Staging *staging, int fd, const char *path, Members *ret, Error *err) {
        _cleanup_(members_clear) Members members = { .staging = staging, .dir_fd = -EBADF };

        if (mkdirat(staging->tmp_fd, "members", 0700) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "create directory 'members'");
        if (dir_open_at(staging->tmp_fd, "members", &members.dir_fd, err) < 0 || extract_all(&members, fd, path, err) < 0)
                return -1;
        *ret = members;
        members = MEMBERS_INIT;
        return 0;
}

/* The last of several with one name is the one that counts, as when a tar is extracted. */
static const Member *find_name(const Members *members, const char *name) {
        for (size_t i = members->n; i > 0; i--)
                if (!strcmp(members->items[i - 1].name, name))
                        return &members->items[i - 1];
        return NULL;
}

const Member *members_find(const Members *members, const char *name) {
        const Member *member = NULL;

        if (!strncmp(name, "./", 2))
                name += 2;
        for (unsigned i = 0; name && i <= LINK_MAX; i++) {
                member = find_name(members, name);
                name = member ? member->target : NULL;
        }
        return name ? NULL : member;
}

int members_open(void *userdata, const char *name, StagingBlob *blob, int *ret_fd, Error *err) {
        const Members *members = userdata;
        const Member *member = members_find(members, name);
        int fd;

        if (!member)
                return error_set_errno(err, ERROR_IMAGE_NOT_FOUND, ENOENT, "'%s' in the archive", name);
        fd = openat(members->dir_fd, member->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s' of the archive", name);
        blob->own_dir_fd = members->dir_fd;
        blob->own_name = member->file;
        *ret_fd = fd;
        return 0;
}
