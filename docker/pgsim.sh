#!/bin/bash
# Entry point of the image pgsim: the password comes from a secret's file, unless PGPASSWORD gives it.
set -euo pipefail
file=${PGSIM_PASSWORD_FILE:-/run/secrets/password}
if [[ -z ${PGPASSWORD:-} && -e $file ]]; then
    PGPASSWORD=$(< "$file")
    export PGPASSWORD
fi
exec pgsim "$@"
