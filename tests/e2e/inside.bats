# What a process sees inside, compared fact by fact (tests/lib/inside.c) with what it sees when runc starts the same bundle. Capabilities,
# seccomp, uid maps, mount flags, devices and descriptors are the same; what else may differ is in alike(), each with its reason.

load helpers

# A script for sed, made once: what cannot be the same for two containers, and what differs for a reason
write_alike() {
        local ns

        for ns in cgroup ipc mnt net pid time time_for_children user uts; do
                echo "s#^(namespace: $ns) $(readlink "/proc/self/ns/$ns" | sed 's/[][]/\\&/g')\$#\1 of the host#"
        done
        cat << SED
s#^(namespace: .*) [a-z_]+:\[[0-9]+\]#\1 its own#
s#$ID-[a-z]+#ID#g
s#$T/out-[a-z]+#OUT#g
s#(shared|master|propagate_from):[0-9]+#\1:N#g
# on cgroup v1 runc leaves the tmpfs that holds the cgroup mounts writable; with us it is as its mount's options say
/^mount: .* \/sys\/fs\/cgroup r[wo],.* - tmpfs /s# r[wo],# r?,#
# with a cgroup namespace runc names the source of a mount of cgroup v1 after its controller
/^mount: .* - cgroup /s# - cgroup [^ ]+ # - cgroup SOURCE #
# in a user namespace runc lets all others search the session keyring; our exec joins it as its owner
s#^(keyring: session .*;)3f130008;#\13f1b0000;#
# runc puts its memory cgroup below the caller's, we put it where cgroupsPath or the other hierarchies have it
s#^(cgroup: [0-9]+:memory:).*/ID#\1/ID#
/^mount: .* - cgroup .*memory/s#^mount: .*/ID#mount: /ID#
# in a user namespace, and for runc's exec, it is the host's: crun gives that one to whoever a container of its own runs as, meanwhile
s#^(file: /dev/null [0-9]+) [0-9]+:[0-9]+#\1 OWNER#
/^descriptor: [0-9]+ \/dev\/null /s#owner [0-9]+:[0-9]+#OWNER#
SED
}

setup() {
        common_setup
        # a user namespace's root passes through
        chmod 711 "$T"
        write_alike > "$T/alike"
        make_bundle "$T/b" '.process.args = ["/inside", "a b"] | .process.terminal = false'
        cp "$(dirname "$LXCRI_PROGRAM")/tests/lib/inside" "$T/b/rootfs/inside"
        mv "$T/b/config.json" "$T/default.json"
}

has_ended() {
        tail -n 1 "$1" 2> /dev/null | grep -q '^end'
}

settle() {
        sed 's/\r$//' "$T/out-$1" | sed -E -f "$T/alike" | sort > "$T/$1"
}

# facts RUNTIME: as the bundle's process has them, in $T/RUNTIME
facts() {
        local runtime=$1 name=$ID-$1 more=()

        if [[ $terminal == true ]]; then
                "$PROJECT/tests/lib/sockets" console "$T/console-$runtime" 60 > "$T/out-$runtime" 3>&- &
                wait_until 10 test -S "$T/console-$runtime"
                more=(--console-socket "$T/console-$runtime")
        fi
        # not in the foreground, where runc puts pipes between
        lxcri --runtime "$runtime" create "${more[@]}" --bundle "$T/b" "$name" < /dev/null >> "$T/out-$runtime" 2> "$T/err" || { cat "$T/err"; return 1; }
        ok lxcri start "$name"
        wait_until 60 has_ended "$T/out-$runtime"
        ok lxcri --runtime "$runtime" delete --force "$name"
        settle "$runtime"
        rm -f "$T/out-$runtime" "$T/console-$runtime"
}

# same_as_runc FILTER: of the default bundle
same_as_runc() {
        local runtime terminal

        jq "$1" "$T/default.json" > "$T/b/config.json"
        terminal=$(jq .process.terminal "$T/b/config.json")
        facts runc
        for runtime in native lxc; do
                facts "$runtime"
                diff "$T/runc" "$T/$runtime" || { echo "runc (<) and $runtime (>) differ: $1"; failed=1; }
        done
}

@test "a process sees the same as with runc" {
        failed=0
        same_as_runc .
        same_as_runc '.process.capabilities = {} | .process.oomScoreAdj = 500'
        same_as_runc '.process.capabilities[] = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_SETUID", "CAP_SETGID", "CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_SYS_BOOT", "CAP_MKNOD"] | .process.noNewPrivileges = false | .root.readonly = true'
        same_as_runc '.process.user = {uid: 1000, gid: 1001, umask: 63, additionalGids: [5, 1001, 44]} | .process.cwd = "/tmp" | .process.env = ["A=b"]'
        same_as_runc '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}
                | .linux.namespaces += [{type: "cgroup"}]'
        same_as_runc '.process.terminal = true | .process.consoleSize = {height: 31, width: 97}'
        same_as_runc '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 65536}]
                | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 65536}]'
        ((failed == 0))
}

@test "a process that exec brings in sees the same as with runc" {
        jq '.process.args = ["sleep", "1000"] | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}' \
                "$T/default.json" > "$T/b/config.json"
        for runtime in runc native lxc; do
                ok lxcri --runtime "$runtime" run -d --bundle "$T/b" "$ID-$runtime"
                # not in the foreground, where runc puts pipes between
                lxcri exec -d --user 1000:1001 --cwd /tmp --env C=d "$ID-$runtime" /inside < /dev/null >> "$T/out-$runtime" 2> "$T/err"
                wait_until 60 has_ended "$T/out-$runtime"
                ok lxcri delete --force "$ID-$runtime"
                # which pid it gets says how many processes the runtime needed before
                sed -i -E 's#^(status: (NSpgid|NSpid|NSsid|NStgid|Pid|Tgid):.).*#\1N#; /^session:/s#(pid|group|session) [0-9]+#\1 N#g' "$T/out-$runtime"
                # and runc leaves it the caller's /dev/null as that was opened, in place of the container's own
                sed -i -E '/^descriptor: [0-2] \/dev\/null /s#flags [0-9]+#flags N#' "$T/out-$runtime"
                settle "$runtime"
                diff "$T/runc" "$T/$runtime"
        done
}
