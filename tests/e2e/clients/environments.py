"""Installs the clients, each in an environment of its own below build/clients, once for each list of packages."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SOURCES = Path(__file__).parent
BUILD = Path(__file__).resolve().parents[3] / "build" / "clients"
_LIMIT = 600  # seconds of one installation


def python_client(name: str) -> Path:
    """The Python of an environment with what clients/<name>/requirements.txt lists (each package with its version)."""
    with _environment(name, "requirements.txt") as (folder, old):
        if old:
            shutil.rmtree(folder, ignore_errors=True)
            _run([sys.executable, "-m", "venv", folder])
            pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "-q", "install"]
            _run([*pip, "-r", SOURCES / name / "requirements.txt"])
    return folder / "bin" / "python"


def node_client(name: str) -> Path:
    """A folder with the files of clients/<name> and the node_modules that its package-lock.json lists."""
    with _environment(name, "package-lock.json") as (folder, old):
        folder.mkdir(parents=True, exist_ok=True)
        for source in (SOURCES / name).iterdir():
            if source.is_file():
                shutil.copy(source, folder)
        if old:
            _run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], folder)
    return folder


@contextmanager
def _environment(name: str, packages: str) -> Iterator[tuple[Path, bool]]:
    """(folder, whether it is to be made anew), while no other process makes it; what fails is not taken as made."""
    BUILD.mkdir(parents=True, exist_ok=True)
    wanted = hashlib.sha256(sys.version.encode() + (SOURCES / name / packages).read_bytes()).hexdigest()
    made = BUILD / f"{name}.made"
    with open(BUILD / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        old = not made.exists() or made.read_text() != wanted
        yield BUILD / name, old
        made.write_text(wanted)


def _run(command: Sequence[str | Path], folder: Path | None = None) -> None:
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=_LIMIT,
    )  # fmt: skip
    assert done.returncode == 0, f"{command[:3]}: {done.stderr[-2000:]}"
