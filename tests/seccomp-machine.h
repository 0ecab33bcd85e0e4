#pragma once

/* Runs a seccomp filter as the kernel would, for any architecture: what programs of unit tests and fuzz targets compare. */

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** machine_run() - what the filter answers; *ret_sane is false when it is no program that the kernel would take */
static inline uint32_t machine_run(const struct sock_filter *program, size_t length, const struct seccomp_data *data, bool *ret_sane) {
        uint32_t a = 0, word;

        *ret_sane = true;
        for (size_t i = 0; i < length; i++) {
                const struct sock_filter *op = &program[i];
                bool jump;

                switch (op->code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        if (op->k % 4 != 0 || op->k + 4 > sizeof(*data))
                                goto insane;
                        memcpy(&word, (const char *) data + op->k, sizeof(word));
                        a = word;
                        continue;
                case BPF_ALU | BPF_AND | BPF_K:
                        a &= op->k;
                        continue;
                case BPF_RET | BPF_K:
                        return op->k;
                case BPF_JMP | BPF_JA:
                        if (op->k >= length - i - 1)
                                goto insane;
                        i += op->k;
                        continue;
                case BPF_JMP | BPF_JEQ | BPF_K:
                        jump = a == op->k;
                        break;
                case BPF_JMP | BPF_JGT | BPF_K:
                        jump = a > op->k;
                        break;
                case BPF_JMP | BPF_JGE | BPF_K:
                        jump = a >= op->k;
                        break;
                case BPF_JMP | BPF_JSET | BPF_K:
                        jump = a & op->k;
                        break;
                default:
                        goto insane;
                }
                i += jump ? op->jt : op->jf;
        }
insane:
        *ret_sane = false;
        return 0;
}
