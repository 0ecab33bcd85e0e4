/* `process` of a configuration as the init wants it. */

#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/json.h"
#include "engine/plan.h"
#include "oci/spec-parts.h"
#include "oci/spec-schema.h"
#include "runtime/seccomp.h"

#define CPUS_MAX  8192 /* of a list; the kernel's NR_CPUS_RANGE_END on x86 */
#define NODES_MAX 1024 /* MAX_NUMNODES at most */

typedef struct Name {
        const char *name;
        uint64_t value;
} Name;

static const Name rlimit_names[] = {
        { "RLIMIT_AS", RLIMIT_AS },           { "RLIMIT_CORE", RLIMIT_CORE },     { "RLIMIT_CPU", RLIMIT_CPU },
        { "RLIMIT_DATA", RLIMIT_DATA },       { "RLIMIT_FSIZE", RLIMIT_FSIZE },   { "RLIMIT_LOCKS", RLIMIT_LOCKS },
        { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK }, { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE }, { "RLIMIT_NICE", RLIMIT_NICE },
        { "RLIMIT_NOFILE", RLIMIT_NOFILE },   { "RLIMIT_NPROC", RLIMIT_NPROC },   { "RLIMIT_RSS", RLIMIT_RSS },
        { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },   { "RLIMIT_RTTIME", RLIMIT_RTTIME }, { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
        { "RLIMIT_STACK", RLIMIT_STACK },
};

static const Name policy_names[] = {
        { "SCHED_OTHER", SCHED_NORMAL }, { "SCHED_FIFO", SCHED_FIFO }, { "SCHED_RR", SCHED_RR },
        { "SCHED_BATCH", SCHED_BATCH },  { "SCHED_ISO", 4 },           { "SCHED_IDLE", SCHED_IDLE },
        { "SCHED_DEADLINE", SCHED_DEADLINE },
};

static const Name scheduler_flag_names[] = {
        { "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
        { "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
        { "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
        { "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
        { "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
        { "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
        { "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
};

static const Name io_class_names[] = {
        { "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
        { "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
        { "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
};

#define MODE_WEIGHTED_INTERLEAVE 6 /* MPOL_WEIGHTED_INTERLEAVE, Linux 6.9 */
static const Name memory_mode_names[] = {
        { "MPOL_DEFAULT", MPOL_DEFAULT },
        { "MPOL_BIND", MPOL_BIND },
        { "MPOL_INTERLEAVE", MPOL_INTERLEAVE },
        { "MPOL_WEIGHTED_INTERLEAVE", MODE_WEIGHTED_INTERLEAVE },
        { "MPOL_PREFERRED", MPOL_PREFERRED },
        { "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
        { "MPOL_LOCAL", MPOL_LOCAL },
};

static const Name memory_flag_names[] = {
        { "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
        { "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
        { "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
};

/* The schema has checked every name: an unknown one is 0. */
static uint64_t value_of(const Name *names, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++)
                if (name && !strcmp(names[i].name, name))
                        return names[i].value;
        return 0;
}
#define VALUE_OF(names, name) value_of(names, ARRAY_SIZE(names), name)

static uint64_t flags_of(const Name *names, size_t n, const json_t *array) {
        uint64_t flags = 0;

        for (size_t i = 0; i < json_array_size(array); i++)
                flags |= value_of(names, n, json_string_value(json_array_get(array, i)));
        return flags;
}

static uint64_t number_of(const json_t *object, const char *name) {
        const json_t *value = schema_field(object, name);

        if (json_is_real(value)) /* beyond int64: see spec_load() */
                return json_real_value(value) >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t) json_real_value(value);
        return (uint64_t) json_integer_value(value);
}

/* "0-3,7" as a mask of bits; *ret_words 64-bit words up to the highest. */
static int parse_ranges(const char *text, const char *place, unsigned max, uint64_t *mask, size_t *ret_words, Error *err) {
        size_t words = 0;

        memset(mask, 0, max / 8);
        while (*text) {
                char *end;
                unsigned long first, last;

                if (*text == ',' || *text == ' ') {
                        text++;
                        continue;
                }
                first = last = strtoul(text, &end, 10);
                if (end != text && *end == '-') {
                        text = end + 1;
                        last = strtoul(text, &end, 10);
                }
                if (end == text || last < first || last >= max || (*end && *end != ',' && *end != ' '))
                        return error_set(err, ERROR_INVALID_SPEC, "config.json: %s: no list of numbers below %u such as '0-3,7'", place,
                                         max);
                for (unsigned long i = first; i <= last; i++)
                        mask[i / 64] |= UINT64_C(1) << (i % 64);
                if (last / 64 + 1 > words)
                        words = last / 64 + 1;
                text = end;
        }
        *ret_words = words;
        return 0;
}

static int add_user(Builder *b, PlanProcess *p, const json_t *user, Error *err) {
        const json_t *gids = schema_field(user, "additionalGids");
        size_t n = json_array_size(gids);
        _cleanup_free_ uint32_t *groups = calloc(n + 1, sizeof(*groups));

        if (!groups)
                return error_oom(err);
        for (size_t i = 0; i < n; i++)
                groups[i] = (uint32_t) json_integer_value(json_array_get(gids, i));
        p->uid = (uint32_t) number_of(user, "uid");
        p->gid = (uint32_t) number_of(user, "gid");
        if (schema_field(user, "umask"))
                p->umask = (uint32_t) number_of(user, "umask") & 0777;
        p->flags |= PLAN_SET_GROUPS;
        p->groups.n = (uint32_t) n;
        return builder_add(b, groups, n * sizeof(*groups), &p->groups.at, err);
}

/* Names that this program does not know are left out, as the spec wants. */
static uint64_t capability_set(const json_t *capabilities, const char *name) {
        const json_t *array = schema_field(capabilities, name);
        uint64_t set = 0;

        for (size_t i = 0; i < json_array_size(array); i++) {
                int number = capability_find(json_string_value(json_array_get(array, i)));

                if (number >= 0)
                        set |= UINT64_C(1) << number;
        }
        return set;
}

static int add_rlimits(Builder *b, PlanProcess *p, const json_t *array, Error *err) {
        PlanRlimit limits[ARRAY_SIZE(rlimit_names)]; /* the schema refuses a name that is there twice */
        size_t n = json_array_size(array);

        for (size_t i = 0; i < n; i++) {
                const json_t *item = json_array_get(array, i);
                const char *type = json_string_value(schema_field(item, "type"));

                limits[i] = (PlanRlimit) {
                        .resource = (uint32_t) VALUE_OF(rlimit_names, type),
                        .soft = number_of(item, "soft"),
                        .hard = number_of(item, "hard"),
                };
                if (builder_format(b, &limits[i].place, err, "process.rlimits[%zu]: %s", i, type) < 0)
                        return -1;
        }
        p->rlimits.n = (uint32_t) n;
        return builder_add(b, limits, n * sizeof(*limits), &p->rlimits.at, err);
}

static int add_affinity(Builder *b, const json_t *affinity, const char *name, PlanList *ret, Error *err) {
        const char *text = json_string_value(schema_field(affinity, name));
        uint64_t mask[CPUS_MAX / 64];
        char place[64];
        size_t words;

        if (!text || !text[0])
                return 0;
        (void) snprintf(place, sizeof(place), "process.execCPUAffinity.%s", name);
        if (parse_ranges(text, place, CPUS_MAX, mask, &words, err) < 0)
                return -1;
        ret->n = (uint32_t) (words * sizeof(*mask));
        return builder_add(b, mask, ret->n, &ret->at, err);
}

static int add_memory_policy(Builder *b, PlanProcess *p, const json_t *policy, Error *err) {
        const char *nodes = json_string_value(schema_field(policy, "nodes"));
        uint64_t mask[NODES_MAX / 64];
        size_t words = 0;

        if (!policy)
                return 0;
        p->flags |= PLAN_MEMORY_POLICY;
        p->memory_mode = (uint32_t) VALUE_OF(memory_mode_names, json_string_value(schema_field(policy, "mode")));
        p->memory_flags = (uint32_t) flags_of(memory_flag_names, ARRAY_SIZE(memory_flag_names), schema_field(policy, "flags"));
        if (nodes && parse_ranges(nodes, "linux.memoryPolicy.nodes", NODES_MAX, mask, &words, err) < 0)
                return -1;
        p->memory_nodes.n = (uint32_t) words;
        return builder_add(b, mask, words * sizeof(*mask), &p->memory_nodes.at, err);
}

static int add_personality(PlanProcess *p, const json_t *personality_, Error *err) {
        if (!personality_)
                return 0;
        if (json_array_size(schema_field(personality_, "flags")) > 0)
                return error_set(err, ERROR_NOT_SUPPORTED, "config.json: linux.personality.flags: the spec defines none");
        p->flags |= PLAN_PERSONALITY;
        p->personality = !strcmp(json_string_value(schema_field(personality_, "domain")), "LINUX32") ? PER_LINUX32 : PER_LINUX;
        return 0;
}

static int add_labels(Builder *b, PlanProcess *p, const json_t *process, Error *err) {
        const char *apparmor = json_string_value(schema_field(process, "apparmorProfile"));
        const char *selinux = json_string_value(schema_field(process, "selinuxLabel"));

        if (apparmor && apparmor[0]) {
                if (!apparmor_is_enabled())
                        return error_set(err, ERROR_NOT_SUPPORTED,
                                         "config.json: process.apparmorProfile: this kernel runs without AppArmor");
                if (builder_string(b, apparmor, &p->apparmor, err) < 0)
                        return -1;
        }
        if (selinux && selinux[0]) {
                if (access("/sys/fs/selinux/enforce", F_OK) < 0)
                        return error_set(err, ERROR_NOT_SUPPORTED, "config.json: process.selinuxLabel: this kernel runs without SELinux");
                if (builder_string(b, selinux, &p->selinux, err) < 0)
                        return -1;
        }
        return 0;
}

static int add_seccomp(Builder *b, PlanProcess *p, const json_t *seccomp, const char *cache_dir, Error *err) {
        _cleanup_seccomp_filter_ SeccompFilter filter = {};

        if (!seccomp)
                return 0;
        if (seccomp_filter(seccomp, cache_dir, &filter, err) < 0)
                return -1;
        p->seccomp.n = (uint32_t) filter.length;
        p->seccomp_flags = filter.flags;
        return builder_add(b, filter.program, filter.length * 8, &p->seccomp.at, err);
}

static bool has_variable(const json_t *env, const char *name) {
        size_t len = strlen(name);

        for (size_t i = 0; i < json_array_size(env); i++) {
                const char *text = json_string_value(json_array_get(env, i));

                if (!strncmp(text, name, len) && text[len] == '=')
                        return true;
        }
        return false;
}

static void add_scheduler(PlanProcess *p, const json_t *scheduler, const json_t *io) {
        if (scheduler)
                p->scheduler = (PlanScheduler) {
                        .is_set = 1,
                        .policy = (uint32_t) VALUE_OF(policy_names, json_string_value(schema_field(scheduler, "policy"))),
                        .flags = flags_of(scheduler_flag_names, ARRAY_SIZE(scheduler_flag_names), schema_field(scheduler, "flags")),
                        .nice = (int32_t) json_integer_value(schema_field(scheduler, "nice")),
                        .priority = (uint32_t) number_of(scheduler, "priority"),
                        .runtime = number_of(scheduler, "runtime"),
                        .deadline = number_of(scheduler, "deadline"),
                        .period = number_of(scheduler, "period"),
                };
        if (io) {
                p->flags |= PLAN_IO_PRIORITY;
                p->io_priority = (uint32_t) IOPRIO_PRIO_VALUE(VALUE_OF(io_class_names, json_string_value(schema_field(io, "class"))),
                                                              number_of(io, "priority"));
        }
}

int plan_process(Builder *b, const json_t *process, const json_t *linux_part, const char *cache_dir, Error *err) {
        const json_t *capabilities = schema_field(process, "capabilities"), *env = schema_field(process, "env");
        const json_t *size = schema_field(process, "consoleSize"), *affinity = schema_field(process, "execCPUAffinity");
        const json_t *oom = schema_field(process, "oomScoreAdj");
        PlanProcess p = builder_plan(b)->process;
        const char *cwd = json_string_value(schema_field(process, "cwd"));

        if (builder_strings(b, schema_field(process, "args"), "process.args", &p.args, err) < 0 ||
            builder_strings(b, env, "process.env", &p.env, err) < 0 || builder_string(b, cwd && cwd[0] ? cwd : "/", &p.cwd, err) < 0 ||
            add_user(b, &p, schema_field(process, "user"), err) < 0 || add_rlimits(b, &p, schema_field(process, "rlimits"), err) < 0 ||
            add_labels(b, &p, process, err) < 0 || add_seccomp(b, &p, schema_field(linux_part, "seccomp"), cache_dir, err) < 0 ||
            add_personality(&p, schema_field(linux_part, "personality"), err) < 0 ||
            add_memory_policy(b, &p, schema_field(linux_part, "memoryPolicy"), err) < 0)
                return -1;
        if (builder_plan(b)->kind == PLAN_EXEC && (add_affinity(b, affinity, "initial", &p.affinity_initial, err) < 0 ||
                                                   add_affinity(b, affinity, "final", &p.affinity_final, err) < 0))
                return -1;
        if (!has_variable(env, "HOME"))
                p.flags |= PLAN_HOME;
        if (json_is_true(schema_field(process, "terminal")))
                p.flags |= PLAN_TERMINAL;
        if (json_is_true(schema_field(process, "noNewPrivileges")))
                p.flags |= PLAN_NO_NEW_PRIVILEGES;
        if (size) {
                p.flags |= PLAN_CONSOLE_SIZE;
                p.rows = (uint32_t) number_of(size, "height");
                p.columns = (uint32_t) number_of(size, "width");
        }
        if (oom) {
                p.flags |= PLAN_OOM_SCORE;
                p.oom_score = (int32_t) json_integer_value(oom);
        }
        p.capabilities = (PlanCapabilities) {
                .bounding = capability_set(capabilities, "bounding"),
                .effective = capability_set(capabilities, "effective"),
                .inheritable = capability_set(capabilities, "inheritable"),
                .permitted = capability_set(capabilities, "permitted"),
                .ambient = capability_set(capabilities, "ambient"),
        };
        add_scheduler(&p, schema_field(process, "scheduler"), schema_field(process, "ioPriority"));
        builder_plan(b)->process = p;
        return 0;
}
