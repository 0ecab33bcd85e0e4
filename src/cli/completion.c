/* What all shells' completion scripts share: what a value's name means. */

#include "cli/completion.h"

#include <signal.h>
#include <string.h>

#include "backends/backend.h"
#include "base/cleanup.h"
#include "base/signals.h"
#include "store/driver.h"

ValueKind value_kind(const char *value) {
        static const struct {
                const char *name;
                ValueKind kind;
        } kinds[] = {
                { "FILE", VALUE_FILE },     { "SOCKET", VALUE_FILE },     { "DIR", VALUE_DIR },       { "ID", VALUE_ID },
                { "IMAGE", VALUE_IMAGE },   { "RUNTIME", VALUE_RUNTIME }, { "DRIVER", VALUE_DRIVER }, { "SIGNAL", VALUE_SIGNAL },
                { "COMMAND", VALUE_COMMAND }, { "SHELL", VALUE_SHELL },
        };

        for (size_t i = 0; value && i < ARRAY_SIZE(kinds); i++)
                if (!strcmp(kinds[i].name, value))
                        return kinds[i].kind;
        return value && strchr(value, '|') ? VALUE_CHOICE : VALUE_OTHER;
}

const char *operand_value(const Command *command, size_t index, char ret[OPERAND_NAME_MAX]) {
        const char *p = command->operands ?: "", *last = NULL;
        size_t len = 0;

        ret[0] = '\0';
        if (index >= command->max_operands)
                return ret;
        for (p += strspn(p, " [."); *p && index != (size_t) -1; index--) {
                last = p;
                len = strcspn(p, " [].");
                p += len;
                p += strspn(p, " [].");
        }
        if (last && len < OPERAND_NAME_MAX) {
                memcpy(ret, last, len);
                ret[len] = '\0';
        }
        return ret;
}

static int put_choices(Output *out, const char *choices, Error *err) {
        while (*choices) {
                size_t len = strcspn(choices, "|");

                if (output_printf(out, err, "%.*s ", (int) len, choices) < 0)
                        return -1;
                choices += len + (choices[len] == '|');
        }
        return 0;
}

static int put_signals(Output *out, Error *err) {
        for (int s = 1; s < _NSIG; s++) {
                char name[SIGNAL_NAME_MAX];

                if (strlen(signal_name(s, name)) > 3 && output_printf(out, err, "%s ", name + 3) < 0)
                        return -1;
        }
        return 0;
}

int value_words(Output *out, const char *value, Error *err) {
        switch (value_kind(value)) {
        case VALUE_CHOICE:
                return put_choices(out, value, err);
        case VALUE_RUNTIME:
                for (size_t i = 0; backend_at(i); i++)
                        if (output_printf(out, err, "%s ", backend_at(i)->name) < 0)
                                return -1;
                return 0;
        case VALUE_DRIVER:
                for (size_t i = 0; driver_at(i); i++)
                        if (output_printf(out, err, "%s ", driver_at(i)->name) < 0)
                                return -1;
                return 0;
        case VALUE_SIGNAL:
                return put_signals(out, err);
        case VALUE_COMMAND:
                for (size_t i = 0; command_at(i); i++)
                        if (output_printf(out, err, "%s ", command_at(i)->name) < 0)
                                return -1;
                return 0;
        case VALUE_SHELL:
                return output_printf(out, err, "bash zsh fish ");
        case VALUE_OTHER:
        case VALUE_FILE:
        case VALUE_DIR:
        case VALUE_ID:
        case VALUE_IMAGE:
                break;
        }
        return 0;
}
