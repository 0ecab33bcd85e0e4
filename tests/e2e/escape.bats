# Ways out of a container that others were open to: each is tried, and each test fails when its defence is taken out.
# sanitized

load helpers

setup() {
        common_setup
        RUNTIME=native
        printf '{"default_runtime": "native", "storage_driver": "%s"}\n' "$DRIVER" > "$T/config.json"
}

@test "the program that enters a container cannot be opened for writing through /proc/PID/exe (CVE-2019-5736)" {
        # Without a pid namespace of its own the container sees the init of another one that waits for start
        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri create --bundle "$T/b" "$ID"
        pid=$(lxcri state "$ID" | jq .pid)
        [[ $(tr '\0' ' ' < "/proc/$pid/cmdline") == "proxmox-lxcri-init "* ]]
        # SIGSTOP would not help: what refuses is the mount, even to root and after the program has ended
        exec {fd}< "/proc/$pid/exe"
        ok lxcri delete --force "$ID"
        try sh -c "echo x > /proc/self/fd/$fd"
        exec {fd}<&-
        ((status != 0))
        complains "Read-only file system"
}

@test "a working directory outside of the root is refused, in run and in exec (CVE-2024-21626)" {
        # The descriptors that the init holds lead to the host's /proc, and more. The one of the container's own root is no way out
        local where='test . -ef / && echo root || { pwd; ls; }'

        make_bundle "$T/b" '.process.args = ["sleep", "100"]'
        ok lxcri run -d --bundle "$T/b" "$ID"
        for n in {3..16}; do
                try lxcri exec --cwd "/proc/self/fd/$n" "$ID" sh -c "$where"
                ((status != 0)) || [[ $output == root ]]
        done
        ok lxcri delete --force "$ID"
        for n in {3..16}; do
                jq --arg cwd "/proc/self/fd/$n" --arg where "$where" '.process.cwd = $cwd | .process.args = ["sh", "-c", $where]' "$T/b/config.json" > "$T/new"
                cp "$T/new" "$T/b/config.json"
                try lxcri run --bundle "$T/b" "$ID"
                ((status != 0)) || [[ $output == root ]]
        done
}

@test "no descriptor of the host is open in the process, not even one that the caller left open" {
        make_bundle "$T/b" '.process.args = ["/inside"]'
        cp "$(dirname "$LXCRI_PROGRAM")/tests/lib/inside" "$T/b/rootfs/inside"
        exec {stray}< /
        ok lxcri run --bundle "$T/b" "$ID"
        exec {stray}<&-
        [[ $(sed -n 's/^descriptor: \([0-9]*\) .*/\1/p' <<< "$output") == $'0\n1\n2' ]]
}

@test "a /proc that is a symlink is not mounted through" {
        make_bundle "$T/b"
        rm -rf "$T/b/rootfs/proc"
        mkdir "$T/b/rootfs/elsewhere"
        ln -s /elsewhere "$T/b/rootfs/proc"
        host_snapshot "$T/before"
        fails InvalidRootfs lxcri create --bundle "$T/b" "$ID"
        assert_host_unchanged "$T/before"
}

@test "symlinks of the root lead mounts, devices and masks nowhere outside of it" {
        mkdir "$T/target"
        make_bundle "$T/b" '.process.args = ["sh", "-c", "ls /dev/null && cat /link/file"]
                | .mounts += [{destination: "/link/file", type: "bind", source: "'"$T/source"'", options: ["bind"]}]'
        echo bound > "$T/source"
        rm -rf "$T/b/rootfs/dev"
        mkdir -p "$T/b/rootfs$T/target"
        ln -s "../../../../../..$T/target" "$T/b/rootfs/dev"
        ln -s "../../../../../..$T/target" "$T/b/rootfs/link"
        ok lxcri run --bundle "$T/b" "$ID"
        says bound
        [[ -z $(ls -A "$T/target") ]]
}

@test "what stands in the place of /dev/null is not what masks a path (CVE-2025-31133)" {
        mkdir "$T/dev"
        ln -s /proc/sys/kernel/core_pattern "$T/dev/null"
        make_bundle "$T/b" '.process.args = ["true"] | .mounts |= map(select(.destination | startswith("/dev") | not))
                | .mounts += [{destination: "/dev", type: "bind", source: "'"$T/dev"'", options: ["bind"]}] | .linux.maskedPaths = ["/etc/passwd"]'
        fails InvalidRootfs lxcri run --bundle "$T/b" "$ID"
        # a link that nobody follows, and a file that could be mounted
        rm "$T/dev/null"
        echo "of the attacker" > "$T/dev/null"
        fails InvalidRootfs lxcri run --bundle "$T/b" "$ID"
}

@test "what stands at /dev/console is not mounted over when it is a symlink (CVE-2025-52565)" {
        make_bundle "$T/b" '.process.args = ["true"] | .process.terminal = true | .mounts |= map(select(.destination != "/dev"))'
        ln -s /proc/sys/kernel/core_pattern "$T/b/rootfs/dev/console" 2> /dev/null || { mkdir -p "$T/b/rootfs/dev"; ln -s /etc/passwd "$T/b/rootfs/dev/console"; }
        fails InvalidRootfs lxcri run --bundle "$T/b" "$ID"
}

@test "a device of the root filesystem that has a default one's name is refused" {
        make_bundle "$T/b" '.mounts |= map(select(.destination != "/dev"))'
        mkdir -p "$T/b/rootfs/dev"
        rm -f "$T/b/rootfs/dev/null"
        echo > "$T/b/rootfs/dev/null"
        fails InvalidRootfs lxcri create --bundle "$T/b" "$ID"
        # and one that no mask is made of
        rm "$T/b/rootfs/dev/null"
        echo > "$T/b/rootfs/dev/zero"
        fails InvalidRootfs lxcri create --bundle "$T/b" "$ID"
}

@test "settings go to the host's procfs, whatever the container has at /proc (CVE-2025-52881)" {
        make_bundle "$T/b" '.process.args = ["true"] | .mounts |= map(select(.type != "proc")) | .linux.maskedPaths = [] | .linux.readonlyPaths = []
                | .linux.sysctl = {"kernel.shmmni": "99"}'
        mkdir -p "$T/b/rootfs/proc/sys/kernel"
        echo untouched > "$T/b/rootfs/proc/sys/kernel/shmmni"
        ok lxcri run --bundle "$T/b" "$ID"
        [[ $(< "$T/b/rootfs/proc/sys/kernel/shmmni") == untouched ]]
}
