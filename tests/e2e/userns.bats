# User namespaces: an image's container whose root is somebody else to the host.

load helpers

MAP=(--uidmap 0:100000:65536 --gidmap 0:100000:65536)

setup() {
        common_setup
        # as /var/lib is: the namespace's root passes through
        chmod 711 "$T"
        chmod 700 "$ROOT"
        import_busybox
}

init_pid() {
        lxcri state "$1" | jq .pid
}

# each_runtime COMMAND...: with $runtime and an id of its own for each runtime
each_runtime() {
        for runtime in crun runc native lxc; do
                name=$ID-$runtime
                "$@"
        done
}

owners() {
        local pid

        ok lxcri --runtime "$runtime" run -d "${MAP[@]}" --image busybox "$name" sleep 100
        pid=$(init_pid "$name")
        [[ $(stat -c %u:%g "/proc/$pid") == 100000:100000 ]]
        [[ $(tr -s ' ' < "/proc/$pid/uid_map") == " 0 100000 65536" ]]
        ok lxcri exec "$name" sh -c 'id -u; stat -c %u:%g / /bin /bin/busybox; cat /proc/self/uid_map | tr -s " "'
        [[ $output == $'0\n0:0\n0:0\n0:0\n 0 100000 65536' ]]
        ok lxcri delete --force "$name"
}

@test "the container's root is root inside, another user on the host, and the image's files are its own" {
        each_runtime owners
}

writes() {
        ok lxcri --runtime "$runtime" run "${MAP[@]}" --image busybox "$name" sh -c \
                'echo new > /root/file && chown 33:44 /root/file && chown 5:6 /bin/busybox && rm -rf /etc && mkdir /root/dir &&
                 stat -c %u:%g /root/file /bin/busybox /root/dir && ls -d /etc 2>/dev/null || true'
        [[ $output == $'33:44\n5:6\n0:0' ]]
        ok lxcri delete "$name"
}

@test "inside, files can be made, changed, given away and removed" {
        each_runtime writes
}

restarts() {
        ok lxcri --runtime "$runtime" run -d "${MAP[@]}" --image busybox "$name" sh -c 'echo run >> /root/runs; exec sleep 100'
        wait_until 5 lxcri exec "$name" test -s /root/runs
        ok lxcri exec "$name" sh -c 'chown 33:44 /root/runs'
        [[ $(stat -c %u:%g "$STORE/containers/$name/upper/root/runs") == 100033:100044 ]]
        ok lxcri stop -t 0 "$name"
        ok lxcri start "$name"
        ok lxcri exec "$name" sh -c 'stat -c %u:%g /root/runs /bin/busybox; cat /root/runs'
        [[ $output == $'33:44\n0:0\nrun\nrun' ]]
        ok lxcri stop -t 0 "$name"
        ok lxcri delete "$name"
}

@test "after a restart the files are there, and whose they were" {
        each_runtime restarts
}

# Others on the machine may change the owner of /dev/null meanwhile, so what is asked is whether the container has it at all
has_own_stdin() {
        # where the runtime gives standard streams away; our own does that with pipes only
        [[ $runtime == [cr]* ]] || return 0
        ok lxcri --runtime "$runtime" run --rm "${MAP[@]}" --image busybox "$name" sh -c 'readlink /proc/self/fd/0; ! read -r line'
        says pipe:
}

@test "the host's /dev/null stays the host's" {
        each_runtime has_own_stdin
}

# by_default FIRST: unprivileged, though the store is nobody's to look into; its standard streams are its own
by_default() {
        local owner=$(($1 + 33))

        ok lxcri --runtime "$runtime" run -d --image busybox "$name" sh -c \
                'echo out > /dev/stdout; echo err > /dev/stderr; echo run >> /root/runs; chown 33:44 /root/runs; exec sleep 100'
        wait_until 30 eval '[[ $(lxcri logs "$name" 2>&1 | sort | tr "\n" " ") == "err out " ]]'
        wait_until 30 eval '[[ $(stat -c %u "$STORE/containers/$name/upper/root/runs") == "$owner" ]]'
        [[ $(stat -c %u:%g "/proc/$(init_pid "$name")") == "$1:$1" ]]
        ok lxcri exec "$name" sh -c 'tr -s " " < /proc/self/uid_map; stat -c %u:%g / /bin/busybox; ! mknod /root/null c 1 3 2>&1'
        [[ $output == " 0 $1 65536"$'\n0:0\n0:0\n'*"not permitted"* ]]
        [[ $(lxcri exec "$name" sh -c 'echo out > /dev/stdout' | cat) == out ]]
        ok lxcri stop -t 0 "$name"
        ok lxcri start "$name"
        wait_until 30 lxcri exec "$name" sh -c '[ "$(cat /root/runs)" = "$(printf "run\nrun")" ]'
}

@test "with native and lxc root is another user on the host, unless asked otherwise" {
        local first

        chmod 700 "$T"
        printf '{"storage_driver": "overlay", "userns_first": 300000}\n' > "$T/config.json"
        for runtime in native lxc; do
                name=$ID-$runtime
                by_default 300000
                for option in "--userns host" --privileged; do
                        # shellcheck disable=SC2086 # an option and its value
                        ok lxcri --runtime "$runtime" run --rm $option --image busybox "$name-h" cat /proc/self/uid_map
                        [[ $(tr -s ' ' <<< "$output") == " 0 0 4294967295" ]]
                done
                ok lxcri delete --force "$name"
        done
        # as other runtimes are
        ok lxcri --runtime crun run --rm --image busybox "$ID" cat /proc/self/uid_map
        [[ $(tr -s ' ' <<< "$output") == " 0 0 4294967295" ]]
        # Without a range in the configuration: of /etc/subuid, or as Proxmox VE
        printf '{}\n' > "$T/config.json"
        first=$(awk -F: '$1 == "containers" && $3 >= 65536 { c = c ? c : $2 } $1 == "root" && $3 >= 65536 { r = r ? r : $2 } END { print c ? c : r ? r : 100000 }' /etc/subuid 2> /dev/null) ||
                first=100000
        ok lxcri --runtime native run --rm --image busybox "$ID" cat /proc/self/uid_map
        [[ $(tr -s ' ' <<< "$output") == " 0 $first 65536" ]]
}

@test "containers can each have ids of their own" {
        printf '{"storage_driver": "overlay", "default_runtime": "native", "userns": "own", "userns_first": 300000, "userns_count": 196700}\n' > "$T/config.json"
        first_of() { lxcri exec "$1" awk '{ print $2 }' /proc/self/uid_map; }

        ok lxcri run -d --image busybox "$ID-a" sleep 100
        ok lxcri run -d --image busybox "$ID-b" sleep 100
        [[ $(first_of "$ID-a") == 365536 && $(first_of "$ID-b") == 431072 ]]
        host_snapshot "$T/before"
        fails InvalidConfig lxcri run --rm --image busybox "$ID-c" true
        complains "userns_count"
        assert_host_unchanged "$T/before"
        ok lxcri run --rm --userns shared --image busybox "$ID-c" cat /proc/self/uid_map
        [[ $(tr -s ' ' <<< "$output") == " 0 300000 65536" ]]
        ok lxcri delete --force "$ID-a"
        ok lxcri run -d --image busybox "$ID-c" sleep 100
        [[ $(first_of "$ID-c") == 365536 ]]
        ok lxcri delete --force "$ID-b" "$ID-c"
}

copied() {
        ok lxcri --runtime "$runtime" run -d --storage-driver dir "${MAP[@]}" --image busybox "$name" sleep 100
        [[ $(stat -c %u:%g "$STORE/containers/$name/rootfs/bin/busybox") == 100000:100000 ]]
        ok lxcri exec "$name" sh -c 'stat -c %u:%g / /bin/busybox && echo new > /root/file && chown 5:6 /root/file && stat -c %u:%g /root/file'
        [[ $output == $'0:0\n0:0\n5:6' ]]
        ok lxcri delete --force "$name"
}

@test "where owners are not shifted by a mount, the copy of the root has them" {
        each_runtime copied
}

@test "containers with different mappings and without one share an image" {
        ok lxcri run -d "${MAP[@]}" --image busybox "$ID-a" sleep 100
        ok lxcri run -d --userns private --uidmap 0:300000:1000 --gidmap 0:400000:1000 --image busybox "$ID-b" sleep 100
        ok lxcri run -d --image busybox "$ID-c" sleep 100
        for name in "$ID"-{a,b,c}; do
                ok lxcri exec "$name" stat -c %u:%g /bin/busybox
                [[ $output == 0:0 ]]
        done
        [[ $(stat -c %u:%g "/proc/$(init_pid "$ID-b")") == 300000:400000 ]]
        ok lxcri delete --force "$ID"-{a,b,c}
        ok lxcri run --rm "${MAP[@]}" --image busybox "$ID" id -u
        [[ $output == 0 ]]
}

@test "users of the host reach neither the container's files nor the store's" {
        ok lxcri run -d "${MAP[@]}" --image busybox "$ID" sh -c 'cp /bin/busybox /root/s; chmod 4755 /root /root/s; exec sleep 100'
        wait_until 5 test -u "$STORE/containers/$ID/upper/root/s"
        for path in containers/"$ID"/{rootfs,upper,config.json,upper/root/s} layers/. blobs/. images/. tmp/. containers; do
                not setpriv --reuid 65534 --regid 65534 --clear-groups ls "$STORE/$path" > /dev/null 2>&1
        done
        [[ $(stat -c %a "$STORE/containers/$ID") == 710 ]]
        ok lxcri delete --force "$ID"
}

@test "a user namespace that cannot be had is refused, and nothing is left" {
        refused() {
                local kind=$1

                shift
                host_snapshot "$T/before"
                fails "$kind" lxcri "$@" --image busybox "$ID" true
                assert_host_unchanged "$T/before"
        }
        # the layers are unpacked and the store open to look-ups from now on
        ok lxcri run --rm "${MAP[@]}" --image busybox "$ID" true
        refused InvalidArgument run --uidmap 0:100000:65536,5:300000:10 --gidmap 0:100000:65536
        refused InvalidArgument run --uidmap 0:100000:0
        refused InvalidArgument run --uidmap 0:4294967290:100
        refused InvalidArgument run --uidmap 0:100000:65536 --gidmap 1:100000:65536
        refused InvalidArgument run --userns host "${MAP[@]}"
        if ! grep -qsE '^(containers|root):' /etc/subuid; then
                refused InvalidArgument run --userns auto
                complains usermod
        fi
        chmod 700 "$T"
        refused FileError run "${MAP[@]}"
        complains "chmod o+x"
}

created() {
        ok lxcri --runtime "$runtime" create "${MAP[@]}" --image busybox "$name" sh -c 'id -u; exec sleep 100'
        is_status "$name" created
        ok lxcri start "$name"
        is_status "$name" running
        wait_until 5 eval '[[ $(lxcri logs "$name") == 0 ]]'
        ok lxcri delete --force "$name"
}

@test "creating and starting are two steps here too" {
        each_runtime created
}
