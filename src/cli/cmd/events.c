/* events: statistics of a container, and kills for memory, as runc prints them. */

#include <string.h>

#include "base/json.h"
#include "cli/command.h"

#define INTERVAL_MAX_NS (INT64_C(86400) * 1000000000) /* a day; longer ones are mistakes */

typedef struct EventsArgs {
        int64_t interval; /* nanoseconds */
        bool stats;
} EventsArgs;

/* "5s", "500ms", "1m30s", "0.5s": as Go's ParseDuration() has it. */
static int take_interval(void *target, const char *value, Error *err) {
        static const struct {
                const char *name;
                double ns;
        } units[] = { { "ns", 1 }, { "us", 1e3 }, { "µs", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "m", 6e10 }, { "h", 3.6e12 } };
        double ns = 0;
        const char *p = value;

        do {
                char *end;
                double number = *p >= '0' && *p <= '9' ? strtod(p, &end) : -1;
                size_t len, i = 0;

                if (number < 0)
                        break;
                p = end;
                len = strcspn(p, "0123456789.");
                while (i < ARRAY_SIZE(units) && (strlen(units[i].name) != len || strncmp(units[i].name, p, len) != 0))
                        i++;
                if (i == ARRAY_SIZE(units))
                        break;
                ns += number * units[i].ns;
                p += len;
        } while (*p);
        if (*p || p == value || ns < 1 || ns > (double) INTERVAL_MAX_NS)
                return error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is no time above zero such as 5s or 500ms, a day at most", value);
        *(int64_t *) target = (int64_t) ns;
        return 0;
}

static const Option events_options[] = {
        OPT_CALL(0, "interval", EventsArgs, interval, "TIME", take_interval, "how often statistics are printed; 5s unless given"),
        OPT_FLAG(0, "stats", EventsArgs, stats, "print the statistics once"),
        OPT_END
};

static int print_event(void *userdata, const json_t *event, Error *err) {
        _cleanup_free_ char *text = NULL;
        Output *out = userdata;

        if (json_print(event, &text, err) < 0 || output_printf(out, err, "%s\n", text) < 0)
                return -1;
        return output_flush(out, err);
}

static int run(Cli *cli, const Call *call, Error *err) {
        const EventsArgs *args = call->args;
        const EventsRequest request = { .interval_ns = args->stats ? 0 : args->interval, .event = print_event, .userdata = &cli->out };

        return lifecycle_events(&cli->lifecycle, call->operands[0], &request, err);
}

const Command cmd_events = {
        .name = "events",
        .group = COMMANDS_LOOK,
        .summary = "print a container's statistics at intervals, and when it was killed for memory",
        .operands = "ID",
        .description = "Each event is a JSON object on one line, with runc's fields: type is 'stats' or 'oom'. It goes on until the "
                       "container is deleted.",
        .examples = "proxmox-lxcri events --stats web | jq .data.memory.usage\nproxmox-lxcri events --interval 1s web",
        .flags = COMMAND_OF_CONTAINER,
        .min_operands = 1,
        .max_operands = 1,
        .options = (const Option *const[]) { events_options, NULL },
        .args_size = sizeof(EventsArgs),
        .defaults = &(const EventsArgs) { .interval = INT64_C(5000000000) },
        .run = run,
};
