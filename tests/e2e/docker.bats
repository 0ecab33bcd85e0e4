# Docker's own daemon with our program among its runtimes. It runs in a network namespace of its own, where it may set up its bridge and rules
# as it always does.

load helpers

setup() {
        local name

        common_setup
        command -v dockerd > /dev/null || skip "docker.io is not installed"
        command -v docker > /dev/null || skip "docker's client is not installed"
        jq --arg root "$ROOT" --arg store "$STORE" '. + {root: $root, store: $store}' "$T/config.json" > "$T/new"
        mv "$T/new" "$T/config.json"
        touch "$T/host"
        unshare --net="$T/host" ip link set lo up
        for name in native lxc crun runc; do
                ln -s "$LXCRI_PROGRAM" "$T/proxmox-lxcri-$name"
        done
        jq -n --arg t "$T" --arg crun "$(type -P crun)" '{
                "data-root": ($t + "/d"), "exec-root": ($t + "/x"), pidfile: ($t + "/pid"), hosts: ["unix://" + $t + "/d.sock"], "storage-driver": "overlay2",
                runtimes: ({"bare-crun": {path: $crun}} + (["native", "lxc", "crun", "runc"] | map({key: ("lxcri-" + .), value: {path: ($t + "/proxmox-lxcri-" + .)}}) | from_entries))
        }' > "$T/daemon.json"
        nsenter --net="$T/host" env "${PROGRAM_ENV[@]}" dockerd --config-file "$T/daemon.json" > "$T/dockerd.log" 2>&1 3>&- &
        DOCKERD=$!
        skopeo copy -q "oci:$FIXTURES/busybox:busybox" "docker-archive:$T/busybox.tar:busybox:latest"
        wait_until 60 eval 'docker_with version > /dev/null 2>&1'
        ok docker_with load -q -i "$T/busybox.tar"
}

teardown() {
        if [[ -n ${DOCKERD:-} ]]; then
                docker_with ps -aq 2> /dev/null | DOCKER_HOST=unix://$T/d.sock xargs -r docker rm -f > /dev/null 2>&1 || true
                kill "$DOCKERD" 2> /dev/null || true
                wait "$DOCKERD" || true
        fi
        [[ ! -e $T/host ]] || umount "$T/host"
        common_teardown
}

docker_with() {
        timeout 60 env HOME="$T" docker -H "unix://$T/d.sock" "$@" 3>&-
}

inspected() {
        docker_with inspect --format "{{$1}}" "$2"
}

# check_run RUNTIME
check_run() {
        try docker_with run --rm --runtime "$1" busybox sh -c 'echo out; echo err >&2; exit 42'
        [[ $status == 42 && $output == out && $errors == err ]] || { echo "$1: $status $output $errors"; return 1; }
        try docker_with run --rm --runtime "$1" --network none busybox /no/such/program
        # 127 for the words of runc, 125 for those of others
        [[ $status == 12[57] && $errors == *"/no/such/program"* ]] || { echo "$1: no such program: $status $errors"; return 1; }
        echo "through stdin" | docker_with run --rm -i --init --read-only --cap-drop all --user app --runtime "$1" busybox sh -c 'cat; id -u; touch /no 2>&1 || :' > "$T/cat"
        [[ $(< "$T/cat") == $'through stdin\n1000\n'*"Read-only file system"* ]]
}

check_life() {
        local pid

        ok docker_with run -d --name web --runtime "$1" --memory 64m --pids-limit 77 --cpus 0.5 busybox \
                sh -c 'trap "echo got TERM; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
        wait_until 10 eval 'docker_with logs web | grep -q ready'
        ok docker_with exec web sh -c 'ip -o -4 addr show eth0; exit 0'
        says 172.17.0
        try docker_with exec web sh -c 'exit 6'
        [[ $status == 6 ]]
        try "$PROJECT/tests/lib/terminal" 60 --when tick size=33x111 docker -H "unix://$T/d.sock" exec -it web \
                sh -c 'until [ "$(stty size)" = "33 111" ]; do echo tick; sleep 0.1; done; exit 7'
        [[ $status == 7 ]] || { echo "$1: $status ${output:0:200} ${errors:0:200}"; return 1; }
        ok docker_with stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' web
        [[ $output == "web "[1-9]*"/ 64MiB" ]]
        ok docker_with top web -o pid,args
        says trap
        ok docker_with pause web
        [[ $(inspected .State.Status web) == paused ]]
        ok docker_with unpause web
        ok docker_with update --memory 48m --memory-swap 96m web
        pid=$(inspected .State.Pid web)
        ok docker_with restart -t 10 web
        [[ $(inspected .State.Running web) == true && $(inspected .State.Pid web) != "$pid" ]]
        ok docker_with stop -t 10 web
        [[ $(inspected .State.ExitCode web) == 3 ]]
        [[ $(docker_with logs web | grep -c "got TERM") == 2 ]]

        ok docker_with run -d --name again --restart on-failure:2 --network none --runtime "$1" busybox sh -c 'echo once; exit 5'
        wait_until 30 eval '[[ $(docker_with inspect --format "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}" again) == "exited 5 2" ]]'
        [[ $(docker_with logs again | grep -c once) == 3 ]]
        try docker_with run --name hog --memory 32m --network none --runtime "$1" busybox dd if=/dev/zero of=/dev/null bs=256M count=1
        [[ $status == 137 && $(inspected .State.OOMKilled hog) == true ]] || { echo "$1: $status $output $errors"; return 1; }
        ok docker_with rm web again hog
}

@test "docker's run, exec, logs, stats, stop, restart policy with bare crun and through us and native" {
        check_run bare-crun
        check_life bare-crun
        check_run lxcri-native
        check_life lxcri-native
}

@test "docker's run, exec, logs, stats, stop, restart policy through us and lxc, crun" {
        check_run lxcri-lxc
        check_life lxcri-lxc
        check_run lxcri-crun
        check_life lxcri-crun
}

@test "docker's run, exec, logs, stats, stop, restart policy through us and runc" {
        check_run lxcri-runc
        check_life lxcri-runc
}
