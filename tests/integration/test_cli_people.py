"""`moderation moderator ...`, on both databases."""

import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from moderation.cli import main
from moderation.services import accounts, invitations, sites
from moderation.store.session import Store
from tests.services import PASSWORD, make_moderator

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str) -> Run:
    def invoke(*arguments: str, text: str | None = None) -> Result:
        env = {"MODERATION_DATABASE_URL": database_url, "MODERATION_BASE_URL": "https://desk.example"}
        return CliRunner().invoke(main, ["moderator", *arguments], input=text, env=env, catch_exceptions=False)

    return invoke


def test_one_of_another_site_joins_and_keeps_the_password(run: Run, store: Store, site: tuple[str, str]) -> None:
    with store.write() as session:
        other, _ = sites.create_site(session, "Herald")
    make_moderator(store, site[0], "bob@example.org")
    answer = run(
        "create", "Bob@example.org", "--site", "Herald", "--role", "admin", "--password-stdin", text="ignored\n"
    )
    assert "joins Herald; the password stays as it is" in answer.output
    assert run("list", "--site", "Herald").output == "bob@example.org\tadmin\tbob\n"
    with store.read() as session:
        assert accounts.check_password(session, "bob@example.org", PASSWORD).site_id == site[0]
    again = run("create", "bob@example.org", "--site", other.id, "--password-stdin", text=PASSWORD + "\n")
    assert (again.exit_code, "there is a moderator with this" in again.output) == (1, True)


def test_roles_and_leaving(run: Run, store: Store, site: tuple[str, str]) -> None:
    make_moderator(store, site[0], "bob@example.org")
    assert run("role", "bob@example.org", "admin").output == "bob@example.org was moderator and is admin now\n"
    for refused in (run("role", "bob@example.org", "senior"), run("remove", "bob@example.org")):
        assert (refused.exit_code, "a site needs an admin" in refused.output) == (1, True)
    make_moderator(store, site[0], "cy@example.org")
    assert run("role", "cy@example.org", "admin").exit_code == 0
    assert run("remove", "bob@example.org").output == "bob@example.org is no longer at test\n"
    assert run("list").output == "cy@example.org\tadmin\tcy\n"
    assert "no moderator with this" in run("remove", "nobody@example.org").output
    assert "nobody like that here" in run("remove", "bob@example.org").output


def test_a_link_for_a_new_password(run: Run, store: Store, site: tuple[str, str]) -> None:
    make_moderator(store, site[0], "bob@example.org")
    for _ in range(2):  # whoever runs the service needs no pause
        printed = re.fullmatch(r"https://desk\.example/reset/(\S+)\n", run("reset", "bob@example.org").output)
        assert printed
    with store.write() as session:
        invitations.set_password(session, printed[1], "another long password")
        assert accounts.check_password(session, "bob@example.org", "another long password")
    assert run("reset", "nobody@example.org").exit_code == 1
