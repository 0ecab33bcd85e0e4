# The command line itself: what it understands, what it refuses, how it says so.

load helpers

all_commands() {
        "$LXCRI_PROGRAM" completion fish | sed -n "s/^complete -c proxmox-lxcri -n __fish_use_subcommand -a \([a-z-]*\).*/\1/p" | sort -u
}

manual_pages() {
        find "$(dirname "$LXCRI_PROGRAM")/packaging" -name 'proxmox-lxcri*.1' | sort
}

@test "every command has help and a manual page" {
        local page name

        ok lxcri --help
        says "Usage: proxmox-lxcri"
        (($(manual_pages | wc -l) > 30))
        for page in $(manual_pages); do
                name=$(basename "$page" .1)
                name=${name#proxmox-lxcri}
                ok lxcri help ${name:+"${name#-}"}
                says "Usage: proxmox-lxcri"
        done
        manual_pages | xargs groff -Kutf8 -man -Tutf8 -ww > /dev/null 2> "$T/groff"
        if grep -v 'cannot adjust line' "$T/groff"; then
                return 1
        fi
        for name in $(all_commands); do
                ok lxcri "$name" --help
                says "Usage: proxmox-lxcri $name"
                ok lxcri "$name" -h
        done
}

@test "help in the middle of a line wins over what is missing in it" {
        ok lxcri run --image x --help
        says "Usage: proxmox-lxcri run"
        ok lxcri kill -h
        ok lxcri image --help
        says "image import"
        # in short, as crun has it
        ok lxcri --usage
        says "[--root=DIR]"
        ok lxcri kill --usage
        [[ $output == "Usage: proxmox-lxcri kill [-a|--all]"*ID*"[SIGNAL]" ]]
}

@test "wrong usage is one error with a hint and exit code 1" {
        fails InvalidArgument lxcri
        complains "no command"
        fails InvalidArgument lxcri runn
        complains "did you mean 'run'?"
        fails InvalidArgument lxcri image lst
        complains "did you mean 'image list'?"
        fails InvalidArgument lxcri imag
        complains "did you mean 'image'?"
        fails InvalidArgument lxcri run --bundel x
        complains "did you mean '--bundle'?"
        fails InvalidArgument lxcri kill
        complains "'kill' needs ID [SIGNAL]"
        fails InvalidArgument lxcri state a b
        complains "'state' does not take 'b'"
        fails InvalidArgument lxcri kill "$ID" NOSUCH
        complains "no signal is called 'NOSUCH'"
        fails InvalidArgument lxcri --log-format yaml list
        complains "'--log-format' is text|json"
        fails InvalidArgument lxcri --rootless maybe list
        fails InvalidArgument lxcri stop --time x "$ID"
        fails InvalidArgument lxcri completion tcsh
        ((status == 1))
        (($(wc -l < "$T/err") == 2))
}

@test "options for images are refused with a bundle, each by its name" {
        local option

        make_bundle "$T/b"
        for option in --env=A=B --user=1 --memory=64m --cpus=1 --privileged --read-only --cap-add=all --tty --storage-driver=dir --hostname=h -v/:/mnt; do
                fails InvalidArgument lxcri create --bundle "$T/b" "$option" "$ID"
                complains "goes with --image only"
        done
        fails InvalidArgument lxcri create --bundle "$T/b" "$ID" ls
        complains "a command ('ls') goes with --image only"
        fails InvalidArgument lxcri create --bundle "$T/b" --image x "$ID"
        fails InvalidArgument lxcri run --rm --keep --image x "$ID"
}

@test "the bundle is the working directory unless said otherwise" {
        make_bundle "$T/b" '.process.args = ["echo", "from here"]'
        cd "$T/b"
        ok lxcri run "$ID"
        says "from here"
}

@test "what follows the ID belongs to the command" {
        import_busybox
        ok lxcri run --rm --image busybox "$ID" echo --rm --image x -- -e y
        says "--rm --image x -- -e y"
}

@test "as many arguments as the system hands to a program" {
        import_busybox
        # shellcheck disable=SC2046 # one argument a number
        ok lxcri run --rm --image busybox "$ID" sh -c 'echo $# ${20000}' sh $(seq 20000)
        says "20000 20000"
}

@test "callers' way: global options first, those of runc and crun accepted" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri --log="$T/log" --log-format=json --cgroup-manager=cgroupfs --rootless=auto create --bundle "$T/b" --pid-file "$T/pid" "$ID"
        [[ $(cat "$T/pid") == $(lxcri state "$ID" | jq .pid) ]]
        ok lxcri start "$ID"
        ok lxcri kill --all "$ID" 9
        wait_until 5 is_status "$ID" stopped
        ok lxcri delete --force "$ID"
        [[ ! -s $T/log ]]
}

@test "signals by name, with and without SIG, by number, before and after the ID" {
        local how

        make_bundle "$T/b" '.process.args = ["sh", "-c", "trap \"exit 3\" USR1; while :; do sleep 0.05; done"]'
        for how in "$ID USR1" "$ID SIGUSR1" "$ID 10" "-s usr1 $ID" "$ID --signal=USR1"; do
                ok lxcri run -d --bundle "$T/b" "$ID"
                # the shell has to have set its trap
                sleep 0.3
                # shellcheck disable=SC2086 # words on purpose
                ok lxcri kill $how
                wait_until 5 is_status "$ID" stopped
                ok lxcri delete "$ID"
        done
}

@test "an error as JSON has the fields that containerd reads, and ours" {
        fails "" lxcri --log-format json run --image nothing --pull never "$ID"
        jq -e '.level == "error" and .kind == "ImageNotFound" and .phase == "image" and (.hint | length > 0) and (.msg | contains("nothing"))' "$T/err"
        jq -re .time "$T/err" | grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$'

        try lxcri --log "$T/log" --log-format json create --bundle "$T/nothing" "$ID"
        ((status == 1))
        jq -e '.kind == "BundleNotFound" and .errno == "ENOENT" and .phase == "validate"' "$T/log"
        complains "error: BundleNotFound: "
}

@test "a log that can't be written is an error before anything is done" {
        make_bundle "$T/b"
        fails FileError lxcri --log "$T/no/log" create --bundle "$T/b" "$ID"
        complains "open log"
}

@test "phases are named as they happen, and timed" {
        make_bundle "$T/b"
        ok lxcri --log-level info --timings run --bundle "$T/b" "$ID"
        complains "info: phase validate: done after"
        complains "info: phase image: nothing to do"
        complains "info: phase publish: done after"
        grep -qE '^PHASE +TIME$' "$T/err"
        grep -qE '^total +[0-9.]+ m?s$' "$T/err"
        for phase in validate image layers rootfs storage configure runtime hooks publish; do
                grep -qE "^$phase +(-|[0-9.]+ m?s)$" "$T/err"
        done
}

@test "several operands: one result for each" {
        try lxcri delete "no-1-$TAG" "no-2-$TAG"
        ((status == 1))
        (($(grep -c "error: ContainerNotFound" "$T/err") == 2))
        complains "no-1-$TAG"
        complains "no-2-$TAG"
        ok lxcri delete --force "no-1-$TAG" "no-2-$TAG"
}

@test "a full disk or a closed pipe under the output is an error" {
        status=0
        lxcri list > /dev/full 2> "$T/err" || status=$?
        ((status == 1))
        grep -q "No space left on device" "$T/err"

        status=0
        lxcri list 2> "$T/err" >&- || status=$?
        ((status == 1))
        grep -q "no standard output" "$T/err"

        set +o pipefail
        { sleep 0.2; lxcri list 2> "$T/err" || echo $? > "$T/status"; } | true
        [[ $(cat "$T/status") == 1 ]]
        grep -q "Broken pipe" "$T/err"
}

@test "standard streams that are missing do not get mixed up with files" {
        make_bundle "$T/b" '.process.args = ["sh", "-c", "echo to stdout; echo to stderr >&2; ls -l /proc/self/fd"]'
        ok lxcri run --bundle "$T/b" "$ID"
        lxcri run --bundle "$T/b" "$ID" <&- >&- 2>&-
        lxcri run --bundle "$T/b" "$ID" <&- > "$T/out"
        grep -q "to stdout" "$T/out"
}

@test "descriptors are handed on only when they are there" {
        make_bundle "$T/b" '.process.args = ["cat", "/proc/self/fd/3"]'
        echo "through three" > "$T/three"
        env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" run --preserve-fds 1 --bundle "$T/b" "$ID" 3< "$T/three" > "$T/out"
        grep -q "through three" "$T/out"
        fails InvalidArgument lxcri run --preserve-fds 1 --bundle "$T/b" "$ID"
        complains "descriptor 3 is not open"
}

@test "names from outside can't steer the terminal" {
        jq -n '{default_runtime: "auto"}' > "$T/config.json"
        fails InvalidArgument lxcri $'ru\033[31mn'
        complains '\x1b[31m'
        not grep -q $'\033' "$T/err"
        fails BundleNotFound lxcri create --bundle "$T/no"$'\n''proxmox-lxcri: error' "$ID"
        complains '/no\x0aproxmox-lxcri: error'
}

@test "exit codes: the container's own, 1 for ours" {
        import_busybox
        try lxcri run --rm --image busybox "$ID" sh -c 'exit 42'
        ((status == 42))
        try lxcri run --rm --image busybox "$ID" sh -c 'kill -TERM $$'
        ((status == 143)) || ((status == 0)) # pid 1 has no default action for TERM
        try lxcri run --rm --image nothing "$ID" true
        ((status == 1))
        ok lxcri run -d --image busybox "$ID" sleep 100
        try lxcri exec "$ID" sh -c 'exit 7'
        ((status == 7))
        try lxcri exec "$ID" sh -c 'kill -KILL $$'
        ((status == 137))
        ok lxcri stop -t 0 "$ID"
        ok lxcri wait "$ID"
        says 137
        ok lxcri delete "$ID"
}

@test "list as a table, as JSON with runc's fields, and as IDs" {
        ok lxcri list --format json
        [[ $output == "[]" ]]
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        ok lxcri list
        [[ ${output%%$'\n'*} =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER\ +RUNTIME\ +EXIT\ +IMAGE$ ]]
        awk -v id="$ID" '$1 == id && $3 == "running" && $9 == "-" { found = 1 } END { exit !found }' "$T/out"
        ok lxcri list -f json
        jq -e --arg id "$ID" --arg bundle "$T/b" --arg runtime "$RUNTIME" '.[0] | .id == $id and .pid > 0 and .status == "running" and .bundle == $bundle and
                .rootfs == $bundle + "/rootfs" and .owner == "root" and (.created | test("^[0-9]+-")) and .ociVersion and .runtime == $runtime' "$T/out"
        ok lxcri list -q
        [[ $output == "$ID" ]]
        ok lxcri ps --format json "$ID"
        jq -e --argjson pid "$(lxcri state "$ID" | jq .pid)" '. == [$pid]' "$T/out"
        ok lxcri ps "$ID" -o pid,args -A
        says "sleep 100"
        (($(wc -l < "$T/out") == 2))
        ok lxcri delete -f "$ID"
}

@test "completion works in bash" {
        cat > "$T/complete" <<'BASH'
. "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
proxmox-lxcri() { if [[ $* == "list -q" ]]; then echo one two; else echo image:tag; fi; }
_proxmox_lxcri
echo "${COMPREPLY[*]}"
BASH
        completes() {
                local wanted=$1
                shift
                output=$(bash "$T/complete" "$(dirname "$LXCRI_PROGRAM")/packaging/proxmox-lxcri" "$@" 2>&1)
                [[ $output == "$wanted" ]] || {
                        echo "'$*' completes to '$output', not '$wanted'"
                        return 1
                }
        }
        completes "import inspect" p image i
        completes "--signal" p kill --sig
        completes "HUP" p kill x HU
        completes "one two" p kill ""
        completes "image:tag" p run --image ""
        completes "lxc native crun runc" p --runtime ""
        completes "json" p --log-format = j
        completes "kill" p --root /tmp kil
        completes "" p run --image x id --im
        completes "bash zsh fish" p completion ""
}

@test "zsh and fish read their completion" {
        if command -v zsh > /dev/null; then
                zsh -n "$(dirname "$LXCRI_PROGRAM")/packaging/_proxmox-lxcri"
        fi
        if command -v fish > /dev/null; then
                fish -n "$(dirname "$LXCRI_PROGRAM")/packaging/proxmox-lxcri.fish"
                [[ $(fish -c 'source $argv[1]; complete -C"proxmox-lxcri image ins"' "$(dirname "$LXCRI_PROGRAM")/packaging/proxmox-lxcri.fish") == inspect* ]]
        fi
}

@test "there is a link for every runtime, which chooses it" {
        local name names

        names=$(lxcri version | sed -n 's/^runtimes: *//p')
        [[ -n $names ]]
        for name in $names; do
                [[ -L $(dirname "$LXCRI_PROGRAM")/proxmox-lxcri-$name ]]
                output=$("$(dirname "$LXCRI_PROGRAM")/proxmox-lxcri-$name" route x)
                [[ $output == "$name"$'\t'* ]]
        done
}

@test "config: shown with its sources, checked with its lines" {
        ok lxcri config show --format json
        jq -e --arg runtime "$RUNTIME" '.default_runtime.value == $runtime and (.default_runtime.source | contains("config.json:")) and .pids_limit.source == "default"' "$T/out"
        ok lxcri config show
        says SOURCE
        ok lxcri config check "$T/config.json"
        printf '{\n  "no_such_key": 1\n}\n' > "$T/wrong.json"
        fails InvalidConfig lxcri config check "$T/wrong.json"
        complains "no_such_key"
        complains "wrong.json:2"
        fails InvalidConfig lxcri --config "$T/wrong.json" list
}

@test "a signal ends the program between two phases, and what was done is undone" {
        local pid

        import_busybox
        # TERM: a shell's background jobs ignore INT, and so do we then
        env "${PROGRAM_ENV[@]}" PROXMOX_LXCRI_FAULT=layers.end:stop timeout --foreground 60 "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" \
                create --image busybox "$ID" sleep 100 2> "$T/err" 3>&- &
        pid=
        find_stopped() { pid=$(pgrep -f "root $ROOT .*create" -r T | head -n 1); [[ -n $pid ]]; }
        wait_until 10 find_stopped
        kill -TERM "$pid"
        kill -HUP "$pid"
        kill -CONT "$pid"
        status=0
        wait $! || status=$?
        cat "$T/err"
        ((status == 129 || status == 143))
        grep -q "error: Interrupted" "$T/err"
        ok lxcri list -q
        [[ -z $output ]]
}
