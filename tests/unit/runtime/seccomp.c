/* linux.seccomp as a program: what it answers, on any architecture, and what is refused. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <stdio.h>

#include "seccomp-fixture.h"

#define KILLED SECCOMP_RET_KILL_THREAD

static bool compares(const char *operator, uint64_t value, uint64_t two, uint64_t argument) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };
        char text[512];

        snprintf(text, sizeof(text),
                 "{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64'], 'syscalls': [{'names': ['getppid'], 'action': "
                 "'SCMP_ACT_TRAP', 'args': [{'index': 5, 'value': %llu, 'valueTwo': %llu, 'op': 'SCMP_CMP_%s'}]}]}",
                 (unsigned long long) value, (unsigned long long) two, operator);
        compile_ok(text, &filter);
        return answer_with(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID, (uint64_t[6]) { [5] = argument }) == SECCOMP_RET_TRAP;
}

static void compares_all_64_bits(void **state) {
        const uint64_t wide = 0x500000007;
        const uint64_t values[] = { 0, 7, wide - 1, wide, wide + 1, wide + 0x100000000, INT64_MAX };

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                uint64_t v = values[i];

                assert_int_equal(compares("NE", wide, 0, v), v != wide);
                assert_int_equal(compares("LT", wide, 0, v), v < wide);
                assert_int_equal(compares("LE", wide, 0, v), v <= wide);
                assert_int_equal(compares("EQ", wide, 0, v), v == wide);
                assert_int_equal(compares("GE", wide, 0, v), v >= wide);
                assert_int_equal(compares("GT", wide, 0, v), v > wide);
                assert_int_equal(compares("MASKED_EQ", wide, 5, v), (v & wide) == 5);
        }
}

/* What spec_load() makes of the largest number. */
static void compares_with_the_largest_number(void **state) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };

        compile_ok("{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64'], 'syscalls': [{'names': ['getppid'], "
                   "'action': 'SCMP_ACT_TRAP', 'args': [{'index': 0, 'value': 18446744073709551615.0, 'op': 'SCMP_CMP_EQ'}, "
                   "{'index': 1, 'value': 9223372036854775808.0, 'op': 'SCMP_CMP_EQ'}]}]}", &filter);
        assert_int_equal(answer_with(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID, (uint64_t[6]) { UINT64_MAX, (uint64_t) 1 << 63 }),
                         SECCOMP_RET_TRAP);
        assert_int_equal(answer_with(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID, (uint64_t[6]) { UINT64_MAX - 1, (uint64_t) 1 << 63 }),
                         SECCOMP_RET_ALLOW);
}

static void conditions_on_several_arguments_are_met_together(void **state) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };

        compile_ok("{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64'], 'syscalls': [{'names': ['getppid'], "
                   "'action': 'SCMP_ACT_TRAP', 'args': [{'index': 0, 'value': 1, 'op': 'SCMP_CMP_EQ'}, "
                   "{'index': 1, 'value': 2, 'op': 'SCMP_CMP_EQ'}]}]}", &filter);
        assert_int_equal(answer_with(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID, (uint64_t[6]) { 1, 2 }), SECCOMP_RET_TRAP);
        assert_int_equal(answer_with(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID, (uint64_t[6]) { 1, 3 }), SECCOMP_RET_ALLOW);
        assert_int_equal(answer_with(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID, (uint64_t[6]) { 0, 2 }), SECCOMP_RET_ALLOW);
}

static void conditions_on_one_argument_are_rules_of_their_own(void **state) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };

        compile_ok("{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64'], 'syscalls': [{'names': ['getppid'], "
                   "'action': 'SCMP_ACT_TRAP', 'args': [{'index': 0, 'value': 1, 'op': 'SCMP_CMP_EQ'}, "
                   "{'index': 0, 'value': 2, 'op': 'SCMP_CMP_EQ'}, {'index': 1, 'value': 9, 'op': 'SCMP_CMP_EQ'}]}]}", &filter);
        assert_int_equal(answer_with(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID, (uint64_t[6]) { 1, 0 }), SECCOMP_RET_TRAP);
        assert_int_equal(answer_with(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID, (uint64_t[6]) { 2, 0 }), SECCOMP_RET_TRAP);
        assert_int_equal(answer_with(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID, (uint64_t[6]) { 3, 9 }), SECCOMP_RET_TRAP);
        assert_int_equal(answer_with(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID, (uint64_t[6]) { 3, 0 }), SECCOMP_RET_ALLOW);
}

static void covers_named_architectures_and_kills_others(void **state) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };

        compile_ok("{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X86'], "
                   "'syscalls': [{'names': ['getppid'], 'action': 'SCMP_ACT_TRAP'}]}", &filter);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID), SECCOMP_RET_TRAP);
        assert_int_equal(answer(&filter, AUDIT_ARCH_I386, I386_GETPPID), SECCOMP_RET_TRAP);
        assert_int_equal(answer(&filter, AUDIT_ARCH_I386, X86_64_GETPPID), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID | X32), KILLED);
        assert_int_equal(answer(&filter, AUDIT_ARCH_ARM, X86_64_GETPPID), KILLED);
}

/* Calls that no libseccomp and no architecture knows are left out, the rest of their rule is not. */
static void unknown_calls_are_left_out(void **state) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };

        compile_ok("{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64'], 'syscalls': [{'names': "
                   "['time_travel', 'getppid', 's390_pci_mmio_read'], 'action': 'SCMP_ACT_TRAP'}]}", &filter);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID), SECCOMP_RET_TRAP);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID + 1), SECCOMP_RET_ALLOW);
}

static void calls_newer_than_a_denying_profile_do_not_exist(void **state) {
        static const struct {
                const char *action;
                uint32_t denied;
        } rows[] = {
                { "'SCMP_ACT_ERRNO'", SECCOMP_RET_ERRNO | EPERM },
                { "'SCMP_ACT_ERRNO', 'defaultErrnoRet': 38", SECCOMP_RET_ERRNO | ENOSYS },
                { "'SCMP_ACT_KILL_PROCESS'", SECCOMP_RET_KILL_PROCESS },
                { "'SCMP_ACT_TRAP'", SECCOMP_RET_TRAP },
        };
        char text[512];

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };

                snprintf(text, sizeof(text),
                         "{'defaultAction': %s, 'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'], "
                         "'syscalls': [{'names': ['getppid', 'clone3'], 'action': 'SCMP_ACT_ALLOW'}]}", rows[i].action);
                compile_ok(text, &filter);
                for (uint32_t bit = 0; bit <= X32; bit += X32) {
                        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, (int) (X86_64_CLONE3 | bit)), SECCOMP_RET_ALLOW);
                        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, (int) ((X86_64_CLONE3 - 1) | bit)), rows[i].denied);
                        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, (int) ((X86_64_CLONE3 + 1) | bit)), SECCOMP_RET_ERRNO | ENOSYS);
                }
                assert_int_equal(answer(&filter, AUDIT_ARCH_I386, X86_64_CLONE3), SECCOMP_RET_ALLOW);
                assert_int_equal(answer(&filter, AUDIT_ARCH_I386, X86_64_CLONE3 + 1), SECCOMP_RET_ERRNO | ENOSYS);
                assert_int_equal(answer(&filter, AUDIT_ARCH_ARM, X86_64_CLONE3 + 1), KILLED);
        }
}

static void calls_newer_than_an_allowing_profile_are_allowed(void **state) {
        static const char *const actions[] = { "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_TRACE" };
        const uint32_t answers[] = { SECCOMP_RET_ALLOW, SECCOMP_RET_LOG, SECCOMP_RET_TRACE | EPERM };
        char text[256];

        for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
                _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };

                snprintf(text, sizeof(text),
                         "{'defaultAction': '%s', 'architectures': ['SCMP_ARCH_X86_64'], 'syscalls': [{'names': ['getppid'], 'action': "
                         "'SCMP_ACT_KILL'}]}", actions[i]);
                compile_ok(text, &filter);
                assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID), KILLED);
                assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 100000), answers[i]);
        }
}

/* On s390 a number without room comes as call 0. */
static void a_multiplexed_number_does_not_exist(void **state) {
        const SeccompLatest latest = { .architecture = AUDIT_ARCH_S390X, .latest = 400, .has_multiplexer = true };
        SeccompFilter filter = { 0 };
        struct sock_filter program[SECCOMP_STUB_MAX(1)];

        filter.program = program;
        filter.length = seccomp_stub(&latest, 1, program);
        assert_true(filter.length < ARRAY_SIZE(program));
        program[filter.length++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&filter, AUDIT_ARCH_S390X, S390_SETUP), SECCOMP_RET_ERRNO | ENOSYS);
        assert_int_equal(answer(&filter, AUDIT_ARCH_S390X, 1), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&filter, AUDIT_ARCH_S390X, 400), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&filter, AUDIT_ARCH_S390X, 401), SECCOMP_RET_ERRNO | ENOSYS);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 401), SECCOMP_RET_ALLOW);
}

static const char many_names[] =
        "'accept','access','acct','adjtimex','bind','brk','capget','capset','chdir','chmod','chown','chroot','clone','close','connect',"
        "'creat','dup','dup2','epoll_create','execve','exit','fchdir','fchmod','fchown','fcntl','fdatasync','flock','fork','fstat','fsync',"
        "'getcwd','getdents','getegid','geteuid','getgid','getppid','getpid','gettid','kill','link','listen','lseek','lstat','mkdir'";

/* A long list of rules becomes a search tree: an architecture on which none of them exists must survive that. */
static void a_long_profile_answers_as_a_short_one(void **state) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };
        char text[2048];

        snprintf(text, sizeof(text),
                 "{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'], 'syscalls': ["
                 "{'names': [%s], 'action': 'SCMP_ACT_TRAP'}]}", many_names);
        compile_ok(text, &filter);
        for (int nr = 0; nr < 600; nr++) {
                uint32_t found = answer(&filter, AUDIT_ARCH_X86_64, nr);

                assert_true(found == SECCOMP_RET_TRAP || found == SECCOMP_RET_ALLOW);
                if (nr == X86_64_GETPPID)
                        assert_int_equal(found, SECCOMP_RET_TRAP);
        }
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, X86_64_CLONE3), SECCOMP_RET_ALLOW);
        assert_int_equal(answer(&filter, AUDIT_ARCH_AARCH64, 173), SECCOMP_RET_TRAP); /* its getppid */
        assert_int_equal(answer(&filter, AUDIT_ARCH_AARCH64, 435), SECCOMP_RET_ALLOW);
}

static void a_tree_survives_an_architecture_without_rules(void **state) {
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };

        /* 33 calls that x86 has and arm64 has not, or not under that name */
        compile_ok("{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'], 'syscalls': ["
                   "{'names': ["
                   "'access','alarm','arch_prctl','chmod','chown','creat','dup2','epoll_create','epoll_ctl_old',"
                   "'epoll_wait','epoll_wait_old','eventfd','fork','futimesat','getdents','getpgrp','inotify_init','ioperm',"
                   "'iopl','lchown','link','lstat','mkdir','mknod','modify_ldt','open','pause',"
                   "'pipe','poll','readlink','rename','rmdir','select','signalfd','stat','symlink',"
                   "'time','unlink','ustat','utime','utimes','vfork'"
                   "], 'action': 'SCMP_ACT_TRAP'}]}", &filter);
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, 21), SECCOMP_RET_TRAP); /* access */
        assert_int_equal(answer(&filter, AUDIT_ARCH_X86_64, X86_64_GETPPID), SECCOMP_RET_ALLOW);
        for (int nr = 0; nr < 600; nr++)
                assert_int_equal(answer(&filter, AUDIT_ARCH_AARCH64, nr), SECCOMP_RET_ALLOW);
}

static void mistakes_name_their_place(void **state) {
        static const struct {
                const char *profile, *place;
                ErrorKind kind;
        } rows[] = {
                { "[]", "linux.seccomp: not an object", ERROR_INVALID_SPEC },
                { "{}", "defaultAction", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_PRAY'}", "linux.seccomp.defaultAction: 'SCMP_ACT_PRAY'", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'defaultErrnoRet': 1}", "linux.seccomp.defaultErrnoRet", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_ERRNO', 'defaultErrnoRet': 4096}", "linux.seccomp.defaultErrnoRet", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_TRACE', 'defaultErrnoRet': 65536}", "linux.seccomp.defaultErrnoRet", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'flags': ['SECCOMP_FILTER_FLAG_NEW_LISTENER']}", "linux.seccomp.flags[0]",
                  ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'flags': ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']}", "linux.seccomp.flags",
                  ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_X86', 'SCMP_ARCH_Z80']}",
                  "linux.seccomp.architectures[1]: 'SCMP_ARCH_Z80'", ERROR_NOT_SUPPORTED },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['native']}", "linux.seccomp.architectures[0]: 'native'",
                  ERROR_NOT_SUPPORTED },
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'architectures': ['SCMP_ARCH_S390X']}",
                  "linux.seccomp.architectures[0]: 'SCMP_ARCH_S390X'", ERROR_NOT_SUPPORTED },
#endif
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['read'], 'action': 'SCMP_ACT_ALLOW'}, {'names': ['x'], "
                  "'action': 'x'}]}", "linux.seccomp.syscalls[1].action: 'x'", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['read', ''], 'action': 'SCMP_ACT_TRAP'}]}",
                  "linux.seccomp.syscalls[0].names[1]", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['read'], 'action': 'SCMP_ACT_KILL', 'errnoRet': 0}]}",
                  "linux.seccomp.syscalls[0].errnoRet", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['read'], 'action': 'SCMP_ACT_TRAP', 'args': [{'index': 6, "
                  "'value': 0, 'op': 'SCMP_CMP_EQ'}]}]}", "linux.seccomp.syscalls[0].args[0]", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['read'], 'action': 'SCMP_ACT_TRAP', 'args': [{'index': 5, "
                  "'value': 0, 'op': 'EQ'}]}]}", "linux.seccomp.syscalls[0].args[0].op: 'EQ'", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['read'], 'action': 'SCMP_ACT_TRAP', 'args': [{'index': 5, "
                  "'value': -1, 'op': 'SCMP_CMP_EQ'}]}]}", "linux.seccomp.syscalls[0].args[0]", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_ALLOW', 'syscalls': [{'names': ['read'], 'action': 'SCMP_ACT_NOTIFY'}]}",
                  "linux.seccomp.listenerPath", ERROR_INVALID_SPEC },
                { "{'defaultAction': 'SCMP_ACT_NOTIFY'}", "linux.seccomp.listenerPath", ERROR_INVALID_SPEC },
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                SeccompFilter filter = { 0 };
                Error err = ERROR_INIT;

                assert_int_equal(compile_text(rows[i].profile, &filter, &err), -1);
                if (!strstr(err.text, rows[i].place) || err.kind != rows[i].kind)
                        fail_msg("%s: %s: %s", rows[i].profile, error_kind_name(err.kind), err.text);
                assert_null(filter.program);
        }
}

/* Compiling takes more time than the square of their number. */
static void too_many_conditions_are_refused_at_once(void **state) {
        _cleanup_json_ json_t *seccomp = json_pack("{s:s, s:[]}", "defaultAction", "SCMP_ACT_ALLOW", "syscalls");
        json_t *rules = json_object_get(seccomp, "syscalls");
        SeccompFilter filter = { 0 };
        Error err = ERROR_INIT;

        for (int i = 0; i < 1200; i++)
                json_array_append_new(rules, json_pack("{s:[s], s:s, s:[{s:i, s:i, s:s}]}", "names", "read", "action", "SCMP_ACT_TRAP",
                                                       "args", "index", i % 6, "value", i, "op", "SCMP_CMP_EQ"));
        assert_int_equal(seccomp_filter_by(module, seccomp, NULL, &filter, &err), -1);
        assert_int_equal(err.kind, ERROR_INVALID_SPEC);
        assert_non_null(strstr(err.text, "linux.seccomp.syscalls[1024]"));
}

/* 500 rules that compare by order would take libseccomp longer than anybody waits. */
static void a_profile_that_takes_for_ever_is_refused(void **state) {
        _cleanup_json_ json_t *seccomp = json_pack("{s:s, s:[]}", "defaultAction", "SCMP_ACT_ALLOW", "syscalls");
        json_t *rules = json_object_get(seccomp, "syscalls");
        SeccompFilter filter = { 0 };
        Error err = ERROR_INIT;

        for (int i = 0; i < 500; i++)
                json_array_append_new(rules, json_pack("{s:[s], s:s, s:[{s:i, s:I, s:s}, {s:i, s:I, s:s}]}", "names", "read", "action",
                                                       "SCMP_ACT_TRAP", "args", "index", i % 6, "value", ((json_int_t) i << 32) + i, "op",
                                                       "SCMP_CMP_GT", "index", (i + 1) % 6, "value", ((json_int_t) i << 33) + i, "op",
                                                       "SCMP_CMP_GT"));
        assert_int_equal(seccomp_filter_by(module, seccomp, NULL, &filter, &err), -1);
        assert_int_equal(err.kind, ERROR_NOT_SUPPORTED);
        assert_non_null(strstr(err.text, "could not compile"));
}

/* Six comparisons of 64 bits are 24 instructions, and 170 rules of them more than the kernel's 4096. */
static void a_program_too_long_for_the_kernel_is_refused(void **state) {
        _cleanup_json_ json_t *seccomp = json_pack("{s:s, s:[]}", "defaultAction", "SCMP_ACT_ALLOW", "syscalls");
        json_t *rules = json_object_get(seccomp, "syscalls");
        SeccompFilter filter = { 0 };
        Error err = ERROR_INIT;

        for (json_int_t i = 0; i < 170; i++) {
                json_t *args = json_array();

                for (json_int_t index = 0; index < 6; index++)
                        json_array_append_new(args, json_pack("{s:I, s:I, s:s}", "index", index, "value",
                                                              ((i * 6 + index + 1) << 32) + i, "op", "SCMP_CMP_EQ"));
                json_array_append_new(rules, json_pack("{s:[s], s:s, s:i, s:o}", "names", i % 2 ? "write" : "close", "action",
                                                       "SCMP_ACT_ERRNO", "errnoRet", (int) i, "args", args));
        }
        assert_int_equal(seccomp_filter_by(module, seccomp, NULL, &filter, &err), -1);
        assert_int_equal(err.kind, ERROR_NOT_SUPPORTED);
        if (!strstr(err.text, "4096"))
                fail_msg("%s", err.text);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(compares_all_64_bits),
                cmocka_unit_test(compares_with_the_largest_number),
                cmocka_unit_test(conditions_on_several_arguments_are_met_together),
                cmocka_unit_test(conditions_on_one_argument_are_rules_of_their_own),
                cmocka_unit_test(covers_named_architectures_and_kills_others),
                cmocka_unit_test(unknown_calls_are_left_out),
                cmocka_unit_test(calls_newer_than_a_denying_profile_do_not_exist),
                cmocka_unit_test(calls_newer_than_an_allowing_profile_are_allowed),
                cmocka_unit_test(a_multiplexed_number_does_not_exist),
                cmocka_unit_test(a_long_profile_answers_as_a_short_one),
                cmocka_unit_test(a_tree_survives_an_architecture_without_rules),
                cmocka_unit_test(mistakes_name_their_place),
                cmocka_unit_test(too_many_conditions_are_refused_at_once),
                cmocka_unit_test(a_profile_that_takes_for_ever_is_refused),
                cmocka_unit_test(a_program_too_long_for_the_kernel_is_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
