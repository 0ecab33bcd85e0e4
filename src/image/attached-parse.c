/* Manifests of attachments. All of them are a stranger's: nothing but their form is looked at. */

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/json.h"
#include "image/attached.h"

/* Up to a suffix or parameter: "text/spdx+xml", "application/vnd.cyclonedx+json;version=1.5". Source: IANA; cosign, "specs/SBOM_SPEC.md" */
static const struct {
        const char *type, *format;
} formats[] = {
        { "application/spdx", "spdx" },
        { "text/spdx", "spdx" },
        { "application/vnd.cyclonedx", "cyclonedx" },
        { "application/cyclonedx", "cyclonedx" },
        { "text/cyclonedx", "cyclonedx" },
};

const char *attached_format(const char *type) {
        for (size_t i = 0; type && i < ARRAY_SIZE(formats); i++) {
                const size_t len = strlen(formats[i].type);

                if (!strncasecmp(type, formats[i].type, len) && (!type[len] || strchr("+; ", type[len])))
                        return formats[i].format;
        }
        return NULL;
}

int attached_too_many(Error *err) {
        error_set(err, ERROR_REGISTRY, "more than %d attachments", ATTACHED_MAX);
        if (err)
                err->errnum = EFBIG;
        return -1;
}

static const char *text_of(const char *text) {
        return text && text[0] ? text : NULL;
}

/* The first annotation that is there, of a document or else of its manifest. */
static int take_annotation(const json_t *const objects[2], const char *const *keys, JsonPlace place, char **ret, Error *err) {
        for (size_t i = 0; i < 2; i++) {
                json_t *annotations = NULL;

                if (json_opt_object(objects[i], "annotations", place, &annotations, err) < 0)
                        return -1;
                for (const char *const *key = keys; annotations && *key && !*ret; key++)
                        if (json_opt_string_copy(annotations, *key, place, ret, err) < 0)
                                return -1;
        }
        return 0;
}

/* Media types that say nothing of what a manifest is for. */
static bool is_general(const char *type) {
        return media_type_parse(type) == MEDIA_CONFIG || !strcmp(type, "application/vnd.oci.empty.v1+json");
}

static int artifact_type(const json_t *manifest, JsonPlace where, const char **ret, Error *err) {
        const char *type = NULL, *config_type = NULL;
        json_t *config = NULL;

        if (json_opt_string(manifest, "artifactType", where, &type, err) < 0 ||
            json_opt_object(manifest, "config", where, &config, err) < 0 ||
            (config && json_opt_string(config, "mediaType", where, &config_type, err) < 0))
                return -1;
        if (!text_of(type))
                type = text_of(config_type) && !is_general(config_type) ? config_type : NULL;
        *ret = type;
        return 0;
}

/* @layer: NULL: the manifest itself */
static int add(const json_t *manifest, const json_t *layer, const AttachedPlace *place, JsonPlace where, Attachments *attachments,
               Error *err) {
        static const char *const predicates[] = { "predicateType", "in-toto.io/predicate-type", "dev.sigstore.bundle.predicateType", NULL };
        static const char *const titles[] = { "org.opencontainers.image.title", NULL };
        Descriptor blob = { .digest = *place->manifest, .size = place->size };
        const char *type = "", *kind = NULL;
        Attachment *grown, *attachment;

        if (attachments->n == ATTACHED_MAX)
                return attached_too_many(err);
        if ((layer && (json_need_root(layer, where, err) < 0 || descriptor_parse(layer, where.where, &blob, err) < 0)) ||
            json_opt_string(layer ?: manifest, "mediaType", where, &type, err) < 0 || artifact_type(manifest, where, &kind, err) < 0)
                return -1;
        grown = reallocarray(attachments->items, attachments->n + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        attachments->items = grown;
        attachment = &grown[attachments->n++];
        *attachment = (Attachment) {
                .format = attached_format(type) ?: attached_format(kind),
                .digest = blob.digest,
                .size = blob.size,
                .manifest = *place->manifest,
                .subject = *place->subject,
        };
        const json_t *const annotated[] = { layer ?: manifest, manifest };

        return string_copy(type, &attachment->type, err) < 0 || string_copy(kind, &attachment->artifact_type, err) < 0 ||
                       string_copy(place->from, &attachment->from, err) < 0 ||
                       take_annotation(annotated, predicates, where, &attachment->predicate_type, err) < 0 ||
                       take_annotation(annotated, titles, where, &attachment->title, err) < 0 ?
               -1 : 0;
}

static int check_subject(const json_t *manifest, const AttachedPlace *place, JsonPlace where, Error *err) {
        json_t *subject = NULL;
        const char *digest;

        if (json_opt_object(manifest, "subject", where, &subject, err) < 0 ||
            (subject && json_need_string(subject, "digest", where, &digest, err) < 0))
                return -1;
        if (subject && strcmp(digest, place->subject->text) != 0)
                return error_set(err, ERROR_INVALID_SPEC, "%s: it is attached to '%.80s', not to %s", where.where, digest,
                                 place->subject->text);
        return 0;
}

int attached_parse(const char *data, size_t len, const AttachedPlace *place, Attachments *attachments, Error *err) {
        _cleanup_json_ json_t *manifest = NULL;
        json_t *layers = NULL;
        char text[120];

        snprintf(text, sizeof(text), "attached manifest %s", place->manifest->text);
        const JsonPlace where = { text, ERROR_INVALID_SPEC };

        if (json_parse(data, len, text, &manifest, err) < 0 || json_need_root(manifest, where, err) < 0 ||
            check_subject(manifest, place, where, err) < 0 || json_opt_array(manifest, "layers", where, &layers, err) < 0)
                return -1;
        if (json_array_size(layers) == 0)
                return add(manifest, NULL, place, where, attachments, err);
        for (size_t i = 0; i < json_array_size(layers); i++)
                if (add(manifest, json_array_get(layers, i), place, where, attachments, err) < 0)
                        return -1;
        return 0;
}
