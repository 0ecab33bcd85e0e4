/* `linux.seccomp` of the runtime-spec: config-linux.md, "Seccomp". */

#include <string.h>

#include "oci/spec-schema.h"

static const SchemaName action_names[] = {
        { "SCMP_ACT_KILL" },
        { "SCMP_ACT_KILL_PROCESS", SPEC_1_1 },
        { "SCMP_ACT_KILL_THREAD", SPEC_1_1 },
        { "SCMP_ACT_TRAP" },
        { "SCMP_ACT_ERRNO" },
        { "SCMP_ACT_TRACE" },
        { "SCMP_ACT_ALLOW" },
        { "SCMP_ACT_LOG" },
        { "SCMP_ACT_NOTIFY", SPEC_1_1 },
        { NULL },
};
static const Schema action = { SCHEMA_STRING, .names = action_names };

static const SchemaName flag_names[] = {
        { "SECCOMP_FILTER_FLAG_TSYNC" },
        { "SECCOMP_FILTER_FLAG_LOG" },
        { "SECCOMP_FILTER_FLAG_SPEC_ALLOW" },
        { "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SPEC_1_1 },
        { NULL },
};
static const Schema flag = { SCHEMA_STRING, .names = flag_names };
static const Schema flags = { SCHEMA_ARRAY, .items = &flag };

static const SchemaName architecture_names[] = {
        { "SCMP_ARCH_X86" },
        { "SCMP_ARCH_X86_64" },
        { "SCMP_ARCH_X32" },
        { "SCMP_ARCH_ARM" },
        { "SCMP_ARCH_AARCH64" },
        { "SCMP_ARCH_MIPS" },
        { "SCMP_ARCH_MIPS64" },
        { "SCMP_ARCH_MIPS64N32" },
        { "SCMP_ARCH_MIPSEL" },
        { "SCMP_ARCH_MIPSEL64" },
        { "SCMP_ARCH_MIPSEL64N32" },
        { "SCMP_ARCH_PPC" },
        { "SCMP_ARCH_PPC64" },
        { "SCMP_ARCH_PPC64LE" },
        { "SCMP_ARCH_S390" },
        { "SCMP_ARCH_S390X" },
        { "SCMP_ARCH_PARISC" },
        { "SCMP_ARCH_PARISC64" },
        { "SCMP_ARCH_RISCV64", SPEC_1_1 },
        { "SCMP_ARCH_LOONGARCH64", SPEC_1_2 },
        { "SCMP_ARCH_M68K", SPEC_1_2 },
        { "SCMP_ARCH_SH", SPEC_1_2 },
        { "SCMP_ARCH_SHEB", SPEC_1_2 },
        { NULL },
};
static const Schema architecture = { SCHEMA_STRING, .names = architecture_names };
static const Schema architectures = { SCHEMA_ARRAY, .items = &architecture };

static const SchemaName operator_names[] = {
        { "SCMP_CMP_NE" }, { "SCMP_CMP_LT" }, { "SCMP_CMP_LE" },        { "SCMP_CMP_EQ" },
        { "SCMP_CMP_GE" }, { "SCMP_CMP_GT" }, { "SCMP_CMP_MASKED_EQ" }, { NULL },
};
static const Schema comparison = { SCHEMA_STRING, .names = operator_names };

static const Schema argument_index = { SCHEMA_INTEGER, .max = 5 }; /* a system call has six arguments */

static const SchemaField argument_fields[] = {
        { "index",    &argument_index, .required = true },
        { "value",    &schema_uint64,  .required = true },
        { "valueTwo", &schema_uint64 },
        { "op",       &comparison,     .required = true },
        { NULL },
};
static const Schema argument = { SCHEMA_OBJECT, .fields = argument_fields };
static const Schema arguments = { SCHEMA_ARRAY, .items = &argument };

static const Schema names = { SCHEMA_ARRAY, .items = &schema_string, .min_items = 1 };

static const SchemaField syscall_fields[] = {
        { "names",    &names,  .required = true },
        { "action",   &action, .required = true },
        { "errnoRet", &schema_uint32, .since = SPEC_1_1 },
        { "args",     &arguments },
        { NULL },
};
static const Schema syscall_rule = { SCHEMA_OBJECT, .fields = syscall_fields };
static const Schema syscalls = { SCHEMA_ARRAY, .items = &syscall_rule };

static const SchemaField seccomp_fields[] = {
        { "defaultAction",    &action, .required = true },
        { "defaultErrnoRet",  &schema_uint32, .since = SPEC_1_1 },
        { "flags",            &flags },
        { "listenerPath",     &schema_string, .since = SPEC_1_1 },
        { "listenerMetadata", &schema_string, .since = SPEC_1_1 },
        { "architectures",    &architectures },
        { "syscalls",         &syscalls },
        { NULL },
};

static int rule_seccomp(const json_t *value, const Place *place, Error *err) {
        const json_t *metadata = schema_field(value, "listenerMetadata");

        if (metadata && json_string_length(metadata) > 0 && json_string_length(schema_field(value, "listenerPath")) == 0)
                return place_error(place, err, "listenerMetadata without listenerPath");
        return 0;
}

const Schema schema_seccomp = { SCHEMA_OBJECT, .fields = seccomp_fields, .rule = rule_seccomp };
