/* The environment of a container's process: the image's, then what it lacks, then the user's, which wins. */

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "oci/spec-parts.h"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The element of @list with the name that "NAME=VALUE" sets. */
static char **find_variable(char **list, const char *entry) {
        size_t len = strcspn(entry, "=");

        for (; list && *list; list++)
                if (!strncmp(*list, entry, len) && (*list)[len] == '=')
                        return list;
        return NULL;
}

static int set_variable(char ***list, const char *entry, Error *err) {
        char **found = find_variable(*list, entry), *copy;

        if (!found)
                return strv_push(list, entry, err);
        if (string_copy(entry, &copy, err) < 0)
                return -1;
        free(*found);
        *found = copy;
        return 0;
}

static int add_default(char ***list, const char *name, const char *value, Error *err) {
        _cleanup_free_ char *entry = NULL;

        if (!value)
                return 0;
        if (string_format(&entry, err, "%s=%s", name, value) < 0)
                return -1;
        return find_variable(*list, entry) ? 0 : strv_push(list, entry, err);
}

/* What systemd asks of who starts it. A console that goes to a log shows no colours. Source: systemd, docs/CONTAINER_INTERFACE.md */
static int add_for_init(char ***list, const SpecOptions *options, Error *err) {
        if (!options->boots)
                return 0;
        return add_default(list, "TERM", "dumb", err) < 0 ||
               add_default(list, "container_uuid", options->machine_id[0] ? options->machine_id : NULL, err) < 0 ? -1 : 0;
}

int environment_build(const ImageConfig *image, const SpecOptions *options, const char *home, json_t **ret, Error *err) {
        _cleanup_strv_ char **list = NULL;

        for (char **entry = image->env; entry && *entry; entry++) {
                if (!strchr(*entry, '=') || (*entry)[0] == '=')
                        return error_set(err, ERROR_INVALID_SPEC, "the image's Env: '%s' is not NAME=VALUE", *entry);
                if (set_variable(&list, *entry, err) < 0)
                        return -1;
        }
        /* container: how programs such as systemd learn that they are in one; its value names the manager's kind. */
        if (add_default(&list, "PATH", PATH_DEFAULT, err) < 0 || add_default(&list, "TERM", options->tty ? "xterm" : NULL, err) < 0 ||
            add_default(&list, "HOSTNAME", options->hostname, err) < 0 ||
            add_for_init(&list, options, err) < 0 ||
            add_default(&list, "HOME", home && home[0] ? home : "/", err) < 0 || add_default(&list, "container", "oci", err) < 0)
                return -1;
        for (char **entry = options->env; entry && *entry; entry++)
                if (set_variable(&list, *entry, err) < 0)
                        return -1;
        return texts_json(list, "the environment", ret, err);
}
