"""Known holes of all that is installed, by pip-audit. `python -m tests.audit.vulnerabilities`.

A hole that is found fails. Where the databases can't be asked, that is said and does not fail: one may build without a
network, but nobody may take that for a build that was looked at.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from tests.audit.runtime import ROOT

SERVICES = ("pypi", "osv")


@dataclass(frozen=True)
class Looked:
    """`found`: holes, a line each. `unknown`: libraries that the database does not know; None: it was not reached."""

    found: list[str]
    unknown: list[str] | None


def read(said: str) -> Looked:
    """What a report of pip-audit (JSON) tells. pip-audit itself calls it a success when it found no library at all."""
    try:
        libraries: list[dict[str, Any]] = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Looked([], None)
    found = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in libraries for hole in one.get("vulns", ())
    ]  # fmt: skip
    return Looked(found, [one["name"] for one in libraries if "skip_reason" in one and one["name"] != ROOT])


def verdict(looks: list[Looked]) -> tuple[int, str]:
    """(exit status, what to say) of what the databases told."""
    if found := sorted({line for looked in looks for line in looked.found}):
        return 1, "KNOWN HOLES:\n  " + "\n  ".join(found)
    reached = [looked.unknown for looked in looks if looked.unknown is not None]
    if [] in reached:
        return 0, "no known holes"
    bar = "!" * 64
    what = f"no word of {len(min(reached, key=len))} libraries" if reached else "no network"
    return 0, f"{bar}\n!! VULNERABILITIES NOT LOOKED UP: {what}\n!! run `make audit` where PyPI or OSV answer\n{bar}"


def ask(service: str) -> Looked:
    """Asks one database about all that is installed."""
    command = [
        sys.executable, "-m", "pip_audit", "--local", "--format=json", "--progress-spinner=off", "--timeout=10",
        f"--vulnerability-service={service}",
    ]  # fmt: skip
    return read(subprocess.run(command, check=False, capture_output=True, text=True).stdout)


def main() -> int:
    """Asks one database after another until one knows all."""
    looks: list[Looked] = []
    for service in SERVICES:
        looks.append(ask(service))
        if looks[-1].found or looks[-1].unknown == []:
            break
    status, said = verdict(looks)
    print(said, file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
