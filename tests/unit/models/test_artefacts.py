"""A damaged artefact is refused with one clear line, and nothing in it can run code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from models import ARTEFACTS, ArtefactError
from models.artefacts import MANIFEST, WEIGHTS
from models.linear import load_linear


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ARTEFACTS / "linear", tmp_path / "linear"))


def edit(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, **changes}))


def refused(folder: Path) -> str:
    with pytest.raises(ArtefactError) as caught:
        load_linear(folder)
    message = str(caught.value)
    assert message
    assert "\n" not in message
    assert str(folder) not in message
    return message


def test_flipped_byte(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / WEIGHTS).write_bytes(bytes(data))
    assert "checksum" in refused(folder)


@pytest.mark.parametrize("name", [WEIGHTS, MANIFEST])
def test_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert name in refused(folder)


def test_other_format_version(folder: Path) -> None:
    edit(folder, format_version=2)
    assert "format version 2" in refused(folder)


def test_other_scorer_version(folder: Path) -> None:
    edit(folder, scorer_version="0")
    assert "linear" in refused(folder)


def test_manifest_that_is_not_json(folder: Path) -> None:
    (folder / MANIFEST).write_text("{")
    assert "JSON" in refused(folder)


def test_manifest_that_lists_a_further_file(folder: Path) -> None:
    edit(folder, files={WEIGHTS: {"sha256": ""}, "model.pkl": {"sha256": ""}})
    assert "no other file" in refused(folder)


def test_weights_that_are_a_pickle(folder: Path) -> None:
    import hashlib
    import pickle

    data = pickle.dumps({"weights": [1.0]})
    (folder / WEIGHTS).write_bytes(data)
    edit(folder, files={WEIGHTS: {"sha256": hashlib.sha256(data).hexdigest()}})
    assert "safetensors" in refused(folder)


def test_attributes_that_do_not_fit(folder: Path) -> None:
    edit(folder, attributes=["TOXICITY"])
    assert "fit" in refused(folder)


def test_shipped_artefact_is_small_and_whole() -> None:
    manifest = json.loads((ARTEFACTS / "linear" / MANIFEST).read_text())
    assert (ARTEFACTS / "linear" / WEIGHTS).stat().st_size < 4_500_000
    assert set(manifest["operating_points"]["thresholds"]) == set(manifest["attributes"])
    assert not any("/" in name for name in manifest["sets"])
