# podman with our program as its runtime, each of ours behind it. The image is podman's own import.
#
# One body is run with a bare runtime and with each of ours in its place.

load helpers

setup() {
        common_setup
        command -v podman > /dev/null || skip "podman is not installed"
        # Settings rather than options: conmon and podman's own clean-up read them too
        jq --arg root "$ROOT" --arg store "$STORE" '. + {root: $root, store: $store}' "$T/config.json" > "$T/new"
        mv "$T/new" "$T/config.json"
        mkdir "$T/vol" "$T/networks"
        echo "from the host" > "$T/vol/file"
        cat > "$T/containers.conf" << CONF
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
netns = "none"
init_path = "$(type -P catatonit)"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
network_config_dir = "$T/networks"
CONF
        printf '[storage]\ndriver = "overlay"\nrunroot = "%s"\ngraphroot = "%s"\n[storage.options]\nroot-auto-userns-user = "lxcri"\n' \
                "$T/pr" "$T/p" > "$T/storage.conf"
        skopeo copy -q "oci:$FIXTURES/busybox:busybox" "oci-archive:$T/busybox.tar:busybox"
        # what podman is started by
        WITHIN=()
        PODMAN=(env "${PROGRAM_ENV[@]}" PODMAN_IGNORE_CGROUPSV1_WARNING=1 CONTAINERS_CONF="$T/containers.conf"
                CONTAINERS_STORAGE_CONF="$T/storage.conf" TMPDIR="$T" podman --tmpdir "$T/pt")
        ok podman_with load -q -i "$T/busybox.tar"
}

teardown() {
        podman_with rm -f -t 0 --all > /dev/null 2>&1 || true
        umount "$T/p/overlay" 2> /dev/null || true
        [[ ! -e $T/host ]] || umount "$T/host"
        common_teardown
}

# by NAME: podman's runtime, ours by one of its names or another's. Since podman 5 conmon hands no environment on, so our settings are put
# there again
by() {
        if [[ $1 != proxmox-lxcri-* ]]; then
                OCI=$(type -P "$1")
                return
        fi
        OCI=$T/$1
        {
                echo '#!/bin/bash'
                printf 'export %q\n' "${PROGRAM_ENV[@]}"
                printf 'exec -a %q %q "$@"\n' "$OCI" "$LXCRI_PROGRAM"
        } > "$OCI"
        chmod +x "$OCI"
}

podman_with() {
        timeout 60 "${WITHIN[@]}" "${PODMAN[@]}" --runtime "${OCI:-crun}" "$@" 3>&-
}

# on_terminal [--when TEXT DOING]… -- ARG…: podman on a terminal, see tests/lib/terminal
on_terminal() {
        local script=()

        while [[ $1 != -- ]]; do
                script+=("$1")
                shift
        done
        shift
        "$PROJECT/tests/lib/terminal" 60 "${script[@]}" "${PODMAN[@]}" --runtime "$OCI" "$@" 3>&-
}

# inspected FORMAT NAME
inspected() {
        podman_with inspect --format "{{$1}}" "$2"
}

check_run() {
        by "$1"
        try podman_with run --rm localhost/busybox sh -c 'echo out; echo err >&2; exit 42'
        [[ $status == 42 && $output == out && $errors == *err* ]] || { echo "$1: $status $output $errors"; return 1; }
        try podman_with run --rm localhost/busybox /no/such/program
        # 127: what podman makes of the runtime's "no such file"
        [[ $status == 127 ]] || { echo "$1: no such program: $status $errors"; return 1; }
        status=0
        echo "through stdin" | podman_with run --rm -i localhost/busybox cat > "$T/cat" || status=$?
        [[ $status == 0 && $(cat "$T/cat") == "through stdin" ]]
}

check_life() {
        by "$1"
        ok podman_with run -d --name web localhost/busybox sh -c 'trap "echo got TERM; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
        wait_until 10 eval 'podman_with logs web | grep -q ready'
        ok podman_with exec web sh -c 'echo inside; exit 0'
        says inside
        try podman_with exec web sh -c 'exit 6'
        [[ $status == 6 ]]
        ok podman_with ps --format '{{.Names}}'
        says web
        ok podman_with top web pid args
        says "trap"
        ok podman_with stats --no-stream --format '{{.Name}} {{.PIDs}}' web
        says "web "
        ok podman_with pause web
        [[ $(inspected .State.Status web) == paused ]]
        ok podman_with unpause web
        ok podman_with stop -t 10 web
        ok podman_with logs web
        says "got TERM"
        [[ $(inspected .State.ExitCode web) == 3 ]]
        ok podman_with rm web
        [[ -z $(podman_with ps -aq) ]]
}

# What people ask podman for
check_options() {
        local seccomp='{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}'

        by "$1"
        try podman_with run --rm --memory 64m --pids-limit 77 --cpus 0.5 -v "$T/vol:/vol" --tmpfs /scratch --read-only --user 1000:1000 --cap-drop all \
                --security-opt no-new-privileges --ulimit nofile=100:100 --ulimit nproc=4096:4096 localhost/busybox sh -c '
                        cd /sys/fs/cgroup
                        if [ -e memory.max ]; then cat memory.max pids.max cpu.max
                        else echo $(cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us); fi
                        cat /vol/file; id -u; ulimit -n; grep -c " /scratch tmpfs" /proc/mounts; grep -E "CapEff|NoNewPrivs" /proc/self/status; touch /no 2>&1'
        [[ $status == 1 && ${output//[$'\n\t']/ } == "67108864 77 50000 100000 from the host 1000 100 1 CapEff: 0000000000000000 NoNewPrivs: 1 "*"Read-only file system" ]] ||
                { echo "$1: $status $output $errors"; return 1; }

        echo "$seccomp" > "$T/seccomp.json"
        try podman_with run --rm --init --cpuset-cpus 0 --cap-drop chown --security-opt seccomp="$T/seccomp.json" --hostname box localhost/busybox sh -c '
                tr "\0" "\n" < /proc/1/cmdline | head -n 1; nproc; hostname; grep Seccomp: /proc/self/status; chown 1 /tmp 2>&1; mkdir /no 2>&1'
        [[ $status == 1 && $output == *init*$'\n1\nbox\nSeccomp:\t2\n'*"Operation not permitted"*"Operation not supported" ]] ||
                { echo "$1: $status $output $errors"; return 1; }

        ok podman_with run -d --name opts --health-cmd 'test -e /healthy' --health-interval disable --security-opt seccomp=unconfined \
                localhost/busybox sleep 1000
        try podman_with healthcheck run opts
        [[ $status == 1 ]]
        ok podman_with exec opts sh -c 'touch /healthy; grep Seccomp: /proc/self/status'
        says $'Seccomp:\t0'
        ok podman_with healthcheck run opts
        ok podman_with kill opts
        [[ $(podman_with wait opts) == 137 ]]
        ok podman_with rm opts
}

# What conmon brings out: bytes and the window's size both ways, exit status, a signal, and that the kernel's OOM killer came
check_conmon() {
        local until_resized='until [ "$(stty size)" = "33 111" ]; do echo tick; sleep 0.1; done; echo resized'

        by "$1"
        ok podman_with run -dit --name tty localhost/busybox sh -c "$until_resized"'; read -r word; echo "got $word"; exit 7'
        try on_terminal --when tick size=33x111 --when resized 'type=there\r' -- attach tty
        [[ $output == *resized*"got there"* ]] || { echo "$1: $status $output $errors"; return 1; }
        [[ $(podman_with wait tty) == 7 ]]

        ok podman_with run -d --name up localhost/busybox sleep 1000
        try on_terminal --when ready 'type=hello\r' --when "got hello" size=33x111 -- exec -it up \
                sh -c 'tty; echo ready; read -r word; echo "got $word"; '"$until_resized; exit 8"
        [[ $status == 8 && $output == /dev/pts/*resized* ]] || { echo "$1: $status $output $errors"; return 1; }
        # Ctrl-C is the terminal's to make a signal of
        try on_terminal --when ready 'type=^C' -- exec -it up sh -c 'trap "exit 9" INT; echo ready; while :; do sleep 0.1; done'
        [[ $status == 9 ]] || { echo "$1: $status $output $errors"; return 1; }
        try podman_with exec up sh -c 'kill -TERM $$'
        [[ $status == 143 ]]

        # Podman before 5 does not look where conmon writes it, which is the directory that podman was started in
        cd "$T"
        try podman_with run --name hog --memory 32m localhost/busybox dd if=/dev/zero of=/dev/null bs=256M count=1
        [[ $status == 137 && (-e oom || $(inspected .State.OOMKilled hog) == true) ]] || { echo "$1: $status $output $errors"; return 1; }
        rm -f oom
        ok podman_with kill -s KILL up
        [[ $(podman_with wait up) == 137 && ! -e oom && $(inspected .State.OOMKilled up) == false ]]
        ok podman_with rm tty hog up
}

# The ids that podman takes come from /etc/subuid: one of our own is put over it
check_userns() {
        by "$1"
        echo lxcri:1000000:65536 > "$T/subids"
        WITHIN=(unshare -m --propagation private sh -c 'touch /etc/subuid /etc/subgid; mount --bind "$0" /etc/subuid; mount --bind "$0" /etc/subgid; exec "$@"' "$T/subids")
        ok podman_with run --rm --userns auto:size=4000 --tmpfs /scratch --user 1000 -t localhost/busybox sh -c '
                cat /proc/self/uid_map; tty; stat -c %u /bin /scratch /dev/pts/0; id -u'
        WITHIN=()
        [[ ${output//[$'\r\n\t ']/ } =~ ^\ *0\ +10[0-9]+\ +4000\ +/dev/pts/0\ +0\ +0\ +1000\ +1000 ]] || { echo "$1: $output"; return 1; }
}

# answers PORT WORD: on this test's host
answers() {
        [[ $("${WITHIN[@]}" busybox nc -w 2 127.0.0.1 "$1" < /dev/null 2> /dev/null) == "$2" ]]
}

# Pods and their ports, on a network namespace in the host's place
check_pods() {
        local serve='while :; do echo "$0" | nc -l -p 80 > /dev/null; done'

        by "$1"
        if [[ ! -e $T/host ]]; then
                touch "$T/host"
                unshare --net="$T/host" ip link set lo up
        fi
        WITHIN=(nsenter --net="$T/host" --)
        ok podman_with pod create --name duo --share net,ipc,uts,pid --network bridge -p 8080:80
        ok podman_with run -d --pod duo --name one localhost/busybox sh -c "$serve" web
        wait_until 20 answers 8080 web
        ok podman_with run --rm --pod duo localhost/busybox sh -c 'hostname; nc -w 2 127.0.0.1 80 < /dev/null; ps | grep "nc -l"'
        says $'duo\nweb\n'
        ok podman_with pod rm -f -t 0 duo

        cat > "$T/kube.yaml" << YAML
apiVersion: v1
kind: Pod
metadata: {name: kube}
spec:
  restartPolicy: Never
  volumes: [{name: data, hostPath: {path: $T/vol, type: Directory}}]
  containers:
  - name: web
    image: localhost/busybox:latest
    imagePullPolicy: Never
    command: [sh, -c, 'read -r word < /data/file; $serve', "kube's"]
    ports: [{containerPort: 80, hostPort: 8081}]
    resources: {limits: {memory: 64Mi}}
    securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false}
    volumeMounts: [{name: data, mountPath: /data, readOnly: true}]
  - name: side
    image: localhost/busybox:latest
    imagePullPolicy: Never
    command: [sh, -c, 'until nc -w 2 127.0.0.1 80 < /dev/null; do sleep 0.1; done; exit 5']
    securityContext: {runAsUser: 1000}
YAML
        ok podman_with play kube --network bridge "$T/kube.yaml"
        wait_until 20 answers 8081 "kube's"
        [[ $(podman_with wait kube-side) == 5 ]]
        ok podman_with logs kube-side
        [[ $output == "kube's" ]]
        ok podman_with play kube --down "$T/kube.yaml"
        [[ -z $(podman_with ps -aq) ]]
        WITHIN=()
}

@test "podman through us and crun is as with bare crun: run, life, options" {
        check_run crun
        check_run proxmox-lxcri-crun
        check_life crun
        check_life proxmox-lxcri-crun
        check_options crun
        check_options proxmox-lxcri-crun
}

@test "podman through us and runc is as with bare runc: run, life, options" {
        check_run runc
        check_run proxmox-lxcri-runc
        check_life proxmox-lxcri-runc
        check_options runc
        check_options proxmox-lxcri-runc
}

@test "podman through us and native: run, life, options" {
        check_run proxmox-lxcri-native
        check_life proxmox-lxcri-native
        check_options proxmox-lxcri-native
}

@test "podman through us and lxc: run, life, options" {
        check_run proxmox-lxcri-lxc
        check_life proxmox-lxcri-lxc
        check_options proxmox-lxcri-lxc
}

@test "conmon reports window sizes, exit status, signals and OOM with bare crun, and through us and native" {
        check_conmon crun
        check_conmon proxmox-lxcri-native
}

@test "conmon reports window sizes, exit status, signals and OOM through us and lxc, crun, runc" {
        check_conmon proxmox-lxcri-lxc
        check_conmon proxmox-lxcri-crun
        check_conmon proxmox-lxcri-runc
}

check_checkpoint() {
        local count

        by "$1"
        ok podman_with run -d --name kept localhost/busybox sh -c 'i=0; while :; do i=$((i + 1)); echo $i > /count; sleep 0.1; done'
        wait_until 20 eval '[[ -n $(podman_with exec kept cat /count) ]]'
        ok podman_with container checkpoint --leave-running kept
        [[ $(inspected .State.Status kept) == running ]]
        count=$(podman_with exec kept cat /count)
        ok podman_with container checkpoint kept
        [[ $(inspected .State.Status kept) == exited && $(inspected .State.Checkpointed kept) == true ]]
        ok podman_with container restore kept
        [[ $(inspected .State.Status kept) == running ]]
        # it counts on from where it was
        wait_until 20 eval '(($(podman_with exec kept cat /count) > count))'
        (($(podman_with exec kept cat /count) < count + 1000))
        ok podman_with rm -f -t 0 kept
}

@test "podman checkpoints and restores through us and native, and lxc" {
        needs_criu
        check_checkpoint proxmox-lxcri-native
        check_checkpoint proxmox-lxcri-lxc
}

# A crun built without CRIU refuses, bare and behind us; the container runs on
@test "podman checkpoints and restores with bare runc and crun, and through us and them, as far as they can" {
        needs_criu
        check_checkpoint runc
        check_checkpoint proxmox-lxcri-runc
        if [[ $(crun --version) == *+CRIU* ]]; then
                check_checkpoint crun
                check_checkpoint proxmox-lxcri-crun
                return
        fi
        by proxmox-lxcri-crun
        ok podman_with run -d --name kept localhost/busybox sleep 1000
        try podman_with container checkpoint kept
        [[ $status != 0 ]]
        complains NotSupported
        [[ $(inspected .State.Status kept) == running ]]
        ok podman_with exec kept true
        ok podman_with rm -f -t 0 kept
}

@test "podman's user namespaces, pods, ports and play kube with bare crun, and through us and native" {
        check_userns crun
        check_userns proxmox-lxcri-native
        check_pods crun
        check_pods proxmox-lxcri-native
}

@test "podman's user namespaces, pods, ports and play kube through us and lxc" {
        check_userns proxmox-lxcri-lxc
        check_pods proxmox-lxcri-lxc
}

@test "podman's user namespaces, pods, ports and play kube through us and crun" {
        check_userns proxmox-lxcri-crun
        check_pods proxmox-lxcri-crun
}

@test "podman's user namespaces, pods, ports and play kube through us and runc" {
        check_userns proxmox-lxcri-runc
        check_pods proxmox-lxcri-runc
}
