"""What all tests share. Skips live here, in one function; with CI set, a missing program is a failure instead."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2 import FileSystemBytecodeCache

from moderation import limits, queueing
from moderation.services import accounts
from tests.e2e.clients.environments import clients

# No test judges by time: a busy machine is no mistake of the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# Half of the time of all tests went into hashing passwords as slowly as it must be done outside.
accounts.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

# Nor of Redis: to a service a twentieth of a second is much, to a busy machine it is little.
limits._TIME_LIMIT = queueing._TIME_LIMIT = 5.0

CHROMIUM = "/usr/bin/chromium"


def postgresql_programs() -> Path | None:
    """Folder of initdb and postgres, or None."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        folders.append(Path(found).parent)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def may_mount_and_cut() -> bool:
    """Whether this machine lets us make network namespaces and mount memory."""
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        return False
    trial = [
        "unshare",
        "--net",
        "--mount",
        "--uts",
        "sh",
        "-c",
        "mount -t tmpfs none /mnt && ip link add line type veth peer name other",
    ]
    return subprocess.run(trial, capture_output=True).returncode == 0


# What no installing can bring, where the machine forbids it; also in CI it is skipped then, and said.
OF_THE_MACHINE = {"namespaces"}
MISSING = {
    "postgresql": None if postgresql_programs() else "PostgreSQL (initdb) is not installed",
    "torch": None
    if find_spec("torch") and find_spec("transformers") and find_spec("onnx")
    else "torch is not installed (make install-train)",
    "clients": None if all(made for _, _, made in clients()) else "other people's clients are missing (make clients)",
    "node": None if shutil.which("node") and shutil.which("npm") else "Node.js (node and npm) is not installed",
    "wordpress": None
    if Path("/usr/share/wordpress/wp-load.php").exists() and shutil.which("php") and shutil.which("mariadb-install-db")
    else "WordPress is not installed (Debian: wordpress wordpress-theme-twentytwentyone php-cli mariadb-server-core)",
    "namespaces": None if may_mount_and_cut() else "network namespaces and mounts need root, unshare and ip",
    "browser": None if os.access(CHROMIUM, os.X_OK) else f"Chromium is not installed ({CHROMIUM})",
}


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """For the many apps of a run; each would compile the same templates anew."""
    Flask.jinja_options = {"bytecode_cache": FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))}


@pytest.fixture(autouse=True)
def _redis_is_asked_anew() -> None:
    """All apps of this process have one limiter: that a former test took Redis away is no matter of the next."""
    limits.limiter._storage_dead = False
    limits._redis.silent_until = 0.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The one place where tests are skipped, and it says for want of what."""
    for item in items:
        for marker, want in MISSING.items():
            if want and item.get_closest_marker(marker):
                if os.environ.get("CI") and marker not in OF_THE_MACHINE:
                    raise pytest.UsageError(f"{want}, and in CI nothing is skipped")
                item.add_marker(pytest.mark.skip(reason=want))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many tests were skipped also when there were none."""
    terminalreporter.write_line(f"{len(terminalreporter.stats.get('skipped', []))} skipped")


pytest_plugins = ["tests.databases", "tests.services", "tests.integration.pages", "tests.browser", "tests.embedding"]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that PostgreSQL, which has a user of its own, can get into; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="place-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
