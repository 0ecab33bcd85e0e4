/* Warnings of the engine, to whoever asked for the container. */

#include "engine/warn.h"

#include <stdarg.h>
#include <stdio.h>

void container_warn(const EngineContainer *container, const char *fmt, ...) {
        char text[ERROR_TEXT_MAX];
        va_list ap;

        if (!container->warn)
                return;
        va_start(ap, fmt);
        (void) vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        container->warn(container->warn_data, text);
}
