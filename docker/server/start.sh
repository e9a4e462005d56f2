#!/bin/bash
# Entry point of the image server. The first start makes the cluster and installs pgsim in it; every
# start fits the memory settings to the container and becomes the server, with the arguments given.
set -euo pipefail

configuration=(--config-file=/etc/pgsim/postgresql.conf)

fit_memory() {
    python3 > /var/lib/postgresql/memory.conf << 'PYTHON'
from pgsim.embedded.settings import memory_limit, memory_settings, shared_memory_space

for name, value in memory_settings(memory_limit(), shared_memory_space()).items():
    print(f"{name} = '{value}'")
PYTHON
}

read_password() {
    local file=${PGSIM_PASSWORD_FILE:-/run/secrets/password}
    password=${PGSIM_PASSWORD:-}
    if [[ -z $password && -e $file ]]; then
        password=$(< "$file")
    fi
    if [[ -z $password ]]; then
        echo "server: no password for the role pgsim: give it in $file or PGSIM_PASSWORD" >&2
        exit 2
    fi
}

# Made beside its place and moved there when complete: a first start that is interrupted begins anew.
make_cluster() {
    local new=$PGDATA.new
    rm -rf "$new"
    initdb --pgdata="$new" --username=postgres --encoding=UTF8 --locale=C.UTF-8 \
        --locale-provider=builtin --builtin-locale=C.UTF-8 --data-checksums --no-instructions \
        --auth-local=peer --auth-host=reject
    # On a socket of its own, so that nobody takes it for ready.
    pg_ctl start --silent --wait --timeout=600 --pgdata="$new" \
        --options="${configuration[*]} --listen_addresses= --unix_socket_directories=/tmp"
    # Databases made later have pgvector too, from template1: only a superuser may install it.
    PASSWORD=$password psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host=/tmp template1 << 'SQL'
\getenv password PASSWORD
CREATE EXTENSION vector;
CREATE ROLE pgsim LOGIN CREATEDB PASSWORD :'password';
CREATE ROLE pgsim_reader;
CREATE ROLE pgsim_writer IN ROLE pgsim_reader;
GRANT pgsim_reader TO pgsim;
CREATE DATABASE pgsim OWNER pgsim;
SQL
    pgsim --database "dbname=pgsim user=pgsim host=/tmp" init --roles --profile "$PGSIM_PROFILE"
    pg_ctl stop --silent --wait --timeout=600 --pgdata="$new"
    mv "$new" "$PGDATA"
}

fit_memory
if [[ ! -e $PGDATA ]]; then
    read_password
    make_cluster
fi
unset PGSIM_PASSWORD
exec postgres "${configuration[@]}" "$@"
