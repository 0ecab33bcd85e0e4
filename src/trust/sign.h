#pragma once

/* Signing images in their registries. */

#include "trust/trust.h"

/** image_sign() - see TrustModule.sign() */
int image_sign(const SignRequest *request, SignedImages *ret, Error *err);

/** attached_push() - add a signed text under cosign's tag. @ret_where: the reference; free(). Errors: those of RegistryModule, InvalidSpec (what is there) */
int attached_push(const RegistryModule *module, Registry *registry, const Reference *name, const Digest *manifest, const char *text,
                  const char *base64_signature, char **ret_where, Error *err);
