# Signatures that are no good, signatures of other programs, policies that are none: what we say of them and what skopeo says, case by case.

load helpers
load trust-helpers

setup() {
        trust_setup
        MISTAKES=()
}

teardown() {
        trust_teardown
}

GPG_TYPE='atomic container signature'
COSIGN_TYPE='cosign container image signature'
OTHER=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# What a signature of any kind may say: VERDICT|NAME|WHOSE KEY THE POLICY NAMES|WHO SIGNED|THE IMAGE'S DIGEST|ITS NAME|MORE OPTIONS
claims() {
        cat << TABLE
accepted|a good one|good|good
rejected|the wrong key|good|wrong
rejected|another image|good|good|$OTHER
rejected|another tag|good|good||$REG/web:2
rejected|another repository|good|good||$REG/other:1
rejected|another registry|good|good||127.0.0.1:${REG#*:}/web:1
rejected|no tag|good|good||$REG/web
rejected|no digest|good|good|sha256:0
TABLE
}

@test "GPG signatures that are no good let nothing of an image in" {
        local verdict name policy key digest reference options file

        serve_image
        gpg_key good
        gpg_key wrong
        gpg_key revoked
        gpg_key expired --faked-system-time 20250101T000000
        EXPIRES=never gpg_key aged --faked-system-time 20250101T000000
        gpg_key split
        gpg_here --quick-add-key "$(fingerprint split)" ed25519 sign 1d
        gpg_export split
        file="$T/sigs/web@sha256=$HEX/signature-1"
        mkdir -p "${file%/*}" "$T/sigs/other@sha256=$HEX"

        policy docker "" "$(signed_by good)"
        same rejected 'no signature' "docker://$REG/web:1"
        while IFS='|' read -r verdict name policy key digest reference options; do
                # shellcheck disable=SC2086 # several words
                signed_text "$GPG_TYPE" "${digest:-sha256:$HEX}" "${reference:-$REG/web:1}" | gpg_sign "$key" $options > "$file"
                policy docker "" "$(signed_by "$policy")"
                same "$verdict" "$name" "docker://$REG/web:1"
        done << TABLE
$(claims)
rejected|no name|good|good||Web
rejected|an expired key|expired|expired|||--faked-system-time 20250101T010000
rejected|an expired signature|aged|aged|||--faked-system-time 20250101T000100 --default-sig-expire 1d
accepted|the same key|aged|aged
rejected|a subkey|split|split
accepted|a key before it was revoked|revoked|revoked
TABLE
        gpg_revoke revoked
        same rejected 'a revoked key' "docker://$REG/web:1"

        # what was signed, or the signature, is not what it was
        policy docker "" "$(signed_by good)"
        signed_text "$GPG_TYPE" "sha256:$HEX" "$REG/web:2" | gpg_sign good | LC_ALL=C sed 's/web:2/web:1/' > "$file"
        same rejected 'a text that was changed' "docker://$REG/web:1"
        signed_text "$GPG_TYPE" "sha256:$HEX" "$REG/web:1" | gpg_sign good > "$T/good"
        cp "$T/good" "$file"
        flip "$file" -1
        same rejected 'a signature that was changed' "docker://$REG/web:1"
        head -c -1 "$T/good" > "$file"
        same rejected 'half a signature' "docker://$REG/web:1"
        cat "$T/good" "$T/good" > "$file"
        same rejected 'two in one' "docker://$REG/web:1"
        signed_text "$COSIGN_TYPE" "sha256:$HEX" "$REG/web:1" | gpg_sign good > "$file"
        same rejected 'a text of another type' "docker://$REG/web:1"
        signed_text "$GPG_TYPE" "sha256:$HEX" "$REG/web:1" | sed 's/"critical":{/&"more":1,/' | gpg_sign good > "$file"
        same rejected 'a text that says more' "docker://$REG/web:1"
        signed_text "$GPG_TYPE" "sha256:$HEX" "$REG/web:1" | gpg_here --local-user good@test --armor --sign > "$file"
        same rejected 'armor' "docker://$REG/web:1"
        signed_text "$GPG_TYPE" "sha256:$HEX" "$REG/web:1" > "$file"
        same rejected 'a text without a signature' "docker://$REG/web:1"
        : > "$file"
        same rejected 'an empty file' "docker://$REG/web:1"
        cp "$T/good" "$T/sigs/other@sha256=$HEX/signature-1"
        same rejected "another repository's signature, moved" "docker://$REG/other:1"
        cp "$T/good" "$file"
        same rejected 'the same registry under another name' "docker://127.0.0.1:${REG#*:}/web:1"
        same accepted 'the good one at last' "docker://$REG/web:1"

        # more than anyone reads
        /usr/bin/python3 -c 'import os, sys; [os.link(sys.argv[1] + "1", sys.argv[1] + str(n)) for n in range(2, 10001)]' "${file%1}"
        judged rejected '10,000 files' "docker://$REG/web:1"
        rm -r "${file%/*}"
        jq -n --arg s "$(base64 -w0 "$T/good")" '{signatures: [range(10000) | {schemaVersion: 2, name: "sha256:x@\(.)", type: "atomic", content: $s}]}' > "$T/served/extension"
        same rejected "10,000 in the registry's own store" "docker://$REG/web:1"
        jq '{signatures: .signatures[:1]}' "$T/served/extension" > "$T/one"
        cp "$T/one" "$T/served/extension"
        same accepted "one in the registry's own store" "docker://$REG/web:1"
        policy docker "" "$(signed_by wrong)"
        same rejected "one in the registry's own store, by the wrong key" "docker://$REG/web:1"
        [[ ${#MISTAKES[@]} == 0 ]]
}

referrer() {
        printf '{digest: "%s", size: 1, artifactType: "application/vnd.dev.cosign.artifact.sig.v1+json"}' "$ARTIFACT"
}

@test "sigstore signatures that are no good let nothing of an image in, wherever they are found" {
        local verdict name policy key digest reference text

        serve_image
        sigstore_key good
        sigstore_key wrong
        openssl genpkey -algorithm ed25519 -out "$T/edwards.key"
        openssl genpkey -algorithm rsa -out "$T/rsa.key" 2> /dev/null
        openssl ecparam -name secp384r1 -genkey -noout -out "$T/p384.key" 2> /dev/null
        for key in edwards rsa p384; do
                openssl pkey -in "$T/$key.key" -pubout -out "$T/$key.pub"
        done

        # found VERDICT NAME: $T/text and $T/text.sig under cosign's tag, where skopeo looks too; and among the referrers, where it does not
        found() {
                attach "$T/text" "$T/text.sig"
                cp "$T/artifact" "$T/served/manifests/sha256-$HEX.sig"
                same "$1" "$2, by tag" "docker://$REG/web:1"
                rm "$T/served/manifests/sha256-$HEX.sig"
                cp "$T/artifact" "$T/served/manifests/$ARTIFACT"
                index "$(referrer)" '{digest: "sha512:x", artifactType: "application/other"}' > "$T/served/referrers/sha256:$HEX"
                judged "$1" "$2, a referrer" "docker://$REG/web:1"
                rm "$T/served/referrers/sha256:$HEX"
        }

        # sign KEY: the text
        sign() {
                case $1 in
                edwards) openssl pkeyutl -sign -rawin -inkey "$T/$1.key" -in "$T/text" -out "$T/text.sig" ;;
                *) openssl dgst -sha256 -sign "$T/$1.key" -out "$T/text.sig" "$T/text" ;;
                esac
        }

        policy docker "" "$(sigstore good)"
        same rejected 'no signature' "docker://$REG/web:1"
        while IFS='|' read -r verdict name policy key digest reference; do
                signed_text "$COSIGN_TYPE" "${digest:-sha256:$HEX}" "${reference:-$REG/web:1}" > "$T/text"
                sign "$key"
                policy docker "" "$(sigstore "$policy")"
                found "$verdict" "$name"
        done << TABLE
$(claims)
accepted|Ed25519|edwards|edwards
accepted|RSA|rsa|rsa
accepted|P-384|p384|p384
rejected|RSA for another|rsa|good
TABLE

        policy docker "" "$(sigstore good)"
        signed_text "$COSIGN_TYPE" "sha256:$HEX" "$REG/web:2" > "$T/text"
        sign good
        sed -i 's/web:2/web:1/' "$T/text"
        found rejected 'a text that was changed'
        sign good
        flip "$T/text.sig" -1
        found rejected 'a signature that was changed'
        : > "$T/text.sig"
        found rejected 'no signature beside the text'
        signed_text "$GPG_TYPE" "sha256:$HEX" "$REG/web:1" > "$T/text"
        sign good
        found rejected 'a text of another type'
        signed_text "$COSIGN_TYPE" "sha256:$HEX" "$REG/web:1" | sed 's/"critical":{/&"more":1,/' > "$T/text"
        sign good
        found rejected 'a text that says more'
        echo '{}' > "$T/text"
        sign good
        found rejected 'a text that says nothing'

        signed_text "$COSIGN_TYPE" "sha256:$HEX" "$REG/web:1" > "$T/text"
        sign good
        attach "$T/text" "$T/text.sig"
        text=$T/served/blobs/sha256/$(sha256sum < "$T/text" | cut -c-64)
        cp "$T/artifact" "$T/served/manifests/sha256-$HEX.sig"
        same rejected 'the same registry under another name' "docker://127.0.0.1:${REG#*:}/web:1"
        same rejected 'another repository' "docker://$REG/other:1"
        sed -i 's/web:1/web:2/' "$text"
        same rejected 'a text that is not what its digest says' "docker://$REG/web:1"
        cp "$T/text" "$text"
        same accepted 'the good one at last' "docker://$REG/web:1"
        jq -c '.layers[0] as $l | .layers = [range(10000) | $l]' "$T/artifact" > "$T/served/manifests/sha256-$HEX.sig"
        judged rejected '10,000 under the tag' "docker://$REG/web:1"
        rm "$T/served/manifests/sha256-$HEX.sig"
        index "$(referrer)" | jq -c '.manifests[0] as $m | .manifests = [range(10000) | $m]' > "$T/served/referrers/sha256:$HEX"
        judged rejected '10,000 referrers' "docker://$REG/web:1"
        [[ ${#MISTAKES[@]} == 0 ]]
}

cosign_here() {
        env HOME="$T/home" COSIGN_PASSWORD=secret cosign "$@" < /dev/null &> "$T/cosign.log" || {
                [[ ${MAY_FAIL:-} ]] || cat "$T/cosign.log"
                return 1
        }
}

# cosign_says VERDICT REF KEY
cosign_says() {
        local theirs=accepted

        MAY_FAIL=1 cosign_here verify --insecure-ignore-tlog --private-infrastructure --allow-http-registry --key "$T/$3.pub" "$2" || theirs=rejected
        if [[ $theirs != "$1" ]]; then
                printf 'cosign, %s by %s: %s\n' "$2" "$3" "$theirs"
                cat "$T/cosign.log"
                MISTAKES+=("cosign $2 $3")
        fi
}

@test "cosign's signatures are good for us and for skopeo, ours for cosign and for skopeo, each by its own key alone" {
        local kind digest any='{"type":"matchRepository"}'

        type cosign &> /dev/null || skip "needs cosign, which is in Debian 13: make test-vm runs this in its root"
        start_registry r
        put "$REG/theirs:1" "$FIXTURES/web"
        put "$REG/theirs:2" "$FIXTURES/busybox"
        put "$REG/referred:1" "$FIXTURES/web"
        digest=$(manifest_digest "$REG/theirs:1")
        sigstore_key stranger
        (cd "$T" && cosign_here generate-key-pair --output-key-prefix own)
        sign() { cosign_here sign --yes --tlog-upload=false --allow-http-registry --key "$T/own.key" "$@"; }

        # theirs: the name in it has no tag
        sign "$REG/theirs@$digest"
        cosign_says accepted "$REG/theirs:1" own
        policy docker "" "$(sigstore own "$any")"
        same accepted "cosign's" "docker://$REG/theirs:1"
        same rejected "of another image" "docker://$REG/theirs:2"
        policy docker "" "$(sigstore own)"
        same rejected "cosign's, for its tag" "docker://$REG/theirs:1"
        same rejected "cosign's, by digest" "docker://$REG/theirs@$digest"
        policy docker "" "$(sigstore stranger "$any")"
        same rejected "cosign's, by another key" "docker://$REG/theirs:1"
        cosign_says rejected "$REG/theirs:1" stranger
        # among the referrers skopeo finds none
        COSIGN_EXPERIMENTAL=1 sign --registry-referrers-mode oci-1-1 "$REG/referred@$digest"
        policy docker "" "$(sigstore own "$any")"
        judged accepted "cosign's referrer" "docker://$REG/referred:1"
        policy docker "" "$(sigstore stranger "$any")"
        judged rejected "cosign's referrer, by another key" "docker://$REG/referred:1"

        # ours, by each kind of key; cosign's own has a passphrase
        sigstore_key ecdsa
        openssl genpkey -algorithm ed25519 -out "$T/edwards.key"
        openssl genpkey -algorithm rsa -out "$T/rsa.key" 2> /dev/null
        echo secret > "$T/pass"
        for kind in ecdsa edwards rsa own; do
                [[ -e $T/$kind.pub ]] || openssl pkey -in "$T/$kind.key" -pubout -out "$T/$kind.pub"
                put "$REG/ours:$kind" "$FIXTURES/web"
                put "$REG/$kind:1" "$FIXTURES/web"
                ok lxcri image sign --sign-by-sigstore-private-key "$T/$kind.key" --sign-passphrase-file "$T/pass" --tls-verify=false "$REG/$kind:1"
                cosign_says accepted "$REG/$kind:1" "$kind"
                cosign_says rejected "$REG/$kind:1" stranger
                policy docker "" "$(sigstore "$kind")"
                same accepted "ours by $kind" "docker://$REG/$kind:1"
                policy docker "" "$(sigstore stranger)"
                same rejected "ours by $kind, by another key" "docker://$REG/$kind:1"
        done
        # both stay when one adds to the other's
        ok lxcri image sign --sign-by-sigstore-private-key "$T/ecdsa.key" --tls-verify=false "$REG/theirs:1"
        sign "$REG/ecdsa@$digest"
        for kind in own ecdsa; do
                policy docker "" "$(sigstore "$kind" "$any")"
                for name in theirs ecdsa; do
                        cosign_says accepted "$REG/$name:1" "$kind"
                        same accepted "$name, with both, by $kind" "docker://$REG/$name:1"
                done
        done
        [[ ${#MISTAKES[@]} == 0 ]]
}

@test "a policy is taken whole or not at all, as skopeo has it" {
        local verdict text

        while IFS='|' read -r verdict text; do
                [[ -n $verdict ]] || continue
                # Of a requirement that is not this image's only whether it can be read counts
                [[ ! $text =~ ^\{(@GPG|@SIG|\"type\":) ]] || text="{\"default\":[A],\"transports\":{\"docker\":{\"x.test\":[$text]}}}"
                text=${text//@GPG/\"type\":\"signedBy\",\"keyType\":\"GPGKeys\"}
                text=${text//@SIG/\"type\":\"sigstoreSigned\"}
                text=${text//\[A/[$ACCEPT}
                text=${text//\[R/[$REJECT}
                printf '%s' "$text" > "$T/policy.json"
                same "$verdict" "$text" "oci:$FIXTURES/web"
        done << 'TABLE'
refused|
refused|[]
refused|null
refused|{}
refused|{"default":[]}
refused|{"default":null}
refused|{"default":{}}
refused|{"default":[A],"more":1}
refused|{"Default":[A]}
refused|{"default":[A],"default":[A]}
refused|{"default":[A],}
refused|{"default":[A]}{}
refused|{"default":[A],"transports":null}
refused|{"default":[A],"transports":[]}
refused|{"default":[A],"transports":{},"transports":{}}
refused|{"default":[A],"transports":{"docker":null}}
refused|{"default":[A],"transports":{"docker":[]}}
refused|{"default":[A],"transports":{"docker":{},"docker":{}}}
refused|{"default":[A],"transports":{"docker":{"a":[A],"a":[A]}}}
refused|{"default":[A],"transports":{"docker":{"a":[A],"\u0061":[R]}}}
refused|{"default":[A],"transports":{"oci":{"":[A],"":[R]}}}
refused|{"default":[A],"transports":{"docker":{"a":[]}}}
refused|{"default":[A],"transports":{"docker":{"a":null}}}
refused|{"default":[A],"transports":{"docker":{"a":{}}}}
refused|{"default":[A],"transports":{"oci":{"a":[R]}}}
refused|{"default":[A],"transports":{"oci":{"/":[R]}}}
refused|{"default":[A],"transports":{"oci":{"/a/../b":[R]}}}
refused|{"default":[A],"transports":{"oci-archive":{"/a/":[R]}}}
refused|{"default":[A],"transports":{"dir":{"/a//b":[R]}}}
refused|{"default":[A],"transports":{"docker-archive":{"/a":[R]}}}
refused|{"default":[A],"transports":{"tarball":{"/a":[R]}}}
refused|{"default":[A],"transports":{"unknown":{"a":[]}}}
refused|{"default":[A],"transports":{"unknown":{"a":[A],"a":[A]}}}
accepted|{"default":[A],"transports":{"unknown":{"a":[R]},"docker":{"a b":[R],"*.x.test":[R]}}}
rejected|{"default":[A],"transports":{"oci":{"":[R]}}}
rejected|{"default":[A,{"type":"reject"}]}
refused|{"default":[{"type":"accept"}]}
refused|{"default":[{"type":"Reject"}]}
refused|{"default":[{"type":"reject","x":1}]}
refused|{"default":[{"type":"reject","type":"reject"}]}
refused|{"default":[{"type":1}]}
refused|{"default":[{}]}
refused|{"default":[null]}
refused|{"default":["reject"]}
accepted|{@GPG,"keyPath":"/k"}
accepted|{@GPG,"keyData":"QQ=="}
accepted|{"type":"signedBy","keyType":"X509Certificates","keyPath":"/k"}
refused|{@GPG}
refused|{@GPG,"keyPath":""}
refused|{@GPG,"keyPath":1}
refused|{@GPG,"keyPath":"/k","keyPath":"/k"}
refused|{@GPG,"keyPath":"/k","keyData":"QQ=="}
refused|{@GPG,"keyPath":"/k","keyData":null}
refused|{@GPG,"keyData":"QQ"}
refused|{@GPG,"keyData":"Q!=="}
refused|{@GPG,"keyPaths":[1]}
refused|{@GPG,"keyPath":"/k","more":1}
refused|{"type":"signedBy","keyPath":"/k"}
refused|{"type":"signedBy","keyType":"x","keyPath":"/k"}
refused|{@GPG,"keyPath":"/k","signedIdentity":null}
refused|{@GPG,"keyPath":"/k","signedIdentity":{}}
refused|{@GPG,"keyPath":"/k","signedIdentity":"matchExact"}
refused|{@GPG,"keyPath":"/k","signedIdentity":{"type":"matchAll"}}
refused|{@GPG,"keyPath":"/k","signedIdentity":{"type":"matchExact","x":1}}
refused|{@GPG,"keyPath":"/k","signedIdentity":{"type":"matchExact","type":"matchExact"}}
refused|{@GPG,"keyPath":"/k","signedIdentity":{"type":"exactReference"}}
refused|{@GPG,"keyPath":"/k","signedIdentity":{"type":"exactReference","dockerReference":"a.b/c"}}
refused|{@GPG,"keyPath":"/k","signedIdentity":{"type":"exactReference","dockerReference":"a.b/C:1"}}
refused|{@GPG,"keyPath":"/k","signedIdentity":{"type":"exactRepository","dockerRepository":1}}
refused|{@GPG,"keyPath":"/k","signedIdentity":{"type":"remapIdentity","prefix":"a.b"}}
refused|{@GPG,"keyPath":"/k","signedIdentity":{"type":"remapIdentity","prefix":"*.b","signedPrefix":"c.d"}}
accepted|{@GPG,"keyPath":"/k","signedIdentity":{"type":"remapIdentity","prefix":"a.b:1","signedPrefix":"c.d/e"}}
accepted|{@SIG,"keyPath":"/k","signedIdentity":{"type":"exactReference","dockerReference":"a.b/c:1"}}
refused|{@SIG}
refused|{@SIG,"keyPath":"/k","keyType":"GPGKeys"}
refused|{@SIG,"keyPath":"/k","keyData":"QQ=="}
refused|{@SIG,"keyPath":"/k","rekorPublicKeyPath":1}
refused|{@SIG,"keyPath":"/k","rekorPublicKeyPath":"/r","rekorPublicKeyData":"QQ=="}
refused|{@SIG,"fulcio":{}}
refused|{@SIG,"fulcio":{"caPath":"/c","oidcIssuer":"i","subjectEmail":"a"}}
refused|{@SIG,"fulcio":{"caPath":"/c","oidcIssuer":"i","subjectEmail":"a","x":1},"rekorPublicKeyPath":"/r"}
refused|{@SIG,"pki":{"caRootsPath":"/c"}}
refused|{@SIG,"pki":{"caRootsPath":"/c","subjectEmail":"a","x":1}}
TABLE
        [[ ${#MISTAKES[@]} == 0 ]]
}
