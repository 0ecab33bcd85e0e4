/* The default seccomp profile, for what a container may do and the machine it runs on. On the start path of every container. */

#include "oci/spec-seccomp.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "oci/spec-parts.h"

#define COVERS(...) .covers = (const char *const[]) { __VA_ARGS__, NULL }

/* A machine's filter also covers the older instruction sets that it runs, or a program could switch to one and be free. */
static const SeccompArch architectures[] = {
        { "amd64", COVERS("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32") },
        { "arm64", COVERS("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM") },
        { "mips64", COVERS("SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64N32") },
        { "mips64n32", COVERS("SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64") },
        { "mipsel64", COVERS("SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64N32") },
        { "mipsel64n32", COVERS("SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64") },
        { "s390x", COVERS("SCMP_ARCH_S390X", "SCMP_ARCH_S390") },
        { "arm" },
        { "mips" },
        { "mipsel" },
        { "ppc64le" },
        { "riscv64" },
        { "s390" },
        { "x32" },
        { "x86" },
};

#if defined(__x86_64__) && defined(__ILP32__)
#define NATIVE "x32"
#elif defined(__x86_64__)
#define NATIVE "amd64"
#elif defined(__i386__)
#define NATIVE "x86"
#elif defined(__aarch64__)
#define NATIVE "arm64"
#elif defined(__arm__)
#define NATIVE "arm"
#elif defined(__mips64) && defined(__MIPSEL__)
#define NATIVE "mipsel64"
#elif defined(__mips__) && defined(__MIPSEL__)
#define NATIVE "mipsel"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define NATIVE "ppc64le"
#elif defined(__riscv) && __riscv_xlen == 64
#define NATIVE "riscv64"
#elif defined(__s390x__)
#define NATIVE "s390x"
#else
#error "the seccomp table does not know this machine"
#endif

const SeccompArch *seccomp_arch_find(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
                if (!strcmp(architectures[i].name, name ?: NATIVE))
                        return &architectures[i];
        return NULL;
}

/* Steps through words separated by spaces; false at the end. */
static bool next_word(const char **cursor, const char **ret, size_t *ret_len) {
        *ret = *cursor + strspn(*cursor, " ");
        *ret_len = strcspn(*ret, " ");
        *cursor = *ret + *ret_len;
        return *ret_len > 0;
}

static bool has_word(const char *words, const char *wanted) {
        const char *word;
        size_t len;

        while (next_word(&words, &word, &len))
                if (strlen(wanted) == len && !memcmp(word, wanted, len))
                        return true;
        return false;
}

static json_t *words_json(const char *words) {
        json_t *array = json_array();
        const char *word;
        size_t len;

        while (array && next_word(&words, &word, &len))
                if (json_array_append_new(array, json_stringn_nocheck(word, len)) < 0) {
                        json_decref(array);
                        array = NULL;
                }
        return array;
}

/* An argument per element; NULL and no error when there are none. */
static int arguments_build(const SeccompArgument *args, json_t **ret, Error *err) {
        static const char *const operators[] = { [SECCOMP_EQ] = "SCMP_CMP_EQ", [SECCOMP_NE] = "SCMP_CMP_NE" };
        _cleanup_json_ json_t *array = NULL;

        if (args[0].op == SECCOMP_NONE)
                return 0;
        array = json_array();
        for (; args->op != SECCOMP_NONE; args++)
                if (part_append(array, json_pack("{s:i, s:I, s:s}", "index", (int) args->index, "value", (json_int_t) args->value, "op",
                                                 operators[args->op]), err) < 0)
                        return -1;
        *ret = TAKE(array);
        return 0;
}

static int rule_append(json_t *rules, const SeccompRow *row, SeccompVerdict verdict, int errnum, Error *err) {
        _cleanup_json_ json_t *rule = json_object(), *args = NULL;

        if (part_set(rule, "names", words_json(row->names), err) < 0 ||
            part_set(rule, "action", json_string(verdict == SECCOMP_ALLOW ? "SCMP_ACT_ALLOW" : "SCMP_ACT_ERRNO"), err) < 0)
                return -1;
        if (verdict == SECCOMP_ERRNO && part_set(rule, "errnoRet", json_integer(errnum), err) < 0)
                return -1;
        if (arguments_build(row->args, &args, err) < 0)
                return -1;
        if (args && part_set(rule, "args", TAKE(args), err) < 0)
                return -1;
        return part_append(rules, TAKE(rule), err);
}

static bool holds(uint64_t capabilities, int capability) {
        return capabilities & ((uint64_t) 1 << capability);
}

int seccomp_default(uint64_t capabilities, const SeccompArch *arch, json_t **ret, Error *err) {
        _cleanup_json_ json_t *profile = json_object(), *rules = json_array(), *covers = NULL;

        for (const SeccompRow *row = seccomp_rows; row->names; row++) {
                bool has = holds(capabilities, row->capability) || (row->or_capability && holds(capabilities, row->or_capability));
                SeccompVerdict verdict = row->verdict;
                int errnum = row->errnum;

                if ((row->when == SECCOMP_ON_ARCH && !has_word(row->arches, arch->name)) || (row->when == SECCOMP_WITH && !has) ||
                    (row->when == SECCOMP_WITHOUT && has))
                        continue;
                if (row->when == SECCOMP_BY_CAPABILITY) {
                        verdict = has ? SECCOMP_ALLOW : SECCOMP_ERRNO;
                        errnum = EPERM;
                }
                if (rule_append(rules, row, verdict, errnum, err) < 0)
                        return -1;
        }

        if (part_set(profile, "defaultAction", json_string("SCMP_ACT_ERRNO"), err) < 0 ||
            part_set(profile, "defaultErrnoRet", json_integer(ENOSYS), err) < 0)
                return -1;
        if (arch->covers) {
                if (texts_json((char *const *) arch->covers, "architectures", &covers, err) < 0)
                        return -1;
                if (part_set(profile, "architectures", TAKE(covers), err) < 0)
                        return -1;
        }
        if (part_set(profile, "syscalls", TAKE(rules), err) < 0)
                return -1;
        *ret = TAKE(profile);
        return 0;
}
