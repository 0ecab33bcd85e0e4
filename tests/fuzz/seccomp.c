/* linux.seccomp → a program: what spec_check() takes is compiled or refused, and what comes out is a program that answers every call. */

#include "../seccomp-machine.h"
#include "base/json.h"
#include "fuzz.h"
#include "oci/spec-schema.h"
#include "runtime/seccomp-module.h"

#include <linux/audit.h>

#define CONDITIONS_MAX 12 /* libseccomp's time grows faster than any power of them; a child bounds it elsewhere */

typedef struct Program {
        struct sock_filter *instructions;
        size_t length;
} Program;

static void check_answers(const SeccompProfile *profile, const Program *program, const Program *as_written) {
        static const uint32_t architectures[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0 };

        for (size_t a = 0; a < ARRAY_SIZE(architectures); a++)
                for (int nr = -1; nr < 512; nr++) {
                        const struct seccomp_data data = { .arch = architectures[a], .nr = nr, .args = { 0, 1, 2, 3, 4, 5 } };
                        bool sane, known;
                        uint32_t answer = machine_run(program->instructions, program->length, &data, &sane);

                        CHECK(sane);
                        CHECK(answer == machine_run(as_written->instructions, as_written->length, &data, &sane));
                        known = answer == profile->default_action || answer == SECCOMP_RET_KILL_THREAD ||
                                answer == (SECCOMP_RET_ERRNO | 38);
                        for (size_t i = 0; !known && i < profile->n_rules; i++)
                                known = answer == profile->rules[i].action;
                        CHECK(known);
                }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_json_ json_t *json = NULL;
        _cleanup_seccomp_profile_ SeccompProfile profile = { 0 };
        _cleanup_buf_ Buf key = BUF_INIT(SECCOMP_KEY_MAX);
        Program program = { 0 }, as_written = { 0 };
        SpecVersion version = SPEC_1_0;
        size_t conditions = 0;
        Error err = ERROR_INIT;
        bool checked;

        if (json_parse((const char *) data, size, "fuzz", &json, NULL) < 0)
                return 0;
        checked = schema_walk(&schema_seccomp, json, &(Place) { .key = "seccomp" }, &version, NULL) == 0;
        if (seccomp_profile_parse(json, &profile, &err) < 0) {
                check_error(&err);
                CHECK(err.kind == ERROR_INVALID_SPEC);
                return 0;
        }
        CHECK(seccomp_profile_key(&profile, &key, &err) == 0);
        for (size_t i = 0; i < profile.n_rules; i++)
                conditions += profile.rules[i].n_conditions * json_array_size(profile.rules[i].names);
        if (!checked || conditions > CONDITIONS_MAX)
                return 0;
        if (seccomp_compile(&profile, &program.instructions, &program.length, &err) < 0) {
                check_error(&err);
                CHECK(err.kind == ERROR_NOT_SUPPORTED || err.kind == ERROR_INVALID_SPEC);
                return 0;
        }
        CHECK(seccomp_translate(&profile, &as_written.instructions, &as_written.length, &err) == 0);
        CHECK(program.length > 0 && program.length <= as_written.length && as_written.length <= BPF_MAXINSNS);
        check_answers(&profile, &program, &as_written);
        free(program.instructions);
        free(as_written.instructions);
        return 0;
}
