#pragma once

/* The default seccomp profile as data: spec-seccomp-table.c holds it, spec-seccomp.c makes a filter's description of it. */

#include <stdint.h>

typedef enum SeccompWhen {
        SECCOMP_ALWAYS,
        SECCOMP_ON_ARCH,       /* on the @arches */
        SECCOMP_WITH,          /* when the container has the @capability */
        SECCOMP_WITHOUT,       /* when it has not */
        SECCOMP_BY_CAPABILITY, /* allowed with, EPERM without it */
} SeccompWhen;

typedef enum SeccompVerdict {
        SECCOMP_ALLOW,
        SECCOMP_ERRNO,
} SeccompVerdict;

typedef enum SeccompOperator {
        SECCOMP_NONE, /* ends the list of arguments */
        SECCOMP_EQ,
        SECCOMP_NE,
} SeccompOperator;

typedef struct SeccompArgument {
        unsigned index;
        SeccompOperator op;
        uint64_t value;
} SeccompArgument;

#define SECCOMP_ARGUMENT_MAX 2

typedef struct SeccompRow {
        SeccompWhen when;
        SeccompVerdict verdict;
        int errnum;         /* with SECCOMP_ERRNO */
        const char *names;  /* of system calls, separated by spaces; NULL ends the table */
        const char *arches; /* libseccomp's names, separated by spaces */
        int capability;
        int or_capability;  /* does as well; 0: none */
        SeccompArgument args[SECCOMP_ARGUMENT_MAX + 1];
} SeccompRow;

extern const SeccompRow seccomp_rows[];
