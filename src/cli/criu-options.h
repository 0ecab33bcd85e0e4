#pragma once

/* The options that checkpoint and restore share. */

#include "cli/command.h"

typedef struct CriuArgs {
        const char *image_path, *work_path, *manage_cgroups_mode, *network_lock;
        char **empty_ns;
        bool tcp_established, ext_unix_sk, shell_job, file_locks, lazy_pages, auto_dedup;
} CriuArgs;

/* clang-format off: rows for the table of a command whose args have a member `criu` */
#define CRIU_OPTIONS(args, image_path_help)                                                                                            \
        OPT_STRING(0, "image-path", args, criu.image_path, "DIR", image_path_help),                                                    \
        OPT_STRING(0, "work-path", args, criu.work_path, "DIR", "where CRIU writes its logs and working files"),                       \
        OPT_FLAG(0, "tcp-established", args, criu.tcp_established, "allow open TCP connections"),                                      \
        OPT_FLAG(0, "ext-unix-sk", args, criu.ext_unix_sk, "allow unix sockets whose other end is outside"),                           \
        OPT_FLAG(0, "shell-job", args, criu.shell_job, "allow a terminal that belongs to a shell outside"),                            \
        OPT_FLAG(0, "file-locks", args, criu.file_locks, "keep file locks"),                                                           \
        OPT_FLAG(0, "lazy-pages", args, criu.lazy_pages, "move memory pages when they are first used"),                                \
        OPT_STRING(0, "manage-cgroups-mode", args, criu.manage_cgroups_mode, "soft|full|strict|ignore", "what becomes of cgroups"),    \
        OPT_STRING(0, "network-lock", args, criu.network_lock, "METHOD", "how the network is kept still (crun)"),                      \
        OPT_LIST(0, "empty-ns", args, criu.empty_ns, "network", "make this namespace, but leave out what is in it (runc)"),            \
        OPT_FLAG(0, "auto-dedup", args, criu.auto_dedup, "drop memory images that a later one repeats (runc)")
/* clang-format on */

/** Paths made absolute; the rest is borrowed from the args */
typedef struct CriuRequest {
        CriuOptions criu;
        char *image_path, *work_path;
} CriuRequest;

/** criu_request() - @args as the backend wants them; the images are in ./checkpoint unless said otherwise, as with runc and crun */
int criu_request(const CriuArgs *args, CriuRequest *ret, Error *err);
void criu_request_clear(CriuRequest *request);
