# checkpoint and restore by our own engine. Where CRIU does not work, as on a kernel it does not know, it says itself why these are skipped.

load helpers

setup() {
        local why

        type -P criu > /dev/null || skip "no criu"
        why=$(criu check 2>&1) || skip "criu check: $(head -n 1 <<< "$why")"
        RUNTIME=native
        common_setup
}

# counting FILTER: a bundle that counts in its memory, and says so in /count and, each time it reads a line, on its stdout
counting() {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i > /dev/shm/count; if read -t 1 line; then echo \"$line $i\"; fi; [ \"$line\" != bye ] || exit 7; done"] | '"${1:-.}"
}

count() {
        lxcri exec "${1:-$ID}" cat /dev/shm/count
}

detached() {
        mkdir "$T/shared"
        echo from the host > "$T/shared/file"
        counting ".mounts += [{destination: \"/var/shared\", type: \"bind\", source: \"$T/shared\", options: [\"rbind\", \"ro\"]}]
                | .linux.resources.pids.limit = 50 | .hostname = \"counter\" | .hooks.poststop = [{path: \"/bin/touch\", args: [\"touch\", \"$T/stopped\"]}]
                | .hooks.createRuntime = [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"jq -r .pid >> $T/hooked\"]}]"
        mkfifo "$T/in" "$T/in2"
        # ours, so that neither end goes with a program
        exec 7<> "$T/in" 8<> "$T/in2"
        ok lxcri run -d --bundle "$T/b" "$ID"
}

