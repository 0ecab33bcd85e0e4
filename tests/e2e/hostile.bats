# Images that lie or attack. Each is refused by `image import` itself, with one error, under 64 MiB of memory, and leaves nothing; what is
# not refused is resolved inside of the root.

load helpers

RSS_MAX=65536 # KiB

setup() {
        common_setup
        DIR=$T/img
        import_busybox
        host_snapshot "$T/before"
}

# blob DIGEST: its file in the hostile layout
blob() {
        echo "$DIR/blobs/sha256/${1#sha256:}"
}

manifest_digest() {
        jq -r '.manifests[0].digest' "$DIR/index.json"
}

# layer_file N, config_file
layer_file() {
        blob "$(jq -r ".layers[$1].digest" "$(blob "$(manifest_digest)")")"
}

config_file() {
        blob "$(jq -r .config.digest "$(blob "$(manifest_digest)")")"
}

# flip FILE [OFFSET]: change one byte, not the size
flip() {
        local at=${2:-$(($(stat -c %s "$1") / 2))} old

        old=$(od -An -tu1 -j "$at" -N 1 "$1" | tr -d ' ')
        printf "\\x$(printf %x $((old ^ 1)))" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

# refused KIND [TEXT]: import fails so, with one error, in little memory, and the host is as before
refused() {
        try env "${PROGRAM_ENV[@]}" /usr/bin/time -f %M -o "$T/rss" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" image import "$DIR" evil
        if ((status == 0)) || [[ $errors != *$1* || $errors != *${2:-}* ]]; then
                echo "expected $1 ('${2:-}'), exited with $status: $output $errors"
                return 1
        fi
        [[ $(grep -c error <<< "$errors") == 1 ]] || { echo "more than one error: $errors"; return 1; }
        if (($(tail -n 1 "$T/rss") >= RSS_MAX)) && [[ -z ${LXCRI_SANITIZED:-} ]]; then
                echo "took $(tail -n 1 "$T/rss") KiB"
                return 1
        fi
        assert_host_unchanged "$T/before"
}

# one_layer ENTRIES [MEMBERS]: an image of a layer with these entries; MEMBERS are further members of the layer or the image description
one_layer() {
        make_image "$DIR" > /dev/null << JSON
{"name": "evil", "layers": [{"entries": [$1] ${2:+, $2}}] ${3:+, $3}}
JSON
}

GOOD='{"name": "bin/", "type": "dir"}, {"name": "bin/file", "data": "some text that is longer than a few bytes"}'

@test "a tampered byte in the manifest" {
        one_layer "$GOOD"
        flip "$(blob "$(manifest_digest)")"
        refused DigestMismatch "$(manifest_digest)"
}

@test "a tampered byte in the config" {
        one_layer "$GOOD"
        flip "$(config_file)"
        refused DigestMismatch
}

@test "a tampered byte in a layer" {
        one_layer "$GOOD" '"compress": "none"'
        flip "$(layer_file 0)"
        refused DigestMismatch
}

@test "a tampered byte in a compressed layer" {
        one_layer "$GOOD"
        flip "$(layer_file 0)"
        refused DigestMismatch
}

@test "a truncated layer" {
        one_layer "$GOOD"
        truncate -s -10 "$(layer_file 0)"
        refused DigestMismatch
}

@test "a layer longer than its descriptor says" {
        one_layer "$GOOD"
        echo more >> "$(layer_file 0)"
        refused DigestMismatch
}

@test "a layer whose descriptor gives the wrong size" {
        one_layer "$GOOD" '"descriptor": {"size": 5}'
        refused DigestMismatch
}

@test "a negative size" {
        one_layer "$GOOD" '"descriptor": {"size": -1}'
        refused InvalidSpec size
}

@test "a layer that is not there" {
        one_layer "$GOOD"
        rm "$(layer_file 0)"
        refused ImageNotFound
}

@test "a wrong diffID" {
        one_layer "$GOOD" "\"diff_id\": \"sha256:$(printf %064d 0)\""
        refused DigestMismatch
}

@test "too few diffIDs" {
        one_layer "$GOOD" '' '"diff_ids": []'
        refused InvalidSpec
}

@test "too many diffIDs" {
        one_layer "$GOOD" '' "\"diff_ids\": [\"sha256:$(printf %064d 0)\", \"sha256:$(printf %064d 1)\"]"
        refused InvalidSpec
}

@test "a digest that is a path" {
        one_layer "$GOOD" '"descriptor": {"digest": "sha256:../../../../etc/passwd"}'
        refused InvalidSpec
}

@test "a digest with upper-case digits" {
        one_layer "$GOOD" "\"descriptor\": {\"digest\": \"sha256:$(printf %064d 0 | tr 0 A)\"}"
        refused InvalidSpec
}

@test "a gzip bomb" {
        # the same compressed 16 MiB of zeros over and over: to make it is cheaper than to unpack it
        head -c 16M /dev/zero | gzip -9 > "$T/member"
        for _ in $(seq 8); do cat "$T/member"; done > "$T/bomb.gz"
        size=$(stat -c %s "$T/bomb.gz")
        digest=$(sha256sum "$T/bomb.gz" | cut -d' ' -f1)
        one_layer "$GOOD" "\"descriptor\": {\"size\": $size, \"digest\": \"sha256:$digest\"}"
        cp "$T/bomb.gz" "$DIR/blobs/sha256/$digest"
        jq '. + {layer_size_max: 67108864}' "$T/config.json" > "$T/config.new"
        mv "$T/config.new" "$T/config.json"
        refused InvalidSpec 67108864
}

@test "a layer too large for the configuration, put there by skopeo" {
        head -c 3M /dev/zero > "$T/zeros"
        make_image "$DIR" > /dev/null <<< "{\"name\": \"evil\", \"layers\": [{\"raw\": \"$T/zeros\", \"compress\": \"gzip\"}]}"
        ok skopeo copy -q "oci:$DIR:evil" "oci:$STORE:evil"
        jq '. + {layer_size_max: 2097152}' "$T/config.json" > "$T/config.new"
        mv "$T/config.new" "$T/config.json"
        host_snapshot "$T/before"
        fails InvalidSpec lxcri create --image evil "$ID" /bin/true
        complains "more than the 2097152 bytes allowed"
        [[ $(grep -c error <<< "$errors") == 1 ]]
        # what was learned of the image stays until prune; its layer does not
        assert_host_unchanged "$T/before" '^s . .* \./images/'
}

@test "a layer that is no tar" {
        head -c 100000 /dev/urandom > "$T/noise"
        make_image "$DIR" > /dev/null <<< "{\"name\": \"evil\", \"layers\": [{\"raw\": \"$T/noise\", \"compress\": \"none\"}]}"
        # no tar is looked into before it is unpacked
        ok lxcri image import "$DIR" evil
        host_snapshot "$T/before"
        fails InvalidSpec lxcri create --image evil "$ID" /bin/true
        complains layers
        assert_host_unchanged "$T/before" '^s . .* \./images/'
}

@test "a gzip stream that ends in the middle" {
        head -c 200000 /dev/urandom | gzip > "$T/whole.gz"
        head -c 100000 "$T/whole.gz" > "$T/half.gz"
        digest=$(sha256sum "$T/half.gz" | cut -d' ' -f1)
        one_layer "$GOOD" "\"descriptor\": {\"size\": 100000, \"digest\": \"sha256:$digest\"}"
        cp "$T/half.gz" "$DIR/blobs/sha256/$digest"
        refused Invalid
}

# replace_manifest FILE: put a hand-written manifest in place, with its right digest
replace_manifest() {
        local digest

        digest=$(sha256sum "$1" | cut -d' ' -f1)
        cp "$1" "$DIR/blobs/sha256/$digest"
        jq --arg d "sha256:$digest" --argjson s "$(stat -c %s "$1")" '.manifests[0].digest = $d | .manifests[0].size = $s' "$DIR/index.json" > "$T/index"
        mv "$T/index" "$DIR/index.json"
}

@test "JSON nested 10,000 deep" {
        one_layer "$GOOD"
        { printf '{"a":%.0s' $(seq 10000); printf 1; printf '}%.0s' $(seq 10000); } > "$T/deep"
        replace_manifest "$T/deep"
        refused InvalidJson
}

@test "arrays nested 10,000 deep in the config" {
        one_layer "$GOOD"
        { printf '[%.0s' $(seq 10000); printf ']%.0s' $(seq 10000); } > "$T/deep"
        digest=$(sha256sum "$T/deep" | cut -d' ' -f1)
        cp "$T/deep" "$DIR/blobs/sha256/$digest"
        jq --arg d "sha256:$digest" '.config.digest = $d | .config.size = 20000' "$(blob "$(manifest_digest)")" > "$T/manifest"
        replace_manifest "$T/manifest"
        refused InvalidJson
}

@test "duplicate keys" {
        one_layer "$GOOD"
        sed 's/^{/{"layers":[],/' "$(blob "$(manifest_digest)")" > "$T/manifest"
        replace_manifest "$T/manifest"
        refused InvalidJson
}

@test "a manifest that is an index as well" {
        one_layer "$GOOD" '' '"manifest": {"manifests": []}'
        refused InvalidSpec
}

@test "a media type that disagrees with the descriptor's" {
        one_layer "$GOOD" '' '"manifest": {"mediaType": "application/vnd.oci.image.index.v1+json"}'
        refused InvalidSpec
}

@test "a layer of an unknown media type" {
        one_layer "$GOOD" '"descriptor": {"mediaType": "application/vnd.example.layer"}'
        refused NotSupported application/vnd.example.layer
}

@test "a manifest of five megabytes" {
        one_layer "$GOOD"
        jq --arg pad "$(head -c 5000000 /dev/zero | tr '\0' x | head -c 100000)" '.annotations = ([range(52)] | map({("k\(.)"): $pad}) | add)' \
                "$(blob "$(manifest_digest)")" > "$T/manifest"
        replace_manifest "$T/manifest"
        refused Invalid
}

# ---- what is resolved inside of the root, or refused ----

# contained ENTRIES…: whether import or run refuses the image or not, nothing outside changes. What is inside is in $T/listing
contained() {
        mkdir "$T/outside"
        echo precious > "$T/outside/file"
        find "$T/outside" -printf '%p %y %m %U %s %T@ %n\n' > "$T/outside.before"
        one_layer "$(sed "s#@OUT@#$T/outside#g" <<< "$1")"
        stat -c '%m %y %z' /etc /etc/passwd /tmp/. > "$T/host.before"
        try lxcri image import "$DIR" evil
        if ((status == 0)); then
                try lxcri create --image evil "$ID" /none
                lxcri state "$ID" > "$T/state" 2> /dev/null && find "$(jq -r .rootfs "$T/state")" -printf '%P %y %l\n' > "$T/listing"
                lxcri delete --force "$ID" > /dev/null 2>&1 || true
        fi
        [[ $(cat "$T/outside/file") == precious ]]
        find "$T/outside" -printf '%p %y %m %U %s %T@ %n\n' | diff "$T/outside.before" -
        [[ ! -e /lxcri-evil && ! -e /tmp/lxcri-evil && ! -e /etc/lxcri-evil ]]
}

@test "escape: by .." {
        contained '{"name": "../../../../../../../../tmp/lxcri-evil", "data": "x"}, {"name": "a/../../../../../../../../../../lxcri-evil", "data": "x"}'
}

@test "escape: by an absolute name" {
        contained '{"name": "/tmp/lxcri-evil", "data": "x"}, {"name": "@OUT@/file", "data": "x"}'
}

@test "escape: by a symlink" {
        contained '{"name": "link", "type": "symlink", "target": "@OUT@"}, {"name": "link/file", "data": "overwritten"}, {"name": "link/new", "data": "x"}'
}

@test "escape: by a chain of symlinks" {
        contained '{"name": "a", "type": "symlink", "target": "b"}, {"name": "b", "type": "symlink", "target": "c/.."},
                {"name": "c", "type": "symlink", "target": "@OUT@/x"}, {"name": "a/file", "data": "overwritten"},
                {"name": "up", "type": "symlink", "target": "../../../../../../../../../.."}, {"name": "up@OUT@/file", "data": "overwritten"}'
}

@test "escape: by a symlink that replaces a directory on the way" {
        contained '{"name": "d/", "type": "dir"}, {"name": "d/sub/", "type": "dir"}, {"name": "d", "type": "symlink", "target": "@OUT@"},
                {"name": "d/file", "data": "overwritten"}'
}

@test "escape: by a hardlink" {
        contained '{"name": "link", "type": "hardlink", "target": "@OUT@/file"}, {"name": "link", "data": "overwritten"},
                {"name": "l2", "type": "hardlink", "target": "../../../../../../../../../@OUT@/file"}'
}

@test "escape: by a hardlink through a symlink" {
        contained '{"name": "s", "type": "symlink", "target": "@OUT@"}, {"name": "link", "type": "hardlink", "target": "s/file"},
                {"name": "link", "data": "overwritten"}'
}

@test "escape: by a whiteout" {
        contained '{"name": "../../../../../../../../../../@OUT@/.wh.file"}, {"name": "@OUT@/.wh.file"},
                {"name": "s", "type": "symlink", "target": "@OUT@"}, {"name": "s/.wh.file"}, {"name": "s/.wh..wh..opq"}, {"name": ".wh..", "data": ""},
                {"name": ".wh...", "data": ""}'
}

@test "escape: by a mode, owner or xattr put on a symlink's target" {
        contained '{"name": "s", "type": "symlink", "target": "@OUT@/file", "mode": "0777", "uid": 7, "gid": 7, "xattrs": {"trusted.x": "y"}},
                {"name": "s/", "type": "dir", "mode": "0777", "uid": 7}'
}
