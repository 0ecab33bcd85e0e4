# Registries: Debian's docker-registry in all the ways it lets people in; skopeo and podman as witnesses.

load helpers
load registry-helpers

setup() {
        registry_setup
}

teardown() {
        registry_teardown
}

@test "pull from plain HTTP, by tag and digest, only when told to; nothing is fetched twice" {
        local digest

        start_registry r
        put "$REG/team/web:1" "$FIXTURES/web"
        digest=$(manifest_digest "$REG/team/web:1")

        fails RegistryError lxcri pull "$REG/team/web:1"
        complains "tls-verify=false"
        ok lxcri pull --tls-verify=false "$REG/team/web:1"
        says "$REG/team/web:1 $digest"
        ok lxcri pull -q --tls-verify=false "$REG/team/web@$digest"
        [[ $output == "$digest" ]]
        ok lxcri image verify "$REG/team/web:1"
        (($(requests r 'GET /v2/team/web/blobs/.*proxmox-lxcri') == 4))
        [[ $(skopeo inspect --format '{{.Digest}}' "oci:$STORE:$REG/team/web:1") == "$digest" ]]

        printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REG" > "$T/registries.conf"
        ok lxcri pull "$REG/team/web:1"
        fails ImageNotFound lxcri pull "$REG/team/web:2"
        fails ImageNotFound lxcri pull "$REG/nobody/web:1"
        compgen -G "$STORE/downloads/*" && return 1
        return 0
}

@test "run fetches what is missing, always or never, and says so" {
        start_registry r
        put "$REG/app:1" "$FIXTURES/busybox"

        fails ImageNotFound lxcri run --rm --tls-verify=false --pull never --image "$REG/app:1" "$ID" echo no
        ok lxcri run --rm --tls-verify=false --image "$REG/app:1" "$ID" echo first
        [[ $output == first ]]
        ok lxcri run --rm --image "$REG/app:1" "$ID" echo warm
        [[ $output == warm ]]
        put "$REG/app:1" "$FIXTURES/web"
        ok lxcri run --rm --tls-verify=false --pull missing --image "$REG/app:1" "$ID" echo old
        [[ $output == old ]]
        ok lxcri run --rm --tls-verify=false --pull always --image "$REG/app:1" "$ID" new
        [[ $output == "web new" ]]
        fails ImageNotFound lxcri run --rm --tls-verify=false --image "$REG/app:1" --platform linux/s390x "$ID" true
        complains "linux/amd64"
        fails ImageNotFound lxcri create --tls-verify=false --image "$REG/other:1" "$ID"
        fails InvalidArgument lxcri create --tls-verify=false --bundle "$T" "$ID"
}

@test "TLS with an authority of our own, from certs.d and --cert-dir; client certificates" {
        make_ca
        start_registry r "  tls: {certificate: $T/ca/server.cert, key: $T/ca/server.key, clientcas: [$T/ca/ca.crt]}"
        mkdir -p "$T/certs"
        cp "$T/ca/ca.crt" "$T/certs/"

        fails RegistryError lxcri pull "$REG/app:1"
        # the server's certificate is right, ours is missing
        fails RegistryError lxcri pull --cert-dir "$T/certs" "$REG/app:1"
        cp "$T/ca/client.cert" "$T/certs/"
        fails ConfigError lxcri pull --cert-dir "$T/certs" "$REG/app:1"
        complains "client.key"
        cp "$T/ca/client.key" "$T/certs/"
        skopeo copy -q --dest-cert-dir "$T/certs" "oci:$FIXTURES/web" "docker://$REG/app:1"
        ok lxcri pull --cert-dir "$T/certs" "$REG/app:1"

        mkdir -p "$T/home/.config/containers/certs.d"
        cp -r "$T/certs" "$T/home/.config/containers/certs.d/$REG"
        ok lxcri pull "$REG/app:1"
        rm "$T/home/.config/containers/certs.d/$REG/ca.crt"
        fails RegistryError lxcri pull "$REG/app:1"
        complains "certs.d/$REG/ca.crt"
        ok lxcri pull --tls-verify=false "$REG/app:1"
}

@test "proxies: HTTP_PROXY, HTTPS_PROXY by CONNECT, what NO_PROXY names goes past them; a refusal is told once" {
        local name plain tls

        make_ca
        start_registry plain
        put "$REG/app:1" "$FIXTURES/web"
        plain=registry.test:$PORT
        start_registry tls "  tls: {certificate: $T/ca/server.cert, key: $T/ca/server.key}"
        tls=registry.test:$PORT
        skopeo copy -q --dest-tls-verify=false "oci:$FIXTURES/web" "docker://localhost:$PORT/app:1"
        mkdir "$T/certs"
        cp "$T/ca/ca.crt" "$T/certs/"
        start_proxy
        through() { env -u http_proxy -u https_proxy -u no_proxy -u HTTP_PROXY -u HTTPS_PROXY -u NO_PROXY "${PROGRAM_ENV[@]}" "$1" "${@:3}" \
                "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" pull -q --cert-dir "$T/certs" $2; }

        # registry.test has no address: only the proxy knows what to make of it
        for name in HTTP_PROXY http_proxy; do
                ok through "$name=http://$PROXY" "--tls-verify=false $plain/app:1"
                rm -rf "$STORE"
        done
        grep -q "^GET http://$plain/v2/app/blobs/.* user=$" "$T/proxy.log"
        for name in HTTPS_PROXY https_proxy; do
                ok through "$name=http://me:se%3Acret@$PROXY" "$tls/app:1"
                rm -rf "$STORE"
        done
        grep -qx "CONNECT $tls user=me" "$T/proxy.log"
        grep -q "/v2/.*proxmox-lxcri" "$T/tls.log"

        fails RegistryError through NO_PROXY=.registry.test,registry.test "$tls/app:1" "HTTPS_PROXY=http://$PROXY"
        complains resolve
        ok through NO_PROXY=localhost "localhost:${tls#*:}/app:1" "HTTPS_PROXY=http://localhost:1"

        kill "$PID"
        start_proxy 403
        fails RegistryError through HTTPS_PROXY="http://me:secret@$PROXY" "$tls/app:1"
        complains 403
        [[ $errors != *secret* && $(grep -c CONNECT "$T/proxy.log") == 1 ]]
}

@test "HTTP/2: agreed on wherever TLS is spoken, for pull and push; a stream that breaks is gone on with" {
        make_ca
        mkdir "$T/certs"
        cp "$T/ca/ca.crt" "$T/certs/"
        start_registry r
        put "$REG/app:1" "$FIXTURES/web"
        start_front "$PORT"
        ok lxcri pull -q --cert-dir "$T/certs" "$REG/app:1"
        [[ $output == "$(< "$FIXTURES/web.digest")" ]]
        import_busybox
        ok lxcri push -q --cert-dir "$T/certs" busybox "$REG/pushed:1"
        grep -q '^h2 GET /v2/app/blobs/.* 200' "$T/front.requests"
        grep -q '^h2 PUT /v2/pushed/blobs/.* 201' "$T/front.requests"
        not grep -v '^h2 ' "$T/front.requests"
        rm -rf "$STORE"

        serve bad /usr/bin/python3 "$PROJECT/tests/lib/bad-registry" "$T/bad.port" "$FIXTURES/web" resets 1
        wait_until 120 test -s "$T/bad.port"
        start_front "$(< "$T/bad.port")"
        ok lxcri pull -q --cert-dir "$T/certs" "$REG/web:1"
        [[ $output == "$(< "$FIXTURES/web.digest")" ]]
        grep -q '^h2 GET /v2/web/blobs/.* 206' "$T/front.requests"
        grep -q 'range=bytes=[1-9]' "$T/bad.log"
}

@test "HTTP/2: many layers at once to a slow reader wait with the server, not in our memory" {
        local i

        make_ca
        mkdir "$T/certs"
        cp "$T/ca/ca.crt" "$T/certs/"
        for i in {0..7}; do
                mkdir "$T/tree-$i"
                head -c 8M /dev/urandom > "$T/tree-$i/file-$i"
        done
        jq -n --arg tree "$T/tree" '{name: "x", layers: [range(8) | {compress: "none", tree: "\($tree)-\(.)"}]}' | make_image "$T/many"
        start_registry r
        put "$REG/many:1" "$T/many"
        start_front "$PORT"
        jq '.workers = 8' "$T/config.json" > "$T/config.new"
        mv "$T/config.new" "$T/config.json"
        cat > "$T/slowly" <<< "#!/bin/sh
                exec '$PROJECT/tests/lib/slowly' '$T/peak' '$LXCRI_PROGRAM' \"\$@\""
        chmod +x "$T/slowly"
        LXCRI_PROGRAM=$T/slowly ok lxcri pull -q --cert-dir "$T/certs" "$REG/many:1"
        (($(grep -c '^h2 GET /v2/many/blobs/.* 200' "$T/front.requests") == 9))
        echo "peak: $(< "$T/peak") KiB"
        (($(< "$T/peak") < 40 << 10))
}

@test "basic authentication: login is tried before it is kept; files of podman and docker, helpers, --creds" {
        htpasswd -Bbn me 'se:cret' > "$T/htpasswd"
        start_registry r "auth: {htpasswd: {realm: test, path: $T/htpasswd}}"
        skopeo copy -q --dest-tls-verify=false --dest-creds 'me:se:cret' "oci:$FIXTURES/web" "docker://$REG/team/app:1"

        fails RegistryError lxcri pull --tls-verify=false "$REG/team/app:1"
        complains "login $REG"
        ok lxcri pull --tls-verify=false --creds 'me:se:cret' "$REG/team/app:1"
        fails RegistryError lxcri pull --tls-verify=false --creds 'me:wrong' "$REG/team/app:1"
        [[ $errors != *wrong* ]]

        login() { printf '%s\n' "$2" | lxcri login "${@:3}" --tls-verify=false -u "$1" --password-stdin "$REG"; }
        fails_to_login() { ! login "$@" > "$T/out" 2> "$T/err" && grep -q RegistryError "$T/err"; }
        fails_to_login me wrong
        [[ ! -e $T/auth.json ]]
        login me 'se:cret'
        [[ $(stat -c %a "$T/auth.json") == 600 ]]
        ok lxcri pull --tls-verify=false "$REG/team/app:1"
        REGISTRY_AUTH_FILE=$T/auth.json skopeo inspect --tls-verify=false "docker://$REG/team/app:1" > /dev/null
        ok lxcri logout "$REG"
        fails InvalidArgument lxcri logout "$REG"
        fails RegistryError lxcri pull --tls-verify=false "$REG/team/app:1"

        # what podman keeps is good for us
        podman login --authfile "$T/podman.json" --tls-verify=false -u me -p 'se:cret' "$REG" > /dev/null
        ok lxcri pull --tls-verify=false --authfile "$T/podman.json" "$REG/team/app:1"
        # a namespace's own credentials come before the registry's
        jq --arg r "$REG" '{auths: {($r): {auth: ("me:wrong" | @base64)}, ($r + "/team"): .auths[$r]}}' "$T/podman.json" > "$T/both.json"
        ok lxcri pull --tls-verify=false --authfile "$T/both.json" "$REG/team/app:1"

        # a helper, named by docker's file
        mkdir "$T/bin" "$T/home/.docker"
        printf '#!/bin/sh\nread -r server\necho "$1 $server" >> "%s"\n[ "$server" = "%s" ] && printf '\''{"ServerURL": "%%s", "Username": "me", "Secret": "se:cret"}'\'' "$server" && exit\necho credentials not found in native keychain\nexit 1\n' \
                "$T/asked" "$REG" > "$T/bin/docker-credential-test"
        chmod +x "$T/bin/docker-credential-test"
        PROGRAM_ENV+=(PATH="$T/bin:$PATH" REGISTRY_AUTH_FILE= XDG_RUNTIME_DIR="$T/none")
        fails RegistryError lxcri pull --tls-verify=false "$REG/team/app:1"
        echo '{"credsStore": "test"}' > "$T/home/.docker/config.json"
        ok lxcri pull --tls-verify=false "$REG/team/app:1"
        grep -qx "get $REG" "$T/asked"
        echo '{"credsStore": "../test"}' > "$T/home/.docker/config.json"
        fails InvalidConfig lxcri pull --tls-verify=false "$REG/team/app:1"
}

@test "token authentication: anonymous, by login, by identity token; one token serves all of a pull" {
        local port before

        make_ca
        serve token /usr/bin/python3 "$PROJECT/tests/lib/token-server" "$T/token.port" "$T/ca/server.cert" "$T/ca/server.key" test-registry
        wait_until 120 test -s "$T/token.port"
        port=$(< "$T/token.port")
        start_registry r "auth: {token: {realm: \"http://localhost:$port/token\", service: test-registry, issuer: test, rootcertbundle: $T/ca/ca.crt}}"
        for name in public private; do
                skopeo copy -q --dest-tls-verify=false --dest-creds me:secret "oci:$FIXTURES/web" "docker://$REG/$name/app:1"
        done

        before=$(wc -l < "$T/token.log")
        ok lxcri pull --tls-verify=false "$REG/public/app:1"
        [[ $(tail -n "+$((before + 1))" "$T/token.log") == "GET - repository:public/app:pull" ]]
        fails RegistryError lxcri pull --tls-verify=false "$REG/private/app:1"
        complains "login $REG"
        fails RegistryError lxcri pull --tls-verify=false --creds me:wrong "$REG/private/app:1"
        complains "does not take these credentials"
        printf secret | lxcri login -u me --password-stdin --tls-verify=false "$REG"
        ok lxcri pull --tls-verify=false "$REG/private/app:1"
        printf '{"auths": {"%s": {"identitytoken": "refresh-me"}}}' "$REG" > "$T/auth.json"
        ok lxcri pull --tls-verify=false "$REG/private/app:1"
        grep -q '^POST me repository:private/app:pull$' "$T/token.log"
}

@test "registries.conf: short names, aliases, mirrors, rewriting, blocked" {
        local main mirror

        start_registry main
        main=$REG
        start_registry mirror
        mirror=$REG
        put "$main/app:1" "$FIXTURES/web"
        put "$mirror/copies/app:1" "$FIXTURES/web"
        conf() { cat > "$T/registries.conf"; }

        conf <<< "unqualified-search-registries = [\"localhost:1\", \"$main\"]
                [[registry]]
                location = \"$main\"
                insecure = true"
        ok lxcri pull app:1
        says "$main/app:1 "
        ok lxcri run --rm --image app:1 "$ID" short
        [[ $output == "web short" ]]

        conf <<< "[aliases]
                \"mine\" = \"example.test/images/app\"
                [[registry]]
                prefix = \"example.test/images\"
                location = \"$main\"
                insecure = true
                [[registry.mirror]]
                location = \"$mirror/copies\"
                insecure = true"
        kill "${SERVERS[0]}"
        ok lxcri pull mine:1
        says "example.test/images/app:1 "
        conf <<< "[[registry]]
                prefix = \"*.test\"
                blocked = true"
        fails RegistryError lxcri pull example.test/images/app:1
        complains blocked
        conf <<< 'unqualified-search-registries = ["a"'
        fails InvalidConfig lxcri pull app
        complains "registries.conf:2"
        conf <<< '[registries.search]'
        fails NotSupported lxcri pull app
        conf <<< 'nonsense = true'
        fails InvalidConfig lxcri pull app
}

@test "an index: this machine's platform, another's, or all of them" {
        start_registry r
        put_index "$REG" multi all

        ok lxcri pull -q --tls-verify=false --platform linux/arm64 "$REG/multi:all"
        [[ $output == "$(< "$T/arm64.digest")" ]]
        ok lxcri pull -q --tls-verify=false --platform linux/amd64 "$REG/multi:all"
        [[ $output == "$(< "$T/amd64.digest")" ]]
        fails ImageNotFound lxcri pull --tls-verify=false --platform linux/s390x "$REG/multi:all"
        # nobody chooses among one
        ok lxcri pull -q --tls-verify=false --platform linux/arm64 "$REG/multi:arm64"
        fails ImageNotFound lxcri pull --tls-verify=false --platform linux/arm64 "$REG/multi:amd64"
        complains "it is an image for linux/amd64, not for linux/arm64"
        fails ImageNotFound lxcri image inspect --tls-verify=false --platform linux/arm64 "docker://$REG/multi:amd64"
        ok lxcri pull -q --tls-verify=false --all-platforms "$REG/multi:all"
        [[ $output == "sha256:$(sha256sum < "$T/index" | cut -c-64)" ]]
        ok skopeo inspect --raw "oci:$STORE:$REG/multi:all"
        [[ $output == "$(< "$T/index")" ]]
        ok lxcri prune
        ok lxcri image inspect "$(< "$T/arm64.digest")"
}

@test "push: skopeo and podman read it, the same digests; what is there is not sent again" {
        local digest

        start_registry r
        ok lxcri image import "$FIXTURES/web" web
        digest=$(< "$FIXTURES/web.digest")
        fails RegistryError lxcri push web "$REG/pushed/web:1"
        ok lxcri push --tls-verify=false web "$REG/pushed/web:1"
        says "$REG/pushed/web:1 $digest"
        [[ $(manifest_digest "$REG/pushed/web:1") == "$digest" ]]
        skopeo copy -q --src-tls-verify=false "docker://$REG/pushed/web:1" "oci:$T/back:web"
        diff -r "$T/back/blobs" "$FIXTURES/web/blobs"
        podman_here pull -q --tls-verify=false "$REG/pushed/web:1"
        [[ $(podman_here image inspect --format '{{.Digest}}' "$REG/pushed/web:1") == "$digest" ]]

        (($(requests r 'PUT /v2/pushed/web/blobs/') == 4))
        ok lxcri push -q --tls-verify=false web "$REG/pushed/web:2"
        [[ $output == "$digest" ]]
        (($(requests r 'PUT /v2/pushed/web/blobs/') == 4))

        # what podman pushes we pull, in Docker's words too
        import_busybox
        ok lxcri push --tls-verify=false busybox "$REG/busybox:1"
        podman_here pull -q --tls-verify=false "$REG/busybox:1"
        for format in v2s2 oci; do
                podman_here push -q --tls-verify=false --format $format "$REG/busybox:1" "$REG/podman/$format:1"
                digest=$(manifest_digest "$REG/podman/$format:1")
                ok lxcri pull -q --tls-verify=false "$REG/podman/$format:1"
                [[ $output == "$digest" ]]
                ok lxcri run --rm --image "$REG/podman/$format:1" "$ID" echo "$format"
                [[ $output == "$format" ]]
                ok lxcri push -q --tls-verify=false "$REG/podman/$format:1" "$REG/again/$format:1"
                [[ $(manifest_digest "$REG/again/$format:1") == "$digest" ]]
        done
}

@test "copy: registry to registry, within one by mounting, to layouts and archives and back" {
        local digest first

        start_registry r
        first=$REG
        put "$REG/a/web:1" "$FIXTURES/web"
        digest=$(< "$FIXTURES/web.digest")
        ok lxcri copy -q --tls-verify=false "docker://$REG/a/web:1" "docker://$REG/b/web:1"
        [[ $output == "$digest" && $(manifest_digest "$REG/b/web:1") == "$digest" ]]
        (($(requests r 'PUT /v2/b/web/blobs/') == 0))

        start_registry other
        ok lxcri copy -q --tls-verify=false "docker://$first/a/web:1" "docker://$REG/web:1"
        [[ $(manifest_digest "$REG/web:1") == "$digest" ]]
        ok lxcri copy -q --tls-verify=false "docker://$first/a/web:1" "oci:$T/layout:mine"
        [[ $(skopeo inspect --format '{{.Digest}}' "oci:$T/layout:mine") == "$digest" ]]
        ok lxcri copy -q --tls-verify=false "docker://$first/a/web:1" "oci:$T/layout:yours"
        (($(jq '.manifests | length' "$T/layout/index.json") == 2))
        ok lxcri copy -q "oci:$T/layout:mine" "oci-archive:$T/web.tar:tagged"
        [[ $(skopeo inspect --format '{{.Digest}}' "oci-archive:$T/web.tar:tagged") == "$digest" ]]
        ok lxcri copy -q --tls-verify=false "oci-archive:$T/web.tar" "docker://$REG/archive:1"
        [[ $(manifest_digest "$REG/archive:1") == "$digest" ]]
        ok lxcri copy -q --tls-verify=false "docker://$first/a/web:1" my-own-name
        [[ $output == "$digest" ]]
        ok lxcri copy -q "oci-archive:$T/web.tar" from-archive
        ok lxcri copy -q my-own-name other-name
        [[ $output == "$digest" ]]
        ok lxcri run --rm --image other-name "$ID" copied
        [[ $output == "web copied" ]]

        fails InvalidArgument lxcri copy my-own-name "nowhere://x"
        fails InvalidArgument lxcri copy my-own-name "oci:$FIXTURES"
        fails NotSupported lxcri copy --all-platforms my-own-name "docker-archive:$T/no.tar"
        [[ ! -e $T/no.tar ]]
        compgen -G "$T/*.part" && return 1
        compgen -G "$STORE/tmp/*" && return 1
        return 0
}

@test "copy --platform: one image of an index, wherever it lies and goes, as skopeo copies it" {
        local arm from to digest

        start_registry r
        put_index "$REG" multi all
        arm=$(< "$T/arm64.digest")
        skopeo copy -q --src-tls-verify=false --dest-tls-verify=false --override-arch arm64 "docker://$REG/multi:all" "docker://$REG/peer:1"
        [[ $(manifest_digest "$REG/peer:1" --override-arch arm64) == "$arm" ]]
        ok lxcri copy -q --tls-verify=false --all-platforms "docker://$REG/multi:all" "oci:$T/layout:all"
        [[ $output == "sha256:$(sha256sum < "$T/index" | cut -c-64)" ]]
        ok lxcri pull -q --tls-verify=false --all-platforms "$REG/multi:all"
        for from in "docker://$REG/multi:all" "oci:$T/layout:all" "$REG/multi:all"; do
                for to in "docker://$REG/ours:1" "oci:$T/one:x" "oci-archive:$T/one.tar:x" "docker-archive:$T/docker.tar:x" one-platform; do
                        rm -rf "$T/one" "$T/one.tar" "$T/docker.tar"
                        ok lxcri copy -q --tls-verify=false --platform linux/arm64 "$from" "$to"
                        [[ $output == "$arm" ]]
                        case $to in
                        docker://*) digest=$(manifest_digest "$REG/ours:1" --override-arch arm64) ;;
                        oci:*) digest=$(jq -r '.manifests[].digest' "$T/one/index.json") ;;
                        oci-archive:*) digest=$(tar -xOf "$T/one.tar" index.json | jq -r '.manifests[].digest') ;;
                        docker-archive:*) [[ $(skopeo inspect --override-arch arm64 --format '{{.Architecture}}' "docker-archive:$T/docker.tar") == arm64 ]] ;;
                        *) digest=$(jq -r '.manifests[] | select(.annotations[] == "one-platform").digest' "$STORE/index.json") ;;
                        esac
                        [[ $digest == "$arm" ]]
                done
                fails ImageNotFound lxcri copy --tls-verify=false --platform linux/s390x "$from" "oci:$T/none:x"
        done
        # what is in no index has to be for that platform, too
        for from in "docker://$REG/multi:amd64" "oci:$T/amd64"; do
                for to in "oci:$T/none:x" no-such; do
                        fails ImageNotFound lxcri copy --tls-verify=false --platform linux/arm64 "$from" "$to"
                        complains "it is an image for linux/amd64, not for linux/arm64"
                done
        done
        fails InvalidArgument lxcri copy --tls-verify=false --platform linux/arm64 --all-platforms "docker://$REG/multi:all" "oci:$T/none:x"
        [[ ! -e $T/none/index.json ]] || (($(jq '.manifests | length' "$T/none/index.json") == 0))
        compgen -G "$STORE/tmp/*" && return 1
        return 0
}

@test "image save and load: archives that skopeo reads, and our own back again" {
        local digest

        ok lxcri image import "$FIXTURES/web" example.test/web:1
        digest=$(< "$FIXTURES/web.digest")
        ok lxcri image save example.test/web:1 -o "$T/docker.tar"
        ok lxcri image save example.test/web:1 -o "$T/oci.tar" --format oci-archive -q
        [[ $output == "$digest" ]]
        skopeo copy -q "docker-archive:$T/docker.tar:example.test/web:1" "oci:$T/one:x"
        skopeo copy -q "oci-archive:$T/oci.tar" "oci:$T/two:x"
        for layout in one two; do
                skopeo inspect --config "oci:$T/$layout:x" | jq -S '{config, rootfs}' > "$T/$layout.json"
        done
        cmp "$T/one.json" "$T/two.json"

        ok lxcri image rm example.test/web:1
        ok lxcri image load -q -i "$T/docker.tar"
        ok lxcri run --rm --image example.test/web:1 "$ID" loaded
        [[ $output == "web loaded" ]]
        ok lxcri image load -q -i "$T/oci.tar"
        [[ $output == "$digest" ]]
        fails InvalidArgument lxcri image save example.test/web:1
        fails FileError lxcri image save example.test/web:1 -o "$T/no/such/dir.tar"
        fails ImageNotFound lxcri image save example.test/web:2 -o "$T/none.tar"
        [[ ! -e $T/none.tar ]]
}

@test "image inspect of a registry's image fetches no layer" {
        start_registry r
        put "$REG/web:1" "$FIXTURES/web"
        ok lxcri image inspect --tls-verify=false "docker://$REG/web:1"
        jq -e --arg d "$(< "$FIXTURES/web.digest")" '.[0].digest == $d and .[0].config.User == "app" and (.[0].layers | length) == 3 and .[0].layers[0].unpacked == false' "$T/out"
        (($(requests r 'GET /v2/web/blobs/.*proxmox-lxcri') <= 2))
        [[ ! -e $STORE/index.json ]]
        fails ImageNotFound lxcri image inspect --tls-verify=false "docker://$REG/web:2"
}

# listed EXPRESSION [IMAGE]: of the list of what is attached, jq's EXPRESSION holds
listed() {
        ok lxcri image inspect --tls-verify=false --attached "${2:-docker://$REG/web:1}"
        not env LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$T/out"
        jq -e ".[0].attached | $1" "$T/out" || {
                jq '.[0].attached' "$T/out"
                return 1
        }
}

# extract DOCUMENT [IMAGE]: it is, byte by byte, what attach() made last
extract() {
        ok lxcri image inspect --tls-verify=false --extract "$1" "${2:-docker://$REG/web:1}"
        cmp "$T/document" "$T/out"
}

@test "what is attached to an image is listed and printed, byte by byte: referrers page by page, tags, an index; hostile ones harm nobody" {
        local page spdx

        serve_image
        page=$T/served/referrers/sha256:$HEX
        listed '. == []'
        fails ImageNotFound lxcri image inspect --tls-verify=false --extract spdx "docker://$REG/web:1"
        fails InvalidArgument lxcri image inspect --extract spdx a b

        # by the API: on the first page a signature, which is not opened, and a document; another on the second page
        attach application/spdx+json '{"spdxVersion": "SPDX-2.3"}' '{"subject": {"digest": "sha256:'"$HEX"'"}}'
        spdx=$MANIFEST
        index '{digest: "sha256:'"${HEX//[0-9]/0}"'", artifactType: "application/vnd.dev.cosign.artifact.sig.v1+json"}' "{digest: \"$spdx\"}" > "$page"
        listed 'length == 1 and .[0].format == "spdx" and .[0].from == "referrers" and .[0].digest == "'"$DOCUMENT"'" and .[0].manifest == "'"$spdx"'"'
        extract spdx
        attach application/json '{"x": "\033[31m\302\233\0"}\n' '{"artifactType": "application/vnd.cyclonedx+json",
                "annotations": {"org.opencontainers.image.title": "a\u001b]0;x\u009b\u007fb"}}'
        index "{digest: \"$MANIFEST\"}" > "$page?page=2"
        echo '<?page=2>; rel="last next"' > "$page.link"
        listed 'map(.format) == ["spdx", "cyclonedx"] and .[1].title == "a\u001b]0;x\u009b\u007fb" and .[1].mediaType == "application/json"'
        extract cyclonedx
        extract "$DOCUMENT"
        ok "$PROJECT/tests/lib/terminal" 60 env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --store "$STORE" image inspect --tls-verify=false \
                --extract application/vnd.cyclonedx+json "docker://$REG/web:1"
        says '{"x": "\x1b[31m\xc2\x9b\x00"}'

        # of an image that the store has; one that came from elsewhere has no registry to ask
        echo '{"default":[{"type":"insecureAcceptAnything"}]}' > "$T/policy.json"
        ok lxcri pull -q --tls-verify=false --signature-policy "$T/policy.json" "$REG/web:1"
        ok lxcri image tag "$REG/web:1" mine
        listed 'length == 2' mine
        extract cyclonedx mine
        import_busybox
        fails NotSupported lxcri image inspect --attached busybox

        # by tags of cosign; in place of the API by a tag, too
        rm -r "$T/served/referrers"
        index "{digest: \"$spdx\", artifactType: \"application/spdx+json\"}" > "$T/served/manifests/sha256-$HEX"
        attach text/spdx 'SPDXVersion: SPDX-2.3'
        mv "$T/artifact" "$T/served/manifests/sha256-$HEX.sbom"
        listed 'map(.from) == ["referrers", "sha256-'"$HEX"'.sbom"] and map(.format) == ["spdx", "spdx"]'
        fails InvalidArgument lxcri image inspect --tls-verify=false --extract spdx "docker://$REG/web:1"
        complains "$DOCUMENT"
        extract "$DOCUMENT"
        extract text/spdx

        # in the index, as buildx does, and attached to the index itself; by the tag of an index that has it no longer, to the manifest alone
        rm "$T/served/manifests/sha256-$HEX"*
        attach text/plain index
        mv "$T/artifact" "$T/at-index"
        attach application/vnd.in-toto+json '{}'
        index "{digest: \"sha256:$HEX\", size: $(stat -c %s "$T/served/manifests/1"), mediaType: \"application/vnd.oci.image.manifest.v1+json\",
                        platform: {os: \"linux\", architecture: \"$(jq -r .architecture "$T/served/blobs/sha256/$(jq -r '.config.digest[7:]' "$T/served/manifests/1")")\"}}" \
                "{digest: \"$MANIFEST\", size: $(stat -c %s "$T/artifact"), mediaType: \"application/vnd.oci.image.manifest.v1+json\",
                        platform: {os: \"unknown\", architecture: \"unknown\"},
                        annotations: {\"vnd.docker.reference.type\": \"attestation-manifest\", \"vnd.docker.reference.digest\": \"sha256:$HEX\"}}" > "$T/served/manifests/2"
        cp "$T/served/manifests/2" "$T/served/manifests/1"
        mv "$T/at-index" "$T/served/manifests/sha256-$(sha256sum < "$T/served/manifests/2" | cut -c-64).att"
        listed 'map(.from[0:7]) == ["index", "sha256-"] and .[0].subject == "sha256:'"$HEX"'" and .[1].subject != .[0].subject'
        listed 'length == 2' mine
        extract application/vnd.in-toto+json
        index > "$T/served/manifests/1"
        listed '. == []' mine
        cp "$T/served/manifests/sha256:$HEX" "$T/served/manifests/1"

        # of another image; changed; too large; too many
        mkdir "$T/served/referrers"
        attach application/spdx+json '{}' '{"subject": {"digest": "'"$spdx"'"}}'
        index "{digest: \"$MANIFEST\"}" > "$page"
        fails RegistryError lxcri image inspect --tls-verify=false --attached "docker://$REG/web:1"
        complains "attached to"
        attach application/spdx+json '{}'
        index "{digest: \"$MANIFEST\"}" > "$page"
        echo '[]' > "$T/served/blobs/sha256/${DOCUMENT#*:}"
        fails DigestMismatch lxcri image inspect --tls-verify=false --extract spdx "docker://$REG/web:1"
        [[ ! -s $T/out ]]
        jq -c '.layers[0].size = 67108865' "$T/artifact" > "$T/served/manifests/sha256-$HEX.sbom"
        rm "$page"
        listed '.[0].size == 67108865'
        fails RegistryError lxcri image inspect --tls-verify=false --extract spdx "docker://$REG/web:1"
        complains 67108864
        jq -c '.layers[0] as $l | .layers = [range(129) | $l]' "$T/artifact" > "$T/served/manifests/sha256-$HEX.sbom"
        fails RegistryError lxcri image inspect --tls-verify=false --attached "docker://$REG/web:1"
        complains "128 attachments"
}
