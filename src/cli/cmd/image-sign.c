/* image sign: a signature of an image in its registry. */

#include "base/cleanup.h"
#include "cli/registry-options.h"
#include "trust/trust.h"

typedef struct SignArgs {
        RegistryArgs registry; /* first */
        const char *gpg_key, *sigstore_key, *passphrase_file, *identity, *directory, *registries_d;
} SignArgs;

static const Option sign_options[] = {
        OPT_STRING(0, "sign-by", SignArgs, gpg_key, "FINGERPRINT", "sign by a key of the user's own GPG key ring"),
        OPT_STRING(0, "sign-by-sigstore-private-key", SignArgs, sigstore_key, "FILE",
                   "sign as cosign does, by a private key: PKCS #8 in PEM, or as cosign encrypts it"),
        OPT_STRING(0, "sign-passphrase-file", SignArgs, passphrase_file, "FILE", "the key's passphrase, in its first line"),
        OPT_STRING(0, "sign-identity", SignArgs, identity, "IMAGE", "the name that is signed, in place of the image's own"),
        OPT_STRING('d', "directory", SignArgs, directory, "DIR", "where GPG signatures go, in place of what registries.d says"),
        OPT_STRING(0, "registries.d", SignArgs, registries_d, "DIR", "in place of the user's or the system's registries.d"),
        OPT_END
};

static int sign_one(Cli *cli, const Call *call, const char *name, Error *err) {
        const SignArgs *args = call->args;
        const RegistryOptions registry = registry_request(cli, call, &args->registry);
        const TrustModule *module = trust_module(err);
        SignedImages images = {};
        int r = 0;

        const SignRequest request = {
                .registry = &registry,
                .name = name,
                .identity = args->identity,
                .gpg_key = args->gpg_key,
                .sigstore_key = args->sigstore_key,
                .passphrase_file = args->passphrase_file,
                .directory = args->directory,
                .registries_d = args->registries_d,
        };

        if (!module || module->sign(&request, &images, err) < 0)
                return error_prefix(err, "sign '%s'", name);
        for (size_t i = 0; i < images.n && r == 0; i++)
                r = output_printf(&cli->out, err, "%s %s\n", images.items[i].digest.text, images.items[i].where);
        signed_images_clear(&images);
        return r;
}

static int run(Cli *cli, const Call *call, Error *err) {
        const SignArgs *args = call->args;

        if (!args->gpg_key == !args->sigstore_key) {
                error_set(err, ERROR_INVALID_ARGUMENT, "one key is needed to sign by, and only one");
                return error_hint(err, "--sign-by FINGERPRINT, or --sign-by-sigstore-private-key FILE");
        }
        if (args->directory && !args->gpg_key)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--directory is for --sign-by alone: the others are kept in the registry");
        if (args->identity && call->n_operands > 1)
                return error_set(err, ERROR_INVALID_ARGUMENT, "--sign-identity is for one image");
        return command_each(cli, call, sign_one, err);
}

const Command cmd_image_sign = {
        .name = "image sign",
        .group = COMMANDS_IMAGES,
        .summary = "sign images in their registries",
        .operands = "IMAGE...",
        .description = "IMAGE is a reference such as registry.example/team/app:v2. Of an index, each of its manifests is signed too. "
                       "Signed is what the registry has now; what has been fetched is not looked at.\n\n"
                       "A GPG signature becomes a file of the lookaside that registries.d names (lookaside-staging), for a web server to "
                       "serve. One of sigstore is pushed to the registry, beside the image, under the tag that cosign looks for. "
                       "Nothing is sent to any service, and no transparency log is written: 'cosign verify' "
                       "needs --insecure-ignore-tlog for it.\n\n"
                       "What was signed, and where the signature is, is printed.",
        .examples = "proxmox-lxcri image sign --sign-by 0x1234ABCD registry.example/team/app:v2\n"
                    "proxmox-lxcri image sign --sign-by-sigstore-private-key cosign.key registry.example/team/app:v2",
        .min_operands = 1,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { sign_options, registry_options, NULL },
        .args_size = sizeof(SignArgs),
        .run = run,
};
