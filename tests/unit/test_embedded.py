"""Where the private Redis listens."""

from pathlib import Path

import pytest

from moderation import embedded


@pytest.mark.parametrize("name", ["with space", "größer", "d" * 120])
def test_a_folder_that_will_not_do_gets_a_private_one_that_is_removed(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    socket = embedded.socket_path(folder)
    assert socket.parent != folder
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    embedded.tidy(socket)
    assert not socket.parent.exists()
    assert folder.exists()


def test_nobody_elses_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "redis.sock").touch()
    embedded.tidy(tmp_path / "redis.sock")
    assert (tmp_path / "redis.sock").exists()
