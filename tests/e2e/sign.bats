# Signing images in registries: what skopeo, cosign and OpenSSL say of our signatures.

load helpers
load registry-helpers

setup() {
        registry_setup
        [[ -n ${T:-} ]] || return 0
        export GNUPGHOME=$T/gnupg
        mkdir -m 700 "$GNUPGHOME"
        PROGRAM_ENV+=(GNUPGHOME="$GNUPGHOME")
}

teardown() {
        gpgconf --kill all 2>/dev/null || true
        registry_teardown
}

# lookaside YAML: what registries.d says of the registry; sets D
lookaside() {
        D=$T/registries.d
        mkdir -p "$D"
        printf 'docker:\n  "%s": {%s}\n' "$REG" "$1" > "$D/test.yaml"
}

# policy REQUIREMENT: all of docker must meet it
policy() {
        printf '{"default": [{"type": "reject"}], "transports": {"docker": {"": [%s]}}}\n' "$1" > "$T/policy.json"
}

skopeo_takes() {
        rm -rf "$T/taken"
        skopeo --policy "$T/policy.json" --registries.d "$D" copy -q --remove-signatures --src-tls-verify=false "docker://$1" "oci:$T/taken:x" 2> "$T/skopeo.err"
}

skopeo_refuses() {
        ! skopeo_takes "$@"
}

# Debian 12's skopeo was built without sigstore, and takes nothing then
sigstore_takes() {
        skopeo_takes "$1" || grep -q 'sigstore disabled' "$T/skopeo.err"
}

# cosign is in Debian since 13: where it is missing, OpenSSL looks at the same signature alone
cosign_takes() {
        local hex manifest layer

        hex=$(manifest_digest "$1")
        manifest=$(skopeo inspect --raw --tls-verify=false "docker://${1%:*}:sha256-${hex#sha256:}.sig")
        layer=$(jq '.layers[-1]' <<< "$manifest")
        skopeo copy -q --remove-signatures --src-tls-verify=false "docker://${1%:*}:sha256-${hex#sha256:}.sig" "dir:$T/attached" || return 1
        jq -r '.annotations["dev.cosignproject.cosign/signature"]' <<< "$layer" | base64 -d > "$T/signature"
        openssl dgst -sha256 -verify "$2" -signature "$T/signature" "$T/attached/$(jq -r '.digest[7:]' <<< "$layer")" || return 1
        ! type cosign &> /dev/null || cosign_verifies "$@"
}

cosign_verifies() {
        HOME=$T/home cosign verify --insecure-ignore-tlog --private-infrastructure --allow-http-registry --key "$2" "$1"
}

@test "image sign by GPG: skopeo takes what is signed, by its key and its name alone" {
        local digest fingerprint

        start_registry r
        put "$REG/app:1" "$FIXTURES/web"
        put "$REG/app:2" "$FIXTURES/busybox"
        digest=$(manifest_digest "$REG/app:1")
        for name in one two; do
                gpg --batch --quiet --passphrase '' --quick-generate-key "$name@example" ed25519 sign never
                gpg --batch --quiet --export "$name@example" > "$T/$name.gpg"
        done
        fingerprint=$(gpg --with-colons --list-keys one@example | awk -F: '/^fpr/ { print $10; exit }')
        lookaside "lookaside: \"file://$T/kept\", lookaside-staging: \"file://$T/stage\""

        ok lxcri image sign --sign-by "$fingerprint" --tls-verify=false --registries.d "$D" "$REG/app:1"
        says "$digest $T/stage/app@sha256=${digest#sha256:}/signature-1"
        ok lxcri image sign --sign-by one@example --tls-verify=false -d "$T/stage" "$REG/app:1"
        says "/signature-2"
        policy "{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\", \"keyPath\": \"$T/one.gpg\"}"
        # staged only: nobody serves it yet
        skopeo_refuses "$REG/app:1"
        mv "$T/stage" "$T/kept"
        skopeo_takes "$REG/app:1"
        skopeo_refuses "$REG/app:2"
        policy "{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\", \"keyPath\": \"$T/two.gpg\"}"
        skopeo_refuses "$REG/app:1"

        # another image under the name that was signed is another digest, another name of the same image another name
        policy "{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\", \"keyPath\": \"$T/one.gpg\"}"
        skopeo copy -q --remove-signatures --src-tls-verify=false --dest-tls-verify=false "docker://$REG/app:1" "docker://$REG/app:3"
        skopeo_refuses "$REG/app:3"
        ok lxcri image sign --sign-by one@example --tls-verify=false -d "$T/kept" "$REG/app:3"
        skopeo_takes "$REG/app:3"

        # a key with a passphrase
        gpg --batch --quiet --pinentry-mode loopback --passphrase secret --quick-generate-key three@example ed25519 sign never
        gpgconf --kill gpg-agent
        gpg --batch --quiet --export three@example > "$T/three.gpg"
        echo wrong > "$T/wrong"
        echo secret > "$T/pass"
        fails InvalidArgument lxcri image sign --sign-by three@example --sign-passphrase-file "$T/wrong" --tls-verify=false -d "$T/kept" "$REG/app:2"
        ok lxcri image sign --sign-by three@example --sign-passphrase-file "$T/pass" --tls-verify=false -d "$T/kept" "$REG/app:2"
        policy "{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\", \"keyPath\": \"$T/three.gpg\"}"
        skopeo_takes "$REG/app:2"

        fails InvalidArgument lxcri image sign --sign-by nobody@example --tls-verify=false -d "$T/kept" "$REG/app:1"
        fails InvalidArgument lxcri image sign --tls-verify=false "$REG/app:1"
        fails ImageNotFound lxcri image sign --sign-by one@example --tls-verify=false -d "$T/kept" "$REG/app:9"
        lookaside "lookaside: \"http://localhost:1/kept\""
        fails NotSupported lxcri image sign --sign-by one@example --tls-verify=false --registries.d "$D" "$REG/app:1"
        complains "lookaside-staging"
}

@test "image sign as cosign does: by OpenSSL's keys and by cosign's own; several signatures stay side by side" {
        local kind

        start_registry r
        put "$REG/app:1" "$FIXTURES/web"
        put "$REG/app:2" "$FIXTURES/busybox"
        lookaside "use-sigstore-attachments: true"
        for kind in one two; do
                openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$T/$kind.key"
                openssl pkey -in "$T/$kind.key" -pubout -out "$T/$kind.pub"
        done
        sed -n '/cosign_private/,/;$/s/^ *"\(.*\)\\n";\{0,1\}$/\1/p' "$PROJECT/tests/unit/trust/cosign-key.h" > "$T/cosign.key"
        sed -n '/cosign_public/,/;$/s/^ *"\(.*\)\\n";\{0,1\}$/\1/p' "$PROJECT/tests/unit/trust/cosign-key.h" > "$T/cosign.pub"
        echo secret > "$T/pass"

        sigstore() { policy "{\"type\": \"sigstoreSigned\", \"keyPath\": \"$T/$1.pub\", \"signedIdentity\": {\"type\": \"matchExact\"}}"; }
        ok lxcri image sign --sign-by-sigstore-private-key "$T/one.key" --tls-verify=false "$REG/app:1"
        says "$(manifest_digest "$REG/app:1") $REG/app:sha256-"
        cosign_takes "$REG/app:1" "$T/one.pub"
        sigstore one
        sigstore_takes "$REG/app:1"
        skopeo_refuses "$REG/app:2"
        sigstore two
        skopeo_refuses "$REG/app:1"

        ok lxcri image sign --sign-by-sigstore-private-key "$T/two.key" --tls-verify=false "$REG/app:1"
        ok lxcri image sign --sign-by-sigstore-private-key "$T/cosign.key" --sign-passphrase-file "$T/pass" --tls-verify=false "$REG/app:1"
        cosign_takes "$REG/app:1" "$T/cosign.pub"
        for kind in one two cosign; do
                sigstore "$kind"
                sigstore_takes "$REG/app:1"
        done
        # cosign adds to what is there, and takes ours with it
        if type cosign &> /dev/null; then
                HOME=$T/home COSIGN_PASSWORD=secret cosign sign --yes --tlog-upload=false --allow-http-registry --key "$T/cosign.key" \
                        "$REG/app@$(manifest_digest "$REG/app:1")"
                for kind in one two cosign; do
                        cosign_verifies "$REG/app:1" "$T/$kind.pub"
                done
        fi

        fails InvalidArgument lxcri image sign --sign-by-sigstore-private-key "$T/cosign.key" --tls-verify=false "$REG/app:1"
        complains "--sign-passphrase-file"
        fails InvalidArgument lxcri image sign --sign-by-sigstore-private-key "$T/one.pub" --tls-verify=false "$REG/app:1"
        fails FileError lxcri image sign --sign-by-sigstore-private-key "$T/none" --tls-verify=false "$REG/app:1"
}

@test "image sign of an index signs each of its images, too" {
        start_registry r
        put_index "$REG" multi 1
        lookaside "use-sigstore-attachments: true"
        openssl ecparam -name prime256v1 -genkey -noout -out "$T/one.key"
        openssl pkey -in "$T/one.key" -pubout -out "$T/one.pub"

        ok lxcri image sign --sign-by-sigstore-private-key "$T/one.key" --tls-verify=false "$REG/multi:1"
        [[ $(wc -l <<< "$output") == 3 ]]
        policy "{\"type\": \"sigstoreSigned\", \"keyPath\": \"$T/one.pub\"}"
        sigstore_takes "$REG/multi:1"
}

# found: the image comes in
found() {
        ok lxcri pull -q --tls-verify=false --signature-policy "$T/policy.json" "$REG/web:1"
}

# unfound: it is rejected, and nothing but documents was asked for
unfound() {
        local before

        before=$(requests s "$LAYERS")
        fails SignatureRejected lxcri pull -q --tls-verify=false --signature-policy "$T/policy.json" "$REG/web:1"
        [[ $(requests s "$LAYERS") == "$before" ]]
}

@test "signatures are found in a lookaside, the registry's own store, by tag and among referrers; 10,000 are too many" {
        local signature payload path artifact page

        serve_image
        mkdir -p "$T/served/lookaside" "$T/home/.config/containers/registries.d"
        LAYERS="blobs/($(jq -r '[.config, .layers[]] | map(.digest) | join("|")' "$T/served/manifests/1"))"
        printf 'default-docker: {lookaside: "http://%s/lookaside"}\n' "$REG" > "$T/home/.config/containers/registries.d/x.yaml"
        gpg --batch --quiet --passphrase '' --quick-generate-key one@example ed25519 sign never
        gpg --batch --quiet --export one@example > "$T/one.gpg"
        policy "{\"type\": \"signedBy\", \"keyType\": \"GPGKeys\", \"keyPath\": \"$T/one.gpg\"}"

        # a lookaside on a web server
        unfound
        ok lxcri image sign --sign-by one@example --tls-verify=false -d "$T/served/lookaside" "$REG/web:1"
        found
        path=$T/served/lookaside/web@sha256=$HEX
        cp "$path/signature-1" "$T/signature"
        for n in {2..129}; do
                cp "$T/signature" "$path/signature-$n"
        done
        unfound
        complains "128 signatures"
        rm -r "$path"

        # the registry's own store of signatures
        jq -n --arg s "$(base64 -w0 "$T/signature")" '{signatures: [{schemaVersion: 2, name: "x", type: "other", content: ""},
                {schemaVersion: 2, name: "x", type: "atomic", content: $s}]}' > "$T/served/extension"
        found
        jq '.signatures[1] as $s | {signatures: [range(10000) | $s]}' "$T/served/extension" > "$T/many"
        mv "$T/many" "$T/served/extension"
        unfound
        rm "$T/served/extension"

        # cosign's, made by OpenSSL: among the referrers, by the API and by its tag
        printf 'default-docker: {use-sigstore-attachments: true}\n' > "$T/home/.config/containers/registries.d/x.yaml"
        openssl ecparam -name prime256v1 -genkey -noout -out "$T/one.key"
        openssl pkey -in "$T/one.key" -pubout -out "$T/one.pub"
        policy "{\"type\": \"sigstoreSigned\", \"keyPath\": \"$T/one.pub\"}"
        unfound
        printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"sha256:%s"},"type":"cosign container image signature"},"optional":null}' \
                "$REG/web:1" "$HEX" > "$T/payload"
        signature=$(openssl dgst -sha256 -sign "$T/one.key" "$T/payload" | base64 -w0)
        payload=$(sha256sum < "$T/payload" | cut -c-64)
        cp "$T/payload" "$T/served/blobs/sha256/$payload"
        jq -cn --arg d "sha256:$payload" --arg s "$signature" --argjson n "$(stat -c %s "$T/payload")" '{schemaVersion: 2,
                mediaType: "application/vnd.oci.image.manifest.v1+json", layers: [{mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
                digest: $d, size: $n, annotations: {"dev.cosignproject.cosign/signature": $s}}]}' > "$T/artifact"
        artifact=sha256:$(sha256sum < "$T/artifact" | cut -c-64)
        cp "$T/artifact" "$T/served/manifests/$artifact"
        index "{digest: \"$artifact\", size: 1, artifactType: \"application/vnd.dev.cosign.artifact.sig.v1+json\"}" \
                '{digest: "sha512:x", artifactType: "application/other"}' > "$T/list"
        page=$T/served/referrers/sha256:$HEX
        cp "$T/list" "$page"
        found
        # on a second page; whose third is itself, for ever; and on one that another server has
        mv "$page" "$page?n=1&last=x"
        index > "$page"
        unfound
        echo "</v2/web/referrers/sha256:$HEX?n=1&last=x>; rel=\"next\"" > "$page.link"
        found
        cp "$page.link" "$page?n=1&last=x.link"
        unfound
        complains pages
        rm "$page?n=1&last=x.link"
        echo "<http://127.0.0.1:${REG#*:}/v2/web/referrers/sha256:$HEX?n=1&last=x>; rel=next" > "$page.link"
        fails RegistryError lxcri pull -q --tls-verify=false --signature-policy "$T/policy.json" "$REG/web:1"
        complains "another server"
        [[ $(requests s '127.0.0.1') == 0 ]]
        rm "$page"*
        cp "$T/list" "$T/served/manifests/sha256-$HEX"
        found
        rm "$T/served/manifests/sha256-$HEX"
        jq -c '.manifests[0] as $m | .manifests = [range(10000) | $m]' "$T/list" > "$page"
        unfound
        rm "$page"

        # under cosign's tag; a text that is not what its digest says
        cp "$T/artifact" "$T/served/manifests/sha256-$HEX.sig"
        found
        echo >> "$T/served/blobs/sha256/$payload"
        unfound
        cp "$T/payload" "$T/served/blobs/sha256/$payload"
        for n in 200 10000; do
                jq -c --argjson n "$n" '.layers[0] as $l | .layers = [range($n) | $l]' "$T/artifact" > "$T/served/manifests/sha256-$HEX.sig"
                unfound
        done
}
