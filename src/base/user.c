/* The id maps of our own user namespace. Source: user_namespaces(7) */

#include "base/user.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"

#define MAP_MAX 65536 /* bytes; 340 lines */

typedef struct Range {
        uint32_t inner, outer, size;
} Range;

/* The first range of a map for which @wanted is true; a kernel without user namespaces has no maps. */
static bool map_find(const char *path, bool (*wanted)(const Range *range, const void *userdata), const void *userdata, Range *ret) {
        _cleanup_free_ char *map = NULL;

        if (file_read_at(AT_FDCWD, path, MAP_MAX, &map, NULL, NULL) < 0)
                return false;
        for (char *p = map, *line; (line = strsep(&p, "\n"));)
                if (sscanf(line, "%u %u %u", &ret->inner, &ret->outer, &ret->size) == 3 && wanted(ret, userdata))
                        return true;
        return false;
}

static bool has_id(const Range *range, const void *userdata) {
        const uint32_t *id = userdata;

        return *id >= range->inner && *id - range->inner < range->size;
}

static bool is_any(const Range *range, const void *userdata) {
        (void) range;
        (void) userdata;
        return true;
}

bool user_is_nested(void) {
        Range range;

        return map_find("/proc/self/uid_map", is_any, NULL, &range) && range.size != UINT32_MAX;
}

uid_t user_outer_id(void) {
        uint32_t uid = geteuid();
        Range range;

        return map_find("/proc/self/uid_map", has_id, &uid, &range) ? range.outer + (uid - range.inner) : uid;
}

int user_identity_map(bool groups, char **ret, Error *err) {
        _cleanup_buf_ Buf text = BUF_INIT(2 * MAP_MAX);
        _cleanup_free_ char *map = NULL;
        Range range;

        if (file_read_at(AT_FDCWD, groups ? "/proc/self/gid_map" : "/proc/self/uid_map", MAP_MAX, &map, NULL, err) < 0)
                return -1;
        for (char *p = map, *line; (line = strsep(&p, "\n"));)
                if (sscanf(line, "%u %u %u", &range.inner, &range.outer, &range.size) == 3 &&
                    buf_printf(&text, err, "%s%u:%u:%u", text.len > 0 ? "," : "", range.inner, range.inner, range.size) < 0)
                        return -1;
        return string_copy(text.data ?: "", ret, err);
}
