# Which images come in: the same as skopeo lets in with the same policy, case by case; and what the store remembers of it.

load helpers
load trust-helpers

setup() {
        trust_setup
}

teardown() {
        trust_teardown
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
        same refused 'the key is not there' "$image:1"
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
        flip "$path/signature-1" 200
        same rejected 'a signature with one bit changed' "$image:1"
        cp "$T/kept" "$path/signature-2"
        same accepted 'a good one beside a bad one' "$image:1"
        cp "$T/kept" "$path/signature-1"

        # keys that are no longer good
        gpg_revoke good
        same rejected 'a revoked key' "$image:1"
        [[ ${#MISTAKES[@]} == 0 ]]
}

@test "reject holds for every transport and every way in; none of layouts and archives has signatures" {
        local source transport
        MISTAKES=()

        start_registry r
        put "$REG/app:1" "$FIXTURES/busybox"
        skopeo copy -q "oci:$FIXTURES/busybox" "oci-archive:$T/web.oci:web"
        skopeo copy -q "oci:$FIXTURES/busybox" "docker-archive:$T/web.tar:web:1"
        gpg_key good
        cp -r "$FIXTURES/web" "$T/web"
        mkdir -p "$T/rootfs/etc" "$T/rootfs/bin"
        tar -C "$T/rootfs" -cf "$T/rootfs.tar" .
        for source in "oci:$T/web" "oci-archive:$T/web.oci" "docker-archive:$T/web.tar"; do
                transport=${source%%:*}
                policy "$transport" "" "$ACCEPT"
                same accepted "$source" "$source"
                policy other "" "$ACCEPT"
                same rejected "$source by default" "$source"
                all_but "$transport"
                same rejected "$source of a rejected transport" "$source"
                policy "$transport" "" "$(signed_by good)"
                same rejected "$source has no signature" "$source"
                fails SignatureRejected lxcri image import --signature-policy "$T/policy.json" "$source" web
                fails SignatureRejected lxcri copy --signature-policy "$T/policy.json" "$source" web
                [[ $(lxcri image list -q) == "" ]]
        done
        # what skopeo has no word for, or another
        for source in "docker://$REG/app:1" "dir:$T/rootfs" "dir:$T/rootfs " "tarball:$T/rootfs.tar" "oci-archive:$T/web.oci " "docker-archive:$T/web.tar "; do
                all_but "${source%%:*}"
                case $source in
                docker:*)
                        same rejected "$source of a rejected transport" "$source"
                        fails SignatureRejected lxcri pull --tls-verify=false --signature-policy "$T/policy.json" "$REG/app:1"
                        fails SignatureRejected lxcri create --tls-verify=false --signature-policy "$T/policy.json" --image "$REG/app:1" "$ID"
                        ;;
                # named by its path alone
                *' ' | tarball:*)
                        source=${source#*:}
                        fails SignatureRejected lxcri image import --signature-policy "$T/policy.json" "${source% }" web
                        [[ $source == *rootfs* ]] || fails SignatureRejected lxcri image load --signature-policy "$T/policy.json" -i "${source% }"
                        ;;
                *) fails SignatureRejected lxcri image import --signature-policy "$T/policy.json" "$source" web ;;
                esac
                [[ $(lxcri image list -q) == "" ]]
        done
        policy oci "$T" "$ACCEPT"
        same accepted 'a directory above' "oci:$T/web"
        policy oci "$T/we" "$ACCEPT"
        same rejected 'half a name of a directory' "oci:$T/web"
        policy dir "$T/rootfs" "$ACCEPT"
        ok lxcri image import -q --signature-policy "$T/policy.json" "$T/rootfs" root
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
        not grep -E '/(trust|registry|image)\.so' "$T/trace"

        policy docker "$REG/team" "$(signed_by wrong)"
        fails SignatureRejected lxcri run --rm --tls-verify=false --signature-policy "$T/policy.json" --image "$REG/team/app:1" "$ID" echo no
        fails SignatureRejected lxcri image verify --tls-verify=false --signature-policy "$T/policy.json" "$REG/team/app:1"
        policy docker "$REG/team" "$REJECT"
        fails SignatureRejected lxcri run --rm --pull never --signature-policy "$T/policy.json" --image "$REG/team/app:1" "$ID" echo no
        policy docker "$REG/team" "$ACCEPT"
        ok lxcri run --rm --pull never --signature-policy "$T/policy.json" --image "$REG/team/app:1" "$ID" echo accepted
        ok lxcri image rm "$REG/team/app:1"
        ok lxcri prune
        not compgen -G "$STORE/images/*.trust"

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
