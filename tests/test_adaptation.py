"""Adapting a model to few lines: what it gains, what it forgets, and when it is not written."""

import json
import math
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from typer.testing import CliRunner, Result

from cleaner.adaptation import Adapting, adapted, grouped, rehearsed
from cleaner.alike import of_one, prints, trained_on
from cleaner.cleaning import Cleaner
from cleaner.cli import app
from cleaner.cli_train import as_it_was
from cleaner.corpus import describe, read_labelled
from cleaner.errors import DataError, UsageError
from cleaner.model import Model
from cleaner.prior import Head, Steps, Targets, moved_head, moved_rows
from cleaner.rehearsal import PART, find_rehearsal, read_rehearsal
from cleaner.trial import Trial, adapt, warnings, why_not

WORDS = ["harbour", "ferry", "council", "bridge", "winter", "market", "office", "crew", "island", "lantern", "quay"]
QUICK = Adapting(rehearsal_lines=500, folds=2)


def sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize()


def write(folder: Path, documents: int) -> Path:
    """Write a site that has a house style: a summing up after some paragraphs, which is junk there."""
    rng = random.Random(1)
    folder.mkdir(parents=True)
    for number in range(documents):
        rows = ["# language: en", f"headline\t{sentence(rng, 6)}"]
        for _ in range(4):
            rows += ["", f"body\t{sentence(rng, rng.randint(15, 30))}."]
            rows += [f"junk\tIn short: {sentence(rng, 9)}."]
        rows.append("junk\tThe Quay thanks its readers, who pay for every line of it.")
        (folder / f"{number:03}.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "quay", 6)


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_the_rehearsal_is_a_part_of_the_training_data() -> None:
    rehearsal, general = read_rehearsal()
    assert find_rehearsal().name == "training_data"
    assert all(one.site[0] in PART for one in (*rehearsal, *general))
    assert not {one.site for one in rehearsal} & {one.site for one in general}
    assert min(len(rehearsal), len(general)) > 50


def test_views_of_a_document_stay_together(site: Path) -> None:
    documents = read_labelled([site])
    both = [*documents, *(replace(one, view="page") for one in documents)]
    groups = [{one.id for one in group} for group in grouped(both, 4)]
    assert sum(map(len, groups)) == len(documents)


def test_copies_of_a_document_stay_together(site: Path) -> None:
    """A footer under all pages, or paragraphs of few forms in another order, make no copies."""
    documents = read_labelled([site])
    named = [replace(one, id=f"copy of {one.id}") for one in documents[:2]]
    cut = replace(documents[0].subset([number % 9 != 1 for number in range(len(documents[0].lines))]), id="cut")
    assert of_one([*documents, *named, cut]) == [0, 1, 2, 3, 4, 5, 0, 1, 0]
    assert [len(group) for group in grouped([*documents, *named], 6)] == [2, 2, 1, 1, 1, 1]
    mixed = replace(documents[0], id="mixed", lines=documents[0].lines[::-1], labels=documents[0].labels[::-1])
    assert of_one([documents[0], mixed]) == [0, 1]


@pytest.mark.parametrize("base", [["--base", "default"], []])
def test_copies_of_one_document_are_one(base: list[str], site: Path, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / "quay").mkdir(exist_ok=True)
        (tmp_path / "quay" / f"{name}.tsv").write_bytes((site / "000.tsv").read_bytes())
    result = call("train", tmp_path / "quay", "-o", tmp_path / "model", *base)
    assert result.exit_code == 2
    assert ("one document" in result.stderr, "the other 2 are views or copies of it" in result.stderr) == (True, True)
    assert not (tmp_path / "model").exists()


def test_adapted_model_is_better_on_the_site_and_keeps_the_rest(site: Path, tmp_path: Path) -> None:
    steps: list[float] = []
    options = Adapting(folds=2)  # 500 lines rehearsed are too few to keep the rest
    found = adapt([site], tmp_path / "model", options=options, report=lambda step, share: steps.append(share))
    assert steps == sorted(steps)
    assert found.trial.hers is not None
    assert found.trial.general is not None
    before, after = (one["errors"]["keep_or_drop"] for one in found.trial.hers)
    assert after < 0.8 * before
    assert found.trial.general[1]["body_f1"] > found.trial.general[0]["body_f1"] - 0.003
    assert found.written
    card = Model.load(tmp_path / "model").card
    assert card["base"]["sha256"] == Model.load().card["sha256"]
    assert (len(card["data_sha256"]), len(card["document_prints"])) == (64, 6)
    assert card["adaptation"]["held_out"]["after"]["errors"]["keep_or_drop"] == after
    assert card["adaptation"]["general"].keys() == {"before", "after"}
    assert "scores" not in card, "the base's"
    text = "".join(f"{line}\n" for line in read_labelled([site])[0].lines)
    assert Cleaner.load(tmp_path / "model").clean(text) == Cleaner(found.model).clean(text) != text
    again = adapt([site], tmp_path / "again", options=options)
    assert np.array_equal(again.model.arrays["final_hidden_weights"], found.model.arrays["final_hidden_weights"])


def test_next_to_nothing_moves_without_new_lines(site: Path) -> None:
    """What the rehearsal asks for is what the base says already."""
    base = Model.load()
    old = rehearsed(base, read_rehearsal()[0][:20], QUICK)
    weak = [replace(one, weak=(True,) * len(one.lines)) for one in read_labelled([site])]
    model = adapted(base, weak, old, QUICK)
    assert np.array_equal(model.arrays["table"], base.arrays["table"])
    rows = old.batch
    before, after = base.probabilities(rows), model.probabilities(rows)
    assert (base.decide(rows, before) == model.decide(rows, after)).mean() > 0.99


def test_moved_rows_reach_the_target_and_no_further() -> None:
    grams = csr_matrix(np.array([[1.0, 0.0], [0.0, 1.0]]))
    targets = Targets(np.array([[1.0], [0.5]], np.float32), np.ones(2, np.float32))
    change = moved_rows(np.zeros((2, 1), np.float32), grams, targets, 0.1)
    assert change[0, 0] > 1
    assert change[1, 0] == pytest.approx(0, abs=1e-3)
    stiff = moved_rows(np.zeros((2, 1), np.float32), grams, targets, 100)
    assert 0 < stiff[0, 0] < 0.01


def test_moved_head_learns_and_is_pulled_back() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, size=(400, 4)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[(x[:, 0] > 3).astype(int)]
    start = Head(*(rng.normal(0, 0.3, size).astype(np.float32) for size in ((4, 8), (8,), (8, 2), (2,))))

    def right(head: Head) -> float:
        logits = np.maximum(x @ head.hidden_weights + head.hidden_bias, 0) @ head.output_weights + head.output_bias
        return float((logits.argmax(axis=1) == y.argmax(axis=1)).mean())

    goal = Targets(y, np.ones(len(x), np.float32))
    assert right(moved_head(start, x, goal, Steps(epochs=60, batch=32, rate=1e-2))) > 0.95
    held = moved_head(start, x, goal, Steps(epochs=5, batch=32, rate=1e-3, pull=500))
    assert held.output_weights == pytest.approx(start.output_weights, abs=0.02)
    few = Targets(y, (np.arange(len(x)) < 40).astype(np.float32))  # whole steps of lines that count nothing
    assert all(np.isfinite(array).all() for array in vars(moved_head(start, x, few, Steps(batch=4))).values())


@pytest.mark.parametrize(
    ("kind", "setting", "words"),
    [
        (Adapting, {"weight": math.nan}, "weight nan: is no number from 0.001 to 1,000,000. Give one."),
        (Adapting, {"weight": -1.0}, "weight -1.0"),
        (Adapting, {"table_penalty": math.inf}, "table_penalty inf"),
        (Adapting, {"table_penalty": "3"}, "table_penalty '3'"),
        (Adapting, {"folds": 0}, "folds 0: is no whole number of at least 1"),
        (Adapting, {"rehearsal_lines": 0}, "rehearsal_lines 0"),
        (Adapting, {"seed": -1}, "seed -1"),
        (Adapting, {"margin": math.inf}, "margin inf"),
        (Adapting, {"force": "no"}, "force 'no': is neither True nor False"),
        (Adapting, {"steps": None}, "steps None"),
        (Adapting, {"shares": ()}, "shares ()"),
        (Adapting, {"shares": 0.5}, "shares 0.5"),
        (Adapting, {"shares": (0.5, math.nan)}, "shares (0.5, nan)"),
        (Adapting, {"shares": (50.0,)}, "shares (50.0,)"),
        (Steps, {"batch": 0}, "batch 0"),
        (Steps, {"epochs": True}, "epochs True"),
        (Steps, {"rate": math.nan}, "rate nan: is no number from 0 to 1"),
        (Steps, {"pull": math.inf}, "pull inf"),
    ],
    ids=str,
)
def test_settings_that_cannot_be(kind: type[Any], setting: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=f"^{re.escape(words)}"):
        kind(**setting)


def figures(keep: int, label: int, f1: float = 0.9, folds: tuple[int, ...] = ()) -> dict[str, object]:
    return {"errors": {"keep_or_drop": keep, "label": label}, "body_f1": f1, "by_fold": folds or (keep,)}


@pytest.mark.parametrize(
    ("hers", "general", "words"),
    [
        ((figures(10, 10), figures(5, 10)), None, ""),
        ((figures(10, 10), figures(10, 8)), None, "use --force"),
        ((figures(100, 100), figures(95, 10)), None, "hardly better"),
        ((figures(10, 10), figures(10, 10)), None, "hardly better"),
        ((figures(10, 10), figures(11, 0)), None, "hardly better"),
        ((figures(10, 10), figures(10, 5)), None, "10 were wrongly kept"),
        ((figures(0, 10), figures(0, 5)), None, "use --force"),
        ((figures(0, 10), figures(0, 10)), None, "hardly better"),
        ((figures(9, 9, folds=(9, 0)), figures(6, 6, folds=(0, 6))), None, "may be chance"),
        ((figures(10, 10), figures(5, 10)), (figures(0, 0, 0.9), figures(0, 0, 0.898)), ""),
        ((figures(10, 10), figures(5, 10)), (figures(0, 0, 0.9), figures(0, 0, 0.896)), "margin"),
        (None, None, "one document alone"),
    ],
)
def test_when_a_model_is_not_written(hers: object, general: object, words: str) -> None:
    found = why_not(hers, general, 0.003)  # type: ignore[arg-type]
    assert words in found
    assert bool(found) == bool(words)


def test_train_with_a_base(site: Path, tmp_path: Path) -> None:
    result = call("train", site, "--base", "default", "-o", tmp_path / "model")
    assert result.exit_code == 0, result.stderr
    assert all(word in result.stdout for word in ("before", "after", "F1 headline", "in general"))
    assert f"wrote {tmp_path / 'model'}" in result.stderr
    compared = call("compare", "default", tmp_path / "model", site, "--lines", "3")
    assert compared.exit_code == 0, compared.stderr
    known = f"6 of these 6 documents trained the model {tmp_path / 'model'}"
    assert f"cleaner: {known}" in compared.stderr
    held = write(tmp_path / "held" / "quay", 8).parent
    measured = call("evaluate", held, "--model", tmp_path / "model")
    assert f"6 of these 8 documents trained the model {tmp_path / 'model'}" in measured.stderr
    assert "trained" not in call("evaluate", held).stderr
    assert "95 % interval" in compared.stdout
    found = json.loads(call("compare", "default", tmp_path / "model", site, "--json").stdout)
    errors = found["figures"][0]
    assert errors["second"] < errors["first"]
    assert errors["low"] <= errors["difference"] <= errors["high"] < 0
    assert {row["change"] for row in found["differing"]} <= {"worse", "better", "neither"}


def test_what_a_model_was_trained_on_is_known_by_document_or_by_source(site: Path) -> None:
    documents = read_labelled([site])
    other = replace(documents[0], id="other", lines=("Nothing of it.",) * len(documents[0].lines))
    card = prints(documents[:3])
    assert trained_on(card, [*documents, other]) == (3, 7)
    assert trained_on({"base": {"data": describe(documents)}, **card}, documents) == (6, 6)
    assert trained_on({"data": describe(documents)}, documents) == (6, 6)
    assert trained_on({}, documents) == (0, 6)
    assert trained_on({"data": describe(documents)}, documents[:5]) == (0, 5)
    assert prints([other], card) == prints([other, *documents[:3]])
    assert prints([replace(other, lines=(str(number),)) for number in range(2001)]) == {}


def test_a_worse_model_is_not_written(site: Path, tmp_path: Path) -> None:
    """Labels that contradict each other from document to document teach nothing."""
    rng = random.Random(0)
    (tmp_path / "quay").mkdir()
    for path in site.glob("*.tsv"):
        rows = [row.split("\t") for row in path.read_text("utf-8").splitlines() if "\t" in row]
        text = "".join(f"{rng.choice(['body', 'junk'])}\t{row[1]}\n" for row in rows)
        (tmp_path / "quay" / path.name).write_text(text, "utf-8")
    arguments = ["train", str(tmp_path / "quay"), "--base", "default", "-o", str(tmp_path / "model"), "--margin", "-1"]
    result = call(*arguments)
    assert result.exit_code == 1
    assert "not written" in result.stderr
    assert "as it was" not in result.stderr
    assert not (tmp_path / "model").exists()
    forced = call(*arguments, "--force")
    assert forced.exit_code == 0
    assert "although" in forced.stderr
    assert (tmp_path / "model" / "card.json").exists()
    assert as_it_was(tmp_path / "model").endswith("model stays as it was.")


def test_one_document(site: Path, tmp_path: Path) -> None:
    path = site / "000.tsv"
    result = call("train", path, "--base", "default", "-o", tmp_path / "model")
    assert result.exit_code == 2
    assert "000.tsv: one document alone" in result.stderr.splitlines()[-1]
    forced = call("train", path, "--base", "default", "-o", tmp_path / "model", "--force")
    assert forced.exit_code == 0
    assert "too little" in forced.stderr
    shown = call("info", tmp_path / "model").stdout
    assert all(word in shown for word in ("adapted from: default of", "in general (invented sites)", "too little"))


def test_label_that_the_base_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "kitchen").mkdir()
    (tmp_path / "kitchen" / "a.tsv").write_text("# language: en\nbody\tFine.\n\nprice\t4.10\n", "utf-8")
    with pytest.raises(DataError, match=r"a\.tsv:4: the base does not know the label 'price'"):
        adapt([tmp_path], tmp_path / "model")


@pytest.mark.parametrize(
    "arguments", [["--base", "default", "--test", "x"], ["--force"], ["--base", "nowhere"], ["--base", "default"]]
)
def test_wrong_use(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = call("train", tmp_path / "empty", "-o", tmp_path / "model", *arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def test_evaluate_errors_and_learning_curve(site: Path) -> None:
    found = json.loads(call("evaluate", site, "--errors", "2", "--json").stdout)
    errors = found["errors"]
    assert errors["keep_or_drop"] == errors["lost"] + errors["left"]
    assert sum(map(sum, errors["confusion"])) == errors["words"]
    assert [row["words"] for row in found["costliest"]] == sorted(
        (r["words"] for r in found["costliest"]), reverse=True
    )
    shown = call("evaluate", site, "--errors", "2").stdout
    assert "confusion in words" in shown
    assert "costliest errors" in shown
    curve = call("evaluate", site, "--learning-curve")
    assert curve.exit_code == 0, curve.stderr
    assert "adapted to" in curve.stdout
    too_few = call("evaluate", site / "000.tsv", "--learning-curve")
    assert too_few.exit_code == 2


@pytest.mark.parametrize("known", [0, 2])
def test_documents_that_trained_the_base_are_warned_of(known: int, cleaner: Cleaner) -> None:
    documents = read_labelled([Path(__file__).parent / "benchmarks" / "sites" / "cobbfallsleader"])[:6]
    base = Model(cleaner.model.arrays, {**cleaner.model.card, **prints(documents[:known])})
    found = [one for one in warnings(documents, Trial(base, 1.0, None, None, ""), base) if "trained the base" in one]
    assert [one.split(":")[0] for one in found] == [f"{known} of these 6 documents trained the base"] * bool(known)
    assert all(one.endswith("such as default.") for one in found)
    base.card["labels"] = ["body", "price"]  # which the shipped model does not have
    found = [one for one in warnings(documents, Trial(base, 1.0, None, None, ""), base) if "trained the base" in one]
    assert [one.endswith("Label others, or train without --base.") for one in found] == [True] * bool(known)
