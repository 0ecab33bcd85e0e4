/* Error values: formatting without allocation. See error.h for the conventions. */

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[_ERROR_KIND_MAX] = {
        [ERROR_NONE]                  = "None",
        [ERROR_INVALID_JSON]          = "InvalidJson",
        [ERROR_INVALID_SPEC]          = "InvalidSpec",
        [ERROR_FILE]                  = "FileError",
        [ERROR_OUT_OF_MEMORY]         = "OutOfMemory",
        [ERROR_IMAGE_NOT_FOUND]       = "ImageNotFound",
        [ERROR_BUNDLE_NOT_FOUND]      = "BundleNotFound",
        [ERROR_CONTAINER_EXISTS]      = "ContainerExists",
        [ERROR_ZFS]                   = "ZFSError",
        [ERROR_LXC]                   = "LXCError",
        [ERROR_PROXMOX]               = "ProxmoxError",
        [ERROR_CONFIG]                = "ConfigError",
        [ERROR_INVALID_CONFIG]        = "InvalidConfig",
        [ERROR_INVALID_ROOTFS]        = "InvalidRootfs",
        [ERROR_RUNTIME_NOT_AVAILABLE] = "RuntimeNotAvailable",
        [ERROR_CONTAINER_NOT_FOUND]   = "ContainerNotFound",
        [ERROR_INVALID_ARGUMENT]      = "InvalidArgument",
        [ERROR_INVALID_STATE]         = "InvalidState",
        [ERROR_DIGEST_MISMATCH]       = "DigestMismatch",
        [ERROR_SIGNATURE_REJECTED]    = "SignatureRejected",
        [ERROR_REGISTRY]              = "RegistryError",
        [ERROR_NOT_SUPPORTED]         = "NotSupported",
        [ERROR_TIMEOUT]               = "Timeout",
        [ERROR_INTERRUPTED]           = "Interrupted",
        [ERROR_RUNTIME]               = "RuntimeError",
};

static const char ellipsis[] = "…";

const char *error_kind_name(ErrorKind kind) {
        if ((unsigned) kind >= _ERROR_KIND_MAX)
                return "Unknown";
        return kind_names[kind];
}

/* Marks a text that vsnprintf() had to cut; steps back to a character's start, so that the text stays UTF-8. */
static void mark_cut(char *text, size_t size) {
        size_t end = size - sizeof(ellipsis);

        while (end > 0 && ((unsigned char) text[end] & 0xc0) == 0x80)
                end--;
        memcpy(text + end, ellipsis, sizeof(ellipsis));
}

static void __attribute__((format(printf, 3, 0))) format(char *text, size_t size, const char *fmt, va_list ap) {
        int n = vsnprintf(text, size, fmt, ap);

        if (n < 0)
                text[0] = '\0';
        else if ((size_t) n >= size)
                mark_cut(text, size);
}

static void append(char *text, size_t size, const char *more) {
        size_t len = strlen(text);
        int n = snprintf(text + len, size - len, "%s", more);

        if (n > 0 && (size_t) n >= size - len)
                mark_cut(text, size);
}

int error_set(Error *err, ErrorKind kind, const char *fmt, ...) {
        va_list ap;

        if (!err)
                return -1;

        /* The arguments may point into @err itself (an error that wraps another), so format aside first. */
        Error fresh = { .kind = kind };

        va_start(ap, fmt);
        format(fresh.text, sizeof(fresh.text), fmt, ap);
        va_end(ap);

        *err = fresh;
        return -1;
}

int error_set_errno(Error *err, ErrorKind kind, int errnum, const char *fmt, ...) {
        va_list ap;

        if (!err)
                return -1;

        Error fresh = { .kind = errnum == ENOMEM ? ERROR_OUT_OF_MEMORY : kind, .errnum = errnum };

        va_start(ap, fmt);
        format(fresh.text, sizeof(fresh.text), fmt, ap);
        va_end(ap);

        append(fresh.text, sizeof(fresh.text), ": ");
        append(fresh.text, sizeof(fresh.text), strerrordesc_np(errnum) ?: "unknown errno");

        *err = fresh;
        return -1;
}

int error_oom(Error *err) {
        return error_set(err, ERROR_OUT_OF_MEMORY, "out of memory");
}

int error_prefix(Error *err, const char *fmt, ...) {
        char text[ERROR_TEXT_MAX];
        va_list ap;

        if (!err)
                return -1;

        va_start(ap, fmt);
        format(text, sizeof(text), fmt, ap);
        va_end(ap);

        append(text, sizeof(text), ": ");
        append(text, sizeof(text), err->text);
        memcpy(err->text, text, sizeof(text));
        return -1;
}

int error_hint(Error *err, const char *fmt, ...) {
        va_list ap;

        if (!err || err->hint[0])
                return -1;

        va_start(ap, fmt);
        format(err->hint, sizeof(err->hint), fmt, ap);
        va_end(ap);
        return -1;
}

int error_phase(Error *err, const char *phase) {
        if (err && !err->phase[0])
                snprintf(err->phase, sizeof(err->phase), "%s", phase);
        return -1;
}
