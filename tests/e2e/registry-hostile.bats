# Registries that misbehave: one clear error within a bound and nothing left behind, or a whole pull where trying again is right.

load helpers
load registry-helpers

setup() {
        registry_setup
        [[ -n ${T:-} ]] || return 0
        jq '. + {registry_timeout: 2, registry_speed_min: 2000, registry_retries: 4}' "$T/config.json" > "$T/config.new"
        mv "$T/config.new" "$T/config.json"
        PROGRAM_ENV+=(http_proxy= HTTP_PROXY=)
}

teardown() {
        registry_teardown
}

# bad MODE [ARGUMENT]: a server that misbehaves; sets REG
bad() {
        rm -f "$T/bad.port"
        serve bad /usr/bin/python3 "$PROJECT/tests/lib/bad-registry" "$T/bad.port" "${LAYOUT:-$FIXTURES/web}" "$@"
        wait_until 120 test -s "$T/bad.port"
        REG=localhost:$(< "$T/bad.port")
}

pull() {
        timeout -k 5 120 env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" pull --tls-verify=false "$@" "$REG/web:1" 3>&-
}

# refused KIND TEXT MODE [ARGUMENT]: an error of that kind that says TEXT; no name, and no blob that is not whole
refused() {
        local kind=$1 text=$2
        shift 2

        bad "$@"
        fails "$kind" pull ${OPTIONS:-}
        complains "$text"
        [[ $(tr -d '\n\t -~' < "$T/err") == "" ]] || { echo "control characters in: $errors"; return 1; }
        [[ ! -e $STORE/index.json ]] || ! grep -q "$REG" "$STORE/index.json"
        only_whole_blobs
        kill "$PID"
}

only_whole_blobs() {
        local file

        for file in "$STORE"/blobs/sha256/*; do
                [[ ! -e $file || $(sha256sum < "$file") == "${file##*/} "* ]] || { echo "$file is not what its name says"; return 1; }
        done
        [[ -z $(ls -A "$STORE/tmp" 2>/dev/null) ]]
}

# completes MODE [ARGUMENT]: the pull succeeds all the same
completes() {
        bad "$@"
        ok pull -q
        [[ $output == "$(< "$FIXTURES/web.digest")" ]]
        only_whole_blobs
        [[ -z $(ls -A "$STORE/downloads" 2>/dev/null) ]]
        kill "$PID"
        rm -rf "$STORE"
}

@test "wrong content: another digest, too short, too long, changed, endless" {
        refused DigestMismatch "digest" wrong-digest
        [[ ! -e $STORE/downloads/$(jq -r '.layers | max_by(.size).digest[7:]' "$FIXTURES/web/blobs/sha256/$(cut -c8- "$FIXTURES/web.digest")") ]]
        refused DigestMismatch "bytes" too-short
        refused DigestMismatch "bytes" too-long
        refused DigestMismatch "bytes" too-long-chunked
        refused DigestMismatch "bytes" short-chunked
        refused DigestMismatch "registry says" manifest-digest
        refused RegistryError "bytes" manifest-5MiB
        refused RegistryError "bytes" manifest-endless
        refused RegistryError "values" huge-index 20000
        refused ImageNotFound "plan9/vax" huge-index 2000
        refused NotSupported "schema 1" schema1
        refused NotSupported "artifact" artifact
        refused RegistryError "gone?[31m" missing-blob
        bad manifest-changed
        fails DigestMismatch timeout 60 env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" pull --tls-verify=false "$REG/web@$(< "$FIXTURES/web.digest")"
}

@test "wrong answers: not a registry, headers without end, challenges that can't be met" {
        refused RegistryError "404" not-a-registry
        refused RegistryError "headers" huge-headers
        refused RegistryError "WWW-Authenticate" garbage-challenge
        refused RegistryError "neither http nor https" bad-challenge
        OPTIONS="--creds me:secret" refused RegistryError "access denied" 401-loop
        (($(wc -l < "$T/bad.log") < 10))
        [[ $errors != *secret* ]]
}

@test "redirects: loops and other schemes are refused; another host never sees the credentials" {
        refused RegistryError "redirects" redirect-loop
        OPTIONS="--creds me:secret" refused RegistryError "neither http nor https" redirect-file
        bad redirect-host
        ok pull -q --creds me:secret
        grep -q 'GET 127.0.0.1:[0-9]* /redirected/.* authorization=no' "$T/bad.log"
        grep -q 'GET localhost:[0-9]* /v2/web/blobs/.* authorization=yes' "$T/bad.log"
        not grep -q '/redirected/.* authorization=yes' "$T/bad.log"
}

@test "too slow, stuck, or never there: an error within the bound" {
        refused RegistryError "too few bytes" manifest-slow
        refused RegistryError "too few bytes" slow-body
        refused RegistryError "within 2 s" stuck
        refused RegistryError "503" 503-forever
        refused RegistryError "" resets-forever
        refused RegistryError "in place of" wrong-range
}

@test "what passes is tried again: 429 with Retry-After, 503, resets at many offsets, a server without ranges" {
        completes 429
        # a server that asks for a day waits no longer than registry_retry_wait_max
        completes 429 86400
        completes 429 'Fri, 31 Dec 2060 23:59:59 GMT'
        completes blob-503
        completes manifest-reset
        completes no-ranges
        for seed in 1 2 3; do
                completes resets $seed
        done
        grep -q 'range=bytes=[1-9]' "$T/bad.log"
}

@test "a gzip bomb is stopped at its cap, and leaves no layer" {
        make_image "$T/bomb" <<< '{"name": "x", "layers": [{"entries": [{"name": "zeros", "zeros": 30000000}]}]}'
        jq '. + {layer_size_max: 10000000}' "$T/config.json" > "$T/config.new"
        mv "$T/config.new" "$T/config.json"
        LAYOUT=$T/bomb bad none
        fails RegistryError lxcri run --rm --tls-verify=false --image "$REG/web:1" "$ID" true
        [[ -z $(ls -A "$STORE/layers") ]]
}

# on_terminal ARG…: a pull on a terminal of 24 by 80
# what is typed there, see tests/lib/terminal
TYPING=()

on_terminal() {
        "$PROJECT/tests/lib/terminal" 100 "${TYPING[@]}" env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" pull --tls-verify=false "$@" "$REG/web:1" 3>&-
}

@test "progress: on a terminal a line for each layer and a total, plain lines elsewhere, none with --quiet; after Ctrl-C the next pull goes on" {
        local big

        big=$(jq -r '.layers | max_by(.size).digest[7:19]' "$FIXTURES/web/blobs/sha256/$(cut -c8- "$FIXTURES/web.digest")")
        bad pace 0.1
        # so much of the picture that the big layer is under way, and others are done
        TYPING=(--when "pull $big: [1-9][^:]*B/s[^:]*of [0-9]+ done" 'type=^C')
        try on_terminal
        TYPING=()
        [[ $status == 130 ]] || { echo "$status"; cat -v "$T/out"; return 1; }
        says Interrupted
        # each picture takes the one before away
        [[ $output == *$'\r\e[1A\e[J'* ]]
        grep -qE "pull $big: .* of .*B/s" "$T/out"
        grep -qE "[0-9]+ of [0-9]+ done: .* of " "$T/out"
        only_whole_blobs_or_tmp
        [[ ! -e $STORE/index.json ]] || ! grep -q "$REG" "$STORE/index.json"

        ok pull
        says "$REG/web:1 $(< "$FIXTURES/web.digest")"
        grep -qE "range=bytes=[1-9]" "$T/bad.log"
        [[ $errors == *"pull $big: "* && $errors != *$'\033'* ]]
        rm -rf "$STORE"
        kill "$PID"
        bad none
        ok pull --quiet
        [[ $output == "$(< "$FIXTURES/web.digest")" && -z $errors ]]
        rm -rf "$STORE"
        ok on_terminal --quiet
        [[ $(tr -d '\r' < "$T/out") == "$(< "$FIXTURES/web.digest")" ]]
}

# start_pull: in the background, as one process, CHILD, that a signal reaches; what bash ignores for its background is not ignored
start_pull() {
        env --default-signal=INT "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" pull -q --tls-verify=false "$REG/web:1" \
                > "$T/late" 2>&1 < /dev/null 3>&- &
        CHILD=$!
}

interrupted_pull() {
        start_pull
        sleep "$2"
        kill -"$1" "$CHILD" 2> /dev/null || true
        { wait "$CHILD" || true; } 2> /dev/null
}

@test "a pull that was cut off goes on: killed, interrupted, the registry gone; what was had is not fetched again" {
        local i signal sum=0

        bad pace 0.02
        for i in {1..20}; do
                signal=$([[ $((i % 2)) == 0 ]] && echo INT || echo KILL)
                interrupted_pull "$signal" "0.$((RANDOM % 90 + 10))"
                only_whole_blobs_or_tmp
                [[ ! -e $STORE/index.json ]] || break
        done
        ok pull -q
        [[ $output == "$(< "$FIXTURES/web.digest")" ]]
        only_whole_blobs
        # each request for the big layer began where the one before it had stopped, and no small one was asked for twice
        awk '/\/blobs\// { n[$3]++; split($5, r, /[=-]/); if (n[$3] > 1 && r[3] + 0 < last[$3]) { print "again: " $0; bad = 1 } last[$3] = r[3] + 0 } END { exit bad }' "$T/bad.log"
        ok lxcri image verify "$REG/web:1"

        rm -rf "$STORE"
        interrupted_pull KILL 0.4
        ok lxcri prune
        [[ -z $(ls -A "$STORE/downloads") ]]
        PORT=$(< "$T/bad.port")
        start_pull
        wait_until 20 grep -q "/blobs/$(jq -r '.layers | max_by(.size).digest' "$FIXTURES/web/blobs/sha256/$(cut -c8- "$FIXTURES/web.digest")")" "$T/bad.log"
        sleep 0.3
        kill -KILL "$PID"
        PORT=$PORT bad pace 0.001
        wait "$CHILD"
        [[ $(< "$T/late") == "$(< "$FIXTURES/web.digest")" ]]
        only_whole_blobs
}

# after a SIGKILL a directory in tmp/ may wait for its cleaner
only_whole_blobs_or_tmp() {
        ok lxcri recover
        only_whole_blobs
}

@test "a full disk and no inodes: one FileError, and the store is usable" {
        mkdir "$T/disk"
        truncate -s 8M "$T/disk.img"
        mkfs.ext4 -q -N 64 -O ^has_journal "$T/disk.img"
        mount -o loop "$T/disk.img" "$T/disk"
        STORE=$T/disk/s
        bad none
        # what remains is less than the big layer
        dd if=/dev/zero of="$T/disk/fill" bs=4096 2> /dev/null || true
        truncate -s -400K "$T/disk/fill"
        fails FileError pull
        complains "No space left on device"
        (($(grep -c FileError "$T/err") == 1))
        rm "$T/disk/fill"
        ok pull -q
        ok lxcri image verify "$REG/web:1"
        rm -rf "$STORE"

        mkdir "$T/disk/full"
        lxcri image list > /dev/null
        while : > "$T/disk/full/$((i++))"; do :; done 2> /dev/null
        rm -f "$T/disk/full/"{1,2,3,4,5,6,7,8,9,10,11,12,13,14}
        fails FileError pull
        complains "No space left on device"
        rm -rf "$T/disk/full"
        ok pull -q
        ok lxcri image verify "$REG/web:1"
        umount "$T/disk"
        STORE=$T/s
}
