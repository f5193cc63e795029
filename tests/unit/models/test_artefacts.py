"""A damaged artefact is refused with one clear line that names the file, and nothing in it can run code."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from models import ARTEFACTS, ArtefactError, artefacts, load_scorer
from models.artefacts import MANIFEST, WEIGHTS, read_artefact, read_manifest, write_artefact, write_manifest

FACTS = {"scorer": "small", "scorer_version": "1", "attributes": ["INSULT"]}
ARRAYS: dict[str, dict[str, Any]] = {
    WEIGHTS: {"weights": np.arange(4, dtype=np.float16), "ids": np.arange(3, dtype=np.int64)}
}
FILES = {"encoder.onnx": b"\x08\x08 a network", "tokenizer.json": b'{"a": 1}'}
PICKLE = pickle.dumps({"weights": [1.0]})


def write(folder: Path, files: dict[str, bytes] | None = None, **facts: Any) -> Path:
    write_artefact(folder, ARRAYS, {**FACTS, **facts}, FILES | (files or {}))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "small")


def edit(folder: Path, **changes: Any) -> None:
    """Changes the manifest and seals it again."""
    write_manifest(folder, {**read_manifest(folder), **changes})


def relist(folder: Path, name: str, **changes: Any) -> None:
    """Changes what the manifest says of one file."""
    files = read_manifest(folder)["files"]
    edit(folder, files={**files, name: {**files.get(name, {}), **changes}})


def zipped() -> bytes:
    """As torch.save writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", PICKLE)
    return buffer.getvalue()


def refused(folder: Path, read: Callable[[Path], object] = read_artefact) -> str:
    with pytest.raises(ArtefactError) as caught:
        read(folder)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    assert str(folder.parent) not in message
    return message


def test_what_is_written_is_read(folder: Path) -> None:
    found = read_artefact(folder)
    assert {name: sorted(arrays) for name, arrays in found.arrays.items()} == {WEIGHTS: ["ids", "weights"]}
    assert found.arrays[WEIGHTS]["weights"].tolist() == [0, 1, 2, 3]
    assert found.files == FILES
    assert found.manifest["scorer"] == "small"


def test_the_same_input_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = write(tmp_path / "again")
    for path in folder.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_files_that_no_scorer_reads_may_lie_there(folder: Path) -> None:
    for name in ("CARD.md", "README.md", "figures.json"):
        (folder / name).write_text("words")
    assert read_artefact(folder).files == FILES


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_byte_of_any_file_is_refused(folder: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([MANIFEST, WEIGHTS, *FILES]))
    path = folder / name
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[at]))
    path.write_bytes(whole[:at] + bytes([other]) + whole[at + 1 :])
    try:
        message = refused(folder)
        assert name in message or "format version" in message
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS, *FILES])
@pytest.mark.parametrize("size", ["missing", "empty", "short", "long", "a folder"])
def test_a_file_that_is_not_whole(folder: Path, name: str, size: str) -> None:
    path = folder / name
    whole = path.read_bytes()
    path.unlink()
    if size == "a folder":
        path.mkdir()
    elif size != "missing":
        path.write_bytes({"empty": b"", "short": whole[:-1], "long": whole + b" "}[size])
    message = refused(folder)
    assert name in message
    if size == "missing":
        assert "missing" in message


@pytest.mark.parametrize("version", [1, 3, "2", None, [2]])
def test_other_format_version(folder: Path, version: object) -> None:
    edit(folder, format_version=version)
    assert "this program reads 2" in refused(folder)


@pytest.mark.parametrize("text", ["{", "", "[]", "[" * 100_000, '{"format_version": 2}', "\ud800"])
def test_manifest_that_is_none(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_bytes(text.encode("utf-8", "surrogatepass"))
    assert MANIFEST in refused(folder)


def test_manifest_edited_by_hand(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["scorer_version"] = "2"
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    assert "seal" in refused(folder)


@pytest.mark.parametrize(
    "name",
    ["../small.safetensors", "/etc/w.safetensors", "a/b.onnx", "a\\b.onnx", ".onnx", "..safetensors", "w.onnx\n",
     "w.pkl", "weights.bin", "model.pt", "vocab.txt", "other.json", "CARD.md", "", "a\x00.onnx"],
)  # fmt: skip
def test_names_that_no_manifest_may_list(folder: Path, name: str) -> None:
    relist(folder, name, sha256="", bytes=0)
    assert "which no artefact may hold" in refused(folder)
    with pytest.raises(ValueError, match="can't hold"):
        write_artefact(folder, {}, FACTS, {name: b""})


@pytest.mark.parametrize("files", [None, [], {}, "weights.safetensors", {WEIGHTS: None}, {WEIGHTS: {"bytes": "9"}}])
def test_lists_of_files_that_say_nothing(folder: Path, files: object) -> None:
    for name in FILES:
        (folder / name).unlink()
    edit(folder, files=files)
    assert MANIFEST in refused(folder)


@pytest.mark.parametrize("attributes", [None, "INSULT", [1], {}])
def test_attributes_that_are_no_names(folder: Path, attributes: object) -> None:
    edit(folder, attributes=attributes)
    assert "attributes" in refused(folder)


@pytest.mark.parametrize("name", ["notes.txt", "more.safetensors", "w.onnx", ".hidden", "weights.safetensors~"])
def test_a_file_that_is_not_listed(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"x")
    message = refused(folder)
    assert name in message
    assert "does not list" in message


def test_a_folder_inside(folder: Path) -> None:
    (folder / "more").mkdir()
    assert "'more'" in refused(folder)


@pytest.mark.parametrize("name", ["m.pkl", "m.pickle", "m.joblib", "m.pt", "m.PT", "m.bin", "m.npy", "m.npz"])
def test_a_pickle_by_its_name(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"x")
    message = refused(folder)
    assert name in message
    assert "pickle" in message


def npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], object), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize("name", [WEIGHTS, "encoder.onnx", "tokenizer.json", "CARD.md", "figures.json"])
@pytest.mark.parametrize(
    "content", [*(pickle.dumps({"w": [1.0] * 9}, protocol) for protocol in (2, 3, 4, 5)), zipped(), npy()]
)
def test_a_pickle_by_its_bytes(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    message = refused(folder)
    assert name in message
    assert "pickle" in message


def test_a_listed_pickle_that_looks_like_text_is_not_parsed_as_one(folder: Path) -> None:
    write_artefact(folder, {}, FACTS, FILES | {WEIGHTS: pickle.dumps([1.0], protocol=0)})
    assert "not a safetensors file" in refused(folder)


def test_a_header_of_640_bytes_is_no_pickle(tmp_path: Path) -> None:
    """Its length, the first eight bytes, begins as a pickle does."""
    arrays = {"w": np.zeros(1, np.float32)}
    made = (save({"w" * n: arrays["w"]}) for n in range(1, 600))
    data = next(data for data in made if data.startswith(b"\x80\x02"))
    write_artefact(tmp_path / "a", {}, FACTS, {WEIGHTS: data})
    assert read_artefact(tmp_path / "a").arrays[WEIGHTS]


@pytest.mark.parametrize("target", ["/etc/hostname", "../elsewhere", "loop"])
def test_links_that_lead_out(folder: Path, target: str) -> None:
    (folder.parent / "elsewhere").write_bytes((folder / WEIGHTS).read_bytes())
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to(WEIGHTS if target == "loop" else target)
    assert WEIGHTS in refused(folder)


def test_a_pipe_does_not_hang_it(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    os.mkfifo(folder / WEIGHTS)
    assert "not a file" in refused(folder)


def test_a_linked_folder_is_fine(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert read_artefact(link).files == FILES


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_numbers_that_are_none(tmp_path: Path, number: float, kind: type[np.floating[Any]]) -> None:
    write_artefact(tmp_path / "a", {WEIGHTS: {"w": np.array([0, number], kind)}}, FACTS)
    message = refused(tmp_path / "a")
    assert WEIGHTS in message
    assert "finite" in message


def test_a_network_with_data_in_another_file(tmp_path: Path) -> None:
    """A tensor of ONNX (TensorProto) with external_data {location: ../secret} and data_location EXTERNAL."""
    entry = b"\x0a\x08location\x12\x09../secret"
    tensor = b"\x08\x01\x10\x01\x42\x01w\x6a" + bytes([len(entry)]) + entry + b"\x70\x01"
    graph = b"\x2a" + bytes([len(tensor)]) + tensor
    network = b"\x08\x08\x3a" + bytes([len(graph)]) + graph
    write_artefact(tmp_path / "a", {}, FACTS, {"encoder.onnx": network})
    assert "another file" in refused(tmp_path / "a")


def test_the_digest_pins_what_scores_depend_on(folder: Path) -> None:
    before = artefacts.manifest_digest(folder)
    edit(folder, operating_points={"thresholds": {"INSULT": 0.5}})
    assert artefacts.manifest_digest(folder) == before
    edit(folder, scorer_version="2")
    assert artefacts.manifest_digest(folder) != before
    write(folder, {"tokenizer.json": b'{"a": 2}'})
    assert artefacts.manifest_digest(folder) != before
    (folder / MANIFEST).unlink()
    assert MANIFEST in refused(folder, artefacts.manifest_digest)


def linear(folder: Path) -> object:
    return load_scorer("linear", folder.parent)


def copy_linear(to: Path, **facts: Any) -> Path:
    found = read_artefact(ARTEFACTS / "linear")
    write_artefact(to / "linear", found.arrays, {**found.manifest, **facts})
    return to / "linear"


def test_a_scorer_from_another_folder(tmp_path: Path) -> None:
    copy_linear(tmp_path)
    assert load_scorer("linear", tmp_path).score(["you idiot"]) == load_scorer("linear").score(["you idiot"])
    assert MANIFEST in refused(tmp_path / "none" / "linear", linear)


@pytest.mark.parametrize(
    "facts", [{"scorer_version": "0"}, {"scorer": "encoder"}, {"features": None}, {"attributes": ["TOXICITY"]}]
)
def test_an_artefact_that_is_not_for_this_scorer(tmp_path: Path, facts: dict[str, Any]) -> None:
    folder = copy_linear(tmp_path, **facts)
    assert read_artefact(folder)
    refused(folder, linear)


def test_shipped_artefact_is_small_and_whole() -> None:
    found = read_artefact(ARTEFACTS / "linear")
    assert found.manifest["files"][WEIGHTS]["bytes"] < 4_500_000
    assert set(found.manifest["operating_points"]["thresholds"]) == set(found.manifest["attributes"])
    assert not any("/" in name for name in found.manifest["sets"])
