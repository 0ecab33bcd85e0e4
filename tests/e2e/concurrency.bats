# Many at once.

load helpers

N=32

@test "32 concurrent creates of one image unpack each layer once, and all succeed" {
        local i pids=()

        ok lxcri image import "$FIXTURES/web" web
        for i in $(seq $N); do
                lxcri create --image web "$ID-$i" > "$T/out.$i" 2>&1 < /dev/null &
                pids+=($!)
        done
        for i in $(seq $N); do
                wait "${pids[i - 1]}" || { cat "$T/out.$i"; return 1; }
        done
        [[ $(find "$STORE/layers" -mindepth 1 -maxdepth 1 -type d | wc -l) == 3 ]]
        [[ $(lxcri list -q | grep -c "$ID") == "$N" ]]
        for i in $(seq $N); do
                is_status "$ID-$i" created
        done
        for i in $(seq $N); do
                ok lxcri delete --force "$ID-$i"
        done
}

@test "32 concurrent creates of one id: one success, 31 times ContainerExists, no waiting" {
        local i pids=() good=0 refused=0

        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        for i in $(seq $N); do
                lxcri create --bundle "$T/b" "$ID" > "$T/out.$i" 2>&1 < /dev/null &
                pids+=($!)
        done
        for i in $(seq $N); do
                if wait "${pids[i - 1]}"; then
                        good=$((good + 1))
                else
                        grep -q ContainerExists "$T/out.$i" || { cat "$T/out.$i"; return 1; }
                        refused=$((refused + 1))
                fi
        done
        echo "$good created, $refused refused"
        ((good == 1 && refused == N - 1))
        is_status "$ID" created
        ok lxcri delete --force "$ID"
}

@test "state of a container that is being created says so at once" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        printf '#!/bin/sh\ntouch %s/in-hook\nwhile [ ! -e %s/go ]; do sleep 0.05; done\n' "$T" "$T" > "$T/hook"
        chmod +x "$T/hook"
        jq --arg hook "$T/hook" '.hooks.createRuntime = [{path: $hook}]' "$T/b/config.json" > "$T/new"
        mv "$T/new" "$T/b/config.json"
        lxcri create --bundle "$T/b" "$ID" > "$T/create.out" 2>&1 < /dev/null &
        creator=$!
        wait_until 10 test -e "$T/in-hook"
        ok timeout 2 env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" state "$ID"
        [[ $(jq -r .status <<< "$output") == creating ]]
        # and nobody waits for the creator
        fails ContainerExists timeout 2 env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" create --bundle "$T/b" "$ID"
        touch "$T/go"
        wait "$creator"
        is_status "$ID" created
        ok lxcri delete --force "$ID"
}
