/* Header fields of a registry's answers: challenges and links a line each, and every line as a range and as a time to wait. */

#include "base/buf.h"
#include "fuzz.h"
#include "registry/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size);
        _cleanup_(challenge_clear) Challenge challenge = { 0 };
        _cleanup_strv_ char **lines = NULL;
        _cleanup_free_ char *next = NULL;
        Error err = ERROR_INIT;
        ContentRange range;

        for (char *line = strtok(text, "\n"); line && strv_length(lines) < 32; line = strtok(NULL, "\n")) {
                CHECK(strv_push(&lines, line, NULL) == 0);
                if (content_range_parse(line, &range, &err) == 0)
                        CHECK(range.first <= range.last && (!range.has_total || range.last < range.total));
                else
                        check_error(&err);
                (void) retry_after_parse(line, 1000000);
        }
        if (link_next_parse(lines, &next, &err) < 0)
                check_error(&err);
        else
                CHECK(!next || !strchr(next, '>'));
        if (challenge_parse(lines, &challenge, &err) < 0) {
                check_error(&err);
                CHECK(!challenge.realm);
                return 0;
        }
        if (challenge.scheme == AUTH_BEARER)
                CHECK(challenge.realm && challenge.realm[0]);
        return 0;
}
