/* The table of backends, in the order in which `auto` tries them. */

#include "backends/backend.h"

#include <string.h>

#include "backends/rows.h"
#include "base/buf.h"
#include "base/cleanup.h"

static const Backend *const backends[] = {
        &backend_lxc,
        &backend_native,
        &backend_crun,
        &backend_runc,
};

const Backend *backend_at(size_t index) {
        return index < ARRAY_SIZE(backends) ? backends[index] : NULL;
}

int backend_find(const char *name, const Backend **ret, Error *err) {
        _cleanup_buf_ Buf names = BUF_INIT(1024);

        for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
                if (!strcmp(backends[i]->name, name)) {
                        *ret = backends[i];
                        return 0;
                }
                if (buf_printf(&names, err, "%s%s", i > 0 ? ", " : "", backends[i]->name) < 0)
                        return -1;
        }
        error_set(err, ERROR_INVALID_ARGUMENT, "unknown runtime '%s'", name);
        return error_hint(err, "there are: %s", names.data);
}
