# containerd with our program in runc's place, each of our runtimes behind it: by ctr, and by the socket that a kubelet speaks to. The images
# are containerd's own imports.

load helpers

setup() {
        common_setup
        if ! command -v ctr > /dev/null || ! command -v containerd > /dev/null; then
                skip "containerd is not installed"
        fi
        jq --arg root "$ROOT" --arg store "$STORE" '. + {root: $root, store: $store}' "$T/config.json" > "$T/new"
        mv "$T/new" "$T/config.json"
        WITHIN=()
        PRIVATE=()
        NAMESPACE=default
        IMAGE=localhost/busybox:busybox
}

teardown() {
        local id

        if [[ -n ${CONTAINERD:-} ]]; then
                for id in $(ctr_with task ls -q 2> /dev/null); do
                        ctr_with task kill -s KILL "$id" > /dev/null 2>&1 || true
                done
                kill "$CONTAINERD" 2> /dev/null || true
                wait "$CONTAINERD" || true
                [[ -n ${BATS_TEST_COMPLETED:-} ]] || tail -n 30 "$T/containerd.log"
        fi
        [[ ! -e $T/host ]] || umount "$T/host"
        common_teardown
}

# start_containerd [MORE]: with more settings than all need
start_containerd() {
        cat > "$T/containerd.toml" << TOML
version = 2
root = "$T/cr"
state = "$T/cs"
disabled_plugins = [${1:+#}"io.containerd.grpc.v1.cri"
]
[grpc]
  address = "$T/c.sock"
[ttrpc]
  address = "$T/ct.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$T/opt"
${1:-}
TOML
        "${WITHIN[@]}" "${PRIVATE[@]}" env "${PROGRAM_ENV[@]}" containerd -c "$T/containerd.toml" > "$T/containerd.log" 2>&1 3>&- &
        CONTAINERD=$!
        wait_until 20 eval 'ctr_with version > /dev/null 2>&1'
        skopeo copy -q "oci:$FIXTURES/busybox:busybox" "oci-archive:$T/busybox.tar:busybox"
        ok ctr_with image import --base-name localhost/busybox "$T/busybox.tar"
}

ctr_with() {
        timeout 60 env "${PROGRAM_ENV[@]}" ctr -a "$T/c.sock" -n "$NAMESPACE" "$@" 3>&-
}

# by NAME: containerd's runtime, ours by one of its names or another's
by() {
        if [[ $1 != proxmox-lxcri-* ]]; then
                OCI=$(type -P "$1")
                return
        fi
        ln -sf "$LXCRI_PROGRAM" "$T/$1"
        OCI=$T/$1
}

check_run() {
        by "$1"
        try ctr_with run --rm --runc-binary "$OCI" "$IMAGE" "$ID" sh -c 'echo out; echo err >&2; exit 42'
        [[ $status == 42 && $output == out && $errors == *err* ]] || { echo "$1: $status $output $errors"; return 1; }
        # What the runtime says of its failure reaches the user
        try ctr_with run --rm --runc-binary "$OCI" "$IMAGE" "$ID" /no/such/program
        [[ $status != 0 && $errors == *"/no/such/program"* ]] || { echo "$1: no such program: $status $errors"; return 1; }
}

check_life() {
        by "$1"
        ok ctr_with run -d --runc-binary "$OCI" "$IMAGE" "$ID" sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done'
        ok ctr_with task ls
        says RUNNING
        ok ctr_with task exec --exec-id e1 "$ID" echo inside
        says inside
        try ctr_with task exec --exec-id e2 "$ID" sh -c 'exit 6'
        [[ $status == 6 ]]
        try ctr_with task exec --exec-id e3 "$ID" sh -c 'kill -TERM $$'
        [[ $status == 143 ]]
        try "$PROJECT/tests/lib/terminal" 60 --when tick size=33x111 env "${PROGRAM_ENV[@]}" ctr -a "$T/c.sock" task exec -t --exec-id e4 "$ID" \
                sh -c 'until [ "$(stty size)" = "33 111" ]; do echo tick; sleep 0.1; done; exit 7'
        [[ $status == 7 ]]
        ok ctr_with task metrics --format json "$ID"
        jq -e '.pids.current >= 1 and (.memory.usage | if type == "object" then .usage else . end) > 0' "$T/out"
        ok ctr_with task ps "$ID"
        [[ $(wc -l < "$T/out") -ge 2 ]]
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

# ---- as a kubelet ----

# cri METHOD REQUEST [METHOD REQUEST]…: their answers, a line each
cri() {
        "$PROJECT/tests/lib/cri" "$T/c.sock" "$@"
}

# answer NUMBER FILTER: of the last answers
answer() {
        jq -rs ".[$1]$2" "$T/out"
}

# With a bridge and a port of a network namespace that stands for the host's
start_for_kubelet() {
        local name

        NAMESPACE=k8s.io
        touch "$T/host"
        unshare --net="$T/host" ip link set lo up
        WITHIN=(nsenter --net="$T/host" --)
        # Its pods' namespaces lie in /run/netns, which Podman, in another test, may at any time mount over itself: containerd would then have
        # each of them mounted twice, and be unable to remove it
        PRIVATE=(unshare --mount --propagation slave sh -ec 'mkdir -p /run/netns; mount -t tmpfs tmpfs /run/netns; exec "$@"' sh)
        mkdir "$T/cni" "$T/logs"
        cat > "$T/cni/10-bridge.conflist" << CNI
{"cniVersion": "0.4.0", "name": "lxcri", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
   "ipam": {"type": "host-local", "dataDir": "$T/ipam", "ranges": [[{"subnet": "10.77.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
CNI
        start_containerd "$(
                cat << TOML
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:pause"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$T/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "$1"
TOML
                for name in "$@"; do
                        by "$name" > /dev/null
                        echo "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.$name]"
                        echo '  runtime_type = "io.containerd.runc.v2"'
                        echo "[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.$name.options]"
                        echo "  BinaryName = \"$OCI\""
                done
        )"
        make_image "$T/pause" > /dev/null << JSON
{"name": "pause", "config": {"Cmd": ["sleep", "100000"], "Env": ["PATH=/bin"]}, "layers": [{"tree": "$FIXTURES/rootfs"}]}
JSON
        skopeo copy -q "oci:$T/pause:pause" "oci-archive:$T/pause.tar:pause"
        ok ctr_with image import --base-name localhost/pause "$T/pause.tar"
        # its own list follows containerd's
        wait_until 20 eval '[[ $(ctr_with image ls | grep -c io.cri-containerd.image=managed) -ge 2 ]]'
}

port_answers() {
        [[ $("${WITHIN[@]}" busybox nc -w 2 127.0.0.1 8080 < /dev/null 2> /dev/null) == "$1" ]]
}

# check_cri NAME: a pod with two containers and one that takes too much memory
check_cri() {
        local pod web side hog sandbox ip
        local security='{"capabilities": {"drop_capabilities": ["CHOWN"]}, "run_as_user": {"value": 1000}, "no_new_privs": true, "readonly_rootfs": true,
                "namespace_options": {"pid": 1}}'

        sandbox=$(jq -cn --arg logs "$T/logs" --arg name "$1" '{metadata: {name: "pod", uid: $name, namespace: "default"}, hostname: "in-a-pod",
                log_directory: $logs, port_mappings: [{container_port: 80, host_port: 8080}], linux: {}}')
        ok cri RunPodSandbox "$(jq -cn --argjson config "$sandbox" --arg name "$1" '{config: $config, runtime_handler: $name}')"
        pod=$(answer 0 .pod_sandbox_id)

        # container NAME JSON-OF-COMMAND MORE
        container() {
                jq -cn --arg pod "$pod" --argjson sandbox "$sandbox" --arg image "$IMAGE" --arg name "$1" --argjson command "$2" --argjson more "$3" \
                        '{pod_sandbox_id: $pod, sandbox_config: $sandbox, config: ({metadata: {name: $name}, image: {image: $image}, command: $command,
                          log_path: ($name + ".log"), linux: {}} + $more)}'
        }
        ok cri PodSandboxStatus "{\"pod_sandbox_id\": \"$pod\"}" \
                CreateContainer "$(container web '["sh", "-c", "echo starts; echo complains >&2; trap \"exit 3\" TERM; while :; do echo $WORD | nc -l -p 80 > /dev/null & wait $!; done"]' \
                        '{"envs": [{"key": "WORD", "value": "served"}]}')" \
                CreateContainer "$(container side '["sleep", "1000"]' "{\"linux\": {\"resources\": {\"memory_limit_in_bytes\": 67108864}, \"security_context\": $security},
                        \"mounts\": [{\"container_path\": \"/vol\", \"host_path\": \"$T/logs\", \"readonly\": true}]}")" \
                CreateContainer "$(container hog '["dd", "if=/dev/zero", "of=/dev/null", "bs=256M", "count=1"]' \
                        '{"linux": {"resources": {"memory_limit_in_bytes": 33554432}}}')"
        ip=$(answer 0 .status.network.ip)
        [[ $ip == 10.77.0.* && $(answer 0 .status.runtime_handler) == "$1" ]]
        web=$(answer 1 .container_id) side=$(answer 2 .container_id) hog=$(answer 3 .container_id)
        ok cri StartContainer "{\"container_id\": \"$web\"}" StartContainer "{\"container_id\": \"$side\"}" StartContainer "{\"container_id\": \"$hog\"}"
        wait_until 20 port_answers served

        # in one network, UTS and IPC namespace; of processes only where it was not asked otherwise
        ok cri ExecSync "$(jq -cn --arg id "$side" '{container_id: $id, cmd: ["sh", "-c", "hostname; nc -w 2 127.0.0.1 80 < /dev/null; id -u; ls /vol; touch /no"]}')" \
                ExecSync "$(jq -cn --arg id "$side" '{container_id: $id, cmd: ["sh", "-c", "for n in net uts ipc pid; do readlink /proc/self/ns/$n; done; exit 6"]}')" \
                ExecSync "$(jq -cn --arg id "$web" '{container_id: $id, cmd: ["sh", "-c", "for n in net uts ipc pid; do readlink /proc/self/ns/$n; done"]}')" \
                ContainerStats "{\"container_id\": \"$side\"}" ContainerStatus "{\"container_id\": \"$side\"}"
        [[ $(answer 0 .stdout) == $'in-a-pod\nserved\n1000\nhog.log\nside.log\nweb.log' && $(answer 0 .stderr) == *"Read-only file system"* ]]
        [[ $(answer 0 .exit_code) == 1 && $(answer 1 .exit_code) == 6 ]]
        [[ $(answer 1 .stdout | head -n 3) == "$(answer 2 .stdout | head -n 3)" && $(answer 1 .stdout) != "$(answer 2 .stdout)" ]]
        (($(answer 3 .stats.memory.working_set_bytes.value) > 0 && $(answer 3 .stats.cpu.usage_core_nano_seconds.value) > 0))
        [[ $(answer 4 .status.state) == 1 ]]
        grep -q 'stdout F starts' "$T/logs/web.log"
        grep -q 'stderr F complains' "$T/logs/web.log"

        wait_until 20 eval "[[ \$(cri ContainerStatus '{\"container_id\": \"$hog\"}' | jq -r '.status | \"\(.exit_code) \(.reason)\"') == '137 OOMKilled' ]]"
        ok cri UpdateContainerResources "{\"container_id\": \"$side\", \"linux\": {\"memory_limit_in_bytes\": 50331648}}" \
                StopContainer "{\"container_id\": \"$web\", \"timeout\": 20}" ContainerStatus "{\"container_id\": \"$web\"}" \
                StopContainer "{\"container_id\": \"$side\"}" ContainerStatus "{\"container_id\": \"$side\"}" RemoveContainer "{\"container_id\": \"$side\"}" \
                StopPodSandbox "{\"pod_sandbox_id\": \"$pod\"}" RemovePodSandbox "{\"pod_sandbox_id\": \"$pod\"}"
        # sandboxes of kubelets end with their containers
        [[ $(answer 2 .status.exit_code) == 3 && $(answer 4 .status.exit_code) == 137 ]]
        [[ -z $(ctr_with task ls -q) && -z $("${WITHIN[@]}" ip -o link show master cni0) ]]
        rm -f "$T/logs"/*
}

@test "ctr through us and crun is as with bare crun: exit codes, stdio and errors; life" {
        start_containerd
        check_run crun
        check_run proxmox-lxcri-crun
        check_life crun
        check_life proxmox-lxcri-crun
}

@test "ctr through us and runc is as with bare runc: exit codes, stdio and errors; life" {
        start_containerd
        check_run runc
        check_run proxmox-lxcri-runc
        check_life proxmox-lxcri-runc
}

@test "ctr through us and native, and lxc: exit codes, stdio and errors; life" {
        start_containerd
        check_run proxmox-lxcri-native
        check_life proxmox-lxcri-native
        check_run proxmox-lxcri-lxc
        check_life proxmox-lxcri-lxc
}

# A task into an image, and from it a container of another name, which counts on
check_checkpoint() {
        local image=localhost/kept-$1:1 count

        by "$1"
        ok ctr_with run -d --runc-binary "$OCI" "$IMAGE" "$ID" sh -c 'i=0; while :; do i=$((i + 1)); echo $i > /count; sleep 0.1; done'
        wait_until 20 eval '[[ -n $(ctr_with task exec --exec-id c1 "$ID" cat /count) ]]'
        ok ctr_with container checkpoint --rw --image --task "$ID" "$image"
        count=$(ctr_with task exec --exec-id c2 "$ID" cat /count)
        ok ctr_with task kill -s KILL "$ID"
        wait_until 20 eval '[[ $(ctr_with task ls) == *STOPPED* ]]'
        ok ctr_with task rm "$ID"
        ok ctr_with container rm "$ID"
        ok ctr_with container restore --rw --live "$ID" "$image"
        ok ctr_with task ls
        says RUNNING
        wait_until 20 eval '(($(ctr_with task exec --exec-id c$RANDOM "$ID" cat /count) > count))'
        (($(ctr_with task exec --exec-id c3 "$ID" cat /count) < count + 1000))
        ok ctr_with task rm -f "$ID"
        ok ctr_with container rm "$ID"
}

# Each with a containerd of its own: what is restored in one that has restored already, ctr 1.6 does not find
@test "ctr checkpoints and restores through us and native" {
        needs_criu
        start_containerd
        check_checkpoint proxmox-lxcri-native
}

@test "ctr checkpoints and restores through us and lxc" {
        needs_criu
        start_containerd
        check_checkpoint proxmox-lxcri-lxc
}

@test "ctr checkpoints and restores through us and runc" {
        needs_criu
        start_containerd
        check_checkpoint proxmox-lxcri-runc
}

@test "ctr checkpoints and restores with bare runc" {
        needs_criu
        start_containerd
        check_checkpoint runc
}

@test "a pod by containerd's CRI with bare crun, and through us and native" {
        start_for_kubelet crun proxmox-lxcri-native
        check_cri crun
        check_cri proxmox-lxcri-native
}

@test "a pod by containerd's CRI through us and lxc, crun, runc" {
        start_for_kubelet proxmox-lxcri-lxc proxmox-lxcri-crun proxmox-lxcri-runc
        check_cri proxmox-lxcri-lxc
        check_cri proxmox-lxcri-crun
        check_cri proxmox-lxcri-runc
}
