/* config show: the configuration in effect, and where each value comes from. */

#include "base/json.h"
#include "cli/command.h"

typedef struct ConfigShowArgs {
        const char *format;
} ConfigShowArgs;

static const Option config_show_options[] = {
        OPT_STRING('f', "format", ConfigShowArgs, format, "table|json", "form of the answer"),
        OPT_END
};

static int print_table(Cli *cli, json_t *shown, Error *err) {
        _cleanup_table_ Table table = TABLE_INIT("KEY", "VALUE", "SOURCE");
        const char *key;
        json_t *row;

        json_object_foreach(shown, key, row) {
                _cleanup_free_ char *value = json_dumps(json_object_get(row, "value"), JSON_COMPACT | JSON_ENCODE_ANY);

                if (!value)
                        return error_oom(err);
                if (TABLE_ADD(&table, err, key, value, json_string_value(json_object_get(row, "source"))) < 0)
                        return -1;
        }
        return table_print(&table, &cli->out, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_json_ json_t *shown = NULL;
        const ConfigShowArgs *args = call->args;

        if (config_show(cli->config, &shown, err) < 0)
                return -1;
        if (args->format && args->format[0] == 'j')
                return output_json(&cli->out, shown, err);
        return print_table(cli, shown, err);
}

const Command cmd_config_show = {
        .name = "config show",
        .group = COMMANDS_SETUP,
        .summary = "print the configuration in effect, and where each value comes from",
        .examples = "proxmox-lxcri config show\nproxmox-lxcri --config ./config.json config show --format json",
        .options = (const Option *const[]) { config_show_options, NULL },
        .args_size = sizeof(ConfigShowArgs),
        .run = run,
};
