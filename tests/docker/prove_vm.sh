#!/bin/bash
# Runs docker/fire-up.sh as on a fresh Debian 13: in a root by debootstrap, with processes of its own.
# It is cut off in every step that takes long, as by a power failure, and run again; then what it made
# is asked, and its dump restored. As root on Debian; else it says that it skipped.
#     prove_vm.sh [WORK_FOLDER]    a folder that is given is kept, with a base for the next time
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/dockerd.sh"

if ! can_start_dockerd || ! command -v unshare > /dev/null; then
    echo "SKIPPED: only root on a Debian can make a root folder of another one"
    exit 0
fi
work=${1:-$(mktemp --directory /var/tmp/pgsim-vm.XXXXXX)}
mkdir -p "$work"
work=$(cd "$work" && pwd)
vm=$work/vm
is_kept=${1:+yes}

clean_up() {
    local code=$?
    if ((code != 0)) && [[ -e $work/vm.log ]]; then
        tail -n 60 "$work/vm.log" >&2
    fi
    if [[ -n ${cut_off:-} ]]; then
        kill -KILL "$cut_off" 2> /dev/null || true
    fi
    rm -rf --one-file-system "$vm"
    if [[ -z $is_kept ]]; then
        rm -rf --one-file-system "$work"
    fi
    exit "$code"
}
trap clean_up EXIT

# A root folder as a cloud's image has it, which installs from where this machine does.
make_vm() {
    if [[ ! -e $work/base.tar ]]; then
        unpack_programs
        rm -rf "$work/base"
        DEBOOTSTRAP_DIR=$work/programs/usr/share/debootstrap debootstrap --variant=minbase \
            "$RELEASE" "$work/base" "$(mirror)" > "$work/debootstrap.log"
        tar --create --directory "$work/base" --file "$work/base.tar.growing" .
        mv "$work/base.tar.growing" "$work/base.tar"
        rm -rf "$work/base"
    fi
    rm -rf --one-file-system "$vm"
    mkdir -p "$vm"
    tar --extract --directory "$vm" --file "$work/base.tar"
    write_apt_configuration > "$vm/etc/apt/apt.conf.d/90build"
    write_pip_configuration /etc/build.crt > "$vm/etc/pip.conf"
    cp "$(trusted)" "$vm/etc/build.crt"
    cp /etc/resolv.conf /etc/hosts "$vm/etc/"
    mkdir -p "$vm/srv/pgsim" "$vm/srv/archives of two words"
    cp -r "$root"/{LICENSE,README.md,alembic,docker,pgsim,pyproject.toml,sql} "$vm/srv/pgsim/"
    cp "$root/pgsim/demo/recordings.ndjson.gz" "$vm/srv/archives of two words/"
}

# in_vm COMMAND...: when it ends, or is killed, all that it started is killed with it.
in_vm() {
    # shellcheck disable=SC2016
    exec unshare --mount --pid --fork --kill-child sh -c '
        mount --make-rprivate /
        mount -t proc proc "$0/proc"
        mount -t tmpfs -o mode=0755 tmpfs "$0/dev"
        for device in null zero random urandom; do
            touch "$0/dev/$device"
            mount --bind "/dev/$device" "$0/dev/$device"
        done
        ln -s /proc/self/fd "$0/dev/fd"
        mkdir -m 1777 "$0/dev/shm"
        exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            chroot "$0" "$@"' "$vm" "$@"
}

fire_up=(/srv/pgsim/docker/fire-up.sh --profile essentia "/srv/archives of two words")

# cut_off_when CONDITION...: run fire-up.sh until it holds, and end it as a power failure does.
cut_off_when() {
    echo "--- cut off when ${*//_/ }"
    (in_vm "${fire_up[@]}") > "$work/vm.log" 2>&1 &
    cut_off=$!
    until "$@"; do
        kill -0 "$cut_off"
        sleep 0.1
    done
    kill -KILL "$cut_off"
    wait "$cut_off" 2> /dev/null || true
    cut_off=
    cat "$work/vm.log"
}

packages_are_unpacked() {
    grep --quiet --no-messages 'status unpacked postgresql-common' "$vm/var/log/dpkg.log"
}
pip_is_there() { [[ -e $vm/opt/pgsim/bin/pip ]]; }
a_cluster_is_begun() { [[ -e $vm/var/lib/postgresql/17/main/PG_VERSION ]]; }
it_says() { grep --quiet --fixed-strings "$*" "$work/vm.log"; }

make_vm
cut_off_when packages_are_unpacked
cut_off_when pip_is_there
cut_off_when a_cluster_is_begun
cut_off_when it_says fitting the feature sets
cut_off_when it_says '[6/8]'

echo "--- to the end"
(in_vm "${fire_up[@]}" 2>&1) | tee "$work/vm.log"
made=$(stat --format %Y "$vm/var/lib/pgsim/pgsim.dump")

echo "--- again: nothing is left; then the dump restored, and asked"
# shellcheck disable=SC2016
(in_vm bash -ec '
    "$@"
    cd /
    runuser -u pgsim -- createdb second
    runuser -u postgres -- psql -qd second -c "CREATE EXTENSION vector"
    runuser -u pgsim -- pgsim --database dbname=second restore /var/lib/pgsim/pgsim.dump
    runuser -u pgsim -- psql -XAtd second -c "SELECT * FROM pgsim.similar_recordings(
        (SELECT min(mbid::text)::uuid FROM pgsim.recording), 5)" | tee /srv/answer
    ' bash "${fire_up[@]}" 2>&1) | tee "$work/vm.log"
[[ $(wc -l < "$vm/srv/answer") == 5 ]]
[[ $(stat --format %Y "$vm/var/lib/pgsim/pgsim.dump") == "$made" ]]
echo "fire-up.sh is proven"
