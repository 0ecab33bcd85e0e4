#pragma once

/* Base64, the standard alphabet with padding. Source: RFC 4648 */

#include "base/buf.h"

/** base64_encode() - appended. Errors: OutOfMemory, InvalidArgument (the buffer's cap) */
int base64_encode(Buf *buf, const void *data, size_t len, Error *err);

/** base64_decode() - appended; strict, but for padding, which may be missing. Errors: InvalidSpec, OutOfMemory, InvalidArgument */
int base64_decode(Buf *buf, const char *text, Error *err);
