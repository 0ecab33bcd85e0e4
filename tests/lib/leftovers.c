/*
 * What there is on the host that carries a test's tag.
 *
 * usage: leftovers TAG [KIND…]      KIND: process, mount, cgroup, loop; default: all
 *
 * A line each: "process PID: COMMAND", "mount LINE" (of mountinfo), "cgroup DIRECTORY" (the deepest first), "loop NAME FILE".
 * Each test asks after its end: what the shell would take dozens of programs for, which are slow to start under emulation, is one here.
 */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file's bytes, ended by NUL, in a buffer that the next call uses again; none when it cannot be read: processes come and go. */
static const char *contents(int dir_fd, const char *path, size_t *ret_len) {
        static char *data;
        static size_t size;
        int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
        size_t len = 0;
        ssize_t n = 0;

        do {
                len += (size_t) n;
                if (size < len + 4096 && !(data = realloc(data, size = len + 65536)))
                        abort();
                n = fd < 0 ? 0 : read(fd, data + len, size - len - 1);
        } while (n > 0);
        if (fd >= 0)
                close(fd);
        data[len] = '\0';
        *ret_len = len;
        return data;
}

static bool has(int dir_fd, const char *path, const char *text) {
        size_t len;
        const char *data = contents(dir_fd, path, &len);

        return memmem(data, len, text, strlen(text));
}

/* Whether the root of the file system that the process has in sight carries the tag. Other mounts say nothing: until it changes its root,
 * every new container on the machine has them all. */
static bool root_has(int proc_fd, const char *tag) {
        size_t len;
        char *line = (char *) contents(proc_fd, "mountinfo", &len), *end;

        for (; (end = strchr(line, '\n')); line = end + 1) {
                char *root = line;

                *end = '\0';
                for (int field = 0; field < 3 && root; field++)
                        root = strchr(root + 1, ' ');
                char *point = root ? strchr(root + 1, ' ') : NULL;
                if (point && strncmp(point, " / ", 3) == 0 && strstr(root, tag))
                        return true;
        }
        return false;
}

/* A process that the test started, its containers' included. The test's own shells have its paths in their arguments, too. */
static bool is_left(int proc_fd, const char *tag) {
        char variable[NAME_MAX + 16];
        struct stat own, other;

        /* the kernel's own have no program, nor have zombies, which hold nothing */
        if (readlinkat(proc_fd, "exe", (char[8]) { 0 }, 8) < 0)
                return false;
        snprintf(variable, sizeof(variable), "LXCRI_TAG=%s", tag);
        if (has(proc_fd, "environ", variable) || has(proc_fd, "cgroup", tag))
                return true;
        if (stat("/proc/self/ns/mnt", &own) < 0 || fstatat(proc_fd, "ns/mnt", &other, 0) < 0 || own.st_ino == other.st_ino)
                return false;
        return has(proc_fd, "environ", tag) || has(proc_fd, "cmdline", tag) || root_has(proc_fd, tag);
}

static void processes(const char *tag) {
        DIR *proc = opendir("/proc");

        for (struct dirent *entry; proc && (entry = readdir(proc));) {
                int pid = atoi(entry->d_name), fd;
                size_t len;

                if (pid <= 0 || pid == getpid() || (fd = openat(dirfd(proc), entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
                        continue;
                if (is_left(fd, tag)) {
                        char *command = (char *) contents(fd, "cmdline", &len);

                        for (size_t i = 0; i < len; i++)
                                command[i] = command[i] == '\0' || command[i] == '\n' ? ' ' : command[i];
                        printf("process %d: %s\n", pid, command);
                }
                close(fd);
        }
        if (proc)
                closedir(proc);
}

static void mounts(const char *tag) {
        size_t len;
        char *line = (char *) contents(AT_FDCWD, "/proc/self/mountinfo", &len), *end;

        for (; (end = strchr(line, '\n')); line = end + 1) {
                *end = '\0';
                if (strstr(line, tag))
                        printf("mount %s\n", line);
        }
}

/* @path: of the directory, in PATH_MAX bytes */
static void cgroups(char *path, const char *tag) {
        size_t len = strlen(path);
        DIR *dir = opendir(path);

        for (struct dirent *entry; dir && (entry = readdir(dir));) {
                if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                    len + strlen(entry->d_name) + 2 > PATH_MAX)
                        continue;
                sprintf(path + len, "/%s", entry->d_name);
                cgroups(path, tag);
                path[len] = '\0';
        }
        if (dir)
                closedir(dir);
        if (strstr(path, tag))
                printf("cgroup %s\n", path);
}

static void loops(const char *tag) {
        DIR *block = opendir("/sys/block");

        for (struct dirent *entry; block && (entry = readdir(block));) {
                char path[NAME_MAX + 32];
                size_t len;
                const char *file;

                if (strncmp(entry->d_name, "loop", 4) != 0)
                        continue;
                snprintf(path, sizeof(path), "%s/loop/backing_file", entry->d_name);
                file = contents(dirfd(block), path, &len);
                if (strstr(file, tag))
                        printf("loop %s %s%s", entry->d_name, file, strchr(file, '\n') ? "" : "\n");
        }
        if (block)
                closedir(block);
}

static bool wanted(char **kinds, const char *kind) {
        bool found = !*kinds;

        for (; *kinds; kinds++)
                found = found || strcmp(*kinds, kind) == 0;
        return found;
}

int main(int argc, char **argv) {
        char path[PATH_MAX] = "/sys/fs/cgroup";
        char **kinds = argv + 2;

        if (argc < 2 || !*argv[1]) {
                fputs("usage: leftovers TAG [process] [mount] [cgroup] [loop]\n", stderr);
                return 2;
        }
        if (wanted(kinds, "process"))
                processes(argv[1]);
        if (wanted(kinds, "mount"))
                mounts(argv[1]);
        if (wanted(kinds, "cgroup"))
                cgroups(path, argv[1]);
        if (wanted(kinds, "loop"))
                loops(argv[1]);
        return 0;
}
