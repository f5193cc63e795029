"""What the commands of several measurements share: their options, and a folder for the databases."""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def options(name: str, about: str | None, *, rounds: int, comments: int) -> argparse.Namespace:
    """`rounds`, `comments` and `folder` of `python -m benchmarks.NAME`, with these defaults."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    parser.add_argument("--rounds", type=int, default=rounds, help=f"default {rounds}")
    parser.add_argument("--comments", type=int, default=comments, help=f"default {comments}")
    parser.add_argument("--folder", type=Path, default=Path("var"), help="where the databases go (default ./var)")
    return parser.parse_args()


@contextmanager
def place(folder: Path) -> Iterator[Path]:
    """A folder in this one, gone at the end; PostgreSQL, which has a user of its own, can get into it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder.absolute()) as name:
        os.chmod(name, 0o755)
        yield Path(name)
