# What every backend and every storage driver must do alike. tests/run runs this file once for each pair (LXCRI_RUNTIME, LXCRI_DRIVER).
# sanitized

load ../e2e/helpers

# ---- from a bundle: OCI to the letter ----

@test "bundle: created, running, stopped, deleted" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri create --bundle "$T/b" --pid-file "$T/pid" "$ID"
        is_status "$ID" created
        ok lxcri state "$ID"
        [[ $(jq -r .id <<< "$output") == "$ID" ]]
        [[ $(jq -r .bundle <<< "$output") == "$T/b" ]]
        [[ $(jq -r .pid <<< "$output") == "$(cat "$T/pid")" ]]
        [[ -n $(jq -r .ociVersion <<< "$output") ]]
        ok lxcri start "$ID"
        is_status "$ID" running
        ok lxcri kill "$ID" KILL
        wait_until 5 is_status "$ID" stopped
        ok lxcri state "$ID"
        [[ $(jq -r '.pid // 0' <<< "$output") == 0 ]]
        ok lxcri delete "$ID"
        fails ContainerNotFound lxcri state "$ID"
}

@test "bundle: list, state and ps print what runc prints, and the global options of both are understood" {
        local created

        make_bundle "$T/b" '.process.args = ["sleep", "100"] | .annotations = {"a.b": "c"}'
        ok lxcri --log "$T/log" --log-format json --log-level debug --debug --rootless auto --cgroup-manager cgroupfs --systemd-cgroup=false \
                --criu /usr/sbin/criu create --bundle "$T/b" "$ID"
        jq -es 'length > 0 and all(has("level") and has("msg") and has("time"))' "$T/log"
        ok lxcri state "$ID"
        created=$(jq -r .created "$T/out")
        [[ $(jq -r 'keys_unsorted | join(" ")' "$T/out") == "ociVersion id pid status bundle rootfs created annotations owner" ]]
        mv "$T/out" "$T/state"
        ok lxcri list --format json
        diff <(jq -S '.[0] | del(.runtime)' "$T/out") <(jq -S . "$T/state")
        ok lxcri list
        [[ $output =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER\ .*$'\n'$ID\ +[0-9]+\ +created\ +$T/b\ +$created\ +root\  ]]
        ok lxcri ps --format json "$ID"
        [[ $(jq -c . "$T/out") == "[$(jq .pid "$T/state")]" ]]
        ok lxcri ps "$ID" -o pid,args
        [[ $output =~ ^\ *PID\ COMMAND$'\n'\ *$(jq .pid "$T/state")\  ]]
        ok lxcri delete "$ID"
}

@test "bundle: run waits, passes stdio and the exit code through, and deletes" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "cat; echo to-stderr >&2; exit 7"]'
        status=0
        lxcri run --bundle "$T/b" "$ID" > "$T/out" 2> "$T/err" <<< "from stdin" || status=$?
        [[ $status == 7 ]]
        [[ $(cat "$T/out") == "from stdin" ]]
        [[ $(cat "$T/err") == "to-stderr" ]]
        fails ContainerNotFound lxcri state "$ID"
}

@test "bundle: --config takes another file in the place of config.json, which is asked no more afterwards" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"] | .process.env += ["FROM=other"] | .hostname = "other" | .annotations = {from: "other"}'
        if [[ $RUNTIME == runc ]]; then
                fails NotSupported lxcri create --config "$T/b/config.json" --bundle "$T/b" "$ID"
                fails ContainerNotFound lxcri state "$ID"
                return
        fi
        mv "$T/b/config.json" "$T/other.json"
        jq '.process.args = ["cat", "/proc/sys/kernel/hostname"]' "$T/other.json" > "$T/run.json"
        ok lxcri run -f <(cat "$T/run.json") -b "$T/b" "$ID"
        says other
        fails FileError lxcri create --config "$T/none.json" --bundle "$T/b" "$ID"
        fails InvalidArgument lxcri create --config "$T/other.json" --image busybox "$ID"
        ok lxcri create --config "$T/other.json" --bundle "$T/b" "$ID"
        rm "$T/other.json"
        ok lxcri start "$ID"
        [[ $(lxcri state "$ID" | jq -r .annotations.from) == other && $(lxcri state "$ID" | jq -r .bundle) == "$T/b" ]]
        ok lxcri exec --env MORE=1 "$ID" sh -c 'echo $FROM $(hostname) $MORE'
        says "other other 1"
        ok lxcri update --pids-limit 50 "$ID"
        ok lxcri inspect "$ID"
        [[ $(jq -r '.[0].process.args[0]' "$T/out") == sleep ]]
        ok lxcri delete --force "$ID"
        # the id is free again, for a bundle that has what it needs
        fails BundleNotFound lxcri create --bundle "$T/b" "$ID"
        mv "$T/run.json" "$T/b/config.json"
        ok lxcri run --bundle "$T/b" "$ID"
        says other
}

@test "bundle: the exit code of a signal is 128 and its number" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "kill -KILL $$"]'
        # pid 1 of a pid namespace is immune to its own signals
        jq '.linux.namespaces |= map(select(.type != "pid"))' "$T/b/config.json" > "$T/new"
        mv "$T/new" "$T/b/config.json"
        try lxcri run --bundle "$T/b" "$ID"
        [[ $status == 137 ]]
}

@test "bundle: run -d returns at once, and the container goes on" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        is_status "$ID" running
        ok lxcri delete --force "$ID"
}

@test "bundle: exec in a running container, with its own exit code, environment and directory" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        ok lxcri exec --env NAME=value --cwd /etc "$ID" sh -c 'echo $NAME $PWD'
        says "value /etc"
        try lxcri exec "$ID" sh -c 'exit 9'
        [[ $status == 9 ]]
        # what did not get as far as a process of its own is not taken for one
        for words in "$ID /no/such/program" "$ID /etc/passwd" "--cwd /none $ID true" "$ID" "none true"; do
                # shellcheck disable=SC2086 # words
                try lxcri exec $words
                [[ $status == 255 ]]
        done
        ok lxcri delete --force "$ID"
}

@test "bundle: ps lists the container's processes" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        ok lxcri ps "$ID"
        says "$(lxcri state "$ID" | jq -r .pid)"
        ok lxcri delete --force "$ID"
}

# twice CMD: once more, which crun takes for success, and runc for an error
twice() {
        ok lxcri "$1" "$ID"
        if [[ $RUNTIME == crun ]]; then
                ok lxcri "$1" "$ID"
        else
                fails InvalidState lxcri "$1" "$ID"
        fi
}

@test "bundle: pause and resume, once it is created, and twice" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri create --bundle "$T/b" "$ID"
        twice pause
        is_status "$ID" paused
        fails InvalidState lxcri start "$ID"
        twice resume
        is_status "$ID" created
        ok lxcri start "$ID"
        twice pause
        is_status "$ID" paused
        twice resume
        is_status "$ID" running
        ok lxcri kill "$ID" KILL
        wait_until 10 is_status "$ID" stopped
        fails InvalidState lxcri pause "$ID"
        fails InvalidState lxcri resume "$ID"
        ok lxcri delete "$ID"
}

@test "bundle: a paused container can be deleted with --force" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        ok lxcri pause "$ID"
        ok lxcri delete --force "$ID"
        fails ContainerNotFound lxcri state "$ID"
}

@test "bundle: a created container is deleted without --force" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri create --bundle "$T/b" "$ID"
        ok lxcri delete "$ID"
        fails ContainerNotFound lxcri state "$ID"
}

@test "bundle: signal 0 asks whether there is a process" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri create --bundle "$T/b" "$ID"
        ok lxcri kill "$ID" 0
        ok lxcri start "$ID"
        ok lxcri kill --all "$ID" 0
        is_status "$ID" running
        ok lxcri kill "$ID" KILL
        wait_until 5 is_status "$ID" stopped
        fails InvalidState lxcri kill "$ID" 0
        ok lxcri delete "$ID"
}

@test "bundle: a second create of an id is ContainerExists and leaves the first alone" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        fails ContainerExists lxcri create --bundle "$T/b" "$ID"
        is_status "$ID" running
        ok lxcri delete --force "$ID"
}

@test "bundle: delete of a running container is refused, with --force it is not" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        fails InvalidState lxcri delete "$ID"
        is_status "$ID" running
        ok lxcri delete --force "$ID"
        ok lxcri delete --force "$ID"
}

@test "bundle: start of a stopped container is refused" {
        make_bundle "$T/b"
        ok lxcri run -d --bundle "$T/b" "$ID"
        wait_until 5 is_status "$ID" stopped
        fails InvalidState lxcri start "$ID"
        ok lxcri delete "$ID"
}

@test "bundle: hooks run once each, in their order" {
        make_bundle "$T/b"
        printf '#!/bin/sh\ncat > /dev/null\necho $1 >> %s/hooks\n' "$T" > "$T/hook"
        chmod +x "$T/hook"
        jq --arg hook "$T/hook" '.hooks = (["prestart", "createRuntime", "poststart", "poststop"] | map({(.): [{path: $hook, args: ["hook", .]}]}) | add)' \
                "$T/b/config.json" > "$T/new"
        mv "$T/new" "$T/b/config.json"
        ok lxcri run --bundle "$T/b" "$ID"
        [[ $(tr '\n' ' ' < "$T/hooks") == "prestart createRuntime poststart poststop " ]]
}

@test "bundle: a failing hook fails create with the runtime's own words, and nothing stays" {
        make_bundle "$T/b"
        jq '.hooks.prestart = [{path: "/bin/false"}]' "$T/b/config.json" > "$T/new"
        mv "$T/new" "$T/b/config.json"
        host_snapshot "$T/before"
        fails RuntimeError lxcri create --bundle "$T/b" "$ID"
        assert_host_unchanged "$T/before"
}

@test "bundle: a program that is not there is the runtime's error, and nothing stays" {
        make_bundle "$T/b" '.process.args = ["/no/such/program"]'
        host_snapshot "$T/before"
        try lxcri run --bundle "$T/b" "$ID"
        ((status != 0))
        complains "/no/such/program"
        assert_host_unchanged "$T/before"
}

@test "bundle: descriptors handed over by --preserve-fds arrive" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "cat <&3"]'
        echo "through descriptor 3" > "$T/three"
        # bats keeps 3 for itself, so it is opened inside
        env "${PROGRAM_ENV[@]}" sh -c 'exec "$@" 3< "$0"' "$T/three" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" run --preserve-fds 1 \
                --bundle "$T/b" "$ID" > "$T/out"
        [[ $(cat "$T/out") == "through descriptor 3" ]]
}

@test "bundle: stray descriptors do not arrive" {
        make_bundle "$T/b" '.process.args = ["ls", "/proc/self/fd"]'
        env "${PROGRAM_ENV[@]}" sh -c 'exec 7< /etc/passwd; exec "$@"' sh "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" run --bundle "$T/b" "$ID" > "$T/out" 3>&-
        not grep -qx 7 "$T/out"
}

@test "bundle: sockets of systemd's activation arrive, for the container's own process" {
        make_bundle "$T/b" '.process.args = ["/probe", "listen"]'
        add_probe "$T/b"
        ok "$PROJECT/tests/lib/sockets" activate "$T/l" 60 env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" run \
                --bundle "$T/b" "$ID"
        # crun leaves it to config.json to name LISTEN_FDS
        says "pid 1, own pid 1"
        says hello
        # another process's sockets, of which only the variables are left, are nobody's
        make_bundle "$T/d" '.process.args = ["ls", "/proc/self/fd"]'
        export LISTEN_FDS=2 LISTEN_PID=2
        ok lxcri run --bundle "$T/d" "$ID"
        (($(wc -l <<< "$output") <= 4))
        export LISTEN_PID=1
        fails InvalidArgument lxcri run --bundle "$T/d" "$ID"
        complains "LISTEN_FDS"
}

@test "bundle: what the container's process tells the service manager arrives there" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "/probe notify && until test -e /told; do sleep 0.05; done"]'
        add_probe "$T/b"
        # crun's own `run` drops what a process said that has ended before crun looks; with all others it may end at once
        [[ $RUNTIME == crun ]] || touch "$T/b/rootfs/told"
        "$PROJECT/tests/lib/sockets" notify "$T/n" 60 > "$T/notified" 3>&- &
        listener=$!
        wait_until 10 test -S "$T/n"
        export NOTIFY_SOCKET=$T/n
        ok lxcri create --bundle "$T/b" "$ID"
        ok lxcri delete --force "$ID"
        lxcri run --bundle "$T/b" "$ID" < /dev/null 3>&- &
        container=$!
        wait_until 10 grep -q READY=1 "$T/notified"
        touch "$T/b/rootfs/told"
        wait "$container"
        kill "$listener"

        "$PROJECT/tests/lib/sockets" notify "$T/m" 60 > "$T/notified" 3>&- &
        wait_until 10 test -S "$T/m"
        export NOTIFY_SOCKET=$T/m
        ok lxcri create --bundle "$T/b" "$ID"
        ok lxcri start "$ID"
        wait_until 10 grep -q READY=1 "$T/notified"
        kill "$!"
        wait_until 10 is_status "$ID" stopped
        ok lxcri delete "$ID"
}

# on_console VERB…: the container's terminal, which has the size that config.json says
on_console() {
        rm -f "$T/c"
        "$PROJECT/tests/lib/sockets" console "$T/c" 60 > "$T/console" 3>&- &
        wait_until 10 test -S "$T/c"
        ok lxcri "$@"
        [[ $1 != create ]] || ok lxcri start "$ID"
        wait "$!"
        grep -q "31 97" "$T/console"
        wait_until 10 is_status "$ID" stopped
        ok lxcri delete "$ID"
}

@test "bundle: a console socket gets the terminal, of the configured size" {
        make_bundle "$T/b" '.process.terminal = true | .process.consoleSize = {height: 31, width: 97} | .process.args = ["sh", "-c", "tty; stty size"]'
        on_console create --console-socket "$T/c" --bundle "$T/b" "$ID"
        on_console run -d --console-socket "$T/c" --bundle "$T/b" "$ID"
}

@test "bundle: descriptors handed over by --preserve-fds arrive in a detached container too" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "cat <&4 > /arrived"]'
        echo "through descriptor 4" > "$T/four"
        env "${PROGRAM_ENV[@]}" sh -c 'exec "$@" 3< /dev/null 4< "$0" > /dev/null' "$T/four" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" run -d \
                --preserve-fds 2 --bundle "$T/b" "$ID"
        wait_until 10 is_status "$ID" stopped
        ok lxcri delete "$ID"
        [[ $(cat "$T/b/rootfs/arrived") == "through descriptor 4" ]]
}

@test "bundle: --no-new-keyring keeps the caller's session keyring, without it there is a new one" {
        make_bundle "$T/b" '.process.args = ["/probe", "keyring"]'
        add_probe "$T/b"
        ok lxcri run --bundle "$T/b" --no-new-keyring "$ID"
        [[ $output == "$("$(dirname "$LXCRI_PROGRAM")/tests/lib/probe" keyring)" ]]
        ok lxcri run --bundle "$T/b" "$ID"
        [[ -n $output && $output != "$("$(dirname "$LXCRI_PROGRAM")/tests/lib/probe" keyring)" ]]
}

@test "bundle: --no-pivot, and --no-subreaper" {
        make_bundle "$T/b" '.process.args = ["cat", "/etc/hostname-of-root"]'
        echo "its own root" > "$T/b/rootfs/etc/hostname-of-root"
        ok lxcri run --no-pivot --no-subreaper --bundle "$T/b" "$ID"
        says "its own root"
}

@test "bundle: events --stats is one object with runc's fields" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        ok lxcri events --stats "$ID"
        jq -e --arg id "$ID" '.type == "stats" and .id == $id and .data.pids.current == 1 and (.data.memory.usage.usage > 0) and
                (.data.cpu.usage.total > 0) and (.data | has("blkio")) and (.data | has("hugetlb"))' "$T/out" > /dev/null
        ok lxcri delete --force "$ID"
        fails ContainerNotFound lxcri events --stats "$ID"
}

@test "bundle: events come at each interval, and end when the container is deleted" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        lxcri events --interval 50ms "$ID" > "$T/events" &
        wait_until 20 eval '(($(wc -l < "$T/events") >= 3))'
        ok lxcri delete --force "$ID"
        wait "$!"
        [[ $(jq -r .type "$T/events" | sort -u) == stats ]]
}

@test "bundle: events tell when the kernel killed for memory" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "read go < /go; tail -c 200m /dev/zero; sleep 100"] | .linux.resources.memory.limit = 16777216'
        mkfifo "$T/b/rootfs/go"
        ok lxcri run -d --bundle "$T/b" "$ID"
        # itself, so that its descriptors can be looked at
        env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" events --interval 1h "$ID" > "$T/events" 3>&- &
        # it watches once it has an eventfd, or inotify
        wait_until 20 eval 'ls -l /proc/$!/fd 2> /dev/null | grep -qE "eventfd|inotify"'
        echo > "$T/b/rootfs/go"
        wait_until 30 grep -q "\"type\":\"oom\",\"id\":\"$ID\"" "$T/events"
        ok lxcri delete --force "$ID"
        wait "$!"
}

# limit FILE_V1 FILE_V2: of the container's cgroup
limit() {
        local controller=${1%%.*} pid path

        pid=$(lxcri state "$ID" | jq -r .pid)
        path=$(sed -nE "s/^[0-9]+:([^:]*,)?$controller(,[^:]*)?://p" "/proc/$pid/cgroup")
        if [[ -n $path ]]; then
                cat "/sys/fs/cgroup/$controller$path/$1"
        else
                cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/$2"
        fi
}

@test "bundle: update by options, from a file, and from standard input" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        ok lxcri update --memory 64m --pids-limit 55 "$ID"
        [[ $(limit memory.limit_in_bytes memory.max) == $((64 << 20)) && $(limit pids.max pids.max) == 55 ]]
        echo '{"memory": {"limit": 33554432}, "pids": {"limit": 44}}' > "$T/limits"
        ok lxcri update -r "$T/limits" "$ID"
        [[ $(limit memory.limit_in_bytes memory.max) == $((32 << 20)) && $(limit pids.max pids.max) == 44 ]]
        # as containerd's does: all that the container has, with one limit changed
        jq '.linux.resources + {pids: {limit: 33}}' "$T/b/config.json" > "$T/limits"
        lxcri update --resources - "$ID" < "$T/limits"
        [[ $(limit pids.max pids.max) == 33 ]]
        ok lxcri delete --force "$ID"
        fails ContainerNotFound lxcri update --memory 64m "$ID"
}

@test "bundle: update refuses what it does not know, and what does not fit together" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        echo '{"memroy": {"limit": 1}}' > "$T/limits"
        fails InvalidSpec lxcri update -r "$T/limits" "$ID"
        complains "memroy"
        fails InvalidArgument lxcri update -r "$T/limits" --memory 64m "$ID"
        fails InvalidArgument lxcri update --memory much "$ID"
        # which changes nothing, as with runc and crun
        ok lxcri update "$ID"
        ok lxcri delete --force "$ID"
}

@test "bundle: a regular expression names several containers for kill and delete" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID-1"
        ok lxcri run -d --bundle "$T/b" "$ID-2"
        ok lxcri run -d --bundle "$T/b" "$ID-x"
        ok lxcri kill --regex "^$ID-[0-9]\$" KILL
        wait_until 10 is_status "$ID-1" stopped
        wait_until 10 is_status "$ID-2" stopped
        is_status "$ID-x" running
        ok lxcri delete --regex "^$ID-[0-9]\$"
        ok lxcri list -q
        [[ $output == "$ID-x" ]]
        fails InvalidArgument lxcri delete --regex '['
        ok lxcri delete --force -r "$ID"
}

@test "features: versions, and annotations that say what is behind" {
        ok lxcri features
        jq -e --arg runtime "$RUNTIME" '.ociVersionMin == "1.0.0" and (.ociVersionMax | startswith("1.")) and .linux.seccomp.enabled and
                .annotations["org.proxmox-lxcri.runtime"] == $runtime' "$T/out" > /dev/null
        # what it says it takes, it takes
        make_bundle "$T/b" ".ociVersion = $(jq .ociVersionMax "$T/out")"
        ok lxcri run --bundle "$T/b" "$ID"
}

@test "spec: its bundle runs" {
        mkdir "$T/b"
        cp -a "$FIXTURES/rootfs" "$T/b/rootfs"
        ok lxcri spec --bundle "$T/b"
        fails FileError lxcri spec --bundle "$T/b"
        jq '.process.args = ["id", "-u"] | .process.terminal = false | del(.process.rlimits)' "$T/b/config.json" > "$T/new"
        mv "$T/new" "$T/b/config.json"
        ok lxcri run --bundle "$T/b" "$ID"
        [[ $output == 0 ]]
}

# can_checkpoint: whether CRIU works on this kernel, and the runtime was built with it
can_checkpoint() {
        criu check > /dev/null 2>&1 &&
                [[ $(lxcri features | jq -r '.annotations["org.opencontainers.runc.checkpoint.enabled"]') == true ]]
}

@test "bundle: checkpoint and restore, or a plain word that it cannot be done" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.1; done"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        wait_until 10 test -s "$T/b/rootfs/count"
        if ! can_checkpoint; then
                try lxcri checkpoint --image-path "$T/i" "$ID"
                ((status != 0))
                [[ $errors == *NotSupported* || $errors == *RuntimeNotAvailable* || $errors == *"criu check"* ]] || { echo "$errors"; return 1; }
                # and it runs on
                is_status "$ID" running
                ok lxcri delete --force "$ID"
                return
        fi
        ok lxcri checkpoint --leave-running --image-path "$T/i" "$ID"
        is_status "$ID" running
        rm -r "$T/i"
        ok lxcri checkpoint --image-path "$T/i" "$ID"
        fails ContainerNotFound lxcri state "$ID"
        count=$(cat "$T/b/rootfs/count")
        ok lxcri restore --detach --image-path "$T/i" --bundle "$T/b" --pid-file "$T/pid" "$ID"
        is_status "$ID" running
        [[ $(cat "$T/pid") == $(lxcri state "$ID" | jq .pid) ]]
        # it counts on from where it was
        wait_until 10 eval '(($(cat "$T/b/rootfs/count") > count))'
        (($(cat "$T/b/rootfs/count") < count + 1000))
        ok lxcri delete --force "$ID"
}

@test "bundle: restore without a checkpoint fails, and nothing stays" {
        make_bundle "$T/b"
        host_snapshot "$T/before"
        try lxcri restore --image-path "$T/none" --bundle "$T/b" "$ID"
        ((status != 0))
        [[ $errors == *"No such file or directory"* || $errors == *NotSupported* ]]
        mkdir "$T/empty"
        try lxcri restore --detach --image-path "$T/empty" --bundle "$T/b" "$ID"
        ((status != 0))
        assert_host_unchanged "$T/before"
}

# ---- from an image: kept until it is deleted ----

@test "image: create, start, exec, stop, start again, delete" {
        import_busybox
        ok lxcri create --image busybox "$ID" sleep 100
        is_status "$ID" created
        ok lxcri start "$ID"
        is_status "$ID" running
        ok lxcri exec "$ID" sh -c 'echo kept > /root/file'
        ok lxcri stop -t 0 "$ID"
        is_status "$ID" stopped
        ok lxcri start "$ID"
        is_status "$ID" running
        ok lxcri exec "$ID" cat /root/file
        says kept
        ok lxcri stop -t 0 "$ID"
        ok lxcri delete "$ID"
        fails ContainerNotFound lxcri state "$ID"
}

@test "image: run in the foreground passes stdio and exit code and keeps the container" {
        import_busybox
        status=0
        lxcri run --image busybox "$ID" sh -c 'cat; exit 5' > "$T/out" 2> "$T/err" <<< "hello" || status=$?
        [[ $status == 5 ]]
        [[ $(cat "$T/out") == hello ]]
        is_status "$ID" stopped
        ok lxcri delete "$ID"
}

@test "image: run --rm leaves nothing but the image" {
        import_busybox
        # the first run unpacks the layer
        ok lxcri run --rm --image busybox "$ID" true
        host_snapshot "$T/before"
        ok lxcri run --rm --image busybox "$ID" true
        assert_host_unchanged "$T/before"
}

@test "image: its user, directory, environment and entrypoint are the process's" {
        ok lxcri image import "$FIXTURES/web" web
        ok lxcri run --rm --image web "$ID"
        says "web serve"
        ok lxcri run --rm --image web --entrypoint sh "$ID" -c 'id -u; id -G; pwd; echo $MODE'
        [[ $output == $'1000\n1000 2000\n/home/app\ntest' ]]
}

@test "image: what upper layers replaced is replaced, what they removed is gone" {
        ok lxcri image import "$FIXTURES/web" web
        ok lxcri run --rm --image web --user root --entrypoint sh "$ID" -c 'cat /etc/motd; ls /etc/old 2>&1; stat -c %u:%g /srv/index'
        says second
        says "No such file"
        says 1000:1000
}

@test "image: what one container writes no other sees" {
        import_busybox
        ok lxcri run --image busybox "$ID-a" sh -c 'echo mine > /etc/own; rm /etc/passwd'
        ok lxcri run --rm --image busybox "$ID-b" sh -c 'ls /etc/own 2>&1; cat /etc/passwd'
        says "No such file"
        says root:x:0:0
        ok lxcri delete "$ID-a"
}

@test "image: logs of a detached container, and its exit status" {
        import_busybox
        ok lxcri run -d --image busybox "$ID" sh -c 'echo out; echo err >&2; exit 3'
        ok lxcri wait "$ID"
        [[ $output == 3 ]]
        ok lxcri logs "$ID"
        says out
        complains err
        is_status "$ID" stopped
        ok lxcri delete "$ID"
}

@test "image: one that is just ending can be waited for and deleted" {
        local i

        import_busybox
        for i in {1..8}; do
                ok lxcri run -d --image busybox "$ID" true
                ((i % 2)) && ok lxcri wait "$ID"
                ok lxcri delete --force "$ID"
        done
}

@test "image: limits arrive in the cgroup" {
        import_busybox
        ok lxcri run -d --image busybox --memory 64m --pids-limit 77 "$ID" sleep 100
        pid=$(lxcri state "$ID" | jq -r .pid)
        if grep -q ':memory:' "/proc/$pid/cgroup"; then
                [[ $(cat "/sys/fs/cgroup/memory$(sed -n 's/.*:memory://p' "/proc/$pid/cgroup")/memory.limit_in_bytes") == $((64 << 20)) ]]
                [[ $(cat "/sys/fs/cgroup/pids$(sed -n 's/.*:pids://p' "/proc/$pid/cgroup")/pids.max") == 77 ]]
        else
                [[ $(cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/memory.max") == $((64 << 20)) ]]
                [[ $(cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/pids.max") == 77 ]]
        fi
        ok lxcri delete --force "$ID"
}

@test "image: a volume shows the host's files, read-only where asked" {
        import_busybox
        # an unprivileged container's root is one of the host's others
        mkdir -m 777 "$T/vol"
        echo "from the host" > "$T/vol/file"
        ok lxcri run --rm --image busybox -v "$T/vol:/mnt/vol" "$ID" sh -c 'cat /mnt/vol/file; echo back > /mnt/vol/back'
        says "from the host"
        [[ $(cat "$T/vol/back") == back ]]
        try lxcri run --rm --image busybox -v "$T/vol:/mnt/vol:ro" "$ID" sh -c 'echo no > /mnt/vol/no'
        ((status != 0))
        [[ ! -e $T/vol/no ]]
}

@test "image: its own network namespace, with lo up" {
        import_busybox
        ok lxcri run --rm --image busybox "$ID" sh -c 'readlink /proc/self/ns/net; ip -o link'
        [[ $output != *"$(readlink /proc/self/ns/net)"* ]]
        [[ $output == *"lo: <LOOPBACK,UP"* ]]
        [[ $(grep -c '^[0-9]*: ' <<< "$output") == 1 ]] || [[ $output != *eth0* ]]
}

@test "image: stop sends the image's stop signal first" {
        ok lxcri image import "$FIXTURES/web" web
        ok lxcri run -d --image web --entrypoint sh "$ID" -c 'trap "echo got INT; exit 4" INT; echo ready; while :; do sleep 0.05; done'
        wait_until 5 eval 'lxcri logs "$ID" | grep -q ready'
        ok lxcri stop -t 10 "$ID"
        ok lxcri logs "$ID"
        says "got INT"
        ok lxcri delete "$ID"
}
