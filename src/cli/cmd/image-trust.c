/* image trust: the signature policy, shown and changed. */

#include <string.h>

#include "base/cleanup.h"
#include "cli/registry-options.h"
#include "trust/policy-edit.h"

typedef struct TrustArgs {
        const char *policy, *type;
        char **keys;
        bool json, raw;
} TrustArgs;

static const Option trust_options[] = {
        OPT_SIGNATURE_POLICY(TrustArgs, policy),
        OPT_GROUP("Options of show"),
        OPT_FLAG('j', "json", TrustArgs, json, "print JSON"),
        OPT_FLAG(0, "raw", TrustArgs, raw, "print the file as it is"),
        OPT_GROUP("Options of set"),
        OPT_STRING('t', "type", TrustArgs, type, "accept|reject|signedBy|sigstoreSigned", "what is required; signedBy unless given"),
        OPT_LIST('f', "pubkeysfile", TrustArgs, keys, "FILE",
                 "a public key; of several, each has to have signed"),
        OPT_END
};

static void clear(void *args) {
        strv_free(((TrustArgs *) args)->keys);
}

/* In podman's words. */
static const struct {
        RequirementKind kind;
        const char *shown, *taken;
} types[] = {
        { REQUIREMENT_ACCEPT, "accept", "accept" },
        { REQUIREMENT_REJECT, "reject", "reject" },
        { REQUIREMENT_SIGNED_BY, "signed", "signedBy" },
        { REQUIREMENT_SIGSTORE, "sigstoreSigned", "sigstoreSigned" },
};

static const char *transport_shown(const TrustRule *rule) {
        return !rule->transport ? "all" : !strcmp(rule->transport, "docker") ? "repository" : rule->transport;
}

static int keys_shown(const TrustRequirement *requirement, Buf *buf, Error *err) {
        for (char **path = requirement->key_paths; path && *path; path++)
                if (buf_printf(buf, err, "%s%s", buf->len ? ", " : "", *path) < 0)
                        return -1;
        return requirement->key_data ? buf_printf(buf, err, "%skeyData", buf->len ? ", " : "") : 0;
}

static int row_json(const TrustRule *rule, const TrustRequirement *requirement, const char *keys, json_t *list, Error *err) {
        const char *scope = rule->transport ? (rule->scope[0] ? rule->scope : NULL) : "default";
        json_t *row = json_pack("{s:s, s:s*, s:s*, s:s, s:s*}", "transport", transport_shown(rule), "name",
                                rule->transport ? scope : "* (default)", "repo_name", scope, "type", types[requirement->kind].shown, "keys",
                                keys);

        return row && json_array_append_new(list, row) == 0 ? 0 : error_oom(err);
}

static int add_rule(const TrustRule *rule, Table *table, json_t *list, Error *err) {
        for (size_t i = 0; i < rule->n; i++) {
                const TrustRequirement *requirement = &rule->requirements[i];
                _cleanup_buf_ Buf keys = BUF_INIT(OUTPUT_MAX);

                if (keys_shown(requirement, &keys, err) < 0 || row_json(rule, requirement, keys.data, list, err) < 0 ||
                    TABLE_ADD(table, err, transport_shown(rule), rule->transport ? rule->scope : "default", types[requirement->kind].shown,
                              keys.data) < 0)
                        return -1;
        }
        return 0;
}

static int show(Cli *cli, const Call *call, const char *path, Error *err) {
        _cleanup_table_ Table table = TABLE_INIT("TRANSPORT", "NAME", "TYPE", "KEYS");
        const char *scope = call->n_operands > 1 ? call->operands[1] : NULL;
        _cleanup_(policy_freep) TrustPolicy *policy = NULL;
        _cleanup_json_ json_t *list = json_array();
        const TrustArgs *args = call->args;
        _cleanup_free_ char *text = NULL;
        size_t len;

        if (!list)
                return error_oom(err);
        if (policy_read(path, &text, &len, err) < 0)
                return -1;
        if (policy_parse(text, len, path, &policy, err) < 0)
                return error_prefix(err, "signature policy");
        if (args->raw)
                return output_printf(&cli->out, err, "%s", text);
        for (size_t i = 0; i < policy->n; i++)
                if ((!scope || !strcmp(scope, policy->rules[i].transport ? policy->rules[i].scope : "default")) &&
                    add_rule(&policy->rules[i], &table, list, err) < 0)
                        return -1;
        return args->json ? output_json(&cli->out, list, err) : table_print(&table, &cli->out, err);
}

static int set(Cli *cli, const Call *call, const char *path, Error *err) {
        const TrustArgs *args = call->args;
        PolicyEdit edit = { .kind = REQUIREMENT_SIGNED_BY, .key_files = args->keys };

        if (call->n_operands < 2)
                return error_set(err, ERROR_INVALID_ARGUMENT, "'image trust set' needs a scope");
        edit.scope = call->operands[1];
        for (size_t i = 0; args->type && i < ARRAY_SIZE(types); i++)
                if (!strcmp(args->type, types[i].taken))
                        edit.kind = types[i].kind;
        return policy_edit(path, &edit, err);
}

static const struct {
        const char *name;
        int (*run)(Cli *cli, const Call *call, const char *path, Error *err);
        bool makes;
} actions[] = {
        { "show", show, false },
        { "set", set, true },
};

static int run(Cli *cli, const Call *call, Error *err) {
        const TrustArgs *args = call->args;
        _cleanup_free_ char *path = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
                if (strcmp(call->operands[0], actions[i].name) != 0)
                        continue;
                if (policy_path(args->policy, &path, err) < 0)
                        return -1;
                if (!path && !actions[i].makes)
                        return error_set(err, ERROR_CONFIG, "there is no signature policy");
                return actions[i].run(cli, call, path ?: POLICY_SYSTEM, err);
        }
        error_set(err, ERROR_INVALID_ARGUMENT, "'image trust %s' is no command", call->operands[0]);
        return error_hint(err, "image trust show, or image trust set");
}

const Command cmd_image_trust = {
        .name = "image trust",
        .group = COMMANDS_IMAGES,
        .summary = "show or change which images are accepted",
        .operands = "show|set [SCOPE]",
        .description = "The policy is containers-policy.json(5), shared with podman and skopeo. SCOPE is 'default', a registry, or a "
                       "registry with the beginning of a name.",
        .examples = "proxmox-lxcri image trust show\n"
                    "proxmox-lxcri image trust set --type reject default\n"
                    "proxmox-lxcri image trust set --type sigstoreSigned -f /etc/pki/team.pub registry.example/team",
        .min_operands = 1,
        .max_operands = 2,
        .options = (const Option *const[]) { trust_options, NULL },
        .args_size = sizeof(TrustArgs),
        .clear = clear,
        .run = run,
};
