# Debian 12's systemd (tests/fixtures/debian) boots as a system container, and stops.

load helpers

setup_file() {
        ((EUID == 0)) || skip "needs root"
        DEBIAN=$("$BATS_TEST_DIRNAME/../fixtures/debian") || return 1
        "$LXCRI_PROGRAM" --root "$BATS_FILE_TMPDIR/r" --store "$BATS_FILE_TMPDIR/s" image import "$DEBIAN/image" debian 3>&-
}

setup() {
        common_setup
        STORE=$BATS_FILE_TMPDIR/s
}

# system_is STATE: what systemctl says; before its manager answers it says nothing of the kind
system_is() {
        try lxcri exec "$ID" systemctl is-system-running
        [[ $output == "$1" || $output == degraded ]]
}

has_booted() {
        wait_until 120 system_is running
        [[ $output == running ]] || {
                lxcri exec "$ID" systemctl --failed --no-legend
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

@test "systemd boots on native and lxc, privileged and not, to running, and halts when stopped" {
        for runtime in native lxc; do
                boots "$runtime" --userns host
                ok lxcri delete "$ID"
                boots "$runtime"
                [[ $runtime == lxc ]] || ok lxcri delete "$ID"
        done

        # and again, as the same machine, with its journal of the time before
        ok lxcri start "$ID"
        has_booted
        ok lxcri exec "$ID" sh -c 'cat /etc/machine-id; tr "\0" "\n" < /proc/1/environ | sed -n s/^container_uuid=//p'
        [[ ${lines[0]:-${output%%$'\n'*}} == "${output##*$'\n'}" ]]
        ok lxcri delete --force "$ID"
}
