"""What all tests share. Skips live here, in one function; with CI set, a missing program is a failure instead."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.e2e.clients.environments import clients

# No test judges by time: a busy machine is no mistake of the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

CHROMIUM = "/usr/bin/chromium"


def postgresql_programs() -> Path | None:
    """Folder of initdb and postgres, or None."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("initdb"):
        folders.append(Path(found).parent)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


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
    "browser": None if os.access(CHROMIUM, os.X_OK) else f"Chromium is not installed ({CHROMIUM})",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The one place where tests are skipped, and it says for want of what."""
    for item in items:
        for marker, want in MISSING.items():
            if want and item.get_closest_marker(marker):
                if os.environ.get("CI"):
                    raise pytest.UsageError(f"{want}, and in CI nothing is skipped")
                item.add_marker(pytest.mark.skip(reason=want))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many tests were skipped also when there were none."""
    terminalreporter.write_line(f"{len(terminalreporter.stats.get('skipped', []))} skipped")


pytest_plugins = ["tests.databases", "tests.services", "tests.browser", "tests.embedding"]
