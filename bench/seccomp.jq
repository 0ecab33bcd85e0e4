# The profile that podman gives containers ($profile[0], containers/common's format) as a bundle of x86_64 with these capabilities has it.
def fits($caps):
        ((.includes.arches // ["amd64"]) | index("amd64")) and (((.excludes.arches // []) | index("amd64")) | not) and
        ((.includes.caps // $caps) - ((.includes.caps // $caps) - $caps) | length > 0) and
        ((.excludes.caps // []) - ((.excludes.caps // []) - $caps) | length == 0);
.process.capabilities.bounding as $caps | $profile[0] as $p |
.linux.seccomp = {
        defaultAction: $p.defaultAction,
        defaultErrnoRet: $p.defaultErrnoRet,
        architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        syscalls: [$p.syscalls[] | select(fits($caps)) | {names, action} + (if .errnoRet then {errnoRet} else {} end) +
                   (if (.args // []) | length > 0 then {args} else {} end)]
}
