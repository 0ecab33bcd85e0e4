/* What refers to a manifest. Source: distribution-spec, "Listing Referrers" */

#include "registry/referrers.h"

#include <string.h>

#include "base/json.h"
#include "registry/client.h"

#define PAGES_MAX 100 /* of one list; this program's own cap */

typedef struct Search {
        const Digest *subject;
        ReferrersPage page;
        Referrers found;
} Search;

static int too_many(Error *err, const char *what, size_t max) {
        error_set(err, ERROR_REGISTRY, "more than %zu %s", max, what);
        if (err)
                err->errnum = EFBIG;
        return -1;
}

static int add(Referrers *referrers, const char *artifact_type, const Digest *digest, Error *err) {
        Referrer *grown = reallocarray(referrers->items, referrers->n + 1, sizeof(*grown));

        if (!grown)
                return error_oom(err);
        referrers->items = grown;
        grown[referrers->n] = (Referrer) { .digest = *digest };
        if (string_copy(artifact_type, &grown[referrers->n].artifact_type, err) < 0)
                return -1;
        referrers->n++;
        return 0;
}

int referrers_parse(const ReferrersPage *page, const char *data, size_t len, Referrers *referrers, Error *err) {
        const JsonPlace place = { "the list of referrers", ERROR_INVALID_SPEC };
        _cleanup_json_ json_t *json = NULL;
        json_t *list, *entry;
        size_t i;

        if (json_parse(data, len, place.where, &json, err) < 0 || json_need_root(json, place, err) < 0 ||
            json_need_array(json, "manifests", place, &list, err) < 0)
                return -1;
        json_array_foreach(list, i, entry) {
                const char *type = "", *digest;
                Digest parsed;

                if (json_need_root(entry, place, err) < 0 || json_opt_string(entry, "artifactType", place, &type, err) < 0)
                        return -1;
                if (page->artifact_type && strcmp(type, page->artifact_type) != 0)
                        continue;
                if (referrers->n == page->max)
                        return too_many(err, "referrers", page->max);
                if (json_need_string(entry, "digest", place, &digest, err) < 0 || digest_parse(digest, &parsed, err) < 0 ||
                    add(referrers, type, &parsed, err) < 0)
                        return -1;
        }
        return 0;
}

/* The page that an answer names: on the same server, or it is none that we ask. */
static int turn(Call *call, char **url, const char *next, Error *err) {
        _cleanup_free_ char *here = NULL;
        char *resolved;

        if (string_format(&here, err, "%s%s", call->url[0] == '/' ? call->server->base : "", call->url) < 0 ||
            url_resolve(here, next, &resolved, err) < 0)
                return error_prefix(err, "the next page");
        free(*url);
        call->url = *url = resolved;
        return url_same_origin(resolved, call->server->base) ? 0 :
               error_set(err, ERROR_REGISTRY, "the next page is another server's: '%.*s'", (int) strcspn(resolved, "?"), resolved);
}

static int get_pages(Search *search, PlaceCall *place_call, bool *ret_found, Error *err) {
        _cleanup_(referrers_clear) Referrers found = { 0 };

        for (unsigned n = 1;; n++) {
                _cleanup_free_ char *data = NULL, *next = NULL;
                size_t len;

                if (n > PAGES_MAX)
                        return too_many(err, "pages", PAGES_MAX);
                if (document_get(&place_call->call, place_call->http, MANIFEST_SIZE_MAX, &data, &len, &next, err) < 0)
                        return -1;
                if (!data && n == 1)
                        return 0;
                if (!data)
                        return error_set(err, ERROR_REGISTRY, "page %u is not there", n);
                if (referrers_parse(&search->page, data, len, &found, err) < 0)
                        return -1;
                if (!next)
                        break;
                if (turn(&place_call->call, &place_call->url, next, err) < 0)
                        return -1;
        }
        *ret_found = true;
        search->found = found;
        found = (Referrers) { 0 };
        return 0;
}

static int ask_place(Registry *registry, const Place *place, void *userdata, bool *ret_found, Error *err) {
        _cleanup_free_ char *after = NULL;
        Search *search = userdata;
        PlaceCall place_call;

        return string_format(&after, err, "/referrers/%s", search->subject->text) < 0 ||
                       place_call_open(registry, place, "/v2/", after, &place_call, err) < 0 ?
               -1 : place_call_close(&place_call, get_pages(search, &place_call, ret_found, err), err);
}

/* In a registry that has no API for it, clients keep the list themselves, as an index. */
static int read_tag(Registry *registry, const Reference *name, Search *search, Error *err) {
        _cleanup_(registry_document_clear) RegistryDocument document = { 0 };
        _cleanup_(reference_freep) Reference *tagged = NULL;
        Error cause = ERROR_INIT;

        if (reference_beside(name, search->subject, "", &tagged, err) < 0)
                return -1;
        if (registry_manifest(registry, tagged, &document, &cause) < 0) {
                if (cause.kind == ERROR_IMAGE_NOT_FOUND)
                        return 0;
                if (err)
                        *err = cause;
                return -1;
        }
        return referrers_parse(&search->page, document.data, document.len, &search->found, err);
}

int registry_referrers(Registry *registry, const Reference *name, const Digest *subject, const char *artifact_type, size_t max,
                       Referrers *ret, Error *err) {
        Search search = { .subject = subject, .page = { artifact_type, max } };
        bool asked = false;

        if (places_try(registry, name, ask_place, &search, &asked, err) < 0 ||
            (!asked && read_tag(registry, name, &search, err) < 0)) {
                referrers_clear(&search.found);
                return -1;
        }
        *ret = search.found;
        return 0;
}
