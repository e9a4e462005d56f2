#!/bin/bash
# A fresh Debian 13, as root, to the whole matrix and its dump: PostgreSQL 17 with pgvector and pgsim
# are installed, archives loaded, all lists made, a dump written. Run again, after whatever stopped
# it or with more archives, it does what is left.
#     fire-up.sh [--profile NAME] [--dump FILE] [PATH...]
set -euo pipefail

PROFILE=acousticbrainz
HOME_FOLDER=/var/lib/pgsim
DUMP=$HOME_FOLDER/pgsim.dump
VENV=/opt/pgsim
EXTRAS=bulk,parquet,hdf5

root=$(cd "$(dirname "$0")/.." && pwd)
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive

refuse() {
    echo "fire-up.sh: $1" >&2
    exit "${2:-2}"
}

usage() { sed -n 's/^# \{0,1\}//; 2,5p' "$0"; }

paths=()
while (($#)); do
    case $1 in
        --profile | --dump)
            (($# > 1)) || refuse "$1 needs a value"
            if [[ $1 == --dump ]]; then DUMP=$(realpath -m "$2"); else PROFILE=$2; fi
            shift
            ;;
        --help | -h)
            usage
            exit
            ;;
        -*) refuse "unknown option $1; known: --profile NAME, --dump FILE" ;;
        *)
            [[ -e $1 ]] || refuse "$1 not found"
            paths+=("$(realpath "$1")")
            ;;
    esac
    shift
done
((EUID == 0)) || refuse "it installs packages, and so has to be run as root" 1
# shellcheck source=/dev/null
[[ $(. /etc/os-release && echo "$ID ${VERSION_ID:-}") == "debian 13" ]] \
    || refuse "this is no Debian 13, whose PostgreSQL 17 and pgvector it installs" 1
[[ $root/ != "$VENV"/* ]] || refuse "$VENV is where it installs pgsim: move this checkout away" 1
to_read=("${paths[@]}")
if [[ -f $PROFILE ]]; then # not a folder of archives, which may well bear a profile's name
    PROFILE=$(realpath "$PROFILE")
    to_read+=("$PROFILE")
fi
cd /

as() {
    local account=$1
    shift
    runuser -u "$account" -- env HOME="$HOME_FOLDER" "$@"
}

pgsim() { as pgsim "$VENV/bin/pgsim" --database dbname=pgsim "$@"; }

ask() { as postgres psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 "$@"; }

packages() {
    if dpkg-query --show postgresql-17 postgresql-17-pgvector python3-venv > /dev/null 2>&1 \
        && [[ -z $(dpkg --audit) ]]; then
        return
    fi
    local wait=(-o DPkg::Lock::Timeout=600) # a fresh machine often upgrades itself meanwhile
    dpkg --configure --pending > /dev/null 2>&1 || true # what lacks others gets them below
    mkdir -p /etc/postgresql-common
    printf "create_main_cluster = false\nadd_include_dir = 'conf.d'\n" \
        > /etc/postgresql-common/createcluster.conf
    apt-get "${wait[@]}" --quiet=2 update
    apt-get "${wait[@]}" --quiet=2 install --yes --fix-broken \
        --no-install-recommends -o DPkg::Options::=--force-confold \
        ca-certificates postgresql-17 postgresql-17-pgvector python3-venv > /dev/null
}

# The account, and the command line in a venv of its own; again when the checkout has changed.
command_line() {
    id pgsim > /dev/null 2>&1 \
        || useradd --system --user-group --home-dir "$HOME_FOLDER" --shell /usr/sbin/nologin pgsim
    install --directory --owner=pgsim --group=pgsim "$HOME_FOLDER"
    as pgsim test -w "$(dirname "$DUMP")" \
        || refuse "the account pgsim may not write into $(dirname "$DUMP"): name another --dump" 1
    for path in "${to_read[@]}"; do
        as pgsim test -r "$path" || refuse "the account pgsim may not read $path: chmod it" 1
    done
    # By the time at which a file came here: copied, it may keep that of its last change.
    if [[ -e $VENV/complete && -z $(find \
        "$root"/{pgsim,sql,alembic,pyproject.toml,docker/constraints.txt} \
        -type f -cnewer "$VENV/complete" -not -path '*/__pycache__/*' -print -quit) ]]; then
        return
    fi
    python3 -m venv --clear "$VENV"
    PIP_CONSTRAINT=$root/docker/constraints.txt PIP_ROOT_USER_ACTION=ignore \
        "$VENV/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: \
        "${root}[$EXTRAS]"
    ln -sf "$VENV/bin/pgsim" /usr/local/bin/pgsim
    touch "$VENV/complete"
}

# Checksums, C.UTF-8, memory to fit this machine; Debian's own way to log in: the account's name.
server() {
    local folder=/etc/postgresql/17/main settings is_new=
    local half_made=/etc/postgresql-common/pgsim.half-made
    if [[ -e $half_made ]]; then
        rm -rf "$folder" /var/lib/postgresql/17/main
    fi
    if [[ ! -e $folder/postgresql.conf ]]; then
        touch "$half_made"
        pg_createcluster --locale C.UTF-8 --encoding UTF8 17 main -- --data-checksums \
            --locale-provider=builtin --builtin-locale=C.UTF-8 > /dev/null
        rm "$half_made"
        sync /etc/postgresql-common # before anything is in the cluster
    fi
    settings=$("$VENV/bin/python" - << 'PYTHON'
from pgsim.embedded.settings import memory_limit, memory_settings, shared_memory_space

for name, value in memory_settings(memory_limit(), shared_memory_space()).items():
    print(f"{name} = '{value}'")
PYTHON
    )
    if [[ $settings != "$(cat "$folder/conf.d/pgsim.conf" 2> /dev/null)" ]]; then
        echo "$settings" > "$folder/conf.d/pgsim.conf"
        is_new=yes
    fi
    if ! as postgres pg_isready --quiet; then # a pid file may be of before a reboot
        pg_ctlcluster 17 main start
    elif [[ -n $is_new ]]; then
        pg_ctlcluster 17 main restart
    fi
}

database() {
    [[ -n $(ask --command "SELECT 1 FROM pg_roles WHERE rolname = 'pgsim'") ]] \
        || ask --command "CREATE ROLE pgsim LOGIN CREATEDB"
    [[ -n $(ask --command "SELECT 1 FROM pg_database WHERE datname = 'pgsim'") ]] \
        || ask --command "CREATE DATABASE pgsim OWNER pgsim"
    ask --dbname pgsim --command "SET client_min_messages = warning" \
        --command "CREATE EXTENSION IF NOT EXISTS vector"
    pgsim init --profile "$PROFILE"
    pgsim init --upgrade
}

load() {
    if ((${#paths[@]})); then
        pgsim load "${paths[@]}"
    fi
}

# Where more has changed than is worth a refresh, that is a rebuild; an unfinished one goes on.
matrix() {
    pgsim refresh
    # It leaves a rebuild that another process is at to that, and so what the rebuild is to see.
    while [[ $(ask --dbname pgsim --command "SELECT EXISTS (SELECT FROM pgsim.stale)") == t ]]; do
        sleep 60
        pgsim refresh
    done
}

dump() {
    local changed
    changed=$(ask --dbname pgsim --command "SELECT coalesce(extract(epoch FROM max(finished_at)), 0)
        FROM pgsim.run WHERE (report ->> 'lists')::int > 0 OR (report ->> 'new')::int > 0
            OR (report ->> 'updated')::int > 0")
    if [[ -e $DUMP && -n $(find "$DUMP" -newermt "@$changed") ]]; then
        return
    fi
    pgsim dump --force "$DUMP"
}

check() { pgsim check; }

STEPS=(packages command_line server database load matrix dump check)
declare -A WHAT=(
    [packages]="PostgreSQL 17, pgvector and Python from Debian"
    [command_line]="pgsim in $VENV, for the account pgsim"
    [server]="a server with checksums, and memory to fit this machine"
    [database]="the database pgsim, profile $PROFILE"
    [load]="loading ${paths[*]:-nothing: no archives given}"
    [matrix]="all lists of neighbours"
    [dump]="a dump, $DUMP"
    [check]="is all well?"
)

step=
trap '[[ $? == 0 || -z $step ]] || echo "fire-up.sh: stopped in step $step; run again, it goes on" >&2' EXIT
for number in "${!STEPS[@]}"; do
    step=${STEPS[number]}
    echo "[$((number + 1))/${#STEPS[@]}] ${WHAT[$step]}"
    began=$EPOCHSECONDS
    "$step"
    left=("${STEPS[@]:number+1}")
    echo "      $((EPOCHSECONDS - began)) s; left: ${left[*]:-nothing}"
done
cat << 'TEXT'
to ask:                    runuser -u pgsim -- psql -d pgsim
to keep the matrix true:   runuser -u pgsim -- pgsim --database dbname=pgsim refresh --follow
TEXT
