# In crun's and runc's place: the same words, the same documents, as fast where it counts; and for users without privileges.

load helpers

@test "global options of both are understood" {
        ok lxcri --debug --log-level=warning --criu /usr/sbin/criu --rootless=true --systemd-cgroup=false --cgroup-manager=cgroupfs list
        fails InvalidArgument lxcri --log-level loud list
        fails InvalidArgument lxcri --cgroup-manager other list
        # how podman asks whether a container can be restored into a pod
        fails "flag needs an argument" lxcri restore --lsm-mount-context
        ok lxcri checkpoint --help
}

@test "--log reaches the journal and the system log by crun's names for them, and says when it would not" {
        local socket listener word

        for socket in run/systemd/journal/socket:journald dev/log:syslog; do
                word=${socket#*:} socket=${socket%:*}
                mkdir -p "$T/m/${socket%/*}"
                "$PROJECT/tests/lib/sockets" notify "$T/m/$socket" 60 > "$T/$word" 3>&- &
                listener=$!
                wait_until 10 test -S "$T/m/$socket"
                # a host's own is not heard, nor one made where there is none
                fails ContainerNotFound env "${PROGRAM_ENV[@]}" unshare -m --propagation private sh -c '
                        case $1 in journald) mount -t tmpfs none /run; mkdir -p /run/systemd/journal;; syslog) mount -t tmpfs none /dev;; esac
                        ln -s "$2" "/$3"; shift 3; exec "$@"' sh "$word" "$T/m/$socket" "$socket" \
                        "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" --log "$word:box" state none
                wait_until 10 grep -q ContainerNotFound "$T/$word"
                kill "$listener"
                fails FileError env "${PROGRAM_ENV[@]}" unshare -m --propagation private sh -c 'mount -t tmpfs none "/$1"; shift; exec "$@"' sh "${socket%%/*}" \
                        "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" --log "$word:box" list
        done
        grep -qx SYSLOG_IDENTIFIER=box "$T/journald"
        grep -qx PRIORITY=3 "$T/journald"
        grep -q '^MESSAGE=time=.* level=error msg=' "$T/journald"
        grep -qE "^<11>[A-Z][a-z]{2} .* box\[[0-9]+\]: time=.* level=error" "$T/syslog"
        ok lxcri --log "file:$T/log" --debug list
        grep -q level=debug "$T/log"
}

@test "--cgroup-manager disabled is crun's alone" {
        make_bundle "$T/b"
        ok lxcri --runtime crun --cgroup-manager disabled run --bundle "$T/b" "$ID"
        fails NotSupported lxcri --runtime runc --cgroup-manager disabled run --bundle "$T/b" "$ID"
}

@test "spec and spec --rootless are runc's but for the host name and the version" {
        local option

        for option in "" --rootless; do
                mkdir -p "$T/ours$option" "$T/theirs$option"
                (cd "$T/theirs$option" && runc spec $option)
                ok lxcri spec $option --bundle "$T/ours$option"
                diff <(jq -S 'del(.hostname, .ociVersion)' "$T/ours$option/config.json") <(jq -S 'del(.hostname, .ociVersion)' "$T/theirs$option/config.json")
        done
        ok lxcri spec --file "$T/elsewhere.json"
        [[ $(jq -r .root.path "$T/elsewhere.json") == rootfs ]]
        fails InvalidArgument lxcri spec --file "$T/x" --bundle "$T"
}

@test "features of runc are its own, with our annotations added" {
        ok lxcri --runtime runc features
        diff <(jq -S '.annotations |= with_entries(select(.key | startswith("org.proxmox-lxcri.") | not))' "$T/out") <(runc features | jq -S .)
}

@test "events --stats has all fields of runc's" {
        local paths='[paths(scalars) | map(if type == "number" then "[]" else . end) | join(".")] | unique | .[]'

        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri --runtime runc run -d --bundle "$T/b" "$ID"
        ok lxcri events --stats "$ID"
        mv "$T/out" "$T/ours"
        try runc --root "$ROOT/$ID/runtime" events --stats "$ID"
        # of block devices there may be more or fewer by now; the kernel's own names below raw are whatever it counts
        [[ -z $(comm -13 <(jq -r "$paths" "$T/ours" | sort) <(jq -r "$paths" "$T/out" | grep -v 'blkio\|\.raw\.' | sort)) ]]
        ok lxcri delete --force "$ID"
}

@test "update: what runc would pass over is refused, what the container has anyway may stand there" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri --runtime runc run -d --bundle "$T/b" "$ID"
        fails NotSupported lxcri update --kernel-memory 64m "$ID"
        complains memory.kernel
        echo '{"devices": [{"allow": true, "access": "rwm"}]}' > "$T/limits"
        fails NotSupported lxcri update -r "$T/limits" "$ID"
        complains devices
        jq '{devices: .linux.resources.devices, pids: {limit: 50}, memory: {kernel: 0}, cpu: {}}' "$T/b/config.json" > "$T/limits"
        ok lxcri update -r "$T/limits" "$ID"
        ok lxcri delete --force "$ID"
}

@test "exec --ignore-paused: by runc, once the container is resumed" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri --runtime runc run -d --bundle "$T/b" "$ID"
        ok lxcri pause "$ID"
        fails InvalidState lxcri exec "$ID" true
        lxcri exec --ignore-paused "$ID" echo "at last" > "$T/said" &
        ok lxcri resume "$ID"
        wait "$!"
        [[ $(< "$T/said") == "at last" ]]
        ok lxcri delete --force "$ID"
}

# lives_by RUNTIME FILTER: a whole life of a container, the words that its runtime was started with in $T/calls
lives_by() {
        rm -rf "$T/b" "$T/calls"
        make_bundle "$T/b" "$2"
        ok lxcri --runtime "$1" create --bundle "$T/b" "$ID"
        ok lxcri start "$ID"
        wait_until 10 is_status "$ID" stopped
        ok lxcri delete "$ID"
}

@test "crun and runc are not started for what they would do no more for than we, but for their hooks" {
        local name hook='[{path: "/bin/sh", args: ["sh", "-c", "cat > /dev/null; touch '"$T"'/hook"]}]'

        for name in crun runc; do
                printf '#!/bin/sh\necho "$*" >> %q\nexec %q "$@"\n' "$T/calls" "$(type -P "$name")" > "$T/$name"
                chmod +x "$T/$name"
                jq --arg name "$name" --arg path "$T/$name" '.runtimes[$name].path = $path' "$T/config.json" > "$T/new"
                mv "$T/new" "$T/config.json"
                lives_by "$name" '.process.args = ["touch", "/ran"]'
                [[ -e $T/b/rootfs/ran ]]
                [[ $name == runc ]] || not grep -q ' start ' "$T/calls"
                not grep -q ' delete ' "$T/calls"
                lives_by "$name" ".hooks.poststop = $hook"
                grep -q ' delete ' "$T/calls"
                rm "$T/hook"
                lives_by "$name" ".hooks.poststart = $hook"
                grep -q ' start ' "$T/calls"
                not grep -q ' delete ' "$T/calls"
                rm "$T/hook"
        done
}

@test "crun starts what our own way of starting it has failed with" {
        local fifo=$ROOT/$ID/runtime/$ID/exec.fifo starter

        make_bundle "$T/b" '.process.args = ["touch", "/ran"]'
        ok lxcri --runtime crun create --bundle "$T/b" --pid-file "$T/pid" "$ID"
        # Nobody reads, and it is full
        kill -STOP "$(< "$T/pid")"
        exec 7<> "$fifo"
        not dd if=/dev/zero of="$fifo" bs=4096 conv=notrunc oflag=nonblock 2> "$T/dd"
        grep -q "Resource temporarily unavailable" "$T/dd"
        lxcri start "$ID" 2> "$T/err" 7>&- &
        starter=$!
        wait_until 20 eval '[[ ! -e $fifo ]]'
        head -c 4096 <&7 > /dev/null
        wait "$starter" || { cat "$T/err"; return 1; }
        kill -CONT "$(< "$T/pid")"
        exec 7>&-
        wait_until 10 is_status "$ID" stopped
        [[ -e $T/b/rootfs/ran ]]
        ok lxcri delete "$ID"
}

# best OF CMD…: the fewest milliseconds of five tries
best() {
        local i start took best=1000000

        for i in 1 2 3 4 5; do
                start=${EPOCHREALTIME/./}
                "$@" > "$T/list" 3>&-
                took=$(((${EPOCHREALTIME/./} - start) / 1000))
                ((took >= best)) || best=$took
        done
        echo "$best"
}

@test "list --format json of a thousand containers takes at most three times as long as runc's" {
        # An emulated machine takes minutes for a thousand
        local n=${LXCRI_LIST_CONTAINERS:-1000} i theirs ours our_state their_state

        make_bundle "$T/b" '.process.args = ["sleep", "1000"]'
        ok lxcri --runtime runc run -d --bundle "$T/b" "$ID"
        # $n names of one container: what is read and asked for is the same as of $n containers
        our_state=$(< "$ROOT/$ID/state.json") their_state=$(< "$ROOT/$ID/runtime/$ID/state.json")
        mkdir "$T/theirs"
        seq -f "$ROOT/$ID-%g/runtime" $((n - 1)) | xargs mkdir -p
        seq -f "$T/theirs/$ID-%g" $((n - 1)) | xargs mkdir
        (
                # not a thousand times bats' trap
                trap - DEBUG
                for ((i = 1; i < n; i++)); do
                        echo "${our_state/\"id\":\"$ID\"/\"id\":\"$ID-$i\"}" > "$ROOT/$ID-$i/state.json"
                        echo "${their_state/\"id\":\"$ID\"/\"id\":\"$ID-$i\"}" > "$T/theirs/$ID-$i/state.json"
                done
        )
        cp -r "$ROOT/$ID/runtime/$ID" "$T/theirs/"
        theirs=$(best runc --root "$T/theirs" list --format json)
        [[ $(jq length "$T/list") == "$n" ]]
        ours=$(best lxcri list --format json)
        [[ $(jq 'map(select(.status == "running")) | length' "$T/list") == "$n" ]]
        echo "ours $ours ms, runc's $theirs ms"
        ((ours <= 3 * theirs))
        find "$ROOT" -mindepth 1 -maxdepth 1 -name "$ID-*" -exec rm -r {} +
        ok lxcri delete --force "$ID"
}

# ---- a user without privileges ----

# as_user ARG…: our program as a user whom nothing on this machine belongs to
as_user() {
        setpriv --reuid 12345 --regid 12345 --clear-groups env "${PROGRAM_ENV[@]}" HOME="$T/home" XDG_RUNTIME_DIR="$T/run" \
                "$T/proxmox-lxcri" "$@" 3>&-
}

rootless_setup() {
        chmod 711 "$T"
        chmod 644 "$T/config.json"
        mkdir "$T/home" "$T/run"
        make_bundle "$T/b"
        rm "$T/b/config.json"
        chown 12345:12345 "$T/b"
        # where that user can reach it; of what it has beside it crun and runc need the monitor only
        install -m 755 "$LXCRI_PROGRAM" "$T/proxmox-lxcri"
        install -D -m 755 -t "$T/modules" "$(dirname "$LXCRI_PROGRAM")/modules/proxmox-lxcri-monitor"
        as_user spec --rootless --bundle "$T/b"
        jq "$2"' | .process.terminal = false | del(.process.rlimits) | .root.readonly = false' "$T/b/config.json" > "$T/new"
        mv "$T/new" "$T/b/config.json"
        # the streams too: runc gives them to the container's root
        touch "$T/out" "$T/err"
        chown -R 12345:12345 "$T/home" "$T/run" "$T/b" "$T/out" "$T/err"
}

check_rootless() {
        rootless_setup "$1" '.process.args = ["sh", "-c", "id -u; cat /proc/self/uid_map; exit 4"]'
        try as_user --runtime "$1" run --bundle "$T/b" "$ID"
        [[ $status == 4 ]] || { echo "$errors"; return 1; }
        [[ $output == 0*"0      12345          1" ]]
        [[ ! -e $T/run/proxmox-lxcri/$ID ]]

        jq '.process.args = ["sleep", "1000"]' "$T/b/config.json" > "$T/new"
        cat "$T/new" > "$T/b/config.json"
        ok as_user --runtime "$1" run -d --bundle "$T/b" "$ID"
        ok as_user state "$ID"
        [[ $(jq -r '.status + .owner' <<< "$output") == running12345 ]]
        ok as_user exec "$ID" id -u
        [[ $output == 0 ]]
        ok as_user list -q
        [[ $output == "$ID" ]]
        fails ContainerNotFound lxcri state "$ID"
        # no cgroup of its own, which would be needed
        fails NotSupported as_user ps "$ID"
        ok as_user kill "$ID" KILL
        wait_until 10 eval '[[ $(as_user state "$ID" | jq -r .status) == stopped ]]'
        ok as_user delete "$ID"
        [[ -z $(ls -A "$T/run/proxmox-lxcri") ]]
}

@test "a user without privileges runs a bundle by crun, in a root of their own" {
        check_rootless crun
}

@test "a user without privileges runs a bundle by runc, in a root of their own" {
        check_rootless runc
}
