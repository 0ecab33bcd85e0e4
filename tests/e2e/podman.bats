# podman with our program as its runtime, each of ours behind it. The image is podman's own import.

load helpers

setup() {
        common_setup
        command -v podman > /dev/null || skip "podman is not installed"
        # Settings rather than options: conmon and podman's own clean-up read them too
        jq --arg root "$ROOT" --arg store "$STORE" '. + {root: $root, store: $store}' "$T/config.json" > "$T/new"
        mv "$T/new" "$T/config.json"
        cat > "$T/containers.conf" << CONF
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
        printf '[storage]\ndriver = "overlay"\nrunroot = "%s"\ngraphroot = "%s"\n' "$T/pr" "$T/p" > "$T/storage.conf"
        skopeo copy -q "oci:$FIXTURES/busybox:busybox" "oci-archive:$T/busybox.tar:busybox"
}

teardown() {
        podman_with rm -f -t 0 --all > /dev/null 2>&1 || true
        umount "$T/p/overlay" 2> /dev/null || true
        common_teardown
}

# through NAME: podman runs our program by that name. Since podman 5 conmon hands no environment on, so our settings are put there again
through() {
        OCI=$T/$1
        {
                echo '#!/bin/bash'
                printf 'export %q\n' "${PROGRAM_ENV[@]}"
                printf 'exec -a %q %q "$@"\n' "$OCI" "$LXCRI_PROGRAM"
        } > "$OCI"
        chmod +x "$OCI"
}

podman_with() {
        timeout 60 env "${PROGRAM_ENV[@]}" PODMAN_IGNORE_CGROUPSV1_WARNING=1 CONTAINERS_CONF="$T/containers.conf" CONTAINERS_STORAGE_CONF="$T/storage.conf" TMPDIR="$T" \
                podman --tmpdir "$T/pt" --runtime "${OCI:-crun}" "$@" 3>&-
}

# The same with the bare runtime and through us
check_run() {
        local name

        for name in "$1" "$2"; do
                if [[ $name == proxmox-lxcri* ]]; then through "$name"; else OCI=$(command -v "$name"); fi
                try podman_with run --rm localhost/busybox sh -c 'echo out; echo err >&2; exit 42'
                [[ $status == 42 && $output == out && $errors == *err* ]] || { echo "$name: $status $output $errors"; return 1; }
                try podman_with run --rm localhost/busybox /no/such/program
                # 127: what podman makes of the runtime's "no such file"
                [[ $status == 127 ]] || { echo "$name: no such program: $status $errors"; return 1; }
                status=0
                echo "through stdin" | podman_with run --rm -i localhost/busybox cat > "$T/cat" || status=$?
                [[ $status == 0 && $(cat "$T/cat") == "through stdin" ]]
        done
}

check_life() {
        through "$1"
        ok podman_with run -d --name web localhost/busybox sh -c 'trap "echo got TERM; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
        wait_until 10 eval 'podman_with logs web | grep -q ready'
        ok podman_with exec web sh -c 'echo inside; exit 0'
        says inside
        try podman_with exec web sh -c 'exit 6'
        [[ $status == 6 ]]
        ok podman_with ps --format '{{.Names}}'
        says web
        ok podman_with stop -t 10 web
        ok podman_with logs web
        says "got TERM"
        [[ $(podman_with inspect --format '{{.State.ExitCode}}' web) == 3 ]]
        ok podman_with rm web
        [[ -z $(podman_with ps -aq) ]]
}

@test "podman run --rm: exit codes and stdio as with bare crun" {
        ok podman_with load -q -i "$T/busybox.tar"
        check_run crun proxmox-lxcri-crun
}

@test "podman run --rm: exit codes and stdio as with bare runc" {
        ok podman_with load -q -i "$T/busybox.tar"
        check_run runc proxmox-lxcri-runc
}

@test "podman run -d, exec, logs, stop, rm through us and crun" {
        ok podman_with load -q -i "$T/busybox.tar"
        check_life proxmox-lxcri-crun
}

@test "podman run -d, exec, logs, stop, rm through us and runc" {
        ok podman_with load -q -i "$T/busybox.tar"
        check_life proxmox-lxcri-runc
}

@test "podman run -t: the container has a terminal" {
        ok podman_with load -q -i "$T/busybox.tar"
        through proxmox-lxcri-crun
        ok "$PROJECT/tests/lib/terminal" 60 env "${PROGRAM_ENV[@]}" CONTAINERS_CONF="$T/containers.conf" CONTAINERS_STORAGE_CONF="$T/storage.conf" \
                TMPDIR="$T" podman --tmpdir "$T/pt" --runtime "$OCI" run --rm -t localhost/busybox tty
        says /dev/pts/0
}

# check_options NAME: what people ask podman for, the same of every runtime
check_options() {
        if [[ $1 == proxmox-lxcri* ]]; then through "$1"; else OCI=$(command -v "$1"); fi
        mkdir -p "$T/vol"
        echo "from the host" > "$T/vol/file"
        try podman_with run --rm --memory 64m --pids-limit 77 --cpus 0.5 -v "$T/vol:/vol" --tmpfs /scratch --read-only --user 1000:1000 --cap-drop all \
                --security-opt no-new-privileges --ulimit nofile=100:100 --ulimit nproc=4096:4096 localhost/busybox \
                sh -c 'cat /vol/file; id -u; ulimit -n; grep -c " /scratch tmpfs" /proc/mounts; grep CapEff /proc/self/status; touch /no 2>&1'
        [[ $status == 1 ]] || { echo "$1: $status $errors"; return 1; }
        [[ $output == *"from the host"*1000*100*1*0000000000000000*"Read-only file system"* ]] || { echo "$1: $output"; return 1; }
        ok podman_with run -d --name opts localhost/busybox sleep 1000
        ok podman_with top opts pid args
        says "sleep 1000"
        ok podman_with stats --no-stream --format '{{.Name}} {{.PIDs}}' opts
        says "opts 1"
        ok podman_with pause opts
        [[ $(podman_with inspect --format '{{.State.Status}}' opts) == paused ]]
        ok podman_with unpause opts
        ok podman_with kill opts
        [[ $(podman_with wait opts) == 137 ]]
        ok podman_with rm opts
}

@test "podman's options through us and crun are as with bare crun" {
        ok podman_with load -q -i "$T/busybox.tar"
        check_options crun
        check_options proxmox-lxcri-crun
}

@test "podman's options through us and runc are as with bare runc" {
        ok podman_with load -q -i "$T/busybox.tar"
        check_options runc
        check_options proxmox-lxcri-runc
}

@test "podman through us and native: exit codes and stdio, run -d, exec, logs, stop, rm, options" {
        ok podman_with load -q -i "$T/busybox.tar"
        check_run crun proxmox-lxcri-native
        check_life proxmox-lxcri-native
        check_options proxmox-lxcri-native
}

@test "podman through us and lxc: exit codes and stdio, run -d, exec, logs, stop, rm, options" {
        ok podman_with load -q -i "$T/busybox.tar"
        check_run crun proxmox-lxcri-lxc
        check_life proxmox-lxcri-lxc
        check_options proxmox-lxcri-lxc
}
