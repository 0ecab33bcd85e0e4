/* Annotations of a container: what its image says of itself, and what its user says. Source: image-spec, conversion.md */

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "oci/spec-parts.h"

/* Labels that would steer a runtime; an image has no say in that. crun reads all but the last, runc org.criu and org.systemd. */
static const char *const steering[] = { "run.oci.", "org.criu.", "org.systemd.property.", "module.wasm.", "krun.", "org.proxmox-lxcri." };

static bool steers(const char *key) {
        for (size_t i = 0; i < ARRAY_SIZE(steering); i++)
                if (!strncmp(key, steering[i], strlen(steering[i])))
                        return true;
        return false;
}

static int add_labels(const json_t *labels, json_t *annotations, Error *err) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *) labels, key, value)
                if (key[0] && !steers(key) && json_object_set(annotations, key, value) < 0)
                        return error_oom(err);
        return 0;
}

/* What a label already says stays: conversion.md, "Annotations". */
static int add_implicit(json_t *annotations, const char *key, const char *value, Error *err) {
        if (!value || !value[0] || json_object_get(annotations, key))
                return 0;
        return text_set(annotations, key, value, "the image's configuration", err);
}

static int add_exposed_ports(const ImageConfig *image, json_t *annotations, Error *err) {
        _cleanup_buf_ Buf ports = BUF_INIT(IMAGE_CONFIG_SIZE_MAX);

        for (char **port = image->exposed_ports; port && *port; port++)
                if (buf_printf(&ports, err, "%s%s", ports.len ? "," : "", *port) < 0)
                        return -1;
        return add_implicit(annotations, "org.opencontainers.image.exposedPorts", ports.data, err);
}

int annotations_build(const ImageConfig *image, const SpecOptions *options, json_t **ret, Error *err) {
        _cleanup_json_ json_t *annotations = json_object();

        if (!annotations)
                return error_oom(err);
        if (add_labels(image->labels, annotations, err) < 0 ||
            add_implicit(annotations, "org.opencontainers.image.os", image->os, err) < 0 ||
            add_implicit(annotations, "org.opencontainers.image.architecture", image->architecture, err) < 0 ||
            add_implicit(annotations, "org.opencontainers.image.variant", image->variant, err) < 0 ||
            add_implicit(annotations, "org.opencontainers.image.author", image->author, err) < 0 ||
            add_implicit(annotations, "org.opencontainers.image.created", image->created, err) < 0 ||
            add_implicit(annotations, "org.opencontainers.image.stopSignal", image->stop_signal, err) < 0 ||
            add_exposed_ports(image, annotations, err) < 0)
                return -1;
        if (options->stop_signal &&
            text_set(annotations, "org.opencontainers.image.stopSignal", options->stop_signal, "--stop-signal", err) < 0)
                return -1;
        if (options->annotations && json_object_update(annotations, options->annotations) < 0)
                return error_oom(err);
        *ret = json_object_size(annotations) > 0 ? TAKE(annotations) : NULL;
        return 0;
}
