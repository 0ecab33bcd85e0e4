/* exit.json: how a detached container ended. */

#include <stdio.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "runtime/cgroup.h"
#include "runtime/monitor.h"

#define EXIT_SIZE_MAX 4096 /* bytes; ours are about 90 */

int exit_record_save(int dir_fd, const ExitRecord *record, unsigned flags, Error *err) {
        _cleanup_json_ json_t *json =
                json_pack("{s:i, s:b, s:s}", "exit_code", record->exit_code, "oom_killed", record->oom_killed, "exited", record->exited);

        if (!json)
                return error_oom(err);
        return json_save_at(dir_fd, EXIT_FILE, json, 0600, flags, err);
}

int exit_record_now(int dir_fd, int exit_code, char *const *cgroups, unsigned flags, Error *err) {
        ExitRecord record = { .exit_code = exit_code };

        if (cgroup_was_oom_killed(cgroups, &record.oom_killed, NULL) < 0)
                record.oom_killed = false;
        time_now_text(record.exited);
        return exit_record_save(dir_fd, &record, flags, err);
}

int exit_record_load(int dir_fd, ExitRecord *ret, Error *err) {
        const JsonPlace place = { .where = EXIT_FILE, .kind = ERROR_INVALID_STATE };
        _cleanup_json_ json_t *json = NULL;
        ExitRecord record = {};
        const char *exited;
        int64_t exit_code;

        if (json_load_at(dir_fd, EXIT_FILE, EXIT_SIZE_MAX, &json, err) < 0)
                return -1;
        if (json_need_integer(json, "exit_code", place, 0, 255, &exit_code, err) < 0 ||
            json_opt_bool(json, "oom_killed", place, &record.oom_killed, err) < 0 ||
            json_need_string(json, "exited", place, &exited, err) < 0)
                return -1;
        if ((size_t) snprintf(record.exited, sizeof(record.exited), "%s", exited) >= sizeof(record.exited))
                return error_set(err, ERROR_INVALID_STATE, "%s: 'exited' is not a time", EXIT_FILE);
        record.exit_code = (int) exit_code;
        *ret = record;
        return 0;
}
