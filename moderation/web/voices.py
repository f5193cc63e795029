"""What the pages of reports and of appeals have in common: which of their pages is shown, and the way back to it."""

from urllib.parse import urlencode

from flask import request

from moderation.services.paging import Place


def place() -> Place:
    """The page that the address names."""
    return Place(after=request.args.get("after") or None, before=request.args.get("before") or None)


def pages_of(anchor: str = "") -> str:
    """The address of the page that is shown, or after a post the one that it was sent from; with an anchor."""
    room = f"/{request.path.split('/')[1]}"
    query = urlencode({name: request.args[name] for name in ("after", "before") if request.args.get(name)})
    return room + (f"?{query}" if query else "") + (f"#{anchor}" if anchor else "")
