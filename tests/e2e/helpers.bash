# What every bats file loads: a fresh --root and --store for each test, and the proof after each that nothing was left on the host.
#
# Others may be at work on the same machine, so everything a test makes carries its tag, in its paths and in its containers' ids, and
# only what carries it is compared.
#
# This runs some hundred times, also under emulation, where starting a program takes a tenth of a second: what the shell can do itself, it does.

PROJECT=$(readlink -f "$BATS_TEST_DIRNAME/../..")
LXCRI_PROGRAM=${LXCRI_PROGRAM:-$PROJECT/build/proxmox-lxcri}
RUNTIME=${LXCRI_RUNTIME:-crun}
DRIVER=${LXCRI_DRIVER:-auto}
# LXCRI_SYSTEMD_CGROUP=true: where systemd makes the containers' cgroups

# ---- set-up and the proof ----

setup() {
        common_setup
}

teardown() {
        common_teardown
}

# bats notes before each command where the test is, which costs more than most commands: here that is noted when a command has failed, or time
# is up. And each test's process would list all the tests of its file, which takes as long as starting ten programs: the one at hand is enough
bats_setup_tracing() {
        BATS_DEBUG_LASTLAST_STACK_TRACE=() BATS_DEBUG_LAST_STACK_TRACE=() BATS_DEBUG_LAST_LINENO=() BATS_DEBUG_LAST_SOURCE=()
        BATS_DEBUG_LAST_STACK_TRACE_IS_VALID='' BATS_DEBUG_EXCLUDE_PATHS=() BATS_ERROR_SUFFIX=''
        exec 4<&1
        trap 'note_failure; bats_error_trap' ERR
}

bats_timeout_trap() {
        # time may be up where a command is given no copy of bats' own output
        [[ -e /proc/self/fd/3 ]] || exec 3>> "/proc/$PPID/fd/1"
        note_failure
        BATS_TIMED_OUT=1
        exit 1
}

trap - DEBUG
if [[ ${BATS_TEST_NAME:-} == test_* ]]; then
        eval "listed_$(declare -f bats_test_function)"
        bats_test_function() {
                [[ " $*" != *" $BATS_TEST_NAME" ]] || listed_bats_test_function "$@"
        }
fi

note_failure() {
        BATS_ERROR_STATUS=${BATS_ERROR_STATUS:-$?}
        bats_capture_stack_trace
        BATS_DEBUG_LAST_STACK_TRACE_IS_VALID=1
}

common_setup() {
        local letters=abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789

        ((EUID == 0)) || skip "needs root"
        LEFTOVERS=${LXCRI_PROGRAM%/*}/tests/lib/leftovers
        [[ -x $LEFTOVERS ]] || { echo "no '$LEFTOVERS': build with -Dtests=true or -Dtest_hooks=true"; return 1; }
        FIXTURES=${LXCRI_FIXTURES:-$("$PROJECT/tests/fixtures/make")}
        TAG=''
        while ((${#TAG} < 6)); do TAG+=${letters:SRANDOM % ${#letters}:1}; done
        # Short: a unix socket's path has 108 bytes
        T=/tmp/lx.$TAG
        ID=c-$TAG
        ROOT=$T/r
        STORE=$T/s
        mkdir "$T" "$ROOT" "$STORE"
        printf '{"default_runtime": "%s", "storage_driver": "%s", "systemd_cgroup": %s}\n' "$RUNTIME" "$DRIVER" "${LXCRI_SYSTEMD_CGROUP:-false}" \
                > "$T/config.json"
        # Never exported: the tests' own shells must not look like something that was left behind
        PROGRAM_ENV=(LXCRI_TAG="$TAG" PROXMOX_LXCRI_CONFIG="$T/config.json")
}

# Whatever a test leaves fails it; what a failed test leaves is removed all the same
common_teardown() {
        local left rc=0 looks=0

        [[ -n ${T:-} ]] || return 0
        left=$(leftovers)
        # A loop device goes with the last mount of its file system, of which a container that another test is just starting has a copy
        until [[ $'\n'$left != *$'\nloop '* ]] || ((++looks > 50)); do
                sleep 0.1
                left=$(leftovers)
        done
        if [[ -n $left && -n ${BATS_TEST_COMPLETED:-} ]]; then
                echo "left behind:"
                echo "$left"
                rc=1
        fi
        [[ -z $left ]] || remove_leftovers
        rm -rf --one-file-system "$T"
        return $rc
}

# tagged KIND…: what on the host carries the tag; see tests/lib/leftovers.c
tagged() {
        "$LEFTOVERS" "$TAG" "$@"
}

# tagged_pids: processes that the test started, containers' included
tagged_pids() {
        tagged process | sed -E 's/^process ([0-9]+):.*/\1/'
}

# cgroup_dirs: the deepest first
cgroup_dirs() {
        tagged cgroup | sed 's/^cgroup //'
}

# leftovers, in a subshell: everything outside of $T that carries the tag, and what in $ROOT is not empty
leftovers() {
        local path

        shopt -s nullglob dotglob
        tagged || echo "$LEFTOVERS exited with $?"
        for path in /run/{netns,crun,runc,proxmox-lxcri}/{,*/}*"$TAG"*; do
                echo "file $path"
        done
        for path in "$ROOT"/*; do
                # compiled seccomp filters are kept
                [[ $path == "$ROOT/.cache" ]] || echo "in root: $path"
        done
        for path in "$STORE"/{tmp,containers}/*; do
                echo "in store: $path"
        done
}

remove_leftovers() {
        local pid dir i

        for i in 1 2 3; do
                for pid in $(tagged_pids); do
                        kill -KILL "$pid" 2>/dev/null || true
                done
                for dir in $(cgroup_dirs); do
                        [[ -e $dir/freezer.state ]] && echo THAWED > "$dir/freezer.state"
                        cat "$dir/cgroup.procs" 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true
                done
                sleep 0.05
                cgroup_dirs | xargs -r rmdir 2>/dev/null || true
                [[ -n $(tagged_pids)$(cgroup_dirs) ]] || break
        done
        grep -F -- "$TAG" /proc/self/mountinfo | awk '{ print $5 }' | tac | while read -r dir; do
                umount -l "$dir" 2>/dev/null || true
        done
        losetup -l -n -O NAME,BACK-FILE 2>/dev/null | grep -F -- "$TAG" | awk '{ print $1 }' | xargs -r losetup -d || true
}

# host_snapshot FILE: what must be the same after a command that failed. Blobs, layers and image records may stay only where a test says so
host_snapshot() {
        # of a process its number, of a mount all but its own and its parent's
        {
                tagged | sed -E 's/^(process [0-9]+):.*/\1/; s/^mount [0-9]+ [0-9]+ //'
                compgen -G "/run/netns/*$TAG*" || true
                tree_listing "$ROOT"
                tree_listing "$STORE"
        } > "$1"
}

# assert_host_unchanged FILE [PATTERN]: compared with that snapshot; lines that match PATTERN (extended) may differ
assert_host_unchanged() {
        host_snapshot "$1.after"
        if [[ $(< "$1") != "$(< "$1.after")" ]] && ! diff <(grep -vE -- "${2:-^$}" "$1") <(grep -vE -- "${2:-^$}" "$1.after"); then
                echo "the host changed (<: before, >: after)"
                return 1
        fi
}

# tree_listing DIR: every entry with type, mode, owner, size and link target; not inode or times
tree_listing() {
        (cd "$1" 2>/dev/null && find . -mindepth 1 -path ./.cache -prune -o -mindepth 1 -printf "${1##*/} %y %m %U:%G %p %l " \( -type d -printf '\n' -o -printf '%s\n' \) | sort) || true
}

# ---- running ----

# lxcri ARG…: the program under test, with this test's root and store
lxcri() {
        (
                export "${PROGRAM_ENV[@]}"
                exec "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" "$@" 3>&-
        )
}

# try CMD…: as bats' `run`, but through files: a container's init keeps its creator's stdout open, and `run` would wait for it
try() {
        status=0
        # the group keeps bash's own remark on a killed program out of the test's output
        { "$@" > "$T/out" 2> "$T/err" < /dev/null; } 2> /dev/null || status=$?
        # bash drops NULs, and says so
        { output=$(< "$T/out") errors=$(< "$T/err"); } 2> /dev/null
}

# ok CMD…: must succeed
ok() {
        try "$@"
        ((status == 0)) || {
                echo "\$ $*"
                echo "exited with $status"
                echo "$output"
                echo "$errors"
                return 1
        }
}

# fails KIND CMD…: must fail with one error of that kind, said on stderr
fails() {
        local kind=$1
        shift

        try "$@"
        if ((status == 0)) || [[ $errors != *"$kind"* ]]; then
                echo "\$ $*"
                echo "expected $kind, exited with $status"
                echo "$output"
                echo "$errors"
                return 1
        fi
}

# not CMD…: must fail. What begins with `!` fails a test nowhere but in its last line
not() {
        if "$@"; then
                echo "went well: $*"
                return 1
        fi
}

# says TEXT: stdout of the last command holds it
says() {
        [[ $output == *"$1"* ]] || {
                echo "expected '$1' in:"
                echo "$output"
                echo "$errors"
                return 1
        }
}

# complains TEXT: the same of stderr
complains() {
        [[ $errors == *"$1"* ]] || {
                echo "expected '$1' in:"
                echo "$errors"
                return 1
        }
}

# wait_until SECONDS CMD…
wait_until() {
        local until=$((SECONDS + $1))
        shift

        until "$@"; do
                ((SECONDS < until)) || {
                        echo "still not after the time allowed: $*"
                        return 1
                }
                sleep 0.05
        done
}

container_status() {
        [[ $(lxcri state "$1" 2>/dev/null) =~ \"status\":\ *\"([a-z]+)\" ]] && echo "${BASH_REMATCH[1]}"
}

is_status() {
        [[ $(container_status "$1") == "$2" ]]
}

# reboot: what it does to our containers
reboot() {
        local pid dir

        for pid in $(tagged_pids); do
                kill -KILL "$pid" 2>/dev/null || true
        done
        wait_until 10 eval '[[ -z $(tagged_pids) ]]'
        grep -F -- "$TAG" /proc/self/mountinfo | awk '{ print $5 }' | tac | while read -r dir; do
                umount "$dir"
        done
        for dir in $(cgroup_dirs); do
                wait_until 5 rmdir "$dir"
        done
        PROGRAM_ENV+=(PROXMOX_LXCRI_BOOT_ID="$(cat /proc/sys/kernel/random/uuid)")
}

# needs_criu: skips where CRIU does not work, with its own reason
needs_criu() {
        local why

        type -P criu > /dev/null || skip "no program 'criu'"
        why=$(criu check 2>&1) || skip "criu check: $(head -n 1 <<< "$why")"
}

# ---- material ----

# make_bundle DIR [JQ FILTER]: a busybox bundle that runs `true`, changed by a filter on its config.json
make_bundle() {
        local dir=$1 filter=${2:-} maker=$RUNTIME spec

        # Our own engine has no such command: it takes what runc makes
        type -P "$maker" > /dev/null || maker=runc
        # made once for a file's tests
        spec=$BATS_RUN_TMPDIR/$maker
        [[ -d $dir ]] || mkdir -p "$dir"
        if [[ ! -e $spec/bundle.json ]]; then
                mkdir -p "$spec"
                (cd "$spec" && "$maker" spec)
                jq '.process.terminal = false | .process.args = ["true"] | .root.readonly = false | del(.process.rlimits)' "$spec/config.json" \
                        > "$spec/bundle.json"
        fi
        cp -a "$FIXTURES/rootfs" "$dir/rootfs"
        if [[ $filter ]]; then
                jq "$filter" "$spec/bundle.json" > "$dir/config.json"
        else
                cp "$spec/bundle.json" "$dir/config.json"
        fi
}

# add_probe BUNDLE: tests/lib/probe.c as /probe
add_probe() {
        cp "$(dirname "$LXCRI_PROGRAM")/tests/lib/probe" "$1/rootfs/probe"
}

# make_image DIR < DESCRIPTION: see tests/lib/make-image
make_image() {
        "$PROJECT/tests/lib/make-image" "$@"
}

import_busybox() {
        ok lxcri image import "$FIXTURES/busybox" busybox
}
