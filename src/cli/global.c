/* The options every command has, and what they and the configuration make of a Lifecycle. */

#include <string.h>

#include "base/fs.h"
#include "cli/cli.h"
#include "cli/command.h"

static const Option global_options[] = {
        OPT_GROUP("Global options"),
        OPT_STRING(0, "root", GlobalArgs, root, "DIR",
                   "where states of containers are kept; /run/proxmox-lxcri unless the configuration says otherwise"),
        OPT_STRING(0, "store", GlobalArgs, store, "DIR", "where images and image containers are kept; /var/lib/proxmox-lxcri likewise"),
        OPT_STRING(0, "config", GlobalArgs, config, "FILE",
                   "this program's configuration; else $PROXMOX_LXCRI_CONFIG, else /etc/proxmox-lxcri/config.json"),
        OPT_STRING(0, "runtime", GlobalArgs, runtime, "RUNTIME", "the runtime for new containers; 'route' shows what is chosen without it"),
        OPT_STRING(0, "log", GlobalArgs, log, "FILE",
                   "write logs and errors to FILE, journald:NAME or syslog:NAME; errors still go to standard error too"),
        OPT_STRING(0, "log-format", GlobalArgs, log_format, "text|json", "form of logs and errors"),
        OPT_STRING(0, "log-level", GlobalArgs, log_level, "error|warning|info|debug",
                   "what is logged: info names each phase as it ends"),
        OPT_FLAG(0, "debug", GlobalArgs, debug, "the same as --log-level debug, for the runtime as well"),
        OPT_FLAG(0, "timings", GlobalArgs, timings, "print how long each phase took"),
        OPT_FLAG(0, "systemd-cgroup", GlobalArgs, systemd_cgroup, "let systemd make the cgroups"),
        OPT_STRING(0, "cgroup-manager", GlobalArgs, cgroup_manager, "cgroupfs|systemd|disabled", "who makes the cgroups, in crun's words"),
        OPT_STRING(0, "rootless", GlobalArgs, rootless, "auto|true|false",
                   "for the runtime: whether it may go without cgroups that it is not allowed to make"),
        OPT_STRING(0, "criu", GlobalArgs, criu, "FILE", "the CRIU program"),
        OPT_FLAG('h', "help", GlobalArgs, help, "show help for the program or a command"),
        OPT_FLAG(0, "usage", GlobalArgs, usage, "show the options in short"),
        OPT_FLAG('v', "version", GlobalArgs, version, "show the version"),
        OPT_END
};

const Option *const global_tables[] = { global_options, NULL };

static bool choose_systemd(const Cli *cli) {
        if (cli->global.systemd_cgroup)
                return true;
        if (cli->global.cgroup_manager)
                return !strcmp(cli->global.cgroup_manager, "systemd");
        return cli->config->systemd_cgroup;
}

int cli_setup(Cli *cli, Error *err) {
        if (config_load(cli->global.config, &cli->config, err) < 0)
                return -1;
        if (path_absolute(cli->global.root ?: cli->config->root, &cli->root, err) < 0 ||
            path_absolute(cli->global.store ?: cli->config->store, &cli->store, err) < 0)
                return -1;
        if (!strcmp(cli->root, cli->store))
                return error_set(err, ERROR_INVALID_ARGUMENT, "root and store are the same directory, '%s'", cli->root);

        cli->lifecycle = (Lifecycle) {
                .root = cli->root,
                .store = cli->store,
                .runtime = cli->global.runtime,
                .program_name = cli->program_name,
                .config = cli->config,
                .criu = cli->global.criu,
                .rootless = cli->global.rootless,
                .systemd_cgroup = choose_systemd(cli),
                .no_cgroups = cli->global.cgroup_manager && !strcmp(cli->global.cgroup_manager, "disabled"),
                .debug = cli->global.debug,
                .interrupted = cli->interrupted,
                .observer = progress_observer(&cli->progress, cli->interrupted),
        };
        report_line(&cli->report, LOG_LEVEL_DEBUG, "configuration %s, root %s, store %s", cli->config->path ?: "none: defaults", cli->root,
                    cli->store);
        return 0;
}

int cli_open_store(Cli *cli, StoreMode mode, Store **ret, Error *err) {
        return store_open(cli->store, mode, ret, err);
}
