# checkpoint and restore by our own engine. Where CRIU does not work, as on a kernel that it does not know, it says itself why a test is
# skipped. Debian 12's machine has one that does: LXCRI_VM=bookworm/plain make test-vm SUITE=checkpoint

load helpers

setup() {
        common_setup
        mkdir "$T/shared"
        echo from the host > "$T/shared/file"
}

teardown() {
        for holder in "${HOLDER:-}" "${NEXT_HOLDER:-}"; do
                [[ -z $holder ]] || kill "$holder" 2> /dev/null || true
        done
        common_teardown
}

# use RUNTIME
use() {
        RUNTIME=$1
        jq --arg runtime "$1" '.default_runtime = $runtime' "$T/config.json" > "$T/config.new"
        mv "$T/config.new" "$T/config.json"
}

# counter FILTER: a bundle that counts in memory, says so in a tmpfs, answers each line that it reads, and ends by "bye" with 7
counter() {
        [[ -d $T/b ]] || make_bundle "$T/b"
        [[ -e $T/default.json ]] || cp "$T/b/config.json" "$T/default.json"
        jq '.process.args = ["sh", "-c", "i=0; line=; while [ \"$line\" != bye ]; do i=$((i+1)); echo $i > /dev/shm/count; read -t 1 line && echo \"$line $i\"; done; exit 7"]
                | .mounts += [{destination: "/var/shared", type: "bind", source: "'"$T"'/shared", options: ["rbind", "ro"]}]
                | .linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}] | .hostname = "counter"
                | .hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "jq -r .pid >> '"$T"'/hooked"]}] | '"${1:-.}" "$T/default.json" > "$T/b/config.json"
}

# It may be just about to write it
count() {
        local count=''

        until [[ -n $count ]]; do
                count=$(lxcri exec "$1" cat /dev/shm/count) || return
        done
        echo "$count"
}

counts_past() {
        local count

        count=$(count "$1") && ((count > $2))
}

# with pipes for its standard streams, whose other ends are another program's; until it counts
start_counter() {
        sleep 600 3>&- | lxcri create --bundle "$T/b" "$ID" 2>&1 | cat > "$T/first" 3>&- &
        HOLDER=$(jobs -p | tail -n 1)
        wait_until 60 is_status "$ID" created
        ok lxcri start "$ID"
        [[ $# != 0 ]] || set -- counts_past "$ID"
        wait_until 60 "$@" 1
}

goes_on() {
        local at pid

        use "$1"
        counter
        start_counter
        ok lxcri checkpoint --leave-running --image-path "$T/early" "$ID"
        at=$(count "$ID")
        wait_until 60 counts_past "$ID" "$at"
        ok lxcri checkpoint --work-path "$T/work" --image-path "$T/i" "$ID"
        [[ -s $T/work/dump.log ]]
        fails ContainerNotFound lxcri state "$ID"

        # under another id, in a root that lacks a mount point
        rmdir "$T/b/rootfs/var/shared"
        lxcri restore --detach --image-path "$T/i" --bundle "$T/b" --pid-file "$T/pid" "$ID-2" > "$T/said" 2>&1 < <(exec sleep 600 3>&-)
        NEXT_HOLDER=$!
        pid=$(cat "$T/pid")
        is_status "$ID-2" running
        [[ $(lxcri state "$ID-2" | jq .pid) == "$pid" ]]
        # it counts on from where it was, in namespaces and cgroups of its own, with the hook's word for the new network
        wait_until 60 counts_past "$ID-2" "$at"
        (($(count "$ID-2") < at + 300))
        ok lxcri exec "$ID-2" sh -c 'hostname; cat /var/shared/file; cat /proc/self/cgroup; ! touch /var/shared/new'
        [[ $output == counter$'\n'"from the host"$'\n'* && $errors == *"Read-only file system"* ]]
        not grep -q "$ID" <<< "$output"
        grep -q "$ID-2" "/proc/$pid/cgroup"
        [[ $(tail -n 1 "$T/hooked") == "$pid" ]]
        ok lxcri pause "$ID-2"
        is_status "$ID-2" paused
        ok lxcri resume "$ID-2"
        ok lxcri kill "$ID-2" KILL
        wait_until 60 is_status "$ID-2" stopped
        ok lxcri delete "$ID-2"

        # and once more, in the foreground: streams and exit code
        { echo hello; sleep 1; echo bye; } 3>&- > >(
                exec 3>&-
                status=0
                lxcri restore --image-path "$T/i" --bundle "$T/b" "$ID" > "$T/said" 2>&1 || status=$?
                echo "$status" > "$T/status"
        )
        wait_until 60 test -s "$T/status"
        [[ $(cat "$T/status") == 7 && $(cat "$T/said") =~ ^hello\ [0-9]+$'\n'bye\ [0-9]+$ ]]
        fails ContainerNotFound lxcri state "$ID"
}

@test "native: what was checkpointed goes on under another id, with pipes, mounts, cgroups, hooks and its exit code" {
        needs_criu
        goes_on native
}

@test "lxc: what was checkpointed goes on" {
        needs_criu
        goes_on lxc
}

@test "a terminal: its other end goes to the console socket, and to who restores in the foreground" {
        needs_criu
        use native
        counter '.process.terminal = true | .process.args = ["sh", "-c", "i=0; while :; do i=$((i+1)); if read -t 1 line; then echo \"got $line\"; [ \"$line\" != bye ] || exit 6; else echo \"tick $i\"; fi; done"]'
        "$PROJECT/tests/lib/sockets" console "$T/c" 120 > "$T/console" 3>&- &
        wait_until 60 test -S "$T/c"
        ok lxcri run -d --console-socket "$T/c" --bundle "$T/b" "$ID"
        wait_until 60 grep -q 'tick 2' "$T/console"
        ok lxcri checkpoint --image-path "$T/i" "$ID"
        wait "$!"
        fails InvalidArgument lxcri restore --detach --image-path "$T/i" --bundle "$T/b" "$ID"
        complains --console-socket
        try "$PROJECT/tests/lib/terminal" 120 --when 'tick [0-9]' 'type=bye\r' env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" \
                restore --image-path "$T/i" --bundle "$T/b" "$ID"
        [[ $status == 6 ]]
        says "got bye"
        not grep -q 'tick 1[^0-9]' <<< "$output"

        rm "$T/c"
        "$PROJECT/tests/lib/sockets" console "$T/c" 120 > "$T/console" 3>&- &
        wait_until 60 test -S "$T/c"
        ok lxcri restore --detach --console-socket "$T/c" --image-path "$T/i" --bundle "$T/b" "$ID"
        wait_until 60 grep -q tick "$T/console"
        ok lxcri delete --force "$ID"
        wait "$!"
}

@test "memory in steps: a dump takes from the pre-dump before it, where the kernel tracks what was written" {
        needs_criu
        use native
        counter
        start_counter
        if ! criu check --feature mem_dirty_track > /dev/null 2>&1; then
                fails RuntimeError lxcri checkpoint --pre-dump --image-path "$T/pre" "$ID"
        else
                ok lxcri checkpoint --pre-dump --image-path "$T/pre" "$ID"
                is_status "$ID" running
                ok lxcri checkpoint --parent-path ../pre --image-path "$T/i" "$ID"
                ok lxcri restore --detach --image-path "$T/i" --bundle "$T/b" "$ID"
                wait_until 60 counts_past "$ID" 2
        fi
        ok lxcri delete --force "$ID"
}

# what has come through the connection
got_past() {
        local got

        got=$(lxcri exec "$ID" tail -n 1 /dev/shm/got) && ((${got:-0} > $1))
}

# listens PORT: on this host
listens() {
        grep -q "$(printf ':%04X 00000000:0000 0A' "$1")" /proc/net/tcp
}

@test "a connection between its processes goes on, or is closed; pages go to a page server" {
        local port=$((20000 + RANDOM % 10000)) at

        needs_criu
        use native
        counter '.process.args = ["sh", "-c", "sleep 100000 | nc -l -p 7000 > /dev/shm/got & until netstat -ltn | grep -q :7000; do sleep 0.1; done; i=0; while :; do i=$((i+1)); echo $i; sleep 0.2; done | nc 127.0.0.1 7000"]'
        start_counter got_past
        fails RuntimeError lxcri checkpoint --image-path "$T/i" "$ID"
        complains --tcp-established
        rm -r "$T/i"
        mkdir "$T/i"
        while listens "$port"; do port=$((port + 1)); done
        criu page-server --images-dir "$T/i" --address 127.0.0.1 --port "$port" > /dev/null 2>&1 3>&- &
        NEXT_HOLDER=$!
        wait_until 60 listens "$port"
        ok lxcri checkpoint --tcp-established --page-server "127.0.0.1:$port" --image-path "$T/i" "$ID"
        wait "$NEXT_HOLDER"
        ok lxcri restore --detach --tcp-established --image-path "$T/i" --bundle "$T/b" "$ID"
        at=$(lxcri exec "$ID" tail -n 1 /dev/shm/got)
        wait_until 60 got_past "$at"
        ok lxcri delete --force "$ID"
        ok lxcri restore --detach --tcp-close --image-path "$T/i" --bundle "$T/b" "$ID"
        wait_until 60 is_status "$ID" stopped
        ok lxcri delete "$ID"
}

@test "a restore that fails, or is killed, leaves nothing" {
        needs_criu
        use native
        counter
        start_counter
        ok lxcri checkpoint --image-path "$T/i" "$ID"
        host_snapshot "$T/before"
        cp -a "$T/i" "$T/broken"
        : > "$T/broken/pstree.img"
        fails RuntimeError lxcri restore --detach --image-path "$T/broken" --bundle "$T/b" "$ID"
        complains restore.log
        assert_host_unchanged "$T/before"
        # a hook that fails
        counter '.hooks.createRuntime += [{path: "/bin/false"}]'
        fails RuntimeError lxcri restore --detach --image-path "$T/i" --bundle "$T/b" "$ID"
        assert_host_unchanged "$T/before"
        # killed while a hook runs: CRIU, which hears no more from us, ends what it made
        counter '.hooks.createRuntime += [{path: "/bin/sh", args: ["sh", "-c", "touch '"$T"'/here; sleep 2"]}]'
        env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" restore --detach --image-path "$T/i" --bundle "$T/b" "$ID" \
                > /dev/null 2>&1 3>&- &
        wait_until 60 test -e "$T/here"
        kill -9 "$!"
        wait "$!" || true
        ok lxcri delete --force "$ID"
        wait_until 60 eval '[[ -z $(tagged_pids) ]]'
        assert_host_unchanged "$T/before"
}

@test "what CRIU would not bring back is refused, and nothing is written" {
        use native
        counter '.process.args = ["sleep", "1000"]'
        host_snapshot "$T/before"
        ok lxcri run -d --bundle "$T/b" "$ID"
        for filter in '.linux.namespaces |= map(select(.type != "pid"))' '.linux.namespaces |= map(select(.type != "mount"))' \
                '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings' \
                '.mounts[-1].options += ["idmap"] | .mounts[-1].uidMappings = [{containerID: 0, hostID: 0, size: 10}] | .mounts[-1].gidMappings = .mounts[-1].uidMappings | .ociVersion = "1.1.0"' \
                '.process.ioPriority = {class: "IOPRIO_CLASS_IDLE", priority: 3} | .ociVersion = "1.1.0"'; do
                counter "$filter"
                fails NotSupported lxcri checkpoint --image-path "$T/i" "$ID"
                complains config.json
        done
        is_status "$ID" running
        not test -e "$T/i"
        ok lxcri delete --force "$ID"
        mkdir "$T/i"
        fails NotSupported lxcri restore --detach --image-path "$T/i" --bundle "$T/b" "$ID"
        counter
        fails NotSupported env NOTIFY_SOCKET=/run/none "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" restore --detach \
                --image-path "$T/i" --bundle "$T/b" "$ID"
        assert_host_unchanged "$T/before"
}
