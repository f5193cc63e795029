"""Refuses a library of the running service whose licence is not on the list. `python -m tests.audit.licences`."""

import json
import re
import subprocess
import sys

from packaging.utils import canonicalize_name

from tests.audit.runtime import runtime

# Permissive ones, by their SPDX names and by those of package indexes.
ALLOWED = {
    "0BSD", "Apache-2.0", "Apache Software License", "BSD-2-Clause", "BSD-3-Clause", "BSD License",
    "3-Clause BSD License", "CC0-1.0", "CNRI-Python", "ISC", "ISC License (ISCL)", "MIT", "MIT License", "MIT-0",
    "PSF-2.0", "Python Software Foundation License", "Unlicense", "Zlib",
}  # fmt: skip
# Used as they are, by import; what they ask is that changes to their own files stay open, and we make none.
ALLOWED_FOR = {
    "psycopg": {"LGPL-3.0-only"},
    "psycopg-binary": {"LGPL-3.0-only"},
    "certifi": {"Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"},
    "tqdm": {"MPL-2.0"},
}


def refused(licences: dict[str, str]) -> list[str]:
    """Name and licence of those that may not be used; licences as SPDX expressions, or names with `;` between."""
    return sorted(
        f"{name}: {licence}"
        for name, licence in licences.items()
        if not _good(licence, ALLOWED | ALLOWED_FOR.get(name, set()))
    )


def _good(licence: str, allowed: set[str]) -> bool:
    """All that AND joins must be allowed, of what OR joins one; what is written in another way is none."""
    parts = re.split(r";| AND ", licence)
    return all(any(one.strip() in allowed for one in part.split(" OR ")) for part in parts)


def installed() -> dict[str, str]:
    """Licence by name of all that the service runs with."""
    names = runtime()
    command = [sys.executable, "-m", "piplicenses", "--format=json", "--from=mixed", "--with-system"]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = {str(canonicalize_name(one["Name"])): str(one["License"]) for one in said}
    return {name: found.get(name, "not found") for name in names}


if __name__ == "__main__":
    licences = installed()
    if bad := refused(licences):
        sys.exit("licences that may not be used:\n  " + "\n  ".join(bad))
    print(f"licences: {len(licences)} libraries, all may be used")
