/* Programs become shorter, and answer as before: those of profiles, and any other that the kernel would take. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../seccomp-machine.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/process.h"
#include "oci/spec-parts.h"
#include "runtime/seccomp-module.h"

#define LOAD(offset)         ((struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset)))
#define JUMP(cond, k, t, f)  ((struct sock_filter) BPF_JUMP(BPF_JMP | (cond) | BPF_K, (k), (t), (f)))
#define RETURN(action)       ((struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (action)))
#define NR                   offsetof(struct seccomp_data, nr)
#define ARCH                 offsetof(struct seccomp_data, arch)
#define ARGUMENT(i)          (offsetof(struct seccomp_data, args) + 8 * (size_t) (i))
#define X32                  0x40000000u

typedef struct Program {
        struct sock_filter ops[BPF_MAXINSNS];
        size_t n;
} Program;

/* The same numbers in every run. */
static uint32_t random_number(uint64_t *seed, uint32_t below) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t) (*seed >> 33) % below;
}

static void same_answer(const Program *a, const Program *b, const struct seccomp_data *data) {
        bool sane_a, sane_b;
        uint32_t x = machine_run(a->ops, a->n, data, &sane_a), y = machine_run(b->ops, b->n, data, &sane_b);

        if (!sane_a || !sane_b || x != y)
                fail_msg("architecture %x, call %x, first argument %llx: %x became %x%s", data->arch, (unsigned) data->nr,
                         (unsigned long long) data->args[0], x, y, sane_b ? "" : ", and no program at all");
}

/* Each of @values in the place of the arguments' lower halves, upper halves, and of both. */
static void same_with_arguments(const Program *a, const Program *b, uint32_t arch, uint32_t nr, const uint32_t *values, size_t n_values) {
        for (size_t v = 0; v < n_values; v++)
                for (int half = 0; half < 3; half++) {
                        struct seccomp_data data = { .nr = (int) nr, .arch = arch };

                        for (size_t i = 0; i < 6; i++)
                                data.args[i] = half == 0 ? values[v] :
                                                           (uint64_t) values[v] << 32 | (half == 2 ? values[(v + i) % n_values] : 0);
                        same_answer(a, b, &data);
                }
}

/* Whatever @a compares with, and what is beside it. */
static size_t constants_of(const Program *a, uint32_t *values, size_t max) {
        size_t n = 0;

        values[n++] = 0;
        for (size_t i = 0; i < a->n; i++)
                for (int32_t beside = -1; beside <= 1 && BPF_CLASS(a->ops[i].code) == BPF_JMP && n < max; beside++)
                        values[n++] = a->ops[i].k + (uint32_t) beside;
        return n;
}

static Program *shrink(const Program *a) {
        Program *b = malloc(sizeof(*b));

        *b = *a;
        b->n = seccomp_shrink(b->ops, b->n);
        assert_in_range(b->n, 1, a->n);
        return b;
}

/* The profile that containers made from images have, on this machine's architectures or on arm's. */
static void a_profile_answers_as_libseccomp_writes_it(void **state) {
        static const char *const machines[] = { "amd64", "arm64" };
        static const uint64_t capabilities[] = { 0, 0xa80425fb, UINT64_MAX };
        static const uint32_t arguments[] = { 0, 1, 2, 8, 16, 40, 41, 0x20000, 0x20008, 0x7e020000, 0x10000000, 0x02000000, UINT32_MAX };
        static const uint32_t architectures[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0, UINT32_MAX };

        for (size_t i = 0; i < ARRAY_SIZE(machines) * ARRAY_SIZE(capabilities); i++) {
                _cleanup_json_ json_t *json = NULL;
                _cleanup_seccomp_profile_ SeccompProfile profile = { 0 };
                struct sock_filter *written = NULL, *compiled = NULL;
                Program a, b;

                assert_int_equal(seccomp_default(capabilities[i / 2], seccomp_arch_find(machines[i % 2]), &json, NULL), 0);
                assert_int_equal(seccomp_profile_parse(json, &profile, NULL), 0);
                assert_int_equal(seccomp_translate(&profile, &written, &a.n, NULL), 0);
                assert_int_equal(seccomp_compile(&profile, &compiled, &b.n, NULL), 0);
                memcpy(a.ops, written, a.n * sizeof(*a.ops));
                memcpy(b.ops, compiled, b.n * sizeof(*b.ops));
                free(written);
                free(compiled);
                /* What it is for: loading takes the kernel as long as it has instructions. */
                assert_in_range(b.n, 1, a.n / 3);
                for (size_t arch = 0; arch < ARRAY_SIZE(architectures); arch++)
                        for (uint32_t nr = 0; nr < 600; nr++) {
                                same_with_arguments(&a, &b, architectures[arch], nr, arguments, ARRAY_SIZE(arguments));
                                same_with_arguments(&a, &b, architectures[arch], nr | X32, arguments, ARRAY_SIZE(arguments));
                                same_with_arguments(&a, &b, architectures[arch], UINT32_MAX - nr, arguments, 1);
                                same_with_arguments(&a, &b, architectures[arch], X32 - 1 - nr, arguments, 1);
                        }
        }
}

/* Any mixture of what libseccomp uses; numbers, architectures and arguments are compared with few values, so that ways meet. */
static void random_program(uint64_t *seed, Program *p) {
        static const uint32_t offsets[] = { NR, NR, ARCH, ARGUMENT(0), ARGUMENT(0) + 4, ARGUMENT(5) };
        static const uint16_t conditions[] = { BPF_JEQ, BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };

        p->n = 4 + random_number(seed, 120);
        for (size_t i = 0; i < p->n; i++) {
                uint32_t rest = (uint32_t) (p->n - i - 1), what = random_number(seed, 100);
                uint32_t reach = rest < 2 ? 1 : rest - 1 < 255 ? rest - 1 : 255;

                if (i == 0 || (what < 25 && rest > 0))
                        p->ops[i] = LOAD(offsets[random_number(seed, ARRAY_SIZE(offsets))]);
                else if (what < 30 && rest > 0 && p->ops[i - 1].code == (BPF_LD | BPF_W | BPF_ABS) && p->ops[i - 1].k > ARCH)
                        p->ops[i] = (struct sock_filter) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, random_number(seed, 8));
                else if (what < 35 && rest > 1)
                        p->ops[i] = (struct sock_filter) BPF_STMT(BPF_JMP | BPF_JA, random_number(seed, reach));
                else if (what < 92 && rest > 1) {
                        uint16_t condition = conditions[random_number(seed, ARRAY_SIZE(conditions))];
                        uint32_t k = condition == BPF_JSET ? X32 : random_number(seed, 12) | (random_number(seed, 8) ? 0 : X32);

                        p->ops[i] = JUMP(condition, k, (uint8_t) random_number(seed, reach), (uint8_t) random_number(seed, reach));
                } else
                        p->ops[i] = RETURN(random_number(seed, 4));
        }
        p->ops[p->n - 1] = RETURN(4);
}

static void any_program_answers_as_before(void **state) {
        uint64_t seed = 20260701;
        size_t shorter = 0;

        for (int round = 0; round < 400; round++) {
                _cleanup_free_ Program *a = malloc(sizeof(*a)), *b = NULL;
                uint32_t values[3 * 124 + 1];
                size_t n;

                random_program(&seed, a);
                b = shrink(a);
                shorter += b->n < a->n;
                n = constants_of(a, values, ARRAY_SIZE(values));
                for (int i = 0; i < 4000; i++) {
                        struct seccomp_data data = { .nr = (int) values[random_number(&seed, (uint32_t) n)],
                                                     .arch = values[random_number(&seed, (uint32_t) n)] };

                        data.args[0] = (uint64_t) values[random_number(&seed, (uint32_t) n)] << 32;
                        data.args[0] |= values[random_number(&seed, (uint32_t) n)];
                        data.args[5] = values[random_number(&seed, (uint32_t) n)];
                        same_answer(a, b, &data);
                }
        }
        assert_in_range(shorter, 300, 400);
}

/* More comparisons of arguments than a conditional jump can skip. */
static void write_far(Program *p, uint32_t calls) {
        p->n = 0;
        p->ops[p->n++] = LOAD(ARCH);
        p->ops[p->n++] = JUMP(BPF_JEQ, AUDIT_ARCH_X86_64, 1, 0);
        p->ops[p->n++] = RETURN(SECCOMP_RET_KILL_PROCESS);
        for (uint32_t i = 0; i < calls; i++) {
                p->ops[p->n++] = LOAD(NR);
                p->ops[p->n++] = JUMP(BPF_JEQ, 2 * i, 0, 4);
                p->ops[p->n++] = LOAD(ARGUMENT(i % 6));
                p->ops[p->n++] = JUMP(BPF_JEQ, 1000 + i, 0, 1);
                p->ops[p->n++] = RETURN(SECCOMP_RET_ERRNO | i);
                p->ops[p->n++] = RETURN(SECCOMP_RET_TRACE | i);
        }
        p->ops[p->n++] = RETURN(SECCOMP_RET_ALLOW);
}

static void far_ways_are_gone_in_steps(void **state) {
        for (uint32_t calls = 4; calls <= 600; calls += calls < 160 ? 1 : 220) {
                _cleanup_free_ Program *a = malloc(sizeof(*a)), *b = NULL;

                write_far(a, calls);
                b = shrink(a);
                assert_true(b->n < a->n);
                for (uint32_t nr = 0; nr < 2 * calls + 2; nr++)
                        same_with_arguments(a, b, AUDIT_ARCH_X86_64, nr, (const uint32_t[]) { 1000 + nr / 2, 1001 + nr / 2 }, 2);
        }
}

/* It is a child that loads it: what the machine of this test takes, the kernel takes. */
static void the_kernel_takes_it(void **state) {
        _cleanup_free_ Program *a = malloc(sizeof(*a)), *b = NULL;
        struct sock_fprog program;
        int status;
        pid_t pid;

        write_far(a, 300);
        for (size_t i = 0; i < a->n; i++)
                if (a->ops[i].code == (BPF_RET | BPF_K))
                        a->ops[i].k = SECCOMP_RET_ALLOW | (i & 0xffff);
        b = shrink(a);
        program = (struct sock_fprog) { .len = (unsigned short) b->n, .filter = b->ops };
        pid = fork();
        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
                        _exit(1);
                _exit(getpid() > 0 ? 0 : 2);
        }
        assert_true(pid > 0);
        assert_int_equal(process_wait(pid, &status, NULL), 0);
        assert_int_equal(status, 0);
}

static void what_is_not_understood_stays(void **state) {
        static const Program programs[] = {
                { { RETURN(SECCOMP_RET_ALLOW) }, 1 },
                /* a register that libseccomp does not use */
                { { LOAD(NR), BPF_STMT(BPF_MISC | BPF_TAX, 0), JUMP(BPF_JEQ, 1, 0, 0), RETURN(1) }, 4 },
                /* a number is masked */
                { { LOAD(NR), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 6), JUMP(BPF_JEQ, 2, 0, 1), RETURN(1), RETURN(2) }, 5 },
                /* too many ranges */
                { { LOAD(NR), JUMP(BPF_JSET, 1, 0, 1), RETURN(1), RETURN(2) }, 4 },
                /* compared before anything is loaded */
                { { JUMP(BPF_JEQ, 0, 0, 1), RETURN(1), RETURN(2) }, 3 },
                /* it does not end */
                { { LOAD(NR), JUMP(BPF_JEQ, 1, 0, 9), RETURN(1) }, 3 },
                { { LOAD(NR), BPF_STMT(BPF_JMP | BPF_JA, 7), RETURN(1) }, 3 },
                { { LOAD(NR), LOAD(ARCH) }, 2 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
                _cleanup_free_ Program *b = shrink(&programs[i]);

                assert_int_equal(b->n, programs[i].n);
                assert_memory_equal(b->ops, programs[i].ops, b->n * sizeof(*b->ops));
        }
        assert_int_equal(seccomp_shrink(NULL, 0), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_profile_answers_as_libseccomp_writes_it),
                cmocka_unit_test(any_program_answers_as_before),
                cmocka_unit_test(far_ways_are_gone_in_steps),
                cmocka_unit_test(the_kernel_takes_it),
                cmocka_unit_test(what_is_not_understood_stays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
