/* Building a plan. */

#include "engine/builder.h"

#include <stdarg.h>
#include <string.h>

#include "base/cleanup.h"

int builder_init(Builder *builder, PlanKind kind, Error *err) {
        Plan plan = {
                .version = PLAN_VERSION,
                .kind = kind,
                .namespaces = { .container = -1, .container_root = -1 },
                .root_fd = -1,
                .proc_fd = -1,
                .start_fd = -1,
                .process = { .console = -1, .stdio = { -1, -1, -1 }, .umask = 0022 },
        };

        *builder = (Builder) { .data = BUF_INIT(PLAN_SIZE_MAX) };
        for (size_t i = 0; i < _NAMESPACE_MAX; i++)
                plan.namespaces.paths[i] = -1;
        return buf_append(&builder->data, &plan, sizeof(plan), err);
}

void builder_free(Builder *builder) {
        for (size_t i = 0; i < builder->n_fds; i++)
                if (builder->owned[i])
                        close_keep_errno(builder->fds[i]);
        buf_free(&builder->data);
        builder->n_fds = 0;
}

int builder_add(Builder *builder, const void *data, size_t len, PlanRef *ret, Error *err) {
        static const char padding[8];
        size_t rest = builder->data.len % 8, at;

        if (len == 0) {
                *ret = 0;
                return 0;
        }
        if (rest && buf_append(&builder->data, padding, 8 - rest, err) < 0)
                return -1;
        at = builder->data.len;
        if (buf_append(&builder->data, data, len, err) < 0)
                return -1;
        *ret = (PlanRef) at;
        return 0;
}

int builder_string(Builder *builder, const char *text, PlanRef *ret, Error *err) {
        if (!text) {
                *ret = 0;
                return 0;
        }
        return builder_add(builder, text, strlen(text) + 1, ret, err);
}

int builder_format(Builder *builder, PlanRef *ret, Error *err, const char *fmt, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = string_vformat(&text, err, fmt, ap);
        va_end(ap);
        return r < 0 ? -1 : builder_string(builder, text, ret, err);
}

int builder_strings(Builder *builder, const json_t *array, const char *place, PlanStrings *ret, Error *err) {
        size_t n = json_array_size(array);
        _cleanup_free_ PlanRef *refs = calloc(n + 1, sizeof(*refs));

        if (!refs)
                return error_oom(err);
        for (size_t i = 0; i < n; i++) {
                const json_t *item = json_array_get(array, i);

                if (strlen(json_string_value(item)) != json_string_length(item))
                        return error_set(err, ERROR_INVALID_SPEC, "config.json: %s[%zu]: holds a NUL byte", place, i);
                if (builder_string(builder, json_string_value(item), &refs[i], err) < 0)
                        return -1;
        }
        ret->n = (uint32_t) n;
        return builder_add(builder, refs, n * sizeof(*refs), &ret->at, err);
}

int builder_fd(Builder *builder, int fd, bool own, int32_t *ret, Error *err) {
        if (builder->n_fds == PLAN_FDS_MAX) {
                if (own)
                        close_keep_errno(fd);
                return error_set(err, ERROR_NOT_SUPPORTED, "more than %d descriptors for one container", PLAN_FDS_MAX);
        }
        builder->fds[builder->n_fds] = fd;
        builder->owned[builder->n_fds] = own;
        *ret = (int32_t) builder->n_fds++;
        return 0;
}
