"""What the pages about people say after a deed: refusals as sentences, and what the last page left to be said."""

from collections.abc import Callable
from typing import cast

from flask import Blueprint, Response, get_flashed_messages, request

from moderation.errors import ModerationError, NotFound
from moderation.http import of_error
from moderation.web.words import said


def in_words(error: ModerationError | None) -> str | None:
    """The refusal as a sentence, beginning with a capital and ending with a full stop."""
    return said(error.detail) if error else None


def said_on(pages: Blueprint, page: Callable[[int, ModerationError], Response], *statuses: int) -> None:
    """What is refused in this room with one of these statuses is said on its own page; what is not theirs to see stays
    a plain error."""

    def refused(error: ModerationError) -> Response:
        return page(error.status, error) if error.status in statuses else of_error(error)

    pages.register_error_handler(ModerationError, refused)


def need_storable_ids() -> None:
    """Raises NotFound for an id that no database would even look for."""
    if any("\0" in str(part) for part in (request.view_args or {}).values()):
        raise NotFound("there is nothing like that here")


def flashed() -> dict[str, str]:
    """What was to be shown on the next page, by category; it is shown once."""
    return dict(cast(list[tuple[str, str]], get_flashed_messages(with_categories=True)))
