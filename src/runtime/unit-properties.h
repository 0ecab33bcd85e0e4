#pragma once

/* Properties of a container's scope: from its limits, its device rules, and the annotations that name some. Private to runtime/. */

#include "runtime/cgroup-devices.h"
#include "runtime/cgroup-settings.h"
#include "runtime/systemd/systemd.h"

void unit_properties_free(UnitProperties *properties);
#define _cleanup_properties_ _cleanup_(unit_properties_free)

int property_add_number(UnitProperties *properties, const char *name, const char *type, uint64_t number, Error *err);
int property_add_string(UnitProperties *properties, const char *name, const char *text, Error *err);
/** property_add_strings() - of type "as" or "a(ss)"; @strings is taken */
int property_add_strings(UnitProperties *properties, const char *name, const char *type, char **strings, Error *err);

/**
 * properties_from_annotations() - "org.systemd.property.NAME": "VALUE"
 *
 * VALUE is GVariant's text, in the forms that containers use: true, false, numbers with or without a type ("uint64 5"), 'text', and lists of
 * texts. As in runc, a NAME that ends in "Sec" is in seconds and becomes "…USec".
 *
 * Errors: InvalidSpec, OutOfMemory
 */
int properties_from_annotations(const json_t *annotations, UnitProperties *properties, Error *err);

/**
 * properties_from_settings() - what systemd has a property for, so that it does not set it back; the others are left to the files
 * @v2: whether the cpu controller is on v2
 *
 * Errors: InvalidSpec, OutOfMemory
 */
int properties_from_settings(const CgroupSettings *settings, bool v2, UnitProperties *properties, Error *err);

/**
 * properties_from_devices() - DevicePolicy and DeviceAllow
 *
 * systemd has no exceptions to "all devices", and none for a minor number of any major: where there is one it is told to keep out, and the
 * rules that we set ourselves stand alone. Errors: FileError, OutOfMemory
 */
int properties_from_devices(const DeviceFilter *filter, UnitProperties *properties, Error *err);
