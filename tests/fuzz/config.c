/* The program's own configuration: what is accepted can be shown, and what was shown reads as the same again. */

#include <sys/mman.h>

#include "base/config.h"
#include "base/fs.h"
#include "base/json.h"
#include "fuzz.h"

static int load(const void *data, size_t size, Config **ret, Error *err) {
        _cleanup_close_ int fd = memfd_create("config", MFD_CLOEXEC);
        char path[FD_PATH_MAX];

        CHECK(fd >= 0);
        CHECK(fd_write_all(fd, data, size, NULL) == 0);
        return config_load(fd_path(fd, path), ret, err);
}

/* {"KEY": {"value": V, "source": …}, …} → {"KEY": V, …} */
static json_t *values_of(const json_t *shown) {
        json_t *values = json_object();
        const char *key;
        json_t *row;

        json_object_foreach((json_t *) shown, key, row)
                CHECK(json_object_set(values, key, json_object_get(row, "value")) == 0);
        return values;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(config_freep) Config *config = NULL, *again = NULL;
        _cleanup_json_ json_t *shown = NULL, *shown_again = NULL, *values = NULL, *values_again = NULL;
        _cleanup_free_ char *text = NULL;
        Error err = ERROR_INIT;

        if (load(data, size, &config, &err) < 0) {
                check_error(&err);
                CHECK(err.kind == ERROR_INVALID_CONFIG);
                CHECK(strncmp(strchr(err.text, ':'), ":0:", 3)); /* a key whose line was not found */
                return 0;
        }
        CHECK(config_show(config, &shown, &err) == 0);
        values = values_of(shown);
        CHECK(json_print(values, &text, &err) == 0);
        CHECK(load(text, strlen(text), &again, &err) == 0);
        CHECK(config_show(again, &shown_again, &err) == 0);
        values_again = values_of(shown_again);
        CHECK(json_equal(values, values_again));
        return 0;
}
