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

@test "bundle: run waits, passes stdio and the exit code through, and deletes" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "cat; echo to-stderr >&2; exit 7"]'
        status=0
        lxcri run --bundle "$T/b" "$ID" > "$T/out" 2> "$T/err" <<< "from stdin" || status=$?
        [[ $status == 7 ]]
        [[ $(cat "$T/out") == "from stdin" ]]
        [[ $(cat "$T/err") == "to-stderr" ]]
        fails ContainerNotFound lxcri state "$ID"
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
        ok lxcri delete --force "$ID"
}

@test "bundle: ps lists the container's processes" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        ok lxcri ps "$ID"
        says "$(lxcri state "$ID" | jq -r .pid)"
        ok lxcri delete --force "$ID"
}

@test "bundle: pause and resume" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        ok lxcri pause "$ID"
        is_status "$ID" paused
        ok lxcri resume "$ID"
        is_status "$ID" running
        ok lxcri delete --force "$ID"
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
        ! grep -qx 7 "$T/out"
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
        mkdir "$T/vol"
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
