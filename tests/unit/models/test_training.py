"""The data table, its licence gate and splits, and a whole training run on a small made-up set."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from models import ATTRIBUTES, Span
from models.artefacts import WEIGHTS, write_artefact
from models.datasets import SPLITS, DataError, Table, load_table, split_of
from models.features import BITS, SETTINGS
from models.linear import NAME, VERSION, LinearScorer, from_arrays, load_linear
from models.sources import SOURCES, LicenceError, Row, Source, admit
from models.train import facts
from models.training.linear import fit, sparse

TEXTS = [f"{a} {b} number {n}" for a in ("you are", "he was") for b in ("vile", "kind") for n in range(60)]


def label(row: Row) -> dict[str, float]:
    vile = float(row["vile"])
    return dict.fromkeys(ATTRIBUTES, vile) if row["known"] == "1" else {"TOXICITY": vile}


MADE = Source("made", "MIT", label, natural=True)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "SOURCE.md").write_text("- Licence: MIT (made up for a test)\n")
    with gzip.open(tmp_path / "made" / "train.csv.gz", "wt", newline="") as out:
        writer = csv.DictWriter(out, ["text", "vile", "known"])
        writer.writeheader()
        for n, text in enumerate(TEXTS):
            writer.writerow({"text": text, "vile": int("vile" in text), "known": int(n % 3 != 0)})
        writer.writerow({"text": TEXTS[0].upper() + "!!", "vile": 1, "known": 1})
    return tmp_path


@pytest.fixture
def table(data: Path) -> Table:
    return load_table(data, sources=[MADE], say=lambda line: None)


def test_gate_refuses_what_is_not_permissive() -> None:
    for licence in ("CC BY-SA 4.0", "CC BY-NC-SA 4.0", "none", "GPL-3.0"):
        with pytest.raises(LicenceError):
            admit(Source("some", licence, label), without_unlicensed=False)
    with pytest.raises(LicenceError):
        admit(Source("some", "MIT", label, folder="sharealike/some"), without_unlicensed=False)


def test_gate_believes_the_notice_beside_the_data(data: Path) -> None:
    (data / "made" / "SOURCE.md").write_text("- Licence: CC BY-SA 4.0\n")
    with pytest.raises(LicenceError):
        load_table(data, sources=[MADE], say=lambda line: None)


def test_switch_leaves_out_the_one_set_without_a_licence() -> None:
    assert [s.name for s in SOURCES if not admit(s, without_unlicensed=True)] == ["dynahate"]
    assert all(admit(s, without_unlicensed=False) for s in SOURCES)


def test_missing_set_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        load_table(tmp_path, sources=[MADE], say=lambda line: None)


def test_splits_are_stable_and_disjoint_after_normalisation(table: Table) -> None:
    assert split_of("you are vile") == split_of("you are, vile!") == "train"
    assert set(table.split) == set(SPLITS)
    keys = [" ".join(text.lower().replace("!", "").split()) for text in table.texts]
    assert len(set(keys)) == len(keys)


def test_a_set_may_name_the_rows_that_are_its_test(data: Path) -> None:
    source = Source("made", "MIT", label, unseen=("vile", "1"))
    made = load_table(data, sources=[source], say=lambda line: None)
    made = made.where(made.source == "made")
    vile = np.array(["vile" in text for text in made.texts])
    assert (made.split[vile] == "test").all()
    assert set(made.split[~vile]) == {"train", "tune"}


def test_unknown_labels_stay_missing(table: Table) -> None:
    made = table.where(table.source == "made")
    first, second = (made.texts.index(TEXTS[n]) for n in (3, 1))
    assert np.isnan(made.labels[first, 1:]).all()
    assert (made.weights[first, 1:] == 0).all()
    assert not np.isnan(made.labels[second]).any()


def test_copy_adds_its_labels_and_no_row(table: Table) -> None:
    made = table.where(table.source == "made")
    assert len(made.texts) == len(TEXTS)
    assert not np.isnan(made.labels[made.texts.index(TEXTS[0])]).any()


def test_applied_scores_are_the_fitted_model(table: Table) -> None:
    arrays = fit(table, lambda line: None, bits=12)
    texts = [*table.texts[:50], "", "Ünïcode 😀 text", "a" * 5000]
    raw = sparse(texts, 12) @ arrays["weights"].astype(np.float32) + arrays["bias"]
    expected = 1 / (1 + np.exp(-(raw * arrays["slope"] + arrays["shift"])))
    rows = from_arrays(arrays, ATTRIBUTES).score(texts)
    assert np.array([list(row.values()) for row in rows]) == pytest.approx(expected, abs=1e-5)


def test_training_is_deterministic_and_learns(table: Table, tmp_path: Path) -> None:
    for name in ("one", "two"):
        about = facts(table, NAME, VERSION) | {"features": {**SETTINGS, "bits": 12}}
        write_artefact(tmp_path / name, {WEIGHTS: fit(table, lambda line: None, bits=12)}, about)
    assert (tmp_path / "one" / WEIGHTS).read_bytes() == (tmp_path / "two" / WEIGHTS).read_bytes()
    scorer = load_linear(tmp_path / "one")
    vile, kind = scorer.score(["you are vile", "you are kind"])
    assert vile["INSULT"] > kind["INSULT"]


def made_scorer(word: str) -> LinearScorer:
    """A scorer that knows one word."""
    slots = sparse([word]).indices
    weights = np.zeros((1 << BITS, len(ATTRIBUTES)), np.float32)
    weights[slots] = 1.0
    one, none = np.ones(len(ATTRIBUTES)), np.zeros(len(ATTRIBUTES))
    return from_arrays({"weights": weights, "bias": none, "slope": one, "shift": none}, ATTRIBUTES)


@pytest.mark.parametrize("word", ["idiot", "ID\u200bIOT", "іdіоt", "1d10t", "i d i o t", "idiooooot", "iｄíot"])
def test_spans_cover_the_word_as_it_was_written(word: str) -> None:
    known = "idioot" if "ooo" in word else "idiot"
    text = f"😀 see https://example.com, the {word}! said it"
    (span,) = made_scorer(known).explain(text, "INSULT")
    assert isinstance(span, Span)
    assert text[span.begin : span.end] == word


def test_nothing_stands_out_in_a_plain_text() -> None:
    assert made_scorer("idiot").explain("The weather was fine.", "INSULT") == []
