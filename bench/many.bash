# Many containers at once: what stays of us, and whether the last costs more than the first. Sourced by bench/run.

# verdict WORDS VALUE LIMIT: "ok" or "over"
verdict() {
        if awk -v value="$2" -v limit="$3" 'BEGIN { exit !(value <= limit) }'; then
                printf '  ok    %s (at most %s)\n' "$1" "$3"
        else
                printf '  over  %s (at most %s)\n' "$1" "$3"
                good=1
        fi
}

# Kibibytes of memory that are these processes' alone or their part of what is shared, on average
pss_of() {
        cat "${@/#//proc/}" | awk '/^Pss:/ { sum += $2; n++ } END { printf "%.0f", n ? sum / n : 0 }'
}

median_of() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# timed COMMAND…: its milliseconds, into $work/times
timed() {
        local began=$EPOCHREALTIME

        "$@" < /dev/null > /dev/null 2>> "$work/errors"
        echo $(((${EPOCHREALTIME/./} - ${began/./}) / 1000)).$(((${EPOCHREALTIME/./} - ${began/./}) % 1000 / 100)) >> "$work/times"
}

part_many() {
        local count=${COUNT:-200} i first last stayed monitors=() conmons=() our_pss conmon_pss

        ours native
        echo "$count containers at once, native"
        : > "$work/times"
        for ((i = 0; i < count; i++)); do
                timed "${ours[@]}" create --bundle "$work/limited-sleep" "many-$i"
                "${ours[@]}" start "many-$i" < /dev/null > /dev/null
        done
        # whatever it is called: monitors have our directories among their arguments
        stayed=$(pgrep -c -f -- "--root $work/run " || true)
        first=$(head -n 20 "$work/times" | median_of)
        last=$(tail -n 20 "$work/times" | median_of)
        verdict "of create and start $stayed processes of ours stayed" "$stayed" 0
        verdict "the last 20 creates take $last ms, the first 20 $first ms, $(awk "BEGIN { printf \"%.2f\", $last / $first }") of it" \
                "$(awk "BEGIN { print $last / $first }")" 1.2
        for ((i = 0; i < count; i++)); do "${ours[@]}" delete --force "many-$i"; done

        for ((i = 0; i < count; i++)); do
                "${ours[@]}" run -d --bundle "$work/limited-sleep" "watched-$i" < /dev/null > /dev/null
                monitors+=("$(jq -r '.monitor.pid' "$work/run/watched-$i/state.json")/smaps_rollup")
        done
        our_pss=$(pss_of "${monitors[@]}")
        for ((i = 0; i < count; i++)); do "${ours[@]}" delete --force "watched-$i"; done

        mkdir "$work/exits"
        for ((i = 0; i < count; i++)); do
                conmon -c "conmon-$i" -u "conmon-$i" -n "conmon-$i" -r "$(command -v "$crun_program")" --runtime-arg "--root=$work/crun" \
                        -b "$work/limited-sleep" -p "$work/exits/$i.pid" -P "$work/exits/$i.conmon" -l "k8s-file:$work/exits/$i.log" \
                        --exit-dir "$work/exits" --socket-dir-path "$work/exits" < /dev/null > /dev/null 2>&1
                conmons+=("$(cat "$work/exits/$i.conmon")/smaps_rollup")
        done
        conmon_pss=$(pss_of "${conmons[@]}")
        for ((i = 0; i < count; i++)); do "${crun[@]}" delete --force "conmon-$i"; done
        verdict "a monitor of ours has $our_pss KiB, conmon $conmon_pss KiB, $(awk "BEGIN { printf \"%.2f\", $our_pss / $conmon_pss }") of it" \
                "$(awk "BEGIN { print $our_pss / $conmon_pss }")" 0.5
}
