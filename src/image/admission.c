/* What comes in is judged while it comes; what came of it is noted afterwards. */

#include "image/admission.h"

#include <string.h>

#include "base/buf.h"
#include "image/source.h"

/** One that was let in */
typedef struct Entry {
        AdmissionSource source;
        bool has_manifest;
        Digest manifest;
        TrustVerdict verdict;
} Entry;

struct Admission {
        TrustPolicy *policy;
        ImageJudge judge;
        Entry *entries;
        size_t n;
};

static void entry_clear(Entry *entry) {
        admission_source_clear(&entry->source);
        trust_verdict_clear(&entry->verdict);
}

Admission *admission_free(Admission *admission) {
        if (!admission)
                return NULL;
        for (size_t i = 0; i < admission->n; i++)
                entry_clear(&admission->entries[i]);
        free(admission->entries);
        policy_free(admission->policy);
        free(admission);
        return NULL;
}

static int judge(void *userdata, const ImageOrigin *origin, const Digest *manifest, Error *err) {
        _cleanup_(entry_clear) Entry entry = { .has_manifest = manifest != NULL };
        Admission *admission = userdata;
        Entry *entries;

        if (admission_source_make(origin, &entry.source, err) < 0)
                return -1;
        const TrustQuestion question = {
                .policy = admission->policy,
                .source = admission_source(&entry.source),
                .manifest = manifest,
                .registry = origin->registry,
        };
        if (trust_judge(&question, &entry.verdict, err) < 0)
                return error_prefix(err, "signature policy");
        entries = reallocarray(admission->entries, admission->n + 1, sizeof(*entries));
        if (!entries)
                return error_oom(err);
        if (manifest)
                entry.manifest = *manifest;
        admission->entries = entries;
        admission->entries[admission->n++] = entry;
        entry = (Entry) { 0 };
        return 0;
}

int admission_open(const char *option, Admission **ret, Error *err) {
        _cleanup_(admission_freep) Admission *admission = calloc(1, sizeof(*admission));
        _cleanup_free_ char *path = NULL;

        if (!admission)
                return error_oom(err);
        if (policy_path(option, &path, err) < 0)
                return -1;
        if (!path) {
                error_set(err, ERROR_CONFIG, "there is no signature policy, so no image may come in");
                return error_hint(err, "install golang-github-containers-common, or write /etc/containers/policy.json; "
                                       "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]} accepts all images");
        }
        if (policy_load(path, &admission->policy, err) < 0)
                return -1;
        admission->judge = (ImageJudge) { .judge = judge, .userdata = admission };
        *ret = TAKE(admission);
        return 0;
}

const ImageJudge *admission_judge(Admission *admission) {
        return &admission->judge;
}

static int keep(const Admission *admission, Store *store, const Entry *entry, const char *name, const Digest *manifest, Error *err) {
        const TrustSource source = admission_source(&entry->source);
        _cleanup_(trust_origin_clear) TrustOrigin origin = { 0 };

        if (trust_origin_make(name, &source, admission->policy, &entry->verdict, &origin, err) < 0)
                return -1;
        return trust_record_add(store, manifest, &origin, err);
}

int admission_keep(Admission *admission, Store *store, const ImportedImage *images, size_t n, Error *err) {
        for (size_t e = 0; e < admission->n && n > 0; e++) {
                const Entry *entry = &admission->entries[e];

                if (entry->has_manifest && keep(admission, store, entry, images[0].name, &entry->manifest, err) < 0)
                        return -1;
                for (size_t i = 0; i < n && !entry->has_manifest; i++)
                        if (keep(admission, store, entry, images[i].name, &images[i].manifest, err) < 0)
                                return -1;
        }
        return 0;
}

int image_admit(Store *store, const ImportRequest *request, const char *policy, const ImageProgress *progress, ImportedImage **ret,
                size_t *ret_n, Error *err) {
        _cleanup_(admission_freep) Admission *admission = NULL;
        ImportRequest judged = *request;
        const ImageModule *module;
        ImportedImage *images;
        size_t n;

        if (admission_open(policy, &admission, err) < 0)
                return -1;
        judged.judge = &admission->judge;
        module = image_module(err);
        if (!module || module->import(store, &judged, progress, &images, &n, err) < 0)
                return -1;
        if (admission_keep(admission, store, images, n, err) < 0) {
                imported_images_free(images, n);
                return -1;
        }
        *ret = images;
        *ret_n = n;
        return 0;
}
