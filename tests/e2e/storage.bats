# The storage drivers: what a container's root shows, where it is mounted, and what becomes of it.

load helpers

# An image of $1 layers over busybox: each adds a file of its own and replaces one that all have
import_layers() {
        jq -n --argjson n "$1" --arg tree "$FIXTURES/rootfs" '{
                name: "layers", config: {Cmd: ["sh"], Env: ["PATH=/bin"]},
                layers: ([{tree: $tree}] + [range(1; $n) | {entries: [{name: "only/\(.)", data: "x"}, {name: "last", data: "\(.)"}]}])
        }' | make_image "$T/layers" > /dev/null
        ok lxcri image import "$T/layers" layers
}

@test "200 layers, with each driver" {
        import_layers 200
        for driver in overlay dir; do
                ok lxcri run --rm --storage-driver "$driver" --image layers "$ID" sh -c 'cat /last; echo; ls /only | wc -l'
                says 199$'\n'199
        done
}

@test "overlay and dir show one tree" {
        ok lxcri image import "$FIXTURES/web"
        for driver in overlay dir; do
                ok lxcri create --storage-driver "$driver" --image web --entrypoint /bin/true "$ID"
                (cd "$STORE/containers/$ID/rootfs" && find . -printf '%p %y %m %U:%G %l %T@\n' -type f -exec md5sum {} + | sort) \
                        > "$T/$driver"
                ok lxcri delete --force "$ID"
        done
        # The size of a tree, so that two empty ones do not pass; mount points that the runtime makes are not the driver's
        (($(wc -l < "$T/overlay") > 100))
        diff <(grep -vE '^\./?(dev|proc|sys|etc|)[ /]' "$T/overlay") <(grep -vE '^\./?(dev|proc|sys|etc|)[ /]' "$T/dir")
}

@test "what a container writes is there when it starts again, with each driver" {
        import_busybox
        for driver in overlay dir; do
                ok lxcri run --storage-driver "$driver" --image busybox "$ID" sh -c '
                        if [ -e /mine ]; then cat /mine; ls /home; else echo kept > /mine; rm -r /home; mkdir /home; fi'
                ok lxcri start -a "$ID"
                [[ $output == kept ]]
                ok lxcri delete "$ID"
        done
}

@test "a root does not show in other mount namespaces" {
        import_busybox
        # The peers of a shared namespace get the mount point, bound on itself, but not the root that is mounted on it
        ok unshare --mount --propagation private bash -c '
                mount --make-rshared /
                unshare --mount --propagation unchanged sleep 60 & peer=$!
                sleep 0.2
                "${@:2}" run -d --image busybox "$1" sleep 60 || exit
                grep -F "$0" /proc/self/mountinfo | grep -q " - overlay " || { echo "not mounted here"; exit 1; }
                ! grep -F "$0" /proc/$peer/mountinfo | grep " - overlay " || { echo "mounted there"; exit 1; }
                kill $peer
                "${@:2}" delete --force "$1" || exit
                # nor does that mount point stay when a container made in a namespace that is gone is deleted in its peer
                unshare --mount --propagation unchanged "${@:2}" run -d --image busybox "$1" sleep 60 || exit
                "${@:2}" delete --force "$1" || exit
                ! grep -F "$0" /proc/self/mountinfo
        ' "$TAG" "$ID" env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE"
}

@test "a store on a filesystem without overlay is served by dir" {
        mkdir "$T"/{lower,upper,work,merged}
        mount -t overlay -o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work" overlay "$T/merged"
        STORE=$T/merged/store
        import_busybox
        fails NotSupported lxcri create --storage-driver overlay --image busybox "$ID" true
        complains "choose --storage-driver dir"
        ok lxcri run --rm --storage-driver auto --image busybox "$ID" echo hello
        says hello
        ok lxcri create --storage-driver auto --image busybox "$ID" true
        [[ $(jq -r .driver "$STORE/containers/$ID/container.json") == dir ]]
        ok lxcri delete "$ID" --force
        umount "$T/merged"
}

@test "other users do not get into a container's root" {
        import_busybox
        chmod 755 "$T" "$STORE"
        ok lxcri create --image busybox "$ID" true
        [[ -e $STORE/containers/$ID/rootfs/bin/busybox ]]
        not setpriv --reuid 1000 --regid 1000 --clear-groups test -e "$STORE/containers/$ID/rootfs/bin/busybox"
        not setpriv --reuid 1000 --regid 1000 --clear-groups ls "$STORE/layers"
        ok lxcri delete --force "$ID"
}
