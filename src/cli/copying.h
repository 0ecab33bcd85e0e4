#pragma once

/* What push, copy and image save share. */

#include "cli/registry-options.h"
#include "image/image.h"

/** copy_run() - copy between places that are named with their kind, and print what was copied */
int copy_run(Cli *cli, const CopyRequest *request, bool quiet, Error *err);
