/* list: the containers of this root and store. */

#include "base/json.h"
#include "cli/command.h"

typedef struct ListArgs {
        bool quiet;
        const char *format;
} ListArgs;

static const Option list_options[] = {
        OPT_FLAG('q', "quiet", ListArgs, quiet, "print IDs only"),
        OPT_STRING('f', "format", ListArgs, format, "table|json", "form of the list"),
        OPT_END
};

/* runc's columns first; no cell is empty, so that programs can count them. */
static int print_table(Cli *cli, const ListEntry *entries, size_t n, Error *err) {
        _cleanup_table_ Table table = TABLE_INIT("ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER", "RUNTIME", "EXIT", "IMAGE");

        for (size_t i = 0; i < n; i++) {
                const ListEntry *entry = &entries[i];
                char pid[16], code[16] = "-";

                snprintf(pid, sizeof(pid), "%d", (int) entry->pid);
                if (entry->exit_code >= 0)
                        snprintf(code, sizeof(code), "%d", entry->exit_code);
                if (TABLE_ADD(&table, err, entry->id, pid, entry->status ?: "-", entry->bundle ?: "-", entry->created ?: "-",
                              entry->owner ?: "-", entry->runtime ?: "-", code, entry->image ?: "-") < 0)
                        return -1;
        }
        return table_print(&table, &cli->out, err);
}

static int set_string(json_t *object, const char *key, const char *value) {
        return value && !json_object_get(object, key) ? json_object_set_new(object, key, json_string(value)) : 0;
}

/* The state document of the runtime spec with our fields added: callers read runc's fields from it. */
static int entry_json(const ListEntry *entry, json_t **ret, Error *err) {
        _cleanup_json_ json_t *object = entry->document ? json_incref(entry->document) : json_object();
        int r = 0;

        r |= set_string(object, "id", entry->id);
        if (!json_object_get(object, "pid"))
                r |= json_object_set_new(object, "pid", json_integer(entry->pid));
        r |= set_string(object, "status", entry->status);
        r |= set_string(object, "bundle", entry->bundle);
        r |= set_string(object, "created", entry->created);
        r |= set_string(object, "owner", entry->owner);
        r |= set_string(object, "runtime", entry->runtime);
        r |= set_string(object, "image", entry->image);
        if (entry->exit_code >= 0)
                r |= json_object_set_new(object, "exitCode", json_integer(entry->exit_code));
        if (r < 0)
                return error_oom(err);
        *ret = TAKE(object);
        return 0;
}

static int print_json(Cli *cli, const ListEntry *entries, size_t n, Error *err) {
        _cleanup_json_ json_t *list = json_array();
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < n; i++) {
                json_t *object;

                if (entry_json(&entries[i], &object, err) < 0)
                        return -1;
                if (json_array_append_new(list, object) < 0)
                        return error_oom(err);
        }
        if (json_print(list, &text, err) < 0)
                return -1;
        return output_printf(&cli->out, err, "%s\n", text);
}

static int print_ids(Cli *cli, const ListEntry *entries, size_t n, Error *err) {
        for (size_t i = 0; i < n; i++)
                if (output_printf(&cli->out, err, "%s\n", entries[i].id) < 0)
                        return -1;
        return 0;
}

static int run(Cli *cli, const Call *call, Error *err) {
        const ListArgs *args = call->args;
        ListEntry *entries;
        size_t n;
        int r;

        if (lifecycle_list(&cli->lifecycle, &entries, &n, err) < 0)
                return -1;
        if (args->quiet)
                r = print_ids(cli, entries, n, err);
        else if (args->format && args->format[0] == 'j')
                r = print_json(cli, entries, n, err);
        else
                r = print_table(cli, entries, n, err);
        list_entries_free(entries, n);
        return r;
}

const Command cmd_list = {
        .name = "list",
        .alias = "ls",
        .group = COMMANDS_LOOK,
        .summary = "list the containers of this root and store",
        .description = "Containers of all states are shown, with the exit code of those that have ended; 'broken' is one whose making "
                       "was cut off, for 'recover' to undo.",
        .examples = "proxmox-lxcri list\nproxmox-lxcri list --format json | jq -r '.[] | select(.status == \"running\").id'",
        .options = (const Option *const[]) { list_options, NULL },
        .args_size = sizeof(ListArgs),
        .run = run,
};
