# podman and containerd with us in the place of crun. Sourced by bench/run.

driver_links() {
        local name

        for name in crun native; do ln -sf "$program" "$work/proxmox-lxcri-$name"; done
        skopeo copy -q "oci:$fixtures/busybox:busybox" "oci-archive:$work/busybox.tar:busybox"
}

podman_side() {
        side=(--side "$1" podman --tmpdir "$work/pt" --runtime "$2" --runtime-flag "root=$work/podman-$1" run --rm localhost/busybox true)
}

# compare_driver NAME: by NAME_side, which sets side
compare_driver() {
        local sides=() side

        "$1_side" crun "$(command -v "$crun_program")"; sides+=("${side[@]}")
        "$1_side" ours-crun "$work/proxmox-lxcri-crun"; sides+=("${side[@]}")
        "$1_side" native "$work/proxmox-lxcri-native"; sides+=("${side[@]}")
        echo "$1 run --rm"
        "$compare" --rounds "$rounds" --most ours-crun 1.1 crun --most native 1 crun "${sides[@]}" || good=1
}

drive_podman() {
        cat > "$work/containers.conf" << CONF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
        printf '[storage]\ndriver = "overlay"\nrunroot = "%s"\ngraphroot = "%s"\n' "$work/pr" "$work/p" > "$work/storage.conf"
        export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf PODMAN_IGNORE_CGROUPSV1_WARNING=1
        at_end+=("umount $work/p/overlay 2> /dev/null")
        podman --tmpdir "$work/pt" load -q -i "$work/busybox.tar" > /dev/null
        compare_driver podman
}

ctr_side() {
        side=(--side "$1" ctr -a "$work/c.sock" run --rm --runc-root "$work/ctr-$1" --runc-binary "$2" localhost/busybox:busybox @ true)
}

drive_ctr() {
        local containerd i

        cat > "$work/containerd.toml" << TOML
version = 2
root = "$work/cr"
state = "$work/cs"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$work/c.sock"
[ttrpc]
  address = "$work/ct.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$work/opt"
TOML
        containerd -c "$work/containerd.toml" > "$work/containerd.log" 2>&1 &
        containerd=$!
        at_end+=("kill $containerd && wait $containerd")
        for ((i = 0; i < 200; i++)); do
                ! ctr -a "$work/c.sock" version > /dev/null 2>&1 || break
                sleep 0.1
        done
        ctr -a "$work/c.sock" image import --base-name localhost/busybox "$work/busybox.tar" > /dev/null
        compare_driver ctr
}

part_drivers() {
        driver_links
        drive_podman
        echo
        drive_ctr
}
