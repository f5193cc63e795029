"""The statement of reasons for a rejection, in codes and in words, part by part as Article 17(3) of the EU's Digital
Services Act lists them. The words are English; a page has them translated as it says them."""

from collections.abc import Callable
from typing import Any

from moderation.domain.text import N_

Say = Callable[..., str]


# Reason of a moderator, attribute or kind of rule -> what was found, as its author reads it.
GROUNDS: dict[str, str] = {
    "toxicity": N_("an abusive tone"),
    "severe_toxicity": N_("severe abuse"),
    "insult": N_("an insult"),
    "profanity": N_("swearing"),
    "threat": N_("a threat, or what reads like one"),
    "identity_attack": N_("an attack on people for what they are"),
    "sexually_explicit": N_("sexually explicit words"),
    "spam": N_("spam"),
    "off_topic": N_("it is not about the article"),
    "personal_data": N_("personal data"),
    "advertising": N_("advertising"),
    "illegal": N_("something that seems to be illegal"),
    "email_address": N_("an e-mail address"),
    "phone_number": N_("a phone number"),
    "links": N_("many links"),
    "words": N_("words that are not allowed here"),
    "pattern": N_("words that are not allowed here"),
    "repeat_offender": N_("several comments of the same author were rejected before"),
    "article_closed": N_("it came after its article was closed for comments"),
    "author_banned": N_("its author may not comment here at present"),
    "flood": N_("too many comments came in too short a time"),
    "repeated_text": N_("nearly the same text was sent several times"),
    "bad_domain": N_("a link to a site that is not allowed here"),
    "honeypot": N_("it seems to have been written by a program"),
    "first_time_author": N_("it is the author’s first comment here"),
}
_ELSE = N_("something that the rules do not allow")

_RESTRICTION = {
    "not_published": N_("Your comment is not published."),
    "removed": N_("Your comment was taken down and is no longer shown."),
}
_SCOPE = N_("This is so for all readers, in all countries, and stays so unless the decision is changed.")
_FACTS = {
    "report": N_("Readers had reported it."),
    "own_initiative": N_("Nobody had reported it: it was found in our own checks."),
}
_AUTOMATED = {
    (True, True): N_("A program found it and made the decision by the rules that the editors gave it."),
    (True, False): N_("A program marked it for a closer look; a person made the decision."),
    (False, False): N_("No program took part: a person found it and made the decision."),
}
_HOUSE_RULES = N_("It breaks the house rules: %(what)s.")
_ILLEGAL = N_("We think that it is illegal. The ground: %(law)s")
_IN_OWN_WORDS = N_("It breaks the house rules. In the moderator’s words: %(note)s")
_RULES_AT = N_("The house rules: %(url)s")
_APPEAL = N_(
    "Until %(date)s you can ask for a second look, free of charge. Whoever made the decision does not take that look, "
    "unless nobody else moderates here."
)
_COURT = N_(
    "You may take the matter to a court at any time; in the European Union also to a certified body that settles "
    "such disputes out of court."
)


def in_words(statement: dict[str, Any], say: Say, day: Callable[[str], str]) -> dict[str, list[str]]:
    """The sentences of each part; `rules` belongs to the ground.

    `say` puts values into a text (and may translate it), `day` shows an ISO time.
    """
    facts, used, ground, redress = (statement[part] for part in ("facts", "automated", "ground", "redress"))
    found = ", ".join(dict.fromkeys(say(GROUNDS.get(code, _ELSE)) for code in ground["codes"])) or say(_ELSE)
    why = say(_HOUSE_RULES, what=found)
    if ground["note"]:
        illegal = ground["kind"] == "illegal"
        why = say(_ILLEGAL, law=ground["note"]) if illegal else say(_IN_OWN_WORDS, note=ground["note"])
    ways = [say(_APPEAL, date=day(redress["appeal_until"]))] if redress["appeal_until"] else []
    return {
        "restriction": [say(_RESTRICTION[statement["restriction"]["kind"]]), say(_SCOPE)],
        "facts": [say(_FACTS[facts["found_by"]])],
        "automated": [say(_AUTOMATED[used["detection"] or used["decision"], used["decision"]])],
        "ground": [why],
        "rules": [say(_RULES_AT, url=ground["rules_url"])] if ground["rules_url"] else [],
        "redress": [*ways, say(_COURT), *([redress["more"]] if redress["more"] else [])],
    }


def plainly(text: str, **values: str) -> str:
    """The English text itself with its values, for programs."""
    return text % values if values else text
