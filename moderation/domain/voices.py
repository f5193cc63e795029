"""What readers and authors may say back, and how much a report weighs. Every page, the API and the docs read these."""

from enum import StrEnum

from moderation.domain.text import N_


class ReportOutcome(StrEnum):
    """What became of a report; moot: its text was edited or withdrawn before a person had looked."""

    UPHELD = "upheld"
    DISMISSED = "dismissed"
    MOOT = "moot"


class AppealOutcome(StrEnum):
    """What became of an appeal; moot: the rejection was taken back, or its text edited or withdrawn."""

    UPHOLD = "uphold"
    OVERTURN = "overturn"
    MOOT = "moot"


# Reason code -> how a reader would say it.
REPORT_REASONS: dict[str, str] = {
    "insult": N_("Hate or insult"),
    "threat": N_("Threat or call for violence"),
    "personal_data": N_("Shows somebody’s personal data"),
    "spam": N_("Spam or advertising"),
    "sexual": N_("Sexual content"),
    "illegal": N_("Seems to be illegal"),
    "other": N_("Something else"),
}

# The reason of a comment that readers' reports sent back to the moderators.
REPORTED = "reported"


def report_weight(upheld: int, dismissed: int) -> float:
    """How much a reporter's word counts, between 0 and 1, by what moderators made of their earlier reports.

    Laplace's rule of succession: a new reporter has 0.5, and nobody ever reaches 0 or 1.
    """
    return (upheld + 1) / (upheld + dismissed + 2)
