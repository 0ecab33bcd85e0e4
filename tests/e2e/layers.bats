# Unpacked layers: made in parallel and in one pass, the same whatever the number of workers, never half there, and what the layer commands say of them.

load helpers

# Layers that need those below them: hard links, paths through symlinks, missing parents, whiteouts late and early, a replaced directory
dependent_image() {
        jq -n --arg tree "$FIXTURES/rootfs" '
                def f($n; $d): {name: $n, data: $d};
                def d($n; $m): {name: $n, type: "dir", mode: $m, mtime: 1234567890, uid: 5, gid: 6};
                {name: "dependent", config: {Cmd: ["sh"], Env: ["PATH=/bin"]}, layers: [
                {tree: $tree, entries: [d("usr"; "0755"), d("usr/deep"; "0750"), f("usr/deep/a"; "a"), f("usr/deep/b"; "b"),
                        {name: "link", type: "symlink", target: "usr/deep"}, d("gone"; "0700"), f("gone/x"; "x"), f("gone/y"; "y"),
                        {name: "suid", data: "s", mode: "6755", uid: 7, gid: 8}]},
                {compress: "zstd", entries: [f("link/through"; "1"), {name: "hard", type: "hardlink", target: "usr/deep/a"},
                        {name: "usr/deep/.wh.b"}, f("new/missing/parents/file"; "2")]},
                {entries: ([range(0; 300) | f("many/\(. % 7)/\(.)"; "\(.)")] + [{name: ".wh.gone"}, f("gone/back"; "3")])},
                {compress: "none", entries: [f("gone/late"; "4"), f("usr/deep/late"; "5"), {name: "usr/deep/.wh..wh..opq"}, {name: "many/.wh.3"},
                        {name: "many/6/.wh.6"}]},
                {entries: [{name: "again", type: "hardlink", target: "hard"}, {name: "link", type: "dir", mode: "0711"}, f("link/dir"; "6")]},
                {compress: "zstd", entries: ([range(0; 200) | {name: "h/\(.)", type: "hardlink", target: "many/5/5"}] + [{name: ".wh.again"}])}
        ]}' | make_image "$T/dependent" > /dev/null
}

workers() {
        jq --argjson n "$1" '.workers = $n' "$T/config.json" > "$T/config.new"
        mv "$T/config.new" "$T/config.json"
}

# all_layers FILE: every unpacked layer, entry by entry, overlay's own marks too (but not when a whiteout was made: nobody sees that)
all_layers() {
        local dir

        for dir in "$STORE"/layers/*/diff; do
                echo "== $dir"
                "$PROJECT/tests/lib/tree" "$dir" | sed -E 's/^(.*\|c\|0000\|0:0\|0:0\|\|)[0-9.]+/\1/'
                (cd "$dir" && find . -print0 | sort -z | xargs -0 getfattr -h -m '^trusted.overlay' -d 2>/dev/null) || true
        done > "$1"
}

@test "1, 2 and 8 workers make the same layers, and the same tree with each driver" {
        dependent_image
        for n in 1 2 8; do
                STORE=$T/s$n
                workers "$n"
                ok lxcri image import --unpack "$T/dependent" dependent
                all_layers "$T/layers$n"
                sed -i "s,$STORE,STORE," "$T/layers$n"
                for driver in overlay dir; do
                        ok lxcri run --rm --storage-driver "$driver" --image dependent "$ID" sh -c 'find . -xdev -not -path "./proc*" -not -path "./sys*" -not -path "./dev*" -not -path "./etc*" | sort | tr "\n" "\0" | xargs -0 stat -c "%n %A %u:%g %h %s"'
                        grep -vE '^\. |/run' <<< "$output" | sed -E 's/^([^ ]+ d[^ ]+ [^ ]+) .*/\1/' > "$T/tree-$n-$driver"
                done
        done
        (($(wc -l < "$T/layers1") > 500))
        diff "$T/layers1" "$T/layers2"
        diff "$T/layers1" "$T/layers8"
        (($(wc -l < "$T/tree-1-overlay") > 500))
        for n in 1 2 8; do
                diff "$T/tree-1-overlay" "$T/tree-$n-overlay"
                diff "$T/tree-1-dir" "$T/tree-$n-dir"
        done
}

@test "import --unpack makes what import and a first container make" {
        dependent_image
        ok lxcri image import "$T/dependent" dependent
        ok lxcri run --rm --image dependent "$ID" true
        all_layers "$T/two"
        STORE=$T/one
        ok lxcri image import --unpack "$T/dependent" dependent
        all_layers "$T/one-pass"
        diff <(sed "s,$T/s,S," "$T/two") <(sed "s,$T/one,S," "$T/one-pass")
        ok lxcri image verify dependent
}

@test "import --unpack of a docker-archive and of a root filesystem" {
        skopeo copy -q "oci:$FIXTURES/busybox:busybox" "docker-archive:$T/d.tar:example.org/box:1" --additional-tag example.org/box:2
        ok lxcri image import --unpack --all "$T/d.tar"
        ok lxcri image import --unpack "dir:$FIXTURES/rootfs" rootfs
        [[ $(lxcri layer stats --format json | jq .layers) -ge 2 ]]
        ok lxcri run --rm --image example.org/box:2 "$ID" echo hello
        says hello
}

@test "keep_blobs false: the layers stay, their blobs do not" {
        jq '.keep_blobs = false' "$T/config.json" > "$T/config.new"
        mv "$T/config.new" "$T/config.json"
        ok lxcri image import --unpack "$FIXTURES/busybox" busybox
        layer=$(jq -r '.layers[0].digest' "$STORE/images/"*.json)
        [[ ! -e $STORE/blobs/sha256/${layer#sha256:} ]]
        ok lxcri run --rm --image busybox "$ID" echo hello
        says hello
        ok lxcri image verify busybox
}

@test "layer list, verify and stats" {
        dependent_image
        ok lxcri image import --unpack "$T/dependent" dependent
        ok lxcri layer list --format json
        [[ $(jq length <<< "$output") == 6 ]]
        [[ $(jq '[.[] | select(.parent == null)] | length' <<< "$output") == 1 ]]
        ok lxcri layer list
        says PARENT
        ok lxcri layer stats --format json
        [[ $(jq -r '"\(.layers) \(.bases)"' <<< "$output") == "6 1" ]]
        [[ $(jq -r .gzip <<< "$output") =~ ^(isa-l|zlib) ]]
        ok lxcri layer verify
        [[ $(grep -c ': right' <<< "$output") == 6 ]]
        # one result an item: the damaged one, and those that stand on what is gone
        base=$(lxcri layer list --format json | jq -r '.[] | select(.parent == null) | .chainID')
        other=$(lxcri layer list --quiet | grep -v "$base" | head -n 1)
        echo '{"diffID": 1}' > "$STORE/layers/${other#sha256:}/layer.json"
        fails InvalidSpec lxcri layer verify
        [[ $(grep -c ': right' <<< "$output") -ge 4 ]]
        fails InvalidSpec lxcri layer verify "${other:7:12}"
        ok lxcri layer verify "${base:7:12}"
        fails ImageNotFound lxcri layer verify 0123456789ab
        fails InvalidArgument lxcri layer verify xyz
        fails InvalidSpec lxcri layer list
}

# ---- what goes wrong ----

# nothing_half: every visible layer is whole, nothing is left in tmp once the dead are cleaned up, and the image comes in
nothing_half() {
        ok lxcri layer verify --quiet
        ok lxcri image import --unpack "$T/dependent" dependent
        all_layers "$T/after"
        diff <(sed "s,$STORE,S," "$T/whole") <(sed "s,$STORE,S," "$T/after")
        ok lxcri prune
}

@test "killed at random moments: no layer looks whole that is not" {
        dependent_image
        ok lxcri image import --unpack "$T/dependent" dependent
        all_layers "$T/whole"
        # A slow machine has time for few of them
        for i in $(seq "${LXCRI_RANDOM_KILLS:-20}"); do
                rm -rf "$STORE"
                setsid env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" image import --unpack "$T/dependent" dependent \
                        > /dev/null 2>&1 3>&- &
                pid=$!
                sleep "0.0$((RANDOM % 9))$((RANDOM % 10))"
                kill -KILL "$pid" 2>/dev/null || true
                wait "$pid" || true
                nothing_half
        done
}

# small_disk MKFS-OPTION…: a store on an ext4 of 24 MB
small_disk() {
        truncate -s 24M "$T/disk"
        mkfs.ext4 -q "$@" "$T/disk"
        mkdir "$T/small"
        mount -o loop "$T/disk" "$T/small"
        STORE=$T/small/s
}

# One clear error, no leftovers, and what fits still comes in
full() {
        for how in "" --unpack; do
                [[ -z $how && $1 == inodes ]] && continue
                fails FileError lxcri image import $how "$T/large" large
                complains "No space left on device"
                [[ -z $(ls -A "$STORE/tmp") ]]
                [[ -z $(ls -A "$STORE/layers") ]]
        done
        ok lxcri image import --unpack "$FIXTURES/busybox" busybox
        ok lxcri run --rm --image busybox "$ID" echo hello
        says hello
        ok lxcri prune
        umount "$T/small"
}

@test "a full disk is one FileError, and the store stays usable" {
        small_disk
        jq -n '{name: "large", layers: [range(0; 4) | {compress: "none", entries: [{name: "f\(.)", zeros: 12000000}]}]}' | make_image "$T/large" > /dev/null
        full disk
}

@test "a full inode table is one FileError, and the store stays usable" {
        small_disk -N 400
        jq -n '{name: "large", layers: [range(0; 4) as $l | {entries: [range(0; 300) | {name: "d\($l)/\(.)", data: "x"}]}]}' |
                make_image "$T/large" > /dev/null
        full inodes
}
