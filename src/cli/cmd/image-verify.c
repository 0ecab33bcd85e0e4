/* image verify: whether every blob and layer of images still is what its digest says. */

#include <string.h>

#include "base/cleanup.h"
#include "cli/images.h"
#include "cli/registry-options.h"
#include "image/admission.h"

typedef struct VerifyArgs {
        RegistryArgs registry; /* first */
        bool quiet;
        Store *store; /* opened by run(), for every operand */
} VerifyArgs;

static const Option verify_options[] = {
        OPT_FLAG('q', "quiet", VerifyArgs, quiet, "print only what is wrong"),
        OPT_END
};

static int print_results(Cli *cli, const VerifyResult *results, size_t n, bool quiet, Error *err) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_buf_ Buf line = BUF_INIT(OUTPUT_MAX);

                if (results[i].kind == ERROR_NONE && quiet)
                        continue;
                if (text_printable(&line, results[i].subject, false, err) < 0 || buf_puts(&line, ": ", err) < 0 ||
                    (results[i].kind != ERROR_NONE && buf_printf(&line, err, "%s: ", error_kind_name(results[i].kind)) < 0) ||
                    text_printable(&line, results[i].problem ?: "right", false, err) < 0)
                        return -1;
                if (output_printf(&cli->out, err, "%s\n", line.data) < 0)
                        return -1;
        }
        return 0;
}

static int judge(const char *text, const VerifyResult *results, size_t n, Error *err) {
        const VerifyResult *first = NULL;
        size_t wrong = 0;

        for (size_t i = 0; i < n; i++) {
                if (results[i].kind == ERROR_NONE)
                        continue;
                wrong++;
                first = first ?: &results[i];
        }
        if (!first)
                return 0;
        error_set(err, first->kind, "image '%s': %zu of %zu parts are wrong, first %s: %s", text, wrong, n, first->subject, first->problem);
        return error_hint(err, "import the image again");
}

/* "signedBy 0123… (docker.io/library/redis:7), rule 'docker docker.io' of /etc/containers/policy.json" */
static int trust_text(const TrustOrigin *origin, Buf *buf, Error *err) {
        for (size_t i = 0; i < origin->n_signers; i++) {
                const TrustSigner *signer = &origin->signers[i];

                if (buf_printf(buf, err, "%s %s (%s), ", requirement_name(signer->kind), signer->claim.signer ?: "by an unnamed key",
                               signer->claim.docker_reference ?: "of no name") < 0)
                        return -1;
        }
        return buf_printf(buf, err, "%srule '%s' of %s", origin->n_signers ? "" : "accepted without a signature, ", origin->rule_name,
                          origin->policy);
}

/* Who signed it, and by which rule it may be used. */
static int print_trust(Cli *cli, const Call *call, const FoundImage *found, Error *err) {
        const VerifyArgs *args = call->args;
        const RegistryOptions registry = registry_request(cli, call, &args->registry);
        _cleanup_buf_ Buf text = BUF_INIT(OUTPUT_MAX), line = BUF_INIT(OUTPUT_MAX);
        _cleanup_admitted_ Admitted admitted = {};

        if (admission_check(args->store, args->registry.signature_policy, found->name.name, &found->image->manifest, &registry, &admitted,
                            err) < 0)
                return -1;
        if (args->quiet || !admitted.judged)
                return 0;
        if (trust_text(&admitted.origin, &text, err) < 0 || text_printable(&line, text.data, false, err) < 0)
                return -1;
        return output_printf(&cli->out, err, "trust: %s\n", line.data);
}

static int verify_one(Cli *cli, const Call *call, const char *text, Error *err) {
        _cleanup_(found_image_clear) FoundImage found = {};
        const ImageModule *module = image_module(err);
        const VerifyArgs *args = call->args;
        VerifyResult *results;
        size_t n;
        int r;

        if (!module || image_find(args->store, text, &found, err) < 0)
                return -1;
        if (module->verify(args->store, found.image, &cli->lifecycle.observer.image_progress, &results, &n, err) < 0)
                return error_prefix(err, "image '%s'", text);
        progress_hide(&cli->progress);
        r = print_results(cli, results, n, args->quiet, err);
        if (r == 0)
                r = judge(text, results, n, err);
        verify_results_free(results, n);
        if (r == 0 && print_trust(cli, call, &found, err) < 0)
                return error_prefix(err, "image '%s'", text);
        return r;
}

/* Without operands: every image that has an entry, each once. */
static int verify_all(Cli *cli, const Call *call, Error *err) {
        const VerifyArgs *args = call->args;
        _cleanup_strv_ char **digests = NULL;
        StoreName *names;
        int r = 0;
        size_t n;

        if (store_names_list(args->store, &names, &n, err) < 0)
                return -1;
        for (size_t i = 0; i < n && r == 0; i++) {
                bool seen = false;

                for (char **d = digests; d && *d && !seen; d++)
                        seen = !strcmp(*d, names[i].descriptor.digest.text);
                if (!seen)
                        r = strv_push(&digests, names[i].descriptor.digest.text, err);
        }
        store_names_free(names, n);
        if (r < 0)
                return -1;

        const Call all = { .args = call->args, .operands = digests, .n_operands = strv_length(digests) };

        return command_each(cli, &all, verify_one, err);
}

static void clear(void *args) {
        store_close(((VerifyArgs *) args)->store);
}

static int run(Cli *cli, const Call *call, Error *err) {
        VerifyArgs *args = call->args;

        if (cli_open_store(cli, STORE_READ, &args->store, err) < 0)
                return -1;
        return call->n_operands > 0 ? command_each(cli, call, verify_one, err) : verify_all(cli, call, err);
}

const Command cmd_image_verify = {
        .name = "image verify",
        .group = COMMANDS_IMAGES,
        .summary = "check every blob and layer of images by its digest, and who signed them",
        .operands = "[IMAGE...]",
        .description = "Without IMAGE, all of the store are checked. Then the signature policy is asked again whether the image may be "
                       "used: the last line says who signed it and which rule lets it in.",
        .examples = "proxmox-lxcri image verify\nproxmox-lxcri image verify redis:7",
        .flags = COMMAND_OWNERS,
        .max_operands = OPERANDS_MANY,
        .options = (const Option *const[]) { verify_options, policy_options, registry_options, NULL },
        .args_size = sizeof(VerifyArgs),
        .clear = clear,
        .run = run,
};
