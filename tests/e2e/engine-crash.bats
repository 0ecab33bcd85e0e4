# SIGKILL to one process alone (the command, the launcher, the container's init, the monitor) or to all of them, at random moments of
# create, start, exec and delete, for the runtimes of our own engine: the next command finds nothing lost and leaves nothing behind.

load helpers

# Moments of each process and runtime, in turns of the four commands. A slow machine has time for few of them
KILLS=${LXCRI_RANDOM_KILLS:-20}
COMMANDS=(create start exec delete)
# What a command that was cut off may leave in the store
MAY_STAY='^s . [0-9]+ [0-9:]+ \./(layers|images)/'

setup() {
        common_setup
        KILL_ONE=$(dirname "$LXCRI_PROGRAM")/tests/lib/kill-one
        declare -gA TOOK=()
        RANDOM=$$
}

teardown() {
        local rc=0

        [[ -n ${BATS_TEST_COMPLETED:-} ]] || echo "${WHERE:-}; killed: ${hit:-?} after ${after:-?} us"
        common_teardown || rc=1
        [[ -z ${HOST:-} ]] || umount "$HOST"
        rm -f ${HOST:+"$HOST"}
        return $rc
}

# As helpers.bash has it, on this test's own host where there is one
lxcri() {
        (
                export "${PROGRAM_ENV[@]}"
                exec ${HOST:+nsenter --net="$HOST"} "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" "$@" 3>&-
        )
}

# bundles: one as most are; one in a user namespace, and one whose processes can outlive its init, both with hooks of every kind
bundles() {
        local hooks='.hooks = (["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
                | map({ key: ., value: [{ path: "/bin/sleep", args: ["sleep", "0.002"], env: ["LXCRI_TAG='"$TAG"'"] }] }) | from_entries)'

        make_bundle "$T/b0" '.process.args = ["sleep", "1000"]'
        make_bundle "$T/b1" '.process.args = ["sleep", "1000"] | .linux.namespaces += [{ type: "user" }] | '"$hooks"' |
                .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
        make_bundle "$T/b2" '.process.args = ["sleep", "1000"] | .linux.namespaces |= map(select(.type != "pid")) | '"$hooks"
        chmod 755 "$T"
}

# a host of the test's own with a bridge
bridge() {
        HOST=$(mktemp /tmp/lxn.XXXXXX)
        unshare --net="$HOST" true
        nsenter --net="$HOST" -- sh -ec 'ip link set lo up; ip link add br0 type bridge; ip addr add 10.9.0.1/24 dev br0; ip link set br0 up'
}

# moment KEY ROLE ARG…: the program, of which ROLE is killed (tests/lib/kill-one) at a random moment of what the command KEY takes here and
# now; sets status, output, errors and hit
moment() {
        local key=$1 role=$2 took
        after=$((RANDOM * ${TOOK[$key]:-5000} / 32767))
        shift 2

        try env "${PROGRAM_ENV[@]}" ${HOST:+nsenter --net="$HOST"} "$KILL_ONE" "$role" "$after" "$T/struck" \
                "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" "$@" 3>&-
        read -r hit took < "$T/struck"
        # what was cut off says nothing of how long it would have taken
        ((hit)) || TOOK[$key]=$took
}

# say WHAT: and fail, with what the program said
say() {
        echo "$*"
        echo "$output"
        echo "$errors"
        return 1
}

# status_is STATUS…: one of these; "" is none
status_is() {
        local now
        now=$(container_status "$ID") || true

        [[ " $* " == *" $now "* ]] || say "status '$now', not one of: $*"
}

init_pid() {
        ok lxcri state "$ID"
        [[ $output =~ \"pid\":\ *([0-9]+) ]] && init=${BASH_REMATCH[1]}
}

# ended: the init is dead, and that is told; with a monitor to see it, its status, too
ended() {
        wait_until 10 is_status "$ID" stopped
        if [[ $role == init && -n $IMAGE ]]; then
                ok lxcri wait "$ID"
                says 137
        fi
        ok lxcri delete "$ID"
}

# gone: in turns by another command, nothing of the container is left
gone() {
        case $((i % 3)) in
        0) ok lxcri recover ;;
        # what a delete has not yet taken back is a container still
        1) [[ -n $(container_status "$ID") ]] || ok lxcri --runtime "$runtime" "${CREATE[@]}" ;;
        esac
        ok lxcri delete --force "$ID"
        unchanged
}

unchanged() {
        [[ -z $(ls "$ROOT") ]] || say "in root: $(ls "$ROOT")"
        # the whole comparison takes longer than the commands: once for the four
        ((i % 4 == 3)) || return 0
        assert_host_unchanged "$T/before" "$MAY_STAY"
        [[ -z ${HOST:-} || $(nsenter --net="$HOST" -- ip -o link show | wc -l) == 2 ]] || say "$(nsenter --net="$HOST" -- ip -o link show)"
}

# There is all of it, or nothing
strike_create() {
        moment "create-$runtime-$KIND" "$role" --runtime "$runtime" "${CREATE[@]}"
        ((status == 0 || hit)) || say "it failed by itself"
        # what was the launcher's fork when it was found may have been the init when it was hit
        if ((status == 0 && hit)) && { [[ $role == init ]] || { [[ $role == launcher ]] && is_status "$ID" stopped; }; }; then
                ended
        elif [[ $(container_status "$ID") == @(created|running) ]]; then
                ((status == 0)) || [[ $role != init ]] || say "it failed, and is there"
        elif [[ $role == @(init|launcher|monitor) ]]; then
                [[ -n $errors ]] || say "no word of it"
        fi
        gone
}

strike_start() {
        local init='' victim=$role may_be="created running"

        ok lxcri --runtime "$runtime" "${CREATE[@]}"
        if [[ -n $IMAGE ]]; then
                ok lxcri stop -t 0 "$ID"
                may_be="stopped created running"
        else
                init_pid
                [[ $role != init ]] || victim=$init
        fi
        moment "start-$runtime-$KIND" "$victim" start "$ID"
        ((status == 0 || hit)) || say "it failed by itself"
        if [[ $role == init && ($status == 0 || -n $init) ]] && ((hit)); then
                ended
        else
                status_is $may_be
                if ! is_status "$ID" running; then
                        try lxcri start "$ID"
                        # what was killed may have told the init, which gets there by itself
                        [[ $status == 0 || $errors == *"already running"* ]] || say "it cannot be started any more"
                fi
                status_is running
        fi
        gone
}

strike_exec() {
        local init victim=$role

        ok lxcri --runtime "$runtime" "${RUN[@]}"
        init_pid
        case $role in
        monitor) victim=$(ps --no-headers -o ppid "$init") ;;
        # in turns the container's own, and that of the process which is added
        init) ((i / 4 % 2)) || victim=$init ;;
        esac
        moment "exec-$runtime-$KIND" "${victim// /}" exec "$ID" sh -c 'exit 7'
        if [[ $victim == "$init" ]]; then
                ((status != 0)) || say "it went well"
                ended
        else
                [[ $status == @(7|137) || (-n $errors && $hit == 1) ]] || say "exited with $status"
                status_is running
                ok lxcri exec "$ID" true
                # what was added has ended, or never came to be
                wait_until 10 eval '[[ $(lxcri ps -f json "$ID" | tr -d "[] \n") == "$init" ]]'
        fi
        gone
}

strike_delete() {
        local init victim=$role

        ok lxcri --runtime "$runtime" "${RUN[@]}"
        init_pid
        case $role in
        init) victim=$init ;;
        monitor) victim=$(ps --no-headers -o ppid "$init") ;;
        esac
        moment "delete-$runtime-$KIND" "${victim// /}" delete --force "$ID"
        ((status == 0 || hit)) || say "it failed by itself"
        if ((status == 0)); then
                unchanged
        else
                [[ $role == @(cli|group) ]] || say "it failed, though it was not killed"
                status_is running stopped ""
                gone
        fi
}

# rounds ROLE…: each is killed at KILLS moments
rounds() {
        local i role hits

        for role; do
                hits=0
                for ((i = 0; i < KILLS; i++)); do
                        if [[ -z $IMAGE ]]; then
                                KIND=$((RANDOM % 3))
                                CREATE=(create --bundle "$T/b$KIND" "$ID")
                                RUN=(run -d --bundle "$T/b$KIND" "$ID")
                        fi
                        WHERE="$runtime, ${COMMANDS[i % 4]}, $role, round $i, $KIND"
                        "strike_${COMMANDS[i % 4]}"
                        hits=$((hits + hit))
                done
                ((hits > 0)) || say "never met: $role"
        done
}

@test "the command, the launcher, the init or all of a bundle's container are killed: nothing is lost or left" {
        IMAGE=''
        bundles
        host_snapshot "$T/before"
        runtime=native
        rounds cli init group
        runtime=lxc
        rounds cli launcher init group
}

@test "the command, the monitor, the init or all of an image's container on a bridge are killed: nothing is lost or left" {
        IMAGE=busybox KIND=image
        import_busybox
        bridge
        RUN=(run -d --network bridge=br0 --ip 10.9.0.2/24 --image busybox "$ID" sleep 1000)
        CREATE=("${RUN[@]}")
        # with its layers
        ok lxcri --runtime native "${RUN[@]}"
        ok lxcri delete --force "$ID"
        host_snapshot "$T/before"
        # the runtimes' own part was tested above: as many, of all processes together
        KILLS=$(((KILLS + 3) / 4))
        for runtime in native lxc; do
                rounds cli monitor init group
        done
}

# holds: what a killed command had forked, on its way to death, holds the command's lock
holds() {
        flock -x "$ROOT/$ID" sleep "$1" 3>&- &
        wait_until 10 not flock -xn "$ROOT/$ID" true > /dev/null
}

# inherits: what a killed command had forked holds the command's lock, and does not die
inherits() {
        (
                exec 9< "$ROOT/$ID" 3>&-
                flock -x 9
                sed -i 's/"maker":{"pid":[0-9]*/"maker":{"pid":'"$(sed -n 's/.*FLOCK *ADVISORY *WRITE *\([0-9]*\) .*/\1/p' /proc/self/fdinfo/9)/" "$ROOT/$ID/journal"
                sleep 1000 &
        )
}

@test "what a killed command had forked may take a moment to die, or wait for ever: the next command does not take it for somebody at work" {
        local next

        grep -qa PROXMOX_LXCRI_FAULT "$LXCRI_PROGRAM" || skip "a build without test hooks"
        make_bundle "$T/b" '.process.args = ["sleep", "1000"]'
        host_snapshot "$T/before"
        for next in "recover" "delete --force $ID" "create --runtime native --bundle $T/b $ID"; do
                try setsid --wait env "${PROGRAM_ENV[@]}" PROXMOX_LXCRI_FAULT=runtime.middle:kill "$LXCRI_PROGRAM" --runtime native --root "$ROOT" --store "$STORE" \
                        create --bundle "$T/b" "$ID" 3>&-
                ((status == 137))
                if [[ $next == create* ]]; then holds 1; else inherits; fi
                ok lxcri $next
                ok lxcri delete --force "$ID"
                assert_host_unchanged "$T/before"
        done
        # who lives is not waited for
        env "${PROGRAM_ENV[@]}" PROXMOX_LXCRI_FAULT=runtime.middle:stop "$LXCRI_PROGRAM" --runtime native --root "$ROOT" --store "$STORE" \
                create --bundle "$T/b" "$ID" > /dev/null 2>&1 < /dev/null 3>&- &
        wait_until 20 is_status "$ID" creating
        wait_until 20 eval '[[ $(sed -n "s/^State:.\(.\).*/\1/p" /proc/$!/status) == T ]]'
        fails ContainerExists lxcri --runtime native create --bundle "$T/b" "$ID"
        is_status "$ID" creating
        kill -KILL $!
        wait $! 2> /dev/null || true
        ok lxcri recover
        assert_host_unchanged "$T/before"
}

# in_hook PLACE: whether that hook runs, as which process
in_hook() {
        hook=$(grep -lsF "HOOK=$1-$TAG" /proc/[0-9]*/environ | grep -o "[0-9]*") && [[ -n $hook ]]
}

@test "a hook does not outlive the command, or the init, that runs it" {
        local runtime=native place command victim hook cli

        # in a pid namespace of the container's own its hooks could not
        make_bundle "$T/b" '.process.args = ["sleep", "1000"] | .linux.namespaces |= map(select(.type != "pid"))'
        cp "$T/b/config.json" "$T/plain.json"
        host_snapshot "$T/before"
        while read -r place command victim; do
                WHERE="$place, $command, $victim"
                jq '.hooks.'"$place"' = [{ path: "/bin/sleep", args: ["sleep", "1000"], env: ["HOOK='"$place-$TAG"'"] }]' "$T/plain.json" > "$T/b/config.json"
                [[ $command == create ]] || ok lxcri --runtime "$runtime" create --bundle "$T/b" "$ID"
                [[ $command != create ]] || command="create --bundle $T/b"
                env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --runtime "$runtime" --root "$ROOT" --store "$STORE" $command "$ID" > "$T/out" 2> "$T/err" < /dev/null 3>&- &
                cli=$!
                wait_until 20 in_hook "$place"
                [[ $victim != init ]] || init_pid
                kill -KILL "${!victim}"
                wait "$cli" 2> /dev/null || true
                wait_until 20 not in_hook "$place" > /dev/null
                ok lxcri delete --force "$ID"
                assert_host_unchanged "$T/before"
        done <<- 'END'
		prestart create cli
		createRuntime create cli
		createContainer create cli
		startContainer start init
		poststart start cli
		poststop delete cli
	END
}
