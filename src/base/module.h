#pragma once

/*
 * Modules keep heavy libraries out of the program: what they link costs nothing until it is used. A module is a shared object that
 * exports one table whose first member is its version.
 */

#include <limits.h>

#include "base/error.h"

/**
 * module_open() - load a module, once per process and for good
 * @name:    "image" loads image.so
 * @symbol:  the table it exports; its first member is an unsigned version
 * @version: the only version accepted
 *
 * An installed program takes modules from the directory fixed at build time; an uninstalled one from "modules/" beside itself.
 *
 * Returns: the table, or NULL with @err set. Errors: FileError
 */
const void *module_open(const char *name, const char *symbol, unsigned version, Error *err);

/**
 * program_path() - the absolute path of the program that runs here
 *
 * The first call is to be before it enters another mount namespace: from there the kernel names a program on a mount of the old
 * one by its path on that mount.
 *
 * Errors: FileError
 */
int program_path(char ret[PATH_MAX], Error *err);

/** module_path() - a file that stands where the modules do; free(). Errors: FileError, OutOfMemory */
int module_path(const char *name, char **ret, Error *err);
