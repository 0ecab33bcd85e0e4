# A transaction that fails or is killed anywhere leaves the host as it was: failures injected in every phase, SIGKILL to the whole process
# group at the start, middle and end of each, and at random moments. Needs the build with test hooks.

load helpers

PHASES=(validate image layers rootfs storage configure runtime hooks publish)
PLACES=(start middle end)
# What a cut-off create may leave in the store: finished layers, and what is known of the image
MAY_STAY='^s . [0-9]+ [0-9:]+ \./(layers|images)/'

setup() {
        common_setup
        grep -qa PROXMOX_LXCRI_FAULT "$LXCRI_PROGRAM" || skip "a build without test hooks"
        ok lxcri image import "$FIXTURES/web" web
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        host_snapshot "$T/before"
}

# faulty FAULT ARG…: the program with that fault, in a process group of its own
faulty() {
        local fault=$1
        shift

        try setsid --wait env "${PROGRAM_ENV[@]}" PROXMOX_LXCRI_FAULT="$fault" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" "$@" 3>&-
}

create_image() {
        "$@" create --image web --entrypoint sleep -v "$T/b:/mnt" "$ID" 100
}

create_bundle() {
        "$@" create --bundle "$T/b" "$ID"
}

# works HOW: the id can be used as if nothing had happened
works() {
        ok "$1" lxcri
        is_status "$ID" created
        ok lxcri start "$ID"
        is_status "$ID" running
        ok lxcri delete --force "$ID"
        assert_host_unchanged "$T/before" "$MAY_STAY"
}

# The phases which a create of that kind goes through
phases_of() {
        case $1 in
        create_image) echo "${PHASES[@]}" ;;
        create_bundle) echo validate runtime hooks publish ;; # it brings its root and its config.json along
        esac
}

# every_fault HOW ACTION CHECK: at each place of each phase
every_fault() {
        local how=$1 action=$2 check=$3 phase place

        for phase in $(phases_of "$how"); do
                for place in "${PLACES[@]}"; do
                        [[ $phase.$place.$action == publish.end.kill ]] && continue
                        "$how" faulty "$phase.$place:$action"
                        if ((status == 0)); then
                                echo "$phase.$place: the fault was not met"
                                return 1
                        fi
                        "$check" "$phase.$place" "$how" || { echo "at $phase.$place:$action"; return 1; }
                done
        done
}

failed_cleanly() {
        [[ $errors == *"injected fault at '$1'"* ]] || { echo "$errors"; return 1; }
        [[ $errors == *"${1%.*}"* ]]
        assert_host_unchanged "$T/before" "$MAY_STAY"
}

recovered() {
        ((status == 137)) || { echo "exited with $status: $errors"; return 1; }
        ok lxcri recover
        assert_host_unchanged "$T/before" "$MAY_STAY"
}

next_command_repairs() {
        ((status == 137)) || { echo "exited with $status: $errors"; return 1; }
        works "$2"
}

delete_repairs() {
        ((status == 137)) || { echo "exited with $status: $errors"; return 1; }
        ok lxcri delete --force "$ID"
        assert_host_unchanged "$T/before" "$MAY_STAY"
}

@test "image: a failure in any phase leaves nothing" {
        every_fault create_image error failed_cleanly
}

@test "image: after SIGKILL in any phase recover undoes it" {
        every_fault create_image kill recovered
}

@test "image: after SIGKILL in any phase the next create of that id works" {
        every_fault create_image kill next_command_repairs
}

@test "image: after SIGKILL in any phase delete --force removes it" {
        every_fault create_image kill delete_repairs
}

@test "bundle: a failure in any phase leaves nothing" {
        every_fault create_bundle error failed_cleanly
}

@test "bundle: after SIGKILL in any phase recover undoes it" {
        every_fault create_bundle kill recovered
}

@test "bundle: after SIGKILL in any phase the next create of that id works" {
        every_fault create_bundle kill next_command_repairs
}

@test "a kill after publish leaves a whole container" {
        for how in create_image create_bundle; do
                $how faulty publish.end:kill
                ((status == 137))
                is_status "$ID" created
                ok lxcri recover
                is_status "$ID" created
                ok lxcri start "$ID"
                is_status "$ID" running
                ok lxcri delete --force "$ID"
        done
        assert_host_unchanged "$T/before" "$MAY_STAY"
}

# ended PLACE ARG…: a detached container that has exited with 3, and whose monitor died at that place of what it does then
ended() {
        local place=$1 monitor
        shift

        faulty "end.$place:kill" run -d --image web --entrypoint sh "$@" "$ID" -c 'exit 3'
        ((status == 0)) || { echo "$errors"; return 1; }
        monitor=$(jq .monitor.pid "$ROOT/$ID/state.json")
        wait_until 20 eval '! kill -0 "$monitor" 2> /dev/null'
}

@test "a monitor that is killed at its container's end: what is left to do is done by the next command" {
        for place in start middle; do
                ended "$place"
                is_status "$ID" stopped
                if [[ $place == start ]]; then
                        fails InvalidState lxcri wait "$ID"
                else
                        ok lxcri wait "$ID"
                        says 3
                fi
                ok lxcri start "$ID"
                ok lxcri wait "$ID"
                says 3
                ok lxcri delete "$ID"
                assert_host_unchanged "$T/before" "$MAY_STAY"

                ended "$place" --rm
                ok lxcri recover
                assert_host_unchanged "$T/before" "$MAY_STAY"
        done
}

@test "list shows a cut-off create as broken, state as creating or gone" {
        create_image faulty rootfs.end:kill
        ok lxcri list
        says broken
        ok lxcri recover
        ok lxcri list -q
        [[ -z $output ]]
}

@test "after all of it prune leaves an empty store" {
        create_image faulty layers.middle:kill
        create_image faulty layers.end:kill
        ok lxcri recover
        ok lxcri image rm web
        ok lxcri prune
        [[ -z $(ls "$STORE/blobs/sha256" "$STORE/layers" "$STORE/images" "$STORE/tmp" "$STORE/containers" | grep -v ':$' | grep -v '^$') ]]
}

# kill_at MICROSECONDS ARG…: SIGKILL to the program's whole process group after that time
kill_at() {
        local after=$1 pid

        shift
        setsid env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" "$@" > "$T/out" 2> "$T/err" < /dev/null 3>&- &
        pid=$!
        sleep "$((after / 1000000)).$(printf '%06d' $((after % 1000000)))"
        # before setsid has run there is no such group yet
        kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
}

# A slow machine has time for few of them
KILLS=${LXCRI_RANDOM_KILLS:-20}

# how long a create takes here and now, in microseconds
duration() {
        local since=${EPOCHREALTIME/./}

        ok "$1" lxcri
        echo $((${EPOCHREALTIME/./} - since))
        ok lxcri delete --force "$ID"
}

@test "a kill while a stopped container's directory is emptied loses nothing of it" {
        faulty release.middle:kill run --image web --user 0 --entrypoint sh "$ID" -c 'echo kept > /kept'
        ok lxcri recover
        [[ $(container_status "$ID") == stopped ]]
        [[ $(cat "$STORE/containers/$ID/upper/kept") == kept ]]
        ok lxcri delete "$ID"
}

@test "SIGKILL at random moments, then recover" {
        local i longest

        longest=$(duration create_image)
        RANDOM=$$
        for i in $(seq "$KILLS"); do
                kill_at $((RANDOM * longest / 32767)) create --image web --entrypoint sleep "$ID" 100
                ok lxcri recover
                # past publish it is whole
                if [[ $(container_status "$ID") == created ]]; then
                        ok lxcri delete --force "$ID"
                fi
                assert_host_unchanged "$T/before" "$MAY_STAY" || { echo "round $i of $longest us"; return 1; }
        done
}

@test "SIGKILL of a bundle's create at random moments, then the next create" {
        local i longest

        longest=$(duration create_bundle)
        RANDOM=$$
        for i in $(seq "$KILLS"); do
                kill_at $((RANDOM * longest / 32767)) create --bundle "$T/b" "$ID"
                if [[ $(container_status "$ID") == created ]]; then
                        ok lxcri delete --force "$ID"
                        continue
                fi
                echo "round $i of $longest us"
                works create_bundle
        done
}

@test "SIGTERM ends a create with Interrupted, and nothing stays" {
        env "${PROGRAM_ENV[@]}" PROXMOX_LXCRI_FAULT=layers.start:stop "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" create --image web "$ID" \
                > "$T/out" 2> "$T/err" < /dev/null 3>&- &
        pid=$!
        wait_until 5 eval '[[ $(sed -n "s/^State:.\(.\).*/\1/p" /proc/$pid/status) == T ]]'
        kill -TERM "$pid"
        kill -CONT "$pid"
        status=0
        wait "$pid" || status=$?
        ((status == 143))
        grep -q Interrupted "$T/err"
        assert_host_unchanged "$T/before" "$MAY_STAY"
}
