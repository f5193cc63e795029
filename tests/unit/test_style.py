"""The colours of the pages: enough contrast in both themes (WCAG 2.2 AA), and patterns that differ without colour."""

import re
from importlib.resources import files

import pytest

STATIC = files("moderation.web") / "static"
CSS = (STATIC / "style.css").read_text("utf-8")
COLOURS = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", CSS)
LIGHT, DARK = ({name: pair[night] for name, *pair in COLOURS} for night in (False, True))
GROUNDS = ("paper", "surface", "sunken", "accent-soft")
REASONS = ("insult", "threat", "identity", "profanity", "spam", "sexual", "toxicity", "rule")


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_marks_stand_out(theme: dict[str, str]) -> None:
    for ground in GROUNDS:
        for text in ("ink", "quiet", "accent"):
            assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
        for mark in (*REASONS, "edge", "accent"):
            assert contrast(theme[mark], theme[ground]) >= 3, (mark, ground)
    assert contrast(theme["on-accent"], theme["accent"]) >= 4.5
    for ground in ("paper", "surface", "danger-soft"):
        assert contrast(theme["danger"], theme[ground]) >= 4.5
    assert contrast(theme["ink"], theme["danger-soft"]) >= 4.5


def test_no_page_brings_in_anything_from_elsewhere() -> None:
    pages = [*(files("moderation.web") / "templates").iterdir(), *STATIC.iterdir()]
    for page in pages:
        source = page.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"(src|href|url|@import)[^\n]{0,4}https?:", source), page.name
        if page.name.endswith(".html"):
            assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?! src=)|javascript:", source), page.name


def test_every_attribute_has_words_and_a_pattern() -> None:
    from moderation.domain.lifecycle import HONEYPOT
    from moderation.domain.policy import ALWAYS, RULES
    from moderation.domain.voices import REPORTED
    from moderation.scoring import ATTRIBUTES
    from moderation.web.words import ATTRIBUTE_WORDS, RULE_WORDS

    desk = (STATIC / "desk.css").read_text("utf-8")
    assert set(ATTRIBUTES) == set(ATTRIBUTE_WORDS)
    assert set(RULES) | set(ALWAYS) | {HONEYPOT, REPORTED} == set(RULE_WORDS)
    for attribute in ATTRIBUTES:
        assert f".r-{attribute.lower()} " in desk
