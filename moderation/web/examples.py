"""/examples: the labelled examples that other systems brought, counted, and how far they agree with our scores."""

from datetime import datetime
from typing import Any

from flask import Blueprint, render_template

from moderation.domain.lifecycle import Role
from moderation.http import service
from moderation.services import examples
from moderation.web import rooms, words
from moderation.web.keys import preferences
from moderation.web.session import person, require_sign_in
from moderation.web.veil import veil_of_labels

pages = Blueprint("examples_page", __name__, url_prefix="/examples")
pages.before_request(require_sign_in)

_COMPARED = 1000
_SHOWN = 10
_EXCERPT = 200
_INTERFACES = {"perspective": "Perspective", "akismet": "Akismet", "coral": "Coral"}


@pages.get("")
def overview() -> str:
    """Counts, agreement and the last few; for those who look after the site's moderation."""
    rooms.need(Role.SENIOR)
    with service().store.read() as session:
        counted = examples.counts(session, person().site_id)
        newest = examples.newest(session, person().site_id, _COMPARED)
    agreed = examples.agreement(newest)
    rows = [
        {
            "interface": _INTERFACES.get(one.interface, one.interface), "attribute": _attribute(one.attribute),
            "examples": one.examples, "yes": one.yes, "agreed": agreed.get((one.interface, one.attribute)),
        }
        for one in counted
    ]  # fmt: skip
    return render_template(
        "examples.html", rows=rows, compared=min(_COMPARED, len(newest)),
        last=[_shown(example) for example in newest[:_SHOWN]],
    )  # fmt: skip


def _shown(example: dict[str, Any]) -> dict[str, Any]:
    text = " ".join(example["text"].split())
    scores = example["checked"]["scores"] if example["checked"] else {}
    at = datetime.fromisoformat(example["labelled_at"]).timestamp() * 1000
    labels = example["labels"]
    both = {name: max(labels.get(name, 0.0), scores.get(name) or 0.0) for name in scores | labels}
    return {
        "at": round(at), "veil": veil_of_labels(preferences().blur, both),
        "interface": _INTERFACES.get(example["interface"], example["interface"]),
        "excerpt": text[:_EXCERPT] + ("…" if len(text) > _EXCERPT else ""),
        "labels": [(_attribute(name), label, scores.get(name)) for name, label in labels.items()],
    }  # fmt: skip


def _attribute(name: str) -> str:
    """Our words for an attribute of ours; the caller's name for one that we don't score."""
    return words.ATTRIBUTE_WORDS[name][0] if name in words.ATTRIBUTE_WORDS else name
