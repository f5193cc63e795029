"""A CycloneDX list of what the service runs with. `python -m tests.audit.sbom FILE`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from packaging.utils import canonicalize_name

from tests.audit.runtime import ROOT, runtime


def only(document: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """The document with these components of the service, and what depends on what among them."""
    by_name = {str(canonicalize_name(one["name"])): one for one in document["components"]}
    service = {key: by_name[ROOT][key] for key in ("bom-ref", "name", "version")} | {"type": "application"}
    components = [one for name, one in sorted(by_name.items()) if name in names]
    kept = {one["bom-ref"] for one in [*components, service]}
    tree = [
        one | {"dependsOn": [on for on in one.get("dependsOn", ()) if on in kept]}
        for one in document["dependencies"] if one["ref"] in kept
    ]  # fmt: skip
    about = document["metadata"] | {"component": service}
    return document | {"metadata": about, "components": components, "dependencies": tree}


def make() -> str:
    """The list as JSON, valid under the schema that it names. Raises SystemExit when it is not, or not whole."""
    command = [
        sys.executable, "-m", "cyclonedx_py", "environment", "--output-format=JSON", "--output-reproducible",
        "--no-validate", "--output-file=-", sys.executable,
    ]  # fmt: skip
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    names = {str(name) for name in runtime()}
    document = only(json.loads(said), names)
    if missing := names - {canonicalize_name(one["name"]) for one in document["components"]}:
        raise SystemExit(f"not in the list: {', '.join(sorted(missing))}")
    text = json.dumps(document, indent=2)
    version = SchemaVersion.from_version(document["specVersion"])
    if error := make_schemabased_validator(OutputFormat.JSON, version).validate_str(text):
        raise SystemExit(f"the list is not valid: {error}")
    return text


if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(make() + "\n", "utf-8")
    print(f"{out}: what the service runs with, as CycloneDX")
