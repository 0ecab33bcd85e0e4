# What the options of create and run make of a container, seen from inside it.

load helpers

setup() {
        common_setup
        import_busybox
        # unpacked now, so that what is compared later only changes when a failure leaves something
        ok lxcri run --rm --image busybox "$ID" true
}

# inside OPTION… -- SCRIPT: run a shell script in a container with those options
inside() {
        local options=()

        while [[ $1 != -- ]]; do
                options+=("$1")
                shift
        done
        ok lxcri run --rm "${options[@]}" --image busybox "$ID" sh -c "$2"
}

# refused KIND OPTION…: no container comes of it, and nothing is left
refused() {
        local kind=$1
        shift

        host_snapshot "$T/before"
        fails "$kind" lxcri run --rm "$@" --image busybox "$ID" true
        assert_host_unchanged "$T/before"
}

is() {
        [[ $output == "$1" ]] || {
                echo "expected:"
                echo "$1"
                echo "got:"
                echo "$output"
                echo "$errors"
                return 1
        }
}

@test "a plain container has the default capabilities, a filter, masked paths and its own namespaces" {
        inside -- 'sed -n "s/^\(CapBnd\|CapEff\|CapAmb\|Seccomp\|NoNewPrivs\):\t//p" /proc/self/status; id -u; hostname'
        is "00000000800405fb
00000000800405fb
0000000000000000
0
2
0
$ID"
        inside -- 'wc -c < /proc/timer_list; ls /sys/firmware | wc -l; echo x 2>/dev/null > /proc/sys/kernel/domainname || echo ro; ip -o link | wc -l; echo $$'
        is $'0\n0\nro\n1\n1'
        inside -- 'cat /proc/sys/net/ipv4/ping_group_range'
        is $'0\t0'
        inside -- 'ip -o addr show lo | grep -c 127.0.0.1; unshare -m true 2>/dev/null || echo no; mount -t tmpfs x /tmp 2>/dev/null || echo no'
        is $'1\nno\nno'
}

@test "--privileged has every capability of this process, no filter, nothing masked" {
        local all
        all=$(sed -n 's/^CapBnd:\t//p' /proc/self/status)
        inside --privileged -- 'sed -n "s/^\(CapEff\|Seccomp\):\t//p" /proc/self/status; mount -t tmpfs x /tmp && echo mounted; ls /dev/loop-control'
        is "$all
0
mounted
/dev/loop-control"
}

@test "--user by name, number and group" {
        inside --user app -- 'id; echo $HOME'
        is "uid=1000(app) gid=1000(app) groups=2000(extra)
/home/app" || is "uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)
/home/app"
        inside --user 1234:99 -- 'id -u; id -g; grep CapEff /proc/self/status; echo $HOME'
        is $'1234\n99\nCapEff:\t0000000000000000\n/'
        inside --user app:extra -- 'id -g'
        is 2000
        refused InvalidArgument --user nobody-there
        complains "user 'nobody-there' is not in the image's /etc/passwd"
        refused InvalidArgument --user app:nobody-there
}

@test "--cap-add and --cap-drop" {
        inside --cap-drop all --cap-add net_admin -- 'sed -n "s/^Cap\(Bnd\|Eff\):\t//p" /proc/self/status'
        is $'0000000000001000\n0000000000001000'
        inside --user app --cap-add CAP_NET_ADMIN -- 'sed -n "s/^Cap\(Eff\|Amb\):\t//p" /proc/self/status'
        is $'0000000000001000\n0000000000001000'
        refused InvalidArgument --cap-add fly
}

@test "--env, --env-file, --workdir, --hostname" {
        printf '# comment\nFILE=1\nOTHER=2\n' > "$T/env"
        inside --env-file "$T/env" -e OTHER=3 -e TAKEN --workdir /var/tmp --hostname web -- 'echo $FILE $OTHER $TAKEN $HOSTNAME $container; pwd; hostname'
        is $'1 3 web oci\n/var/tmp\nweb'
        TAKEN=yes inside -e TAKEN -- 'echo $TAKEN'
        is yes
}

@test "--entrypoint replaces the image's and drops its command" {
        ok lxcri image import "$FIXTURES/web" web
        ok lxcri run --rm --image web "$ID"
        is "web serve"
        ok lxcri run --rm --image web "$ID" other
        is "web other"
        ok lxcri run --rm --entrypoint '["/bin/echo","mine"]' --image web "$ID"
        is mine
        ok lxcri run --rm --entrypoint '' --image web "$ID" pwd
        is /home/app
        fails InvalidArgument lxcri run --rm --entrypoint '' --image web "$ID"
        complains "hint:"
}

@test "--memory, --cpus and --pids-limit reach the cgroup" {
        inside --memory 64m --cpus 0.5 --pids-limit 50 -- '
                cd /sys/fs/cgroup
                cat memory/memory.limit_in_bytes memory.max 2>/dev/null
                cat cpu/cpu.cfs_quota_us 2>/dev/null || cut -d" " -f1 cpu.max
                cat pids/pids.max pids.max 2>/dev/null; true'
        is $'67108864\n50000\n50'
        refused InvalidArgument --memory 12x
        refused InvalidArgument --cpus 0.001
}

@test "-v, --mount and --tmpfs" {
        mkdir "$T/data"
        echo hello > "$T/data/file"
        inside -v "$T/data:/data:ro" --mount "type=bind,src=$T/data,dst=/rw" --tmpfs /empty:size=64k --tmpfs /etc -- '
                cat /data/file; touch /data/x 2>/dev/null || echo ro; touch /rw/new && echo rw; df -k /empty | tail -1 | tr -s " " | cut -d" " -f2
                grep -c root /etc/passwd'
        is $'hello\nro\nrw\n64\n1'
        [[ -e $T/data/new ]]
        refused FileError -v "$T/not-there:/x"
        refused NotSupported -v volume:/x
        complains "named volumes are not supported"
        refused InvalidArgument -v "$T/data:/data:ro,rw"
        refused InvalidArgument -v "$T/data:/a" --tmpfs /a
}

@test "--read-only, --shm-size and --device" {
        inside --read-only --shm-size 1m -- 'touch /x 2>/dev/null || echo ro; df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2'
        is $'ro\n1024'
        inside --device /dev/full:/dev/brim:r -- 'head -c 1 /dev/brim | wc -c; echo x 2>/dev/null > /dev/brim || echo no'
        is $'1\nno'
        refused InvalidArgument --device /dev/not-there
        refused InvalidArgument --device /etc/passwd
}

@test "--ulimit" {
        inside --ulimit nofile=100:200 --ulimit core=-1 -- 'ulimit -Sn; ulimit -Hn; ulimit -Sc'
        is $'100\n200\nunlimited'
        refused InvalidArgument --ulimit nofile=2:1
        refused InvalidArgument --ulimit files=1
}

@test "--security-opt" {
        inside --security-opt seccomp=unconfined --security-opt no-new-privileges -- 'sed -n "s/^\(Seccomp\|NoNewPrivs\):\t//p" /proc/self/status'
        is $'1\n0'
        inside --security-opt systempaths=unconfined -- 'mount | grep -c " /proc/"; true'
        is 0
        inside --security-opt mask=/etc --security-opt unmask=/proc/timer_list -- 'ls /etc | wc -l; mount | grep -c " /proc/timer_list "; true'
        is $'0\n0'
        cat > "$T/profile.json" << 'JSON'
{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28,
  "excludes": {"caps": ["CAP_NET_ADMIN"]}}]}
JSON
        inside --security-opt "seccomp=$T/profile.json" -- 'mkdir /x 2>&1; true'
        says "No space left on device"
        inside --security-opt "seccomp=$T/profile.json" --cap-add net_admin -- 'mkdir /x && echo made'
        is made
        refused FileError --security-opt "seccomp=$T/not-there"
        refused InvalidArgument --security-opt nonsense
        echo '{"defaultAction": "NONE"}' > "$T/profile.json"
        refused InvalidSpec --security-opt "seccomp=$T/profile.json"
}

@test "a user namespace of no known kind is refused" {
        refused InvalidArgument --userns nonsense
}

@test "a bundle whose config.json is a symlink and has unlimited rlimits runs" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "ulimit -Hc"] | .process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 7777}]'
        sed 's/7777/18446744073709551615/' "$T/b/config.json" > "$T/real.json"
        ln -sf ../real.json "$T/b/config.json"
        ok lxcri run --bundle "$T/b" "$ID"
        is unlimited
}

@test "a wrong config.json names the field" {
        make_bundle "$T/b" '.linux.resources.memory.limit = "1G"'
        fails InvalidSpec lxcri create --bundle "$T/b" "$ID"
        complains "config.json: linux.resources.memory.limit: not an integer"
        make_bundle "$T/b2" 'del(.process.cwd)'
        fails InvalidSpec lxcri create --bundle "$T/b2" "$ID"
        complains "config.json: process.cwd: missing"
        rm "$T/b2/config.json"
        fails BundleNotFound lxcri create --bundle "$T/b2" "$ID"
        mkfifo "$T/b2/config.json"
        fails FileError timeout 5 env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" create --bundle "$T/b2" "$ID"
}
