#pragma once

/* Building a plan: one growing piece of memory, and beside it the descriptors that go with it. Private to engine/. */

#include <jansson.h>

#include "base/buf.h"
#include "engine/init/plan.h"

typedef struct Builder {
        Buf data;              /* the Plan, at its start, and all it refers to */
        int fds[PLAN_FDS_MAX];
        bool owned[PLAN_FDS_MAX];
        size_t n_fds;
} Builder;

/** builder_init() - room for the Plan itself; builder_free() even when it failed */
int builder_init(Builder *builder, PlanKind kind, Error *err);
void builder_free(Builder *builder);
#define _cleanup_builder_ _cleanup_(builder_free)

/** builder_plan() - the plan as it is now; adding to it moves it */
static inline Plan *builder_plan(Builder *builder) {
        return (Plan *) (void *) builder->data.data;
}

/** builder_add() - bytes, 8-aligned. *ret is 0 for none */
int builder_add(Builder *builder, const void *data, size_t len, PlanRef *ret, Error *err);

/** builder_string() - a copy; NULL becomes 0. A string with a NUL in it is refused, named by @place */
int builder_string(Builder *builder, const char *text, PlanRef *ret, Error *err);
int builder_format(Builder *builder, PlanRef *ret, Error *err, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/** builder_strings() - a JSON array of strings; @place for errors */
int builder_strings(Builder *builder, const json_t *array, const char *place, PlanStrings *ret, Error *err);

/** builder_fd() - a descriptor that goes along. @own: closed by builder_free() */
int builder_fd(Builder *builder, int fd, bool own, int32_t *ret, Error *err);
