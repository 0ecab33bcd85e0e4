/* Auth files: the first line is the image that is asked for, the rest the file. */

#include "base/json.h"
#include "fuzz.h"
#include "registry/credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = fuzz_text(data, size), *helper = NULL, *server = NULL;
        _cleanup_(credentials_clear) Credentials found = { 0 };
        _cleanup_(reference_freep) Reference *name = NULL;
        _cleanup_json_ json_t *json = NULL;
        char *line = strchr(text, '\n');
        Error err = ERROR_INIT;

        if (!line)
                return 0;
        *line++ = '\0';
        if (reference_parse(text, &name, NULL) < 0)
                return 0;
        if (auth_file_parse(line, strlen(line), "fuzz", &json, &err) < 0 ||
            auth_file_find(json, name, &found, &helper, &server, &err) < 0) {
                check_error(&err);
                CHECK(!helper && !server);
                return 0;
        }
        CHECK(!helper == !server);
        CHECK(!found.user == !found.password);
        if (found.user)
                CHECK(!strchr(found.user, ':'));
        return 0;
}
