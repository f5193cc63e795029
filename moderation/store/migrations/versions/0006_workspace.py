"""the moderators' workspace: people and sites, scores of held comments, queues, notes, standings, reports, appeals"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from moderation.store.expand import take

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


# Audit events besides those that nearly every comment has.
_RARE = "action NOT IN ('comment.received', 'comment.approved', 'comment.held', 'comment.rejected')"

# What the classifier said of the comments that wait now, and of those that people have ruled on.
_SCORES_OF_HELD = """
INSERT INTO held_scores
SELECT c.id, s.key, c.site_id, CAST(s.value AS FLOAT),
       CASE c.status WHEN 'approved' THEN 'approve' WHEN 'rejected' THEN 'reject' END
FROM comments c JOIN decisions d ON d.id = c.decision_id JOIN json_each(d.scores) AS s ON 1 = 1
WHERE c.status = 'held' OR (c.status IN ('approved', 'rejected') AND d.source <> 'policy'
      AND EXISTS (SELECT 1 FROM hold_reasons h WHERE h.comment_id = c.id))
"""


def upgrade() -> None:
    take(op, "sites", "moderators", "sign_ins", "policies", "articles", "comments", "decisions", "hold_reasons",
         "audit_events")  # fmt: skip
    _people()
    _workspace()
    _voices()
    op.add_column("policies", sa.Column("actor", sa.Text(), nullable=True))
    op.add_column("policies", sa.Column("note", sa.Text(), nullable=True))
    op.add_column("articles", sa.Column("lead", sa.Text(), nullable=True))
    op.add_column("articles", sa.Column("closed_at", sa.BigInteger(), nullable=True))
    op.add_column("articles", sa.Column("hold_all", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("comments", sa.Column("language", sa.String(8), nullable=True))
    op.add_column("comments", sa.Column("assigned_to", sa.String(32), nullable=True))
    op.create_index("ix_comments_assigned", "comments", ["site_id", "assigned_to"],
                    **_where("assigned_to IS NOT NULL"))  # fmt: skip
    op.create_index("ix_comments_author_recent", "comments", ["site_id", "author_key", "id"])
    op.create_index("ix_comments_parent", "comments", ["site_id", "parent_external_id"],
                    **_where("parent_external_id IS NOT NULL"))  # fmt: skip
    _chain()


def _people() -> None:
    op.create_table(
        "memberships",
        sa.Column("moderator_id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("moderator_id", "site_id", name=op.f("pk_memberships")),
    )
    op.execute("INSERT INTO memberships SELECT id, site_id, role, created_at, NULL FROM moderators")
    op.drop_table("sign_ins")  # everybody signs in again
    with op.batch_alter_table("moderators") as moderators:
        moderators.drop_constraint("fk_moderators_site_id", type_="foreignkey")
        moderators.drop_column("site_id")
        moderators.drop_column("role")
        moderators.alter_column("password_hash", existing_type=sa.Text(), nullable=True)
        moderators.add_column(sa.Column("oidc_subject", sa.Text(), nullable=True))
        moderators.add_column(sa.Column("settings", _JSON, nullable=False, server_default="{}"))
        moderators.create_unique_constraint("uq_moderators_oidc_subject", ["oidc_subject"])
    with op.batch_alter_table("memberships") as memberships:
        memberships.create_foreign_key("fk_memberships_moderator_id", "moderators", ["moderator_id"], ["id"])
        memberships.create_foreign_key("fk_memberships_site_id", "sites", ["site_id"], ["id"])
    op.create_index("ix_memberships_site_id", "memberships", ["site_id"])
    op.create_table(
        "sign_ins",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("moderator_id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["moderator_id"], ["moderators.id"], name=op.f("fk_sign_ins_moderator_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_sign_ins_site_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("id", name=op.f("uq_sign_ins_id")),
    )
    op.create_index("ix_sign_ins_moderator_id", "sign_ins", ["moderator_id"])
    op.create_table(
        "invitations",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("made_by", sa.String(32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_invitations_site_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_invitations")),
        sa.UniqueConstraint("id", name=op.f("uq_invitations_id")),
    )
    op.create_index("ix_invitations_site_id", "invitations", ["site_id"])


def _workspace() -> None:
    op.create_table(
        "held_scores",
        sa.Column("comment_id", sa.String(32), nullable=False),
        sa.Column("attribute", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("ruled", sa.String(16), nullable=True),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=op.f("fk_held_scores_comment_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_held_scores_site_id")),
        sa.PrimaryKeyConstraint("comment_id", "attribute", name=op.f("pk_held_scores")),
    )
    each = "jsonb_each_text" if op.get_bind().dialect.name == "postgresql" else "json_each"
    op.execute(_SCORES_OF_HELD.replace("json_each", each))
    op.create_index("ix_held_scores_order", "held_scores", ["site_id", "attribute", "ruled", "score", "comment_id"])
    op.create_table(
        "saved_queues",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("moderator_id", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("filter", _JSON, nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_saved_queues_site_id")),
        sa.ForeignKeyConstraint(["moderator_id"], ["moderators.id"], name=op.f("fk_saved_queues_moderator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_queues")),
    )
    op.create_index("ix_saved_queues_site", "saved_queues", ["site_id", "name"])
    op.create_table(
        "batches",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("moderator_id", sa.String(32), nullable=False),
        sa.Column("attribute", sa.String(32), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("article", sa.Text(), nullable=True),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("items", _JSON, nullable=False),
        sa.Column("looks", _JSON, nullable=False),
        sa.Column("left_out", _JSON, nullable=False),
        sa.Column("expected", _JSON, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("decided_as", sa.String(32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_batches_site_id")),
        sa.ForeignKeyConstraint(["moderator_id"], ["moderators.id"], name=op.f("fk_batches_moderator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index("ix_batches_moderator", "batches", ["moderator_id", "state"])
    op.create_table(
        "notes",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("moderator_id", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_notes_site_id")),
        sa.ForeignKeyConstraint(["moderator_id"], ["moderators.id"], name=op.f("fk_notes_moderator_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )
    op.create_index("ix_notes_subject", "notes", ["site_id", "subject", "id"])
    op.create_table(
        "presences",
        sa.Column("moderator_id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("comment_id", sa.String(32), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["moderator_id"], ["moderators.id"], name=op.f("fk_presences_moderator_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_presences_site_id")),
        sa.PrimaryKeyConstraint("moderator_id", "site_id", name=op.f("pk_presences")),
    )
    op.create_table(
        "author_standings",
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("author_key", sa.String(64), nullable=False),
        sa.Column("standing", sa.String(8), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("set_by", sa.String(32), nullable=True),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_author_standings_site_id")),
        sa.PrimaryKeyConstraint("site_id", "author_key", name=op.f("pk_author_standings")),
    )


def _voices() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("comment_id", sa.String(32), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("reporter_key", sa.String(64), nullable=False),
        sa.Column("reporter", sa.Text(), nullable=True),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("decision_id", sa.String(32), nullable=True),
        sa.Column("event_id", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_reports_site_id")),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=op.f("fk_reports_comment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("comment_id", "revision", "reporter_key",
                            name=op.f("uq_reports_comment_id_revision_reporter_key")),
    )  # fmt: skip
    op.create_index("ix_reports_open", "reports", ["site_id", "comment_id"], **_where("outcome IS NULL"))
    op.create_index("ix_reports_decision", "reports", ["decision_id"], **_where("decision_id IS NOT NULL"))
    op.create_index("ix_reports_reporter", "reports", ["site_id", "reporter_key", "outcome"])
    op.create_table(
        "appeals",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("site_id", sa.String(32), nullable=False),
        sa.Column("comment_id", sa.String(32), nullable=False),
        sa.Column("decision_id", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.String(32), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("ruling_id", sa.String(32), nullable=True),
        sa.Column("event_id", sa.String(32), nullable=True),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_appeals_site_id")),
        sa.ForeignKeyConstraint(["comment_id"], ["comments.id"], name=op.f("fk_appeals_comment_id")),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_appeals_decision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_appeals_decision_id")),
    )
    op.create_index("ix_appeals_open", "appeals", ["site_id", "id"], **_where("outcome IS NULL"))
    op.create_index("ix_appeals_comment", "appeals", ["comment_id"])


def _chain() -> None:
    op.add_column("audit_events", sa.Column("place", sa.BigInteger(), nullable=True))
    op.add_column("audit_events", sa.Column("digest", sa.String(64), nullable=True))
    op.add_column("audit_events", sa.Column("seal", sa.String(64), nullable=True))
    op.add_column("audit_events", sa.Column("erased_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_audit_events_place", "audit_events", ["place"], unique=True, **_where("place IS NOT NULL"))
    op.create_index("ix_audit_events_site", "audit_events", ["site_id", "id"])
    op.create_index("ix_audit_events_unsealed", "audit_events", ["id"], **_where("place IS NULL"))
    op.create_index("ix_audit_events_actor", "audit_events", ["site_id", "actor", "id"],
                    **_where("actor IS NOT NULL"))  # fmt: skip
    op.create_index("ix_audit_events_rare", "audit_events", ["site_id", "action", "id"], **_where(_RARE))
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=True),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("verified_place", sa.BigInteger(), nullable=True),
        sa.Column("broken", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    op.execute("INSERT INTO audit_chain (id, place, seal, mac) VALUES (1, 0, '', '')")
    op.create_index("ix_decisions_figures", "decisions",
                    ["site_id", "source", "action", "decided_at", "replaces", "undoes"])  # fmt: skip
    op.create_index("ix_decisions_undoes", "decisions", ["undoes"], **_where("undoes IS NOT NULL"))
