"""A broken artefact in the real service: said by readyz, everything held, nothing published, and decided afterwards."""

import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models import ARTEFACTS
from models.artefacts import MANIFEST, WEIGHTS
from tests.databases import until
from tests.e2e.test_up import decided
from tests.services import ABUSE, Running, Unready, a_comment

THREAD = "/v1/threads?article_url=https://news.example/a"


def flip(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / WEIGHTS).write_bytes(data)


def remove(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def other_version(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | {"format_version": 1}))


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return Path.touch, (Path(self.trace),)  # type: ignore[return-value]


def pickle_inside(folder: Path) -> None:
    (folder / "extra.pkl").write_bytes(pickle.dumps(Trap(folder.parent / "opened")))


def pickle_instead(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(pickle.dumps(Trap(folder.parent / "opened")))


FAULTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "flipped byte": (flip, f"artefact file {WEIGHTS} does not match its checksum in {MANIFEST}"),
    "missing file": (remove, f"artefact file {WEIGHTS} is missing"),
    "other version": (other_version, "artefact has format version '1', this program reads 2"),
    "pickle inside": (pickle_inside, "artefact folder holds 'extra.pkl', which may be a pickle"),
    "pickle instead": (pickle_instead, f"artefact file {WEIGHTS} is a pickle or an archive that may hold one"),
}


def test_the_trap_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Trap(tmp_path / "opened")))
    assert (tmp_path / "opened").exists()


@pytest.fixture
def artefacts(tmp_path: Path) -> Path:
    """A folder of artefacts with a copy of the one that ships."""
    shutil.copytree(ARTEFACTS / "linear", tmp_path / "artefacts" / "linear")
    return tmp_path / "artefacts"


@pytest.fixture
def started(tmp_path: Path, artefacts: Path) -> Iterator[Callable[[type[Running]], Running]]:
    """Starts the service on these artefacts."""
    services: list[Running] = []

    def begin(kind: type[Running]) -> Running:
        env = {"MODERATION_ARTEFACTS": str(artefacts), "MODERATION_SCORER": "linear"}
        services.append(kind(tmp_path / "data", env=env))
        return services[-1]

    yield begin
    for service in services:
        service.stop()


def comment(running: Running, external_id: str) -> dict[str, Any]:
    found: dict[str, Any] = running.call("GET", f"/v1/comments?external_id={external_id}")[1]
    return found


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_artefact(started: Callable[[type[Running]], Running], artefacts: Path, fault: str) -> None:
    break_it, reason = FAULTS[fault]
    break_it(artefacts / "linear")
    running = started(Unready)
    status, ready = running.call("GET", "/readyz", key=None)
    assert (status, ready["parts"]["scorer"]) == (503, f"linear: {reason}")
    assert running.call("GET", "/readyz?for=web", key=None)[0] == 200

    for external_id, body in (("fine", "Thank you, a clear summary."), ("abuse", ABUSE)):
        assert running.call("POST", "/v1/comments", a_comment(external_id, body=body))[0] == 202
        assert decided(running, external_id) == "held"
        held = comment(running, external_id)
        assert [said["rule"] for said in held["decision"]["reasons"]] == ["not_scored"]
        assert held["scores"] == {}
    assert running.call("GET", THREAD)[1] == {"comments": []}
    running.stop()
    log = running.log.read_text()
    assert f"scorer linear: {reason}" in log
    assert "Traceback" not in log
    assert not (artefacts / "opened").exists()

    shutil.rmtree(artefacts / "linear")
    shutil.copytree(ARTEFACTS / "linear", artefacts / "linear")
    running = started(Running)
    until(lambda: comment(running, "fine")["status"] == "approved", 60, "a new verdict")
    until(lambda: comment(running, "abuse")["scores"] != {}, 60, "scores")
    abuse = comment(running, "abuse")
    assert abuse["status"] == "held"
    assert "not_scored" not in [said["rule"] for said in abuse["decision"]["reasons"]]
    events = running.call("GET", "/v1/events")[1]["events"]
    told = [event["type"] for event in events if event["data"]["external_id"] == "fine"]
    assert told == ["comment.held", "comment.approved"]
    assert running.call("POST", "/v1/comments", a_comment("later"))[0] == 202
    assert decided(running, "later") == "approved"
    assert len(running.call("GET", THREAD)[1]["comments"]) == 2


def test_no_folder_of_artefacts(started: Callable[[type[Running]], Running], artefacts: Path) -> None:
    shutil.rmtree(artefacts)
    ready = started(Unready).call("GET", "/readyz", key=None)[1]
    assert ready["parts"]["scorer"] == f"linear: artefact file {MANIFEST} is missing"
