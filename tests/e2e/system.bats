# System containers without a system: what an init finds, what stops it, who may have it. Debian's own boots in boot.bats.

load helpers

# What a first process sees of its cgroups, and what it may do to them
LOOK='
        own=/sys/fs/cgroup; grep -q " /sys/fs/cgroup .* cgroup2 " /proc/self/mountinfo || own=/sys/fs/cgroup/systemd
        mkdir $own/below && echo $$ > $own/below/cgroup.procs && echo divided
        grep -Ec "^([0-9]+:name=systemd|0:):/below$" /proc/self/cgroup
        for d in /sys/fs/cgroup/memory /sys/fs/cgroup/devices; do ! mkdir $d/x 2> /dev/null || echo "$d is writable"; done
        for d in /run /run/lock /tmp; do awk -v d=$d "\$5 == d { print d, \$(NF - 2) }" /proc/self/mountinfo; done
        tty; stat -c %i:%t:%T /dev/console $(tty) | uniq | wc -l
        env | grep -E "^(container|TERM)=" | sort; env | grep -Ec "^container_uuid=[0-9a-f]{32}$"
        awk "/CapEff/ { print \$2 }" /proc/self/status
        exec < /dev/null > /dev/null 2>&1; sleep 0.5; exec > /dev/console
        trap "exit 7" 37; echo ready; while :; do sleep 0.1; done'

# looks RUNTIME [OPTION…]: run it, and compare
looks() {
        local runtime=$1
        shift

        ok lxcri --runtime "$runtime" run -d --systemd always "$@" --image busybox "$ID" sh -c "$LOOK"
        wait_until 60 logged ready
        [[ $output == *$'divided\n1\n'* && $output != *writable* ]]
        [[ $output == *$'/run tmpfs\n/run/lock tmpfs\n/tmp tmpfs\n/dev/pts/0\n1\n'* ]]
        [[ $output == *$'\nTERM=dumb\ncontainer=oci\n1\n'* ]]
        SEEN=$output
        ok lxcri inspect "$ID"
        says '"stopSignal": "SIGRTMIN+3"'
        ok lxcri stop -t 60 "$ID"
        ok lxcri inspect "$ID"
        says '"exitCode": 7'
        ok lxcri delete "$ID"
}

# logged TEXT: what the console has shown, as a terminal shows it, without its carriage returns
logged() {
        ok lxcri logs "$ID"
        output=${output//$'\r'/}
        [[ $output == *"$1"* ]]
}

# sys_admin_is 0|1: whether the process that looked had CAP_SYS_ADMIN
sys_admin_is() {
        [[ $SEEN =~ $'\n'([0-9a-f]{16})$'\n' ]]
        (((0x${BASH_REMATCH[1]} >> 21 & 1) == $1))
}

@test "an init has a cgroup to divide, its tmpfs, a console in the log, and ends by RTMIN+3" {
        import_busybox
        for runtime in native lxc; do
                looks "$runtime"
                sys_admin_is 1
                looks "$runtime" --userns host
                sys_admin_is 0
        done
}

@test "only an init is one, and only where the runtime can boot it" {
        import_busybox
        local -a init=(-v "$FIXTURES/rootfs/bin/busybox:/sbin/init:ro" --image busybox "$ID" /sbin/init)

        ok lxcri --runtime native create --image busybox "$ID" sh
        ok lxcri inspect "$ID"
        says '"stopSignal": "SIGTERM"'
        ok lxcri delete "$ID"
        ok lxcri --runtime native create "${init[@]}"
        ok lxcri inspect "$ID"
        says '"stopSignal": "SIGRTMIN+3"'
        ok lxcri delete "$ID"
        ok lxcri --runtime native create --systemd false --stop-signal QUIT "${init[@]}"
        ok lxcri inspect "$ID"
        says '"stopSignal": "QUIT"'
        ok lxcri delete "$ID"

        fails NotSupported lxcri --runtime runc create --systemd true "${init[@]}"
        complains "--systemd=false"
        ok lxcri --runtime runc create --systemd true --image busybox "$ID" sh
        ok lxcri delete --force "$ID"
        ok lxcri --runtime runc create "${init[@]}"
        ok lxcri delete --force "$ID"
        fails NotSupported lxcri --runtime native --cgroup-manager disabled create "${init[@]}"
        fails InvalidArgument lxcri create --systemd maybe "${init[@]}"
}
