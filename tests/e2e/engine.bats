# What our own engine does of the runtime spec by itself, with either launcher, and what it refuses.

load helpers

setup() {
        common_setup
        make_bundle "$T/b"
        cp "$T/b/config.json" "$T/default.json"
}

teardown() {
        [[ -z ${holder:-} ]] || kill "$holder"
        [[ -z ${DEVICE:-} ]] || ip link del "$DEVICE" 2> /dev/null || true
        common_teardown
}

# bundle FILTER: the default one, changed
bundle() {
        jq "$1" "$T/default.json" > "$T/b/config.json"
}

each_launcher() {
        for RUNTIME in native lxc; do
                jq --arg runtime "$RUNTIME" '.default_runtime = $runtime' "$T/config.json" > "$T/config.new"
                mv "$T/config.new" "$T/config.json"
                # no ||: in a list bash would go on after a command that fails
                echo "with $RUNTIME"
                "$@"
        done
}

scheduling() {
        cp "$(dirname "$LXCRI_PROGRAM")/tests/lib/inside" "$T/b/rootfs/inside"
        bundle '.process.args = ["/inside"] | .process.scheduler = {policy: "SCHED_BATCH", nice: 7} | .process.ioPriority = {class: "IOPRIO_CLASS_IDLE", priority: 3}
                | .linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0"} | .ociVersion = "1.3.0"'
        ok lxcri run --bundle "$T/b" "$ID"
        # SCHED_BATCH is 3; IOPRIO_CLASS_IDLE 3, above 13 bits; MPOL_INTERLEAVE 3
        says "scheduler: policy 3, flags 0, nice 7, priority 0; io $((3 << 13 | 3))"
        [[ $output =~ "processors; memory 3" ]]
        # what cannot be is refused, and nothing stays
        host_snapshot "$T/before"
        bundle '.process.scheduler = {policy: "SCHED_OTHER", nice: 7, priority: 5}'
        fails InvalidSpec lxcri create --bundle "$T/b" "$ID"
        complains process.scheduler
        bundle '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "900"} | .ociVersion = "1.3.0"'
        fails RuntimeError lxcri create --bundle "$T/b" "$ID"
        complains linux.memoryPolicy
        assert_host_unchanged "$T/before"
}

@test "scheduler, io priority and memory policy are as configured, or refused" {
        each_launcher scheduling
}

clocks() {
        bundle '.process.args = ["cat", "/proc/self/timens_offsets", "/proc/uptime"] | .linux.namespaces += [{type: "time"}] | .ociVersion = "1.1.0"
                | .linux.timeOffsets = {monotonic: {secs: 1000, nanosecs: 5}, boottime: {secs: 500000000, nanosecs: 0}}'
        ok lxcri run --bundle "$T/b" "$ID"
        [[ $(tr -s ' ' <<< "$output") == $'monotonic 1000 5\nboottime 500000000 0\n500'* ]]
}

@test "a time namespace has its offsets" {
        [[ -e /proc/self/ns/time ]] || skip "this kernel has no time namespaces"
        each_launcher clocks
}

# In a mount namespace of its own whose mounts are all shared, as systemd's are; the bundle lies on a mount that is not the host's root.
# Nothing is to come in; others' mounts go when the directories below them do
propagation() {
        local kind

        for kind in private rprivate shared rshared slave rslave unbindable runbindable; do
                bundle '.linux.rootfsPropagation = "'$kind'" | .process.args = ["true"]'
                ok env "${PROGRAM_ENV[@]}" unshare --mount --propagation private sh -ec '
                        mount --make-rshared /
                        mount --bind "$0" "$0"
                        cat /proc/self/mountinfo > "$0/before"
                        "$@"
                        # 1: there is none but those, 2: that is not known
                        found=0
                        grep -vxFf "$0/before" /proc/self/mountinfo || found=$?
                        [ $found = 1 ]' "$T/b" \
                        "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" run --bundle "$T/b" "$ID"
        done
}

@test "the root's propagation may be any kind where the host's mounts are shared, and none of the container's mounts gets out" {
        each_launcher propagation
}

flooded() {
        local client

        bundle '.process.terminal = true | .process.args = ["sh", "-c", "trap \"exit 7\" TERM; echo up; while :; do sleep 0.1; done"]'
        env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" run --bundle "$T/b" "$ID" < "$T/typed" > "$T/shown" 2>&1 3>&- &
        client=$!
        wait_until 30 grep -q up "$T/shown"
        kill -TERM "$client"
        wait_until 30 eval '! kill -0 '"$client"' 2> /dev/null'
        status=0
        wait "$client" || status=$?
        [[ $status == 7 ]]
}

@test "input on a terminal that nobody reads holds up neither signals nor the container's end" {
        yes 2> /dev/null | head -c 300000 > "$T/typed"
        each_launcher flooded
}

# hidden HIERARCHY: deleted where that one is not mounted
hidden() {
        bundle '.process.args = ["sleep", "1000"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        ok env "${PROGRAM_ENV[@]}" unshare --mount --propagation private sh -ec 'umount "$0"; exec "$@"' "$1" \
                "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" delete --force "$ID"
        complains "$1/"
        complains "not mounted"
        wait_until 10 rmdir $(cgroup_dirs)
}

@test "a cgroup of a hierarchy that is not mounted where its container is deleted does not stay behind without a word" {
        local hierarchy=/sys/fs/cgroup/pids

        mountpoint -q "$hierarchy" || skip "no cgroup v1 here"
        each_launcher hidden "$hierarchy"
        # of what is just not there any more nothing is said
        ok lxcri run -d --bundle "$T/b" "$ID"
        ok lxcri kill "$ID" KILL
        wait_until 10 is_status "$ID" stopped
        rmdir $(cgroup_dirs)
        ok lxcri delete "$ID"
        [[ -z $errors ]]
}

user_by_path() {
        bundle '.process.args = ["sh", "-c", "cat /proc/self/uid_map | tr -s \" \"; stat -c %u /; echo x > /tmp/x; readlink /proc/self/ns/user"]
                | .linux.namespaces = (.linux.namespaces | map(select(.type != "user"))) + [{type: "user", path: "/proc/'"$holder"'/ns/user"}]
                | .mounts |= map(select(.type != "cgroup")) '
        ok lxcri run --bundle "$T/b" "$ID"
        [[ $output == $' 0 100000 65536\n0\n'"$(readlink "/proc/$holder/ns/user")" ]]
}

@test "a user namespace is joined by its path" {
        chmod 711 "$T"
        chown -R 100000:100000 "$T/b/rootfs"
        unshare -U sleep 1000 3>&- &
        holder=$!
        wait_until 10 eval '[[ $(readlink /proc/$holder/ns/user) != "$(readlink /proc/self/ns/user)" ]]'
        echo "0 100000 65536" > "/proc/$holder/uid_map"
        echo "0 100000 65536" > "/proc/$holder/gid_map"
        each_launcher user_by_path
}

notified() {
        rm -f "$T/agent"
        "$PROJECT/tests/lib/sockets" seccomp "$T/agent" 60 > "$T/asked" 3>&- &
        agent=$!
        wait_until 10 test -S "$T/agent"
        bundle '.process.args = ["sh", "-c", "mkdir /tmp/made; echo $?"]
                | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "'"$T/agent"'", listenerMetadata: "for you",
                        syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}'
        ok lxcri create --bundle "$T/b" "$ID"
        pid=$(lxcri state "$ID" | jq .pid)
        ok lxcri start "$ID"
        # mkdir is answered by the listener, which lets none pass: EXDEV
        wait_until 30 grep -q answered "$T/asked"
        wait_until 10 is_status "$ID" stopped
        wait "$agent"
        jq -e --arg id "$ID" --argjson pid "$pid" '.fds == ["seccompFd"] and .pid == $pid and .metadata == "for you" and .state.id == $id
                and .state.status == "creating" and .state.pid == $pid and (.ociVersion | length > 0)' <(head -n 1 "$T/asked") > /dev/null
        [[ ! -e $T/b/rootfs/tmp/made ]]
        ok lxcri delete "$ID"
        # nobody listens: refused, and nothing of the container goes on
        rm -f "$T/agent"
        ok lxcri create --bundle "$T/b" "$ID"
        fails RuntimeError lxcri start "$ID"
        complains listenerPath
        wait_until 10 is_status "$ID" stopped
        ok lxcri delete --force "$ID"
}

@test "a seccomp listener gets the container's state and descriptor, and answers its system calls" {
        each_launcher notified
}

poststop_hook() {
        bundle '.hooks.poststop = [{path: "/bin/false"}, {path: "'"$T/hook"'", args: ["hook"]}, {path: "/no/such/hook"}]'
        rm -f "$T/ran"
        try lxcri "$@" --bundle "$T/b" "$ID"
        if [[ $1 == create ]]; then
                ((status == 0))
                ok lxcri delete --force "$ID"
        fi
        ((status == 0))
        complains "warning"
        complains "hooks.poststop[0]"
        complains "hooks.poststop[2]"
        [[ $(< "$T/ran") == stopped ]]
        fails ContainerNotFound lxcri state "$ID"
}

@test "a poststop hook that fails is told, and neither the others nor the delete end with it" {
        printf '#!/bin/sh\nsed -n "s/.*\\"status\\": *\\"\\([a-z]*\\)\\".*/\\1/p" >> %s\n' "$T/ran" > "$T/hook"
        chmod +x "$T/hook"
        each_launcher poststop_hook create
        each_launcher poststop_hook run
}

refused() {
        local field=$1 filter=$2

        bundle "$filter"
        fails NotSupported lxcri create --bundle "$T/b" "$ID"
        complains "$field"
        assert_host_unchanged "$T/before"
}

refusals() {
        host_snapshot "$T/before"
        [[ -e /sys/module/apparmor/parameters/enabled ]] || refused process.apparmorProfile '.process.apparmorProfile = "docker-default"'
        [[ -e /sys/fs/selinux/enforce ]] || refused process.selinuxLabel '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
        refused linux.namespaces '.linux.namespaces |= map(select(.type != "mount")) + [{type: "user"}]
                | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
        refused linux.rootfsPropagation '.linux.namespaces |= map(select(.type != "mount")) | .linux.rootfsPropagation = "rshared"'
        refused mounts '.linux.namespaces |= map(select(.type != "mount"))
                | .mounts += [{destination: "/x", source: "/tmp", options: ["bind", "rslave"]}]'
        refused linux.intelRdt '.linux.intelRdt = {closID: "x"}'
        bundle '.process.args = ["sleep", "1000"]'
        ok lxcri create --bundle "$T/b" "$ID"
        [[ $(lxcri features | jq -c '.linux | [.intelRdt.enabled, .netDevices.enabled]') == '[false,true]' ]]
        fails NotSupported lxcri update --l3-cache-schema L3:0=f "$ID"
        complains linux.intelRdt
        ok lxcri delete --force "$ID"
}

@test "what the engine or this kernel cannot do is refused by the field's path, before anything is made" {
        each_launcher refusals
}

without_effect() {
        bundle '.process.args = ["grep", " /x ", "/proc/self/mountinfo"] | .linux.mountLabel = "system_u:object_r:container_file_t:s0"
                | .mounts += [{destination: "/x", type: "bind", source: "/tmp", options: ["bind", "mode=755", "ro", "size=1m"]}]'
        ok lxcri run --bundle "$T/b" "$ID"
        says " ro,"
        complains "warning"
        complains "].options: 'mode=755' has no effect on a bind mount"
        complains "].options: 'size=1m' has no effect on a bind mount"
        [[ $errors != *"'ro'"* ]]
        [[ -e /sys/fs/selinux/enforce ]] || complains linux.mountLabel
}

@test "what has no effect on this kernel is told, and the container runs" {
        each_launcher without_effect
}

poststart_hook() {
        local version=$1

        bundle '.process.args = ["sleep", "1000"] | .ociVersion = "'"$version"'"
                | .hooks.poststart = [{path: "/bin/false"}, {path: "'"$T/hook"'", args: ["hook"]}]'
        rm -f "$T/ran"
        ok lxcri create --bundle "$T/b" "$ID"
        if [[ $version == 1.3.* ]]; then
                fails RuntimeError lxcri start "$ID"
                [[ ! -e $T/ran ]]
                wait_until 20 is_status "$ID" stopped
        else
                ok lxcri start "$ID"
                complains "warning"
                [[ $(< "$T/ran") == running ]]
                is_status "$ID" running
        fi
        complains "hooks.poststart[0]"
        ok lxcri delete --force "$ID"
}

@test "a poststart hook that fails is a warning up to version 1.2 of the configuration, and ends the container from 1.3 on" {
        printf '#!/bin/sh\nsed -n "s/.*\\"status\\": *\\"\\([a-z]*\\)\\".*/\\1/p" >> %s\n' "$T/ran" > "$T/hook"
        chmod +x "$T/hook"
        each_launcher poststart_hook 1.0.2
        each_launcher poststart_hook 1.2.1
        each_launcher poststart_hook 1.3.0
}

without_process() {
        bundle 'del(.process)'
        ok lxcri create --bundle "$T/b" "$ID"
        ok lxcri start "$ID"
        complains "warning: config.json: process: missing"
        wait_until 20 is_status "$ID" stopped
        ok lxcri delete "$ID"
        host_snapshot "$T/before"
        fails InvalidSpec lxcri run --bundle "$T/b" "$ID"
        assert_host_unchanged "$T/before"
}

@test "a container that is created without a process ends when it is started, with a warning; run is an error" {
        each_launcher without_process
}

# those below the test's directory, where the bundle is; others come and go
host_mounts() {
        grep -F "$T" /proc/self/mountinfo || true
}

without_mount_namespace() {
        local pid mounts

        bundle '.process.args = ["sleep", "1000"] | .linux.namespaces |= map(select(.type != "mount")) | .root.readonly = true
                | .mounts += [{destination: "/tmp", type: "tmpfs", options: ["mode=700"]},
                              {destination: "/mnt", source: "'"$T/shown"'", options: ["bind", "ro", "private"]}]'
        mounts=$(host_mounts)
        ok lxcri create --bundle "$T/b" "$ID"
        [[ $(host_mounts) == "$mounts" ]]
        ok lxcri start "$ID"
        pid=$(jq .pid <(lxcri state "$ID"))
        [[ $(readlink "/proc/$pid/ns/mnt") == "$(readlink /proc/self/ns/mnt)" ]]
        # all of it is there: procfs of its own pid namespace, a masked path, a read-only root, a tmpfs, a bind mount, devices
        ok lxcri exec "$ID" sh -c 'cat /mnt/file /proc/1/comm; echo x > /tmp/y && stat -c %a /tmp; ls /sys/firmware | wc -l
                ls /dev/null /dev/pts/ptmx; echo z > /x || echo readonly; echo z > /mnt/x || echo readonly'
        [[ $output == $'shown\nsleep\n700\n0\n/dev/null\n/dev/pts/ptmx\nreadonly\nreadonly' ]]
        [[ $(host_mounts) == "$mounts" ]]
        kill -KILL "$pid"
        wait_until 20 is_status "$ID" stopped
        [[ $(host_mounts) == "$mounts" ]]
        ok lxcri delete "$ID"
        [[ $(host_mounts) == "$mounts" && ! -e $T/b/rootfs/tmp/y ]]
}

@test "a container without a mount namespace is in the host's, and none of its mounts is" {
        mkdir "$T/shown"
        echo shown > "$T/shown/file"
        each_launcher without_mount_namespace
}

# device: what the host sees of it
device() {
        ip -o addr show dev "$DEVICE" | sed 's/ *valid_lft.*//'
        ip -o link show dev "$DEVICE" | grep -o 'mtu [0-9]*\|[<,]UP[,>]'
}

device_add() {
        ip link add "$DEVICE" type veth peer name "p$DEVICE"
        ip link set "$DEVICE" mtu 1400 up
        ip link set "p$DEVICE" up
        ip addr add 10.77.0.1/24 brd + dev "$DEVICE"
        ip addr add 10.78.0.1/32 scope link dev "$DEVICE"
        [[ ! -e /proc/sys/net/ipv6 ]] || ip addr add fd77::1/64 dev "$DEVICE" nodad
}

net_devices() {
        local before

        [[ -e /sys/class/net/$DEVICE ]] || device_add
        # without what comes by itself, or is not given back: addresses of the link's scope
        before=$(device | grep -v 'scope link')
        for name in lo /; do
                bundle '.linux.netDevices = {"'"$DEVICE"'": {name: "'"$name"'"}} | .ociVersion = "1.3.0"'
                try lxcri create --bundle "$T/b" "$ID"
                ((status == 1))
                complains netDevices
                [[ $(device | grep -v 'scope link') == "$before" ]]
        done
        bundle '.linux.netDevices = {"'"$DEVICE"'": {name: "eth%d"}} | .hooks.createRuntime = [{path: "/bin/false"}] | .ociVersion = "1.3.0"'
        fails RuntimeError lxcri create --bundle "$T/b" "$ID"
        [[ $(device | grep -v 'scope link') == "$before" ]]
        bundle '.linux.netDevices = {"'"$DEVICE"'": {name: "eth%d"}} | .linux.sysctl = {"net.ipv4.conf.eth0.forwarding": "1"}
                | .process.args = ["sh", "-c", "cat /proc/sys/net/ipv4/conf/eth0/forwarding; ip addr show dev eth0"] | .ociVersion = "1.3.0"'
        ok lxcri run --bundle "$T/b" "$ID"
        [[ $output == 1$'\n'* && $output == *UP*'mtu 1400'*'inet 10.77.0.1/24 brd 10.77.0.255 scope global eth0'* ]]
        [[ $output != *10.78.0.1* ]]
        [[ ! -e /proc/sys/net/ipv6 || $output == *'inet6 fd77::1/64 scope global'* ]]
        # a virtual one goes with the network that it was in
        wait_until 20 eval '[[ ! -e /sys/class/net/p$DEVICE ]]'
}

@test "devices of the host become the container's with their addresses, and are the host's again when it cannot be made" {
        DEVICE=nd$$
        each_launcher net_devices
}
