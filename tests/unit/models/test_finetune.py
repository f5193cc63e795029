"""Fine-tuning, export and the whole run, on a made-up set and a network of one tiny layer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import ATTRIBUTES
from models.cascade import load_cascade
from models.datasets import Table
from models.encoder import Network as Applied
from models.encoder import load_encoder
from models.training.augment import augment, bare, swap_terms
from models.training.mixture import encoder_weights, epoch_rows
from models.training.recipe import Recipe

RECIPE = Recipe(rounds=((1, 1.0), (1, 0.5)), tokens=256, longest=16, rate=3e-3, by_layer=1.0, checkpoint=3)
WORDS = (
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "you",
    "are",
    "he",
    "was",
    "vile",
    "kind",
    "number",
    "it",
    "is",
    "a",
)


def quiet(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def made() -> Table:
    texts = [f"{a} {b} number {n}" for a in ("you are", "he was") for b in ("vile", "kind") for n in range(200)]
    vile = np.array(["vile" in text for text in texts], np.float32)
    labels = np.repeat(vile[:, None], len(ATTRIBUTES), axis=1)
    labels[::5, 2] = np.nan
    split = np.array(["train", "train", "tune", "test"] * (len(texts) // 4))
    weights = np.where(np.isnan(labels), 0, 1).astype(np.float32)
    return Table(texts, np.array(["civil-comments-balanced"] * len(texts)), split, labels, weights)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights and a vocabulary of a few words, laid out as the package's."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("base")
    vocabulary = {word: i for i, word in enumerate([*WORDS, *map(str, range(300))])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    import torch

    torch.manual_seed(5)
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(vocabulary), max_position_embeddings=130, **size)).save_pretrained(folder)
    return folder


@pytest.mark.torch
def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(made: Table, base: Path, tmp_path: Path) -> None:
    from models.training import finetune

    weights = encoder_weights(made)
    whole = finetune.finetune(made, weights, base, tmp_path / "whole.pt", "run", RECIPE, quiet)

    class Cut(Exception):
        pass

    stop = replace(RECIPE, checkpoint=1)
    saved = finetune._save

    def save_once(*arguments: object) -> None:
        saved(*arguments)  # type: ignore[arg-type]
        raise Cut

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finetune, "_save", save_once)
        with pytest.raises(Cut):
            finetune.finetune(made, weights, base, tmp_path / "cut.pt", "run", stop, quiet)
    again = finetune.finetune(made, weights, base, tmp_path / "cut.pt", "run", RECIPE, quiet)
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), atol=1e-6)


@pytest.mark.torch
def test_a_checkpoint_of_another_run_is_not_taken_up(made: Table, base: Path, tmp_path: Path) -> None:
    from models.training import finetune

    weights, lines = encoder_weights(made), list[str]()
    one_epoch = replace(RECIPE, rounds=((1, 1.0),))
    finetune.finetune(made, weights, base, tmp_path / "a.pt", "one", one_epoch, quiet)
    kept = (tmp_path / "a.pt").stat().st_mtime_ns
    finetune.finetune(made, weights, base, tmp_path / "a.pt", "other", one_epoch, lines.append)
    assert (tmp_path / "a.pt").stat().st_mtime_ns > kept
    assert any("steps" in line for line in lines)


@pytest.mark.torch
def test_missing_labels_change_nothing(made: Table, base: Path) -> None:
    import torch

    from models.training.finetune import Network, _loss, _tensors

    torch.manual_seed(1)
    network = Network(base, len(ATTRIBUTES), 0.0).eval()
    rows, ids = np.array([0, 5]), [[2, 5, 6, 3], [2, 7, 8, 3]]
    assert np.isnan(made.labels[rows, 2]).all()
    weights = encoder_weights(made)
    before = _loss(network, _tensors(ids, rows, made, weights)).item()
    other = replace(made, labels=np.where(np.isnan(made.labels), 1, made.labels).astype(np.float32))
    assert _loss(network, _tensors(ids, rows, other, weights)).item() == before


@pytest.mark.torch
def test_the_exported_network_is_the_trained_one(made: Table, base: Path, tmp_path: Path) -> None:
    import torch

    from models.training.export import to_onnx, tokenizer_file
    from models.training.finetune import finetune

    network = finetune(made, encoder_weights(made), base, tmp_path / "n.pt", "run", RECIPE, quiet)
    applied = Applied(to_onnx(network), tokenizer_file(base))
    assert json.loads(tokenizer_file(base))["padding"] is None
    for text in ("you are vile", "he was kind number 7"):
        ids = torch.tensor(applied.windows([text])[0])
        with torch.no_grad():
            expected = network.embed(ids, torch.ones_like(ids)).numpy()[0]
        (found,) = applied.embed([text])
        alike = float(found[0] @ expected / np.linalg.norm(found[0]) / np.linalg.norm(expected))
        assert alike > 0.97


@pytest.mark.torch
def test_the_whole_run_twice_gives_the_same_artefacts_and_they_know_the_word(
    made: Table, base: Path, tmp_path: Path
) -> None:
    from models.train import Run, train_cascade, train_encoder, train_linear

    for name in ("one", "two"):
        run = Run(made, tmp_path / name, tmp_path / f"work-{name}", quiet, RECIPE, base)
        run.work.mkdir()
        for step in (train_linear, train_encoder, train_cascade):
            step(run)
    one, two = load_cascade(tmp_path / "one" / "cascade"), load_cascade(tmp_path / "two" / "cascade")
    texts = ["you are vile number 3", "he was kind number 7", "it is a number"]
    np.testing.assert_allclose(one.log_odds(texts), two.log_odds(texts), atol=1e-3)
    vile, kind, _ = one.score(texts)
    assert vile["TOXICITY"] > kind["TOXICITY"]
    assert load_encoder(tmp_path / "one" / "encoder").score([texts[0]])[0].keys() == vile.keys()


def test_an_epoch_takes_train_rows_only_and_the_same_ones_each_time(made: Table) -> None:
    rows = epoch_rows(made, 0)
    assert set(made.split[rows]) == {"train"}
    assert (rows == epoch_rows(made, 0)).all()
    assert len(rows) == 2 * (made.split == "train").sum()  # news comments count twice


def test_changes_to_texts_keep_their_sense() -> None:
    texts = ["The Muslims next door, and one muslim more!", "plain words, here", "no"] * 20
    changed = augment(texts, [False] * len(texts), 3)
    assert changed == augment(texts, [False] * len(texts), 3)
    assert augment(texts[1:2], [False], 3) == changed[1:2]
    assert changed != texts
    import random

    swapped = swap_terms("Muslims are people. I know muslims.", random.Random(4))
    assert "uslim" not in swapped or swapped == "Muslims are people. I know muslims."
    assert bare('He said: "no!"').split() == ["He", "said", "no"]
