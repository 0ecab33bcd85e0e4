/* Parsing of header fields. All of them are a stranger's. */

#include "registry/headers.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"

#define CHALLENGE "WWW-Authenticate"
#define VALUE_MAX 4096 /* bytes of one parameter; this program's own cap */

void challenge_clear(Challenge *challenge) {
        free(challenge->realm);
        free(challenge->service);
        free(challenge->scope);
        free(challenge->error);
        *challenge = (Challenge) { 0 };
}

bool header_is_clean(const char *text) {
        for (; *text; text++)
                if ((unsigned char) *text < ' ' || *text == 0x7f)
                        return false;
        return true;
}

/* RFC 9110, 5.6.2 */
static size_t token_length(const char *text) {
        return strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static int malformed(const char *field, const char *text, Error *err) {
        return error_set(err, ERROR_REGISTRY, "malformed %s: '%.200s'", field, text);
}

/* A token or a quoted string, appended. */
static int parse_parameter(const char **p, const char *field, const char *whole, Buf *value, Error *err) {
        size_t n;

        if (**p != '"') {
                n = token_length(*p);
                if (n == 0)
                        return malformed(field, whole, err);
                *p += n;
                return buf_append(value, *p - n, n, err);
        }
        for ((*p)++; **p != '"'; (*p)++) {
                if (**p == '\\')
                        (*p)++;
                if (!**p)
                        return malformed(field, whole, err);
                if (buf_append(value, *p, 1, err) < 0)
                        return -1;
        }
        (*p)++;
        return 0;
}

static char **parameter(Challenge *challenge, const char *name, size_t len) {
        const struct {
                const char *name;
                char **target;
        } known[] = {
                { "realm", &challenge->realm },
                { "service", &challenge->service },
                { "scope", &challenge->scope },
                { "error", &challenge->error },
        };

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (strlen(known[i].name) == len && !strncasecmp(known[i].name, name, len))
                        return known[i].target;
        return NULL;
}

/* Keeps the better of two. */
static void settle(Challenge *best, Challenge *current) {
        if (current->scheme > best->scheme) {
                challenge_clear(best);
                *best = *current;
                *current = (Challenge) { 0 };
        }
        challenge_clear(current);
}

static AuthScheme scheme_of(const char *name, size_t len) {
        if (len == strlen("bearer") && !strncasecmp(name, "bearer", len))
                return AUTH_BEARER;
        return len == strlen("basic") && !strncasecmp(name, "basic", len) ? AUTH_BASIC : AUTH_NONE;
}

static int parse_field(const char *text, Challenge *best, Error *err) {
        _cleanup_(challenge_clear) Challenge current = { 0 };
        bool inside = false;

        for (const char *p = text;;) {
                _cleanup_buf_ Buf value = BUF_INIT(VALUE_MAX);
                const char *name, *after;
                char **target;
                size_t len;

                p += strspn(p, " \t,");
                if (!*p)
                        break;
                name = p;
                len = token_length(p);
                if (len == 0)
                        return malformed(CHALLENGE, text, err);
                p += len;
                after = p + strspn(p, " \t");
                if (*after != '=' || !inside) {
                        /* A scheme; what is like base64 behind it belongs to schemes that are not known here. */
                        settle(best, &current);
                        current.scheme = scheme_of(name, len);
                        inside = true;
                        p = after;
                        len = strspn(p, "-._~+/0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
                        after = p + len + strspn(p + len, "=");
                        if (len > 0 && (!*after || *after == ',' || (after[0] == ' ' && strchr(" ,", after[1]))))
                                p = after;
                        continue;
                }
                p = after + 1;
                p += strspn(p, " \t");
                if (parse_parameter(&p, CHALLENGE, text, &value, err) < 0)
                        return err && err->kind == ERROR_INVALID_ARGUMENT ? malformed(CHALLENGE, text, err) : -1;
                target = parameter(&current, name, len);
                if (target && !*target && string_copy(value.data ?: "", target, err) < 0)
                        return -1;
                after = p + strspn(p, " \t");
                if (*after && *after != ',')
                        return malformed(CHALLENGE, text, err);
        }
        settle(best, &current);
        return 0;
}

int challenge_parse(char *const *values, Challenge *ret, Error *err) {
        _cleanup_(challenge_clear) Challenge best = { 0 };

        for (; values && *values; values++)
                if (parse_field(*values, &best, err) < 0)
                        return -1;
        if (best.scheme == AUTH_BEARER && (!best.realm || !best.realm[0]))
                return error_set(err, ERROR_REGISTRY, "WWW-Authenticate: Bearer without a realm");
        *ret = best;
        best = (Challenge) { 0 };
        return 0;
}

/* Whether one of the relations in a text, which are parted by blanks, is "next". */
static bool relates_to_next(const char *text) {
        while (*(text += strspn(text, " \t"))) {
                const size_t len = strcspn(text, " \t");

                if (len == strlen("next") && !strncasecmp(text, "next", len))
                        return true;
                text += len;
        }
        return false;
}

/* What stands behind "<URI>": parameters, up to the comma before the next link. Of several relations the first counts. */
static int parse_link_parameters(const char **p, const char *whole, bool *ret_next, Error *err) {
        bool related = false;

        *ret_next = false;
        for (;;) {
                _cleanup_buf_ Buf value = BUF_INIT(VALUE_MAX);
                const char *name;
                size_t len;

                *p += strspn(*p, " \t");
                if (!**p || **p == ',')
                        return 0;
                if (*(*p)++ != ';')
                        return malformed("Link", whole, err);
                *p += strspn(*p, " \t");
                name = *p;
                len = token_length(name);
                *p += len;
                *p += strspn(*p, " \t");
                if (**p == '=') {
                        *p += 1 + strspn(*p + 1, " \t");
                        if (parse_parameter(p, "Link", whole, &value, err) < 0)
                                return err && err->kind == ERROR_INVALID_ARGUMENT ? malformed("Link", whole, err) : -1;
                }
                if (related || len != strlen("rel") || strncasecmp(name, "rel", len) != 0)
                        continue;
                related = true;
                *ret_next = relates_to_next(value.data ?: "");
        }
}

int link_next_parse(char *const *values, char **ret, Error *err) {
        for (; values && *values; values++) {
                for (const char *p = *values; *(p += strspn(p, " \t,"));) {
                        const char *uri = p + 1, *end = strchr(p, '>');
                        bool next;

                        if (*p != '<' || !end)
                                return malformed("Link", *values, err);
                        p = end + 1;
                        if (parse_link_parameters(&p, *values, &next, err) < 0)
                                return -1;
                        if (next)
                                return string_format(ret, err, "%.*s", (int) (end - uri), uri);
                }
        }
        *ret = NULL;
        return 0;
}

static bool take_number(const char **p, uint64_t *ret) {
        uint64_t value = 0;
        const char *start = *p;

        for (; **p >= '0' && **p <= '9'; (*p)++)
                if (__builtin_mul_overflow(value, (uint64_t) 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (**p - '0'), &value) || value > INT64_MAX)
                        return false;
        *ret = value;
        return *p > start;
}

int content_range_parse(const char *text, ContentRange *ret, Error *err) {
        ContentRange range = { 0 };
        const char *p = text;

        if (strncasecmp(p, "bytes ", 6))
                goto malformed;
        p += 6;
        if (!take_number(&p, &range.first) || *p++ != '-' || !take_number(&p, &range.last) || *p++ != '/')
                goto malformed;
        if (*p == '*')
                p++;
        else if (take_number(&p, &range.total))
                range.has_total = true;
        else
                goto malformed;
        if (*p || range.last < range.first || (range.has_total && range.last >= range.total))
                goto malformed;
        *ret = range;
        return 0;

malformed:
        return error_set(err, ERROR_REGISTRY, "malformed Content-Range: '%.100s'", text);
}

uint64_t retry_after_parse(const char *text, int64_t now) {
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        char month[4], zone[4];
        const char *p = text, *at;
        struct tm time = { 0 };
        uint64_t seconds;
        int64_t then;

        if (take_number(&p, &seconds))
                return *p ? 0 : seconds;
        if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]", &time.tm_mday, month, &time.tm_year, &time.tm_hour,
                   &time.tm_min, &time.tm_sec, zone) != 7 ||
            strlen(month) != 3 || strcmp(zone, "GMT"))
                return 0;
        at = strstr(months, month);
        if (!at || (at - months) % 3 != 0)
                return 0;
        time.tm_mon = (int) (at - months) / 3;
        time.tm_year -= 1900;
        then = timegm(&time);
        return then > now ? (uint64_t) (then - now) : 0;
}
