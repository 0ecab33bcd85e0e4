# A Debian root as application containers of native and lxc, and as a system container that boots to systemd's "running", and stops: Debian
# 12's (tests/fixtures/debian), and in a test machine, where this runs when asked for by name, also that of the machine's own packages, so
# Debian 13's (tests/fixtures/own-root).

load helpers
load debian-helpers

setup_file() {
        ((EUID == 0)) || skip "needs root"
        source=$("$BATS_TEST_DIRNAME/../fixtures/debian")/image || return 1
        import "$source" debian
        [[ -n ${LXCRI_PREBUILT:-} ]] || return 0
        "$BATS_TEST_DIRNAME/../fixtures/own-root" "$BATS_FILE_TMPDIR/root.tar"
        import "$BATS_FILE_TMPDIR/root.tar" own
        rm "$BATS_FILE_TMPDIR/root.tar"
}

# import SOURCE NAME: into the one store
import() {
        "$LXCRI_PROGRAM" --root "$BATS_FILE_TMPDIR/r" --store "$BATS_FILE_TMPDIR/s" image import "$1" "$2" 3>&-
}

setup() {
        common_setup
        STORE=$BATS_FILE_TMPDIR/s
}

# has_settled: systemctl says how it came up, before which it says nothing of the kind; or it has ended
has_settled() {
        try lxcri exec "$ID" systemctl is-system-running
        [[ $output == running || $output == degraded || $errors == *"container not running"* ]]
}

has_booted() {
        wait_until 240 has_settled
        [[ $output == running ]] || {
                lxcri exec "$ID" systemctl --failed --no-legend
                lxcri logs "$ID"
                return 1
        }
}

# boots RUNTIME [OPTION…]
boots() {
        local runtime=$1
        shift

        ok lxcri --runtime "$runtime" run -d "$@" --image "$IMAGE" "$ID" /sbin/init
        has_booted
        ok lxcri exec "$ID" sh -c 'cat /proc/1/comm; systemd-detect-virt --container; systemd-run -q --wait --pipe cat /proc/self/cgroup'
        [[ $output == *systemd$'\n'container-other$'\n'* && $output == */system.slice/run-*.service* ]]
        ok lxcri logs "$ID"
        says "Welcome to"
        # Of what comes later a getty may throw away what nobody has read yet
        says "System Initialization"
        ok lxcri stop -t 120 "$ID"
        ok lxcri inspect "$ID"
        says '"exitCode": 0'
}

# each_root CMD…: with every image that there is
each_root() {
        local images=(debian)

        [[ -z ${LXCRI_PREBUILT:-} ]] || images+=(own)
        for IMAGE in "${images[@]}"; do
                echo "with $IMAGE"
                "$@"
        done
}

runs_programs() {
        for runtime in native lxc; do
                as_an_administrator "$runtime"
                as_an_administrator "$runtime" --userns host
        done
}

@test "apt-get, python3 and id run with native and lxc, privileged and not" {
        each_root runs_programs
        # more of the same in a machine would only take its time
        [[ -z ${LXCRI_PREBUILT:-} ]] || return 0
        for_runtime native
        for_runtime lxc
        for_runtime native --userns host
}

privileged() {
        for runtime in native lxc; do
                boots "$runtime" --userns host
                ok lxcri delete "$ID"
        done
}

@test "systemd boots on native and lxc, privileged, to running, and halts when stopped" {
        each_root privileged
}

unprivileged() {
        boots native
        ok lxcri delete "$ID"
        boots lxc
        if [[ -n ${LXCRI_PREBUILT:-} ]]; then
                ok lxcri delete "$ID"
                return 0
        fi

        # and again, as the same machine, with its journal of the time before
        ok lxcri start "$ID"
        has_booted
        ok lxcri exec "$ID" sh -c 'cat /etc/machine-id; tr "\0" "\n" < /proc/1/environ | sed -n s/^container_uuid=//p'
        [[ ${lines[0]:-${output%%$'\n'*}} == "${output##*$'\n'}" ]]
        ok lxcri delete --force "$ID"
}

@test "systemd boots on native and lxc, unprivileged, to running, and halts when stopped" {
        each_root unprivileged
}
