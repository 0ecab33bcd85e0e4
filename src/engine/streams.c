/* Whose the standard streams are. */

#include "engine/streams.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "oci/id-mapping.h"
#include "oci/spec-schema.h"

int streams_give(const json_t *linux_part, const json_t *process, const int fds[3], Error *err) {
        const json_t *user = schema_field(process, "user");
        _cleanup_(id_mapping_freep) IdMapping *mapping = NULL;
        uint32_t uid;

        if (id_mapping_load(linux_part, &mapping, err) < 0)
                return error_prefix(err, "config.json: linux");
        if (!mapping || json_is_true(schema_field(process, "terminal")) ||
            !id_map_host(&mapping->uids, (uint32_t) json_integer_value(schema_field(user, "uid")), &uid))
                return 0;
        for (int i = 0; i < 3; i++) {
                int fd = fds[i] == SPAWN_INHERIT ? i : fds[i];
                struct stat st;

                /* What cannot be given away can still be used as it is. */
                if (fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid != uid)
                        (void) !fchown(fd, uid, (gid_t) -1);
        }
        return 0;
}
