# Networks of containers: namespace, veth and addresses on a bridge, names, and nothing left of them.
#
# "The host" is a network namespace of each test's own, so that tests side by side, and the machine's own network, never meet.

load helpers

# The runtime under test, and the other of the two that there always are
# what a cut-off create may leave in the store, as in crash.bats
MAY_STAY='^s . [0-9]+ [0-9:]+ \./(layers|images)/'
OTHER=$([[ $RUNTIME == crun ]] && echo runc || echo crun)

setup() {
        common_setup
        # without the tag, as it outlives the reboot of its containers; not in /run/netns, which other tests compare
        NAMESPACES=$(mktemp -d /tmp/lxn.XXXXXX)
        HOST=$NAMESPACES/host
        make_namespace "$HOST"
        host ip link set lo up
        host ip link add br0 type bridge
        host ip addr add 10.9.0.1/24 dev br0
        host ip -6 addr add fd00:9::1/64 dev br0 nodad
        host ip link set br0 up
        import_busybox
}

teardown() {
        local rc=0 left

        [[ -n ${BATS_TEST_COMPLETED:-} ]] || stop_dhcp
        # nothing but what setup made; containers are gone by now, or the common part says so
        left=$(host ip -o link show | grep -vE '^[0-9]+: (lo|br0)[:@]' || true)
        [[ -z $left || -z ${BATS_TEST_COMPLETED:-} ]] || { echo "left behind: $left"; rc=1; }
        for name in "$NAMESPACES"/*; do
                umount "$name"
        done
        rm -rf "$NAMESPACES"
        common_teardown || rc=1
        return $rc
}

make_namespace() {
        touch "$1"
        unshare --net="$1" true
}

host() {
        nsenter --net="$HOST" -- "$@"
}

# as helpers.bash has it, on this test's host
lxcri() {
        (
                export "${PROGRAM_ENV[@]}"
                exec nsenter --net="$HOST" -- "$LXCRI_PROGRAM" --root "$ROOT" --store "$STORE" "$@" 3>&-
        )
}

# serve ID: a container's process that answers each connection to port 80 with its id; stays quiet otherwise
serve() {
        echo "while true; do echo $1 | nc -l -p 80 > /dev/null; done"
}

# answers ID ADDRESS PORT: who answers there, asked from within a container
answers() {
        lxcri exec "$1" nc -w 2 "$2" "$3" < /dev/null
}

is_answered_by() {
        [[ $(answers "$1" "$2" "$3" 2>/dev/null) == "$4" ]]
}

ports_of_bridge() {
        host ip -o link show master br0 | wc -l
}

@test "two containers of two runtimes on one bridge reach each other, by address and by name" {
        ok lxcri --runtime "$RUNTIME" run -d --network bridge=br0 --ip 10.9.0.2/24,gw=10.9.0.1 --image busybox "$ID-a" sh -c "$(serve a)"
        ok lxcri --runtime "$OTHER" run -d --net bridge=br0 --ip 10.9.0.3/24 --image busybox "$ID-b" sh -c "$(serve b)"
        wait_until 10 is_answered_by "$ID-a" 10.9.0.3 80 b
        wait_until 10 is_answered_by "$ID-b" 10.9.0.2 80 a
        # the one that came later knows the earlier one's name
        wait_until 10 is_answered_by "$ID-b" "$ID-a" 80 a
        # and each its own
        wait_until 10 is_answered_by "$ID-a" "$ID-a" 80 a
        ok lxcri delete --force "$ID-a"
        ok lxcri delete --force "$ID-b"
        [[ $(ports_of_bridge) == 0 ]]
}

# one of each runtime there is, with what differs from one to the next in its address
@test "containers of native, lxc, crun and runc reach each other on one bridge, each with its address, MAC and MTU" {
        local runtimes=(native lxc crun runc) i j

        host sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
        serve_dhcp --dhcp-host=02:00:5e:00:00:02,10.9.0.102 --dhcp-host=02:00:5e:00:00:03,10.9.0.103
        for i in 0 1 2 3; do
                # the first two by DHCP, and published
                local address=(--ip "10.9.0.10$((i + 2))/24")
                ((i > 1)) || address=(--ip dhcp -p "808$i:80")
                ok lxcri --runtime "${runtimes[i]}" run -d --net bridge=br0 "${address[@]}" --mtu "140$i" --mac-address "02:00:5e:00:00:0$((i + 2))" \
                        --image busybox "$ID-$i" sh -c "$(serve "${runtimes[i]}")"
        done
        for i in 0 1 2 3; do
                ok lxcri exec "$ID-$i" ip addr show dev eth0
                says "link/ether 02:00:5e:00:00:0$((i + 2))"
                says "mtu 140$i"
                says "inet 10.9.0.10$((i + 2))/24"
                for j in 0 1 2 3; do
                        wait_until 20 is_answered_by "$ID-$i" "10.9.0.10$((j + 2))" 80 "${runtimes[j]}"
                done
                host_hears() { [[ $(host busybox nc -w 2 10.9.0.1 "808$i" < /dev/null 2>/dev/null) == "${runtimes[i]}" ]]; }
                ((i > 1)) || wait_until 20 host_hears
        done
        for i in 0 1 2 3; do
                ok lxcri delete --force "$ID-$i"
        done
        wait_until 10 no_lease
        [[ $(ports_of_bridge) == 0 && $(rules) == 0 ]]
        stop_dhcp
}

@test "addresses, gateway, MAC and MTU are what was asked for, and inspect shows them" {
        ok lxcri run -d --net bridge=br0 --ip 10.9.0.2/24 --gateway 10.9.0.1 --ip6 fd00:9::2/64,gw=fd00:9::1 \
                --mac-address 02:00:5e:aa:bb:cc --mtu 1400 --image busybox "$ID" sleep 1000
        ok lxcri exec "$ID" ip addr show dev eth0
        says "link/ether 02:00:5e:aa:bb:cc"
        says "mtu 1400"
        says "inet 10.9.0.2/24 brd 10.9.0.255"
        says "inet6 fd00:9::2/64"
        says "UP"
        ok lxcri exec "$ID" ip addr show dev lo
        says "127.0.0.1"
        ok lxcri exec "$ID" ip route
        says "default via 10.9.0.1"
        ok lxcri exec "$ID" ip -6 route
        says "default via fd00:9::1"
        # the bridge keeps its own MTU
        [[ $(host ip -o link show br0) == *"mtu 1500"* ]]
        ok lxcri inspect "$ID"
        jq -e '.[0].network | .bridge == "br0" and .ip == "10.9.0.2/24" and .gateway == "10.9.0.1" and .mtu == 1400 and
                .ip6 == "fd00:9::2/64" and .gateway6 == "fd00:9::1" and .macAddress == "02:00:5e:aa:bb:cc"' "$T/out"
        ok lxcri delete --force "$ID"
}

@test "the MAC address stays the same from start to start; a stopped container has no network" {
        ok lxcri run -d --net bridge=br0 --ip 10.9.0.2/24 --image busybox "$ID" sleep 1000
        ok lxcri exec "$ID" cat /sys/class/net/eth0/address
        first=$output
        ok lxcri stop -t 0 "$ID"
        [[ $(ports_of_bridge) == 0 ]]
        ok lxcri start "$ID"
        ok lxcri exec "$ID" cat /sys/class/net/eth0/address
        [[ $output == "$first" ]]
        ok lxcri exec "$ID" ip addr show dev eth0
        says 10.9.0.2/24
        ok lxcri delete --force "$ID"
}

@test "the files in /etc say who it is and whom to ask; a volume in their place wins" {
        ok lxcri run --rm --net bridge=br0 --ip 10.9.0.2/24,gw=10.9.0.1 --hostname web --dns 10.9.0.53 --dns fd00:9::53 \
                --dns-search example.org --add-host db:10.9.0.7 --add-host gw:host-gateway --image busybox "$ID" \
                cat /etc/hostname /etc/resolv.conf /etc/hosts
        [[ $output == $'web\nsearch example.org\nnameserver 10.9.0.53\nnameserver fd00:9::53\n'* ]]
        says $'10.9.0.7\tdb'
        says $'10.9.0.1\tgw'
        says $'10.9.0.2\tweb '"$ID"
        echo mine > "$T/hosts"
        ok lxcri run --rm --net bridge=br0 --ip 10.9.0.2/24 -v "$T/hosts:/etc/hosts" --image busybox "$ID" cat /etc/hosts
        [[ $output == mine ]]
}

@test "host: the container has the host's devices; none, the default: nothing but lo" {
        # not by /sys: with a user namespace it is the machine's, which this test's host is not
        ok lxcri run --rm --net host --image busybox "$ID" ip -o link show
        says " br0: "
        says " lo: "
        ok lxcri run --rm --net none --image busybox "$ID" ls /sys/class/net
        [[ $output == lo ]]
        ok lxcri run --rm --image busybox "$ID" ip addr
        says 127.0.0.1
        [[ $output != *eth0* ]]
}

# in_a_user_namespace RUNTIME: nc's answer is a program's, as one from its stdin is lost where the client's end of file is the quicker
in_a_user_namespace() {
        ok lxcri --runtime "$1" run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 --net bridge=br0 --ip 10.9.0.2/24 --image busybox "$ID" \
                sh -c 'ip addr show dev eth0; ls /sys/class/net; (nc -l -p 80 -e echo low &); until nc -w 1 127.0.0.1 80 < /dev/null; do :; done; stat -c %u /etc/hosts'
        says "inet 10.9.0.2/24"
        says $'eth0\nlo\nlow\n0'
}

@test "with a user namespace the network is that one's: its root may listen on low ports" {
        chmod 711 "$T"
        chmod 700 "$ROOT"
        for runtime in native lxc crun runc; do
                in_a_user_namespace "$runtime"
                ok lxcri --runtime "$runtime" run --rm --uidmap 0:100000:65536 --net host --image busybox "$ID" ip link show dev br0
                says br0
        done
}

@test "what cannot be is said in one error, and leaves nothing" {
        host_snapshot "$T/before"
        fails InvalidArgument lxcri run --net bridge=nope --image busybox "$ID" true
        complains "the host has no bridge 'nope'"
        complains hint
        fails InvalidArgument lxcri run --net bridge=lo --image busybox "$ID" true
        complains "no bridge"
        # the default one is not there either
        fails InvalidArgument lxcri run --net bridge --image busybox "$ID" true
        complains vmbr0
        fails InvalidArgument lxcri run --ip 10.9.0.2/24 --image busybox "$ID" true
        complains "--network bridge"
        fails InvalidArgument lxcri run --net bridge=br0 --ip 10.9.0.2 --image busybox "$ID" true
        complains prefix
        fails InvalidArgument lxcri run --net bridge=br0 --ip 10.9.0.2/24 --add-host x:host-gateway --image busybox "$ID" true
        complains gateway
        fails InvalidArgument lxcri run --net bridge=br0 --ip 10.9.0.2/24 --hostname $'x\n1.2.3.4 bank' --image busybox "$ID" true
        complains hostname
        fails InvalidArgument lxcri run --bundle "$T" --net host "$ID"
        fails NotSupported lxcri run --net bridge=br0 --ip 10.9.0.2/24 --vlan 5 --image busybox "$ID" true
        complains VLAN
        [[ $(ports_of_bridge) == 0 ]]
        assert_host_unchanged "$T/before" "$MAY_STAY"
}

@test "on a bridge that filters VLANs the port is in the one asked for, untagged" {
        if ! host ip link set br0 type bridge vlan_filtering 1 2>/dev/null; then
                # a kernel without: the test machine's has it
                fails NotSupported lxcri run --net bridge=br0 --ip 10.9.0.2/24 --vlan 5 --image busybox "$ID" true
                complains CONFIG_BRIDGE_VLAN_FILTERING
                return
        fi
        ok lxcri run -d --net bridge=br0 --ip 10.9.0.2/24 --vlan 5 --image busybox "$ID-a" sh -c "$(serve a)"
        ok lxcri run -d --net bridge=br0 --ip 10.9.0.3/24 --vlan 5 --image busybox "$ID-b" sleep 1000
        ok lxcri run -d --net bridge=br0 --ip 10.9.0.4/24 --vlan 6 --image busybox "$ID-c" sleep 1000
        wait_until 10 is_answered_by "$ID-b" 10.9.0.2 80 a
        try answers "$ID-c" 10.9.0.2 80
        [[ -z $output ]]
        [[ $(host bridge -j vlan show | jq -c '[.[] | select(.ifname | startswith("lx")) | [.vlans[].vlan]] | sort') == '[[5],[5],[6]]' ]]
        for name in a b c; do
                ok lxcri delete --force "$ID-$name"
        done
}

# serve_dhcp [OPTION…]: dnsmasq on the host's bridge, with leases in $T/leases
serve_dhcp() {
        host dnsmasq --conf-file=/dev/null --port=0 --interface=br0 --bind-interfaces --except-interface=lo --user=root --log-dhcp \
                --dhcp-range=10.9.0.100,10.9.0.199,2m --dhcp-leasefile="$T/leases" --pid-file="$T/dnsmasq.pid" --log-facility="$T/dnsmasq.log" \
                --domain=example.org --dhcp-option=option:dns-server,10.9.0.53 "$@" 3>&-
        wait_until 10 test -s "$T/dnsmasq.pid"
}

stop_dhcp() {
        [[ ! -s $T/dnsmasq.pid ]] || kill "$(< "$T/dnsmasq.pid")"
}

no_lease() {
        [[ ! -s $T/leases ]]
}

@test "DHCP is the default: address, gateway, name servers; the lease is given back when it stops" {
        serve_dhcp
        ok lxcri run -d --net bridge=br0 --image busybox "$ID" sleep 1000
        ok lxcri inspect "$ID"
        address=$(jq -r '.[0].network.ip' "$T/out")
        [[ $address == 10.9.0.1??/24 ]]
        jq -e '.[0].network | .gateway == "10.9.0.1" and .dhcp' "$T/out"
        ok lxcri exec "$ID" ip addr show dev eth0
        says "inet $address"
        ok lxcri exec "$ID" ip route
        says "default via 10.9.0.1"
        ok lxcri exec "$ID" cat /etc/resolv.conf
        [[ $output == $'search example.org\nnameserver 10.9.0.53' ]]
        [[ $(< "$T/leases") == *" ${address%/*} $ID "* ]]
        # what reads strangers' packets has one right, and sees nothing of the host
        client=$(jq .pid "$ROOT/$ID/lease.json")
        grep -qx $'CapPrm:\t0000000000001000' "/proc/$client/status"
        grep -qx $'CapBnd:\t0000000000000000' "/proc/$client/status"
        [[ $(readlink "/proc/$client/root") == "$ROOT/$ID" ]]
        ok lxcri stop -t 0 "$ID"
        wait_until 10 no_lease
        [[ ! -d /proc/$client || $(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$client/status") == Z ]]
        # the same hardware address, so the same address again
        ok lxcri start "$ID"
        ok lxcri exec "$ID" ip addr show dev eth0
        says "inet $address"
        ok lxcri delete --force "$ID"
        wait_until 10 no_lease
        stop_dhcp
}

@test "a lease is renewed while the container lives" {
        serve_dhcp --dhcp-option=option:T1,5 --dhcp-option=option:T2,60
        ok lxcri run -d --net bridge=br0 --ip dhcp --image busybox "$ID" sleep 1000
        # the first answer, and one more
        renewed() { (($(grep -c DHCPACK "$T/dnsmasq.log") >= 2)); }
        wait_until 60 renewed
        ok lxcri exec "$ID" ip addr show dev eth0
        says "inet 10.9.0.1"
        ok lxcri delete --force "$ID"
        wait_until 10 no_lease
        stop_dhcp
}

@test "without a DHCP server there is one error, and nothing is left" {
        jq '.dhcp_timeout = 2' "$T/config.json" > "$T/config.new"
        mv "$T/config.new" "$T/config.json"
        host_snapshot "$T/before"
        fails Timeout lxcri run -d --net bridge=br0 --image busybox "$ID" sleep 1000
        complains "no DHCP server"
        complains hint
        [[ $(ports_of_bridge) == 0 ]]
        assert_host_unchanged "$T/before" "$MAY_STAY"
}

@test "after SIGKILL of monitor, init and DHCP client the lease is given back all the same" {
        serve_dhcp
        ok lxcri run -d --net bridge=br0 --image busybox "$ID" sleep 1000
        ok lxcri inspect "$ID"
        kill -KILL "$(jq .pid "$ROOT/$ID/lease.json")" "$(jq '.[0].monitorPid' "$T/out")" "$(jq '.[0].pid' "$T/out")"
        wait_until 10 is_status "$ID" stopped
        ok lxcri delete "$ID"
        wait_until 10 no_lease
        stop_dhcp
}

# a client of the host, in a network namespace beside it
make_client() {
        CLIENT=$NAMESPACES/client
        make_namespace "$CLIENT"
        host ip link add up0 type veth peer name eth0
        host ip link set eth0 netns "$CLIENT"
        host ip addr add 10.8.0.1/24 dev up0
        host ip link set up0 up
        nsenter --net="$CLIENT" -- ip addr add 10.8.0.2/24 dev eth0
        nsenter --net="$CLIENT" -- ip link set eth0 up
        host sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
}

# client_hears ADDRESS PORT TEXT
client_hears() {
        [[ $(nsenter --net="$CLIENT" -- busybox nc -w 2 "$1" "$2" < /dev/null 2>/dev/null) == "$3" ]]
}

rules() {
        host nft list ruleset | grep -c comment
}

@test "a published port is reached from another network namespace, the host, and the containers beside it" {
        make_client
        ok lxcri --runtime "$RUNTIME" run -d --net bridge=br0 --ip 10.9.0.2/24,gw=10.9.0.1 -p 8080:80 --image busybox "$ID-a" sh -c "$(serve a)"
        # it does not answer by way of the host, so that the host has to answer for it
        ok lxcri --runtime "$OTHER" run -d --net bridge=br0 --ip 10.9.0.3/24 --publish 10.8.0.1:8081:80 --image busybox "$ID-b" sh -c "$(serve b)"
        wait_until 20 client_hears 10.8.0.1 8080 a
        wait_until 20 client_hears 10.8.0.1 8081 b
        host_hears() { [[ $(host busybox nc -w 2 10.9.0.1 8080 < /dev/null 2>/dev/null) == a ]]; }
        wait_until 20 host_hears
        wait_until 20 is_answered_by "$ID-b" 10.9.0.1 8080 a
        wait_until 20 is_answered_by "$ID-a" 10.9.0.1 8080 a
        # only where it was published
        [[ -z $(nsenter --net="$CLIENT" -- busybox nc -w 2 10.8.0.1 80 < /dev/null 2>&1 | grep -x a) ]]
        ok lxcri inspect "$ID-b"
        jq -e '.[0].network.ports == ["10.8.0.1:8081:80/tcp"]' "$T/out"
        ok lxcri delete --force "$ID-a"
        [[ $(rules) == 3 ]]
        ok lxcri delete --force "$ID-b"
        [[ $(rules) == 0 ]]
        host ip link delete up0
}

@test "a port that is taken, by a container or by the host, is an error" {
        make_client
        ok lxcri run -d --net bridge=br0 --ip 10.9.0.2/24 -p 8080:80 --image busybox "$ID" sleep 1000
        fails InvalidArgument lxcri run -d --net bridge=br0 --ip 10.9.0.3/24 -p 10.8.0.1:8080:80 --image busybox "$ID-b" sleep 1000
        complains "port 8080"
        # another protocol is another port
        ok lxcri run -d --net bridge=br0 --ip 10.9.0.3/24 -p 8080:80/udp --image busybox "$ID-b" sleep 1000
        nsenter --net="$HOST" -- busybox nc -l -p 8082 > /dev/null 3>&- &
        listener=$!
        listening() { host sh -c 'grep -q ":1F92 .* 0A " /proc/net/tcp /proc/net/tcp6'; }
        wait_until 10 listening
        fails InvalidArgument lxcri run -d --net bridge=br0 --ip 10.9.0.4/24 -p 8082:80 --image busybox "$ID-c" sleep 1000
        complains "port 8082/tcp"
        kill "$listener"
        [[ $(rules) == 6 ]]
        host sh -c 'echo 0 > /proc/sys/net/ipv4/ip_forward'
        fails InvalidState lxcri run -d --net bridge=br0 --ip 10.9.0.4/24 -p 8083:80 --image busybox "$ID-c" sleep 1000
        complains "sysctl -w net.ipv4.ip_forward=1"
        ok lxcri delete --force "$ID"
        ok lxcri delete --force "$ID-b"
        [[ $(rules) == 0 ]]
        host ip link delete up0
}

# killed_at POINT [OPTION…]: the command dies there, with its whole process group; what it left goes with the next command
killed_at() {
        try setsid env PROXMOX_LXCRI_FAULT="$1:kill" bash -c 'exec "$@"' _ nsenter --net="$HOST" -- env "${PROGRAM_ENV[@]}" "$LXCRI_PROGRAM" \
                --root "$ROOT" --store "$STORE" run -d --net bridge=br0 "${@:2}" --image busybox "$ID" sleep 1000
        ((status > 128))
        ok lxcri recover
        [[ $(ports_of_bridge) == 0 ]]
        assert_host_unchanged "$T/before" "$MAY_STAY"
}

@test "killed at any point of making it, nothing is left after the next command" {
        grep -qa PROXMOX_LXCRI_FAULT "$LXCRI_PROGRAM" || skip "a build without test hooks"
        host_snapshot "$T/before"
        for point in network.record network.namespace network.veth configure.end runtime.middle; do
                killed_at "$point" --ip 10.9.0.2/24
        done
        host sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
        for point in network.firewall configure.end; do
                killed_at "$point" --ip 10.9.0.2/24 -p 8080:80
                [[ $(rules) == 0 ]]
        done
        serve_dhcp
        for point in network.client configure.end; do
                killed_at "$point"
                wait_until 10 no_lease
        done
        stop_dhcp
}

@test "after SIGKILL of monitor and init nothing is left once it is deleted" {
        ok lxcri run -d --net bridge=br0 --ip 10.9.0.2/24 --image busybox "$ID" sleep 1000
        ok lxcri inspect "$ID"
        kill -KILL "$(jq '.[0].monitorPid' "$T/out")" "$(jq '.[0].pid' "$T/out")"
        wait_until 10 is_status "$ID" stopped
        ok lxcri delete "$ID"
        [[ $(ports_of_bridge) == 0 ]]
}

@test "after a reboot it is stopped, and starts again with its network" {
        ok lxcri run -d --net bridge=br0 --ip 10.9.0.2/24 --image busybox "$ID" sleep 1000
        reboot
        host ip -o link show master br0 | sed -E 's/^[0-9]+: ([^:@]+).*/\1/' | while read -r name; do
                host ip link delete "$name"
        done
        is_status "$ID" stopped
        ok lxcri start "$ID"
        ok lxcri exec "$ID" ip addr show dev eth0
        says "inet 10.9.0.2/24"
        ok lxcri delete --force "$ID"
}

@test "a container of another network namespace's making is taken away from any" {
        ok lxcri run -d --net bridge=br0 --ip 10.9.0.2/24 --image busybox "$ID" sleep 1000
        [[ $(ports_of_bridge) == 1 ]]
        HOST=/proc/self/ns/net ok lxcri delete --force "$ID"
        [[ $(ports_of_bridge) == 0 ]]
}
