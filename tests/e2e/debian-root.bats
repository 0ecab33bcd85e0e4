# A real Debian root in nine layers (tests/fixtures/debian): what we merge is what umoci merges, entry by entry, and it runs.

load helpers

setup_file() {
        ((EUID == 0)) || skip "needs root"
        DEBIAN=$("$BATS_TEST_DIRNAME/../fixtures/debian") || return 1
        export DEBIAN
        "$LXCRI_PROGRAM" --root "$BATS_FILE_TMPDIR/r" --store "$BATS_FILE_TMPDIR/s" image import "$DEBIAN/image" debian 3>&-
}

# One store for all of them: the layers are unpacked once
setup() {
        common_setup
        STORE=$BATS_FILE_TMPDIR/s
}

# differences DRIVER: our merged tree against umoci's, without what umoci does against the image-spec
differences() {
        ok lxcri create --storage-driver "$1" --image debian "$ID" /bin/true
        rootfs=$(lxcri state "$ID" | jq -r .rootfs)
        "$PROJECT/tests/lib/tree" "$rootfs" > "$T/ours"
        ok lxcri delete --force "$ID"
        # The runtime makes mount points in the root: they and what holds them have new times
        diff <(umoci_breaks_the_spec < "$DEBIAN/expected") <(umoci_breaks_the_spec < "$T/ours")
}

# Entries of which the spec (image-spec, layer.md) says otherwise than umoci 0.4.7 does; everything else must be equal
umoci_breaks_the_spec() {
        sed -E "${UMOCI_BREAKS[@]/#/-e}"
}

UMOCI_BREAKS=(
        # the runtime's own mount points
        '/^(dev|proc|sys|run|etc)\|d/s/\|[0-9]+\.[0-9]+\|/|TIME|/'
        '/^(dev\/[a-z]+|etc\/(resolv.conf|hosts|hostname))\|/d'
)

@test "the merged tree equals umoci's, entry by entry (overlay)" {
        differences overlay
}

@test "the merged tree equals umoci's, entry by entry (dir)" {
        differences dir
}

@test "it verifies" {
        ok lxcri image verify debian
}

# for_runtime RUNTIME [OPTION…]
for_runtime() {
        local runtime=$1
        shift

        ok lxcri --runtime "$runtime" run --rm "$@" --image debian "$ID" apt-get --version
        says "apt "
        ok lxcri --runtime "$runtime" run --rm "$@" --image debian "$ID" python3 -c 'import os; print("python", os.getuid(), sum(range(10)))'
        says "python 0 45"
        ok lxcri --runtime "$runtime" run --rm "$@" --image debian "$ID" id
        says "uid=0(root) gid=0(root)"
        ok lxcri --runtime "$runtime" run --rm "$@" --user www-data --image debian "$ID" id
        says "uid=33(www-data) gid=33(www-data)"
}

# as_an_administrator RUNTIME [OPTION…]: what needs root's capabilities and owners of the container's own
as_an_administrator() {
        local runtime=$1
        shift

        ok lxcri --runtime "$runtime" run --rm "$@" --image debian "$ID" sh -ec '
                useradd -m visitor && su visitor -c "id -un; touch ~/file" && stat -c %U /home/visitor/file
                test "$(stat -c %a:%u:%g /srv/b/suid)" = 6755:33:33
                setpriv --reuid 1 --regid 1 --clear-groups test ! -w /etc/shadow
                dpkg --status apt > /dev/null && echo end'
        [[ $output == *$'visitor\nvisitor\nend' ]]
}

@test "apt-get, python3 and id run with crun" {
        for_runtime crun
}

@test "apt-get, python3 and id run with runc" {
        for_runtime runc
}

@test "apt-get, python3 and id run with native and lxc, privileged and not" {
        for runtime in native lxc; do
                for_runtime "$runtime"
                as_an_administrator "$runtime"
                as_an_administrator "$runtime" --userns host
        done
        for_runtime native --userns host
}

@test "each kind of change is as the spec has it" {
        ok lxcri run --rm --image debian "$ID" sh -ec '
                cat /srv/a/file /etc/issue /srv/replaced /srv/a/hard/inside /srv/gone/back /srv/opaque/sub/back
                test ! -e /srv/b/link -a ! -e /srv/b/null -a ! -e /srv/gone/deep -a ! -e /srv/opaque/1 -a ! -e /srv/opaque/sub/1 -a ! -e /etc/issue.net
                test "$(readlink /srv/b/fifo)" = /etc/passwd
                test /srv/c/one -ef /srv/c/two
                test /srv/c/lower -ef /srv/a/file
                test "$(stat -c %a:%u:%g /srv/opaque/new)" = 600:7:8
                test "$(stat -c %a:%u:%g /srv/b/suid)" = 6755:33:33
                test "$(stat -c %a /srv/opaque)" = 711
                test "$(stat -c %Y /srv)" = "$(date -d "1999-09-09 09:09:09 UTC" +%s)"'
        [[ $output == $'two, which is longer\noverwritten\nnow-a-file\ninside\nback\nback' ]]
}
