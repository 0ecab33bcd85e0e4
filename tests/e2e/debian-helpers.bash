# What a Debian root is to do as an application container. IMAGE is the image's name.

IMAGE=debian

# for_runtime RUNTIME [OPTION…]
for_runtime() {
        local runtime=$1
        shift

        ok lxcri --runtime "$runtime" run --rm "$@" --image "$IMAGE" "$ID" apt-get --version
        says "apt "
        ok lxcri --runtime "$runtime" run --rm "$@" --image "$IMAGE" "$ID" python3 -c 'import os; print("python", os.getuid(), sum(range(10)))'
        says "python 0 45"
        ok lxcri --runtime "$runtime" run --rm "$@" --image "$IMAGE" "$ID" id
        says "uid=0(root) gid=0(root)"
        ok lxcri --runtime "$runtime" run --rm "$@" --user www-data --image "$IMAGE" "$ID" id
        says "uid=33(www-data) gid=33(www-data)"
}

# as_an_administrator RUNTIME [OPTION…]: what needs root's capabilities and owners of the container's own
as_an_administrator() {
        local runtime=$1
        shift

        ok lxcri --runtime "$runtime" run --rm "$@" --image "$IMAGE" "$ID" sh -ec '
                useradd -m visitor && su visitor -c "id -un; touch ~/file" && stat -c %U /home/visitor/file
                test "$(stat -c %a:%u:%g /usr/bin/su /var/mail | xargs)" = "4755:0:0 2775:0:8"
                test ! -e /srv/b/suid || test "$(stat -c %a:%u:%g /srv/b/suid)" = 6755:33:33
                setpriv --reuid 1 --regid 1 --clear-groups test ! -w /etc/shadow
                dpkg --status apt > /dev/null && apt-get --version | grep -q "^apt " && python3 -c "import os; assert os.getuid() == 0" && echo end'
        [[ $output == *$'visitor\nvisitor\nend' ]]
}
