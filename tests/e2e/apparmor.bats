# Processes in profiles of AppArmor, by our own engine as by the other runtimes: in a test machine of the profile systemd, whose kernel has it
# on. Where it is off a profile is refused, as by them.

load helpers

setup_file() {
        ((EUID == 0)) || skip "needs root"
        has_apparmor || return 0
        for name in first second; do
                printf 'profile lxcri-test-%s flags=(attach_disconnected,mediate_deleted) {\n' "$name"
                printf '  %s,\n' file capability network signal ptrace unix "deny /$name/** rw"
                echo '}'
        done > "$BATS_FILE_TMPDIR/profiles"
        apparmor_parser --replace --skip-cache "$BATS_FILE_TMPDIR/profiles"
}

teardown_file() {
        [[ ! -e $BATS_FILE_TMPDIR/profiles ]] || apparmor_parser --remove "$BATS_FILE_TMPDIR/profiles"
}

is_enabled() {
        [[ $(cat /sys/module/apparmor/parameters/enabled 2> /dev/null) == Y ]]
}

has_apparmor() {
        is_enabled && [[ -e /sys/kernel/security/apparmor/.replace ]] && type -P apparmor_parser > /dev/null
}

# confined_bundle PROFILE: its program says which profile it is in, and which of two files it may read
confined_bundle() {
        [[ -e $T/b ]] || make_bundle "$T/b"
        jq --arg profile "$1" '.process.apparmorProfile = $profile | .process.args = ["sh", "/say"]' "$T/b/config.json" > "$T/config"
        mv "$T/config" "$T/b/config.json"
        mkdir -p "$T/b/rootfs/first" "$T/b/rootfs/second"
        echo 1 > "$T/b/rootfs/first/file"
        echo 2 > "$T/b/rootfs/second/file"
        echo 'cat /proc/self/attr/current; cat /first/file /second/file 2> /dev/null; touch /started' > "$T/b/rootfs/say"
}

FIRST=$'lxcri-test-first (enforce)\n2'
SECOND=$'lxcri-test-second (enforce)\n1'

# said TEXT CMD…: what the program has to say
said() {
        ok "${@:2}"
        [[ $output == "$1" ]] || {
                echo "expected '$1', got '$output' of ${*:2}"
                return 1
        }
        rm "$T/b/rootfs/started"
}

# refuses CMD…: names the profile or the cause, and starts nothing
refuses() {
        try "$@"
        if ((status == 0)) || [[ ${errors,,} != *apparmor* || -e $T/b/rootfs/started ]]; then
                echo "exited with $status: $*"
                echo "$errors"
                return 1
        fi
}

confined() {
        local runtime=$1

        confined_bundle lxcri-test-first
        said "$FIRST" lxcri --runtime "$runtime" run --bundle "$T/b" "$ID"
        jq '.process.args = ["sleep", "1000"]' "$T/b/config.json" > "$T/config"
        jq '.process | .apparmorProfile = "lxcri-test-second" | .noNewPrivileges = true' "$T/b/config.json" > "$T/process.json"
        mv "$T/config" "$T/b/config.json"
        ok lxcri --runtime "$runtime" create --bundle "$T/b" "$ID"
        ok lxcri start "$ID"
        said "$FIRST" lxcri exec "$ID" sh /say
        said "$SECOND" lxcri exec --apparmor lxcri-test-second "$ID" sh /say
        said "$SECOND" lxcri exec --process "$T/process.json" "$ID"
        refuses lxcri exec --apparmor lxcri-test-none "$ID" sh /say
        ok lxcri delete --force "$ID"
}

@test "a process and what exec starts are in the profile that is named for them" {
        has_apparmor || skip "this kernel runs without AppArmor, or there is no apparmor_parser"
        import_busybox
        confined native
        confined lxc
        # unprivileged with the first two
        for runtime in native lxc crun runc; do
                ok lxcri --runtime "$runtime" run --rm --security-opt apparmor=lxcri-test-first --image busybox "$ID" cat /proc/self/attr/current
                # Debian 13 has profiles for crun and runc themselves, under which this one is stacked
                says "lxcri-test-first ("
        done
}

@test "a profile that is not loaded, or a kernel without AppArmor, is an error of create, which starts nothing" {
        confined_bundle lxcri-test-none
        for runtime in crun runc; do
                refuses "$runtime" --root "$T/$runtime" create --bundle "$T/b" "$ID"
                "$runtime" --root "$T/$runtime" delete --force "$ID" 2> /dev/null || true
        done
        for runtime in native lxc crun runc; do
                host_snapshot "$T/before"
                refuses lxcri --runtime "$runtime" create --bundle "$T/b" "$ID"
                assert_host_unchanged "$T/before"
                if is_enabled && [[ $runtime == native || $runtime == lxc ]]; then
                        complains "process.apparmorProfile: 'lxcri-test-none': No such file or directory"
                        complains "hint: is that profile loaded?"
                fi
        done
}
