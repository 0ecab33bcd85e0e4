#pragma once

/* Documents that registries keep beside images. See ImageModule */

#include "image/image.h"

/** Where a manifest of attachments was found */
typedef struct AttachedPlace {
        const char *from;    /* as in Attachment */
        const Digest *manifest;
        uint64_t size;       /* of the manifest */
        const Digest *subject;
} AttachedPlace;

/**
 * attached_parse() - add the documents that a manifest names, each of its layers; one without layers is a document itself
 *
 * Errors: InvalidJson, InvalidSpec (also of a manifest that is attached to something else), NotSupported, RegistryError (too many), OutOfMemory
 */
int attached_parse(const char *data, size_t len, const AttachedPlace *place, Attachments *attachments, Error *err);

/** attached_format() - "spdx" or "cyclonedx" by a media type, or an attestation's predicate; NULL for all else, and for NULL */
const char *attached_format(const char *type);

/** attached_too_many() - always returns -1 */
int attached_too_many(Error *err);

int image_attached(const AttachedRequest *request, Attachments *ret, Error *err);
int image_attached_read(const AttachedRequest *request, const Attachment *attachment, char **ret, size_t *ret_len, Error *err);
