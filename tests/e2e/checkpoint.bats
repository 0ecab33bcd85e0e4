# checkpoint and restore by our own engine. Where CRIU does not work, as on a kernel that it does not know, it says itself why these are
# skipped. They run in Debian 12's machine: LXCRI_VM=bookworm/plain make test-vm SUITE=checkpoint

load helpers

setup() {
        local why

        type -P criu > /dev/null || skip "no program 'criu'"
        why=$(criu check 2>&1) || skip "criu check: $(head -n 1 <<< "$why")"
        RUNTIME=native
        common_setup
        mkdir "$T/shared"
        echo from the host > "$T/shared/file"
}

teardown() {
        [[ -z ${HOLDER:-} ]] || kill "$HOLDER"
        common_teardown
}

# counter FILTER: a bundle that counts in memory, writes that into a tmpfs, answers each line it reads, and ends by "bye" with 7
counter() {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "i=0; line=; while [ \"$line\" != bye ]; do i=$((i+1)); echo $i > /dev/shm/count; read -t 1 line && echo \"$line $i\"; done; exit 7"]
                | .mounts += [{destination: "/var/shared", type: "bind", source: "'"$T"'/shared", options: ["rbind", "ro"]}]
                | .linux.resources.pids.limit = 50 | .hostname = "counter" | '"${1:-.}"
}

# start_counter: with pipes for standard input and output
start_counter() {
        sleep 600 3>&- | tee "$T/nothing" 3>&- | lxcri create --bundle "$T/b" "$ID" | cat > "$T/first" 3>&- &
        HOLDER=$!
        wait_until 30 is_status "$ID" created
        ok lxcri start "$ID"
        wait_until 30 eval '(($(count "$ID") > 1))'
}

count() {
        lxcri exec "$1" cat /dev/shm/count || echo 0
}
