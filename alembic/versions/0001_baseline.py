"""The tables and indexes of pgsim 0.1.0."""

from alembic import context

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    context.config.attributes["run_sql"](__file__)
