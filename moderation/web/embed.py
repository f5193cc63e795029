"""/embed/comments.js: the script that puts a form and the approved thread under an article of a page elsewhere."""

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
    text, tag = _served()
    response = Response(text, mimetype="text/javascript")
    response.set_etag(tag)
    response.headers.update({
        "Cache-Control": "public, max-age=3600, stale-while-revalidate=604800",
        "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin",
    })  # fmt: skip
    response.make_conditional(request)
    return response


@cache
def _served() -> tuple[str, str]:
    """The script as it is sent, and its ETag."""
    text = squeeze((files("moderation.web") / "static" / "comments.js").read_text("utf-8"))
    return text, hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def squeeze(source: str) -> str:
    """The same script without its comments and idle space; it keeps its words, so it needs no build and no map."""
    bare = _COMMENT.sub(lambda found: found[1] or "", source)
    return _SPACE.sub(lambda found: found[1] or found[2] or found[3] or " ", bare).strip()
