# A user without privileges, with ranges of ids in /etc/subuid and /etc/subgid: containers from images.

load helpers

USER_ID=12345
FIRST_ID=2000000

setup() {
        common_setup
        local modules=${LXCRI_PROGRAM%/*}/modules file

        # where that user can reach it
        mkdir "$T/etc" "$T/home" "$T/run" "$T/bin" "$T/bin/modules" "$T/images"
        cp "$LXCRI_PROGRAM" "$T/bin/proxmox-lxcri"
        find "$modules" -maxdepth 1 -type f -exec cp -t "$T/bin/modules" {} +
        cp -r "$FIXTURES/busybox" "$T/images/"
        chmod -R a+rX "$T/bin" "$T/images" "$T/config.json"
        for file in passwd group; do
                { cat "/etc/$file"; echo "visitor:x:$USER_ID:$([[ $file == group ]] || echo "$USER_ID::$T/home:/bin/sh")"; } > "$T/etc/$file"
        done
        echo "visitor:$FIRST_ID:65536" | tee "$T/etc/subuid" > "$T/etc/subgid"
        chown "$USER_ID:$USER_ID" "$T/home" "$T/run"
        chmod 711 "$T"
        PLACES="$T/home/.local/share/proxmox-lxcri/containers $T/run/proxmox-lxcri"
}

teardown() {
        umount "$T/home" 2> /dev/null || true
        common_teardown
}

# as_user CMD…: as a user whom this machine does not have, on a machine that does: with an /etc of its own, each time in another mount namespace
as_user() {
        # shellcheck disable=SC2016 # expanded by the inner shell
        unshare -m --propagation private sh -c '
                for file in passwd group subuid subgid; do
                        mount --bind "$0/etc/$file" "/etc/$file" || exit 125
                done
                # the program is not on the mount of the root, either
                mount --bind "$0/bin" "$0/bin" || exit 125
                exec setpriv --reuid '$USER_ID' --regid '$USER_ID' --clear-groups "$@"' \
                "$T" env -u XDG_DATA_HOME "${PROGRAM_ENV[@]}" HOME="$T/home" XDG_RUNTIME_DIR="$T/run" "$@" 3>&-
}

user_lxcri() {
        as_user "$T/bin/proxmox-lxcri" "$@"
}

# no container is left, and no process of the user's
nothing_is_left() {
        local place

        for place in $PLACES; do
                # compiled seccomp filters are kept
                [[ ! -e $place || -z $(ls -A -I .cache "$place") ]] || { ls -lAR "$place"; return 1; }
        done
        wait_until 20 eval '[[ -z $(tagged_pids) ]]'
}

# An image whose second layer hides, replaces, and has files of others
make_layers() {
        "$PROJECT/tests/lib/make-image" "$T/images/layers" > /dev/null << JSON
{"name": "layers", "config": {"Cmd": ["sh"], "User": "33:44", "Env": ["PATH=/bin"]}, "layers": [
  {"tree": "$FIXTURES/rootfs"},
  {"entries": [{"name": "d/", "type": "dir"}, {"name": "d/old", "data": "old"}, {"name": "e/", "type": "dir"}, {"name": "e/gone", "data": "x"}]},
  {"entries": [{"name": "d/", "type": "dir", "uid": 33, "gid": 44}, {"name": "d/.wh..wh..opq"}, {"name": "d/new", "data": "new\n", "uid": 33, "gid": 44},
               {"name": "e/.wh.gone"}, {"name": "set", "data": "x", "mode": "6755", "uid": 65535, "gid": 7}]}]}
JSON
        chmod -R a+rX "$T/images"
}

# life RUNTIME: all that people do with a container
life() {
        local runtime=$1 inside='id -u; id -g; ls /d /e; stat -c %u:%g:%a /set; echo more > /d/more; rm /d/new; stat -c %u /d/more; exit 6' outside

        make_layers
        ok user_lxcri image import "$T/images/layers"
        ok user_lxcri image list -q
        try user_lxcri --runtime "$runtime" run --rm --image layers "$ID" sh -c "$inside"
        [[ $status == 6 && $output == $'33\n44\n/d:\nnew\n\n/e:\n65535:7:6755\n33' ]] || { echo "$status $output $errors"; return 1; }
        nothing_is_left

        # it keeps its files over its end, and whom they belong to: one of the user's range
        ok user_lxcri --runtime "$runtime" run -d --image layers "$ID" sh -c 'trap "exit 7" TERM; echo up; while :; do sleep 0.05; done'
        wait_until 20 eval '[[ $(user_lxcri logs "$ID") == up ]]'
        ok user_lxcri exec -u 33:44 "$ID" sh -c 'echo kept > /d/kept; id -u'
        [[ $output == 33 ]]
        ok user_lxcri exec -u 0 "$ID" sh -c 'echo mine > /root/mine; chown 55:66 /root/mine'
        outside=$(find "$T/home" -path '*/upper/root/mine' -printf %U:%G)
        [[ $outside == $((FIRST_ID + 54)):$((FIRST_ID + 65)) ]] || { echo "$outside"; return 1; }
        ok user_lxcri state "$ID"
        [[ $(jq -r '.status + .owner' <<< "$output") == runningvisitor ]]
        fails ContainerNotFound lxcri state "$ID"
        ok user_lxcri stop "$ID"
        ok user_lxcri list --format json
        [[ $(jq -r '.[] | .id + .status + .owner' <<< "$output") == "${ID}stoppedvisitor" ]] || { echo "$output"; return 1; }
        wait_until 20 eval '[[ -z $(tagged_pids) ]]'
        ok user_lxcri start "$ID"
        ok user_lxcri exec "$ID" cat /d/kept
        [[ $output == kept ]]
        ok user_lxcri delete --force "$ID"
        nothing_is_left
}

@test "a user runs, enters, stops, starts and deletes containers from images by crun" {
        life crun
}

@test "a user runs, enters, stops, starts and deletes containers from images by runc" {
        life runc
}

@test "a user runs, enters, stops, starts and deletes containers from images by native" {
        life native
}

@test "a user runs, enters, stops, starts and deletes containers from images by lxc" {
        life lxc
}

@test "what a user cannot have is refused, and nothing is left" {
        refused() {
                fails "$1" user_lxcri "${@:2}"
                nothing_is_left
        }

        ok user_lxcri image import "$T/images/busybox"
        refused NotSupported run --image busybox --network bridge=br0 "$ID" true
        refused NotSupported run --image busybox --userns auto "$ID" true
        refused NotSupported --runtime crun run --image busybox -m 64m "$ID" true
        complains "limits need a cgroup"
        # ours finds out by trying: here nobody gives a user cgroups
        refused FileError --runtime native run --image busybox -m 64m "$ID" true
        complains "delegated"

        # the host's network can be had, with its /sys
        ok user_lxcri --runtime native run --rm --image busybox --network host "$ID" ls /sys/class/net
        [[ $output == "$(ls /sys/class/net)" ]]

        "$PROJECT/tests/lib/make-image" "$T/images/device" > /dev/null <<< '{"name": "device", "layers": [{"entries": [{"name": "x", "type": "char", "major": 1, "minor": 3}]}]}'
        chmod -R a+rX "$T/images"
        ok user_lxcri image import "$T/images/device"
        refused NotSupported run --image device "$ID" true
        complains "device node"

        : > "$T/etc/subgid"
        refused NotSupported run --image busybox "$ID" true
        complains "'/etc/subgid' has no range of ids for user 'visitor'"
        echo "visitor:$FIRST_ID:65536" > "$T/etc/subgid"
        # not the user's range
        echo "visitor:$((FIRST_ID + 65536)):65536" | cat - "$T/etc/subuid" > "$T/both"
        cp "$T/both" "$T/etc/subuid"
        ok user_lxcri --runtime native run --rm --image busybox "$ID" sh -c 'wc -l < /proc/self/uid_map'
        [[ $output == 3 ]]
}

@test "where a user can have no overlay, the root is a copy; asked for by name, overlay is refused" {
        # a file system without attributes
        mount -t ramfs "$ID" "$T/home"
        chown "$USER_ID:$USER_ID" "$T/home"
        ok user_lxcri image import "$T/images/busybox"
        fails NotSupported user_lxcri --runtime native run --storage-driver overlay --image busybox "$ID" true
        complains "no overlay on the store"
        complains "--storage-driver dir"
        nothing_is_left
        ok user_lxcri --runtime native run -d --image busybox "$ID" sleep 1000
        ok user_lxcri exec "$ID" sh -c 'echo more > /more && stat -c %u:%g /bin /more'
        [[ $output == $'0:0\n0:0' ]]
        ok user_lxcri inspect "$ID"
        [[ $(jq -r '.[0].storageDriver' "$T/out") == dir ]]
        ok user_lxcri delete --force "$ID"
        nothing_is_left
        umount "$T/home"
}

@test "what was killed is found again, and repaired" {
        local pid

        ok user_lxcri image import "$T/images/busybox"
        # the monitor alone: its container goes on, and is still entered and ended
        ok user_lxcri --runtime native run -d --image busybox "$ID" sleep 1000
        kill -KILL "$(user_lxcri inspect "$ID" | jq -r '.[0].monitorPid')"
        ok user_lxcri exec "$ID" id -u
        ok user_lxcri delete --force "$ID"
        nothing_is_left

        ok user_lxcri --runtime crun run -d --image busybox "$ID" sleep 1000
        pid=$(user_lxcri inspect "$ID" | jq -r '.[0].monitorPid')
        kill -KILL "$pid" "$(user_lxcri state "$ID" | jq .pid)"
        wait_until 20 eval '[[ $(user_lxcri state "$ID" | jq -r .status) == stopped ]]'
        ok user_lxcri start "$ID"
        ok user_lxcri delete --force "$ID"
        nothing_is_left

        # in the midst of a create, with a runtime that makes its own way on
        grep -qa PROXMOX_LXCRI_FAULT "$LXCRI_PROGRAM" || skip "a build without test hooks"
        try as_user env PROXMOX_LXCRI_FAULT=runtime.middle:kill setsid --wait "$T/bin/proxmox-lxcri" --runtime native run -d --image busybox "$ID" sleep 1000
        ((status != 0))
        ok user_lxcri recover
        [[ $output == "$ID: undone"* ]]
        nothing_is_left
}

@test "several containers at once, a bundle's among them" {
        ok user_lxcri image import "$T/images/busybox"
        make_bundle "$T/b"
        rm "$T/b/config.json"
        chown -R "$USER_ID:$USER_ID" "$T/b"
        ok user_lxcri spec --rootless --bundle "$T/b"
        jq '.process.args = ["sleep", "1000"] | .process.terminal = false | del(.process.rlimits)' "$T/b/config.json" > "$T/new"
        cat "$T/new" > "$T/b/config.json"
        touch "$T/out" "$T/err"
        chown "$USER_ID" "$T/out" "$T/err"

        fails RuntimeNotAvailable user_lxcri --runtime native run --bundle "$T/b" "$ID"
        ok user_lxcri --runtime native run -d --image busybox "$ID-1" sleep 1000
        ok user_lxcri --runtime crun run -d --image busybox "$ID-2" sleep 1000
        ok user_lxcri --runtime crun run -d --bundle "$T/b" "$ID-3"
        ok user_lxcri list -q
        [[ $output == "$ID-1"$'\n'"$ID-2"$'\n'"$ID-3" ]]
        ok user_lxcri kill --regex "$ID-[23]" KILL
        wait_until 20 eval '[[ $(user_lxcri list --format json | jq -r "[.[] | .status] | join(\" \")") == "running stopped stopped" ]]'
        ok user_lxcri delete --force "$ID-1" "$ID-2" "$ID-3"
        nothing_is_left
}
