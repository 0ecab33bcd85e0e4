# What tests of signatures share: keys of GPG and of sigstore, a lookaside, and policies.

load registry-helpers

trust_setup() {
        registry_setup
        [[ -n ${T:-} ]] || return 0
        GNUPGHOME=$T/gpg
        mkdir -p -m 700 "$GNUPGHOME"
        mkdir -p "$T/home/.config/containers/registries.d" "$T/sigs"
        printf 'default-docker:\n  lookaside: file://%s/sigs\n  lookaside-staging: file://%s/sigs\n  use-sigstore-attachments: true\n' "$T" "$T" \
                > "$T/home/.config/containers/registries.d/all.yaml"
        PROGRAM_ENV+=(GNUPGHOME="$GNUPGHOME")
}

trust_teardown() {
        [[ -z ${T:-} ]] || GNUPGHOME=$T/gpg gpgconf --kill all 2> /dev/null || true
        registry_teardown
}

gpg_here() {
        gpg --homedir "$T/gpg" --batch --quiet --yes --pinentry-mode loopback --passphrase '' "$@" 2>> "$T/gpg.log"
}

# gpg_key NAME [OPTION…]: a key of the test's own ring, good for $EXPIRES or a day, and $T/NAME.gpg for policies
gpg_key() {
        gpg_here "${@:2}" --quick-generate-key "$1@test" ed25519 sign "${EXPIRES:-1d}"
        gpg_export "$1"
}

gpg_export() {
        gpg_here --armor --export "$1@test" > "$T/$1.gpg"
}

gpg_revoke() {
        sed -i 's/^:---/---/' "$GNUPGHOME/openpgp-revocs.d/$(fingerprint "$1").rev"
        gpg_here --import "$GNUPGHOME/openpgp-revocs.d/$(fingerprint "$1").rev"
        gpg_export "$1"
}

# signed_text TYPE DIGEST REFERENCE
signed_text() {
        printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},"type":"%s"},"optional":{}}' "$3" "$2" "$1"
}

# attach TEXT SIGNATURE-FILE: cosign's signature of a text, as an image that $T/artifact is, and ARTIFACT its digest
attach() {
        local payload

        payload=$(sha256sum < "$1" | cut -c-64)
        cp "$1" "$T/served/blobs/sha256/$payload"
        jq -cn --arg d "sha256:$payload" --arg s "$(base64 -w0 "$2")" --argjson n "$(stat -c %s "$1")" '{schemaVersion: 2,
                mediaType: "application/vnd.oci.image.manifest.v1+json", layers: [{mediaType: "application/vnd.dev.cosign.simplesigning.v1+json",
                digest: $d, size: $n, annotations: {"dev.cosignproject.cosign/signature": $s}}]}' > "$T/artifact"
        ARTIFACT=sha256:$(sha256sum < "$T/artifact" | cut -c-64)
}

# gpg_sign NAME [OPTION…]: standard input with its signature, legible
gpg_sign() {
        gpg_here "${@:2}" --compress-algo none --local-user "$1@test" --sign
}

# fingerprint NAME: of a key of the ring
fingerprint() {
        gpg_here --with-colons --list-keys "$1@test" | awk -F: '/^fpr/ { print $10; exit }'
}

sigstore_key() {
        openssl ecparam -name prime256v1 -genkey -noout 2> /dev/null | openssl pkcs8 -topk8 -nocrypt -out "$T/$1.key"
        openssl pkey -in "$T/$1.key" -pubout -out "$T/$1.pub"
}

# flip FILE OFFSET: one bit of the byte there; negative: from the end
flip() {
        /usr/bin/python3 -c 'import sys; f = open(sys.argv[1], "r+b"); d = bytearray(f.read()); d[int(sys.argv[2])] ^= 1; f.seek(0); f.write(d)' "$@"
}

# skopeo_here ARG…: skopeo with the test's own home
skopeo_here() {
        env HOME="$T/home" GNUPGHOME="$T/gpg" skopeo --registries.d "$T/home/.config/containers/registries.d" "$@"
}

# signed_by KEY… , sigstore KEY: requirements
signed_by() {
        printf '{"type":"signedBy","keyType":"GPGKeys","keyPath":"%s"%s}' "$T/$1.gpg" "${2:+,\"signedIdentity\":$2}"
}

sigstore() {
        printf '{"type":"sigstoreSigned","keyPath":"%s"%s}' "$T/$1.pub" "${2:+,\"signedIdentity\":$2}"
}

ACCEPT='{"type":"insecureAcceptAnything"}'
REJECT='{"type":"reject"}'

# policy TRANSPORT SCOPE REQUIREMENT…: $T/policy.json, which rejects all else
policy() {
        local IFS=,

        printf '{"default":[%s],"transports":{"%s":{"%s":[%s]}}}\n' "$REJECT" "$1" "$2" "${*:3}" > "$T/policy.json"
}

# all_but TRANSPORT: $T/policy.json, which accepts all else
all_but() {
        printf '{"default":[%s],"transports":{"%s":{"":[%s]}}}\n' "$ACCEPT" "$1" "$REJECT" > "$T/policy.json"
}

# fetched: how many of the images' own blobs, configs too, we asked for; a signature's text is one as well
fetched() {
        local IFS='|' blobs=("$FIXTURES"/{busybox,web}/blobs/sha256/*)

        cat "$T"/[rs].log 2> /dev/null | grep -cE "GET .*/blobs/sha256:(${blobs[*]##*/}).*proxmox-lxcri" || true
}

# judged VERDICT NAME SOURCE: ours, with $T/policy.json: accepted; rejected, before anything of the image was fetched; or refused, as the policy
# or a key is none. Differences are in MISTAKES
judged() {
        local verdict=$1 name=$2 source=$3 ours=accepted before after

        before=$(fetched)
        try lxcri copy -q --tls-verify=false --signature-policy "$T/policy.json" "$source" "oci:$T/ours:x"
        after=$(fetched)
        if ((status != 0)) && [[ $errors == *SignatureRejected* ]]; then
                ours=rejected
        elif ((status != 0)) && [[ $errors =~ (InvalidConfig|InvalidJson|FileError) ]]; then
                ours=refused
        elif ((status != 0)); then
                ours=failed
        fi
        if [[ $ours != "$verdict" ]]; then
                printf '%s: %s, not %s\n%s\n' "$name" "$ours" "$verdict" "$errors"
                MISTAKES+=("$name")
        elif [[ $ours != accepted ]] && ((after != before)); then
                printf '%s: rejected, but %s blobs were fetched\n' "$name" "$((after - before))"
                MISTAKES+=("$name")
        fi
        rm -rf "$T/ours"
}

# same VERDICT NAME SOURCE: skopeo's and ours
same() {
        local theirs=accepted

        skopeo_here --policy "$T/policy.json" copy -q --remove-signatures --src-tls-verify=false "$3" "oci:$T/theirs:x" < /dev/null &> "$T/skopeo.log" || theirs=no
        # Debian 12 builds skopeo without this one; what has cosign has it
        ! grep -q 'sigstore disabled' "$T/skopeo.log" || type cosign &> /dev/null || theirs=$1
        if [[ $1 == accepted && $theirs == no || $1 != accepted && $theirs == accepted ]] ||
                { [[ $theirs == no ]] && ! grep -qE 'Source image rejected|trust policy' "$T/skopeo.log"; }; then
                printf '%s: by skopeo %s, not %s\n' "$2" "$theirs" "$1"
                cat "$T/skopeo.log"
                MISTAKES+=("$2")
        fi
        rm -rf "$T/theirs"
        judged "$@"
}
