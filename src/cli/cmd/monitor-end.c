/* monitor-end: what a monitor of a detached container executes once that has ended (lifecycle/monitored.c). */

#include <errno.h>
#include <stdlib.h>

#include "cli/command.h"

static int parse_number(const char *text, unsigned long long max, unsigned long long *ret, Error *err) {
        unsigned long long number;
        char *end;

        errno = 0;
        number = strtoull(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end || errno || number > max)
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is not a number up to %llu", text, max);
        *ret = number;
        return 0;
}

static int run(Cli *cli, const Call *call, Error *err) {
        unsigned long long pid, start_time, exit_code;

        if (parse_number(call->operands[1], INT_MAX, &pid, err) < 0 || parse_number(call->operands[2], INT64_MAX, &start_time, err) < 0 ||
            parse_number(call->operands[3], 255, &exit_code, err) < 0)
                return -1;

        const ProcessRef init = { .pid = (pid_t) pid, .start_time = start_time };

        return lifecycle_ended(&cli->lifecycle, call->operands[0], &init, (int) exit_code, err);
}

const Command cmd_monitor_end = {
        .name = "monitor-end",
        .group = COMMANDS_LIFE,
        .summary = "a monitor's own: record the end of its container",
        .operands = "ID PID START CODE",
        .min_operands = 4,
        .max_operands = 4,
        .run = run,
};
