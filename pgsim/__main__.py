"""python -m pgsim."""

from pgsim.cli import main

main()
