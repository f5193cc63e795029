"""Encoder and cascade: windows, the gate, what is refused. What every scorer must do is in test_scorers.py."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import ARTEFACTS, ATTRIBUTES, ArtefactError
from models.artefacts import read_artefact, write_artefact
from models.cascade import CascadeScorer, Combination, calls_for_a_second_look, load_cascade, sizes_of, worth
from models.encoder import HEAD, WINDOW, EncoderScorer, Head, load_encoder
from models.evidence import NAMES
from models.wording import wording

COUNT, SIGNS = len(ATTRIBUTES), len(NAMES)


@pytest.fixture(scope="module")
def encoder() -> EncoderScorer:
    return load_encoder(ARTEFACTS / "encoder")


@pytest.fixture(scope="module")
def cascade() -> CascadeScorer:
    return load_cascade(ARTEFACTS / "cascade")


def made(limits: tuple[float, float]) -> Combination:
    """A combination that takes the encoder's word where it ran, else the linear scorer's."""
    both = np.zeros((2 * COUNT + SIGNS, COUNT), np.float32)
    both[COUNT : 2 * COUNT] = np.eye(COUNT)
    alone = np.zeros((COUNT + SIGNS, COUNT), np.float32)
    alone[:COUNT] = np.eye(COUNT)
    none, gate = np.zeros(COUNT, np.float32), np.eye(COUNT, dtype=np.float32)[0]
    return Combination(both, none, alone, none, gate, np.array(limits, np.float32))


def test_a_text_has_windows_that_overlap_and_are_bounded(encoder: EncoderScorer) -> None:
    one, many, huge = encoder.network.windows(["short", "word " * 300, "other " * 200_000])
    assert len(one) == 1
    assert all(len(ids) <= WINDOW for ids in [*many, *huge])
    assert len(many) == 3
    assert many[0][-20:-1] == many[1][-20:-1]
    assert len(huge) <= 24


def test_abuse_behind_a_long_calm_text_is_seen(encoder: EncoderScorer) -> None:
    calm = "The council met on Monday and talked about the budget for the library. " * 12
    alone, hidden, before = encoder.score(["You are a stupid idiot.", calm + "You are a stupid idiot.", calm])
    assert hidden["INSULT"] > 0.3 * alone["INSULT"]
    assert hidden["INSULT"] > 5 * before["INSULT"]


def test_the_highest_window_counts() -> None:
    head = Head(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))
    windows = [np.array([[1, 0, 0], [0, 2, 0]], np.float32), np.array([[-1, 0, 3]], np.float32)]
    assert head.log_odds(windows).tolist() == [[1, 2, 0], [-1, 0, 3]]
    assert head.log_odds([]).shape == (0, 3)


def test_signs_become_words_and_a_text_never_loses_its_words() -> None:
    assert wording(["You 🐀!"]) == ["you rat !"]
    assert wording(["see https://example.com now", "“quoted”"]) == ["see link now", '"quoted"']


def test_the_gate_wants_more_of_a_longer_text_and_less_of_a_telling_one() -> None:
    gate, linear = np.ones(COUNT, np.float32), np.zeros((2, COUNT), np.float32)
    short, long = worth(linear, gate, sizes_of(["x" * 30, "x" * 3000]))
    assert short > long
    seen = made((5.0, -5.0)).unsure(linear, np.array([False, True]), sizes_of(["x" * 100] * 2))
    assert seen.tolist() == [False, True]
    told = calls_for_a_second_look(["They should go back", 'He said "no"', "The bridge is closed"])
    assert told.tolist() == [True, True, False]


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_each_row_is_combined_on_its_own(seen: list[bool], seed: int) -> None:
    draw = np.random.default_rng(seed)
    linear = draw.normal(size=(len(seen), COUNT)).astype(np.float32)
    encoder = draw.normal(size=(sum(seen), COUNT)).astype(np.float32)
    odds = made((0.0, 0.0)).log_odds(linear, np.zeros((len(seen), SIGNS), np.float32), np.array(seen), encoder)
    rows = iter(encoder)
    for row, looked, words in zip(odds, seen, linear, strict=True):
        np.testing.assert_allclose(row, next(rows) if looked else words, atol=1e-5)


def test_what_words_do_not_give_away_is_explained_all_the_same(cascade: CascadeScorer) -> None:
    text = "The weather was fine on Sunday. You are a stupid idiot."
    found = cascade.explain(text, "INSULT")
    assert found
    assert "idiot" in " ".join(text[span.begin : span.end] for span in found)
    with pytest.raises(KeyError):
        cascade.explain(text, "NONE SUCH")


def copied(tmp_path: Path) -> Path:
    for name in ("linear", "encoder", "cascade"):
        shutil.copytree(ARTEFACTS / name, tmp_path / name)
    return tmp_path


def test_parts_of_another_fit_are_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    load_cascade(folder / "cascade")
    artefact = read_artefact(folder / "encoder")
    arrays = {HEAD: artefact.arrays[HEAD] | {"bias": artefact.arrays[HEAD]["bias"] + 1}}
    about = {k: v for k, v in artefact.manifest.items() if k not in ("files", "seal", "format_version")}
    write_artefact(folder / "encoder", arrays, about, artefact.files)
    load_encoder(folder / "encoder")
    with pytest.raises(ArtefactError, match="not fitted for the encoder"):
        load_cascade(folder / "cascade")


def test_a_missing_part_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "encoder" / "encoder.onnx").unlink()
    with pytest.raises(ArtefactError, match=r"encoder\.onnx is missing"):
        load_cascade(folder / "cascade")


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json"])
def test_files_that_are_whole_but_no_network_are_refused(tmp_path: Path, name: str) -> None:
    artefact = read_artefact(ARTEFACTS / "encoder")
    about = {k: v for k, v in artefact.manifest.items() if k not in ("files", "seal", "format_version")}
    write_artefact(tmp_path, artefact.arrays, about, artefact.files | {name: b"no such thing"})
    with pytest.raises(ArtefactError, match="can't be read"):
        load_encoder(tmp_path)


def test_a_head_of_another_shape_is_refused(tmp_path: Path) -> None:
    artefact = read_artefact(ARTEFACTS / "encoder")
    about = {k: v for k, v in artefact.manifest.items() if k not in ("files", "seal", "format_version")}
    small = {HEAD: {"weights": np.zeros((3, COUNT), np.float32), "bias": np.zeros(COUNT, np.float32)}}
    write_artefact(tmp_path, small, about, artefact.files)
    with pytest.raises(ArtefactError, match="does not fit its network"):
        load_encoder(tmp_path)
