#!/bin/bash
# Builds both images and lives through what docker/README.md says: up, load, ask, dump, restore,
# workers, the refresher; and a server that is killed at rest, in a rebuild and in a refresh. With the
# Docker that runs here; else, as root on Debian, with one of its own; else it says that it skipped.
#     prove.sh [WORK_FOLDER]    a folder that is given is kept, and makes the next time faster; it
#                               takes 2 GB, and its name has to be short (a socket lies in it)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/dockerd.sh"

work=${1:-}
if [[ -z $work ]]; then
    work=$(mktemp --directory /var/tmp/pgsim-docker.XXXXXX)
    is_temporary=yes
fi
mkdir -p "$work"
work=$(cd "$work" && pwd)

clean_up() {
    local code=$?
    if ((code != 0)) && [[ -n ${doing:-} ]]; then
        tail -n 60 "$work/step.log" >&2
        echo "FAILED: $doing" >&2
    fi
    if [[ -e $work/compose.yaml ]]; then
        if ((code != 0)); then
            compose logs --no-color --tail 40 >&2 || true
        fi
        compose --profile command down --volumes --timeout 20 > "$work/down.log" 2>&1 || true
    fi
    stop_dockerd
    rm -rf "$work/compose.yaml" "$work/secrets" "$work/documents" "$work/build"
    if [[ -n ${is_temporary:-} ]]; then
        rm -rf --one-file-system "$work"
    fi
    exit "$code"
}
trap clean_up EXIT

# step TEXT COMMAND...: run it, say how long it took; what it prints is shown when it fails.
step() {
    local start=$EPOCHREALTIME
    doing=$1
    shift
    "$@" > "$work/step.log" 2>&1 # never in a condition: bash would then forget to stop at errors
    awk -v a="$start" -v b="$EPOCHREALTIME" -v text="$doing" \
        'BEGIN { printf "%6.1f s  %s\n", b - a, text }'
    doing=
}

compose() {
    docker compose --project-name pgsim-proof --file "$root/docker/compose.yaml" \
        --file "$work/compose.yaml" "$@"
}

pgsim() { compose run --rm --no-TTY pgsim "$@"; }

ask() {
    compose exec --no-TTY server psql --no-psqlrc --no-align --tuples-only --quiet \
        --set=ON_ERROR_STOP=1 --username=pgsim --command="$1" "${2:-pgsim}"
}

# What this machine's builds need and others' do not: how its apt and pip are set up and whom they
# trust, and, for a Docker of our own, a base image and a network that reaches the package mirrors.
write_override() {
    local build=$work/build options
    mkdir -p "$build" "$work/secrets" "$work/documents"
    chmod 0700 "$work/secrets"
    head -c 24 /dev/urandom | base64 | tr '+/' 'xy' > "$work/secrets/password"
    cp "$root/pgsim/demo/recordings.ndjson.gz" "$work/documents/"

    write_apt_configuration > "$build/apt"
    write_pip_configuration /run/secrets/certificates > "$build/pip"
    cp "$(trusted)" "$build/certificates"

    options="secrets: [apt, pip, certificates]"
    if [[ -n ${dockerd:-} ]]; then
        options+=", network: host, args: {BASE: pgsim-base}"
    fi
    cat > "$work/compose.yaml" << YAML
services:
  server: {image: pgsim-proof-server, build: {$options}}
  pgsim: &client {image: pgsim-proof, build: {$options}}
  refresher: *client
  worker: *client
secrets:
  password: {file: $work/secrets/password}
  apt: {file: $build/apt}
  pip: {file: $build/pip}
  certificates: {file: $build/certificates}
YAML
    export PGSIM_DATA=$work/documents PGSIM_PROFILE=essentia PGSIM_MEMORY=1g
    export PGSIM_PORT=${PGSIM_PORT:-54329}
}

is_equal() {
    if [[ $1 != "$2" ]]; then
        printf 'expected: %s\nbut it is: %s\n' "$1" "$2" >&2
        return 1
    fi
}

is_killed_in_its_first_start() {
    compose up --detach server
    until compose logs server | grep --quiet "creating directory"; do
        sleep 0.1
    done
    compose kill --signal KILL server
    is_equal main.new "$(compose run --rm --no-deps --no-TTY --entrypoint ls server 17)"
}

has_settings_of_a_gigabyte() {
    is_equal "256MB|on|scram-sha-256|C.UTF-8" "$(ask "SELECT current_setting('shared_buffers'),
        current_setting('data_checksums'), current_setting('password_encryption'), datlocale
        FROM pg_database WHERE datname = 'pgsim'")"
}

listens_on_loopback_alone() {
    is_equal "127.0.0.1:$PGSIM_PORT" "$(compose port server 5432)"
    (exec 3<> "/dev/tcp/127.0.0.1/$PGSIM_PORT")
}

refuses_a_wrong_password() {
    local said
    said=$(compose run --rm --no-TTY --env PGPASSWORD=wrong pgsim status 2>&1 || true)
    echo "$said"
    grep --quiet "refused the password of 'pgsim'" <<< "$said"
}

runs_unprivileged() {
    is_equal 990 "$(compose run --rm --no-TTY --entrypoint id pgsim -u)"
    is_equal 991 "$(compose exec --no-TTY server id -u)"
}

has_the_extras() {
    compose run --rm --no-TTY --entrypoint python3 pgsim \
        -c "import essentia, faiss, h5py, mutagen, pyarrow"
}

QUESTION="SELECT rank, title, album, round(similarity::numeric, 3)
    FROM similar_recordings((SELECT min(mbid::text)::uuid FROM pgsim.recording), 5)"

answers() {
    answer=$(ask "$QUESTION")
    is_equal 5 "$(wc -l <<< "$answer")"
}

lets_a_reader_ask() {
    compose exec --no-TTY server pgsim \
        --database "dbname=pgsim user=postgres host=/var/run/postgresql" init --roles
    compose exec --no-TTY server psql --no-psqlrc --username=postgres \
        --command="CREATE ROLE anna LOGIN PASSWORD 'secret' IN ROLE pgsim_reader"
    reader() {
        compose run --rm --no-TTY --env PGPASSWORD=secret --entrypoint psql pgsim \
            --no-psqlrc --no-align --tuples-only --command="$1" postgresql://anna@server/pgsim
    }
    is_equal "$answer" "$(reader "$QUESTION")"
    if reader "DELETE FROM pgsim.recording"; then
        return 1
    fi
}

dumps_and_restores() {
    compose run --rm --no-TTY --user "$(id -u):$(id -g)" pgsim dump /data/pgsim.dump
    compose exec --no-TTY server createdb --username=pgsim second
    for _ in first again; do # the second time in the place of one, as on a new machine
        ask "DROP SCHEMA IF EXISTS pgsim CASCADE" second
        pgsim --database postgresql://pgsim@server/second restore /data/pgsim.dump
        is_equal "$answer" "$(ask "$QUESTION" second)"
    done
}

survives_a_kill() {
    compose kill --signal KILL server
    compose up --detach --wait server
    is_equal "$answer" "$(ask "$QUESTION")"
}

# until_so QUERY: for some minutes at most.
until_so() {
    for _ in {1..1200}; do
        if [[ $(ask "$1") == t ]]; then
            return
        fi
        sleep 0.2
    done
    echo "it never came to be: $1" >&2
    return 1
}

# So that a rebuild and a refresh last long enough to be killed in.
grows() {
    ask "DROP INDEX pgsim.recording_vector" # which is not needed, and slow to grow
    ask "INSERT INTO pgsim.recording (mbid, title, vector)
        SELECT gen_random_uuid(), 'copy ' || n, r.vector + noise.vector
        FROM pgsim.recording AS r, generate_series(1, 129) AS n, LATERAL (
            SELECT array_agg((random() - 0.5) * 0.2)::vector AS vector
            FROM generate_series(1, vector_dims(r.vector) + 0 * n)
        ) AS noise"
    ask "VACUUM ANALYZE pgsim.recording"
}

# Every recording has a list, and a sample's are the exact ones; changed recordings are among it.
has_the_right_matrix() {
    is_equal "0|0|0|60" "$(ask "
        WITH sample AS (
            (SELECT id FROM pgsim.recording WHERE title = 'changed' ORDER BY mbid LIMIT 20)
            UNION ALL
            (SELECT id FROM pgsim.recording WHERE title <> 'changed' ORDER BY mbid LIMIT 60)
            LIMIT 60
        ), checked AS (
            SELECT s.id, (
                SELECT bool_and(abs(kept - exact) <= 1e-5) AND count(*) = 100
                FROM unnest(s.distances, e.distances) AS d (kept, exact)
            ) AS is_right
            FROM pgsim.exact_neighbours(ARRAY(SELECT id FROM sample), 100) AS e
            LEFT JOIN pgsim.similarity AS s ON s.id = e.id
        )
        SELECT
            (SELECT count(*) FROM pgsim.stale),
            (SELECT count(*) FROM pgsim.recording AS r LEFT JOIN pgsim.similarity AS s ON r.id = s.id
             WHERE r.vector IS NOT NULL AND s.id IS NULL),
            count(*) FILTER (WHERE is_right IS NOT TRUE),
            count(*)
        FROM checked")"
}

DONE_AND_LEFT="SELECT count(*) FILTER (WHERE done_at IS NOT NULL) > 0
    AND count(*) FILTER (WHERE done_at IS NULL) > 0 FROM pgsim.rebuild_part"

is_killed_in_a_rebuild() {
    local rebuilding
    compose up --detach --wait --scale worker=2 server worker
    ask "SELECT pgsim.begin_rebuild(100, 'exact', 1, 4000)" # in parts so small that there are many
    pgsim rebuild &
    rebuilding=$!
    until_so "$DONE_AND_LEFT"
    compose kill --signal KILL server
    if wait "$rebuilding"; then
        echo "the rebuild was over before the server was killed" >&2
        return 1
    fi
    compose up --detach --wait server
}

# The workers have the rest done; the view switches when somebody asks for the rebuild again.
goes_on_with_the_rebuild() {
    until_so "SELECT bool_and(done_at IS NOT NULL) FROM pgsim.rebuild_part"
    pgsim rebuild
    compose logs worker | grep "connected again"
    compose logs worker | grep "lists in .* by exact"
}

is_killed_in_a_refresh() {
    local changes=1500
    compose up --detach --wait --scale worker=2
    ask "UPDATE pgsim.recording SET title = 'changed', vector = vector + vector
        WHERE id IN (SELECT id FROM pgsim.recording ORDER BY mbid LIMIT $changes)"
    until_so "SELECT count(*) < $changes FROM pgsim.stale"
    compose kill --signal KILL server
    compose up --detach --wait server
    is_equal t "$(ask "SELECT count(*) BETWEEN 1 AND $changes - 1 FROM pgsim.stale")"
}

goes_on_with_the_refresh() {
    until_so "SELECT count(*) = 0 FROM pgsim.stale"
    compose logs refresher | grep "trying again in"
    compose logs refresher | grep "connected again"
}

end_with_0() {
    compose stop refresher worker
    is_equal "0 0 0" "$(compose ps --all --quiet refresher worker \
        | xargs docker inspect --format '{{.State.ExitCode}}' | xargs)"
}

if ! docker info > /dev/null 2>&1 || ! docker compose version > /dev/null 2>&1; then
    if ! can_start_dockerd; then
        echo "SKIPPED: no Docker with compose runs here, and only root on a Debian can start one"
        exit 0
    fi
    step "Docker's programs from Debian's packages" unpack_programs
    unpack_programs
    start_dockerd
    step "a base image by debootstrap" make_base
fi
write_override
step "compose file is valid" compose --profile command config --quiet
step "image pgsim built" compose build pgsim
step "image server built" compose build server
step "server killed in its first start" is_killed_in_its_first_start
step "server up: cluster made, schema installed" compose up --detach --wait server
step "memory from the container's limit, checksums, SCRAM, C.UTF-8" has_settings_of_a_gigabyte
step "listens on loopback alone" listens_on_loopback_alone
step "refuses a wrong password" refuses_a_wrong_password
step "runs unprivileged" runs_unprivileged
step "has the extras bulk, parquet, hdf5, audio" has_the_extras
step "load /data" pgsim load /data
step "refresh" pgsim refresh
step "similar_recordings answers" answers
printf '%s\n' "$answer"
step "lets a reader ask, and nothing else" lets_a_reader_ask
step "check is content" pgsim check
step "init --upgrade" pgsim init --upgrade
step "dump, and restore into a second database" dumps_and_restores
step "killed and up again, the same answer" survives_a_kill
step "grown to 67,860 recordings" grows
step "two workers up; server killed in the middle of a rebuild" is_killed_in_a_rebuild
step "up again, the workers and the rebuild go on" goes_on_with_the_rebuild
step "the matrix is right" has_the_right_matrix
step "refresher up; server killed in the middle of a refresh" is_killed_in_a_refresh
step "up again, the refresher goes on" goes_on_with_the_refresh
step "the matrix is right" has_the_right_matrix
step "workers and refresher end at SIGTERM with 0" end_with_0
docker image ls --format '{{.Repository}}  {{.Size}}' | grep '^pgsim-proof'
