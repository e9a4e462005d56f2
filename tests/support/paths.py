"""Where the checkout and what belongs to its tests lie."""

from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
SQL = CHECKOUT / "tests" / "sql"
PLANE = CHECKOUT / "tests" / "profiles" / "plane.toml"
GENUINE = CHECKOUT.parent / "shared" / "data"
RELEASES = CHECKOUT / "tests" / "releases"
