#pragma once

/* registries.d: where signatures are kept beside registries. Source: containers-registries.d(5) */

#include <jansson.h>
#include <stdbool.h>

#include "oci/reference.h"

typedef struct RegistriesD {
        json_t *fallback;      /* default-docker; NULL: none */
        char *fallback_file;   /* that has it */
        json_t *scopes;        /* scope → its settings; NULL: none */
        json_t *scope_files;   /* scope → the file that has it */
} RegistriesD;

void registries_d_clear(RegistriesD *conf);
#define _cleanup_registries_d_ _cleanup_(registries_d_clear)

/** registries_d_parse() - add what one file says. Errors: InvalidConfig (also: a scope for the second time), OutOfMemory */
int registries_d_parse(const char *text, size_t len, const char *what, RegistriesD *conf, Error *err);

/**
 * registries_d_load() - all *.yaml of a folder
 * @folder: must be there; NULL: the user's (~/.config/containers/registries.d) or else the system's (/etc/containers/registries.d), if any
 *
 * Errors: ConfigError, InvalidConfig, OutOfMemory
 */
int registries_d_load(const char *folder, RegistriesD *conf, Error *err);

/**
 * registries_d_lookaside() - where the signatures of an image are: URL/REPOSITORY, of http, https or file
 * @staging: where they are written
 * @ret:     free()
 *
 * The most specific scope that says so, default-docker, else the folder that containers' tools take. Errors: InvalidConfig, OutOfMemory
 */
int registries_d_lookaside(const RegistriesD *conf, const Reference *name, bool staging, char **ret, Error *err);

/** registries_d_attachments() - whether sigstore's signatures in the registry are to be read. Errors: OutOfMemory */
int registries_d_attachments(const RegistriesD *conf, const Reference *name, bool *ret, Error *err);
