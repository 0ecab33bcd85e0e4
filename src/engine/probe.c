/* Whether the engine can work here. */

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/module.h"
#include "engine/engine.h"

int engine_probe(Error *err) {
        _cleanup_free_ char *init = NULL;

        if (module_path("proxmox-lxcri-init", &init, err) < 0)
                return -1;
        if (access(init, X_OK) < 0) {
                error_set_errno(err, ERROR_RUNTIME_NOT_AVAILABLE, errno, "program '%s'", init);
                return error_hint(err, "install program and init from one build");
        }
        if (geteuid() != 0) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "only root can make containers of bundles this way");
                return error_hint(err, "run it as root, choose --runtime crun or runc, or make it from an image");
        }
        /* Linux 5.12; it answers EINVAL to what makes no sense. */
        if (syscall(SYS_mount_setattr, -1, NULL, 0, NULL, 0) < 0 && errno == ENOSYS) {
                error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "this kernel has no mount_setattr");
                return error_hint(err, "Linux 5.12 has it");
        }
        return 0;
}
