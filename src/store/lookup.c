/* What a reference that a user wrote means: from the exact name to a digest's first digits. */

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "oci/reference.h"
#include "store/store.h"

#define PREFIX_MIN 6  /* hex digits; fewer are too often ambiguous */
#define HEX_LEN    64 /* hex digits of a whole sha256 */

typedef struct Lookup {
        Store *store;
        const char *text; /* as the user wrote it */
        StoreName *names;
        size_t n_names;
        const StoreName *found; /* the first entry that matches; borrowed from names */
        bool ambiguous;         /* another one matches too, and means another manifest */
        bool other_name;        /* and it has another name */
} Lookup;

static void lookup_done(Lookup *lookup) {
        store_names_free(lookup->names, lookup->n_names);
}

static void lookup_match(Lookup *lookup, const StoreName *name) {
        if (!lookup->found)
                lookup->found = name;
        else if (!digest_equal(&lookup->found->descriptor.digest, &name->descriptor.digest)) {
                lookup->ambiguous = true;
                lookup->other_name |= strcmp(lookup->found->name, name->name) != 0;
        }
}

static int name_give(const char *name, const Descriptor *descriptor, StoreName *ret, Error *err) {
        char *copy;

        if (string_copy(name, &copy, err) < 0)
                return -1;
        *ret = (StoreName) { .name = copy, .descriptor = *descriptor };
        return 0;
}

/* The normalised form of a name; *ret is NULL for a name that is no reference. */
static int normalise(const char *text, char **ret, Error *err) {
        _cleanup_(reference_freep) Reference *reference = NULL;
        Error cause = ERROR_INIT;

        *ret = NULL;
        if (reference_parse(text, &reference, &cause) < 0) {
                if (cause.kind != ERROR_OUT_OF_MEMORY)
                        return 0;
                return error_oom(err);
        }
        return reference_format(reference, ret, err);
}

static void match_name(Lookup *lookup, const char *name) {
        for (size_t i = 0; i < lookup->n_names; i++)
                if (lookup->names[i].name && !strcmp(lookup->names[i].name, name))
                        lookup_match(lookup, &lookup->names[i]);
}

/* Short forms in both directions: what is equal once both are normalised. */
static int match_normalised(Lookup *lookup, Error *err) {
        _cleanup_free_ char *wanted = NULL;

        if (normalise(lookup->text, &wanted, err) < 0)
                return -1;
        if (!wanted)
                return 0;
        match_name(lookup, wanted);
        if (lookup->found)
                return 0;
        for (size_t i = 0; i < lookup->n_names; i++) {
                _cleanup_free_ char *form = NULL;

                if (!lookup->names[i].name)
                        continue;
                if (normalise(lookup->names[i].name, &form, err) < 0)
                        return -1;
                if (form && !strcmp(form, wanted))
                        lookup_match(lookup, &lookup->names[i]);
        }
        return 0;
}

/* A manifest that no entry names but whose image is known: one platform of a multi-platform image. */
static int give_known_manifest(Lookup *lookup, const Digest *manifest, StoreName *ret, bool *ret_given, Error *err) {
        _cleanup_(store_image_freep) StoreImage *image = NULL;
        Descriptor descriptor = { .type = MEDIA_MANIFEST, .digest = *manifest };
        struct stat st;

        *ret_given = false;
        if (store_image_load(lookup->store, manifest, &image, err) < 0)
                return -1;
        if (!image || fstatat(store_blobs_fd(lookup->store), digest_hex(manifest), &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        descriptor.size = (uint64_t) st.st_size;
        if (name_give(NULL, &descriptor, ret, err) < 0)
                return -1;
        *ret_given = true;
        return 0;
}

static int give_digest(Lookup *lookup, const Digest *digest, StoreName *ret, bool *ret_given, Error *err) {
        for (size_t i = 0; i < lookup->n_names; i++)
                if (digest_equal(&lookup->names[i].descriptor.digest, digest)) {
                        *ret_given = true;
                        return name_give(lookup->names[i].name, &lookup->names[i].descriptor, ret, err);
                }
        return give_known_manifest(lookup, digest, ret, ret_given, err);
}

/* "sha256:HEX" or NAME@sha256:HEX */
static bool text_digest(const char *text, Digest *ret) {
        const char *at = strrchr(text, '@');

        return digest_parse(at ? at + 1 : text, ret, NULL) == 0;
}

static bool text_is_prefix(const char *text, const char **ret_hex) {
        size_t n;

        if (!strncmp(text, "sha256:", 7))
                text += 7;
        n = strspn(text, "0123456789abcdef");
        *ret_hex = text;
        return text[n] == '\0' && n >= PREFIX_MIN && n <= HEX_LEN;
}

static int error_ambiguous(const Lookup *lookup, Error *err) {
        error_set(err, ERROR_INVALID_ARGUMENT, "'%s' is ambiguous: several images of the store '%s' match", lookup->text,
                  store_path(lookup->store));
        return error_hint(err, "give the whole name or digest, as 'image list' shows it");
}

/* Adds @digest to the matches of a prefix look-up, which are compared by manifest. */
static int prefix_match(const Lookup *lookup, const Digest *manifest, Digest *match, bool *matched, Error *err) {
        if (*matched && !digest_equal(match, manifest))
                return error_ambiguous(lookup, err);
        *match = *manifest;
        *matched = true;
        return 0;
}

/* Every known image's manifest and config against the prefix. */
static int match_records(const Lookup *lookup, const char *hex, Digest *match, bool *matched, Error *err) {
        _cleanup_closedir_ DIR *dir = NULL;
        struct dirent *entry;

        if (store_images_fd(lookup->store) < 0)
                return 0;
        if (dir_read(store_images_fd(lookup->store), &dir, err) < 0)
                return error_prefix(err, "'images'");
        while ((entry = dir_next(dir))) {
                _cleanup_(store_image_freep) StoreImage *image = NULL;
                char text[sizeof(Digest)];
                Digest manifest;

                if (strlen(entry->d_name) != HEX_LEN + strlen(".json") || strcmp(entry->d_name + HEX_LEN, ".json"))
                        continue;
                snprintf(text, sizeof(text), "sha256:%.*s", HEX_LEN, entry->d_name);
                if (digest_parse(text, &manifest, NULL) < 0)
                        continue;
                if (store_image_load(lookup->store, &manifest, &image, err) < 0)
                        return -1;
                if (!image)
                        continue;
                if ((!strncmp(digest_hex(&manifest), hex, strlen(hex)) || !strncmp(digest_hex(&image->config), hex, strlen(hex))) &&
                    prefix_match(lookup, &manifest, match, matched, err) < 0)
                        return -1;
        }
        return errno == 0 ? 0 : error_set_errno(err, ERROR_FILE, errno, "read directory 'images'");
}

static int give_prefix(Lookup *lookup, const char *hex, StoreName *ret, bool *ret_given, Error *err) {
        bool matched = false;
        Digest match;

        for (size_t i = 0; i < lookup->n_names; i++) {
                const Digest *digest = &lookup->names[i].descriptor.digest;

                if (!strncmp(digest_hex(digest), hex, strlen(hex)) && prefix_match(lookup, digest, &match, &matched, err) < 0)
                        return -1;
        }
        if (match_records(lookup, hex, &match, &matched, err) < 0)
                return -1;
        return matched ? give_digest(lookup, &match, ret, ret_given, err) : 0;
}

/*
 * Several entries may carry one name, one for each platform (image-spec, image-layout.md). Then this machine's is meant.
 * The index is read once more because only here the platforms matter.
 */
static int give_platform(const Lookup *lookup, StoreName *ret, Error *err) {
        _cleanup_(index_freep) Index *index = NULL;
        _cleanup_free_ IndexEntry *same = NULL;
        _cleanup_free_ char *data = NULL;
        const IndexEntry *chosen;
        size_t len, n = 0;

        if (file_read_at(store_fd(lookup->store), "index.json", INDEX_SIZE_MAX, &data, &len, err) < 0 ||
            index_parse(data, len, MEDIA_INDEX, "index.json", &index, err) < 0)
                return -1;
        same = calloc(index->n_entries + 1, sizeof(*same));
        if (!same)
                return error_oom(err);
        for (size_t i = 0; i < index->n_entries; i++)
                if (index->entries[i].ref_name && !strcmp(index->entries[i].ref_name, lookup->found->name))
                        same[n++] = index->entries[i];
        if (index_choose(&(Index) { .entries = same, .n_entries = n }, NULL, lookup->text, &chosen, NULL) < 0)
                return error_ambiguous(lookup, err);
        return name_give(chosen->ref_name, &chosen->descriptor, ret, err);
}

static int give_found(const Lookup *lookup, StoreName *ret, Error *err) {
        if (!lookup->ambiguous)
                return name_give(lookup->found->name, &lookup->found->descriptor, ret, err);
        return lookup->other_name ? error_ambiguous(lookup, err) : give_platform(lookup, ret, err);
}

int store_name_find(Store *store, const char *text, StoreName *ret, Error *err) {
        _cleanup_(lookup_done) Lookup lookup = { .store = store, .text = text };
        bool given = false;
        const char *hex;
        Digest digest;

        if (store_names_list(store, &lookup.names, &lookup.n_names, err) < 0)
                return -1;

        match_name(&lookup, text);
        if (!lookup.found && match_normalised(&lookup, err) < 0)
                return -1;
        if (lookup.found)
                return give_found(&lookup, ret, err);

        if (text_digest(text, &digest) && give_digest(&lookup, &digest, ret, &given, err) < 0)
                return -1;
        if (!given && text_is_prefix(text, &hex) && give_prefix(&lookup, hex, ret, &given, err) < 0)
                return -1;
        if (given)
                return 0;

        error_set(err, ERROR_IMAGE_NOT_FOUND, "no image '%s' in the store '%s'", text, store_path(store));
        return error_hint(err, "bring it in: proxmox-lxcri pull %s, or proxmox-lxcri image import SOURCE %s", text, text);
}
