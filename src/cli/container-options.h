#pragma once

/* The options that create and run share. */

#include "cli/command.h"
#include "cli/registry-options.h"
#include "lifecycle/lifecycle.h"
#include "network/network.h"
#include "oci/runtime-spec.h"

typedef struct ContainerArgs {
        RegistryArgs registry; /* first */
        Platform platform;
        PullPolicy pull;
        const char *bundle, *config, *image, *storage_driver, *pid_file, *console_socket;
        bool no_pivot, no_new_keyring, no_subreaper, detach, remove, keep, on_boot;
        int64_t preserve_fds;
        SpecOptions spec;
        NetworkOptions network;
} ContainerArgs;

extern const Option container_options[];       /* with a bundle or an image */
extern const Option container_image_options[]; /* with --image only */

void container_args_clear(void *args);

/** A request whose strings are owned here where they had to be made */
typedef struct ContainerRequest {
        CreateRequest request;
        RegistryOptions registry;
        char *bundle, *config, *pid_file, *console_socket;
} ContainerRequest;

void container_request_clear(ContainerRequest *request);

/**
 * container_request() - what a command line asks for; paths are made absolute, combinations and inherited descriptors are checked
 * @ret: stays where it is: its request points into it
 *
 * Errors: InvalidArgument
 */
int container_request(Cli *cli, const Call *call, ContainerRequest *ret, Error *err);

/** descriptors_check() - whether all are open that socket activation and --preserve-fds N promise. Errors: InvalidArgument */
int descriptors_check(int64_t n, Error *err);

#define PRESERVE_FDS_MAX 1024 /* descriptors; this program's own cap, the usual RLIMIT_NOFILE */
