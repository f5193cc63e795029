"""Each threat of SECURITY.md has a defence that exists and a test that exists."""

import ast
import re
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLASSES = {
    "S": "Spoofing", "T": "Tampering", "R": "Repudiation", "I": "Information disclosure", "D": "Denial of service",
    "E": "Elevation of privilege",
}  # fmt: skip


@dataclass(frozen=True)
class Threat:
    """One row of the table, cell by cell."""

    id: str
    kind: str
    threat: str
    defence: str
    test: str


def _threats() -> Iterator[Threat]:
    _, _, table = (ROOT / "SECURITY.md").read_text("utf-8").partition("| id | class |")
    for line in table.partition("\n\n")[0].splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        assert len(cells) == 5, f"not five cells: {line}"
        yield Threat(*cells)


THREATS = list(_threats())


@cache
def _tests(module: Path) -> frozenset[str]:
    """Names of the module's test functions, methods as Class::name, parametrised ones without their parameters."""
    found = set()
    for node in ast.parse(module.read_text("utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        before = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        found |= {before + one.name for one in inside if isinstance(one, ast.FunctionDef)}
    return frozenset(found)


def test_every_class_of_stride_is_there_and_every_id_once() -> None:
    assert {threat.kind for threat in THREATS} == set(CLASSES.values())
    ids = [threat.id for threat in THREATS]
    assert len(ids) == len(set(ids))
    for letter in CLASSES:
        numbers = [int(id[1:]) for id in ids if id[0] == letter]
        assert numbers == list(range(1, len(numbers) + 1)), letter


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: threat.id)
def test_each_threat_is_answered(threat: Threat) -> None:
    assert all(astuple(threat))
    assert CLASSES[threat.id[0]] == threat.kind
    modules = re.findall(r"`([\w./-]+)`", threat.defence)
    assert modules
    assert [name for name in modules if not (ROOT / name).exists()] == []
    node = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+|Test\w+::test_\w+)`", threat.test)
    assert node, threat.test
    assert node[2] in _tests(ROOT / node[1]), f"there is no {threat.test}"


def test_what_is_not_defended_is_said() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    assert [heading for heading in ("## Reporting a hole", "## Supported versions", "## Not defended")
            if heading not in text] == []  # fmt: skip
