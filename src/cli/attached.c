/* Documents that registries keep beside images. */

#include "cli/attached.h"

#include "base/buf.h"
#include "base/cleanup.h"

int attached_json(const Attachments *attachments, json_t *object, Error *err) {
        json_t *list = json_array();

        if (json_object_set_new(object, "attached", list) < 0)
                return error_oom(err);
        for (size_t i = 0; i < attachments->n; i++) {
                const Attachment *a = &attachments->items[i];
                json_t *entry = json_pack("{s:s*, s:s, s:s*, s:s*, s:s*, s:s, s:I, s:s, s:s, s:s}", "format", a->format, "mediaType",
                                          a->type, "artifactType", a->artifact_type, "predicateType", a->predicate_type, "title", a->title,
                                          "digest", a->digest.text, "size", (json_int_t) a->size, "manifest", a->manifest.text, "subject",
                                          a->subject.text, "from", a->from);

                if (!entry || json_array_append_new(list, entry) < 0)
                        return error_oom(err);
        }
        return 0;
}

static bool is_meant(const Attachment *attachment, const char *which) {
        return string_equal(attachment->digest.text, which) || string_equal(attachment->format, which) ||
               string_equal(attachment->type, which) || string_equal(attachment->artifact_type, which) ||
               string_equal(attachment->predicate_type, which);
}

int attached_choose(const Attachments *attachments, const char *which, const Attachment **ret, Error *err) {
        const Attachment *found = NULL;

        for (size_t i = 0; i < attachments->n; i++) {
                const Attachment *attachment = &attachments->items[i];

                if (!is_meant(attachment, which) || (found && digest_equal(&found->digest, &attachment->digest)))
                        continue;
                if (found) {
                        error_set(err, ERROR_INVALID_ARGUMENT, "more than one attachment is '%s'", which);
                        return error_hint(err, "name one by its digest: %s, %s, …; --attached lists them", found->digest.text,
                                          attachment->digest.text);
                }
                found = attachment;
        }
        if (!found) {
                error_set(err, ERROR_IMAGE_NOT_FOUND, "no attachment is '%s', of %zu", which, attachments->n);
                return error_hint(err, "--attached lists them");
        }
        *ret = found;
        return 0;
}
