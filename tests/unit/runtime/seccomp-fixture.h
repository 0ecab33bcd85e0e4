#pragma once

/* Profiles compiled, and asked in a machine of the test's own what they answer. Include cmocka first. */

#include <stdlib.h>
#include <string.h>

#include "../../seccomp-machine.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "runtime/seccomp-parts.h"

/* Numbers that do not change: the kernel's tables. */
enum {
        X86_64_GETPPID = 110,
        X86_64_CLONE3 = 435,
        I386_GETPPID = 64,
        X32 = 0x40000000,
        S390_SETUP = 0,
};

static inline const SeccompModule *module(Error *err) {
        static const SeccompModule table = { .version = SECCOMP_MODULE_VERSION, .compile = seccomp_compile };

        return &table;
}

/* Compiles a profile written with ' for ". */
static inline int compile_text(const char *text, SeccompFilter *ret, Error *err) {
        _cleanup_json_ json_t *seccomp = NULL;
        _cleanup_free_ char *json = strdup(text);

        for (char *c = json; *c; c++)
                if (*c == '\'')
                        *c = '"';
        assert_int_equal(json_parse(json, strlen(json), "test", &seccomp, err), 0);
        return seccomp_filter_by(module, seccomp, NULL, ret, err);
}

static inline void compile_ok(const char *text, SeccompFilter *ret) {
        Error err = ERROR_INIT;

        if (compile_text(text, ret, &err) < 0)
                fail_msg("%s: %s", text, err.text);
}

static inline uint32_t answer_with(const SeccompFilter *filter, uint32_t arch, int nr, const uint64_t args[6]) {
        struct seccomp_data data = { .nr = nr, .arch = arch };
        bool sane;
        uint32_t answer;

        if (args)
                memcpy(data.args, args, sizeof(data.args));
        answer = machine_run(filter->program, filter->length, &data, &sane);
        assert_true(sane);
        return answer;
}

static inline uint32_t answer(const SeccompFilter *filter, uint32_t arch, int nr) {
        return answer_with(filter, arch, nr, NULL);
}
