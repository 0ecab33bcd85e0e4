# Strings of config.json and of image configs that hope for a parser: our own engine hands them on byte for byte, or refuses the container. None
# becomes a file on the host, or runs a program there.

load helpers

setup() {
        common_setup
        RUNTIME=native
        make_bundle "$T/b" '.process.args = ["sleep", "100"] | .hostname = "h" | .domainname = "d" | .annotations = {"a": "b"} | .linux.cgroupsPath = "/'"$ID"'"
                | .linux.sysctl = {"kernel.shmmni": "99"} | .linux.rootfsPropagation = "private" | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
                        architectures: ["SCMP_ARCH_X86_64"], syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}
                | .process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}] | .process.apparmorProfile = "" | .process.selinuxLabel = ""
                | .linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 3}] | .linux.mountLabel = ""
                | .hooks = {createRuntime: [{path: "/bin/true", args: ["true"], env: ["A=b"]}], createContainer: [{path: "/bin/true", args: ["true"]}]}'
        mv "$T/b/config.json" "$T/default.json"
        # what a shell, a config of liblxc, a mount option or a key=value list would make something of
        printf 'x"\x27\\\n=#,:;%%s $(touch %s/canary) `touch %s/canary` | touch %s/canary\nlxc.hook.pre-start = /bin/touch %s/canary\n../..' \
                "$T" "$T" "$T" "$T" > "$T/hostile"
        head -c 100000 /dev/zero | tr '\0' x > "$T/long"
}

each_launcher() {
        for RUNTIME in native lxc; do
                # no ||: in a list bash would go on after a command that fails
                echo "with $RUNTIME"
                "$@"
        done
}

arguments() {
        jq --rawfile hostile "$T/hostile" --rawfile long "$T/long" '.process.args = ["sh", "-c", "cat /proc/$$/cmdline /proc/$$/environ; :", $hostile, $long, ""]
                | .process.env = ["PATH=/bin", "HOSTILE=" + $hostile, "LONG=" + $long, $hostile, "=", "HOME=/"] | del(.hooks)' "$T/default.json" > "$T/b/config.json"
        ok lxcri --runtime "$RUNTIME" run --bundle "$T/b" "$ID"
        jq -j '(.process.args[], .process.env[]) + "\u0000"' "$T/b/config.json" | cmp - "$T/out"
}

@test "arguments and environment of config.json arrive byte for byte" {
        each_launcher arguments
        # bytes that are no text are no JSON
        sed 's/"true"/"tr\xffue"/' "$T/default.json" > "$T/b/config.json"
        fails InvalidJson lxcri --runtime native create --bundle "$T/b" "$ID"
}

from_image() {
        ok lxcri --runtime "$RUNTIME" run --rm --image evil "$ID"
        jq -e -Rs --rawfile hostile "$T/hostile" --rawfile long "$T/long" 'split("\u0000") | .[3:5] == [$hostile, $long]
                and index("HOSTILE=" + $hostile) and index("LONG=" + $long)' "$T/out" > /dev/null
}

@test "arguments and environment of an image's config arrive byte for byte" {
        jq -n --rawfile hostile "$T/hostile" --rawfile long "$T/long" --arg rootfs "$FIXTURES/rootfs" '{name: "evil", layers: [{tree: $rootfs}],
                config: {Entrypoint: ["sh", "-c", "cat /proc/$$/cmdline /proc/$$/environ; :"], Cmd: [$hostile, $long],
                        Env: ["PATH=/bin", "HOSTILE=" + $hostile, "LONG=" + $long], Labels: {($hostile): $hostile}}}' | make_image "$T/i" > /dev/null
        ok lxcri image import "$T/i" evil
        each_launcher from_image
        [[ ! -e $T/canary ]]
}

# create_with PATH VALUE: the default bundle with that string in its place
create_with() {
        jq --rawfile value "$T/$2" --argjson path "$1" 'setpath($path; $value)' "$T/default.json" > "$T/b/config.json"
        try lxcri --runtime "$RUNTIME" create --bundle "$T/b" "$ID"
        if ((status == 0)); then
                ok lxcri delete --force "$ID"
        elif ((status != 1)) || [[ $errors != *": error: "* || $errors == *ended\ before* || $errors == *died* ]]; then
                echo "$1: exited with $status: $errors"
                return 1
        fi
}

@test "every other string is handed on or refused, and nothing of it happens on the host" {
        host_snapshot "$T/before"
        # of lists the first
        jq -c '[paths(type == "string")] | unique_by(map(if type == "number" then 0 else . end)) | .[] | select(.[0] != "ociVersion" and .[1] != "capabilities")' \
                "$T/default.json" > "$T/paths"
        while read -r path; do
                create_with "$path" hostile
        done < "$T/paths"
        for path in '["hostname"]' '["process", "cwd"]' '["root", "path"]' '["linux", "cgroupsPath"]' '["mounts", 0, "destination"]'; do
                create_with "$path" long
                RUNTIME=lxc create_with "$path" hostile
        done
        assert_host_unchanged "$T/before"
        [[ ! -e $T/canary ]]
}
