#pragma once

/* Documents that registries keep beside images, shown and chosen. */

#include <jansson.h>

#include "image/image.h"

/** attached_json() - set @object's "attached": an array with an object for each document. Errors: OutOfMemory */
int attached_json(const Attachments *attachments, json_t *object, Error *err);

/**
 * attached_choose() - the document that a user means
 * @which: its digest, its format ("spdx", "cyclonedx"), or a media, artifact or predicate type
 * @ret:   borrowed
 *
 * Errors: ImageNotFound, InvalidArgument (several are meant)
 */
int attached_choose(const Attachments *attachments, const char *which, const Attachment **ret, Error *err);
