# Terminals: what people who sit at one get.

load helpers

setup() {
        common_setup
        # for a user namespace's root to pass
        chmod 711 "$T"
        chmod 700 "$ROOT"
        import_busybox
}

# on_terminal ARG…: our program on a terminal of 24 by 80
on_terminal() {
        "$PROJECT/tests/lib/terminal" 60 env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" "$@" 3>&-
}

@test "run -t gives the container a terminal of the caller's size, and its exit status" {
        try on_terminal run --rm -t --image busybox "$ID" sh -c 'tty; stty size; exit 5'
        [[ $status == 5 ]]
        says /dev/pts/0
        says "24 80"
}

@test "run -t in a user namespace: the terminal belongs to the container's user" {
        ok on_terminal run --rm -t --uidmap 0:100000:65536 --gidmap 0:100000:65536 --image busybox "$ID" sh -c 'stat -c "%n %u" "$(tty)"'
        says "/dev/pts/0 0"
}

@test "exec -t gives the process a terminal" {
        ok lxcri run -d --image busybox "$ID" sleep 1000
        try on_terminal exec -t "$ID" sh -c 'tty; exit 6'
        [[ $status == 6 ]]
        says /dev/pts/
        ok lxcri delete --force "$ID"
}
