"""Sentences of our own for what the labelled sets lack: peoples and war named harmlessly, abuse without swear words.

Identity terms and war words are mostly seen inside abuse in the labelled sets, so that a linear scorer would hold
whoever mentions them. The harmless sentences here are as many as the abusive ones and use the same words.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.own_talk.slots import SLOTS
from models.phrases import (
    ATTACKS,
    CIVIL,
    CIVIL_GROUP,
    CIVIL_SINGLE,
    CIVIL_WAR,
    CONTEMPT,
    GROUPS,
    INSULTS,
    SINGLES,
    THREATS,
    WAR,
)
from models.sources import HARMLESS, Labels

_CROSSED, _WRITTEN, _LONE = 2.0, 8.0, 40.0  # weights: one of dozens alike, the only one of its kind, a lone word

# Put behind harmless and abusive sentences alike, so that an emoji by itself says nothing.
_EMOJI = """😀 😂 🤣 😉 😊 😍 😢 😭 😡 😱 🙃 🙄 🤔 🤷 🤷‍♀️ 🙏 👍 👎 👏 💪 👀 💯 🔥 💥 🚀 🎉 ❤️ 💔 💛💙 🇺🇦 🇺🇦🕊️
🇰🇵 🇷🇺 🇺🇸 🇮🇱 🇵🇸 🏳️‍🌈 🕊️ 💀 ☠️ 💣 🔫 🤡 🐷 🐀 🐒 🤮 💩 🖕 🧜‍♂️ 👨‍👩‍👧 👮🏿 👩🏽‍🌾 ✈️ ⚡
❗ ❓ ✅ 📰 🌻 😂😂😂 👏👏 🔥🔥🔥 🙏❤️"""


def _with_emoji(block: str, offset: int) -> Iterator[str]:
    emoji = _EMOJI.split()
    for n, line in enumerate(_lines(block)):
        for step in (0, 23, 41):
            yield f"{line} {emoji[(n + offset + step) % len(emoji)]}"


def _lines(block: str) -> list[str]:
    return block.split("\n")


def _crossed(block: str, slot: str, words: tuple[str, ...]) -> Iterator[str]:
    for line in _lines(block):
        for word in words:
            yield line.replace(slot, word)


def _harmless_crossed() -> Iterator[str]:
    yield from _crossed(CIVIL_GROUP, "{g}", GROUPS)
    yield from _crossed(CIVIL_SINGLE, "{s}", SINGLES)
    for slot, known in (("{g}", GROUPS), ("{s}", SINGLES)):  # those of the templates stand there already
        yield from SLOTS[slot][len(known) :]
    for i, line in enumerate(_lines(CIVIL_WAR)):
        for n, word in enumerate(WAR):
            yield line.replace("{w}", word).replace("{v}", WAR[(n + 7 * i + 5) % len(WAR)])


def lone(text: str) -> bool:
    """Whether a text is a word or two, which has few n-grams of its own to learn from."""
    return len(text.split()) <= 2


def examples() -> Iterator[tuple[str, Labels, float]]:
    """A sentence, its labels and its weight; the same ones, in the same order, on every call."""
    for text in _harmless_crossed():
        yield text, dict(HARMLESS), _LONE if lone(text) else _CROSSED
    for text in _lines(CIVIL):
        yield text, dict(HARMLESS), _WRITTEN
    for text in _with_emoji(CIVIL, 0):
        yield text, dict(HARMLESS), _CROSSED
    for text in _with_emoji(INSULTS, 7):
        yield text, {"TOXICITY": 1.0, "INSULT": 1.0}, _CROSSED
    for text in _crossed(ATTACKS, "{g}", GROUPS):
        yield text, {"TOXICITY": 1.0, "IDENTITY_ATTACK": 1.0, "THREAT": 1.0}, _CROSSED
    for text in _crossed(CONTEMPT, "{g}", GROUPS):
        yield text, {"TOXICITY": 1.0, "IDENTITY_ATTACK": 1.0, "THREAT": 0.0}, _CROSSED
    for text in _lines(THREATS):
        yield text, {"TOXICITY": 1.0, "THREAT": 1.0, "IDENTITY_ATTACK": 0.0}, _WRITTEN
    for text in _lines(INSULTS):
        yield text, {"TOXICITY": 1.0, "INSULT": 1.0, "THREAT": 0.0, "IDENTITY_ATTACK": 0.0}, _WRITTEN
