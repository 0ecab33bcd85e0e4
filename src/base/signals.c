/* Signal names: libc's own table, and the real-time ones it has no names for. */

#include "base/signals.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A decimal number with nothing after it, 0 … _NSIG; -1 otherwise. */
static int parse_number(const char *text) {
        char *end;
        long n;

        if (*text < '0' || *text > '9')
                return -1;
        n = strtol(text, &end, 10);
        return *end || n >= _NSIG ? -1 : (int) n;
}

/* "RTMIN", "RTMIN+3", "RTMAX-1"; -1 when it is none of them. The kernel's range is 34 … 64, whatever libc keeps for itself of it. */
static int parse_realtime(const char *name) {
        int n = 0;

        if (!strncasecmp(name, "RTMIN", 5)) {
                if (name[5] && (name[5] != '+' || (n = parse_number(name + 6)) < 0))
                        return -1;
                n += SIGRTMIN;
        } else if (!strncasecmp(name, "RTMAX", 5)) {
                if (name[5] && (name[5] != '-' || (n = parse_number(name + 6)) < 0))
                        return -1;
                n = SIGRTMAX - n;
        } else
                return -1;
        return n < SIGRTMIN || n > SIGRTMAX ? -1 : n;
}

int signal_parse(const char *text, int *ret, Error *err) {
        const char *name = strncasecmp(text, "SIG", 3) ? text : text + 3;
        int number = parse_number(text);

        for (int s = 1; number < 0 && s < _NSIG; s++)
                if (sigabbrev_np(s) && !strcasecmp(name, sigabbrev_np(s)))
                        number = s;
        if (number < 0)
                number = parse_realtime(name);
        if (number <= 0) {
                error_set(err, ERROR_INVALID_ARGUMENT, "no signal is called '%s'", text);
                return error_hint(err, "a name such as TERM or SIGTERM, a number from 1 to %d, or RTMIN+N", _NSIG - 1);
        }
        *ret = number;
        return 0;
}

const char *signal_name(int signal, char ret[SIGNAL_NAME_MAX]) {
        const char *name = sigabbrev_np(signal);

        if (name)
                snprintf(ret, SIGNAL_NAME_MAX, "SIG%s", name);
        else if (signal == SIGRTMIN)
                snprintf(ret, SIGNAL_NAME_MAX, "SIGRTMIN");
        else if (signal > SIGRTMIN && signal <= SIGRTMAX)
                snprintf(ret, SIGNAL_NAME_MAX, "SIGRTMIN+%d", signal - SIGRTMIN);
        else
                snprintf(ret, SIGNAL_NAME_MAX, "%d", signal);
        return ret;
}
