"""Installs the clients, each in an environment of its own below build/clients, once for each list of packages.

`python -m tests.e2e.clients.environments` installs all that are not there yet.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
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
            pip = ["-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--requirement"]
            _run([folder / "bin" / "python", *pip, SOURCES / name / "requirements.txt"])
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


def clients() -> Iterator[tuple[Callable[[str], Path], str, bool]]:
    """(how to install it, its name, whether it is installed) of every client that this machine can run."""
    for packages, install in (("requirements.txt", python_client), ("package-lock.json", node_client)):
        for name in sorted(path.parent.name for path in SOURCES.glob(f"*/{packages}")):
            made = BUILD / f"{name}.made"
            if install is python_client or shutil.which("npm"):
                yield install, name, made.exists() and made.read_text() == _digest(name, packages)


def _digest(name: str, packages: str) -> str:
    return hashlib.sha256(sys.version.encode() + (SOURCES / name / packages).read_bytes()).hexdigest()


@contextmanager
def _environment(name: str, packages: str) -> Iterator[tuple[Path, bool]]:
    """(folder, whether it is to be made anew), while no other process makes it; what fails is not taken as made."""
    BUILD.mkdir(parents=True, exist_ok=True)
    wanted, made = _digest(name, packages), BUILD / f"{name}.made"
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


if __name__ == "__main__":
    for install, name, installed in clients():
        if not installed:
            install(name)
