"""texts that were only checked, labelled examples, and what a site chose for the drop-in interfaces"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("sites", sa.Column("options", _JSON, nullable=False, server_default="{}"))
    op.create_table(
        "checks",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("interface", sa.String(16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("match", sa.String(64), nullable=False),
        sa.Column("scorer", sa.Text(), nullable=True),
        sa.Column("scores", _JSON, nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_checks_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks")),
    )
    op.create_index("ix_checks_match", "checks", ["site_id", "match"])
    op.create_index("ix_checks_at", "checks", ["at"])
    op.create_table(
        "examples",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("interface", sa.String(16), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("match", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("labels", _JSON, nullable=False),
        sa.Column("languages", _JSON, nullable=False),
        sa.Column("context", _JSON, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_examples_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_examples")),
        sa.UniqueConstraint("site_id", "interface", "origin", name=op.f("uq_examples_site_id_interface_origin")),
    )
    op.create_index("ix_examples_site", "examples", ["site_id", "id"])


def downgrade() -> None:
    op.drop_table("examples")
    op.drop_table("checks")
    op.drop_column("sites", "options")
