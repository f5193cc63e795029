"""/embed/comments.js: the script that puts a form and the approved thread under an article of a page elsewhere.

/embed/report.js comes to it when a reader first presses Report.
"""

import hashlib
import re
from functools import cache
from importlib.resources import files

from flask import Blueprint, Response, request

pages = Blueprint("embed", __name__)

# Text in double quotes stays as it is. Space beside these signs means nothing in JavaScript, nor in the style sheet.
_COMMENT = re.compile(r'("[^"\n]*")|\s*//(?: .*)?$|\s*/\*\*.*\*/$', re.M)
_SPACE = re.compile(r'("[^"\n]*")|[;,]?\s*([})])\s*|\s*(=>|[!=<>+*]=+|&&|\|\||[{(;,:=?+<>])\s*|\s+')


@pages.get("/embed/comments.js")
def script() -> Response:
    """The same file for every site and page; what it shows is set on the script tag. May be kept for an hour."""
    return _script("comments.js")


@pages.get("/embed/report.js")
def report() -> Response:
    """The form of a reader's report, a module that comments.js asks for."""
    return _script("report.js")


def _script(name: str) -> Response:
    text, tag = _served(name)
    response = Response(text, mimetype="text/javascript")
    response.set_etag(tag)
    response.headers.update({
        "Cache-Control": "public, max-age=3600, stale-while-revalidate=604800",
        "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin",
    })  # fmt: skip
    response.make_conditional(request)
    return response


@cache
def _served(name: str) -> tuple[str, str]:
    """A script as it is sent, and its ETag."""
    text = squeeze((files("moderation.web") / "static" / name).read_text("utf-8"))
    return text, hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def squeeze(source: str) -> str:
    """The same script without its comments and idle space; it keeps its words, so it needs no build and no map."""
    bare = _joined(_COMMENT.sub(lambda found: found[1] or "", source))
    return _SPACE.sub(lambda found: found[1] or found[2] or found[3] or " ", bare).strip()


def _joined(source: str) -> str:
    """Constants that follow each other as one statement. It knows them by how they stand: one statement a line, or one
    that ends in a line that begins with a closing bracket below its `const`."""
    lines: list[str] = []
    whole: set[str] = set()  # indents at which the statement before is a whole one of constants
    begun: set[str] = set()  # and where such a one goes on
    for line in filter(str.strip, source.splitlines()):
        indent = line[: len(line) - len(line.lstrip())]
        whole, begun = ({one for one in part if len(one) <= len(indent)} for part in (whole, begun))
        constant, last = line.startswith("const ", len(indent)), line.rstrip().endswith(";")
        if constant and indent in whole:
            lines[-1] = lines[-1].rstrip()[:-1] + ","
            line = indent + line.lstrip().removeprefix("const ")
        ends = constant and last and line.count(";") == 1
        ends |= indent in begun and line.lstrip().startswith(("}", ")")) and last and line.count(";") == 1
        (whole.add if ends else whole.discard)(indent)
        (begun.add if constant and not ends else begun.discard)(indent)
        lines.append(line)
    return "\n".join(lines)
