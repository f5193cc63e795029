"""A comment as Akismet's callers describe it: what of it is judged, what counts as spam, what is remembered."""

import re
from dataclasses import dataclass

from moderation.compat.akismet_fields import Fields
from moderation.domain.lifecycle import Outcome
from moderation.domain.verdict import Verdict
from moderation.errors import Malformed, Unavailable
from moderation.http import service
from moderation.scoring import Judged
from moderation.services import examples
from moderation.services.examples import NewExample
from moderation.services.options import Options, options_of
from moderation.services.plain_text import plain_text
from moderation.services.screening import Screened, check_row, match_of, screen

INTERFACE = "akismet"

_TEST_AUTHORS = ("akismet-guaranteed-spam", "viagra-test-123")
_TEST_EMAIL = "akismet-guaranteed-spam@example.com"
# What is held for one of these is spam whatever the site chose: in a lock-down, that keeps it from being published.
_AS_SPAM = frozenset({"links", "bad_domain", "site_held", "article_held"})
_COMMENTS = ("", "comment", "reply")
_BLATANT = 0.99  # of SPAM
_HEAD, _TAIL = 8_000, 2_000  # characters that are judged of a text, so that the answer is there within a second
_MARKUP = re.compile(r"</[a-z]|<br|&#?\w{1,8};", re.I)
_HIDING = re.compile(r"<(script|style|template)\b", re.I)
_URL_LENGTH = 2_048


@dataclass(frozen=True)
class Answer:
    """What the caller hears; `id` is the check's, `discard` says that nobody needs to see the comment."""

    id: str
    spam: bool
    discard: bool


def check(fields: Fields, site_id: str) -> Answer:
    """Judges one comment and remembers it. Raises Unavailable where nothing could judge it."""
    with service().store.read() as session:
        options = options_of(session, site_id)
        given = _given(fields)
        if given is None:
            screened = screen(
                session, site_id, service().classifier(), _judged(fields), article_url=_article(fields),
                website=fields.get("comment_author_url").strip() if _content(fields) else "",
            )  # fmt: skip
            spam = _spam(screened.verdict, screened.judged, options)
        else:
            outcome = Outcome.REJECT if given else Outcome.APPROVE
            screened, spam = Screened(Judged("und", None), Verdict(outcome), ""), given
    text = (_content(fields) or None) if options.keep_checked_text else None
    row = check_row(
        site_id, INTERFACE, _match(fields, site_id), screened, text=text, blog=_blog(fields),
        answer="spam" if spam else "ham",
    )  # fmt: skip
    if not fields.yes("is_test"):
        service().checks.add(row)
    blatant = screened.scores.get("SPAM", 0.0) >= _BLATANT
    return Answer(str(row["id"]), spam, spam and blatant and options.discard_blatant)


def label(fields: Fields, site_id: str, *, spam: bool) -> None:
    """Keeps what a person says of a comment, once for each; the newest word stands. Raises Malformed without a text."""
    if not (text := _content(fields)):
        raise Malformed("comment_content is empty, and nothing else is kept as an example")
    if fields.yes("is_test"):
        return
    match = _match(fields, site_id)
    context = {
        name: value[:_URL_LENGTH]
        for name, value in {
            "blog": _blog(fields), "permalink": fields.get("permalink"), "type": _type(fields),
        }.items() if value
    }  # fmt: skip
    example = NewExample(INTERFACE, text, match, {"SPAM": float(spam)}, match, context=context)
    with service().store.write() as session:
        examples.keep(session, site_id, example)


def _given(fields: Fields) -> bool | None:
    """Where the answer is given whatever the text: staff, the interface's own test names, a filled trap."""
    if fields.get("user_role").strip() == "administrator":
        return False
    if fields.get("comment_author").strip() in _TEST_AUTHORS:
        return True
    if fields.get("comment_author_email").strip() == _TEST_EMAIL:
        return True
    trap = fields.get("honeypot_field_name").strip()
    return True if trap and fields.get(trap) else None


def _spam(verdict: Verdict, judged: Judged, options: Options) -> bool:
    """What the policy says, as yes or no. Raises Unavailable where it wants a person for want of scores."""
    fired = [signal for signal in verdict.signals if signal.outcome in (Outcome.HOLD, Outcome.REJECT)]
    if verdict.outcome is Outcome.APPROVE:
        return False
    if verdict.outcome is Outcome.REJECT or any(s.attribute == "SPAM" or s.kind in _AS_SPAM for s in fired):
        return True
    if judged.scores is None:
        raise Unavailable(f"comments in this language ({judged.language}) are not scored; a person has to look")
    return options.held_is_spam


def _judged(fields: Fields) -> str:
    """The text that is judged: the content; of a comment without any, its author's name and address."""
    return _content(fields) or "\n".join(fields.get(name) for name in ("comment_author", "comment_author_url")).strip()


def _content(fields: Fields) -> str:
    """The content as a reader sees it, within bounds."""
    content = fields.get("comment_content").strip()
    if len(content) > _HEAD + _TAIL:
        content = f"{content[:_HEAD]}\n{content[-_TAIL:]}"
    if _MARKUP.search(content) and not _HIDING.search(content):
        return plain_text(content, "html").text.strip() or content
    return content


def _article(fields: Fields) -> str | None:
    """What is commented on; a message or a sign-up that comes from the same page is none of its comments."""
    return fields.get("permalink").strip() or None if _type(fields) in _COMMENTS else None


def _match(fields: Fields, site_id: str) -> str:
    parts = (fields.get(name).strip() for name in ("comment_content", "comment_author", "permalink"))
    return match_of(service().settings.secret_key, site_id, "\0".join(parts))


def _blog(fields: Fields) -> str:
    return fields.get("blog").strip()[:_URL_LENGTH]


def _type(fields: Fields) -> str:
    return fields.get("comment_type", "content_type").strip()[:64]
