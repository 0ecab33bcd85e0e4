#pragma once

/*
 * Messages between us and CRIU's service: a few fields of protocol buffers, written and read by hand. Private to runtime/.
 * Source: CRIU, images/rpc.proto; protobuf.dev, "Encoding"
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define CRIU_REQUEST_MAX 131072 /* bytes; one datagram of a unix socket, whose buffer has 212,992 (net.core.wmem_default) */
#define CRIU_ANSWER_MAX  65536  /* bytes; an answer holds two short texts */

typedef enum CriuType {
        CRIU_DUMP            = 1,
        CRIU_RESTORE         = 2,
        CRIU_NOTIFY          = 6,
        CRIU_SINGLE_PRE_DUMP = 13,
} CriuType;

/** Fields of `criu_opts` */
typedef enum CriuField {
        CRIU_IMAGES_DIR_FD       = 1,
        CRIU_PID                 = 2,
        CRIU_LEAVE_RUNNING       = 3,
        CRIU_EXT_UNIX_SK         = 4,
        CRIU_TCP_ESTABLISHED     = 5,
        CRIU_EVASIVE_DEVICES     = 6,
        CRIU_SHELL_JOB           = 7,
        CRIU_FILE_LOCKS          = 8,
        CRIU_LOG_LEVEL           = 9,
        CRIU_LOG_FILE            = 10,
        CRIU_PAGE_SERVER         = 11,
        CRIU_NOTIFY_SCRIPTS      = 12,
        CRIU_ROOT                = 13,
        CRIU_PARENT_IMAGE        = 14,
        CRIU_TRACK_MEMORY        = 15,
        CRIU_AUTO_DEDUP          = 16,
        CRIU_WORK_DIR_FD         = 17,
        CRIU_LINK_REMAP          = 18,
        CRIU_CGROUP_ROOT         = 25,
        CRIU_RESTORE_SIBLING     = 26,
        CRIU_INHERIT_FD          = 27,
        CRIU_MANAGE_CGROUPS_MODE = 34,
        CRIU_EXTERNAL            = 37,
        CRIU_EMPTY_NS            = 38,
        CRIU_JOIN_NS             = 39,
        CRIU_FREEZE_CGROUP       = 44,
        CRIU_TCP_SKIP_IN_FLIGHT  = 46,
        CRIU_LAZY_PAGES          = 48,
        CRIU_ORPHAN_PTS_MASTER   = 50,
        CRIU_CONFIG_FILE         = 51,
        CRIU_TCP_CLOSE           = 52,
        CRIU_LSM_PROFILE         = 53,
        CRIU_LSM_MOUNT_CONTEXT   = 63,
        CRIU_NETWORK_LOCK        = 64,
} CriuField;

/** An answer, or a notification on the way */
typedef struct CriuAnswer {
        unsigned type; /* CriuType */
        bool success;
        pid_t pid;     /* of the restored root, where the message names it; 0 */
        int errnum;    /* 0: not said */
        char script[64];
        char message[512]; /* newer ones say in a line what went wrong; "" */
} CriuAnswer;

/** criu_put_number(), criu_put_text(), criu_put_message() - one field more; a NULL @text is none. Errors: OutOfMemory, InvalidArgument (too large) */
int criu_put_number(Buf *message, unsigned field, uint64_t value, Error *err);
int criu_put_text(Buf *message, unsigned field, const char *text, Error *err);
int criu_put_message(Buf *message, unsigned field, const Buf *part, Error *err);

/** criu_put_pair() - a message of two texts, fields 1 and 2: a mount and its name, a controller and its root */
int criu_put_pair(Buf *message, unsigned field, const char *first, const char *second, Error *err);

/** criu_request_make() - the whole request. @opts: NULL: the answer to a notification, that all went well */
int criu_request_make(Buf *request, CriuType type, const Buf *opts, Error *err);

/** criu_answer_read() - Errors: RuntimeError */
int criu_answer_read(const void *data, size_t len, CriuAnswer *ret, Error *err);
