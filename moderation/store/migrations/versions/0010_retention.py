"""privacy: how far each site's rows have been gone through for retention; erasures that are not done yet"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gone_through",
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("task", sa.String(16), nullable=False),
        sa.Column("upto", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "task", name=op.f("pk_gone_through")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_gone_through_site_id_sites")),
    )
    op.create_table(
        "erasing",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.Column("reporter_keys", sa.JSON(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasing")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_erasing_site_id_sites")),
    )
