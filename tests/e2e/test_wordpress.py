"""Our plugin in a real WordPress beside a real service: readers write, either side's moderators rule."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.wordpress_site import PLUGIN, WordPress, free_port
from tests.services import ABUSE, Running

pytestmark = pytest.mark.wordpress

ENV = {"MODERATION_WEBHOOK_ALLOW_PRIVATE": "1", "MODERATION_GRACE_SECONDS": "0"}
SOON = 60


class Pair:
    """A WordPress and its service; `down` and `up` are the service's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "data"
        self._port = str(free_port())
        self.wordpress = WordPress(folder)
        self.up()

    def up(self) -> None:
        self.service = Running(self._folder, "--port", self._port, env=ENV)

    def down(self) -> None:
        self.service.stop()

    def webhook(self) -> str:
        """Tells the service where to send events; returns the secret."""
        ran = subprocess.run(
            [sys.executable, "-P", "-m", "moderation", "site", "webhook",
             f"{self.wordpress.url}/wp-json/comment-moderation/v1/webhook"],
            env={"MODERATION_DATABASE_URL": f"sqlite:///{self._folder / 'moderation.sqlite3'}"},
            cwd=self._folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = re.search(r"whsec_\S+", ran.stdout)
        assert found, ran.stdout + ran.stderr
        return found[0]

    def at_service(self, comment: int) -> dict[str, Any]:
        status, found = self.service.call("GET", f"/v1/comments?external_id=wp-1-{comment}")
        return dict(found) if status == 200 else {}

    def rule(self, comment: int, action: str, reason: str | None = None) -> None:
        """A moderator in our queue."""
        token = self.service.token()
        id = self.at_service(comment)["id"]
        item = self.service.call("GET", f"/v1/review/items/{id}", key=token)[1]
        status, answer = self.service.call("POST", f"/v1/review/items/{id}/actions", {
            "action": action, "version": item["version"], "reason": reason}, key=token)  # fmt: skip
        assert status == 200, answer


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    made = Pair(tmp_path_factory.mktemp("wordpress"))
    made.wordpress.activate()
    made.wordpress.set(
        url=made.service.base_url, key=made.service.credentials["site_key"], secret=made.webhook()
    )  # fmt: skip
    yield made
    made.down()
    made.wordpress.stop()


def test_every_file_is_php() -> None:
    for file in sorted(PLUGIN.rglob("*.php")):
        ran = subprocess.run(["php", "-l", str(file)], capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout


def test_a_civil_comment_is_published_and_an_abusive_one_is_not(pair: Pair) -> None:
    civil = pair.wordpress.comment("Thank you for this careful summary of the briefing.")
    assert pair.wordpress.status(civil) == "approved"
    assert pair.at_service(civil)["status"] == "approved"
    assert "careful summary of the briefing" in pair.wordpress.article()
    abusive = pair.wordpress.comment(f"Marten. {ABUSE}")
    assert pair.wordpress.status(abusive) == "hold"
    assert pair.at_service(abusive)["status"] == "held"
    assert "Marten" not in pair.wordpress.article()
