/* Descriptors: what a manifest or index says of another blob. */

#include "oci/descriptor.h"

#include <string.h>

#include "base/json.h"

/* The first row of each type is the text this program writes. */
static const struct {
        const char *text;
        MediaType type;
        bool docker;
} media_types[] = {
        { "application/vnd.oci.image.index.v1+json",                          MEDIA_INDEX,      false },
        { "application/vnd.docker.distribution.manifest.list.v2+json",        MEDIA_INDEX,      true },
        { "application/vnd.oci.image.manifest.v1+json",                       MEDIA_MANIFEST,   false },
        { "application/vnd.docker.distribution.manifest.v2+json",             MEDIA_MANIFEST,   true },
        { "application/vnd.oci.image.config.v1+json",                         MEDIA_CONFIG,     false },
        { "application/vnd.docker.container.image.v1+json",                   MEDIA_CONFIG,     true },
        { "application/vnd.oci.image.layer.v1.tar",                           MEDIA_LAYER_TAR,  false },
        { "application/vnd.oci.image.layer.nondistributable.v1.tar",          MEDIA_LAYER_TAR,  false },
        { "application/vnd.docker.image.rootfs.diff.tar",                     MEDIA_LAYER_TAR,  true },
        { "application/vnd.docker.image.rootfs.foreign.diff.tar",             MEDIA_LAYER_TAR,  true },
        { "application/vnd.oci.image.layer.v1.tar+gzip",                      MEDIA_LAYER_GZIP, false },
        { "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",     MEDIA_LAYER_GZIP, false },
        { "application/vnd.docker.image.rootfs.diff.tar.gzip",                MEDIA_LAYER_GZIP, true },
        { "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",        MEDIA_LAYER_GZIP, true },
        { "application/vnd.oci.image.layer.v1.tar+zstd",                      MEDIA_LAYER_ZSTD, false },
        { "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",     MEDIA_LAYER_ZSTD, false },
        { "application/vnd.docker.image.rootfs.diff.tar.zstd",                MEDIA_LAYER_ZSTD, true },
        { "application/vnd.docker.distribution.manifest.v1+json",             MEDIA_SCHEMA1,    true },
        { "application/vnd.docker.distribution.manifest.v1+prettyjws",        MEDIA_SCHEMA1,    true },
};

MediaType media_type_parse(const char *text) {
        for (size_t i = 0; text && i < ARRAY_SIZE(media_types); i++)
                if (!strcmp(media_types[i].text, text))
                        return media_types[i].type;
        return MEDIA_UNKNOWN;
}

const char *media_type_name(MediaType type) {
        for (size_t i = 0; i < ARRAY_SIZE(media_types); i++)
                if (media_types[i].type == type)
                        return media_types[i].text;
        return "application/octet-stream";
}

bool media_type_is_docker(const char *text) {
        for (size_t i = 0; text && i < ARRAY_SIZE(media_types); i++)
                if (!strcmp(media_types[i].text, text))
                        return media_types[i].docker;
        return false;
}

const char *descriptor_media_type(const Descriptor *descriptor) {
        for (size_t i = 0; i < ARRAY_SIZE(media_types); i++)
                if (media_types[i].type == descriptor->type && media_types[i].docker == descriptor->docker)
                        return media_types[i].text;
        return media_type_name(descriptor->type);
}

int descriptor_parse(const json_t *json, const char *where, Descriptor *ret, Error *err) {
        JsonPlace place = { where, ERROR_INVALID_SPEC };
        const char *type = NULL, *digest = NULL;
        Descriptor descriptor = {};
        int64_t size = 0;

        if (json_need_root(json, place, err) < 0 ||
            json_need_string(json, "mediaType", place, &type, err) < 0 ||
            json_need_string(json, "digest", place, &digest, err) < 0 ||
            json_need_integer(json, "size", place, 0, DESCRIPTOR_SIZE_MAX, &size, err) < 0)
                return -1;
        if (digest_parse(digest, &descriptor.digest, err) < 0)
                return error_prefix(err, "%s", where);

        descriptor.type = media_type_parse(type);
        descriptor.docker = media_type_is_docker(type);
        descriptor.size = (uint64_t) size;
        *ret = descriptor;
        return 0;
}

int descriptor_json(const Descriptor *descriptor, json_t **ret, Error *err) {
        json_t *json = json_pack("{s:s, s:s, s:I}", "mediaType", descriptor_media_type(descriptor), "digest", descriptor->digest.text,
                                 "size", (json_int_t) descriptor->size);

        if (!json)
                return error_oom(err);
        *ret = json;
        return 0;
}
