# Every kind of error through the command line: its text names kind, place and cause, phase and hint where there is one; the JSON log has
# the same; nothing is left.

load helpers

setup() {
        common_setup
        import_busybox
}

# refused KIND TEXT ARG…: fails with that kind and text, in text and in the JSON log alike, and the host is as it was
refused() {
        local kind=$1 text=$2 hint=''
        local -a log
        shift 2

        host_snapshot "$T/before"
        rm -f "$T/log"
        fails "error: $kind: " lxcri --log "$T/log" --log-format json "$@"
        complains "$text"
        # exec's own failures are 255, as runc's
        ((status == 1)) || [[ $kind == RuntimeError || $kind == Interrupted || ($1 == exec && $status == 255) ]]
        # one error, lower case, no full stop
        [[ $'\n'$errors != *$'\nproxmox-lxcri: error: '*$'\nproxmox-lxcri: error: '* ]] || { echo "not one error: $errors"; return 1; }
        [[ $'\n'$errors$'\n' =~ $'\n'"proxmox-lxcri: error: $kind: "[a-z\'/-][^$'\n']*[^.$'\n']$'\n' ]] || { echo "$errors"; return 1; }
        mapfile -t log < <(jq -r 'select(.level == "error") | .kind, .msg, .time, .phase // "", .hint // ""' "$T/log")
        [[ ${#log[@]} == 5 && ${log[0]} == "$kind" && ${log[1]} == *"$text"* && ${log[2]} == 20* ]] || { cat "$T/log"; return 1; }
        if [[ $errors == *"(phase "* ]]; then
                [[ $errors == *"(phase ${log[3]})"* ]] || { cat "$T/log"; return 1; }
        fi
        [[ ! $'\n'$errors$'\n' =~ $'\n'"hint: "([^$'\n']*)$'\n' ]] || hint=${BASH_REMATCH[1]}
        [[ $hint == "${log[4]}" ]] || { cat "$T/log"; return 1; }
        [[ -z ${PHASE:-} || ${log[3]} == "$PHASE" ]] || { echo "expected phase $PHASE:"; cat "$T/log"; return 1; }
        [[ -z ${HINT:-} || -n $hint ]] || { echo "expected a hint: $errors"; return 1; }
        assert_host_unchanged "$T/before" "${MAY_CHANGE:-^$}"
}

@test "InvalidJson: a config.json that is no JSON, with file, line and column" {
        make_bundle "$T/b"
        printf '{\n"ociVersion": "1.0.2",\n oops }' > "$T/b/config.json"
        PHASE=validate refused InvalidJson "config.json" create --bundle "$T/b" "$ID"
        complains "line 3"
}

@test "InvalidSpec: a config.json without what the spec demands, the field by its path" {
        make_bundle "$T/b" 'del(.process.cwd)'
        PHASE=validate refused InvalidSpec "process.cwd" create --bundle "$T/b" "$ID"
        make_bundle "$T/c" '.linux.namespaces[0].type = "nonsense"'
        PHASE=validate refused InvalidSpec "linux.namespaces[0].type" create --bundle "$T/c" "$ID"
}

@test "FileError: a source that is not there, with the system's words" {
        refused FileError "No such file or directory" image import "$T/none" x
        complains "$T/none"
}

@test "FileError: a pid file that cannot be written undoes the whole create" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        PHASE=publish refused FileError "$T/none/pid" create --bundle "$T/b" --pid-file "$T/none/pid" "$ID"
}

@test "OutOfMemory: said plainly, without a crash" {
        make_bundle "$T/b"
        jq '.annotations = ([range(100000)] | map({("k\(.)"): "value"}) | add)' "$T/b/config.json" > "$T/new"
        mv "$T/new" "$T/b/config.json"
        [[ -z ${LXCRI_SANITIZED:-} ]] || skip "sanitizers need address space"
        host_snapshot "$T/before"
        # enough to start, not enough for a million values
        try prlimit --data=12000000 env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" create --bundle "$T/b" "$ID"
        ((status == 1))
        complains "error: OutOfMemory: "
        assert_host_unchanged "$T/before"
}

@test "ImageNotFound: with a hint how to get it" {
        HINT=1 PHASE=image refused ImageNotFound "no-such-image" create --image no-such-image --pull never "$ID"
        refused ImageNotFound "no-such-image" image rm no-such-image
}

@test "BundleNotFound: no such directory, no config.json in it" {
        refused BundleNotFound "$T/none" create --bundle "$T/none" "$ID"
        mkdir "$T/empty"
        refused BundleNotFound "config.json" create --bundle "$T/empty" "$ID"
}

@test "ContainerExists: the first stays as it is" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri create --bundle "$T/b" "$ID"
        refused ContainerExists "$ID" create --bundle "$T/b" "$ID"
        is_status "$ID" created
        ok lxcri delete --force "$ID"
}

@test "ConfigError: a configuration that cannot be read" {
        HINT='' refused ConfigError "$T/none" --config "$T/none" list
        refused ConfigError "" --config "$T" list
}

@test "InvalidConfig: an unknown key and a wrong type, with their line" {
        printf '{\n"root": "/run/x",\n"rooot": "/run/y"\n}\n' > "$T/bad.json"
        refused InvalidConfig "$T/bad.json" --config "$T/bad.json" list
        complains rooot
        complains 3
        printf '{\n"log_size_max": "big"\n}\n' > "$T/bad.json"
        refused InvalidConfig "log_size_max" --config "$T/bad.json" list
        printf '{\n"root": ,\n}\n' > "$T/bad.json"
        try lxcri --config "$T/bad.json" list
        ((status == 1))
        complains "$T/bad.json"
}

@test "InvalidRootfs: a bundle whose root is not there, or no directory" {
        make_bundle "$T/b"
        rm -rf "$T/b/rootfs"
        PHASE=validate refused InvalidRootfs "rootfs" create --bundle "$T/b" "$ID"
        touch "$T/b/rootfs"
        PHASE=validate refused InvalidRootfs "rootfs" create --bundle "$T/b" "$ID"
}

@test "RuntimeNotAvailable: the program is not installed, with a hint" {
        make_bundle "$T/b"
        jq '. + {runtimes: {crun: {path: "/no/such/crun"}}, default_runtime: "crun"}' "$T/config.json" > "$T/new"
        mv "$T/new" "$T/config.json"
        HINT=1 refused RuntimeNotAvailable "crun" create --bundle "$T/b" "$ID"
        complains /no/such/crun
}

@test "ContainerNotFound: every command on an id that is not there" {
        for command in state start pause resume ps stop wait inspect logs "exec none true" "kill none KILL" "delete none"; do
                case $command in
                *\ *) refused ContainerNotFound "none" ${command%% *} ${command#* } ;;
                *) refused ContainerNotFound "none" "$command" none ;;
                esac
        done
}

@test "InvalidArgument: ids, options and commands that do not exist, with a suggestion" {
        make_bundle "$T/b"
        for bad in ../x "" .hidden "a b" "$(printf x%.0s {1..256})"; do
                refused InvalidArgument "" create --bundle "$T/b" -- "$bad"
        done
        HINT=1 refused InvalidArgument "craete" craete x
        refused InvalidArgument "--bundel" create --bundel "$T/b" "$ID"
        refused InvalidArgument "" create --image x --bundle "$T/b" "$ID"
        refused InvalidArgument "nonsense" --runtime nonsense create --bundle "$T/b" "$ID"
        refused InvalidArgument "NOSUCH" kill "$ID" NOSUCH
}

@test "InvalidState: start of a running, exec in a stopped, delete of a running container" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        refused InvalidState "running" start "$ID"
        refused InvalidState "running" delete "$ID"
        ok lxcri kill "$ID" KILL
        wait_until 5 is_status "$ID" stopped
        refused InvalidState "stopped" exec "$ID" true
        refused InvalidState "" kill "$ID" TERM
        ok lxcri delete "$ID"
}

@test "DigestMismatch: a damaged blob of an image, before anything is made of it" {
        blob=$STORE/blobs/sha256/$(jq -r '.layers[0].digest' "$FIXTURES/busybox/blobs/sha256/$(cut -c8- "$FIXTURES/busybox.digest")" | cut -c8-)
        printf XX | dd of="$blob" bs=1 seek=2000 conv=notrunc status=none
        MAY_CHANGE='\./images/' PHASE=layers refused DigestMismatch "$(basename "$blob")" create --image busybox "$ID"
}

@test "NotSupported: what a part of the program cannot do" {
        mkdir "$T/other"
        echo '{"imageLayoutVersion":"9.9.9"}' > "$T/other/oci-layout"
        echo '{"schemaVersion":2,"manifests":[]}' > "$T/other/index.json"
        refused NotSupported "9.9.9" image import "$T/other" x
}

@test "RuntimeError: the runtime's own words are the cause, its exit code ours" {
        make_bundle "$T/b" '.process.args = ["/no/such/program"]'
        for runtime in crun runc; do
                host_snapshot "$T/before"
                try lxcri --runtime "$runtime" run --bundle "$T/b" "$ID"
                ((status != 0))
                complains "error: RuntimeError: "
                complains "$runtime"
                complains "/no/such/program"
                assert_host_unchanged "$T/before"
        done
}

@test "every error goes to --log and to stderr, in the shape containerd reads" {
        fails ContainerNotFound lxcri --log "$T/l" --log-format json state none
        jq -e '.level == "error" and (.msg | length > 0) and (.time | fromdateiso8601? // (.[0:19] + "Z" | fromdateiso8601) > 0)' "$T/l"
        fails ContainerNotFound lxcri --log "$T/l2" state none
        # as runc's, without --log-format
        [[ $(< "$T/l2") =~ ^time=\"[0-9T:.-]+Z\"\ level=error\ msg=\"container\ \'none\'\ does\ not\ exist\"\ kind=ContainerNotFound$ ]]
}

@test "an unwritable log is an error of its own" {
        fails FileError lxcri --log "$T/none/log" list
        complains "$T/none/log"
}
