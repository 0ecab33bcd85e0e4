# What liblxc does and leaves as the launcher of the runtime lxc; what that runtime has in common with others is the contract's business.

load helpers

# with_liblxc ARG…: whether a command of this program loads liblxc
with_liblxc() {
        rm -f "$T"/ld.*
        ok env "${PROGRAM_ENV[@]}" LD_DEBUG=files LD_DEBUG_OUTPUT="$T/ld" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" --runtime lxc "$@" || exit 1
        grep -lE "initialize program: .*$(basename "$LXCRI_PROGRAM")" "$T"/ld.* | xargs grep -hq 'calling init: .*liblxc'
}

@test "create loads liblxc, the other commands do not" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        with_liblxc create --bundle "$T/b" "$ID"
        not with_liblxc state "$ID"
        not with_liblxc start "$ID"
        not with_liblxc exec "$ID" true
        not with_liblxc kill "$ID" KILL
        wait_until 5 is_status "$ID" stopped
        not with_liblxc delete "$ID"
}

@test "liblxc's monitor is gone when create returns, and nothing of liblxc stays" {
        find /run/lxc /var/lib/lxc /var/log/lxc 2> /dev/null | sort > "$T/before" || true
        grep -c 'proxmox-lxcri-' /proc/net/unix > "$T/sockets" || true
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri --runtime lxc create --bundle "$T/b" --pid-file "$T/pid" "$ID"
        # the init is the only process that carries this container, and the monitor is not its parent
        [[ $(tr '\0' ' ' < "/proc/$(cat "$T/pid")/cmdline") == *init* ]]
        parent=$(awk '/^PPid/ { print $2 }' "/proc/$(cat "$T/pid")/status")
        [[ $(readlink "/proc/$parent/exe") != "$(readlink -f "$LXCRI_PROGRAM")" ]]
        not grep -q "lxc.monitor\|lxc.payload" "/proc/$(cat "$T/pid")/cgroup"
        find /run/lxc /var/lib/lxc /var/log/lxc 2> /dev/null | sort | diff "$T/before" -
        [[ $(grep -c 'proxmox-lxcri-' /proc/net/unix || true) == "$(cat "$T/sockets")" ]]
        ok lxcri --runtime lxc delete --force "$ID"
}

@test "the container's mounts come from the caller's namespace, not from liblxc's" {
        make_bundle "$T/b" '.process.args = ["cat", "/proc/self/mountinfo"]'
        ok lxcri --runtime lxc run --bundle "$T/b" "$ID"
        not grep -qE 'proxmox-lxcri-init| /init ' "$T/out"
        sed -E 's/^[0-9]+ [0-9]+ [0-9:]+ //; s/master:[0-9]+|shared:[0-9]+//' "$T/out" | sort > "$T/lxc"
        ok lxcri --runtime native run --bundle "$T/b" "$ID"
        sed -E 's/^[0-9]+ [0-9]+ [0-9:]+ //; s/master:[0-9]+|shared:[0-9]+//' "$T/out" | sort | diff "$T/lxc" -
}

@test "a container may have room for one process only" {
        make_bundle "$T/b" '.process.args = ["cat", "/proc/self/cgroup"] | .linux.resources.pids.limit = 1'
        ok lxcri --runtime lxc run --bundle "$T/b" "$ID"
        # on cgroup v2 it sees its own as the root
        grep -qE "$ID|^0::/$" "$T/out"
}

@test "an init that is killed by HUP has ended: liblxc does not take it for a reboot" {
        # the first process of a pid namespace would ignore it
        make_bundle "$T/b" '.process.args = ["sleep", "100"] | .linux.namespaces |= map(select(.type != "pid"))'
        ok lxcri --runtime lxc create --bundle "$T/b" --pid-file "$T/pid" "$ID"
        ok lxcri --runtime lxc start "$ID"
        kill -HUP "$(cat "$T/pid")"
        wait_until 5 is_status "$ID" stopped
        ok lxcri --runtime lxc delete "$ID"
}

@test "keeping liblxc's monitor is refused before anything is made" {
        make_bundle "$T/b" '.annotations = { "org.proxmox-lxcri.lxc.monitor": "true" }'
        fails NotSupported lxcri --runtime lxc create --bundle "$T/b" "$ID"
        complains 'org.proxmox-lxcri.lxc.monitor'
}

@test "a profile of seccomp is compiled once for each root" {
        make_bundle "$T/b" '.process.args = ["grep", "Seccomp:", "/proc/self/status"] | .linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
                syscalls: [{ names: ["getcpu"], action: "SCMP_ACT_ERRNO" }] }'
        ok lxcri --runtime lxc run --bundle "$T/b" "$ID"
        says $'Seccomp:\t2'
        [[ $(stat -c %a "$ROOT/.cache") == 700 && $(find "$ROOT/.cache" -type f | wc -l) == 1 ]]
        find "$ROOT/.cache" -type f -printf '%i %C@\n' > "$T/first"
        ok lxcri --runtime native run --bundle "$T/b" "$ID"
        says $'Seccomp:\t2'
        find "$ROOT/.cache" -type f -printf '%i %C@\n' | diff "$T/first" -
}

@test "files that are the container's standard streams keep their mode" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "cat; echo to-stderr >&2"]'
        echo "from a file" > "$T/in"
        touch "$T/1" "$T/2"
        chmod 640 "$T/in" "$T/1" "$T/2"
        lxcri --runtime lxc run --bundle "$T/b" "$ID" < "$T/in" > "$T/1" 2> "$T/2"
        [[ $(< "$T/1") == "from a file" && $(< "$T/2") == to-stderr ]]
        [[ $(stat -c %a "$T/in" "$T/1" "$T/2") == $'640\n640\n640' ]]
}
