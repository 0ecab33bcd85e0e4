# Which images come in: the same as skopeo lets in with the same policy, case by case; and what the store remembers of it.

load helpers
load trust-helpers

setup() {
        trust_setup
}

teardown() {
        trust_teardown
}

# fetched: how many of the images' own blobs we asked for; a signature's text is one too
fetched() {
        local IFS='|' blobs=("$FIXTURES"/{busybox,web}/blobs/sha256/*)

        requests r "GET .*/blobs/sha256:(${blobs[*]##*/}).*proxmox-lxcri"
}

# same VERDICT NAME SOURCE: ours and skopeo's, with $T/policy.json
same() {
        local verdict=$1 name=$2 source=$3 theirs=rejected ours=rejected blobs after

        ! skopeo_here --policy "$T/policy.json" copy -q --remove-signatures --src-tls-verify=false "$source" "oci:$T/theirs:x" &> "$T/skopeo.log" || theirs=accepted
        # Debian 12 builds skopeo without this one
        ! grep -q 'sigstore disabled' "$T/skopeo.log" || theirs=$verdict
        blobs=$(fetched)
        try lxcri copy -q --tls-verify=false --signature-policy "$T/policy.json" "$source" "oci:$T/ours:x"
        ((status != 0)) || ours=accepted
        after=$(fetched)
        if [[ $ours != "$verdict" || $theirs != "$verdict" ]]; then
                printf '%s: %s, by skopeo %s, not %s\n%s\n' "$name" "$ours" "$theirs" "$verdict" "$errors"
                cat "$T/skopeo.log"
                MISTAKES+=("$name")
        elif [[ $ours == rejected ]] && { ((after != blobs)) || [[ ! $errors =~ SignatureRejected|InvalidConfig|InvalidJson|FileError ]]; }; then
                printf '%s: rejected, but %s blobs were fetched\n%s\n' "$name" "$((after - blobs))" "$errors"
                MISTAKES+=("$name")
        fi
        rm -rf "$T/ours" "$T/theirs"
}

@test "policies and images of a registry have the same verdicts as with skopeo" {
        local image other digest path
        MISTAKES=()

        start_registry r
        REG=127.0.0.1:$PORT
        gpg_key good
        gpg_key wrong
        sigstore_key team
        sigstore_key stranger
        image=docker://$REG/team/app
        skopeo_here copy -q --dest-tls-verify=false --sign-by good@test "oci:$FIXTURES/busybox" "$image:1"
        put "$REG/team/app:2" "$FIXTURES/busybox"
        put "$REG/team/bare:1" "$FIXTURES/web"
        put "$REG/cosign/app:1" "$FIXTURES/busybox"
        ok lxcri image sign --tls-verify=false --sign-by-sigstore-private-key "$T/team.key" "$REG/cosign/app:1"
        digest=$(manifest_digest "$REG/team/app:1")

        policy docker "" "$ACCEPT"
        same accepted 'a transport is accepted' "$image:2"
        policy docker "$REG/team" "$REJECT"
        same rejected 'a namespace is rejected' "$image:1"
        policy docker "$REG/tea" "$ACCEPT"
        same rejected 'half a name is no namespace' "$image:1"
        policy docker "$REG/team/app:2" "$ACCEPT"
        same accepted 'a tag is accepted' "$image:2"
        same rejected 'another tag is not' "$image:1"
        policy docker "*.0.0.1" "$ACCEPT"
        same accepted 'a domain is accepted' "$image:1"
        policy docker "" "$ACCEPT" "$REJECT"
        same rejected 'every requirement counts' "$image:1"

        policy docker "$REG" "$(signed_by good)"
        same accepted 'signed by GPG' "$image:1"
        same rejected 'signed under another tag' "$image:2"
        same accepted 'by digest, signed under a tag' "$image@$digest"
        same rejected 'not signed' "docker://$REG/team/bare:1"
        policy docker "$REG" "$(signed_by wrong)"
        same rejected 'signed by another key' "$image:1"
        policy docker "$REG" "$(signed_by good)" "$(signed_by wrong)"
        same rejected 'not signed by both' "$image:1"
        policy docker "$REG" "$(signed_by absent)"
        same rejected 'the key is not there' "$image:1"
        policy docker "$REG" '{"type":"signedBy","keyType":"GPGKeys","keyData":"'"$(base64 -w0 "$T/good.gpg")"'"}'
        same accepted 'the key is in the policy' "$image:1"

        policy docker "$REG" "$(signed_by good '{"type":"matchExact"}')"
        same accepted 'matchExact' "$image:1"
        same rejected 'matchExact of a digest' "$image@$digest"
        policy docker "$REG" "$(signed_by good '{"type":"matchRepository"}')"
        same accepted 'matchRepository' "$image:2"
        policy docker "$REG" "$(signed_by good '{"type":"exactReference","dockerReference":"'"$REG/team/app:1"'"}')"
        same accepted 'exactReference' "$image:2"
        policy docker "$REG" "$(signed_by good '{"type":"exactReference","dockerReference":"'"$REG/team/app:3"'"}')"
        same rejected 'exactReference of another' "$image:1"
        policy docker "$REG" "$(signed_by good '{"type":"exactRepository","dockerRepository":"'"$REG/other"'"}')"
        same rejected 'exactRepository of another' "$image:1"
        policy docker "$REG" "$(signed_by good '{"type":"remapIdentity","prefix":"'"$REG/team"'","signedPrefix":"vendor.test"}')"
        same rejected 'remapIdentity to another' "$image:1"

        policy docker "$REG" "$(sigstore team '{"type":"matchRepository"}')"
        same accepted 'signed by sigstore' "docker://$REG/cosign/app:1"
        same rejected 'signed by GPG only' "$image:1"
        policy docker "$REG" "$(sigstore stranger '{"type":"matchRepository"}')"
        same rejected 'signed by another sigstore key' "docker://$REG/cosign/app:1"
        policy docker "$REG" "$(signed_by good '{"type":"matchRepository"}')"
        same rejected 'signed by sigstore only' "docker://$REG/cosign/app:1"

        # what is tampered with, and signatures of other images
        path=$(echo "$T"/sigs/team/app@*)
        policy docker "$REG" "$(signed_by good '{"type":"matchRepository"}')"
        mkdir -p "$T/sigs/team/bare@${digest/:/=}"
        other=$(manifest_digest "$REG/team/bare:1")
        mkdir -p "$T/sigs/team/bare@${other/:/=}"
        cp "$path/signature-1" "$T/sigs/team/bare@${other/:/=}/signature-1"
        same rejected 'a signature of another image' "docker://$REG/team/bare:1"
        cp "$path/signature-1" "$T/kept"
        /usr/bin/python3 -c 'import sys; f = open(sys.argv[1], "r+b"); d = bytearray(f.read()); d[len(d) // 2] ^= 1; f.seek(0); f.write(d)' \
                "$path/signature-1"
        same rejected 'a signature with one bit changed' "$image:1"
        cp "$T/kept" "$path/signature-2"
        same accepted 'a good one beside a bad one' "$image:1"
        cp "$T/kept" "$path/signature-1"

        # keys that are no longer good
        sed -i 's/^:---/---/' "$GNUPGHOME/openpgp-revocs.d/$(fingerprint good).rev"
        gpg_here --import "$GNUPGHOME/openpgp-revocs.d/$(fingerprint good).rev"
        gpg_here --armor --export good@test > "$T/good.gpg"
        same rejected 'a revoked key' "$image:1"
        [[ ${#MISTAKES[@]} == 0 ]]
}

@test "reject holds for every transport; none of layouts and archives has signatures; half a policy is none" {
        local text source
        MISTAKES=()

        start_registry r
        skopeo copy -q "oci:$FIXTURES/busybox" "oci-archive:$T/web.oci:web"
        skopeo copy -q "oci:$FIXTURES/busybox" "docker-archive:$T/web.tar:web:1"
        gpg_key good
        cp -r "$FIXTURES/web" "$T/web"
        for source in "oci:$T/web" "oci-archive:$T/web.oci" "docker-archive:$T/web.tar"; do
                policy "${source%%:*}" "" "$ACCEPT"
                same accepted "$source" "$source"
                policy other "" "$ACCEPT"
                same rejected "$source by default" "$source"
                policy "${source%%:*}" "" "$(signed_by good)"
                same rejected "$source has no signature" "$source"
                fails SignatureRejected lxcri image import --signature-policy "$T/policy.json" "$source" web
                [[ $(lxcri image list -q) == "" ]]
        done
        policy oci "$T" "$ACCEPT"
        same accepted 'a directory above' "oci:$T/web"
        policy oci "$T/we" "$ACCEPT"
        same rejected 'half a name of a directory' "oci:$T/web"
        mkdir -p "$T/rootfs/etc" "$T/rootfs/bin"
        fails SignatureRejected lxcri image import --signature-policy "$T/policy.json" "$T/rootfs" root
        policy dir "$T/rootfs" "$ACCEPT"
        ok lxcri image import -q --signature-policy "$T/policy.json" "$T/rootfs" root

        for text in '' '[]' '{}' '{"default":[]}' '{"default":null}' "{\"default\":[$ACCEPT],\"more\":1}" \
                "{\"default\":[$ACCEPT],\"default\":[$ACCEPT]}" "{\"default\":[$ACCEPT],\"transports\":{\"oci\":{\"/a\":[$ACCEPT],\"/a\":[$REJECT]}}}" \
                "{\"default\":[$ACCEPT],\"transports\":{\"oci\":{\"a\":[$REJECT]}}}" "{\"default\":[$ACCEPT],\"transports\":{\"docker-archive\":{\"/a\":[$REJECT]}}}" \
                '{"default":[{"type":"accept"}]}' '{"default":[{"type":"reject","x":1}]}' '{"default":[{"type":1}]}' '{"default":{}}' \
                '{"default":[{"type":"signedBy","keyType":"GPGKeys"}]}' '{"default":[{"type":"signedBy","keyType":"x","keyPath":"/k"}]}'; do
                printf '%s' "$text" > "$T/policy.json"
                same rejected "$text" "oci:$T/web"
        done
        policy unknown-transport x "$ACCEPT"
        same rejected 'a transport that nobody knows' "oci:$T/web"
        [[ ${#MISTAKES[@]} == 0 ]]
}

@test "the store remembers who signed an image, and asks the policy again when a container is made" {
        start_registry r
        gpg_key good
        gpg_key wrong
        skopeo_here copy -q --dest-tls-verify=false --sign-by good@test "oci:$FIXTURES/busybox" "docker://$REG/team/app:1"
        policy docker "$REG/team" "$(signed_by good)"
        ok lxcri run --rm --tls-verify=false --signature-policy "$T/policy.json" --image "$REG/team/app:1" "$ID" echo signed
        [[ $output == signed ]]
        ok lxcri image verify --tls-verify=false --signature-policy "$T/policy.json" "$REG/team/app:1"
        says "trust: signedBy $(fingerprint good) ($REG/team/app:1)"
        says "rule 'docker $REG/team' of $T/policy.json"

        # Neither registry nor signature is needed while policy and keys are the same.
        rm -r "$T/sigs"
        ok strace -f -qq -e trace=openat -o "$T/trace" env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" run --rm --pull never \
                --signature-policy "$T/policy.json" --image "$REG/team/app:1" "$ID" echo remembered
        [[ $output == remembered ]]
        ! grep -E '/(trust|registry|image)\.so' "$T/trace"

        policy docker "$REG/team" "$(signed_by wrong)"
        fails SignatureRejected lxcri run --rm --tls-verify=false --signature-policy "$T/policy.json" --image "$REG/team/app:1" "$ID" echo no
        fails SignatureRejected lxcri image verify --tls-verify=false --signature-policy "$T/policy.json" "$REG/team/app:1"
        policy docker "$REG/team" "$REJECT"
        fails SignatureRejected lxcri run --rm --pull never --signature-policy "$T/policy.json" --image "$REG/team/app:1" "$ID" echo no
        policy docker "$REG/team" "$ACCEPT"
        ok lxcri run --rm --pull never --signature-policy "$T/policy.json" --image "$REG/team/app:1" "$ID" echo accepted
        ok lxcri image rm "$REG/team/app:1"
        ok lxcri prune
        ! compgen -G "$STORE/images/*.trust"

        # image trust writes what skopeo reads
        rm "$T/policy.json"
        fails InvalidConfig lxcri image trust set --signature-policy "$T/policy.json" --type accept "$REG"
        ok lxcri image trust set --signature-policy "$T/policy.json" --type reject default
        ln -s policy.json "$T/link.json"
        ok lxcri image trust set --signature-policy "$T/link.json" -f "$T/good.gpg" "$REG/team"
        ok lxcri image trust show --signature-policy "$T/link.json" --raw
        [[ -h $T/link.json && $output == "$(< "$T/policy.json")" ]]
        fails FileError lxcri image trust set --signature-policy "$T/policy.json" -f "$T/absent.gpg" "$REG/team"
        fails InvalidArgument lxcri image trust set --signature-policy "$T/policy.json" "$REG/team"
        ok lxcri image trust show --signature-policy "$T/policy.json" --json
        [[ $(jq -c '[.[] | [.transport, .repo_name, .type]]' <<< "$output") == '[["all","default","reject"],["repository","'"$REG/team"'","signed"]]' ]]
        try skopeo_here --policy "$T/policy.json" copy -q "oci:$FIXTURES/web" "oci:$T/theirs:x"
        ((status != 0))
        complains "rejected by policy"

        # without any policy nothing comes in, as with podman
        if [[ ! -e /etc/containers/policy.json ]]; then
                fails ConfigError lxcri pull --tls-verify=false "$REG/team/app:1"
        fi
        printf '{"default":[%s]}' "$REJECT" > "$T/home/.config/containers/policy.json"
        fails SignatureRejected lxcri pull --tls-verify=false "$REG/team/app:1"
}
