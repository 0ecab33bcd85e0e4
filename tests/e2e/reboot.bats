# After exit, and after a reboot: every process dead, every mount gone, another boot id. /run is not always a tmpfs, so --root survives.

load helpers

@test "an image container that ended is stopped with its exit status, and starts again with its files" {
        import_busybox
        ok lxcri run -d --image busybox "$ID" sh -c 'echo run >> /root/runs; exit 5'
        wait_until 5 is_status "$ID" stopped
        ok lxcri inspect "$ID"
        says '"exitCode": 5'
        ok lxcri list
        says stopped
        ok lxcri start "$ID"
        wait_until 5 is_status "$ID" stopped
        ok lxcri start -a "$ID" || [[ $status == 5 ]]
        rootfs=$(lxcri inspect "$ID" | jq -r '.. | .upper? // empty' | head -n 1)
        ok lxcri delete "$ID"
}

@test "inspect of a container that has just ended waits for its monitor to write down how" {
        import_busybox
        ok lxcri run -d --image busybox "$ID" sleep 100
        ok lxcri inspect "$ID"
        monitor=$(jq -r '.[0].monitorPid' <<< "$output")
        pid=$(jq -r '.[0].pid' <<< "$output")
        kill -STOP "$monitor"
        kill -KILL "$pid"
        wait_until 5 is_status "$ID" stopped
        (sleep 0.3; kill -CONT "$monitor") 3>&- &
        ok lxcri inspect "$ID"
        says '"exitCode": 137'
        ok lxcri delete "$ID"
}

@test "an image container after a reboot is stopped and starts again with its files" {
        import_busybox
        ok lxcri run -d --image busybox "$ID" sh -c 'echo run >> /root/runs; cat /root/runs; exec sleep 100'
        ok lxcri exec "$ID" sh -c 'echo kept > /root/file'
        is_status "$ID" running
        reboot
        is_status "$ID" stopped
        ok lxcri list
        says "$ID"
        says stopped
        ok lxcri start "$ID"
        is_status "$ID" running
        ok lxcri exec "$ID" cat /root/file /root/runs
        [[ $output == $'kept\nrun\nrun' ]]
        ok lxcri stop -t 0 "$ID"
        ok lxcri delete "$ID"
}

@test "an image container whose --root was emptied by the reboot is stopped and starts again" {
        import_busybox
        ok lxcri run -d --image busybox "$ID" sleep 100
        ok lxcri exec "$ID" sh -c 'echo kept > /root/file'
        reboot
        rm -rf "${ROOT:?}"/*
        is_status "$ID" stopped
        ok lxcri start "$ID"
        ok lxcri exec "$ID" cat /root/file
        says kept
        ok lxcri delete --force "$ID"
}

@test "recover leaves a whole container alone, before and after a reboot" {
        import_busybox
        ok lxcri run -d --image busybox "$ID" sleep 100
        ok lxcri recover
        is_status "$ID" running
        reboot
        ok lxcri recover
        is_status "$ID" stopped
        ok lxcri delete "$ID"
}

@test "a bundle container after a reboot is stopped, cannot be started, and can be deleted" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        reboot
        is_status "$ID" stopped
        fails InvalidState lxcri start "$ID"
        ok lxcri delete "$ID"
}

@test "a pid of the boot before that another process has now is not the container's" {
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        reboot
        # a bystander takes the recorded pid's place in the state file
        sleep 100 3>&- &
        bystander=$!
        state=$(find "$ROOT/$ID" -name state.json)
        jq --argjson pid "$bystander" '.init.pid = $pid' "$state" > "$T/state"
        cp "$T/state" "$state"
        is_status "$ID" stopped
        ok lxcri delete --force "$ID"
        kill -0 "$bystander"
        kill "$bystander"
}

@test "a --rm container goes with the reboot that ended it, whether or not --root survives" {
        import_busybox
        host_snapshot "$T/before"
        for emptied in no yes; do
                ok lxcri run -d --rm --image busybox "$ID" sleep 100
                reboot
                [[ $emptied == no ]] || rm -rf "${ROOT:?}"/*
                ok lxcri recover
                fails ContainerNotFound lxcri state "$ID"
                assert_host_unchanged "$T/before" '^s . [0-9]+ [0-9:]+ \./(layers|images)/'
        done
}

@test "what is to start with the host does, once, and one that fails does not keep the others from it" {
        import_busybox
        ok lxcri create --on-boot --image busybox "$ID-a" sleep 100
        ok lxcri run -d --on-boot --image busybox "$ID-b" sleep 100
        ok lxcri run -d --image busybox "$ID-c" sleep 100
        ok lxcri inspect "$ID-b"
        says '"onBoot": true'
        reboot
        ok lxcri start --on-boot
        is_status "$ID-a" running
        is_status "$ID-b" running
        is_status "$ID-c" stopped
        ok lxcri start --on-boot
        ok lxcri stop -t 0 --all
        is_status "$ID-a" stopped

        mv "$STORE/containers/$ID-a/config.json" "$T/moved"
        fails BundleNotFound lxcri start --on-boot
        is_status "$ID-b" running
        mv "$T/moved" "$STORE/containers/$ID-a/config.json"
        ok lxcri stop -t 0 --all
        is_status "$ID-b" stopped
        fails InvalidArgument lxcri start --on-boot "$ID-c"
        fails InvalidArgument lxcri start
        fails InvalidArgument lxcri create --on-boot --bundle "$T" "$ID-d"
        fails InvalidArgument lxcri run --on-boot --rm --image busybox "$ID-d"
        ok lxcri delete "$ID-a" "$ID-b" "$ID-c"
}

# Nothing of it is synced: a power loss may leave its files with nothing in them
@test "a --rm container whose record a power loss emptied hinders no other, and goes" {
        local dir
        import_busybox
        jq '. + {userns_first: 300000, userns_count: 196608}' "$T/config.json" > "$T/config.new"
        mv "$T/config.new" "$T/config.json"
        host_snapshot "$T/before"
        for how in recover create; do
                ok lxcri run -d --rm --image busybox "$ID" sleep 100
                reboot
                rm -rf "${ROOT:?}"/*
                dir=$(find "$T" -path "*/containers/$ID" -type d)
                : > "$dir/container.json"
                : > "$dir/ids"
                ok lxcri list
                says broken
                ok lxcri prune
                ok lxcri --runtime native run --rm --userns own --image busybox "$ID-own" true
                [[ $how == recover ]] || ok lxcri run --rm --image busybox "$ID" true
                ok lxcri recover
                fails ContainerNotFound lxcri state "$ID"
                [[ ! -e $dir ]]
                assert_host_unchanged "$T/before" '^s . [0-9]+ [0-9:]+ \./(layers/|images/|ids[.]lock)'
        done
}
