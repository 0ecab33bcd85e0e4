/* Scopes of policy.json: which of them an image is in, the most specific first. Source: containers-policy.json(5), "TRANSPORTS" */

#include <string.h>

#include "base/buf.h"
#include "trust/requirement.h"

static bool is_canonical_path(const char *scope) {
        if (scope[0] != '/' || !scope[1])
                return false;
        for (const char *p = scope; *p; p++) {
                const char *name = p + 1;
                const size_t len = strcspn(name, "/");

                if (len == 0 || (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
                        return false;
                p += len;
        }
        return true;
}

static bool none(const char *scope) {
        return false;
}

static const struct {
        const char *transport;
        bool (*is_valid)(const char *scope);
        const char *wanted;
} transports[] = {
        { "dir", is_canonical_path, "an absolute path without '.', '..' and needless slashes, and not '/'" },
        { "oci", is_canonical_path, "an absolute path without '.', '..' and needless slashes, and not '/'" },
        { "oci-archive", is_canonical_path, "an absolute path without '.', '..' and needless slashes, and not '/'" },
        { "docker-archive", none, "empty, because this transport has no other" },
        { "tarball", none, "empty, because this transport has no other" },
};

int scope_check(const char *transport, const char *scope, const char *where, Error *err) {
        if (!scope[0])
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(transports); i++)
                if (!strcmp(transport, transports[i].transport) && !transports[i].is_valid(scope))
                        return error_set(err, ERROR_INVALID_CONFIG, "%s: a scope has to be %s", where, transports[i].wanted);
        return 0;
}

/* The default is the first rule, and has no transport. */
static const TrustRule *find(const TrustPolicy *policy, const char *transport, const char *scope, size_t len) {
        for (size_t i = 1; i < policy->n; i++)
                if (!strcmp(policy->rules[i].transport, transport) && strlen(policy->rules[i].scope) == len &&
                    !memcmp(policy->rules[i].scope, scope, len))
                        return &policy->rules[i];
        return NULL;
}

/* A path and all above it, but the root. */
static const TrustRule *find_path(const TrustPolicy *policy, const TrustSource *source) {
        for (size_t len = strlen(source->path); len > 1;) {
                const TrustRule *rule = find(policy, source->transport, source->path, len);

                if (rule)
                        return rule;
                while (len > 0 && source->path[len - 1] != '/')
                        len--;
                len = len > 0 ? len - 1 : 0;
        }
        return NULL;
}

/* "*.example.com" for each domain that a host is in. */
static int find_domain(const TrustPolicy *policy, const char *transport, const char *registry, const TrustRule **ret, Error *err) {
        _cleanup_free_ char *host = NULL;

        if (string_copy(registry, &host, err) < 0)
                return -1;
        host[strcspn(host, ":")] = '\0';
        for (const char *dot = strchr(host, '.'); dot && !*ret; dot = strchr(dot + 1, '.')) {
                _cleanup_free_ char *scope = NULL;

                if (string_format(&scope, err, "*%s", dot) < 0)
                        return -1;
                *ret = find(policy, transport, scope, strlen(scope));
        }
        return 0;
}

/* The name in full, its repository, each namespace around it, the registry, the domains that the registry is in. */
static int find_name(const TrustPolicy *policy, const TrustSource *source, const TrustRule **ret, Error *err) {
        _cleanup_free_ char *whole = NULL, *repository = NULL;

        if (reference_format(source->name, &whole, err) < 0 ||
            string_format(&repository, err, "%s/%s", source->name->registry, source->name->repository) < 0)
                return -1;
        *ret = find(policy, source->transport, whole, strlen(whole));
        for (size_t len = strlen(repository); len > 0 && !*ret;) {
                *ret = find(policy, source->transport, repository, len);
                while (len > 0 && repository[len - 1] != '/')
                        len--;
                len = len > 0 ? len - 1 : 0;
        }
        return *ret ? 0 : find_domain(policy, source->transport, source->name->registry, ret, err);
}

int policy_find(const TrustPolicy *policy, const TrustSource *source, const TrustRule **ret, Error *err) {
        const TrustRule *rule = NULL;

        if (source->path)
                rule = find_path(policy, source);
        else if (source->name && find_name(policy, source, &rule, err) < 0)
                return -1;
        if (!rule)
                rule = find(policy, source->transport, "", 0);
        *ret = rule ?: &policy->rules[0];
        return 0;
}
