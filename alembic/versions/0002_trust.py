"""Keys for replication, where a rebuild belongs, how a run ended, notifications, ids and names."""

from alembic import context

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    context.config.attributes["run_sql"](__file__)
