# A Debian root as application containers of native and lxc, and as a system container that boots to systemd's "running", and stops. Here it
# is Debian 12's (tests/fixtures/debian), in a test machine Debian 13's, made of the machine's own packages (tests/fixtures/own-root).

load helpers
load debian-helpers

setup_file() {
        ((EUID == 0)) || skip "needs root"
        if [[ -n ${LXCRI_PREBUILT:-} ]]; then
                SOURCE=$BATS_FILE_TMPDIR/root.tar
                "$BATS_TEST_DIRNAME/../fixtures/own-root" "$SOURCE" || return 1
        else
                SOURCE=$("$BATS_TEST_DIRNAME/../fixtures/debian")/image || return 1
        fi
        "$LXCRI_PROGRAM" --root "$BATS_FILE_TMPDIR/r" --store "$BATS_FILE_TMPDIR/s" image import "$SOURCE" debian 3>&-
        [[ -z ${LXCRI_PREBUILT:-} ]] || rm "$SOURCE"
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

        ok lxcri --runtime "$runtime" run -d "$@" --image debian "$ID" /sbin/init
        has_booted
        ok lxcri exec "$ID" sh -c 'cat /proc/1/comm; systemd-detect-virt --container; systemd-run -q --wait --pipe cat /proc/self/cgroup'
        [[ $output == *systemd$'\n'container-other$'\n'* && $output == */system.slice/run-*.service* ]]
        ok lxcri logs "$ID"
        says "Welcome to"
        says "Multi-User"
        ok lxcri stop -t 120 "$ID"
        ok lxcri inspect "$ID"
        says '"exitCode": 0'
}

@test "apt-get, python3 and id run with native and lxc, privileged and not" {
        for runtime in native lxc; do
                as_an_administrator "$runtime"
                as_an_administrator "$runtime" --userns host
        done
        # more of the same in a machine would only take its time
        [[ -z ${LXCRI_PREBUILT:-} ]] || return 0
        for_runtime native
        for_runtime lxc
        for_runtime native --userns host
}

@test "systemd boots on native and lxc, privileged and not, to running, and halts when stopped" {
        for runtime in native lxc; do
                boots "$runtime" --userns host
                ok lxcri delete "$ID"
                boots "$runtime"
                [[ $runtime == lxc ]] || ok lxcri delete "$ID"
        done
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
