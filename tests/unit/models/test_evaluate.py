"""Evaluation: metrics against scikit-learn and by hand, kept scores, slices, sets that are only measured, the card."""

import gzip
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from models import ATTRIBUTES
from models.artefacts import FORMAT_VERSION, read_manifest, write_manifest
from models.card import render, write_card
from models.datasets import Table
from models.figures import judges, metrics, outside, peers, people, sections, test_split
from models.figures.judges import Judge
from models.figures.metrics import Floats
from models.figures.targets import Target, judged, reach, verdict
from models.scorer import ArtefactError
from models.slices import TERMS, TOPICS, groups_in, swear_words, topics_in
from models.sources import SOURCES
from models.validation_sets import CHECKS, Check, labelled, letters, pairs

random = np.random.default_rng(3)
LABEL = (random.random(600) < 0.3).astype(int)
SCORE = np.round(np.clip(random.normal(0.3 + 0.25 * LABEL, 0.2), 0, 1), 2)  # many ties


def test_metrics_are_those_of_scikit_learn_and_lie_in_their_intervals() -> None:
    found = metrics.measure(LABEL, SCORE)
    precision, recall, _ = precision_recall_curve(LABEL, SCORE)
    expected = {
        "roc_auc": roc_auc_score(LABEL, SCORE),
        "pr_auc": average_precision_score(LABEL, SCORE),
        "recall_at_p90": recall[precision >= 0.9].max(),
    }
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=5e-5)
        assert found[name][1] <= found[name][0] <= found[name][2]
    assert found["roc_auc"][1] < found["roc_auc"][2]
    assert (found["positive"], found["negative"]) == (LABEL.sum(), 600 - LABEL.sum())
    assert found == metrics.measure(LABEL, SCORE)  # nothing is drawn anew


def test_resamples_keep_the_number_of_each_class() -> None:
    drawn = metrics.draws(LABEL, 50)
    assert (drawn[0] == 1).all()
    assert (drawn[:, LABEL == 1].sum(axis=1) == LABEL.sum()).all()
    assert (drawn.sum(axis=1) == 600).all()
    assert (drawn[1:] != 1).any(axis=1).all()


def test_roc_curve_encloses_the_auc() -> None:
    x, y = metrics.roc(LABEL, SCORE, points=5000)
    assert np.trapezoid(y, x) == pytest.approx(roc_auc_score(LABEL, SCORE), abs=1e-9)
    assert len(metrics.roc(LABEL, SCORE, points=20)[0]) <= 21


def test_wilson_interval() -> None:
    assert metrics.wilson(0, 10) == [0.0, 0.0, 0.2775]  # by hand: z^2 / (n + z^2)
    assert metrics.wilson(50, 100)[0] == 0.5
    low, high = metrics.wilson(50, 100)[1:]
    assert low + high == pytest.approx(1)
    assert low == pytest.approx(0.4038, abs=1e-4)


def test_calibration_error_by_hand_and_with_a_share_of_positives() -> None:
    label, score = np.array([0, 0, 0, 1] * 5), np.array([0.05, 0.05, 0.95, 0.95] * 5)
    plain = metrics.calibration(label, score)
    assert plain["ece"][0] == pytest.approx(0.5 * 0.05 + 0.5 * 0.45)
    assert plain["bins"] == [{"rows": 10, "score": 0.05, "share": 0.0}, {"rows": 10, "score": 0.95, "share": 0.5}]
    assert plain["prevalence"] == 0.25
    weighted = metrics.calibration(label, score, prevalence=0.1)  # a civil row weighs 0.9 / 15, an abusive one 0.1 / 5
    share = 0.1 / (0.1 + 0.3)
    assert weighted["prevalence"] == 0.1
    assert weighted["ece"][0] == pytest.approx(0.6 * 0.05 + 0.4 * (0.95 - share), abs=1e-4)
    assert weighted["ece"][1] <= weighted["ece"][0] <= weighted["ece"][2]


def test_a_calibrated_score_has_a_small_error() -> None:
    score = random.random(20_000)
    label = (random.random(20_000) < score).astype(int)
    assert metrics.calibration(label, score)["ece"][0] < 0.02
    assert metrics.calibration(label, score**3)["ece"][0] > 0.1


def test_bpsn_falls_when_harmless_mentions_score_high_and_bnsp_when_abuse_of_the_group_scores_low() -> None:
    inside = np.arange(600) % 3 == 0
    plain = metrics.borkan(LABEL, SCORE, inside)
    rows = {
        "subgroup_auc": inside,
        "bpsn_auc": (inside & (LABEL == 0)) | (~inside & (LABEL == 1)),
        "bnsp_auc": (inside & (LABEL == 1)) | (~inside & (LABEL == 0)),
    }
    for name, kept in rows.items():
        assert plain[name][0] == pytest.approx(roc_auc_score(LABEL[kept], SCORE[kept]), abs=5e-5)
    raised = metrics.borkan(LABEL, np.where(inside, SCORE + 0.3, SCORE), inside)
    assert raised["bpsn_auc"][0] < plain["bpsn_auc"][0]
    assert raised["bnsp_auc"][0] > plain["bnsp_auc"][0]
    assert raised["subgroup_auc"] == plain["subgroup_auc"]
    assert metrics.borkan(LABEL, SCORE, np.arange(600) < 5) == {}  # too few rows


# --- kept scores ---


def _judge(key: str, asked: list[str], stop_after: int = 10**9) -> Judge:
    def score(texts: Sequence[str]) -> Floats:
        if len(asked) >= stop_after:
            raise KeyboardInterrupt
        asked.extend(texts)
        return np.array([[float(len(text)), np.nan] for text in texts])

    return Judge("judge", key, ("one", "two"), score)


def _ignore(line: str) -> None:
    pass


def test_a_text_is_scored_once_for_one_artefact(tmp_path: Path) -> None:
    asked: list[str] = []
    first = judges.matrix(_judge("a", asked), ["x", "yy", "x"], tmp_path, _ignore)
    assert first[:, 0].tolist() == [1, 2, 1]
    assert np.isnan(first[:, 1]).all()
    again = judges.matrix(_judge("a", asked), ["yy", "zzz"], tmp_path, _ignore)
    assert again[:, 0].tolist() == [2, 3]
    assert asked == ["x", "yy", "zzz"]
    judges.matrix(_judge("another artefact", asked), ["x"], tmp_path, _ignore)
    assert asked[3:] == ["x"]


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "_BATCH", 2)
    monkeypatch.setattr(judges, "_EVERY", -1.0)
    texts, asked = ["a", "bb", "ccc", "dddd", "eeeee"], list[str]()
    with pytest.raises(KeyboardInterrupt):
        judges.matrix(_judge("k", asked, stop_after=4), texts, tmp_path, _ignore)
    found = judges.matrix(_judge("k", asked), texts, tmp_path, _ignore)
    assert asked == texts
    assert found[:, 0].tolist() == [1, 2, 3, 4, 5]


def test_progress_says_how_much_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "_WORTH_SAYING", -1.0)
    said: list[str] = []
    judges.matrix(_judge("k", []), ["a", "b"], tmp_path, said.append)
    assert re.fullmatch(r"judge: 2 of 2 texts, \d+ s, about 0 s left", said[-1])


def test_scores_of_another_artefact_have_another_key(tmp_path: Path) -> None:
    folder = tmp_path / "linear"
    shutil.copytree(judges.ARTEFACTS / "linear", folder)
    key = judges.of_scorer("linear", folder).key
    write_manifest(folder, read_manifest(folder) | {"operating_points": {}})
    assert judges.of_scorer("linear", folder).key == key
    write_manifest(folder, read_manifest(folder) | {"calibrated_to": {}})
    assert judges.of_scorer("linear", folder).key != key


# --- rows and slices ---


def _table(rows: Sequence[tuple[str, str, dict[str, float]]]) -> Table:
    """Test rows from text, set and labels."""
    labels = np.array([[one.get(a, np.nan) for a in ATTRIBUTES] for _, _, one in rows], np.float32)
    names = np.array([name for _, name, _ in rows])
    return Table([text for text, _, _ in rows], names, np.array(["test"] * len(rows)), labels, np.ones_like(labels))


def _scores(values: Sequence[float], attribute: str = "TOXICITY") -> Floats:
    out = np.full((len(values), len(ATTRIBUTES)), 0.01)
    out[:, ATTRIBUTES.index(attribute)] = values
    return out


NEWS, WIKI = "civil-comments-balanced", "wiki-context-toxicity"


def test_figures_by_attribute_need_both_classes_and_a_score() -> None:
    rows = [("text", NEWS, {"TOXICITY": float(i % 2), "INSULT": 0.0}) for i in range(40)]
    scores = _scores([i % 2 * 0.5 + i / 100 for i in range(40)])
    found = test_split.by_attribute(_table(rows), scores)
    assert found["TOXICITY"][NEWS]["roc_auc"][0] == 1.0
    assert found["TOXICITY"][test_split.NEWS]["positive"] == 20
    assert found["INSULT"] == {}
    scores[:, 0] = np.nan
    assert test_split.by_attribute(_table(rows), scores)["TOXICITY"] == {}


def test_an_attribute_without_score_or_threshold_holds_nothing() -> None:
    scores = _scores([0.4, 0.6, np.nan])
    assert test_split.held(scores, {"TOXICITY": 0.5}).tolist() == [False, True, False]
    assert not test_split.held(scores, {}).any()


def test_what_the_thresholds_do() -> None:
    rows = [
        ("a", NEWS, {"TOXICITY": 0.0}),
        ("b", NEWS, {"TOXICITY": 0.0}),
        ("c", NEWS, {"TOXICITY": 1.0, "INSULT": 1.0}),
    ]
    scores = _scores([0.1, 0.9, 0.9])
    found = test_split.at_thresholds(_table(rows), scores, {"TOXICITY": 0.5, "INSULT": 0.5})
    assert found["civil"][test_split.NEWS] == {"rows": 2, "held": metrics.wilson(1, 2)}
    assert found["civil_by_attribute"]["INSULT"] == {test_split.NEWS: 0.0}
    assert found["recall"]["INSULT"] == {"rows": 1, "own": metrics.wilson(0, 1), "any": metrics.wilson(1, 1)}


def test_false_holds_of_a_group_beside_all_and_beside_like_comments() -> None:
    texts = ["the women spoke"] * 40 + ["the weather"] * 160
    caught = np.array([True] * 20 + [False] * 20 + [True] * 20 + [False] * 140)
    pool = np.array(["news"] * 40 + ["news"] * 40 + ["wiki"] * 120)
    found = people.false_holds(people.Civil(texts, caught, pool))
    assert found["all"]["held"] == metrics.wilson(40, 200)
    assert found["women"]["held"][0] == 0.5
    assert found["women"]["ratio"] == 2.5
    assert found["women"]["ratio_alike"] == 1.0
    assert not found["women"]["compared"]
    assert people.identity_gap(found) == {}
    found["women"]["compared"] = True
    gap = people.identity_gap(found)
    assert gap["group"] == "women"
    assert gap["ratio"][0] == 2.5
    assert gap["over"] == ["women"]


def test_topics_and_groups() -> None:
    assert groups_in("Russians and gay men") == ["men", "Russians", "gay people"]
    assert topics_in("Missiles hit a church in Ukraine") == ["war", "nations", "faiths"]
    assert topics_in("The warm bath was womanly") == []
    assert {group for groups in TOPICS.values() for group in groups} <= TERMS.keys()
    assert len(TERMS) >= 25


def test_abuse_without_swear_words(tmp_path: Path) -> None:
    assert swear_words(tmp_path) is None
    folder = tmp_path / "lexicons" / "surge-profanity"
    folder.mkdir(parents=True)
    with gzip.open(folder / "profanity_en.csv.gz", "wt") as file:
        file.write("text,severity_rating\ndarn,1\ndarn it,1\n@ss,2\n")
    swears = swear_words(tmp_path)
    assert swears is not None
    assert [swears(text) for text in ("oh DARN", "(darn, it)", "an @ss.", "a darning needle", "")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    insult = {"TOXICITY": 1.0, "INSULT": 1.0}
    table = _table([("you fool", NEWS, insult), ("you darn fool", NEWS, insult), ("fine", NEWS, {"TOXICITY": 0.0})])
    found = people.without_swearing(table, np.array([True, False, False]), swears)
    assert found["direct"] == {"rows": 1, "caught": metrics.wilson(1, 1)} == found["insults"]
    assert "threats" not in found


# --- sets that are only measured ---


def test_no_set_that_is_only_measured_is_trained_on() -> None:
    assert not {check.folder for check in CHECKS} & {source.path for source in SOURCES}
    assert {check.folder.split("/")[0] for check in CHECKS} == {"noncommercial", "sharealike", "unclear-licence"}
    assert {check.attribute for check in CHECKS} <= set(ATTRIBUTES)


def _set(data: Path, folder: str, lines: str) -> None:
    (data / folder).mkdir(parents=True)
    (data / folder / "SOURCE.md").write_text("- Licence: none\n")
    with gzip.open(data / folder / "train.csv.gz", "wt", encoding="utf-8") as file:
        file.write(lines)


def test_rows_that_a_fit_has_seen_are_not_measured(tmp_path: Path) -> None:
    check = Check("c", "sharealike/some", "TOXICITY", lambda row: float(row["y"]) if row["y"] else None, "rude")
    assert labelled(tmp_path, check, set()) == []
    _set(tmp_path, "sharealike/some", "text,y\nOne text!,1\nOther,0\nunknown,\n")
    assert sorted(labelled(tmp_path, check, set())) == [("One text!", 1.0), ("Other", 0.0)]
    assert labelled(tmp_path, check, set(letters(["one, TEXT"]))) == [("Other", 0.0)]


def test_pairs_in_order(tmp_path: Path) -> None:
    lines = "pair_id,text,offensive\n1,a rude one,1\n1,mild,0\n2,seen,1\n2,milder,0\n3,bad,1\n3,long and mild,0\n"
    _set(tmp_path, "unclear-licence/appdia", lines)
    seen = set(letters(["Seen"]))
    assert [(p.rude, p.civil) for p in pairs(tmp_path, "appdia", seen)] == [
        ("a rude one", "mild"),
        ("bad", "long and mild"),
    ]
    found = outside.in_order(tmp_path, lambda texts: _scores([len(text) / 100 for text in texts]), seen)
    assert found == {"appdia": {"pairs": 2, "right": metrics.wilson(1, 2)}}


def test_checks_measure_both_sides(tmp_path: Path) -> None:
    lines = ["text,spam,articleName", *(f"buy {i},1,x" for i in range(12)), *(f"thanks {i},0,x" for i in range(20))]
    _set(tmp_path, "unclear-licence/datacamp-comment-spam", "\n".join(lines) + "\n")

    def score(texts: Sequence[str]) -> Floats:
        return _scores([0.9 if text.startswith("buy") or text == "thanks 1" else 0.1 for text in texts], "SPAM")

    (check,) = (check for check in CHECKS if check.attribute == "SPAM")
    (found,) = outside.checks([(check, labelled(tmp_path, check, set()))], score, {"SPAM": 0.5}).values()
    assert (found["positive"], found["negative"]) == (12, 20)
    assert 0.9 < found["roc_auc"][0] < 1
    assert found["civil_held"] == metrics.wilson(1, 20)
    assert found["abusive_held"] == metrics.wilson(12, 12)


def test_agreement_with_perspective(tmp_path: Path) -> None:
    folder = "reference/perspective-scores-wiki-2k"
    lines = ["text,TOXICITY@6,INSULT", *(f"t{'x' * i},{i / 50},0.5" for i in range(50)), "seen,0.1,0.1"]
    _set(tmp_path, folder, "\n".join(lines) + "\n")
    found = outside.perspective(tmp_path, lambda texts: _scores([len(t) ** 2 / 2700 for t in texts]), {"seen"})
    assert found["TOXICITY"]["rows"] == 50
    assert found["TOXICITY"]["high"] == 10
    assert found["TOXICITY"]["spearman"][0] == 1.0
    assert 0.9 < found["TOXICITY"]["pearson"][0] < 1.0
    assert found["TOXICITY"]["roc_auc_of_high"][0] == 1.0


def test_perspective_beside_ours_on_the_raters_labels(tmp_path: Path) -> None:
    rows = [(f"t{i}", WIKI, {"TOXICITY": float(i < 10)}) for i in range(30)]
    lines = ["text,toxic,perspective_score", *(f"t{i},0,{1 - i / 30}" for i in range(30))]
    _set(tmp_path, WIKI, "\n".join(lines) + "\n")
    found = outside.perspective_on_labels(tmp_path, _table(rows), _scores([i / 30 for i in range(30)]))
    assert found["roc_auc"]["perspective"][0] == 1.0
    assert found["roc_auc"]["ours"][0] == 0.0
    assert found["pearson"][0] == -1.0


def test_a_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Judge:
        raise ImportError("no such library")

    monkeypatch.setattr(peers, "_PEERS", {"absent": missing})
    rows = [("bad words" if i % 2 else "good words", NEWS, {"TOXICITY": float(i % 2)}) for i in range(60)]
    table = _table(rows)
    table = replace(table, split=np.array(["train"] * 30 + ["test"] * 30))
    found = peers.compare(table, _scores([i % 2 for i in range(30)]), lambda judge, texts: judge.score(texts))
    (row,) = found.values()
    assert row["absent"] is None
    assert row["ours"][0] == 1.0
    assert row[peers.BASELINE][0] == 1.0
    assert "not installed" in sections.peers({"peers": found})


# --- targets and the card ---


@pytest.mark.parametrize(
    ("value", "most", "said"),
    [
        ([0.95, 0.94, 0.96], False, "met"),
        ([0.95, 0.92, 0.96], False, "met, within the margin"),
        ([0.93, 0.91, 0.95], False, "short, within the margin"),
        ([0.91, 0.90, 0.92], False, "fell short"),
        ([0.91, 0.90, 0.92], True, "met"),
        ([0.95, 0.945, 0.96], True, "fell short"),
        ([0.95, 0.93, 0.96], True, "short, within the margin"),
    ],
)
def test_verdicts_go_by_the_interval(value: list[float], most: bool, said: str) -> None:
    assert verdict(Target("x", (), 0.94, most), value) == said


def _figures(shift: float = 0.0) -> dict[str, Any]:
    """Small figures of every kind, with values that stand nowhere else."""
    return {
        "attributes": {
            "TOXICITY": {
                NEWS: {
                    "positive": 4711,
                    "negative": 815,
                    "roc_auc": [0.9127 + shift, 0.9017, 0.9237],
                    "pr_auc": [0.8127, 0.8017, 0.8237],
                    "recall_at_p90": [0.7127, 0.7017, 0.7237],
                }
            }
        },
        "calibration": {
            "TOXICITY": {test_split.NEWS: {"rows": 1789, "prevalence": 0.08, "ece": [0.0217, 0.0117, 0.0317]}}
        },
        "at_thresholds": {
            "civil": {test_split.NEWS: {"rows": 391, "held": [0.0437, 0.0337, 0.0537]}},
            "recall": {"TOXICITY": {"rows": 977, "own": [0.5537, 0.5437, 0.5637], "any": [0.6637, 0.6537, 0.6737]}},
        },
        "false_holds": {"all": {"rows": 2917, "held": [0.0517, 0.0417, 0.0617]}},
        "group_aucs": {},
        "identity_gap": {"group": "women", "rows": 139, "ratio": [1.87, 1.57, 2.17], "compared": 9, "over": ["women"]},
        "topics": {test_split.NEWS: {"war": {"rows": 53, "held": [0.0177, 0.0077, 0.0277]}}},
        "no_swearing": {"direct": {"rows": 87, "caught": [0.4137, 0.4037, 0.4237]}},
        "outside": {},
        "pairs": {},
        "perspective": {},
        "perspective_on_labels": {},
        "peers": {},
        "own_sentences": {},
        "robustness": {},
    }


def _manifest() -> dict[str, Any]:
    return {
        "attributes": ["TOXICITY"],
        "calibrated_to": {"TOXICITY": 0.083},
        "operating_points": {"thresholds": {"TOXICITY": 0.6173}, "chosen_on": "the tune split"},
        "sets": {"some-set": {"licence": "CC0", "rows": 12_347}},
    }


def test_the_card_shows_the_figures_and_no_other_measured_number() -> None:
    card = render("linear", _manifest(), {"linear": _figures()}, "policy section")
    for shown in ("0.913 (0.902 to 0.924)", "4711 / 815", "0.022", "4.4%", "1.87", "41.4%", "0.617", "8.3%", "12347"):
        assert shown in card
    assert "policy section" in card
    assert "arXiv 2012.15761" in card
    # Empty the figures: what is left of numbers in tables and lists is none.
    empty = {name: {} for name in _figures()} | {"at_thresholds": {"civil": {}, "recall": {}}}
    bare = render("linear", {**_manifest(), "sets": {}, "attributes": []}, {"linear": empty}, "")
    assert not re.search(r"^[|-].*\d\.\d", bare, re.MULTILINE)


def test_the_card_says_what_fell_short_and_shows_scorers_side_by_side() -> None:
    card = render(
        "cascade", _manifest(), {"linear": _figures(-0.05), "encoder": _figures(-0.01), "cascade": _figures()}, ""
    )
    assert "| figure | target | linear | encoder | cascade | verdict |" in card
    row = next(line for line in card.splitlines() if line.startswith(f"| TOXICITY, {NEWS}: ROC-AUC"))
    assert [cell.split()[0] for cell in row.strip("| ").split(" | ")[2:5]] == ["0.863", "0.903", "0.913"]
    assert row.endswith("| fell short |")
    assert "- direct abuse without swear words caught: 41.4%" in card
    assert "(fell short)" in card
    assert "women" in card


def test_every_target_that_was_measured_is_judged() -> None:
    found = {target.what: said for target, _, said in judged(_figures())}
    assert found["direct abuse without swear words caught"] == "fell short"
    assert found["civil news comments about war held"] == "met"
    assert len(found) == 5
    assert reach(_figures(), ("attributes", "THREAT", NEWS, "roc_auc")) is None


def test_figures_of_a_fit_without_unlicensed_sets_stand_beside() -> None:
    figures = _figures() | {"without_unlicensed": {"attributes": _figures(-0.02)["attributes"]}}
    card = render("linear", _manifest(), {"linear": figures}, "")
    assert "| TOXICITY, civil-comments-balanced | 0.913 (0.902 to 0.924) | 0.893 (0.902 to 0.924) |" in card


def test_writing_a_card_keeps_the_policy_section(tmp_path: Path) -> None:
    folder = tmp_path / "linear"
    folder.mkdir()
    with pytest.raises(ArtefactError, match=r"figures\.json of linear"):
        write_card(folder)
    (folder / "figures.json").write_text(json.dumps(_figures()))
    facts = {"format_version": FORMAT_VERSION, "scorer": "linear", "scorer_version": "1", "files": {}}
    write_manifest(folder, _manifest() | facts)
    (folder / "CARD.md").write_text("stale <!-- policy figures -->\n| kept |\n<!-- /policy figures --> stale")
    write_card(folder)
    card = (folder / "CARD.md").read_text()
    assert "<!-- policy figures -->\n| kept |\n<!-- /policy figures -->" in card
    assert "stale" not in card
