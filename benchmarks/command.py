"""What the commands of several measurements share: their options, and a folder for the databases."""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def options(name: str, about: str | None, *, rounds: int, comments: int) -> argparse.Namespace:
    """`rounds`, `comments` and `folder` of `python -m benchmarks.NAME`, with these defaults."""
    return parser(name, about, rounds=rounds, comments=comments).parse_args()


def parser(name: str, about: str | None, *, rounds: int, comments: int) -> argparse.ArgumentParser:
    """The same for a command with options of its own."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    made.add_argument("--rounds", type=int, default=rounds, help=f"default {rounds}")
    made.add_argument("--comments", type=int, default=comments, help=f"default {comments}")
    made.add_argument("--folder", type=Path, default=Path("var"), help="where the databases go (default ./var)")
    return made


@contextmanager
def place(folder: Path) -> Iterator[Path]:
    """A folder in this one, gone at the end; PostgreSQL, which has a user of its own, can get into it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder.absolute()) as name:
        os.chmod(name, 0o755)
        yield Path(name)
