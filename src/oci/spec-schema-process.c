/* `process` of the runtime-spec: config.md, "Process", "POSIX process", "Linux Process", "User". */

#include <string.h>

#include "oci/spec-schema.h"

static const Schema console_extent = { SCHEMA_INTEGER, .max = UINT32_MAX };

static const SchemaField console_size_fields[] = {
        { "height", &console_extent, .required = true },
        { "width",  &console_extent, .required = true },
        { NULL },
};
static const Schema console_size = { SCHEMA_OBJECT, .fields = console_size_fields };

static const Schema gids = { SCHEMA_ARRAY, .items = &schema_uint32 };

/* uid and gid are 0 when absent: Go omits neither, but crun and runc accept it. */
static const SchemaField user_fields[] = {
        { "uid",            &schema_uint32 },
        { "gid",            &schema_uint32 },
        { "umask",          &schema_uint32 },
        { "additionalGids", &gids },
        { "username",       &schema_string },
        { NULL },
};
static const Schema user = { SCHEMA_OBJECT, .fields = user_fields };

/* Names are not checked here: the spec has runtimes warn, not fail, about capabilities they do not know. */
static const SchemaField capabilities_fields[] = {
        { "bounding",    &schema_strings },
        { "effective",   &schema_strings },
        { "inheritable", &schema_strings },
        { "permitted",   &schema_strings },
        { "ambient",     &schema_strings },
        { NULL },
};
static const Schema capabilities = { SCHEMA_OBJECT, .fields = capabilities_fields };

static const SchemaName rlimit_names[] = {
        { "RLIMIT_AS" },      { "RLIMIT_CORE" },   { "RLIMIT_CPU" },    { "RLIMIT_DATA" },       { "RLIMIT_FSIZE" },  { "RLIMIT_LOCKS" },
        { "RLIMIT_MEMLOCK" }, { "RLIMIT_MSGQUEUE" }, { "RLIMIT_NICE" }, { "RLIMIT_NOFILE" },     { "RLIMIT_NPROC" },  { "RLIMIT_RSS" },
        { "RLIMIT_RTPRIO" },  { "RLIMIT_RTTIME" }, { "RLIMIT_SIGPENDING" }, { "RLIMIT_STACK" },  { NULL },
};
static const Schema rlimit_type = { SCHEMA_STRING, .names = rlimit_names };

static const SchemaField rlimit_fields[] = {
        { "type", &rlimit_type,   .required = true },
        { "soft", &schema_uint64, .required = true },
        { "hard", &schema_uint64, .required = true },
        { NULL },
};

static int rule_rlimit(const json_t *value, const Place *place, Error *err) {
        double soft = json_number_value(schema_field(value, "soft")), hard = json_number_value(schema_field(value, "hard"));

        if (soft > hard)
                return place_error(place, err, "soft is above hard");
        return 0;
}

static const Schema rlimit = { SCHEMA_OBJECT, .fields = rlimit_fields, .rule = rule_rlimit };

static int rule_rlimits(const json_t *value, const Place *place, Error *err) {
        for (size_t i = 0; i < json_array_size(value); i++) {
                const char *type = json_string_value(schema_field(json_array_get(value, i), "type"));

                for (size_t j = 0; j < i; j++)
                        if (!strcmp(type, json_string_value(schema_field(json_array_get(value, j), "type"))))
                                return place_error(place, err, "%s is there twice", type);
        }
        return 0;
}

static const Schema rlimits = { SCHEMA_ARRAY, .items = &rlimit, .rule = rule_rlimits };

static const SchemaName scheduler_policies[] = {
        { "SCHED_OTHER" }, { "SCHED_FIFO" }, { "SCHED_RR" },       { "SCHED_BATCH" },
        { "SCHED_ISO" },   { "SCHED_IDLE" }, { "SCHED_DEADLINE" }, { NULL },
};
static const Schema scheduler_policy = { SCHEMA_STRING, .names = scheduler_policies };

static const SchemaName scheduler_flag_names[] = {
        { "SCHED_FLAG_RESET_ON_FORK" },
        { "SCHED_FLAG_RECLAIM" },
        { "SCHED_FLAG_DL_OVERRUN" },
        { "SCHED_FLAG_KEEP_POLICY" },
        { "SCHED_FLAG_KEEP_PARAMS" },
        { "SCHED_FLAG_UTIL_CLAMP_MIN" },
        { "SCHED_FLAG_UTIL_CLAMP_MAX" },
        { NULL },
};
static const Schema scheduler_flag = { SCHEMA_STRING, .names = scheduler_flag_names };
static const Schema scheduler_flags = { SCHEMA_ARRAY, .items = &scheduler_flag };

static const Schema nice_value = { SCHEMA_INTEGER, .min = -20, .max = 19 }; /* setpriority(2) */

static const SchemaField scheduler_fields[] = {
        { "policy",   &scheduler_policy, .required = true },
        { "nice",     &nice_value },
        { "priority", &schema_int32 },
        { "flags",    &scheduler_flags },
        { "runtime",  &schema_uint64 },
        { "deadline", &schema_uint64 },
        { "period",   &schema_uint64 },
        { NULL },
};

static bool is_set(const json_t *object, const char *name) {
        return json_number_value(schema_field(object, name)) != 0;
}

/* sched_setattr(2): the kernel refuses each of these combinations. */
static int rule_scheduler(const json_t *value, const Place *place, Error *err) {
        const char *policy = json_string_value(schema_field(value, "policy"));

        if (is_set(value, "priority") && strcmp(policy, "SCHED_FIFO") != 0 && strcmp(policy, "SCHED_RR") != 0)
                return place_error(place, err, "priority is for SCHED_FIFO and SCHED_RR only");
        if ((is_set(value, "runtime") || is_set(value, "deadline") || is_set(value, "period")) && strcmp(policy, "SCHED_DEADLINE") != 0)
                return place_error(place, err, "runtime, deadline and period are for SCHED_DEADLINE only");
        return 0;
}

static const Schema scheduler = { SCHEMA_OBJECT, .fields = scheduler_fields, .rule = rule_scheduler };

static const SchemaName io_classes[] = { { "IOPRIO_CLASS_RT" }, { "IOPRIO_CLASS_BE" }, { "IOPRIO_CLASS_IDLE" }, { NULL } };
static const Schema io_class = { SCHEMA_STRING, .names = io_classes };
static const Schema io_level = { SCHEMA_INTEGER, .max = 7 }; /* ioprio_set(2) */

static const SchemaField io_priority_fields[] = {
        { "class",    &io_class, .required = true },
        { "priority", &io_level },
        { NULL },
};
static const Schema io_priority = { SCHEMA_OBJECT, .fields = io_priority_fields };

static int rule_cpu_list(const json_t *value, const Place *place, Error *err) {
        const char *text = json_string_value(value);

        if (text[strspn(text, "0123456789, -")] != '\0')
                return place_error(place, err, "'%s' is not a list of CPUs such as '0-3,7'", text);
        return 0;
}

static const Schema cpu_list = { SCHEMA_STRING, .rule = rule_cpu_list };

static const SchemaField exec_affinity_fields[] = {
        { "initial", &cpu_list },
        { "final",   &cpu_list },
        { NULL },
};
static const Schema exec_affinity = { SCHEMA_OBJECT, .fields = exec_affinity_fields };

static const Schema args = { SCHEMA_ARRAY, .items = &schema_string, .min_items = 1 };
static const Schema oom_score = { SCHEMA_INTEGER, .min = -1000, .max = 1000 }; /* proc(5), oom_score_adj */

static const SchemaField process_fields[] = {
        { "terminal",        &schema_boolean },
        { "consoleSize",     &console_size },
        { "user",            &user },
        { "args",            &args, .required = true },
        { "env",             &schema_strings },
        { "cwd",             &schema_absolute_path, .required = true },
        { "capabilities",    &capabilities },
        { "rlimits",         &rlimits },
        { "noNewPrivileges", &schema_boolean },
        { "apparmorProfile", &schema_string },
        { "oomScoreAdj",     &oom_score },
        { "selinuxLabel",    &schema_string },
        { "scheduler",       &scheduler,     .since = SPEC_1_1 },
        { "ioPriority",      &io_priority,   .since = SPEC_1_1 },
        { "execCPUAffinity", &exec_affinity, .since = SPEC_1_2 },
        { NULL },
};

const Schema schema_process = { SCHEMA_OBJECT, .fields = process_fields };
