/* From a profile to instructions, by libseccomp. Of the module. */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "runtime/seccomp-module.h"

#define ARCHITECTURES_MAX 32 /* more than libseccomp has */

typedef struct Architecture {
        uint32_t token;   /* SCMP_ARCH_* */
        uint32_t latest;  /* number of the newest call that the profile names */
} Architecture;

typedef struct Compiler {
        const SeccompProfile *profile;
        scmp_filter_ctx context;
        Architecture architectures[ARCHITECTURES_MAX];
        size_t n_architectures;
} Compiler;

static void compiler_free(Compiler *compiler) {
        if (compiler->context)
                seccomp_release(compiler->context);
}

static int library_error(int r, Error *err, const char *what) {
        const struct scmp_version *version = seccomp_version();

        if (r == -ENOMEM)
                return error_oom(err);
        return error_set_errno(err, ERROR_NOT_SUPPORTED, -r, "libseccomp %u.%u.%u: %s", version->major, version->minor, version->micro,
                               what);
}

static void architecture_note(Compiler *compiler, uint32_t token) {
        for (size_t i = 0; i < compiler->n_architectures; i++)
                if (compiler->architectures[i].token == token)
                        return;
        if (compiler->n_architectures < ARCHITECTURES_MAX)
                compiler->architectures[compiler->n_architectures++].token = token;
}

/* The machine's own architecture is in every filter, named or not. */
static int architectures_add(Compiler *compiler, Error *err) {
        const json_t *names = compiler->profile->architectures;

        architecture_note(compiler, seccomp_arch_native());
        for (size_t i = 0; i < json_array_size(names); i++) {
                const char *name = json_string_value(json_array_get(names, i));
                char library_name[32] = "";
                uint32_t token = 0;
                int r;

                if (name && !strncmp(name, "SCMP_ARCH_", 10) && strlen(name + 10) < sizeof(library_name)) {
                        for (size_t c = 0; name[10 + c]; c++)
                                library_name[c] = (char) tolower((unsigned char) name[10 + c]);
                        token = seccomp_arch_resolve_name(library_name);
                }
                if (token == 0)
                        r = -EINVAL;
                else
                        r = seccomp_arch_add(compiler->context, token);
                if (r < 0 && r != -EEXIST) {
                        library_error(r, err, r == -EDOM ? "the byte order is not this machine's" : "not an architecture that it knows");
                        return error_prefix(err, "linux.seccomp.architectures[%zu]: '%s'", i, name ?: "");
                }
                architecture_note(compiler, token);
        }
        return 0;
}

/* Numbers that libseccomp invents for calls which an architecture lacks are negative. */
static void name_note(Compiler *compiler, const char *name) {
        for (size_t i = 0; i < compiler->n_architectures; i++) {
                Architecture *architecture = &compiler->architectures[i];
                int number = seccomp_syscall_resolve_name_arch(architecture->token, name);

                if (number >= 0 && (uint32_t) number > architecture->latest)
                        architecture->latest = (uint32_t) number;
        }
}

static bool has_two_on_one_argument(const SeccompRule *rule) {
        unsigned seen = 0;

        for (size_t i = 0; i < rule->n_conditions; i++) {
                if (seen & (1u << rule->conditions[i].index))
                        return true;
                seen |= 1u << rule->conditions[i].index;
        }
        return false;
}

/* Conditions are met together; when two are on one argument, each is a rule of its own, as every runtime takes it. */
static int call_add(Compiler *compiler, const SeccompRule *rule, int call) {
        struct scmp_arg_cmp compared[SECCOMP_ARGUMENTS];
        bool each = has_two_on_one_argument(rule);
        int r = 0;

        if (rule->n_conditions == 0)
                return seccomp_rule_add_array(compiler->context, rule->action, call, 0, NULL);
        for (size_t i = 0; i < rule->n_conditions && r == 0; i++) {
                const SeccompCondition *condition = &rule->conditions[i];

                compared[each ? 0 : i] = (struct scmp_arg_cmp) {
                        .arg = condition->index,
                        .op = (enum scmp_compare) condition->operator,
                        .datum_a = condition->value,
                        .datum_b = condition->value_two,
                };
                if (each)
                        r = seccomp_rule_add_array(compiler->context, rule->action, call, 1, compared);
        }
        return each ? r : seccomp_rule_add_array(compiler->context, rule->action, call, (unsigned) rule->n_conditions, compared);
}

static int rules_add(Compiler *compiler, Error *err) {
        for (size_t i = 0; i < compiler->profile->n_rules; i++) {
                const SeccompRule *rule = &compiler->profile->rules[i];
                bool is_default = rule->action == compiler->profile->default_action;

                for (size_t n = 0; n < json_array_size(rule->names); n++) {
                        const char *name = json_string_value(json_array_get(rule->names, n));
                        int call = seccomp_syscall_resolve_name(name);
                        int r;

                        name_note(compiler, name);
                        if (is_default || call == __NR_SCMP_ERROR)
                                continue;
                        r = call_add(compiler, rule, call);
                        if (r < 0) {
                                library_error(r, err, "add the rule");
                                return error_prefix(err, "linux.seccomp.syscalls[%zu]: '%s'", i, name);
                        }
                }
        }
        return 0;
}

static bool needs_stub(const SeccompProfile *profile) {
        switch (profile->default_action & SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_ALLOW:
        case SECCOMP_RET_LOG:
        case SECCOMP_RET_TRACE: /* a tracer answers for new calls itself */
                return false;
        default:
                return profile->default_action != (SECCOMP_RET_ERRNO | ENOSYS);
        }
}

static size_t stub_write(const Compiler *compiler, struct sock_filter *program) {
        SeccompLatest latest[ARCHITECTURES_MAX];
        size_t n = 0;

        if (!needs_stub(compiler->profile))
                return 0;
        for (size_t i = 0; i < compiler->n_architectures; i++) {
                const Architecture *architecture = &compiler->architectures[i];
                bool x32 = architecture->token == SCMP_ARCH_X32;

                /* Nothing named: the profile says nothing of what is new there. */
                if (architecture->latest == 0)
                        continue;
                latest[n++] = (SeccompLatest) {
                        .architecture = x32 ? AUDIT_ARCH_X86_64 : architecture->token,
                        .latest = architecture->latest,
                        .is_x32 = x32,
                        .has_multiplexer = architecture->token == SCMP_ARCH_S390 || architecture->token == SCMP_ARCH_S390X,
                };
        }
        return seccomp_stub(latest, n, program);
}

/* libseccomp 2.5 exports to descriptors only. */
static int export_program(Compiler *compiler, struct sock_filter **ret, size_t *ret_length, Error *err) {
        struct sock_filter stub[SECCOMP_STUB_MAX(ARCHITECTURES_MAX)];
        _cleanup_free_ struct sock_filter *program = NULL;
        _cleanup_free_ char *data = NULL;
        _cleanup_close_ int fd = -EBADF;
        size_t n_stub, len, length;
        int r;

        fd = memfd_create("seccomp", MFD_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "memfd_create");
        r = seccomp_export_bpf(compiler->context, fd);
        if (r < 0)
                return library_error(r, err, "compile");
        if (lseek(fd, 0, SEEK_SET) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "read back the compiled filter");
        if (file_read_fd(fd, "the compiled filter", SECCOMP_KEY_MAX, &data, &len, err) < 0)
                return -1;

        n_stub = stub_write(compiler, stub);
        length = n_stub + len / sizeof(*program);
        if (length > BPF_MAXINSNS)
                return error_set(err, ERROR_NOT_SUPPORTED, "linux.seccomp: needs %zu instructions, the kernel takes %d", length,
                                 BPF_MAXINSNS);
        program = malloc(length * sizeof(*program));
        if (!program)
                return error_oom(err);
        memcpy(program, stub, n_stub * sizeof(*program));
        memcpy(program + n_stub, data, len);
        *ret = TAKE(program);
        *ret_length = length;
        return 0;
}

int seccomp_translate(const SeccompProfile *profile, struct sock_filter **ret, size_t *ret_length, Error *err) {
        _cleanup_(compiler_free) Compiler compiler = { .profile = profile };

        compiler.context = seccomp_init(profile->default_action);
        if (!compiler.context) {
                library_error(-EINVAL, err, "this kernel has not the action");
                return error_prefix(err, "linux.seccomp.defaultAction");
        }
        if (architectures_add(&compiler, err) < 0 || rules_add(&compiler, err) < 0)
                return -1;
        return export_program(&compiler, ret, ret_length, err);
}

int seccomp_compile(const SeccompProfile *profile, struct sock_filter **ret, size_t *ret_length, Error *err) {
        if (seccomp_translate(profile, ret, ret_length, err) < 0)
                return -1;
        *ret_length = seccomp_shrink(*ret, *ret_length);
        return 0;
}
