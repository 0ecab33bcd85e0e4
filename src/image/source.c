/* Sources of images in the words of policy.json. */

#include "image/source.h"

#include <stdlib.h>

#include "base/buf.h"

void admission_source_clear(AdmissionSource *source) {
        free(source->transport);
        free(source->path);
        reference_free(source->name);
        *source = (AdmissionSource) { 0 };
}

static int take_name(const Reference *name, Reference **ret, Error *err) {
        _cleanup_free_ char *text = NULL;
        Reference one = *name;

        if (one.has_digest)
                one.tag = NULL;
        return reference_format(&one, &text, err) < 0 ? -1 : reference_parse(text, ret, err);
}

int admission_source_make(const ImageOrigin *origin, AdmissionSource *ret, Error *err) {
        _cleanup_(admission_source_clear) AdmissionSource source = { 0 };

        if (string_copy(origin->transport, &source.transport, err) < 0 ||
            (origin->name && take_name(origin->name, &source.name, err) < 0))
                return -1;
        if (origin->path) {
                source.path = realpath(origin->path, NULL);
                if (!source.path)
                        return error_set_errno(err, ERROR_FILE, errno, "'%s'", origin->path);
        }
        *ret = source;
        source = (AdmissionSource) { 0 };
        return 0;
}

TrustSource admission_source(const AdmissionSource *source) {
        return (TrustSource) { .transport = source->transport, .path = source->path, .name = source->name };
}
