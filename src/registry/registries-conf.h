#pragma once

/*
 * registries.conf, version 2, and registries.conf.d: which registries short names mean, mirrors, rewriting, what is insecure or blocked.
 * Source: containers-registries.conf(5)
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "oci/reference.h"

typedef enum PullFrom {
        PULL_FROM_ALL,
        PULL_FROM_DIGEST_ONLY,
        PULL_FROM_TAG_ONLY,
} PullFrom;

typedef struct Mirror {
        char *location;
        bool insecure;
        PullFrom pull_from;
} Mirror;

/** [[registry]] */
typedef struct RegistryRule {
        char *prefix;   /* "docker.io/library", "*.example.com" */
        char *location; /* what the prefix is replaced by; NULL: it stays */
        bool insecure, blocked, mirror_by_digest_only;
        Mirror *mirrors;
        size_t n_mirrors;
} RegistryRule;

typedef enum ShortNames {
        SHORT_NAMES_PERMISSIVE,
        SHORT_NAMES_ENFORCING,
        SHORT_NAMES_DISABLED,
} ShortNames;

typedef struct RegistriesConf {
        char **search;  /* unqualified-search-registries; NULL: not said */
        char **helpers; /* credential-helpers; NULL: not said */
        ShortNames short_names;
        json_t *aliases; /* short name → name; NULL: none */
        RegistryRule *rules;
        size_t n_rules;
} RegistriesConf;

/** registries_conf_parse() - add what one file says: lists are replaced, rules of the same prefix too. Errors: InvalidConfig, NotSupported (version 1), OutOfMemory */
int registries_conf_parse(const char *text, size_t len, const char *what, RegistriesConf *conf, Error *err);
void registries_conf_clear(RegistriesConf *conf);

/** registries_conf_load() - from $CONTAINERS_REGISTRIES_CONF, or the user's or the system's files. Errors: ConfigError, as parse */
int registries_conf_load(RegistriesConf *conf, Error *err);

/** registries_conf_names() - what a user's text may mean, best first; see registry.h */
int registries_conf_names(const RegistriesConf *conf, const char *text, char ***ret, Error *err);

/** A place to find a repository at */
typedef struct Place {
        Reference *name; /* as that place calls it */
        bool insecure;
        bool mirror;
} Place;

typedef struct Places {
        Place *items;
        size_t n;
} Places;

void places_clear(Places *places);

/**
 * registries_conf_places() - where an image may be found: its mirrors, then the registry itself
 * @push: without mirrors
 *
 * Errors: RegistryError (blocked), InvalidConfig (what rewriting makes is no reference), OutOfMemory
 */
int registries_conf_places(const RegistriesConf *conf, const Reference *name, bool push, Places *ret, Error *err);
