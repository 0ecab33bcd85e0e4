/* The table of storage drivers, and the choice among them. */

#include "store/driver.h"

#include <string.h>

#include "base/buf.h"
#include "store/drivers/drivers.h"

/* Best first. */
static const Driver *const drivers[] = {
        &driver_overlay,
        &driver_dir,
};

const Driver *driver_at(size_t index) {
        return index < ARRAY_SIZE(drivers) ? drivers[index] : NULL;
}

int driver_find(const char *name, const Driver **ret, Error *err) {
        _cleanup_buf_ Buf names = BUF_INIT(ERROR_TEXT_MAX);

        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
                if (!strcmp(drivers[i]->name, name)) {
                        *ret = drivers[i];
                        return 0;
                }
        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
                if (buf_printf(&names, err, "%s%s", i > 0 ? ", " : "", drivers[i]->name) < 0)
                        return -1;
        return error_set(err, ERROR_INVALID_ARGUMENT, "no storage driver '%s': there are %s", name, names.data);
}

static int probe(const Driver *driver, Store *store, bool shifted, Error *err) {
        if (driver->probe(store, err) < 0)
                return -1;
        if (!shifted)
                return 0;
        if (!(driver->capabilities & DRIVER_IDMAP)) {
                error_set(err, ERROR_NOT_SUPPORTED, "a user namespace: it cannot shift the owners of the root filesystem");
                return error_hint(err, "choose another --storage-driver, or --userns host");
        }
        return driver->probe_shift ? driver->probe_shift(store, err) : 0;
}

int driver_choose(Store *store, const char *name, bool shifted, const Driver **ret, Error *err) {
        _cleanup_buf_ Buf reasons = BUF_INIT(ARRAY_SIZE(drivers) * 2 * ERROR_TEXT_MAX);

        if (name && strcmp(name, "auto")) {
                const Driver *driver;

                if (driver_find(name, &driver, err) < 0)
                        return -1;
                if (probe(driver, store, shifted, err) < 0)
                        return error_prefix(err, "storage driver '%s'", name);
                *ret = driver;
                return 0;
        }

        for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
                Error cause = ERROR_INIT;

                if (probe(drivers[i], store, shifted, &cause) == 0) {
                        *ret = drivers[i];
                        return 0;
                }
                if (buf_printf(&reasons, err, "%s'%s': %s", i > 0 ? "; " : "", drivers[i]->name, cause.text) < 0)
                        return -1;
        }
        return error_set(err, ERROR_NOT_SUPPORTED, "no storage driver can be used on the store '%s': %s", store_path(store), reasons.data);
}
