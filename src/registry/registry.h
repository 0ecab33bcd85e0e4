#pragma once

/*
 * Registries (OCI distribution-spec 1.1). The module that links libcurl: other modules and the program load it through registry_module().
 *
 * A Registry is one command's view of all registries: options, configuration files, credentials, tokens, connections. It may be used by
 * several threads at once; a RegistryBlob by one.
 */

#include <signal.h>

#include "base/cleanup.h"
#include "oci/manifest.h"
#include "oci/reference.h"

#define REGISTRY_MODULE_VERSION 3

typedef enum TlsVerify {
        TLS_VERIFY_CONFIGURED, /* as registries.conf says of the registry; yes when it says nothing */
        TLS_VERIFY_YES,
        TLS_VERIFY_NO, /* certificates are not checked, and plain HTTP is tried where HTTPS is not spoken */
} TlsVerify;

/** Where credentials come from and how registries are spoken to. All borrowed, for as long as the Registry lives */
typedef struct RegistryOptions {
        const char *authfile;     /* --authfile; NULL: the usual places */
        const char *creds;        /* --creds USER[:PASSWORD]; NULL: from files and helpers */
        const char *cert_dir;     /* --cert-dir; NULL: the registry's folder of certs.d */
        TlsVerify tls_verify;
        unsigned timeout;         /* seconds to connect, and without enough bytes; 0: REGISTRY_TIMEOUT */
        unsigned speed_min;       /* bytes a second, on average over @timeout; 0: REGISTRY_SPEED_MIN */
        unsigned retries;         /* tries after the first one */
        unsigned retry_wait_max;  /* seconds between two tries, whatever Retry-After says; 0: REGISTRY_RETRY_WAIT_MAX */
        const volatile sig_atomic_t *cancelled;          /* may be NULL */
        void (*note)(void *userdata, const char *text);  /* a retry, and why; from any thread; may be NULL */
        void *userdata;
} RegistryOptions;

#define REGISTRY_TIMEOUT        60 /* seconds */
#define REGISTRY_SPEED_MIN      64 /* bytes a second */
#define REGISTRY_RETRY_WAIT_MAX 60 /* seconds */

typedef struct Registry Registry;
typedef struct RegistryBlob RegistryBlob;

/** A manifest or index, as the registry gave it */
typedef struct RegistryDocument {
        char *data;
        size_t len;
        Descriptor descriptor; /* its digest was computed, and compared with all that is known of it */
} RegistryDocument;

static inline void registry_document_clear(RegistryDocument *document) {
        free(document->data);
        document->data = NULL;
}

/** A manifest that names another one as its subject */
typedef struct Referrer {
        char *artifact_type; /* "" when the list does not say */
        Digest digest;
} Referrer;

typedef struct Referrers {
        Referrer *items;
        size_t n;
} Referrers;

static inline void referrers_clear(Referrers *referrers) {
        for (size_t i = 0; i < referrers->n; i++)
                free(referrers->items[i].artifact_type);
        free(referrers->items);
        *referrers = (Referrers) { 0 };
}

/** Where a blob to be uploaded comes from */
typedef struct RegistryUpload {
        const char *from; /* another repository of the same registry that is known to have it; NULL: none */
        /** open() - a file that is exactly the blob; not called when the registry has it from elsewhere */
        int (*open)(void *userdata, const Descriptor *blob, int *ret_fd, Error *err);
        void (*report)(void *userdata, const Descriptor *blob, uint64_t done); /* bytes sent so far; may be NULL */
        void *userdata;
} RegistryUpload;

typedef struct RegistryLogin {
        const char *registry; /* HOST[:PORT] */
        const char *user, *password; /* of logout: unused */
} RegistryLogin;

typedef struct RegistryModule {
        unsigned version; /* REGISTRY_MODULE_VERSION; first member, see module.h */

        /** open() - read registries.conf. Errors: InvalidConfig, ConfigError, InvalidArgument (options), OutOfMemory */
        int (*open)(const RegistryOptions *options, Registry **ret, Error *err);
        Registry *(*close)(Registry *registry);

        /**
         * names() - what a name that a user wrote may mean, best first: itself when it names a registry, else its alias, else one name for
         * each unqualified-search registry, else Docker's normal form. strv_free()
         */
        int (*names)(Registry *registry, const char *text, char ***ret, Error *err);

        /**
         * manifest() - the manifest or index that a reference means
         *
         * Mirrors are tried before the registry itself. Errors: ImageNotFound (the registry does not have it), RegistryError (with EFBIG:
         * too large), DigestMismatch, NotSupported (schema 1), Interrupted, OutOfMemory
         */
        int (*manifest)(Registry *registry, const Reference *name, RegistryDocument *ret, Error *err);

        /**
         * blob_open() - begin to read a blob from byte @offset on; connections are made at the first read
         *
         * What is read is in order and without gaps, over retries and resumed transfers, and ends after exactly the blob's size; its digest is the
         * reader's to check. @blob and @name are borrowed until blob_close(). Errors of blob_read(): as manifest().
         */
        int (*blob_open)(Registry *registry, const Reference *name, const Descriptor *blob, uint64_t offset, RegistryBlob **ret, Error *err);
        int (*blob_read)(void *blob, void *data, size_t size, size_t *ret, Error *err); /* fits a BlobSource */
        RegistryBlob *(*blob_close)(RegistryBlob *blob);

        /**
         * blob_get() - a small blob, verified
         * @max: bytes
         * @ret: NUL-terminated, free()
         *
         * Errors: as manifest()
         */
        int (*blob_get)(Registry *registry, const Reference *name, const Descriptor *blob, size_t max, char **ret, size_t *ret_len, Error *err);

        /**
         * referrers() - what refers to a manifest: by the API, all of its pages, or under the tag sha256-HEX in a registry that has none
         * @artifact_type: NULL: all
         * @max:           how many of them
         * @ret:           none is no error; referrers_clear()
         *
         * Source: distribution-spec, "Listing Referrers". Errors: as manifest(), but ImageNotFound; RegistryError with EFBIG for more than
         * @max, and too many pages; InvalidJson, InvalidSpec, NotSupported (another digest than SHA-256)
         */
        int (*referrers)(Registry *registry, const Reference *name, const Digest *subject, const char *artifact_type, size_t max,
                         Referrers *ret, Error *err);

        /** blob_exists() - whether the repository has a blob */
        int (*blob_exists)(Registry *registry, const Reference *name, const Descriptor *blob, bool *ret, Error *err);

        /** blob_push() - upload a blob, unless it can be mounted from another repository of the registry */
        int (*blob_push)(Registry *registry, const Reference *name, const Descriptor *blob, const RegistryUpload *upload, Error *err);

        /** manifest_push() - let the reference's tag (or digest) mean a document whose blobs are there */
        int (*manifest_push)(Registry *registry, const Reference *name, const Descriptor *descriptor, const char *data, size_t len, Error *err);

        /**
         * api_get() - a small document of the registry's API, at @before, the repository, @after ("/extensions/v2/", "/signatures/sha256:…")
         * @max: bytes
         * @ret: NULL: no place has it (404); NUL-terminated, free()
         *
         * Errors: as manifest(), but ImageNotFound
         */
        int (*api_get)(Registry *registry, const Reference *name, const char *before, const char *after, size_t max, char **ret,
                       size_t *ret_len, Error *err);

        /** url_get() - a small document of any http or https server, without credentials; else as api_get() */
        int (*url_get)(Registry *registry, const char *url, size_t max, char **ret, size_t *ret_len, Error *err);

        /** keeps_signatures() - whether the image's registry has a store of signatures of its own ("X-Registry-Supports-Signatures") */
        int (*keeps_signatures)(Registry *registry, const Reference *name, bool *ret, Error *err);

        /** login() - try the credentials and, when the registry takes them, keep them in the auth file */
        int (*login)(Registry *registry, const RegistryLogin *login, char **ret_file, Error *err);
        /** logout() - forget them; @ret_file is NULL when there was nothing to forget */
        int (*logout)(Registry *registry, const RegistryLogin *login, char **ret_file, Error *err);
} RegistryModule;

/** registry_module() - load the module on first use. NULL with @err set when it cannot be loaded */
const RegistryModule *registry_module(Error *err);
