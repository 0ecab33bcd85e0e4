#pragma once

/* What every target shares. A target checks more than that nothing crashes: an error says something, a result keeps its promises. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                 \
        do {                             \
                if (!(condition))        \
                        __builtin_trap(); \
        } while (0)

/** check_error() - that a failed call said what happened */
static inline void check_error(const Error *err) {
        CHECK(err->kind != ERROR_NONE);
        CHECK(err->text[0]);
}

/** fuzz_text() - the input as a string; what follows a NUL is lost. free() */
static inline char *fuzz_text(const uint8_t *data, size_t size) {
        char *text = malloc(size + 1);

        CHECK(text);
        memcpy(text, data, size);
        text[size] = '\0';
        return text;
}
