"""Baseline: the tables and indexes of pgsim 0.1.

Frozen DDL: a revision never reads sql/, which goes on changing after it.
"""

from pathlib import Path

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    dimensions = context.config.attributes["dimensions"]
    ddl = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().connection.driver_connection.execute(
        ddl.replace(":dimensions", str(dimensions)).encode()
    )
