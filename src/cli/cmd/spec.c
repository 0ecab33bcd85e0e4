/* spec: what runc spec does: a config.json in a new bundle. */

#include <fcntl.h>

#include "base/fs.h"
#include "base/json.h"
#include "cli/command.h"
#include "oci/runtime-spec.h"

typedef struct SpecArgs {
        const char *bundle;
} SpecArgs;

static const Option spec_options[] = {
        OPT_STRING('b', "bundle", SpecArgs, bundle, "DIR", "the bundle; the working directory unless given"),
        OPT_END
};

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_json_ json_t *spec = NULL;
        _cleanup_close_ int bundle = -EBADF;
        const SpecArgs *args = call->args;
        _cleanup_(output_clear) Output text = OUTPUT_INIT(-EBADF);

        if (spec_default(&spec, err) < 0 || dir_open_at(AT_FDCWD, args->bundle ?: ".", &bundle, err) < 0)
                return -1;
        if (output_json(&text, spec, err) < 0)
                return -1;
        return file_write_atomic_at(bundle, "config.json", text.text.data, text.text.len, 0644, WRITE_EXCLUSIVE, err);
}

const Command cmd_spec = {
        .name = "spec",
        .group = COMMANDS_SETUP,
        .summary = "write a config.json into a new bundle, as runc does",
        .description = "An existing config.json is left alone, and is an error.",
        .examples = "proxmox-lxcri spec --bundle /srv/web",
        .flags = COMMAND_PLAIN,
        .options = (const Option *const[]) { spec_options, NULL },
        .args_size = sizeof(SpecArgs),
        .run = run,
};
