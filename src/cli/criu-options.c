/* What checkpoint and restore understand alike. */

#include "cli/criu-options.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fs.h"

void criu_request_clear(CriuRequest *request) {
        free(request->image_path);
        free(request->work_path);
        *request = (CriuRequest) {};
}

int criu_request(const CriuArgs *args, CriuRequest *ret, Error *err) {
        _cleanup_(criu_request_clear) CriuRequest made = {};

        if (path_absolute(args->image_path ?: "checkpoint", &made.image_path, err) < 0 ||
            (args->work_path && path_absolute(args->work_path, &made.work_path, err) < 0))
                return -1;
        made.criu = (CriuOptions) {
                .image_path = made.image_path,
                .work_path = made.work_path,
                .manage_cgroups_mode = args->manage_cgroups_mode,
                .network_lock = args->network_lock,
                .empty_ns = args->empty_ns,
                .tcp_established = args->tcp_established,
                .ext_unix_sk = args->ext_unix_sk,
                .shell_job = args->shell_job,
                .file_locks = args->file_locks,
                .lazy_pages = args->lazy_pages,
                .auto_dedup = args->auto_dedup,
        };
        *ret = made;
        made = (CriuRequest) {};
        return 0;
}
