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

# gpg_key NAME [OPTION…]: a key of the test's own ring, and $T/NAME.gpg for policies
gpg_key() {
        gpg_here "${@:2}" --quick-generate-key "$1@test" ed25519 sign 1d
        gpg_here --armor --export "$1@test" > "$T/$1.gpg"
}

# fingerprint NAME: of a key of the ring
fingerprint() {
        gpg_here --with-colons --list-keys "$1@test" | awk -F: '/^fpr/ { print $10; exit }'
}

sigstore_key() {
        openssl ecparam -name prime256v1 -genkey -noout 2> /dev/null | openssl pkcs8 -topk8 -nocrypt -out "$T/$1.key"
        openssl pkey -in "$T/$1.key" -pubout -out "$T/$1.pub"
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
