/* Freeing what the module hands to the program: both sides need it, so it stands in both. */

#include <stdlib.h>

#include "image/image.h"

ImportedImage *imported_images_free(ImportedImage *images, size_t n) {
        for (size_t i = 0; images && i < n; i++)
                free(images[i].name);
        free(images);
        return NULL;
}

void attachments_clear(Attachments *attachments) {
        for (size_t i = 0; i < attachments->n; i++) {
                Attachment *attachment = &attachments->items[i];

                free(attachment->type);
                free(attachment->artifact_type);
                free(attachment->predicate_type);
                free(attachment->title);
                free(attachment->from);
        }
        free(attachments->items);
        *attachments = (Attachments) { 0 };
}

VerifyResult *verify_results_free(VerifyResult *results, size_t n) {
        for (size_t i = 0; results && i < n; i++) {
                free(results[i].subject);
                free(results[i].problem);
        }
        free(results);
        return NULL;
}
