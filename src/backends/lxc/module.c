/*
 * One start by liblxc. Its configuration is set key by key in memory, and never saved nor loaded: a value with a line break would become
 * lines of configuration there. Nothing of the container's own configuration comes near it.
 */

#include "backends/lxc/module.h"

#include <lxc/lxccontainer.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

static void containerp(struct lxc_container **c) {
        if (*c)
                lxc_container_put(*c);
}

static int set(struct lxc_container *c, const char *key, const char *value, Error *err) {
        if (!c->set_config_item(c, key, value))
                return error_set(err, ERROR_LXC, "liblxc %s: refuses '%s = %s'", lxc_get_version(), key, value);
        return 0;
}

/* Without a mount namespace liblxc would turn to the mounts of whoever started it. */
static int set_namespaces(struct lxc_container *c, uint64_t flags, Error *err) {
        char names[32];

        (void) snprintf(names, sizeof(names), "mnt%s%s%s", flags & CLONE_NEWPID ? " pid" : "", flags & CLONE_NEWIPC ? " ipc" : "",
                        flags & CLONE_NEWUTS ? " uts" : "");
        return set(c, "lxc.namespace.clone", names, err);
}

static int start(const LxcStart *start, Error *err) {
        static const char *const settings[][2] = {
                { "lxc.log.level", "ERROR" },
                /* all of this is the init's own work */
                { "lxc.autodev", "0" },
                { "lxc.console.path", "none" },
                { "lxc.pty.max", "0" },
                { "lxc.tty.max", "0" },
                /* liblxc stores it as "no keyring of its own", whatever its manual says of 0 and 1 */
                { "lxc.keyring.session", "1" },
                { "lxc.apparmor.profile", "unconfined" },
                /* the monitor goes as soon as the init runs, and must not take it along */
                { "lxc.monitor.signal.pdeath", "SIGCHLD" },
        };
        _cleanup_(containerp) struct lxc_container *c = lxc_container_new(start->name, start->path);

        if (!c)
                return error_set(err, ERROR_LXC, "liblxc %s: no container '%s'", lxc_get_version(), start->name);
        if (set(c, "lxc.log.file", start->log, err) < 0 || set_namespaces(c, start->namespaces, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
                if (set(c, settings[i][0], settings[i][1], err) < 0)
                        return -1;
        if (!c->want_daemonize(c, false))
                return error_set(err, ERROR_LXC, "liblxc %s: insists on a daemon", lxc_get_version());
        if (!c->start(c, 0, start->argv))
                return error_set(err, ERROR_LXC, "liblxc %s: start failed", lxc_get_version());
        return 0;
}

extern const LxcModule lxc_module_table;
__attribute__((visibility("default"))) const LxcModule lxc_module_table = {
        .version = LXC_MODULE_VERSION,
        .start = start,
};
