/* Device rules on cgroup v2: a BPF program made from the filter, attached by bpf(2). Sources: kernel, cgroup-v2.rst "Device controller";
 * bpf.h */

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>

#include "runtime/cgroup-devices.h"

#define DEVICES           "linux.resources.devices"
#define PROGRAM_NAME      "lxcri_devices"
#define PROGRAMS_MAX      64 /* attached to one cgroup; the kernel's BPF_CGROUP_MAX_PROGS */
#define RULE_INSNS_MAX    16
#define INSNS_AROUND_MAX  16

/* The program's registers; R1 is its argument at the start. */
enum {
        RESULT     = BPF_REG_0,
        DIFFERENCE = BPF_REG_1,
        TYPE       = BPF_REG_2,
        ACCESS     = BPF_REG_3,
        MAJOR      = BPF_REG_4,
        MINOR      = BPF_REG_5,
        SCRATCH    = BPF_REG_6,
};

static struct bpf_insn load_word(uint8_t reg, int16_t offset) {
        return (struct bpf_insn) { .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = reg, .src_reg = BPF_REG_1, .off = offset };
}

static struct bpf_insn alu(uint8_t op, uint8_t reg, uint32_t value) {
        return (struct bpf_insn) { .code = BPF_ALU | op | BPF_K, .dst_reg = reg, .imm = (int32_t) value };
}

static struct bpf_insn alu_register(uint8_t op, uint8_t reg, uint8_t other) {
        return (struct bpf_insn) { .code = BPF_ALU | op | BPF_X, .dst_reg = reg, .src_reg = other };
}

/* A jump past the rest of a rule; how far is filled in when the rule is complete. */
static struct bpf_insn jump_on_zero(bool zero, uint8_t reg) {
        return (struct bpf_insn) { .code = BPF_JMP32 | (zero ? BPF_JEQ : BPF_JNE) | BPF_K, .dst_reg = reg };
}

static const struct bpf_insn leave = { .code = BPF_JMP | BPF_EXIT };

/* DIFFERENCE |= reg OP value */
static size_t differ(struct bpf_insn *to, uint8_t reg, uint8_t op, uint32_t value) {
        to[0] = alu_register(BPF_MOV, SCRATCH, reg);
        to[1] = alu(op, SCRATCH, value);
        to[2] = alu_register(BPF_OR, DIFFERENCE, SCRATCH);
        return 3;
}

/*
 * Appends one rule: on a match the program ends with the opposite of its default. All differences are gathered before the one jump: a jump
 * on the device's numbers themselves would have the kernel's verifier go through the rest of the program once more for each rule.
 */
static size_t rule_program(const CgroupDeviceRule *rule, bool allow, struct bpf_insn *to) {
        size_t n = 0;

        to[n++] = alu_register(BPF_MOV, DIFFERENCE, TYPE);
        to[n++] = alu(BPF_XOR, DIFFERENCE, rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
        if (rule->major >= 0)
                n += differ(to + n, MAJOR, BPF_XOR, (uint32_t) rule->major);
        if (rule->minor >= 0)
                n += differ(to + n, MINOR, BPF_XOR, (uint32_t) rule->minor);
        /* allowed is what is named whole, denied what is named in part */
        if (allow && rule->access != CGROUP_DEVICE_ALL)
                n += differ(to + n, ACCESS, BPF_AND, ~rule->access);
        to[n++] = jump_on_zero(false, DIFFERENCE);
        if (!allow && rule->access != CGROUP_DEVICE_ALL) {
                to[n++] = alu_register(BPF_MOV, SCRATCH, ACCESS);
                to[n++] = alu(BPF_AND, SCRATCH, rule->access);
                to[n++] = jump_on_zero(true, SCRATCH);
        }
        to[n++] = alu(BPF_MOV, RESULT, allow);
        to[n++] = leave;
        for (size_t i = 0; i < n; i++)
                if (BPF_CLASS(to[i].code) == BPF_JMP32)
                        to[i].off = (int16_t) (n - i - 1);
        return n;
}

int device_program(const DeviceFilter *filter, struct bpf_insn **ret, size_t *ret_n, Error *err) {
        struct bpf_insn *program = calloc(filter->n * RULE_INSNS_MAX + INSNS_AROUND_MAX, sizeof(*program));
        size_t n = 0;

        if (!program)
                return error_oom(err);
        /* struct bpf_cgroup_dev_ctx */
        program[n++] = load_word(TYPE, 0);
        program[n++] = alu(BPF_AND, TYPE, 0xffff);
        program[n++] = load_word(ACCESS, 0);
        program[n++] = alu(BPF_RSH, ACCESS, 16);
        program[n++] = load_word(MAJOR, 4);
        program[n++] = load_word(MINOR, 8);
        for (size_t i = 0; i < filter->n; i++)
                n += rule_program(&filter->exceptions[i], !filter->allow, program + n);
        program[n++] = alu(BPF_MOV, RESULT, filter->allow);
        program[n++] = leave;
        *ret = program;
        *ret_n = n;
        return 0;
}

static int bpf(int command, union bpf_attr *attr) {
        return (int) syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static uint64_t pointer(const void *p) {
        return (uint64_t) (uintptr_t) p;
}

static int bpf_error(Error *err, const char *what) {
        int errnum = errno;

        error_set_errno(err, errnum == EINVAL || errnum == ENOSYS ? ERROR_NOT_SUPPORTED : ERROR_FILE, errnum, DEVICES ": %s", what);
        if (errnum == EINVAL || errnum == ENOSYS)
                error_hint(err, "the kernel needs CONFIG_CGROUP_BPF and CONFIG_BPF_SYSCALL");
        return -1;
}

/* Whether a program is one of ours; others may be systemd's, or the administrator's own. */
static bool is_ours(int program_fd) {
        struct bpf_prog_info info = {};
        union bpf_attr attr = { .info = { .bpf_fd = (uint32_t) program_fd, .info_len = sizeof(info), .info = pointer(&info) } };

        return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) == 0 && !strncmp(info.name, PROGRAM_NAME, sizeof(info.name));
}

/* Opens those of our programs that are attached to the cgroup. */
static int find_attached(int cgroup_fd, int fds[PROGRAMS_MAX], size_t *ret_n, Error *err) {
        uint32_t ids[PROGRAMS_MAX] = {};
        union bpf_attr attr = {
                .query = {
                        .target_fd = (uint32_t) cgroup_fd,
                        .attach_type = BPF_CGROUP_DEVICE,
                        .prog_cnt = PROGRAMS_MAX,
                        .prog_ids = pointer(ids),
                },
        };
        size_t n = 0;

        if (bpf(BPF_PROG_QUERY, &attr) < 0)
                return bpf_error(err, "ask for the attached device filter");
        for (uint32_t i = 0; i < attr.query.prog_cnt; i++) {
                union bpf_attr get = { .prog_id = ids[i] };
                int fd = bpf(BPF_PROG_GET_FD_BY_ID, &get);

                if (fd >= 0 && is_ours(fd))
                        fds[n++] = fd;
                else
                        close_keep_errno(fd);
        }
        *ret_n = n;
        return 0;
}

static int attach(int cgroup_fd, int program_fd, int replaced_fd) {
        union bpf_attr attr = {
                .target_fd = (uint32_t) cgroup_fd,
                .attach_bpf_fd = (uint32_t) program_fd,
                .attach_type = BPF_CGROUP_DEVICE,
                .attach_flags = BPF_F_ALLOW_MULTI,
        };

        if (replaced_fd >= 0) {
                attr.attach_flags |= BPF_F_REPLACE;
                attr.replace_bpf_fd = (uint32_t) replaced_fd;
        }
        return bpf(BPF_PROG_ATTACH, &attr);
}

/* In the place of the first of @old in one step; where the kernel cannot (before Linux 5.6), beside it, and then the old ones go. */
static int swap(int cgroup_fd, int program_fd, const int *old, size_t n_old, Error *err) {
        size_t done = 0;

        if (n_old > 0 && attach(cgroup_fd, program_fd, old[0]) == 0)
                done = 1;
        else if (attach(cgroup_fd, program_fd, -EBADF) < 0)
                return bpf_error(err, "attach the device filter");
        for (size_t i = done; i < n_old; i++) {
                union bpf_attr attr = {
                        .target_fd = (uint32_t) cgroup_fd,
                        .attach_bpf_fd = (uint32_t) old[i],
                        .attach_type = BPF_CGROUP_DEVICE,
                };

                if (bpf(BPF_PROG_DETACH, &attr) < 0)
                        return bpf_error(err, "detach the old device filter");
        }
        return 0;
}

int device_program_attach(int cgroup_fd, const struct bpf_insn *program, size_t n, bool replace, Error *err) {
        union bpf_attr attr = {
                .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
                .insn_cnt = (uint32_t) n,
                .insns = pointer(program),
                .license = pointer("Apache-2.0"),
                .prog_name = PROGRAM_NAME,
        };
        int old[PROGRAMS_MAX], r;
        _cleanup_close_ int fd = bpf(BPF_PROG_LOAD, &attr);
        size_t n_old = 0;

        if (fd < 0 && errno == E2BIG)
                return error_set(err, ERROR_NOT_SUPPORTED, DEVICES ": more rules than the kernel takes in one program");
        if (fd < 0)
                return bpf_error(err, "load the device filter");
        if (replace && find_attached(cgroup_fd, old, &n_old, err) < 0)
                return -1;
        r = swap(cgroup_fd, fd, old, n_old, err);
        for (size_t i = 0; i < n_old; i++)
                close(old[i]);
        return r;
}
