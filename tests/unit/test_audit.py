"""What `make audit` refuses, and what it says where it could not look."""

import json
from typing import Any

from packaging.utils import canonicalize_name

from tests.audit.licences import refused
from tests.audit.runtime import runtime
from tests.audit.sbom import only
from tests.audit.vulnerabilities import Looked, read, verdict


def test_only_what_the_service_needs_counts() -> None:
    names = runtime()
    assert {"flask", "rq", "werkzeug", "psycopg-binary", "numpy"} <= names  # the fourth by an extra
    assert not {"pytest", "ruff", "torch", "comment-moderation"} & names


def test_licences_that_are_not_on_the_list_are_refused() -> None:
    good = {"a": "MIT", "b": "Apache-2.0 OR GPL-3.0-only", "c": "BSD License; MIT License", "psycopg": "LGPL-3.0-only"}
    assert refused(good) == []
    bad = {"a": "GPL-3.0-only", "b": "MIT AND GPL-2.0-only", "c": "LGPL-3.0-only", "d": "UNKNOWN", "e": "",
           "f": "not found", "g": "MIT License; GNU General Public License (GPL)"}  # fmt: skip
    assert [line.partition(":")[0] for line in refused(bad)] == sorted(bad)


def report(*libraries: dict[str, Any]) -> str:
    return json.dumps({"dependencies": libraries, "fixes": []})


ours = {"name": "comment-moderation", "skip_reason": "distribution marked as editable"}
well = {"name": "flask", "version": "3", "vulns": []}
strange = {"name": "rq", "skip_reason": "Dependency not found on PyPI and could not be audited: rq (3.0.0)"}
holed = {"name": "jinja2", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"], "description": "x"}]}


def test_a_known_hole_fails_whatever_another_database_says() -> None:
    looks = [read(report(ours, holed, well)), Looked([], None)]
    assert verdict(looks) == (1, "KNOWN HOLES:\n  jinja2 2: PYSEC-1, mended in 3")
    assert verdict(looks[::-1])[0] == 1


def test_nothing_is_good_only_when_all_was_looked_at() -> None:
    assert verdict([read(report(ours, well))]) == (0, "no known holes")
    assert verdict([read(report(strange, well)), read(report(well))]) == (0, "no known holes")


def test_what_was_not_looked_at_is_said_loudly() -> None:
    for said, why in ((read(""), "no network"), (read(report(ours, strange, well)), "no word of 1 libraries")):
        status, words = verdict([said, read("no JSON")])
        assert status == 0
        assert f"VULNERABILITIES NOT LOOKED UP: {why}" in words


def test_the_list_holds_what_runs_and_nothing_else() -> None:
    part = lambda name: {"bom-ref": f"{name}==1", "name": name, "version": "1", "externalReferences": ["file:///home"]}
    document = {
        "metadata": {"tools": []}, "components": [part(name) for name in ("comment-moderation", "Flask", "pytest")],
        "dependencies": [{"ref": "comment-moderation==1", "dependsOn": ["Flask==1", "pytest==1"]}, {"ref": "Flask==1"},
                         {"ref": "pytest==1"}],
    }  # fmt: skip
    made = only(document, {canonicalize_name("flask")})
    assert [one["name"] for one in made["components"]] == ["Flask"]
    assert made["metadata"]["component"] == {
        "bom-ref": "comment-moderation==1", "name": "comment-moderation", "version": "1", "type": "application",
    }  # fmt: skip
    assert made["dependencies"] == [
        {"ref": "comment-moderation==1", "dependsOn": ["Flask==1"]}, {"ref": "Flask==1", "dependsOn": []},
    ]  # fmt: skip
