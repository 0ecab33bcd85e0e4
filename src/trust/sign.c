/* Signing: find the manifests, make a signature of each, put it where those who verify look. */

#include "trust/sign.h"

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "trust/fetch.h"
#include "trust/payload.h"
#include "trust/registries-d.h"
#include "trust/signature.h"
#include "trust/sigstore.h"
#include "trust/simple.h"

#define PASSPHRASE_MAX 4096 /* bytes of its file; this program's own cap */

typedef struct Signing {
        const SignRequest *request;
        const RegistryModule *module;
        Registry *registry;
        Reference *name;
        RegistryDocument root;
        char *identity;   /* what is signed as the image's reference */
        char *passphrase; /* NULL: none */
        SigningKey *key;  /* NULL: by gpg */
        char *directory;  /* DIRECTORY/REPOSITORY, for gpg's signatures */
        SignedImages done;
} Signing;

static void signing_clear(Signing *signing) {
        registry_document_clear(&signing->root);
        if (signing->registry)
                signing->module->close(signing->registry);
        reference_free(signing->name);
        free(signing->identity);
        if (signing->passphrase)
                explicit_bzero(signing->passphrase, strlen(signing->passphrase));
        free(signing->passphrase);
        signing_key_free(signing->key);
        free(signing->directory);
        signed_images_clear(&signing->done);
}

/* ---- what it takes ---- */

static int read_key_file(const char *path, size_t max, char **ret, size_t *ret_len, Error *err) {
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return error_set_errno(err, ERROR_FILE, errno, "open '%s'", path);
        return file_read_fd(fd, path, max, ret, ret_len, err);
}

static int load_keys(Signing *signing, Error *err) {
        const SignRequest *request = signing->request;
        char *data;
        size_t len;
        int r;

        if (request->passphrase_file) {
                if (read_key_file(request->passphrase_file, PASSPHRASE_MAX, &signing->passphrase, NULL, err) < 0)
                        return -1;
                signing->passphrase[strcspn(signing->passphrase, "\r\n")] = '\0';
        }
        if (!request->sigstore_key)
                return 0;
        if (read_key_file(request->sigstore_key, TRUST_KEY_SIZE_MAX, &data, &len, err) < 0)
                return -1;
        r = signing_key_load(data, len, signing->passphrase, request->sigstore_key, &signing->key, err);
        explicit_bzero(data, len);
        free(data);
        return r;
}

/* The first of the names it may mean that a registry has. */
static int find_image(Signing *signing, Error *err) {
        _cleanup_strv_ char **names = NULL;
        Error first = ERROR_INIT;

        signing->module = registry_module(err);
        if (!signing->module || signing->module->open(signing->request->registry, &signing->registry, err) < 0 ||
            signing->module->names(signing->registry, signing->request->name, &names, err) < 0)
                return -1;
        for (char **text = names; *text; text++) {
                _cleanup_(reference_freep) Reference *name = NULL;
                Error cause = ERROR_INIT;

                if (reference_parse(*text, &name, &cause) == 0 &&
                    signing->module->manifest(signing->registry, name, &signing->root, &cause) == 0) {
                        signing->name = TAKE(name);
                        return 0;
                }
                if (first.kind == ERROR_NONE)
                        first = cause;
        }
        if (err)
                *err = first;
        return -1;
}

static int find_identity(Signing *signing, Error *err) {
        const Reference *name = signing->name;
        _cleanup_(reference_freep) Reference *given = NULL;

        if (signing->request->identity) {
                if (reference_parse(signing->request->identity, &given, err) < 0)
                        return error_prefix(err, "what is signed as the image's name");
                name = given;
        }
        /* A tag says more than the digest, which is signed beside it anyway. */
        return string_format(&signing->identity, err, "%s/%s%s%s", name->registry, name->repository,
                             name->tag ? ":" : name->has_digest ? "@" : "", name->tag ?: name->has_digest ? name->digest.text : "");
}

static int find_directory(Signing *signing, Error *err) {
        _cleanup_registries_d_ RegistriesD conf = { 0 };
        _cleanup_free_ char *url = NULL;

        if (signing->request->directory)
                return string_format(&signing->directory, err, "%s/%s", signing->request->directory, signing->name->repository);
        if (registries_d_load(signing->request->registries_d, &conf, err) < 0 ||
            registries_d_lookaside(&conf, signing->name, true, &url, err) < 0)
                return -1;
        if (strncmp(url, "file://", 7) != 0) {
                error_set(err, ERROR_NOT_SUPPORTED, "signatures of '%s' are kept at '%s', where nothing can be written", signing->identity,
                          url);
                return error_hint(err, "say lookaside-staging: file:///DIR in registries.d, or --directory DIR");
        }
        return lookaside_directory(url, &signing->directory, err);
}

/* ---- doing it ---- */

/* Under the first number that is free. */
static int store_simple(const Signing *signing, const Digest *manifest, const uint8_t *data, size_t len, char **ret_where, Error *err) {
        _cleanup_free_ char *folder = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (string_format(&folder, err, "%s@sha256=%s", signing->directory, digest_hex(manifest)) < 0 ||
            dir_make_at(AT_FDCWD, folder, 0755, &fd, err) < 0)
                return -1;
        for (unsigned n = 1; n <= TRUST_SIGNATURES_MAX; n++) {
                char name[32];
                Error cause = ERROR_INIT;

                snprintf(name, sizeof(name), "signature-%u", n);
                if (file_write_atomic_at(fd, name, data, len, 0644, WRITE_DURABLE | WRITE_EXCLUSIVE, &cause) == 0)
                        return string_format(ret_where, err, "%s/%s", folder, name);
                if (cause.errnum != EEXIST) {
                        if (err)
                                *err = cause;
                        return -1;
                }
        }
        return error_set(err, ERROR_FILE, "'%s' has %d signatures, and takes no more", folder, TRUST_SIGNATURES_MAX);
}

static int sign_simple(Signing *signing, const Digest *manifest, char **ret_where, Error *err) {
        _cleanup_free_ uint8_t *signature = NULL;
        _cleanup_free_ char *text = NULL;
        size_t len;

        if (payload_make(SIGNATURE_SIMPLE, manifest, signing->identity, &text, err) < 0 ||
            simple_sign(signing->request->gpg_key, signing->passphrase, text, &signature, &len, err) < 0)
                return -1;
        return store_simple(signing, manifest, signature, len, ret_where, err);
}

static int sign_sigstore(Signing *signing, const Digest *manifest, char **ret_where, Error *err) {
        _cleanup_free_ char *text = NULL, *signature = NULL;

        if (payload_make(SIGNATURE_SIGSTORE, manifest, signing->identity, &text, err) < 0 ||
            signing_key_sign(signing->key, text, &signature, err) < 0)
                return -1;
        return attached_push(signing->module, signing->registry, signing->name, manifest, text, signature, ret_where, err);
}

static int sign_one(Signing *signing, const Digest *manifest, Error *err) {
        SignedImage image = { .digest = *manifest };
        SignedImage *grown;

        grown = reallocarray(signing->done.items, signing->done.n + 1, sizeof(*grown));
        if (!grown)
                return error_oom(err);
        signing->done.items = grown;
        if (signing->key ? sign_sigstore(signing, manifest, &image.where, err) < 0 : sign_simple(signing, manifest, &image.where, err) < 0)
                return error_prefix(err, "sign %s", manifest->text);
        signing->done.items[signing->done.n++] = image;
        return 0;
}

/* Whoever pulls one platform's image out of an index checks that image's own signature. */
static int sign_members(Signing *signing, Error *err) {
        _cleanup_(index_freep) Index *index = NULL;

        if (index_parse(signing->root.data, signing->root.len, signing->root.descriptor.type, "index", &index, err) < 0)
                return -1;
        for (size_t i = 0; i < index->n_entries; i++)
                if (sign_one(signing, &index->entries[i].descriptor.digest, err) < 0)
                        return -1;
        return 0;
}

int image_sign(const SignRequest *request, SignedImages *ret, Error *err) {
        _cleanup_(signing_clear) Signing signing = { .request = request };

        if (!request->gpg_key == !request->sigstore_key)
                return error_set(err, ERROR_INVALID_ARGUMENT, "one key is needed, of gpg or of sigstore");
        if (load_keys(&signing, err) < 0 || find_image(&signing, err) < 0 || find_identity(&signing, err) < 0 ||
            (!signing.key && find_directory(&signing, err) < 0) ||
            (signing.root.descriptor.type == MEDIA_INDEX && sign_members(&signing, err) < 0) ||
            sign_one(&signing, &signing.root.descriptor.digest, err) < 0)
                return -1;
        *ret = signing.done;
        signing.done = (SignedImages) { 0 };
        return 0;
}
