#pragma once

/*
 * The trust module: what needs libcrypto, libsodium or libyaml to find, verify and make signatures. It loads the modules `registry` and
 * `gpg` itself when it has to.
 */

#include "registry/registry.h"
#include "trust/signature.h"

#define TRUST_MODULE_VERSION 1

typedef struct FetchRequest {
        Registry *registry;
        const Reference *name;    /* of the image, as the user means it */
        const Digest *manifest;   /* whose signatures */
        const char *registries_d; /* folder of its configuration; NULL: the user's, else the system's */
} FetchRequest;

typedef struct SignRequest {
        const RegistryOptions *registry;
        const char *name;            /* of the image in its registry, as the user wrote it */
        const char *identity;        /* the docker-reference to be signed; NULL: the image's own name */
        const char *gpg_key;         /* --sign-by: fingerprint or anything else that gpg takes for one key; or … */
        const char *sigstore_key;    /* … a file: PKCS#8 in PEM, or cosign's encrypted one */
        const char *passphrase_file; /* its first line; NULL: none */
        const char *directory;       /* where a GPG signature goes in place of the lookaside; NULL: as registries.d says */
        const char *registries_d;    /* as FetchRequest */
} SignRequest;

typedef struct SignedImage {
        char *name;     /* in full */
        Digest digest;
        char *where;    /* file or reference that the signature went to */
} SignedImage;

SignedImage *signed_images_free(SignedImage *images, size_t n);

typedef struct TrustModule {
        unsigned version; /* TRUST_MODULE_VERSION; first member, see module.h */

        /**
         * fetch() - every signature that is kept of a manifest: in the registry's own store of signatures (X-Registry-Supports-Signatures), else in
         * the lookaside that registries.d names; and, where registries.d says use-sigstore-attachments, under cosign's tag and as referrers
         * @ret: none is no error; trust_signatures_clear()
         *
         * Errors: SignatureRejected (too many, too large, malformed), InvalidConfig (registries.d), those of RegistryModule
         */
        int (*fetch)(const FetchRequest *request, TrustSignatures *ret, Error *err);

        /**
         * verify_simple() - that a signature is by one of the keys, and what it says; manifest, reference and the signer's
         * fingerprint are the caller's to compare
         * @keys: key files; a signature by a key of any of them is good
         *
         * Errors: SignatureRejected (no, or not one good signature, expired, revoked, unknown key, malformed text), InvalidConfig (a file without a
         * key), ConfigError (gpg cannot be run), FileError, OutOfMemory
         */
        int (*verify_simple)(const TrustSignature *signature, const TrustKeys *keys, TrustClaim *ret, Error *err);

        /** verify_sigstore() - the same by one public key in PEM. Errors: SignatureRejected, InvalidConfig (not a public key), OutOfMemory */
        int (*verify_sigstore)(const TrustSignature *signature, const TrustKey *key, TrustClaim *ret, Error *err);

        /**
         * sign() - an image in its registry; of an index, each of its manifests too
         *
         * Errors: InvalidArgument (no such key, wrong passphrase), NotSupported (a kind of key), InvalidConfig (registries.d), FileError, those of
         * RegistryModule
         */
        int (*sign)(const SignRequest *request, SignedImage **ret, size_t *ret_n, Error *err);
} TrustModule;

/** trust_module() - load the module on first use. NULL with @err set when it cannot be loaded */
const TrustModule *trust_module(Error *err);
