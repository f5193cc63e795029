"""What a reader sees of an HTML comment, and where each piece of it stood in the HTML."""

import html
import logging
import re
from dataclasses import dataclass
from html.parser import HTMLParser

from moderation.domain.text import Span

log = logging.getLogger(__name__)

_BLOCKS = frozenset({"p", "br", "div", "li", "ul", "ol", "blockquote", "pre", "tr", "h1", "h2", "h3", "h4", "hr"})
_NO_TAG = "\ue000"  # stands for a "<" that begins no tag
_HIDDEN = frozenset({"script", "style", "template"})
# What browsers leave out of an address, and how they read one whose slashes are too few, too many or the wrong ones.
_LEFT_OUT = re.compile(r"[\t\r\n]|^[\x00-\x20]+|[\x00-\x20]+$")
_SLASHES = re.compile(r"^(https?:|(?=[/\\]{2}))[/\\]*", re.I)


@dataclass(frozen=True)
class PlainText:
    """`text` as shown, and for each of its characters the piece of the body it came from (code points)."""

    text: str
    origin: tuple[Span, ...] | None = None

    def in_body(self, span: Span) -> Span:
        """A piece of the text -> the piece of the body that shows it."""
        if self.origin is None or span.begin >= span.end:
            return span
        return Span(self.origin[span.begin].begin, self.origin[span.end - 1].end)


def plain_text(body: str, format: str) -> PlainText:
    """The text of a body in `plain` or `html`; link targets stand in angle brackets after the link's words."""
    if format == "plain":
        return PlainText(body)
    try:
        return _parsed(body)
    except Exception as error:  # HTML that can't be read stands as it is: it must not hold up anybody
        log.error("HTML that can't be read: %s", type(error).__name__)
        return PlainText(body)


def _parsed(body: str) -> PlainText:
    parser = _Text(body)
    last = body.rfind(">") + 1
    # No tag that begins here ends. The parser would look for the end of each of them, up to the end of the body.
    parser.feed(body[:last] + body[last:].replace("<", _NO_TAG))
    parser.close()
    parser.end(len(body))
    return PlainText("".join(parser.pieces), tuple(parser.origin))


class _Text(HTMLParser):
    def __init__(self, body: str) -> None:
        super().__init__(convert_charrefs=False)
        self.pieces: list[str] = []
        self.origin: list[Span] = []
        self._targets: list[str] = []
        self._hidden = 0
        self._line_starts = [0]
        for line in body.split("\n"):
            self._line_starts.append(self._line_starts[-1] + len(line) + 1)

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._line_starts[line - 1] + column

    def _add(self, shown: str, begin: int, length: int | None = None) -> None:
        """`length` None: each character shown is one of the body; else all of them come from that one piece."""
        if self._hidden:
            return
        self.pieces.append(shown)
        if length is None:
            self.origin.extend(Span(begin + i, begin + i + 1) for i in range(len(shown)))
        else:
            self.origin.extend([Span(begin, begin + length)] * len(shown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raw = self.get_starttag_text() or ""
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag in _BLOCKS:
            self._add("\n", self._offset(), len(raw))
        elif tag == "a":
            first = next((value for name, value in attrs if name == "href"), None)  # which is what browsers follow
            self._targets.append(_target(first or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "a" and self._targets and (target := self._targets.pop()):
            self._add(f" <{target}>", self._offset(), len("</a>"))
        elif tag in _BLOCKS:
            self._add("\n", self._offset(), len(tag) + 3)

    def end(self, length: int) -> None:
        """Shows the targets of links that never end: a browser lets them go on up to the end."""
        self._hidden = 0
        for target in filter(None, self._targets):
            self._add(f" <{target}>", length - 1, 1)

    def handle_data(self, data: str) -> None:
        self._add(data.replace(_NO_TAG, "<"), self._offset())

    def handle_entityref(self, name: str) -> None:
        self._add(html.unescape(f"&{name};"), self._offset(), len(name) + 2)

    def handle_charref(self, name: str) -> None:
        self._add(html.unescape(f"&#{name};"), self._offset(), len(name) + 3)


def _target(href: str) -> str:
    """An address as a browser reads it."""
    return _SLASHES.sub(lambda begin: f"{begin[1] or ''}//", _LEFT_OUT.sub("", href))
