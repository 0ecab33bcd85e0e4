#pragma once

/* certs.d: the authorities that a registry's certificate is checked with, and the certificate that we show. Source: containers-certs.d(5) */

#include "base/buf.h"

#define CERTS_SIZE_MAX (1u << 20) /* bytes of all authorities; this program's own cap */

typedef struct Certs {
        Buf authorities;  /* PEM, beside the system's own; empty: none */
        char *cert, *key; /* paths, PEM; NULL: none */
} Certs;

#define CERTS_INIT ((Certs) { .authorities = BUF_INIT(CERTS_SIZE_MAX) })

void certs_clear(Certs *certs);

/**
 * certs_load() - from @dir, or else from the first folder there is for @host in the usual places of containers and docker
 *
 * Errors: ConfigError (unreadable, a certificate without its key, …), NotSupported (several client certificates), OutOfMemory
 */
int certs_load(const char *dir, const char *host, Certs *ret, Error *err);
