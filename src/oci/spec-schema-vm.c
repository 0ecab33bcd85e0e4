/* `vm` of the runtime-spec: config-vm.md. */

#include "oci/spec-schema.h"

static const SchemaField hypervisor_fields[] = {
        { "path",       &schema_absolute_path, .required = true },
        { "parameters", &schema_strings },
        { NULL },
};
static const Schema hypervisor = { SCHEMA_OBJECT, .fields = hypervisor_fields };

static const SchemaField kernel_fields[] = {
        { "path",       &schema_absolute_path, .required = true },
        { "parameters", &schema_strings },
        { "initrd",     &schema_absolute_path },
        { NULL },
};
static const Schema kernel = { SCHEMA_OBJECT, .fields = kernel_fields };

static const SchemaName image_formats[] = { { "raw" }, { "qcow2" }, { "vdi" }, { "vmdk" }, { "vhd" }, { NULL } };
static const Schema image_format = { SCHEMA_STRING, .names = image_formats };

static const SchemaField image_fields[] = {
        { "path",   &schema_absolute_path, .required = true },
        { "format", &image_format,         .required = true },
        { NULL },
};
static const Schema image = { SCHEMA_OBJECT, .fields = image_fields };

static const SchemaField iomem_fields[] = {
        { "firstGFN", &schema_uint64 },
        { "firstMFN", &schema_uint64, .required = true },
        { "nrMFNs",   &schema_uint64, .required = true },
        { NULL },
};
static const Schema iomem = { SCHEMA_OBJECT, .fields = iomem_fields };
static const Schema iomems = { SCHEMA_ARRAY, .items = &iomem };
static const Schema irqs = { SCHEMA_ARRAY, .items = &schema_uint32 };

static const SchemaField hardware_fields[] = {
        { "deviceTree", &schema_string },
        { "vcpus",      &schema_uint32 },
        { "memory",     &schema_uint64 },
        { "dtdevs",     &schema_strings },
        { "iomems",     &iomems },
        { "irqs",       &irqs },
        { NULL },
};
static const Schema hardware = { SCHEMA_OBJECT, .fields = hardware_fields };

static const SchemaField vm_fields[] = {
        { "hypervisor", &hypervisor },
        { "kernel",     &kernel, .required = true },
        { "image",      &image },
        { "hwConfig",   &hardware, .since = SPEC_1_3 },
        { NULL },
};

const Schema schema_vm = { SCHEMA_OBJECT, .fields = vm_fields };
