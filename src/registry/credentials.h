#pragma once

/*
 * Who we are to a registry: auth files of containers and docker, credential helpers. Sources: containers-auth.json(5), Docker's
 * "credential helpers" protocol. Passwords and tokens never stand in arguments, logs or errors.
 */

#include <jansson.h>

#include "base/buf.h"
#include "oci/reference.h"

#define AUTH_FILE_SIZE_MAX (1u << 20)  /* bytes; this program's own cap */
#define SECRET_MAX         (64u << 10) /* bytes of a user name, password or token; this program's own cap */

typedef struct Credentials {
        char *user, *password;
        char *identity_token; /* in place of them, for token servers */
} Credentials;

void credentials_clear(Credentials *credentials);
static inline bool credentials_are_set(const Credentials *credentials) {
        return credentials->user || credentials->identity_token;
}

/** auth_file_parse() - @what names it in errors. Errors: InvalidJson, InvalidConfig, OutOfMemory */
int auth_file_parse(const char *data, size_t len, const char *what, json_t **ret, Error *err);

/**
 * auth_file_find() - what a file knows of a repository, by its most specific key
 * @file:       as parsed
 * @ret:        left empty when it knows nothing
 * @ret_helper: name of the credential helper to be asked, and with what; free() both; NULL when none is
 *
 * Errors: InvalidConfig, OutOfMemory
 */
int auth_file_find(const json_t *file, const Reference *name, Credentials *ret, char **ret_helper, char **ret_server, Error *err);

/** helper_get() - ask docker-credential-NAME; @ret is left empty when it knows nothing. Errors: ConfigError, Timeout, OutOfMemory */
int helper_get(const char *helper, const char *server, Credentials *ret, Error *err);
int helper_store(const char *helper, const char *server, const Credentials *credentials, Error *err);
int helper_erase(const char *helper, const char *server, Error *err);

/**
 * credentials_find() - the first that any source has
 * @authfile: the only file to be looked at; NULL: the usual ones
 * @helpers:  registries.conf's credential-helpers; NULL: only files
 *
 * Errors: ConfigError, InvalidConfig, InvalidJson, Timeout, OutOfMemory
 */
int credentials_find(const char *authfile, char *const *helpers, const Reference *name, Credentials *ret, Error *err);

/** credentials_save() - into @authfile, $REGISTRY_AUTH_FILE or containers' own file; or to the helper which that file names. @ret_file: which; free() */
int credentials_save(const char *authfile, const char *registry, const Credentials *credentials, char **ret_file, Error *err);

/** credentials_forget() - @ret_file: where they were; NULL when they were not */
int credentials_forget(const char *authfile, const char *registry, char **ret_file, Error *err);
