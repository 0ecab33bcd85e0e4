/* Collecting ids. */

#include "lifecycle/ids.h"

#include <fcntl.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "lifecycle/stored.h"
#include "oci/state.h"

static int add_root(const char *root, char ***ids, Error *err) {
        _cleanup_closedir_ DIR *dir = opendir(root);
        struct dirent *entry;

        if (!dir && errno == ENOENT)
                return 0;
        if (!dir)
                return error_set_errno(err, ERROR_FILE, errno, "read '%s'", root);
        while ((errno = 0, entry = readdir(dir)))
                if (entry->d_type != DT_REG && id_check(entry->d_name, NULL) == 0 && strv_push(ids, entry->d_name, err) < 0)
                        return -1;
        return errno != 0 ? error_set_errno(err, ERROR_FILE, errno, "read '%s'", root) : 0;
}

static int add_store(const Lifecycle *lifecycle, char ***ids, Error *err) {
        _cleanup_(store_closep) Store *store = NULL;
        _cleanup_strv_ char **stored = NULL;

        if (access(lifecycle->store, F_OK) < 0)
                return 0;
        if (store_open(lifecycle->store, STORE_READ, &store, err) < 0 || container_list(store, &stored, err) < 0)
                return -1;
        for (char **id = stored; id && *id; id++) {
                Error e = ERROR_INIT;
                StoredKind kind;

                /* A record that cannot be read is someone's: it is shown, and its trouble with it. */
                if (stored_kind(lifecycle, *id, &kind, &e) == 0 && kind == STORED_NOT)
                        continue;
                if (strv_push(ids, *id, err) < 0)
                        return -1;
        }
        return 0;
}

static int compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

int ids_list(const Lifecycle *lifecycle, char ***ret, Error *err) {
        _cleanup_strv_ char **ids = NULL;
        size_t n, kept = 0;

        if (add_root(lifecycle->root, &ids, err) < 0 || add_store(lifecycle, &ids, err) < 0)
                return -1;
        n = strv_length(ids);
        if (n > 0)
                qsort(ids, n, sizeof(*ids), compare);
        for (size_t i = 0; i < n; i++) {
                if (kept > 0 && !strcmp(ids[kept - 1], ids[i]))
                        free(ids[i]);
                else
                        ids[kept++] = ids[i];
        }
        if (ids)
                ids[kept] = NULL;
        *ret = TAKE(ids);
        return 0;
}

/* Keeps what matches, in place. */
static void keep_matches(const regex_t *regex, char **ids) {
        char **kept = ids;

        for (; ids && *ids; ids++) {
                char *id = *ids;

                *ids = NULL;
                if (regexec(regex, id, 0, NULL, 0) == 0)
                        *kept++ = id;
                else
                        free(id);
        }
}

int lifecycle_match(const Lifecycle *lifecycle, const char *pattern, char ***ret, Error *err) {
        char why[128];
        regex_t regex;
        int r;

        r = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB);
        if (r != 0) {
                (void) regerror(r, &regex, why, sizeof(why));
                return error_set(err, ERROR_INVALID_ARGUMENT, "regular expression '%s': %s", pattern, why);
        }
        r = ids_list(lifecycle, ret, err);
        if (r == 0)
                keep_matches(&regex, *ret);
        regfree(&regex);
        return r;
}
