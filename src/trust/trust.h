#pragma once

/*
 * The trust module: what needs gpgme, libcrypto, libsodium and libyaml. Policies, identities and verdicts are part of the program (policy.h, identity.h,
 * verdict.h) and load it when a requirement asks for a signature.
 */

#include "registry/registry.h"
#include "trust/signature.h"

#define TRUST_MODULE_VERSION 1

/** Whose signatures are looked for */
typedef struct FetchRequest {
        Registry *registry;
        const Reference *name;    /* of the image, as policies see it */
        const Digest *manifest;   /* its digest, whatever @name's own is */
        const char *registries_d; /* folder of the configuration of lookasides; NULL: the user's, else the system's */
} FetchRequest;

/** What is signed, and how: one of @gpg_key and @sigstore_key */
typedef struct SignRequest {
        const RegistryOptions *registry;
        const char *name;            /* of the image in its registry, as the user wrote it */
        const char *identity;        /* the docker-reference that is signed; NULL: the image's own name */
        const char *gpg_key;         /* fingerprint, or what else gpg takes for one key of the user's key ring */
        const char *sigstore_key;    /* file: PKCS#8 in PEM, or cosign's encrypted one */
        const char *passphrase_file; /* its first line is the key's passphrase; NULL: none */
        const char *directory;       /* where GPG signatures go; NULL: as registries.d says */
        const char *registries_d;    /* as in FetchRequest */
} SignRequest;

typedef struct SignedImage {
        Digest digest;
        char *where; /* the file, or the reference, that has the signature now */
} SignedImage;

typedef struct SignedImages {
        SignedImage *items;
        size_t n;
} SignedImages;

static inline void signed_images_clear(SignedImages *images) {
        for (size_t i = 0; i < images->n; i++)
                free(images->items[i].where);
        free(images->items);
        *images = (SignedImages) { 0 };
}

typedef struct TrustModule {
        unsigned version; /* TRUST_MODULE_VERSION; first member, see module.h */

        /**
         * simple_verify(), sigstore_verify() - whether one of the keys made a signature, and of what
         * @ret: trust_claim_clear()
         *
         * Errors: SignatureRejected (made by none of the keys, malformed, expired or revoked key), InvalidConfig (no usable key among @keys),
         * OutOfMemory, FileError
         */
        int (*simple_verify)(const TrustSignature *signature, const TrustKeys *keys, TrustClaim *ret, Error *err);
        int (*sigstore_verify)(const TrustSignature *signature, const TrustKeys *keys, TrustClaim *ret, Error *err);

        /**
         * fetch() - every signature that is kept of a manifest: in the registry's own store of signatures (X-Registry-Supports-Signatures),
         * else in the lookaside that registries.d names; and, where registries.d says use-sigstore-attachments, under cosign's tag and
         * among the referrers
         * @ret: none is no error; trust_signatures_clear()
         *
         * Errors: SignatureRejected (too many, too large, malformed), InvalidConfig and ConfigError (registries.d), those of RegistryModule
         */
        int (*fetch)(const FetchRequest *request, TrustSignatures *ret, Error *err);

        /**
         * sign() - an image in its registry; of an index, each of its manifests too
         * @ret: signed_images_clear()
         *
         * Errors: InvalidArgument (no such key, wrong passphrase), NotSupported (a kind of key), InvalidConfig and ConfigError (registries.d),
         * FileError, those of RegistryModule
         */
        int (*sign)(const SignRequest *request, SignedImages *ret, Error *err);
} TrustModule;

/** trust_module() - load the module on first use. NULL with @err set when it cannot be loaded */
const TrustModule *trust_module(Error *err);
