/* spec: what runc spec does: a config.json in a new bundle. */

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "cli/command.h"
#include "oci/runtime-spec.h"

typedef struct SpecArgs {
        const char *bundle, *file;
        bool rootless;
} SpecArgs;

static const Option spec_options[] = {
        OPT_STRING('b', "bundle", SpecArgs, bundle, "DIR", "the bundle; the working directory unless given"),
        OPT_STRING('f', "file", SpecArgs, file, "FILE", "where to write it, in place of the bundle's config.json"),
        OPT_FLAG(0, "rootless", SpecArgs, rootless, "for a user without privileges: a user namespace in which only that user is there"),
        OPT_END
};

static const char *file_name(const SpecArgs *args) {
        const char *slash = args->file ? strrchr(args->file, '/') : NULL;

        return slash ? slash + 1 : args->file ?: "config.json";
}

/* The directory that the file goes to. */
static int open_place(const SpecArgs *args, int *ret_fd, Error *err) {
        _cleanup_free_ char *parent = NULL;

        if (!args->file)
                return dir_open_at(AT_FDCWD, args->bundle ?: ".", ret_fd, err);
        if (!file_name(args)[0])
                return error_set(err, ERROR_INVALID_ARGUMENT, "--file '%s' names a directory", args->file);
        if (string_format(&parent, err, "./%.*s", (int) (file_name(args) - args->file), args->file) < 0)
                return -1;
        return dir_open_at(AT_FDCWD, args->file[0] == '/' ? parent + 1 : parent, ret_fd, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        _cleanup_json_ json_t *spec = NULL;
        _cleanup_close_ int bundle = -EBADF;
        const SpecArgs *args = call->args;
        _cleanup_(output_clear) Output text = OUTPUT_INIT(-EBADF);

        if (args->bundle && args->file)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--bundle and --file exclude each other");
        if (spec_default(&spec, err) < 0 || (args->rootless && spec_make_rootless(spec, err) < 0) || open_place(args, &bundle, err) < 0)
                return -1;
        if (output_json(&text, spec, err) < 0)
                return -1;
        return file_write_atomic_at(bundle, file_name(args), text.text.data, text.text.len, 0644, WRITE_EXCLUSIVE, err);
}

const Command cmd_spec = {
        .name = "spec",
        .group = COMMANDS_SETUP,
        .summary = "write a config.json into a new bundle, as runc does",
        .description = "An existing config.json is left alone, and is an error.",
        .examples = "proxmox-lxcri spec --bundle /srv/web\nproxmox-lxcri spec --rootless",
        .flags = COMMAND_PLAIN,
        .options = (const Option *const[]) { spec_options, NULL },
        .args_size = sizeof(SpecArgs),
        .run = run,
};
