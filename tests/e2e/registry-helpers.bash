# What tests of registries share: Debian's docker-registry on a loopback port of its own, with nothing of the user's configuration in sight.

registry_setup() {
        common_setup
        [[ -n ${T:-} ]] || return 0
        mkdir "$T/home"
        : > "$T/registries.conf"
        jq '. + {registry_timeout: 20, registry_retries: 5, registry_retry_wait_max: 1}' "$T/config.json" > "$T/config.new"
        mv "$T/config.new" "$T/config.json"
        PROGRAM_ENV+=(HOME="$T/home" CONTAINERS_REGISTRIES_CONF="$T/registries.conf" REGISTRY_AUTH_FILE="$T/auth.json")
        SERVERS=()
}

registry_teardown() {
        local pid

        for pid in "${SERVERS[@]}"; do
                kill -KILL "$pid" 2>/dev/null || true
                # nothing of it may be left when what is left is counted
                wait "$pid" 2>/dev/null || true
        done
        common_teardown
}

# serve NAME CMD…: in the background, with its output in $T/NAME.log
serve() {
        local name=$1
        shift
        "$@" > "$T/$name.log" 2>&1 < /dev/null 3>&- &
        SERVERS+=($!)
        PID=$!
}

free_port() {
        /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

is_listening() {
        (exec 4<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null
}

# start_registry NAME [YAML of http: and auth:]: sets REG, PORT and PID; what it keeps is in $T/kept-NAME
start_registry() {
        local name=$1 try

        for try in 1 2 3 4 5; do
                PORT=$(free_port)
                printf 'version: 0.1\nlog: {level: warn, accesslog: {disabled: false}}\nstorage: {filesystem: {rootdirectory: "%s"}, delete: {enabled: true}}\nhttp:\n  addr: 127.0.0.1:%s\n  secret: x\n%s\n' \
                        "$T/kept-$name" "$PORT" "${2:-}" > "$T/$name.yml"
                serve "$name" docker-registry serve "$T/$name.yml"
                # Another may have taken the port in between
                if wait_until 20 eval "is_listening $PORT || ! kill -0 $PID 2>/dev/null" && kill -0 "$PID" 2>/dev/null; then
                        REG=localhost:$PORT
                        return 0
                fi
        done
        cat "$T/$name.log"
        return 1
}

# make_ca: an authority, a certificate for the loopback host and registry.test, and one for a client, in $T/ca
make_ca() {
        mkdir "$T/ca"
        (
                cd "$T/ca"
                openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj "/CN=Test authority"
                for name in server client; do
                        openssl req -newkey rsa:2048 -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$name"
                        openssl x509 -req -in "$name.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out "$name.cert" \
                                -extfile <(echo "subjectAltName=DNS:localhost,DNS:registry.test,IP:127.0.0.1")
                done
        ) &> "$T/ca.log"
}

# put REF LAYOUT: into a registry, by skopeo
put() {
        skopeo copy -q "${@:3}" --dest-tls-verify=false "oci:$2" "docker://$1"
}

# put_index REGISTRY NAME TAG: an index of two platforms, whose digests are in $T/amd64.digest and $T/arm64.digest; its text is $T/index
put_index() {
        local arch

        for arch in amd64 arm64; do
                make_image "$T/$arch" <<< '{"name": "x", "image": {"architecture": "'$arch'"}, "layers": [{"entries": [{"name": "arch", "data": "'$arch'"}]}]}' > "$T/$arch.digest"
                put "$1/$2:$arch" "$T/$arch"
        done
        jq -n --arg a "$(< "$T/amd64.digest")" --arg b "$(< "$T/arm64.digest")" --argjson n "$(stat -c %s "$T/amd64/blobs/sha256/$(cut -c8- "$T/amd64.digest")")" \
                --argjson m "$(stat -c %s "$T/arm64/blobs/sha256/$(cut -c8- "$T/arm64.digest")")" '
                {schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [
                 {mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $a, size: $n, platform: {os: "linux", architecture: "amd64"}},
                 {mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $b, size: $m, platform: {os: "linux", architecture: "arm64"}}]}' > "$T/index"
        curl -sSf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary "@$T/index" "http://$1/v2/$2/manifests/$3"
}

# serve_image: the fixture 'web' as web:1 in a registry that only reads, see tests/lib/signature-registry; sets REG and HEX, its manifest's digest
serve_image() {
        mkdir -p "$T/served/manifests" "$T/served/referrers"
        cp -r "$FIXTURES/web/blobs" "$T/served/"
        jq -c '. + {mediaType: "application/vnd.oci.image.manifest.v1+json"}' \
                "$T/served/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' "$FIXTURES/web/index.json")" > "$T/served/manifests/1"
        HEX=$(sha256sum < "$T/served/manifests/1" | cut -c-64)
        cp "$T/served/manifests/1" "$T/served/manifests/sha256:$HEX"
        serve s /usr/bin/python3 "$PROJECT/tests/lib/signature-registry" "$T/s.port" "$T/served"
        wait_until 20 test -s "$T/s.port"
        REG=localhost:$(< "$T/s.port")
}

# attach TYPE TEXT [MEMBERS]: a document, and a manifest that names it and has MEMBERS (JSON) too; sets DOCUMENT and MANIFEST, their digests
attach() {
        DOCUMENT=sha256:$(printf '%b' "$2" | tee "$T/document" | sha256sum | cut -c-64)
        cp "$T/document" "$T/served/blobs/sha256/${DOCUMENT#*:}"
        jq -cn --arg d "$DOCUMENT" --arg t "$1" --argjson n "$(stat -c %s "$T/document")" --argjson more "${3:-null}" '{schemaVersion: 2,
                mediaType: "application/vnd.oci.image.manifest.v1+json", layers: [{mediaType: $t, digest: $d, size: $n}]} + $more' > "$T/artifact"
        MANIFEST=sha256:$(sha256sum < "$T/artifact" | cut -c-64)
        cp "$T/artifact" "$T/served/manifests/$MANIFEST"
}

# index ENTRY…: an index of them
index() {
        local IFS=,

        jq -cn "{schemaVersion: 2, mediaType: \"application/vnd.oci.image.index.v1+json\", manifests: [$*]}"
}

# podman_here ARG…: with a storage of the test's own
podman_here() {
        podman --root "$T/podman" --runroot "$T/podman-run" --storage-driver vfs "$@"
}

manifest_digest() {
        skopeo inspect --tls-verify=false "${@:2}" --format '{{.Digest}}' "docker://$1"
}

# requests NAME PATTERN: how often the registry was asked for what matches
requests() {
        grep -cE "$2" "$T/$1.log" || true
}

# start_proxy [STATUS]: sets PROXY; its requests are in $T/proxy.log
start_proxy() {
        rm -f "$T/proxy.port"
        serve proxy /usr/bin/python3 "$PROJECT/tests/lib/proxy" "$T/proxy.port" "$@"
        wait_until 20 test -s "$T/proxy.port"
        PROXY=localhost:$(< "$T/proxy.port")
}

# start_front PORT: TLS and HTTP/2 in front of what listens there; sets REG. Each request is a line of $T/front.requests: PROTOCOL METHOD PATH STATUS
start_front() {
        local backend=$1 try

        for try in 1 2 3 4 5; do
                PORT=$(free_port)
                : > "$T/front.requests"
                serve front nghttpx --conf=/dev/null --workers=1 --no-ocsp "--frontend=127.0.0.1,$PORT" "--backend=127.0.0.1,$backend" \
                        "--accesslog-file=$T/front.requests" '--accesslog-format=$alpn $method $path $status' "$T/ca/server.key" "$T/ca/server.cert"
                if wait_until 20 eval "is_listening $PORT || ! kill -0 $PID 2>/dev/null" && kill -0 "$PID" 2>/dev/null; then
                        REG=localhost:$PORT
                        return 0
                fi
        done
        cat "$T/front.log"
        return 1
}
