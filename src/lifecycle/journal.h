#pragma once

/*
 * The journal of a transaction, ROOT/ID/journal: one JSON object a line, appended before the effect it announces, each line by one
 * write, never fsynced. A last line without its newline was torn by a crash: what it would have announced did not happen.
 *
 *   {"journal":1,"kind":"create","boot":…,…}      first: what undo must know (JournalHeader)
 *   {"begin":"rootfs"}                            a phase
 *   {"monitor":{"pid":…,"start":…}}               processes, as soon as they exist
 *   {"init":{"pid":…,"start":…},"cgroups":[…]}
 */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/process.h"
#include "lifecycle/rundir.h"

#define JOURNAL_FILE     "journal"
#define JOURNAL_SIZE_MAX (1u << 20) /* bytes; this program's own cap, far above what it writes */
#define JOURNAL_PHASES   16         /* phases a transaction may have */

typedef enum JournalKind {
        JOURNAL_CREATE, /* undo removes everything */
        JOURNAL_START,  /* a stopped container made from an image runs again: undo leaves its record and files */
} JournalKind;

typedef struct JournalHeader {
        JournalKind kind;
        char boot_id[BOOT_ID_MAX];
        uint64_t mount_namespace; /* inode of the namespace that gets the rootfs mount */
        const char *bundle;       /* absolute; NULL while not known */
        const char *store;        /* absolute; NULL for a bundle's container */
        const char *runtime;      /* backend */
        const char *pid_file;     /* absolute; NULL: none */
        bool systemd_cgroup;
        ProcessRef maker;         /* who holds the lock while this goes on; pid 0: not known */
} JournalHeader;

/** What was read back. The header's strings are owned by @_header */
typedef struct Journal {
        bool has_header; /* false: the crash came before the first line was whole */
        bool damaged;    /* a whole line made no sense (a file system after a power loss): what follows it is not known */
        JournalHeader header;
        char *phases[JOURNAL_PHASES]; /* begun, in order */
        size_t n_phases;
        ProcessRef monitor, init; /* pid 0: none known */
        char **cgroups;           /* of the init; NULL: not known */
        json_t *_header;
} Journal;

Journal *journal_free(Journal *journal);
static inline void journal_freep(Journal **journal) {
        journal_free(*journal);
}

/** journal_create() - begin a journal (an older one is replaced) with its header and first phase. @ret_fd: for journal_append_*() */
int journal_create(const RunDir *dir, const JournalHeader *header, const char *phase, int *ret_fd, Error *err);

int journal_append_phase(int fd, const char *phase, Error *err);
int journal_append_monitor(int fd, const ProcessRef *monitor, Error *err);
int journal_append_init(int fd, const ProcessRef *init, char *const *cgroups, Error *err);

/** journal_load() - *ret is NULL when there is no journal. Errors: FileError, OutOfMemory */
int journal_load(int dir_fd, Journal **ret, Error *err);

/** journal_has_phase() - whether the phase was begun, or may have been */
bool journal_has_phase(const Journal *journal, const char *phase);

/** journal_parse() - the same from text; reading ends at the first line that makes no sense */
int journal_parse(const char *text, size_t len, Journal **ret, Error *err);
