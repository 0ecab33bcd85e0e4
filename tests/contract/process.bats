# What a process sees inside, alike for every backend: rights, limits, mounts, devices, hooks with their namespaces, terminals.
# sanitized

load ../e2e/helpers

@test "process: user, groups, umask, directory and environment are as configured" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "id -u; id -g; id -G; umask; pwd; echo $NAME"]
                | .process.user = {uid: 1000, gid: 1001, umask: 63, additionalGids: [1002, 1003]}
                | .process.cwd = "/tmp/made/for/it" | .process.env += ["NAME=a b=c"]'
        ok lxcri run --bundle "$T/b" "$ID"
        [[ $output == $'1000\n1001\n1001 1002 1003\n0077\n/tmp/made/for/it\na b=c' ]]
}

@test "process: the five capability sets, no_new_privs and limits are as configured" {
        make_bundle "$T/b" '.process.args = ["cat", "/proc/self/status", "/proc/self/limits"] | .process.noNewPrivileges = true
                | .process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW"], permitted: ["CAP_KILL", "CAP_CHOWN"],
                        effective: ["CAP_KILL"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}
                | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}] | .process.user = {uid: 1000, gid: 1000}'
        ok lxcri run --bundle "$T/b" "$ID"
        [[ $output == *$'CapInh:\t0000000000000020'* ]]
        [[ $output == *$'CapPrm:\t0000000000000020'* ]]
        [[ $output == *$'CapEff:\t0000000000000020'* ]]
        [[ $output == *$'CapBnd:\t0000000000002021'* ]]
        [[ $output == *$'CapAmb:\t0000000000000020'* ]]
        [[ $output == *$'NoNewPrivs:\t1'* ]]
        [[ $output =~ Max\ open\ files\ +100\ +200 ]]
}

@test "process: a call that the seccomp profile refuses fails with its errno" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "mkdir /tmp/x; grep Seccomp: /proc/self/status"]
                | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}'
        ok lxcri run --bundle "$T/b" "$ID"
        complains "No space left"
        [[ $output == *2* ]]
}

@test "process: a seccomp profile may refuse calls that a runtime makes" {
        local privileges getcwd='"getcwd", '

        # runc itself asks for it after the filter
        [[ $RUNTIME != runc ]] || getcwd=''
        for privileges in true false; do
                make_bundle "$T/b-$privileges" ".process.noNewPrivileges = $privileges"' | .process.args = ["echo", "ran"]
                        | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["close_range", "fcntl", "openat2", '"$getcwd"'
                                "mount", "mount_setattr", "move_mount", "setns", "unshare"], action: "SCMP_ACT_ERRNO"}]}'
                [[ $(lxcri run --bundle "$T/b-$privileges" "$ID" < /dev/null) == ran ]]
        done
}

@test "process: mounts have their options, masked and read-only paths are so" {
        mkdir "$T/src"
        echo inside > "$T/src/file"
        make_bundle "$T/b" '.process.args = ["sh", "-c", "cat /proc/self/mountinfo; cat /bound/file; cat /masked | wc -c; ls /maskdir | wc -l; touch /rodir/x 2>&1 || :"]
                | .linux.maskedPaths += ["/masked", "/maskdir"] | .linux.readonlyPaths += ["/rodir"]
                | .mounts += [{destination: "/bound", type: "bind", source: "'"$T/src"'", options: ["rbind", "ro", "nosuid", "noexec"]},
                        {destination: "/made/tmp", type: "tmpfs", source: "tmpfs", options: ["nodev", "size=1m", "mode=700"]}]'
        echo secret > "$T/b/rootfs/masked"
        mkdir "$T/b/rootfs/maskdir" "$T/b/rootfs/rodir"
        touch "$T/b/rootfs/maskdir/secret"
        ok lxcri run --bundle "$T/b" "$ID"
        # beside those of the file system that the source is on
        [[ $output =~ \ /bound\ ([^ ]*) ]]
        for option in ro nosuid noexec; do [[ ,${BASH_REMATCH[1]}, == *,$option,* ]]; done
        [[ $output =~ \ /made/tmp\ rw,nodev,[^$'\n']*size=1024k,mode=700 ]]
        [[ $output == *$'inside\n0\n0\ntouch: /rodir/x: Read-only file system' ]]
}

@test "process: devices are there, with their numbers, modes and owners" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "ls -ln /dev/null /dev/mine | tr -s \" \"; readlink /dev/fd; readlink /dev/ptmx; echo x > /dev/null"]
                | .linux.devices = [{type: "c", path: "/dev/mine", major: 1, minor: 5, fileMode: 384, uid: 7, gid: 8}]
                | .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 5, access: "rwm"}]'
        ok lxcri run --bundle "$T/b" "$ID"
        [[ $output == *"crw------- 1 7 8 1, 5 "*"/dev/mine"* ]]
        [[ $output == *"crw-rw-rw- 1 0 0 1, 3 "*"/dev/null"* ]]
        says /proc/self/fd
        says pts/ptmx
}

@test "process: hooks run in their order, and in their namespaces" {
        make_bundle "$T/b" '.process.args = ["true"]'
        mkdir "$T/b/rootfs/out"
        printf '#!/bin/sh\ncat > /dev/null\necho $1 $(readlink /proc/self/ns/mnt) >> %s/out/hooks\n' "$T/b/rootfs" > "$T/outer"
        printf '#!/bin/sh\ncat > /dev/null\necho $1 $(readlink /proc/self/ns/mnt) >> /out/hooks\n' > "$T/b/rootfs/inner"
        chmod +x "$T/outer" "$T/b/rootfs/inner"
        jq --arg outer "$T/outer" '.hooks = (["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
                | map({(.): [{path: $outer, args: ["hook", .]}]}) | add) + {startContainer: [{path: "/inner", args: ["hook", "startContainer"]}]}' \
                "$T/b/config.json" > "$T/new"
        mv "$T/new" "$T/b/config.json"
        ok lxcri run --bundle "$T/b" "$ID"
        order="prestart createRuntime createContainer startContainer poststart poststop "
        # crun and runc run poststart once their init goes on from `start`, while that has startContainer and the program still before it
        [[ $RUNTIME != crun && $RUNTIME != runc ]] || order="prestart createRuntime createContainer (startContainer poststart|poststart startContainer) poststop "
        [[ $(cut -d' ' -f1 "$T/b/rootfs/out/hooks" | tr '\n' ' ') =~ ^$order$ ]]
        own=$(readlink /proc/self/ns/mnt)
        while read -r hook namespace; do
                if [[ $hook == *Container ]]; then
                        [[ $namespace == mnt:* && $namespace != "$own" ]]
                else
                        [[ $namespace == "$own" ]]
                fi
        done < "$T/b/rootfs/out/hooks"
}

@test "process: a hook that takes longer than its timeout fails create, and nothing stays" {
        make_bundle "$T/b" '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "100"], timeout: 1}]'
        host_snapshot "$T/before"
        try lxcri create --bundle "$T/b" "$ID"
        ((status != 0))
        complains hook
        assert_host_unchanged "$T/before"
}

@test "process: signals arrive, and end it with 128 and their number" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "trap \"echo got USR1 > /got; exit 3\" USR1; touch /ready; while :; do sleep 0.05; done"]'
        ok lxcri create --bundle "$T/b" "$ID"
        ok lxcri start "$ID"
        wait_until 10 test -e "$T/b/rootfs/ready"
        ok lxcri kill "$ID" USR1
        wait_until 10 is_status "$ID" stopped
        [[ $(< "$T/b/rootfs/got") == "got USR1" ]]
        ok lxcri delete "$ID"
}

@test "process: exec takes user, groups, capabilities and no_new_privs of a process file" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        jq '.process | .args = ["sh", "-c", "id -u; id -G; pwd; grep -E \"CapEff|NoNewPrivs\" /proc/self/status"] | .cwd = "/etc"
                | .user = {uid: 5, gid: 6, additionalGids: [7]} | .noNewPrivileges = true
                | .capabilities = {bounding: ["CAP_KILL"], effective: [], permitted: []}' "$T/b/config.json" > "$T/process.json"
        ok lxcri run -d --bundle "$T/b" "$ID"
        ok lxcri exec --process "$T/process.json" "$ID"
        [[ $output == $'5\n6 7\n/etc\nCapEff:\t0000000000000000\nNoNewPrivs:\t1' ]]
        ok lxcri exec -d --pid-file "$T/exec.pid" "$ID" sleep 200
        # a runtime may return before its process has become the program
        wait_until 10 grep -qz '^200$' "/proc/$(< "$T/exec.pid")/cmdline"
        grep -qz '^sleep$' "/proc/$(< "$T/exec.pid")/cmdline"
        [[ $(readlink "/proc/$(< "$T/exec.pid")/ns/pid") == "$(readlink "/proc/$(lxcri state "$ID" | jq .pid)/ns/pid")" ]]
        ok lxcri delete --force "$ID"
}

@test "process: sysctl, hostname and read-only root" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni; hostname; touch /x 2>&1"]
                | .linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.shmmni": "77"} | .hostname = "named" | .root.readonly = true'
        try lxcri run --bundle "$T/b" "$ID"
        [[ $output == $'1\n77\nnamed\ntouch: /x: Read-only file system' ]]
}
