"""WordPress with the unmodified plugin Akismet, sent here by the file that docs/akismet.md gives."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.databases import until
from tests.e2e.wordpress_site import WordPress
from tests.services import Running, bearer

pytestmark = pytest.mark.wordpress

PAGE = Path(__file__).parents[2] / "docs" / "akismet.md"
CIVIL = "Thank you for this careful summary of the briefing."
SPAM = "Earn $5000 a week from home! Click http://win.example/now http://win.example/go http://win.example/buy"
GERMAN = "Das ist leider ein sehr langer deutscher Satz mit vielen Wörtern über den Krieg."
SET_UP = """<?php
$_SERVER['HTTP_HOST'] = '127.0.0.1';
require __DIR__ . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/plugin.php';
activate_plugin( 'akismet/akismet.php' );
echo Akismet::check_key_status( Akismet::get_api_key() )[1];
"""


def labels(service: Running) -> dict[str, float]:
    """What the service was told of texts: 1 for spam."""
    request = Request(f"{service.base_url}/v1/examples", headers=bearer(str(service.credentials["site_key"])))
    with urlopen(request, timeout=30) as answer:
        lines = [json.loads(line) for line in answer.read().splitlines()]
    return {line["text"]: line["labels"]["SPAM"] for line in lines}


def test_comments_are_sorted_by_our_answers(start: Callable[..., Running], tmp_path: Path) -> None:
    service = start()
    wordpress = WordPress(tmp_path)
    try:
        (program,) = re.findall(r"```php\n(.*?)```", PAGE.read_text("utf-8"), re.S)
        folder = wordpress.root / "wp-content" / "mu-plugins"
        folder.mkdir(exist_ok=True)
        program = program.replace("https://moderation.example", service.base_url)
        (folder / "akismet-address.php").write_text(program.replace("'KEY'", f"'{service.credentials['site_key']}'"))
        assert wordpress.php(SET_UP) == "valid"

        civil = wordpress.comment(CIVIL)
        assert wordpress.status(civil) == "approved"
        spam = wordpress.comment(SPAM)
        assert wordpress.status(spam) == "spam"
        assert wordpress.status(wordpress.comment(GERMAN)) == "hold", "nobody could judge it, so a person does"

        wordpress.rule(civil, "spam")
        until(lambda: labels(service) == {CIVIL: 1.0}, 60, "the feedback")
    finally:
        wordpress.stop()
