#pragma once

/* Header fields that registries send, parsed. */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef enum AuthScheme {
        AUTH_NONE,
        AUTH_BASIC,
        AUTH_BEARER,
} AuthScheme;

/** What a registry asks for */
typedef struct Challenge {
        AuthScheme scheme;
        char *realm;                  /* of a bearer: the token server's URL */
        char *service, *scope, *error; /* NULL: not said */
} Challenge;

void challenge_clear(Challenge *challenge);

/**
 * challenge_parse() - the values of WWW-Authenticate fields; Bearer is preferred to Basic, other schemes are passed over
 * @ret: scheme is AUTH_NONE when there is none that is known
 *
 * Source: RFC 9110, 11.6.1; distribution's "token authentication". Errors: RegistryError (malformed, or Bearer without a realm), OutOfMemory
 */
int challenge_parse(char *const *values, Challenge *ret, Error *err);

typedef struct ContentRange {
        uint64_t first, last;
        bool has_total;
        uint64_t total;
} ContentRange;

/** content_range_parse() - "bytes 5-9/10", or an asterisk for the total. Source: RFC 9110, 14.4. Errors: RegistryError */
int content_range_parse(const char *text, ContentRange *ret, Error *err);

/** retry_after_parse() - seconds from now, of a number of them or of a date; 0 for what is neither. Source: RFC 9110, 10.2.3 */
uint64_t retry_after_parse(const char *text, int64_t now);

/**
 * link_next_parse() - the target of the Link with the relation "next"
 * @values: Link fields; NULL: none
 * @ret:    as it stands there; NULL: there is none; free()
 *
 * Source: RFC 8288, 3. Errors: RegistryError (malformed), OutOfMemory
 */
int link_next_parse(char *const *values, char **ret, Error *err);

/** header_is_clean() - whether a text may stand in a header: no control characters, no line ends */
bool header_is_clean(const char *text);
