/*
 * Unpacking a layer. Bit 0 of the first byte puts the layer on top of another one. Whatever the input, nothing is made beside the layer's
 * root, and the lower layer stays as it was.
 */

#include <sys/mman.h>

#include "base/fs.h"
#include "fuzz-dir.h"
#include "layers/unpack.h"

#define OUTPUT_MAX (1u << 20) /* bytes a layer may unpack to */

static const char *const folders[] = { "layer", "work", "lower" };

static void folders_remove(void) {
        for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
                (void) dir_remove_tree_at(fuzz_dir(), folders[i], NULL);
}

static int make(int dir_fd, const char *name) {
        int fd;

        CHECK(mkdirat(dir_fd, name, 0755) == 0 && dir_open_at(dir_fd, name, &fd, NULL) == 0);
        return fd;
}

static int make_lower(void) {
        int fd = make(fuzz_dir(), "lower");
        int file = openat(fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

        CHECK(file >= 0 && write(file, "lower", 5) == 5);
        close(file);
        close(make(fd, "d"));
        CHECK(linkat(fd, "file", fd, "d/linked", 0) == 0);
        CHECK(symlinkat("d", fd, "s") == 0 && symlinkat("/", fd, "absolute") == 0 && symlinkat("../../..", fd, "up") == 0);
        return fd;
}

static void check_lower(int lower) {
        struct stat st;

        CHECK(fuzz_count_names(lower) == 5);
        CHECK(fstatat(lower, "file", &st, AT_SYMLINK_NOFOLLOW) == 0);
        CHECK(st.st_mode == (S_IFREG | 0644) && st.st_size == 5 && st.st_nlink == 2 && st.st_uid == geteuid());
        CHECK(fstatat(lower, "d", &st, AT_SYMLINK_NOFOLLOW) == 0);
        CHECK(st.st_mode == (S_IFDIR | 0755) && st.st_nlink == 2);
}

static int unpack(int blob, const UnpackTarget *target, UnpackPass pass, UnpackResult *ret, Error *err) {
        const BlobStreamOptions options = { .what = "fuzz", .copy_fd = -1, .output_max = OUTPUT_MAX };
        _cleanup_(blob_stream_freep) BlobStream *stream = NULL;
        BlobStreamResult result;

        CHECK(lseek(blob, 0, SEEK_SET) == 0);
        if (blob_stream_new(blob, &options, &stream, err) < 0 || unpack_layer(stream, "fuzz", target, pass, ret, err) < 0)
                return -1;
        return ret->late_whiteout ? 0 : blob_stream_finish(stream, &result, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static int work = -EBADF, lower = -EBADF;
        _cleanup_close_ int blob = -EBADF, layer = -EBADF;
        _cleanup_(directory_list_close) DirectoryList directories = {};
        UnpackResult result = { 0 };
        UnpackTarget target;
        Error err = ERROR_INIT;
        int r;

        if (size < 1)
                return 0;
        if (work < 0) {
                work = make(fuzz_dir(), "work");
                lower = make_lower();
                atexit(folders_remove);
        }
        blob = memfd_create("layer", MFD_CLOEXEC);
        CHECK(blob >= 0 && fd_write_all(blob, data + 1, size - 1, NULL) == 0);

        layer = make(fuzz_dir(), "layer");
        CHECK(directory_list_open(work, &directories, NULL) == 0);
        target = (UnpackTarget) { .fd = layer, .directories = &directories, .lowers = &lower, .n_lowers = data[0] & 1 };
        r = unpack(blob, &target, UNPACK_ALL, &result, &err);
        if (r == 0 && result.late_whiteout) {
                close(layer);
                CHECK(dir_remove_tree_at(fuzz_dir(), "layer", NULL) == 0);
                target.fd = layer = make(fuzz_dir(), "layer");
                directory_list_close(&directories);
                CHECK(directory_list_open(work, &directories, NULL) == 0);
                r = unpack(blob, &target, UNPACK_WHITEOUTS, &result, &err);
                if (r == 0)
                        r = unpack(blob, &target, UNPACK_ENTRIES, &result, &err);
                CHECK(r < 0 || !result.late_whiteout);
        }
        if (r < 0)
                check_error(&err);

        CHECK(fuzz_count_names(fuzz_dir()) == ARRAY_SIZE(folders) + 1 /* etc */);
        CHECK(fuzz_count_names(work) == 0);
        check_lower(lower);
        CHECK(dir_remove_tree_at(fuzz_dir(), "layer", NULL) == 0);
        return 0;
}
