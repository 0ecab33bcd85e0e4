/*
 * Values of options, and what is built from them. Each line is one option: a letter that chooses it, and its value. What the parsers and
 * spec_build() accept must be a legal configuration.
 */

#include "base/buf.h"
#include "base/json.h"
#include "fuzz-dir.h"
#include "oci/runtime-spec.h"

static int take_security(SpecOptions *options, const char *value, Error *err) {
        /* A profile is another target's input, and may name any file of this machine. */
        return strncmp(value, "seccomp", 7) ? strv_push(&options->security_opt, value, err) : 0;
}

static int take_cap_add(SpecOptions *options, const char *value, Error *err) {
        return strv_push(&options->cap_add, value, err);
}

static int take_cap_drop(SpecOptions *options, const char *value, Error *err) {
        return strv_push(&options->cap_drop, value, err);
}

static int take_arg(SpecOptions *options, const char *value, Error *err) {
        return strv_push(&options->args, value, err);
}

static int take_uid_map(SpecOptions *options, const char *value, Error *err) {
        free(options->uid_map);
        return string_copy(value, &options->uid_map, err);
}

static int take_user(SpecOptions *options, const char *value, Error *err) {
        free(options->user);
        return string_copy(value, &options->user, err);
}

static int (*const parsers[])(SpecOptions *options, const char *value, Error *err) = {
        spec_option_volume,
        spec_option_mount,
        spec_option_tmpfs,
        spec_option_device,
        spec_option_ulimit,
        spec_option_memory,
        spec_option_memory_swap,
        spec_option_cpus,
        spec_option_pids_limit,
        spec_option_shm_size,
        spec_option_env,
        spec_option_annotation,
        spec_option_entrypoint,
        spec_option_userns,
        take_security,
        take_cap_add,
        take_cap_drop,
        take_arg,
        take_uid_map,
        take_user,
};

static void check_options(const SpecOptions *options) {
        CHECK(options->memory >= 0 && options->memory_swap >= -1 && options->nano_cpus >= 0 && options->pids_limit >= -1 &&
              options->shm_size >= 0);
        for (size_t i = 0; i < options->n_mounts; i++) {
                const char *place = options->mounts[i].destination;

                CHECK(place[0] == '/' && place[1] && !strstr(place, "//") && !strstr(place, "/../"));
                CHECK(strcmp(options->mounts[i].type, "bind") || options->mounts[i].source[0] == '/');
        }
        for (size_t i = 0; i < options->n_devices; i++)
                CHECK(options->devices[i].host[0] == '/' && options->devices[i].container[0] == '/');
        for (size_t i = 0; i < options->n_rlimits; i++)
                CHECK(options->rlimits[i].soft <= options->rlimits[i].hard);
        for (char **entry = options->env; entry && *entry; entry++)
                CHECK(strchr(*entry, '=') > *entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(spec_options_clear) SpecOptions options = { 0 };
        const ImageConfig image = { .cmd = (char **) (const char *[]) { "sh", NULL } };
        _cleanup_free_ char *text = fuzz_text(data, size);
        _cleanup_json_ json_t *spec = NULL;
        char *cursor = text, *line;
        Error err = ERROR_INIT;

        while ((line = strsep(&cursor, "\n")))
                if (line[0] && parsers[((unsigned char) line[0] - 'a' + 256u) % ARRAY_SIZE(parsers)](&options, line + 1, &err) < 0) {
                        check_error(&err);
                        CHECK(err.kind == ERROR_INVALID_ARGUMENT || err.kind == ERROR_NOT_SUPPORTED);
                }
        check_options(&options);
        if (spec_build(&image, &options, fuzz_dir(), "rootfs", &spec, &err) < 0)
                check_error(&err);
        else
                CHECK(spec_check(spec, &err) == 0);
        return 0;
}
