/* Filters from the cache or from the module. On the start path of every container. */

#include "runtime/seccomp.h"

#include <linux/filter.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/module.h"
#include "runtime/seccomp-cache.h"
#include "runtime/seccomp-parts.h"
#include "runtime/seccomp-profile.h"

static const SeccompModule *load_module(Error *err) {
        return module_open("seccomp", SECCOMP_MODULE_SYMBOL, SECCOMP_MODULE_VERSION, err);
}

/* What the kernel knows decides what libseccomp accepts; the rest of what a program depends on are the files that compile it. */
static int key_build(const SeccompProfile *profile, Buf *key, Error *err) {
        struct utsname system;

        if (uname(&system) < 0)
                return error_set_errno(err, ERROR_FILE, errno, "uname");
        if (buf_append(key, PROJECT_VERSION, sizeof(PROJECT_VERSION), err) < 0 ||
            buf_append(key, system.release, strlen(system.release) + 1, err) < 0 ||
            buf_append(key, system.machine, strlen(system.machine) + 1, err) < 0)
                return -1;
        return seccomp_profile_key(profile, key, err);
}

static int compile(SeccompLoader loader, const SeccompProfile *profile, int cache_fd, const Buf *key, SeccompFilter *filter, Error *err) {
        const SeccompModule *module = loader(err);

        if (!module || seccomp_compile_bounded(module, profile, &filter->program, &filter->length, err) < 0)
                return -1;
        if (cache_fd >= 0)
                seccomp_cache_store(cache_fd, key, (const char *const[]) { module->own_file(), module->library_file() }, filter->program,
                                    filter->length);
        return 0;
}

int seccomp_filter_by(SeccompLoader loader, const json_t *seccomp, const char *cache_dir, SeccompFilter *ret, Error *err) {
        _cleanup_seccomp_profile_ SeccompProfile profile = { 0 };
        _cleanup_seccomp_filter_ SeccompFilter filter = { 0 };
        _cleanup_buf_ Buf key = BUF_INIT(SECCOMP_KEY_MAX);
        _cleanup_close_ int cache_fd = -EBADF;

        if (seccomp_profile_parse(seccomp, &profile, err) < 0)
                return -1;
        if (key_build(&profile, &key, err) < 0)
                return error_prefix(err, "linux.seccomp");
        filter.flags = profile.flags;
        if (string_copy(profile.listener_path, &filter.listener_path, err) < 0 ||
            string_copy(profile.listener_metadata, &filter.listener_metadata, err) < 0)
                return -1;
        if (cache_dir)
                cache_fd = seccomp_cache_open(cache_dir);
        filter.cached = cache_fd >= 0 && seccomp_cache_find(cache_fd, &key, &filter.program, &filter.length);
        if (!filter.cached && compile(loader, &profile, cache_fd, &key, &filter, err) < 0)
                return -1;
        *ret = filter;
        filter = (SeccompFilter) { 0 };
        return 0;
}

int seccomp_filter(const json_t *seccomp, const char *cache_dir, SeccompFilter *ret, Error *err) {
        return seccomp_filter_by(load_module, seccomp, cache_dir, ret, err);
}

void seccomp_filter_free(SeccompFilter *filter) {
        free(filter->program);
        free(filter->listener_path);
        free(filter->listener_metadata);
        *filter = (SeccompFilter) { 0 };
}
