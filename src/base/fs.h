#pragma once

/*
 * Files and directories by descriptor. Every descriptor made here is close-on-exec; no function follows a symlink in the last
 * component unless it says so.
 */

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/**
 * file_read_at() - read a whole regular file
 * @dir_fd:   directory, or AT_FDCWD
 * @path:     relative to @dir_fd; last component is not followed
 * @max:      bytes; a larger file is refused (FileError, EFBIG)
 * @ret_data: set on success only; NUL-terminated, free()
 * @ret_len:  bytes without the NUL; may be NULL
 *
 * Errors: FileError (errnum says which: ENOENT, EFBIG, EISDIR, …), OutOfMemory
 */
int file_read_at(int dir_fd, const char *path, size_t max, char **ret_data, size_t *ret_len, Error *err);

/** file_read_fd() - the same from an open descriptor, from its current offset; @what names it in errors */
int file_read_fd(int fd, const char *what, size_t max, char **ret_data, size_t *ret_len, Error *err);

/** file_tail_fd() - the last @max bytes of a file at most, from @start on, NUL-terminated; NULL when it is empty or cannot be read; free() */
char *file_tail_fd(int fd, off_t start, size_t max);

/** fd_write_all() - write everything, over short writes and EINTR. Errors: FileError */
int fd_write_all(int fd, const void *data, size_t len, Error *err);

typedef enum WriteFlags {
        WRITE_DURABLE   = 1 << 0, /* fsync the file before, and the directory after, the rename */
        WRITE_EXCLUSIVE = 1 << 1, /* fail with EEXIST when the name is taken */
} WriteFlags;

/**
 * file_write_atomic_at() - put a file under its name whole or not at all
 * @dir_fd: directory that holds @name; a temporary name ".NAME.PID.tmp" is used in it
 * @mode:   permission bits, not cut by the umask
 * @flags:  WriteFlags
 *
 * Errors: FileError
 */
int file_write_atomic_at(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, unsigned flags, Error *err);

/**
 * dir_open_at() - open a directory (O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, readable)
 * @ret_fd: set on success only
 */
int dir_open_at(int dir_fd, const char *path, int *ret_fd, Error *err);

/** dir_read() - read the names in an open directory, from the first one; @dir_fd stays as it is. closedir() it. Errors: FileError */
int dir_read(int dir_fd, DIR **ret, Error *err);

/** dir_next() - the next entry that is neither "." nor ".."; NULL at the end, with errno 0, or when it failed, with another */
struct dirent *dir_next(DIR *dir);

/**
 * dir_make_at() - make a directory and its missing parents, and open it
 * @path:   relative to @dir_fd or absolute; existing symlinks on the way are followed (it is an administrator's path)
 * @mode:   for what is made; not cut by the umask
 * @ret_fd: may be NULL
 */
int dir_make_at(int dir_fd, const char *path, mode_t mode, int *ret_fd, Error *err);

/**
 * dir_remove_tree_at() - remove @name below @dir_fd with everything in it; a missing name is success
 *
 * Never follows a symlink and never crosses into another mount: a mount found inside is FileError with EBUSY, with nothing of that
 * mount touched. Depth of the tree is bounded only by its inodes: no recursion on the stack.
 */
int dir_remove_tree_at(int dir_fd, const char *name, Error *err);

/**
 * open_in_root() - open a path as a process chrooted to @root_fd would, whatever symlinks it holds
 * @root_fd: the root; ".." and absolute symlinks stop at it
 * @flags:   open flags; O_CLOEXEC is added
 * @mode:    for O_CREAT
 *
 * openat2() with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS.
 *
 * Returns: a descriptor, or -1 with errno set (no Error: callers name the path in their own words)
 */
int open_in_root(int root_fd, const char *path, int flags, mode_t mode);

/** open_beneath() - openat2() with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS; -1 with errno */
int open_beneath(int dir_fd, const char *path, int flags, mode_t mode);

/** fd_path() - "/proc/self/fd/N" for calls that take only paths */
#define FD_PATH_MAX 32
const char *fd_path(int fd, char buffer[FD_PATH_MAX]);

/** fd_get_path() - the path an open descriptor has now, by /proc/self/fd; free() */
int fd_get_path(int fd, char **ret, Error *err);

/** path_absolute() - @path made absolute with the working directory, without resolving symlinks; free() */
int path_absolute(const char *path, char **ret, Error *err);
