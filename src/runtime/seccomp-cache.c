/* Compiled filters on disk. */

#include "runtime/seccomp-cache.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define FILE_PATH_MAX 208 /* bytes with the NUL */

/*
 * A file that the result of a compilation depends on, so that another libseccomp, which may know more system calls, is noticed without
 * loading it. A package's upgrade makes a new inode; ctime tells of what was written in place.
 */
typedef struct FileIdentity {
        uint64_t device, inode, size;
        int64_t mtime, mtime_nsec, ctime, ctime_nsec;
        char path[FILE_PATH_MAX];
} FileIdentity;

/* An entry: this, the key, the program. In this machine's byte order; another's has another magic, and so another build's layout. */
typedef struct EntryHead {
        uint64_t magic;
        uint64_t checksum; /* of all that follows this field */
        uint32_t key_length;
        uint32_t length; /* instructions */
        FileIdentity files[SECCOMP_CACHE_FILES];
} EntryHead;

#define MAGIC          0x4c58435249425001u /* its last byte is the format's version */
#define CHECKSUM_START (offsetof(EntryHead, checksum) + sizeof(uint64_t))

/* Against what a crash leaves of a file, and to spread keys over slots; what an enemy could write is kept out by owner and mode. */
static uint64_t mix(const void *data, size_t len) {
        const char *bytes = data;
        uint64_t hash = len ^ 0x9e3779b97f4a7c15u;

        while (len > 0) {
                size_t n = len < sizeof(uint64_t) ? len : sizeof(uint64_t);
                uint64_t word = 0;

                memcpy(&word, bytes, n);
                hash = (hash ^ word) * 0xff51afd7ed558ccdu;
                hash ^= hash >> 32;
                bytes += n;
                len -= n;
        }
        return hash;
}

static bool is_private(const struct stat *st) {
        return st->st_uid == geteuid() && (st->st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

int seccomp_cache_open(const char *path) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT && mkdir(path, 0700) == 0)
                fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0 || !is_private(&st))
                return -EBADF;
        return TAKE_FD(fd);
}

void seccomp_cache_name(const Buf *key, char ret[SECCOMP_CACHE_NAME_MAX]) {
        snprintf(ret, SECCOMP_CACHE_NAME_MAX, "%02x", (unsigned) (mix(key->data, key->len) % SECCOMP_CACHE_SLOTS));
}

static bool file_identify(const char *path, FileIdentity *ret) {
        struct stat st;

        *ret = (FileIdentity) { 0 };
        if (!path || path[0] != '/' || strlen(path) >= sizeof(ret->path) || stat(path, &st) < 0)
                return false;
        ret->device = st.st_dev;
        ret->inode = st.st_ino;
        ret->size = (uint64_t) st.st_size;
        ret->mtime = st.st_mtim.tv_sec;
        ret->mtime_nsec = st.st_mtim.tv_nsec;
        ret->ctime = st.st_ctim.tv_sec;
        ret->ctime_nsec = st.st_ctim.tv_nsec;
        strcpy(ret->path, path);
        return true;
}

static bool files_are_unchanged(const EntryHead *head) {
        for (size_t i = 0; i < SECCOMP_CACHE_FILES; i++) {
                FileIdentity now;

                if (!memchr(head->files[i].path, '\0', FILE_PATH_MAX) || !file_identify(head->files[i].path, &now) ||
                    memcmp(&now, &head->files[i], sizeof(now)) != 0)
                        return false;
        }
        return true;
}

static bool entry_read(int dir_fd, const char *name, char **ret, size_t *ret_len) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !is_private(&st) || st.st_nlink != 1)
                return false;
        return file_read_fd(fd, name, SECCOMP_CACHE_ENTRY_MAX, ret, ret_len, NULL) == 0;
}

bool seccomp_cache_find(int dir_fd, const Buf *key, struct sock_filter **ret, size_t *ret_length) {
        char name[SECCOMP_CACHE_NAME_MAX];
        struct sock_filter *program;
        _cleanup_free_ char *entry = NULL;
        EntryHead head;
        size_t len;

        seccomp_cache_name(key, name);
        if (!entry_read(dir_fd, name, &entry, &len) || len < sizeof(head))
                return false;
        memcpy(&head, entry, sizeof(head));
        if (head.magic != MAGIC || head.key_length != key->len || head.length == 0 || head.length > BPF_MAXINSNS ||
            len != sizeof(head) + head.key_length + head.length * sizeof(*program) ||
            memcmp(entry + sizeof(head), key->data, key->len) != 0 ||
            head.checksum != mix(entry + CHECKSUM_START, len - CHECKSUM_START) || !files_are_unchanged(&head))
                return false;
        program = malloc(head.length * sizeof(*program));
        if (!program)
                return false;
        memcpy(program, entry + sizeof(head) + head.key_length, head.length * sizeof(*program));
        *ret = program;
        *ret_length = head.length;
        return true;
}

/* A file without a name is gone with its writer; a name is given to one that is whole. */
static void entry_write(int dir_fd, const char *name, const Buf *entry) {
        _cleanup_close_ int fd = -EBADF;
        char path[FD_PATH_MAX];

        fd = openat(dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
        if (fd < 0 || fchmod(fd, 0600) < 0 || fd_write_all(fd, entry->data, entry->len, NULL) < 0)
                return;
        if (dir_remove_tree_at(dir_fd, name, NULL) < 0)
                return;
        /* Another writer may have come between the two: its entry is as good. */
        if (linkat(AT_FDCWD, fd_path(fd, path), dir_fd, name, AT_SYMLINK_FOLLOW) < 0)
                return;
}

void seccomp_cache_store(int dir_fd, const Buf *key, const char *const files[SECCOMP_CACHE_FILES], const struct sock_filter *program,
                         size_t length) {
        EntryHead head = { .magic = MAGIC, .key_length = (uint32_t) key->len, .length = (uint32_t) length };
        _cleanup_buf_ Buf entry = BUF_INIT(SECCOMP_CACHE_ENTRY_MAX);
        char name[SECCOMP_CACHE_NAME_MAX];

        for (size_t i = 0; i < SECCOMP_CACHE_FILES; i++)
                if (!file_identify(files[i], &head.files[i]))
                        return;
        if (buf_append(&entry, &head, sizeof(head), NULL) < 0 || buf_append(&entry, key->data, key->len, NULL) < 0 ||
            buf_append(&entry, program, length * sizeof(*program), NULL) < 0)
                return;
        head.checksum = mix(entry.data + CHECKSUM_START, entry.len - CHECKSUM_START);
        memcpy(entry.data, &head, sizeof(head));
        seccomp_cache_name(key, name);
        entry_write(dir_fd, name, &entry);
}
