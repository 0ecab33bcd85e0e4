# What an OCI runtime is started five times for must not load what it does not need.

load helpers
load registry-helpers

HEAVY='libcurl|libarchive|libcrypto|liblxc|libzstd|modules/'

setup() {
        registry_setup
}

teardown() {
        registry_teardown
}

# loaded_by ARG…: the shared objects that the program, and nothing it starts, loaded for a command
loaded_by() {
        rm -f "$T"/ld.*
        ok env "${PROGRAM_ENV[@]}" LD_DEBUG=files LD_DEBUG_OUTPUT="$T/ld" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" "$@"
        # the dynamic linker names each process's program first; ours is every file that mentions it
        grep -lE "initialize program: .*$(basename "$LXCRI_PROGRAM")" "$T"/ld.* | xargs grep -h 'calling init' | sed 's/.*calling init: //' | sort -u
}

light() {
        local heavy

        heavy=$(loaded_by "$@" | grep -E "$HEAVY" || true)
        [[ -z $heavy ]] || { echo "$* loads $heavy"; return 1; }
}

@test "create --bundle, state, start, kill and delete load no module" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        light create --bundle "$T/b" "$ID"
        light state "$ID"
        light start "$ID"
        light kill "$ID" KILL
        wait_until 5 is_status "$ID" stopped
        light delete "$ID"
}

@test "a warm run --image loads no module" {
        import_busybox
        ok lxcri run --rm --image busybox "$ID" true
        light run --rm --image busybox "$ID" true
}

@test "a warm run --image of what came from a registry, and was accepted unsigned, loads no module" {
        start_registry r
        put "$REG/app:1" "$FIXTURES/busybox"
        ok lxcri run --rm --tls-verify=false --image "$REG/app:1" "$ID" true
        light run --rm --tls-verify=false --image "$REG/app:1" "$ID" true
}

@test "an import does load the module, so the test can tell" {
        loaded_by image import "$FIXTURES/busybox" busybox > "$T/loaded"
        grep -q libarchive "$T/loaded"
        grep -q libcrypto "$T/loaded"
}

@test "modules use the jansson that is in the program: one seed of hashes for objects that both use" {
        ok env "${PROGRAM_ENV[@]}" LD_DEBUG=bindings LD_DEBUG_OUTPUT="$T/ld" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" \
                image import "$FIXTURES/busybox" busybox
        grep -h "modules/.* symbol .json_" "$T"/ld.* > "$T/bindings"
        not grep -vE " to [^ ]*$(basename "$LXCRI_PROGRAM") " "$T/bindings"
}

@test "the program itself is linked with libc only" {
        [[ -z ${LXCRI_SANITIZED:-} ]] || skip "sanitizers bring their own libraries"
        readelf -d "$LXCRI_PROGRAM" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -vE '^(libc|ld-linux.*)\.so' > "$T/others" || true
        [[ ! -s $T/others ]] || { cat "$T/others"; return 1; }
}
