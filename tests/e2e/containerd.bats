# containerd's ctr with our program in runc's place, each of our runtimes behind it. The image is containerd's own import.

load helpers

setup() {
        local i

        common_setup
        if ! command -v ctr > /dev/null || ! command -v containerd > /dev/null; then
                skip "containerd is not installed"
        fi
        jq --arg root "$ROOT" --arg store "$STORE" '. + {root: $root, store: $store}' "$T/config.json" > "$T/new"
        mv "$T/new" "$T/config.json"
        cat > "$T/containerd.toml" << TOML
version = 2
root = "$T/cr"
state = "$T/cs"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$T/c.sock"
[ttrpc]
  address = "$T/ct.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$T/opt"
TOML
        env "${PROGRAM_ENV[@]}" containerd -c "$T/containerd.toml" > "$T/containerd.log" 2>&1 3>&- &
        CONTAINERD=$!
        wait_until 20 eval 'ctr_with version > /dev/null 2>&1'
        skopeo copy -q "oci:$FIXTURES/busybox:busybox" "oci-archive:$T/busybox.tar:busybox"
        ok ctr_with image import --base-name localhost/busybox "$T/busybox.tar"
        IMAGE=localhost/busybox:busybox
}

teardown() {
        if [[ -n ${CONTAINERD:-} ]]; then
                ctr_with task kill -s KILL "$ID" > /dev/null 2>&1 || true
                kill "$CONTAINERD" 2> /dev/null || true
                wait "$CONTAINERD" || true
        fi
        common_teardown
}

ctr_with() {
        timeout 60 env "${PROGRAM_ENV[@]}" ctr -a "$T/c.sock" "$@" 3>&-
}

through() {
        ln -sf "$LXCRI_PROGRAM" "$T/$1"
        OCI=$T/$1
}

check_run() {
        local name

        for name in "$1" "$2"; do
                if [[ $name == proxmox-lxcri* ]]; then through "$name"; else OCI=$(command -v "$name"); fi
                try ctr_with run --rm --runc-binary "$OCI" "$IMAGE" "$ID" sh -c 'echo out; echo err >&2; exit 42'
                [[ $status == 42 && $output == out && $errors == *err* ]] || { echo "$name: $status $output $errors"; return 1; }
                # What the runtime says of its failure reaches the user
                try ctr_with run --rm --runc-binary "$OCI" "$IMAGE" "$ID" /no/such/program
                [[ $status != 0 && $errors == *"/no/such/program"* ]] || { echo "$name: no such program: $status $errors"; return 1; }
        done
}

check_life() {
        through "$1"
        ok ctr_with run -d --runc-binary "$OCI" "$IMAGE" "$ID" sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done'
        ok ctr_with task ls
        says RUNNING
        ok ctr_with task exec --exec-id e1 "$ID" echo inside
        says inside
        try ctr_with task exec --exec-id e2 "$ID" sh -c 'exit 6'
        [[ $status == 6 ]]
        ok ctr_with task pause "$ID"
        ok ctr_with task ls
        says PAUSED
        ok ctr_with task resume "$ID"
        ok ctr_with task kill "$ID"
        wait_until 10 eval 'ctr_with task ls | grep -q STOPPED'
        try ctr_with task rm "$ID"
        complains "exit code 3"
        ok ctr_with container rm "$ID"
}

@test "ctr run --rm: exit codes, stdio and errors as with bare crun" {
        check_run crun proxmox-lxcri-crun
}

@test "ctr run --rm: exit codes, stdio and errors as with bare runc" {
        check_run runc proxmox-lxcri-runc
}

@test "ctr: run, exec, pause, kill, delete through us and crun" {
        check_life proxmox-lxcri-crun
}

@test "ctr: run, exec, pause, kill, delete through us and runc" {
        check_life proxmox-lxcri-runc
}

@test "ctr through us and native: exit codes, stdio and errors, run, exec, pause, kill, delete" {
        check_run crun proxmox-lxcri-native
        check_life proxmox-lxcri-native
}

@test "ctr through us and lxc: exit codes, stdio and errors, run, exec, pause, kill, delete" {
        check_run crun proxmox-lxcri-lxc
        check_life proxmox-lxcri-lxc
}
