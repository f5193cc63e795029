"""Other names under which attributes are asked for. One table for every interface. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass

# Names whose meaning is that of an attribute of ours.
_ALIASES = {"OBSCENE": "PROFANITY", "TOXICITY_FAST": "TOXICITY"}

# Names that callers of Perspective know. Those that neither are attributes of ours nor stand for one have no score
# here: nothing was learnt about them, and a score would be made up.
_KNOWN = {
    "TOXICITY", "SEVERE_TOXICITY", "IDENTITY_ATTACK", "INSULT", "PROFANITY", "THREAT", "SEXUALLY_EXPLICIT",
    "FLIRTATION", "AFFINITY", "COMPASSION", "CURIOSITY", "NUANCE", "PERSONAL_STORY", "REASONING", "RESPECT",
    "CONSTRUCTIVE", "ALIENATION", "FEARMONGERING", "GENERALIZATION", "MORAL_OUTRAGE", "POWER_APPEAL", "SCAPEGOATING",
    "ATTACK_ON_AUTHOR", "ATTACK_ON_COMMENTER", "ATTACK_ON_PUBLISHER", "INCOHERENT", "INFLAMMATORY",
    "LIKELY_TO_REJECT", "OBSCENE", "SPAM", "UNSUBSTANTIAL", "TOXICITY_FAST", "OFF_TOPIC",
}  # fmt: skip
_VERSION = re.compile(r"@\d+$")


@dataclass(frozen=True)
class Asked:
    """An attribute as a caller names it: `attribute` is ours for it, None where we have none; `known` says whether
    the name means something to callers of Perspective."""

    name: str
    attribute: str | None
    known: bool


def asked(name: str, served: Collection[str]) -> Asked:
    """What a name stands for: `X_EXPERIMENTAL` and `X@6` are X."""
    bare = _VERSION.sub("", name).removesuffix("_EXPERIMENTAL")
    bare = _ALIASES.get(bare, bare)
    return Asked(name, bare if bare in served else None, bare in _KNOWN or bare in served)
