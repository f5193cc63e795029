"""How the comments that wait spread over an attribute's score, and what people made of those before them.

All numbers are counted from the rows when they are asked for.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from moderation.domain.lifecycle import Outcome, Status
from moderation.domain.shares import Expected, Rulings, expected_rejections
from moderation.errors import Invalid
from moderation.scoring import ATTRIBUTES
from moderation.services import policies
from moderation.store.queries import whole
from moderation.store.tables import Article, Comment
from moderation.store.workspace import HeldScore

# How many bins there may be, and where their scale may end; the last bin holds all that is above. Wider bins have more
# rulings to measure by. The finest bin there can be is a part of every other.
BINS = (20, 10, 5)
SCALES = (0.05, 0.2, 1.0)
_FINE = round(BINS[0] / SCALES[0])
# A scale is fine enough when all but this share of the comments are on it.
_BEYOND = 0.01
# Comments that came in before this many days measure another time: other articles, another scorer.
DAYS = 180
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Scope:
    """What is looked at: one attribute's score, of the whole site or of one article (its id or address) or section.

    In how many bins, on a scale that ends where (None: where it fits what waits).
    """

    attribute: str
    article: str | None = None
    section: str | None = None
    bins: int = BINS[0]
    up_to: float | None = None


@dataclass(frozen=True)
class Bin:
    """Scores from `low` to below `high` (the last one: to 1), how many comments wait there and what was ruled."""

    low: float
    high: float
    waiting: int
    rulings: Rulings


@dataclass(frozen=True)
class Histogram:
    """`up_to` is where the scale ends, `limit` the policy's lowest limit for the attribute, `unscored` how many
    comments wait that no scorer has scored, `fine` how many wait by finest bin."""

    scope: Scope
    up_to: float
    bins: tuple[Bin, ...]
    unscored: int
    limit: float | None
    fine: Counter[int]

    @property
    def waiting(self) -> int:
        """How many comments wait on the whole scale."""
        return sum(bin.waiting for bin in self.bins)

    @property
    def edges(self) -> list[float]:
        """The borders of the bins, from 0 to 1."""
        return [bin.low for bin in self.bins] + [1.0]

    def if_approved_below(self, index: int) -> Expected:
        """What people would have rejected, were all approved that wait in this bin and those before it."""
        return _if_approved(self.bins[: index + 1])

    def if_rejected_from(self, index: int) -> Expected:
        """What people would have approved, were all rejected that wait in this bin and those behind it."""
        return _if_rejected(self.bins[index:])


@dataclass(frozen=True)
class Choice:
    """A range of scores: what waits in it, and how many errors to expect of a decision on all of it."""

    low: float
    high: float
    waiting: int
    if_approved: Expected
    if_rejected: Expected


def histogram(session: Session, site_id: str, scope: Scope, now: int) -> Histogram:
    """The histogram as it stands.

    What was ruled is always counted over the whole site. Raises Invalid for an unknown attribute, scale or number of
    bins.
    """
    _check(scope)
    waiting = _waiting(session, site_id, scope)
    end = scope.up_to or _fitting(waiting)
    scope = replace(scope, up_to=end)
    counts, ruled = _binned(scope, waiting), _ruled(session, site_id, scope, now)
    edges = [round(end * n / scope.bins, 4) for n in range(scope.bins)] + [1.0]
    bins = tuple(Bin(edges[n], edges[n + 1], counts[n], ruled[n]) for n in range(scope.bins))
    held = session.scalar(_held(site_id, scope, func.count())) or 0
    limit = _limit(session, site_id, scope.attribute)
    return Histogram(scope, end, bins, max(0, held - waiting.total()), limit, waiting)


def choice(session: Session, site_id: str, shown: Histogram, low: float, high: float) -> Choice:
    """A range of that histogram; its ends need not be borders of bins. Raises Invalid for one that is none."""
    check_range(low, high)
    first, end = low * _FINE, high * _FINE
    if max(abs(first - round(first)), abs(end - round(end))) < 1e-6:
        within = Counter({place: count for place, count in shown.fine.items() if round(first) <= place < round(end)})
        if high >= 1:
            within[_FINE] = shown.fine[_FINE]
    else:
        within = _waiting(session, site_id, shown.scope, in_range(low, high))
    counts = _binned(shown.scope, within)
    bins = [Bin(bin.low, bin.high, counts[n], bin.rulings) for n, bin in enumerate(shown.bins)]
    return Choice(low, high, counts.total(), _if_approved(bins), _if_rejected(bins))


def _check(scope: Scope) -> None:
    allowed: dict[str, Sequence[object]] = {"attribute": ATTRIBUTES, "up_to": (*SCALES, None), "bins": BINS}
    for field, values in allowed.items():
        if getattr(scope, field) not in values:
            listed = ", ".join(str(value) for value in values if value is not None)
            raise Invalid(f"{field} must be one of {listed}", extra={"field": field})


def check_range(low: float, high: float) -> None:
    """Raises Invalid unless these are two numbers from 0 to 1, the lower one first."""
    if not 0 <= low < high <= 1:
        raise Invalid("a range needs two numbers from 0 to 1, the lower one first", extra={"field": "low"})


def in_range(low: float, high: float) -> ColumnElement[bool]:
    """Scores from `low` to below `high`; up to 1 includes 1."""
    return and_(HeldScore.score >= low, HeldScore.score < high) if high < 1 else HeldScore.score >= low


def waiting_in(site_id: str, scope: Scope) -> list[ColumnElement[bool]]:
    """Which rows of scores are of the comments that wait there."""
    found = [HeldScore.site_id == site_id, HeldScore.attribute == scope.attribute, HeldScore.ruled.is_(None)]
    if scope.article or scope.section:
        found.append(HeldScore.comment_id.in_(_held(site_id, scope, Comment.id)))
    return found


def sections(session: Session, site_id: str) -> list[str]:
    """The sections of the site's articles."""
    query = select(Article.section).where(Article.site_id == site_id, Article.section.is_not(None)).distinct()
    return sorted(section for section in session.scalars(query) if section)


def article(session: Session, site_id: str, named: str) -> Article | None:
    """An article of this site by its id or address."""
    which = or_(Article.id == named, Article.url == named)
    return session.scalar(select(Article).where(Article.site_id == site_id, which).limit(1))


def _if_approved(bins: Iterable[Bin]) -> Expected:
    return expected_rejections((bin.waiting, bin.rulings) for bin in bins)


def _if_rejected(bins: Iterable[Bin]) -> Expected:
    return expected_rejections((bin.waiting, bin.rulings.turned) for bin in bins)


def _held(site_id: str, scope: Scope, wanted: Any) -> Select[Any]:
    """Something of the held comments of the scope."""
    query = select(wanted).select_from(Comment).where(Comment.status == Status.HELD)
    if not scope.article and not scope.section:
        return query.where(Comment.site_id == site_id)
    # The articles say of which site it is, so that an index by article has all that is asked for.
    articles = select(Article.id).where(Article.site_id == site_id)
    if scope.article:
        articles = articles.where(or_(Article.id == scope.article, Article.url == scope.article))
    if scope.section:
        articles = articles.where(Article.section == scope.section)
    return query.where(Comment.article_id.in_(articles))


def _waiting(session: Session, site_id: str, scope: Scope, *more: ColumnElement[bool]) -> Counter[int]:
    """How many comments wait, by finest bin."""
    return _by_fine_bin(session, *waiting_in(site_id, scope), *more)


def _by_fine_bin(session: Session, *which: ColumnElement[bool]) -> Counter[int]:
    # Scores have six digits; the small addend keeps one that lies on a border from slipping below it.
    place = whole(session, HeldScore.score * _FINE + 0.0001).label("place")
    query = select(place, func.count()).where(*which).group_by("place")
    return Counter({row[0]: row[1] for row in session.execute(query)})


def _ruled(session: Session, site_id: str, scope: Scope, now: int) -> list[Rulings]:
    """What people made of the comments of the last DAYS, by bin. A comment counts once, with the ruling that stands."""
    # Ids begin with the time of their making.
    since = HeldScore.comment_id >= f"{max(0, now - DAYS * _DAY_MS):012x}"
    of_attribute = (HeldScore.site_id == site_id, HeldScore.attribute == scope.attribute, since)
    approved, rejected = (
        _binned(scope, _by_fine_bin(session, *of_attribute, HeldScore.ruled == outcome.value))
        for outcome in (Outcome.APPROVE, Outcome.REJECT)
    )
    return [Rulings(approved[n], rejected[n]) for n in range(scope.bins)]


def _binned(scope: Scope, fine: Counter[int]) -> Counter[int]:
    """Counts by finest bin -> counts by the scope's bins."""
    found: Counter[int] = Counter()
    width = round((scope.up_to or SCALES[-1]) * _FINE / scope.bins)
    for place, count in fine.items():
        found[min(place // width, scope.bins - 1)] += count
    return found


def _fitting(waiting: Counter[int]) -> float:
    """The finest scale that nearly all of these are on."""
    for end in SCALES:
        beyond = sum(count for place, count in waiting.items() if place >= round(end * _FINE))
        if beyond <= _BEYOND * waiting.total() and waiting:
            return end
    return SCALES[-1]


def _limit(session: Session, site_id: str, attribute: str) -> float | None:
    """From which score on the policy holds or rejects, if it looks at this attribute."""
    rules = [rule for rule in policies.current(session, site_id).rules if rule.attribute == attribute]
    return min((end for rule in rules for end in (rule.hold, rule.reject) if end is not None), default=None)
