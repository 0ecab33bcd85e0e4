/* config.json → the init's plan: what is refused says why; in a plan every reference leads to bytes of it, and every string ends in it. */

#include <sys/mount.h>
#include <sys/stat.h>

#include "base/json.h"
#include "engine/plan.h"
#include "fuzz-dir.h"
#include "oci/runtime-spec.h"

static void check_bytes(const Builder *b, PlanRef at, size_t len) {
        CHECK(at % 8 == 0 && at >= sizeof(Plan) && at <= b->data.len && len <= b->data.len - at);
}

static const char *check_string(const Builder *b, PlanRef at) {
        if (!at)
                return NULL;
        check_bytes(b, at, 1);
        CHECK(memchr(b->data.data + at, '\0', b->data.len - at));
        return b->data.data + at;
}

/* The elements; NULL when there are none. */
static const void *check_list(const Builder *b, PlanList list, size_t size) {
        if (list.n == 0)
                return NULL;
        check_bytes(b, list.at, list.n * size);
        return b->data.data + list.at;
}

static void check_strings(const Builder *b, PlanStrings strings) {
        const PlanRef *refs = check_list(b, strings, sizeof(*refs));

        for (uint32_t i = 0; i < strings.n; i++)
                CHECK(check_string(b, refs[i]));
}

static void check_fd(const Builder *b, int32_t fd) {
        CHECK(fd >= -1 && (fd < 0 || (size_t) fd < b->n_fds));
}

static void check_hooks(const Builder *b, PlanList list) {
        const PlanHook *hooks = check_list(b, list, sizeof(*hooks));

        for (uint32_t i = 0; i < list.n; i++) {
                CHECK(check_string(b, hooks[i].path) && check_string(b, hooks[i].place));
                check_strings(b, hooks[i].args);
                check_strings(b, hooks[i].env);
        }
}

static void check_mounts(const Builder *b, const Plan *plan) {
        const PlanMount *mounts = check_list(b, plan->mounts, sizeof(*mounts));

        for (uint32_t i = 0; i < plan->mounts.n; i++) {
                const PlanMount *m = &mounts[i];

                CHECK(m->kind <= PLAN_MOUNT_CGROUP_NAMED && check_string(b, m->target) && check_string(b, m->place));
                CHECK(m->kind != PLAN_MOUNT_FS || check_string(b, m->type));
                CHECK(m->kind != PLAN_MOUNT_BIND || (check_string(b, m->source) && m->data.n == 0));
                CHECK(!(m->attr_set & m->attr_clear & ~(uint64_t) MOUNT_ATTR__ATIME));
                CHECK(!(m->all_set & m->all_clear & ~(uint64_t) MOUNT_ATTR__ATIME));
                CHECK(m->data.n <= 66); /* what the init has room for */
                check_strings(b, m->data);
                (void) check_list(b, m->propagation, sizeof(uint64_t));
                check_fd(b, m->fd);
        }
}

/* Without @wanted there is none: a container that can be made, and not started. */
static void check_process(const Builder *b, const PlanProcess *p, bool wanted) {
        const PlanRlimit *limits = check_list(b, p->rlimits, sizeof(*limits));

        CHECK(!wanted || (p->args.n > 0 && check_string(b, p->cwd)));
        check_strings(b, p->args);
        check_strings(b, p->env);
        (void) check_list(b, p->groups, sizeof(uint32_t));
        (void) check_list(b, p->memory_nodes, sizeof(uint64_t));
        for (uint32_t i = 0; i < p->rlimits.n; i++)
                CHECK(limits[i].resource < 16 && check_string(b, limits[i].place));
}

static void check_plan(const Builder *b, bool has_process) {
        const Plan *plan = (const Plan *) (const void *) b->data.data;
        const PlanDevice *devices = check_list(b, plan->devices, sizeof(*devices));
        const PlanSetting *settings = check_list(b, plan->sysctl, sizeof(*settings));

        CHECK(plan->version == PLAN_VERSION && check_string(b, plan->root));
        for (uint32_t i = 0; i < plan->devices.n; i++)
                CHECK(check_string(b, devices[i].path) && (devices[i].mode & ~(uint32_t) (S_IFMT | 07777)) == 0);
        for (uint32_t i = 0; i < plan->sysctl.n; i++)
                CHECK(!strncmp(check_string(b, settings[i].path), "sys/", 4) && check_string(b, settings[i].value));
        for (size_t i = 0; i < _NAMESPACE_MAX; i++)
                check_fd(b, plan->namespaces.paths[i]);
        CHECK((plan->namespaces.cloned & ~plan->namespaces.fresh) == 0);
        check_strings(b, plan->masked);
        check_strings(b, plan->readonly);
        check_hooks(b, plan->create_hooks);
        check_hooks(b, plan->start_hooks);
        check_mounts(b, plan);
        check_process(b, &plan->process, has_process);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static char *no_cgroups[] = { NULL };
        const EngineContainer container = { .id = "fuzz", .bundle = fuzz_dir_path, .runtime_dir = fuzz_dir_path };
        const EngineCreate request = { .no_new_keyring = size % 2 };
        const Cgroup cgroup = { .directories = no_cgroups, .controllers = no_cgroups, .v2_fd = -EBADF };
        _cleanup_json_ json_t *spec = NULL;
        _cleanup_builder_ Builder builder = {};
        PlanSource source = {
                .container = &container,
                .request = &request,
                .cgroup = &cgroup,
                .made_already = size % 3 ? UINT64_MAX : 0,
        };
        Error err = ERROR_INIT;

        fuzz_dir_put("config.json", data, size);
        if (spec_load(fuzz_dir(), &spec, NULL) < 0)
                return 0;
        /* Compiled by a module, and fuzzed by a target of its own */
        (void) json_object_del(json_object_get(spec, "linux"), "seccomp");
        source.spec = spec;
        CHECK(builder_init(&builder, PLAN_CREATE, &err) == 0);
        if (plan_create(&builder, &source, &err) < 0) {
                check_error(&err);
                return 0;
        }
        check_plan(&builder, json_object_get(spec, "process") != NULL);
        return 0;
}
