/* checkpoint and restore: by CRIU, which the runtime drives. What a runtime has no option for, it refuses itself. */

#include <stdio.h>
#include <string.h>

#include "backends/oci-cli/oci-cli.h"
#include "base/cleanup.h"
#include "base/json.h"

#define NUMBER_MAX 16 /* bytes of an integer as text */

/* "OPTION VALUE" or "OPTION" */
typedef struct Row {
        const char *option;
        const char *value;
        bool wanted;
} Row;

static int add_rows(Command *command, const Row *rows, size_t n, Error *err) {
        for (size_t i = 0; i < n; i++)
                if ((rows[i].value || rows[i].wanted) && command_add(command, rows[i].option, rows[i].value, err) < 0)
                        return -1;
        return 0;
}

static int add_criu(Command *command, const CriuOptions *criu, Error *err) {
        const Row rows[] = {
                { "--image-path", .value = criu->image_path },
                { "--work-path", .value = criu->work_path },
                { "--manage-cgroups-mode", .value = criu->manage_cgroups_mode },
                { "--network-lock", .value = criu->network_lock },
                { "--tcp-established", .wanted = criu->tcp_established },
                { "--ext-unix-sk", .wanted = criu->ext_unix_sk },
                { "--shell-job", .wanted = criu->shell_job },
                { "--file-locks", .wanted = criu->file_locks },
                { "--lazy-pages", .wanted = criu->lazy_pages },
                { "--auto-dedup", .wanted = criu->auto_dedup },
        };

        for (char *const *name = criu->empty_ns; name && *name; name++)
                if (command_add(command, "--empty-ns", *name, err) < 0)
                        return -1;
        return add_rows(command, rows, ARRAY_SIZE(rows), err);
}

int restore_add_options(Command *command, const CriuRestore *restore, Error *err) {
        const Row rows[] = {
                { "--lsm-profile", .value = restore->lsm_profile },
                { "--lsm-mount-context", .value = restore->lsm_mount_context },
                { "--tcp-close", .wanted = restore->tcp_close },
        };

        return add_criu(command, &restore->criu, err) < 0 ? -1 : add_rows(command, rows, ARRAY_SIZE(rows), err);
}

/*
 * The program itself tells whether it was built with CRIU, in its features; crun before 1.9 tells nothing, and has not the commands either.
 * Source: runc's types/features, crun's features.c
 *
 * Whether there is a CRIU neither tells in words that help.
 */
int criu_check(const BackendContainer *container, Error *err) {
        const char *criu = container->criu ?: "criu";
        _cleanup_json_ json_t *features = NULL;
        _cleanup_free_ char *found = NULL;
        const char *enabled;
        json_t *annotations;

        if (oci_cli_features(container->backend, container->program, &features, err) < 0)
                return -1;
        annotations = json_object_get(features, "annotations");
        enabled = json_string_value(json_object_get(annotations, "org.opencontainers.runc.checkpoint.enabled"));
        if (!enabled || strcmp(enabled, "true") != 0) {
                error_set(err, ERROR_NOT_SUPPORTED, "%s: this version of it cannot checkpoint and restore", container->backend->name);
                return error_hint(err, "choose another runtime when the container is made");
        }
        found = program_find(criu);
        if (found)
                return 0;
        error_set(err, ERROR_RUNTIME_NOT_AVAILABLE, "checkpoint and restore: no program '%s'", criu);
        return error_hint(err, "install criu, or name it by --criu");
}

int oci_cli_checkpoint(const BackendContainer *container, const State *state, const CriuDump *request, Error *err) {
        _cleanup_command_ Command command = COMMAND_INIT;
        const Row rows[] = {
                { "--parent-path", .value = request->parent_path },
                { "--page-server", .value = request->page_server },
                { "--leave-running", .wanted = request->leave_running },
                { "--pre-dump", .wanted = request->pre_dump },
                { "--tcp-skip-in-flight", .wanted = request->tcp_skip_in_flight },
                { "--link-remap", .wanted = request->link_remap },
        };

        if (!process_is_alive(&state->init))
                return error_set(err, ERROR_INVALID_STATE, "container not running");
        if (criu_check(container, err) < 0)
                return -1;
        if (command_init(&command, container, "checkpoint", 0, 0, err) < 0 || add_criu(&command, &request->criu, err) < 0 ||
            add_rows(&command, rows, ARRAY_SIZE(rows), err) < 0)
                return -1;
        if (request->status_fd >= 0) {
                char number[NUMBER_MAX];

                snprintf(number, sizeof(number), "%d", request->status_fd);
                if (command_add(&command, "--status-fd", number, err) < 0)
                        return -1;
                command.status_fd = request->status_fd;
        }
        return command_add_container(&command, err) < 0 ? -1 : command_run(&command, err);
}
