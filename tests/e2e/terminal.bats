# Terminals: what people who sit at one get.

load helpers

# An image's unpacked layers are kept
MAY_STAY='^s . [0-9]+ [0-9:]+ \./(layers|images)/'

setup() {
        common_setup
        # for a user namespace's root to pass
        chmod 711 "$T"
        chmod 700 "$ROOT"
        import_busybox
}

# crun drops what it has not yet read from the terminal of a process that has ended; all others must not
LINGER=:
[[ $RUNTIME != crun ]] || LINGER="sleep 0.5"

# on_terminal ARG…: our program on a terminal of 24 by 80
on_terminal() {
        "$PROJECT/tests/lib/terminal" 60 env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" "$@" 3>&-
}

@test "run -t gives the container a terminal of the caller's size, and its exit status" {
        try on_terminal run --rm -t --image busybox "$ID" sh -c "tty; stty size; $LINGER; exit 5"
        [[ $status == 5 ]]
        says /dev/pts/0
        says "24 80"
}

@test "run -t in a user namespace: the terminal belongs to the container's user" {
        ok on_terminal run --rm -t --uidmap 0:100000:65536 --gidmap 0:100000:65536 --image busybox "$ID" sh -c "stat -c '%n %u' \"\$(tty)\"; $LINGER"
        says "/dev/pts/0 0"
}

@test "exec -t gives the process a terminal" {
        # crun 1.8 itself takes, once in a dozen times, the first output of `exec -t` for an error message
        ok lxcri --runtime runc run -d --image busybox "$ID" sleep 1000
        try on_terminal exec -t "$ID" sh -c 'tty; exit 6'
        [[ $status == 6 ]]
        says /dev/pts/
        ok lxcri delete --force "$ID"
}

# abandoned ARG…: a run --rm -t whose client was killed, and with the terminal its container
abandoned() {
        "$PROJECT/tests/lib/terminal" 60 env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" run --rm -t "$@" \
                > "$T/terminal" 2>&1 3>&- &
        wait_until 60 is_status "$ID" running
        init=$(lxcri state "$ID" | jq .pid)
        kill -9 "$(jq .waiter.pid "$ROOT/$ID/state.json")"
        wait "$!" || true
        # a runtime that dies with the client may leave the init to the terminal's hangup
        kill -9 "$init" 2> /dev/null || true
        wait_until 10 eval '! kill -0 "$init" 2> /dev/null'
}

@test "run --rm -t whose client is killed: recover, or the next command, deletes the container as was asked" {
        host_snapshot "$T/before"
        for next in recover "state $ID" "start $ID"; do
                abandoned --image busybox "$ID" sleep 1000
                ok lxcri list -q
                says "$ID"
                # shellcheck disable=SC2086 # words
                if [[ $next == recover ]]; then
                        ok lxcri recover
                        says "deleted, as --rm asked"
                else
                        fails ContainerNotFound lxcri $next
                fi
                assert_host_unchanged "$T/before" "$MAY_STAY"
        done

        abandoned --image busybox "$ID" sleep 1000
        ok lxcri delete "$ID"
        assert_host_unchanged "$T/before" "$MAY_STAY"

        abandoned --image busybox "$ID" sleep 1000
        ok lxcri run --rm --image busybox "$ID" echo again
        [[ $output == again ]]
        assert_host_unchanged "$T/before" "$MAY_STAY"

        # a client that is there does it itself
        ok on_terminal run --rm -t --image busybox "$ID" true
        assert_host_unchanged "$T/before" "$MAY_STAY"
}

# own_memory PID: kibibytes that no other process shares, and that are no file's
own_memory() {
        sed -n 's/^Anonymous: *\([0-9]*\) kB/\1/p' "/proc/$1/smaps_rollup"
}

# rests PID: it has given back what output took
rests() {
        (($(own_memory "$1") <= 96))
}

@test "the monitor of a detached container has less than 100 kB of its own, before its output and after" {
        host_snapshot "$T/before"
        for quiet in 'sleep 1000' 'i=0; while [ $i -lt 3000 ]; do echo "line $i of what shall be in the log"; i=$((i + 1)); done; exec sleep 1000'; do
                ok lxcri run -d --image busybox "$ID" sh -c "$quiet"
                monitor=$(jq .monitor.pid "$ROOT/$ID/state.json")
                wait_until 10 eval '[[ $(readlink "/proc/$monitor/exe") == */proxmox-lxcri-monitor ]]'
                [[ $quiet == sleep* ]] || wait_until 30 eval '(($(lxcri logs "$ID" | wc -l) == 3000))'
                wait_until 30 rests "$monitor"

                # what it executes at the end harms no container that runs, and no later run of one
                fails InvalidState lxcri monitor-end "$ID" "$(lxcri state "$ID" | jq .pid)" "$(jq .init.startTime "$ROOT/$ID/state.json")" 0
                ok lxcri monitor-end "$ID" 1 1 0
                is_status "$ID" running
                ok lxcri kill "$ID" KILL
                ok lxcri wait "$ID"
                says 137
                ok lxcri delete --force "$ID"
        done
        assert_host_unchanged "$T/before" "$MAY_STAY"
}

@test "a monitor that could not wait for the end is refused before anything is made" {
        host_snapshot "$T/before"
        mkdir -p "$T/bin/modules"
        cp "$LXCRI_PROGRAM" "$T/bin/proxmox-lxcri"
        ln -s "$(dirname "$(readlink -f "$LXCRI_PROGRAM")")"/modules/* "$T/bin/modules"
        rm "$T/bin/modules/proxmox-lxcri-monitor"
        LXCRI_PROGRAM=$T/bin/proxmox-lxcri fails FileError lxcri run -d --image busybox "$ID" sleep 1000
        complains proxmox-lxcri-monitor
        assert_host_unchanged "$T/before" "$MAY_STAY"
}

@test "a detached --rm container whose monitor was killed goes too" {
        host_snapshot "$T/before"
        ok lxcri run -d --rm --image busybox "$ID" sleep 1000
        kill -9 "$(jq .monitor.pid "$ROOT/$ID/state.json")"
        ok lxcri state "$ID"
        ok lxcri recover
        is_status "$ID" running
        ok lxcri kill "$ID" KILL
        wait_until 10 eval '! lxcri state "$ID" > /dev/null 2>&1'
        assert_host_unchanged "$T/before" "$MAY_STAY"
}
