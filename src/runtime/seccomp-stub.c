/* The beginning of a filter: calls newer than its profile. */

#include <errno.h>
#include <linux/seccomp.h>

#include "runtime/seccomp-module.h"

#define LOAD(field)           ((struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field)))
#define JUMP(cond, k, t, f)   ((struct sock_filter) BPF_JUMP(BPF_JMP | (cond) | BPF_K, (k), (t), (f)))
#define RETURN_ENOSYS         ((struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS))
#define SECTION_MAX           9

/* One architecture's part. What is not its business, or not newer, goes on behind it. */
static size_t section(const SeccompLatest *row, struct sock_filter *out) {
        size_t n = 0, end;

        out[n++] = LOAD(arch);
        out[n++] = JUMP(BPF_JEQ, row->architecture, 0, 0);
        out[n++] = LOAD(nr);
        if (row->architecture == AUDIT_ARCH_X86_64)
                out[n++] = JUMP(BPF_JSET, SECCOMP_X32_BIT, 0, 0);
        if (row->has_multiplexer) {
                out[n++] = JUMP(BPF_JEQ, 0, 0, 1);
                out[n++] = RETURN_ENOSYS;
        }
        out[n++] = JUMP(BPF_JGT, row->latest, 0, 1);
        out[n++] = RETURN_ENOSYS;
        end = n;
        out[1].jf = (uint8_t) (end - 2);
        if (row->architecture == AUDIT_ARCH_X86_64 && row->is_x32)
                out[3].jf = (uint8_t) (end - 4);
        else if (row->architecture == AUDIT_ARCH_X86_64)
                out[3].jt = (uint8_t) (end - 4);
        return n;
}

size_t seccomp_stub(const SeccompLatest *latest, size_t n, struct sock_filter *program) {
        size_t length = 0;

        for (size_t i = 0; i < n; i++)
                length += section(&latest[i], program + length);
        return length;
}
