/* Image references: parsing by the distribution project's grammar, and Docker's normal form. */

#include "oci/reference.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"

#define TEXT_MAX       4096 /* bytes of a whole reference; this program's own cap */
#define REPOSITORY_MAX 255  /* bytes; distribution's reference package */
#define TAG_MAX        128  /* bytes; distribution-spec */

#define REGISTRY_DEFAULT "docker.io"
#define REGISTRY_LEGACY  "index.docker.io" /* Docker's older name of the same */

Reference *reference_free(Reference *reference) {
        if (!reference)
                return NULL;
        free(reference->registry);
        free(reference->repository);
        free(reference->tag);
        free(reference);
        return NULL;
}

static bool is_lower_or_digit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c) {
        return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Runs of letters and digits, joined by ".", "_", "__" or any number of "-". Steps to the end of the component; false when it is none. */
static bool skip_path_component(const char **p) {
        for (;;) {
                size_t separator;

                if (!is_lower_or_digit(**p))
                        return false;
                while (is_lower_or_digit(**p))
                        (*p)++;
                if (**p == '-')
                        separator = strspn(*p, "-");
                else if (**p == '_')
                        separator = (*p)[1] == '_' ? 2 : 1;
                else
                        separator = **p == '.';
                if (!separator)
                        return true;
                *p += separator;
        }
}

static bool is_repository(const char *text) {
        for (;;) {
                if (!skip_path_component(&text))
                        return false;
                if (!*text)
                        return true;
                if (*text++ != '/')
                        return false;
        }
}

static bool is_tag(const char *text) {
        if (!is_word(*text) || strlen(text) > TAG_MAX)
                return false;
        while (is_word(*text) || *text == '.' || *text == '-')
                text++;
        return !*text;
}

/* Labels of letters, digits and inner "-", joined by "."; or an IPv6 address in brackets. Then perhaps ":PORT". */
static bool is_registry(const char *text) {
        if (*text == '[') {
                size_t n = strspn(text + 1, "0123456789abcdefABCDEF:");

                if (n == 0 || text[1 + n] != ']')
                        return false;
                text += n + 2;
        } else
                for (;; text++) {
                        const char *start = text;

                        while (is_word(*text) || *text == '-')
                                if (*text++ == '_')
                                        return false;
                        if (text == start || *start == '-' || text[-1] == '-')
                                return false;
                        if (*text != '.')
                                break;
                }
        if (*text == ':') {
                size_t n = strspn(text + 1, "0123456789");

                if (n == 0)
                        return false;
                text += n + 1;
        }
        return !*text;
}

/* The first component names a registry when it cannot be part of a name on Docker Hub. */
static bool has_registry(const char *name, size_t first) {
        if (memchr(name, '.', first) || memchr(name, ':', first) || (first == strlen("localhost") && !strncmp(name, "localhost", first)))
                return true;
        for (size_t i = 0; i < first; i++)
                if (isupper((unsigned char) name[i]))
                        return true;
        return false;
}

bool reference_is_short(const char *text) {
        const char *slash = strchr(text, '/');

        return !slash || !has_registry(text, (size_t) (slash - text));
}

static int refuse(const char *text, const char *what, Error *err) {
        return error_set(err, ERROR_INVALID_ARGUMENT, "image reference '%s': %s", text, what);
}

/* Splits NAME into registry and repository, in their normal form. */
static int parse_name(const char *text, const char *name, Reference *reference, Error *err) {
        const char *slash = strchr(name, '/'), *repository = name, *prefix = "";

        if (slash && has_registry(name, (size_t) (slash - name))) {
                if (string_format(&reference->registry, err, "%.*s", (int) (slash - name), name) < 0)
                        return -1;
                if (!is_registry(reference->registry))
                        return refuse(text, "the registry is not a host name or address with an optional port", err);
                repository = slash + 1;
        }
        if (!reference->registry || !strcmp(reference->registry, REGISTRY_LEGACY)) {
                free(reference->registry);
                reference->registry = NULL;
                if (string_copy(REGISTRY_DEFAULT, &reference->registry, err) < 0)
                        return -1;
        }
        if (!strcmp(reference->registry, REGISTRY_DEFAULT) && !strchr(repository, '/'))
                prefix = "library/";

        for (const char *p = repository; *p; p++)
                if (isupper((unsigned char) *p)) {
                        refuse(text, "the name has upper-case letters", err);
                        return error_hint(err, "names of repositories are lower-case; only tags may have upper-case letters");
                }
        if (!is_repository(repository))
                return refuse(text, "the name is not letters and digits, joined by '.', '_', '-' or '/'", err);
        if (strlen(prefix) + strlen(repository) > REPOSITORY_MAX)
                return refuse(text, "the name is longer than 255 bytes", err);
        /* As in Docker: it would read as the id of an image. */
        if (repository == name && strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64)
                return refuse(text, "64 hexadecimal digits are an id, not a name", err);
        return string_format(&reference->repository, err, "%s%s", prefix, repository);
}

int reference_parse(const char *text, Reference **ret, Error *err) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        _cleanup_free_ char *name = NULL;
        char *at, *colon, *slash;

        if (strlen(text) > TEXT_MAX)
                return error_set(err, ERROR_INVALID_ARGUMENT, "image reference of %zu bytes, at most %d are accepted", strlen(text),
                                 TEXT_MAX);
        reference = calloc(1, sizeof(*reference));
        if (!reference)
                return error_oom(err);
        if (string_copy(text, &name, err) < 0)
                return -1;

        at = strchr(name, '@');
        if (at) {
                *at = '\0';
                if (digest_parse(at + 1, &reference->digest, err) < 0) {
                        /* Here it is what a user typed, not what a document says. */
                        if (err && err->kind == ERROR_INVALID_SPEC)
                                err->kind = ERROR_INVALID_ARGUMENT;
                        return error_prefix(err, "image reference '%s'", text);
                }
                reference->has_digest = true;
        }

        /* A colon before the last slash belongs to the registry's port. */
        slash = strrchr(name, '/');
        colon = strrchr(slash ?: name, ':');
        if (colon) {
                *colon = '\0';
                if (!is_tag(colon + 1))
                        return refuse(text, "the tag is not 1 to 128 letters, digits, '_', '.' or '-', not beginning with '.' or '-'", err);
                if (string_copy(colon + 1, &reference->tag, err) < 0)
                        return -1;
        } else if (!reference->has_digest && string_copy("latest", &reference->tag, err) < 0)
                return -1;

        if (parse_name(text, name, reference, err) < 0)
                return -1;
        *ret = TAKE(reference);
        return 0;
}

int reference_format(const Reference *reference, char **ret, Error *err) {
        return string_format(ret, err, "%s/%s%s%s%s%s", reference->registry, reference->repository, reference->tag ? ":" : "",
                             reference->tag ?: "", reference->has_digest ? "@" : "", reference->has_digest ? reference->digest.text : "");
}

int reference_beside(const Reference *name, const Digest *manifest, const char *suffix, Reference **ret, Error *err) {
        _cleanup_free_ char *text = NULL;

        return string_format(&text, err, "%s/%s:sha256-%s%s", name->registry, name->repository, digest_hex(manifest), suffix) < 0 ? -1 :
               reference_parse(text, ret, err);
}
