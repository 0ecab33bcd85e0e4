# Images without a registry: every kind of source, looking at them, and the store as other tools see it.
# sanitized

load helpers

DIGEST='sha256:[0-9a-f]{64}'

runs() {
        ok lxcri run --rm --image "$1" "$ID" sh -c 'echo it runs; cat /etc/passwd'
        says "it runs"
        says root:x:0:0
}

# imports SOURCE NAME: it comes in whole, and runs
imports() {
        ok lxcri image import "$1" "$2"
        ok lxcri image verify "$2"
        runs "$2"
}

names() {
        lxcri image list --format json | jq -r '.[].name'
}

# ---- sources ----

@test "import: an OCI layout directory, whose digest is kept" {
        imports "$FIXTURES/busybox" busybox
        ok lxcri image inspect busybox
        [[ $output == *"$(cat "$FIXTURES/busybox.digest")"* ]]
}

@test "import: the name is the layout's own when none is given" {
        ok lxcri image import "$FIXTURES/web"
        names | grep -q web
        ok lxcri run --rm --image web "$ID"
        says "web serve"
}

@test "import: an OCI archive, plain, gzip and zstd" {
        tar -C "$FIXTURES/busybox" -cf "$T/a.tar" .
        gzip -k "$T/a.tar"
        zstd -q "$T/a.tar"
        imports "$T/a.tar" plain
        imports "$T/a.tar.gz" gzip
        imports "$T/a.tar.zst" zstd
        [[ $(lxcri image list --format json | jq -r '.[].digest' | sort -u) == "$(cat "$FIXTURES/busybox.digest")" ]]
}

@test "import: a docker-archive, plain and gzip" {
        skopeo copy -q "oci:$FIXTURES/busybox:busybox" "docker-archive:$T/d.tar:example.org/box:1"
        gzip -k "$T/d.tar"
        ok lxcri image import "$T/d.tar"
        names | grep -qx example.org/box:1
        runs example.org/box:1
        imports "$T/d.tar.gz" zipped
}

@test "import: a root filesystem as a directory and as a tar, plain, gzip and zstd" {
        tar -C "$FIXTURES/rootfs" -cf "$T/r.tar" .
        gzip -k "$T/r.tar"
        zstd -q "$T/r.tar"
        imports "dir:$FIXTURES/rootfs" from-dir
        imports "$FIXTURES/rootfs" from-dir-found
        imports "$T/r.tar" from-tar
        imports "$T/r.tar.gz" from-gzip
        imports "$T/r.tar.zst" from-zstd
        fails InvalidArgument lxcri image import "$T/r.tar"
}

@test "import: one of several images of a layout, by name" {
        cp -a "$FIXTURES/busybox" "$T/two"
        make_image "$T/two" > /dev/null <<< '{"name": "second", "layers": [{"entries": [{"name": "only-here"}]}]}'
        fails InvalidArgument lxcri image import "$T/two"
        ok lxcri image import "oci:$T/two:second"
        ok lxcri image import --all "$T/two"
        names | grep -qx docker.io/library/busybox:latest
        fails ImageNotFound lxcri image import "oci:$T/two:third"
}

@test "import: Docker's media types" {
        make_image "$T/d" > /dev/null <<< "{\"name\": \"d\", \"docker\": true, \"layers\": [{\"tree\": \"$FIXTURES/rootfs\"}]}"
        imports "$T/d" docker
}

@test "import: an index leads to this machine's platform, or to the one asked for" {
        local arch

        make_image "$T/multi" > /dev/null <<< '{"layers": [{"entries": [{"name": "other"}]}], "image": {"architecture": "riscv64"}}'
        make_image "$T/multi" > /dev/null <<< "{\"layers\": [{\"tree\": \"$FIXTURES/rootfs\"}]}"
        arch=$(skopeo inspect --config "oci:$FIXTURES/busybox" | jq -r .architecture)
        jq -c --arg arch "$arch" '.manifests[0].platform = {os: "linux", architecture: "riscv64"} | .manifests[1].platform = {os: "linux", architecture: $arch}
                | . + {mediaType: "application/vnd.oci.image.index.v1+json"}' "$T/multi/index.json" | tr -d '\n' > "$T/index"
        digest=$(sha256sum "$T/index" | cut -d' ' -f1)
        cp "$T/index" "$T/multi/blobs/sha256/$digest"
        jq -n --arg d "sha256:$digest" --argjson s "$(stat -c %s "$T/index")" '{schemaVersion: 2, manifests: [{mediaType: "application/vnd.oci.image.index.v1+json",
                digest: $d, size: $s, annotations: {"org.opencontainers.image.ref.name": "multi"}}]}' > "$T/multi/index.json"
        imports "$T/multi" multi
        ok lxcri image import --platform linux/riscv64 "$T/multi" foreign
        ok lxcri image inspect foreign
        says riscv64
        fails ImageNotFound lxcri image import --platform linux/s390x "$T/multi" none
        fails ImageNotFound lxcri image import --platform linux/s390x "$FIXTURES/busybox" none
        complains "not for linux/s390x"
}

@test "import: again is no error, and changes nothing" {
        import_busybox
        tree_listing "$STORE" > "$T/before"
        import_busybox
        tree_listing "$STORE" | diff "$T/before" -
}

@test "import: what is not an image says so" {
        echo "some text" > "$T/text"
        try lxcri image import "$T/text" x
        ((status != 0))
        fails FileError lxcri image import "$T/none" x
        mkdir "$T/empty"
        : > "$T/zero"
        try lxcri image import "$T/zero" x
        ((status != 0))
}

# ---- looking, naming, removing ----

@test "list, tag, rm: names come and go, the last one is missed" {
        import_busybox
        ok lxcri image tag busybox other:1
        [[ $(names | wc -l) == 2 ]]
        ok lxcri image list
        says docker.io/library/other
        ok lxcri image rm busybox
        runs other:1
        ok lxcri image rm other:1
        [[ -z $(names) ]]
        fails ImageNotFound lxcri run --rm --image busybox --pull never "$ID" true
        fails ImageNotFound lxcri image rm busybox
}

@test "an image is found by its short name, full name, digest and a prefix of it" {
        local digest

        ok lxcri image import "$FIXTURES/busybox" docker.io/library/busybox:latest
        digest=$(cat "$FIXTURES/busybox.digest")
        for name in busybox busybox:latest library/busybox docker.io/library/busybox "$digest" "busybox@$digest" "$(cut -c8-19 <<< "$digest")"; do
                ok lxcri image inspect "$name"
                says "$digest"
        done
        fails ImageNotFound lxcri image inspect busybox:2
}

@test "the last name of an image that a container uses is not removed" {
        import_busybox
        ok lxcri create --image busybox "$ID"
        try lxcri image rm busybox
        ((status != 0))
        complains "$ID"
        ok lxcri delete --force "$ID"
        ok lxcri image rm busybox
}

@test "verify finds a damaged blob" {
        local blob

        import_busybox
        blob=$STORE/blobs/sha256/$(jq -r '.layers[0].digest' "$FIXTURES/busybox/blobs/sha256/$(cut -c8- "$FIXTURES/busybox.digest")" | cut -c8-)
        printf X | dd of="$blob" bs=1 seek=1000 conv=notrunc status=none
        try lxcri image verify busybox
        ((status != 0))
        [[ $output$errors == *"$(basename "$blob")"* ]]
}

@test "prune removes what nothing refers to, and only that" {
        ok lxcri image import "$FIXTURES/web" web
        import_busybox
        ok lxcri run --image web "$ID" true
        ok lxcri run --rm --image busybox "$ID-b" true
        ok lxcri image rm busybox
        # its blobs are gone only where web has none of them; the layer is web's too
        ok lxcri prune
        ok lxcri image verify web
        ok lxcri start -a "$ID"
        ok lxcri delete "$ID"
        ok lxcri image rm web
        ok lxcri prune --dry-run
        [[ -n $(ls "$STORE/blobs/sha256") ]]
        ok lxcri prune
        [[ -z $(ls "$STORE/blobs/sha256") && -z $(ls "$STORE/layers") ]]
}

# ---- other tools ----

@test "skopeo copies an image out of the store, digests equal" {
        ok lxcri image import "$FIXTURES/web" web
        ok skopeo copy -q "oci:$STORE:docker.io/library/web:latest" "oci:$T/copy:web"
        [[ $(skopeo inspect --raw "oci:$T/copy:web" | sha256sum | cut -d' ' -f1) == "$(cut -c8- "$FIXTURES/web.digest")" ]]
        [[ $(lxcri image inspect web | jq -r '.. | strings' | grep -cxE "$(cat "$FIXTURES/web.digest")") -ge 1 ]]
        diff <(ls "$T/copy/blobs/sha256") <(ls "$STORE/blobs/sha256")
}

@test "skopeo copies an image into the store, and it runs" {
        import_busybox
        ok skopeo copy -q "oci:$FIXTURES/web:web" "oci:$STORE:by-skopeo"
        names | grep -q by-skopeo
        ok lxcri image verify by-skopeo
        ok lxcri run --rm --image by-skopeo "$ID"
        says "web serve"
        ok lxcri image inspect by-skopeo
        says "$(skopeo inspect "oci:$STORE:by-skopeo" | jq -r .Digest)"
        runs busybox
}

@test "umoci reads the store, and what it writes there runs" {
        import_busybox
        ok umoci ls --layout "$STORE"
        says docker.io/library/busybox:latest
        ok umoci stat --image "$STORE:docker.io/library/busybox:latest"
        ok umoci config --image "$STORE:docker.io/library/busybox:latest" --tag changed --config.env FROM=umoci
        ok lxcri run --rm --image changed "$ID" sh -c 'echo $FROM'
        says umoci
        runs busybox
}
