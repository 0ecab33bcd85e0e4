# Where a run of our engine spends its time, by the system calls that begin each stage. Sourced by bench/run.

# One line for each stage: milliseconds and its name. Stopping at every call that is traced costs time of its own.
stages_of() {
        local log=$work/trace

        strace -f --seccomp-bpf -qq -ttt -e trace=execve,mkdir,clone3,fsopen,pivot_root,seccomp,exit_group -e signal=none -o "$log" \
                "$@" > /dev/null
        awk '
                function enter(name) { if (stage) spent[stage] += $2 - since; stage = name; since = $2 }
                NR == 1 { main = $1; enter("1 start, check, journal") }
                $3 ~ /^mkdir\("\/sys\/fs\/cgroup/ && stage ~ /^1/ { enter("2 cgroups and limits") }
                $3 ~ /^clone3/ && stage ~ /^2/ { enter("3 clone, the init starts, namespaces") }
                $3 ~ /^fsopen/ && stage ~ /^3/ { enter("4 mounts and devices") }
                $3 ~ /^pivot_root/ && stage ~ /^4/ { enter("5 settings, published, process") }
                $3 ~ /^seccomp/ && stage ~ /^5/ { enter("6 seccomp") }
                $3 ~ /^execve/ && stage ~ /^6/ { enter("7 exec, and /bin/true itself") }
                $3 ~ /^exit_group/ && stage ~ /^7/ { enter("8 waited for, removed") }
                $3 ~ /^exit_group/ && $1 == main { enter("") }
                END { for (s in spent) printf "%s\t%.3f\n", s, spent[s] * 1000 }' "$log"
}

part_stages() {
        local name i

        if ! command -v strace > /dev/null; then
                echo "stages: strace is not installed" >&2
                return 1
        fi
        for name in native lxc; do
                ours "$name"
                echo "stages of run with $name, ms, medians of 15, each stop at a system call included"
                for ((i = 0; i < 15; i++)); do stages_of "${ours[@]}" run --bundle "$work/limited" "stage-$i"; done |
                        sort -t $'\t' -k 1,1 -k 2,2n |
                        awk -F '\t' '
                                $1 != last { if (n) print_one(); last = $1; n = 0 }
                                { v[++n] = $2 }
                                END { print_one(); printf "  %7.2f  all\n", all }
                                function print_one() { all += v[int((n + 1) / 2)]; printf "  %7.2f  %s\n", v[int((n + 1) / 2)], substr(last, 3) }'
        done
}
