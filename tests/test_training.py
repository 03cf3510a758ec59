import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.utils.validation import check_is_fitted
from typer.testing import CliRunner

from cleaner.classifier import LineClassifier
from cleaner.cleaning import Cleaner
from cleaner.cli import app
from cleaner.copies import LITTERED, copies_of, littered, wrapped
from cleaner.corpus import LabelledDocument, read_labelled
from cleaner.errors import DataError, UsageError
from cleaner.evaluation import evaluate
from cleaner.model import Model
from cleaner.training import Options, train, useless

DATA = Path(__file__).parents[1] / "training_data"
SITE = Path(__file__).parent / "benchmarks" / "sites" / "cobbfallsleader"
TINY = Options(folds=3, rows=2**12, text_epochs=2, epochs=2, draft_hidden=8, teacher_hidden=8)
BODY = "The ferry was back in service on Friday, the harbour office said."


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "pages"
    for site in sorted(path for path in DATA.iterdir() if list(path.glob("*.tsv")))[:6]:
        shutil.copytree(site, folder / site.name)
    return folder


def rewritten(pages: Path, folder: Path, row: Callable[[str, str], str]) -> Path:
    """Copy labelled pages with other labels; an empty label leaves the line out."""
    for path in pages.rglob("*.tsv"):
        place = folder / path.parent.name / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        rows = [line.split("\t") for line in path.read_text("utf-8").split("\n") if "\t" in line]
        found = [(row(label, text), text) for label, text, *_ in rows]
        place.write_text("".join(f"{label}\t{text}\n" for label, text in found if label), "utf-8")
    return folder


def test_train(pages: Path, tmp_path: Path) -> None:
    steps: list[float] = []
    test = [site for site in sorted(DATA.iterdir()) if list(site.glob("*.tsv"))][6:8]
    train([pages], tmp_path / "one", TINY, lambda step, share: steps.append(share), test=test)
    trained = train([str(pages)], str(tmp_path / "two"), TINY, test=test)
    assert (tmp_path / "one" / "weights.npz").read_bytes() == (tmp_path / "two" / "weights.npz").read_bytes()
    assert steps == sorted(steps)
    assert steps[-1] == 1.0
    assert trained.labels == ["body", "headline", "caption", "byline", "junk"]
    assert len(trained.arrays["final_hidden_bias"]) == TINY.teacher_members * TINY.teacher_hidden
    assert {"options", "data", "scores", "held_out", "libraries", "date"} <= trained.card.keys()
    assert sum(row["documents"] for row in trained.card["data"]) == len(list(pages.rglob("*.tsv")))
    loaded = Cleaner.load(tmp_path / "two")
    assert loaded.clean(f"{BODY}\n\nSHARE THIS\n") == Cleaner(trained).clean(f"{BODY}\n\nSHARE THIS\n")
    assert [line.text for line in loaded.label(BODY)] == [BODY]
    text = next(pages.rglob("*.tsv")).read_text("utf-8")
    before, after = (one.probabilities(one.read([text.encode()])) for one in (trained, Model.load(tmp_path / "two")))
    assert before == pytest.approx(after, abs=1e-3)


def test_larger_networks_teach_where_there_are_lines_enough(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, steps = replace(TINY, hidden=4, members=2, teacher_members=2), list[float]()
    monkeypatch.setattr("cleaner.heads.ENOUGH", 100)
    taught = train([pages], tmp_path / "taught", options, lambda step, share: steps.append(share))
    train([pages], tmp_path / "again", options)
    assert steps == sorted(steps)
    assert len(taught.arrays["final_hidden_bias"]) == 2 * 4
    assert (tmp_path / "taught" / "weights.npz").read_bytes() == (tmp_path / "again" / "weights.npz").read_bytes()


@pytest.mark.parametrize("apart", [False, True])
def test_wrapped_copies_have_the_same_words_and_labels(apart: bool) -> None:
    for document in read_labelled([DATA])[::25]:
        copy = wrapped(document, 60, apart)
        words, again = (
            [(word, *row) for line, *row in rows_of(one) for word in line.split()] for one in (document, copy)
        )
        assert words == again
        assert all(len(line) <= 60 or " " not in line.strip() for line in copy.lines)
        long = sum(len(line.strip()) > 60 and " " in line[:60].strip() for line in document.lines)
        blanks, before = sum(copy.blank_before), sum(document.blank_before)
        assert max(before, long) <= blanks if apart else blanks == before


def test_pieces_are_put_between_paragraphs() -> None:
    rng, piece, copies = np.random.default_rng(0), ("A man looks on.", "caption", ""), 0
    for document in read_labelled([DATA])[::25]:
        copy = littered(document, {"caption": [piece]}, rng)
        added = [number for number, line in enumerate(copy.lines) if line == piece[0]]
        assert len(added) <= 8
        copies += bool(added)
        assert [row[:3] for number, row in enumerate(rows_of(copy)) if number not in added] == [
            row[:3] for row in rows_of(document)
        ]
        assert not any(copy.weak[number] for number in added)
        after = [*copy.labels, "body"]
        assert all(after[number] == "caption" and after[number + 1] in ("body", "caption") for number in added)
        assert "junk" not in [copy.labels[number - 1] for number in added if number]
    assert copies > 30


def test_a_copy_without_pieces_does_not_train() -> None:
    documents = [one for one in read_labelled([DATA]) if one.language == "en"][:40]
    real = [replace(one, id=f"real {one.id}", source="real", view="newspaper") for one in documents[:2]]
    real[1] = replace(real[1], labels=("junk",) * len(real[1].lines))
    copies = [one for one in copies_of([*documents, *real], (0,)) if one.view == LITTERED]
    assert [one.id for one in copies] == [real[0].id]
    assert len(copies[0].lines) > len(real[0].lines)


def rows_of(document: LabelledDocument) -> list[tuple[str, str, str, bool]]:
    return list(zip(document.lines, document.labels, document.kinds, document.weak, strict=True))


@pytest.mark.slow
def test_ten_documents_of_one_site_train_a_model(tmp_path: Path) -> None:
    files = sorted(SITE.glob("*.tsv"))
    for name, some in (("ten", files[:10]), ("rest", files[10:])):
        (tmp_path / name / SITE.name).mkdir(parents=True)
        for file in some:
            shutil.copy(file, tmp_path / name / SITE.name)
    model = train(tmp_path / "ten", tmp_path / "model")
    found = evaluate(tmp_path / "rest", tmp_path / "model")
    assert found["body_recall"] > 0.9
    assert found["removal_recall"] > 0.9
    assert not any("of no use" in warning for warning in model.card["warnings"])


def test_a_model_of_no_use_is_warned_of() -> None:
    model, documents = Cleaner.load().model, read_labelled([SITE])
    assert useless(model, documents) == []
    for label in ("body", "junk"):
        bias = np.where(np.array(model.labels) == label, 100, 0).astype(np.float32)
        always = Model(model.arrays | {"draft_output_bias": bias, "final_output_bias": bias}, model.card)
        assert "wrongly: it is of no use" in useless(always, documents)[0]


def test_a_column_that_varies_later_decides_nothing() -> None:
    x = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
    x[:, 5] = 0.3
    head = LineClassifier().fit(x, np.where(x[:, 0] > 0, "body", "junk"))
    other = x.copy()
    other[:, 5] = 0.35
    assert np.abs(head.predict_proba(x) - head.predict_proba(other)).max() < 0.1


def test_another_seed_gives_another_model(pages: Path, tmp_path: Path) -> None:
    small = rewritten(pages, tmp_path / "data", lambda label, text: label if len(text) % 2 else "")
    found = [train([small], tmp_path / str(seed), Options(**{**vars(TINY), "seed": seed})) for seed in (0, 1)]
    assert not np.array_equal(found[0].arrays["final_hidden_weights"], found[1].arrays["final_hidden_weights"])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (lambda label, text: "body", "all lines are labelled 'body'"),
        (lambda label, text: "" if label == "body" else label, "no line is labelled 'body'"),
        (lambda label, text: "", "no labelled lines found"),
        (lambda label, text: "Body", "no label"),
    ],
)
def test_wrong_data(pages: Path, tmp_path: Path, row: Callable[[str, str], str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        train([rewritten(pages, tmp_path / "data", row)], tmp_path / "model", TINY)
    assert not (tmp_path / "model").exists()


def test_no_data(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for data in ([tmp_path / "empty"], [tmp_path / "nowhere"], []):
        with pytest.raises(DataError):
            train(data, tmp_path / "model", TINY)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"rows": 1000}, "rows 1000: no model has so many. Give a power of two"),
        ({"rows": 2**24}, "Give a power of two up to 8388608"),
        ({"rows": 4096.0}, "rows 4096.0: is no whole number of at least 1"),
        ({"folds": 0}, "folds 0: is no whole number of at least 2"),
        ({"folds": 1}, "at least 2"),
        ({"members": 0}, "members 0"),
        ({"hidden": "a"}, "hidden 'a'"),
        ({"epochs": -3}, "epochs -3"),
        ({"seed": -1}, "seed -1"),
        ({"seed": 2**32}, "seed 4294967296: is no whole number from 0 to 4,294,967,295"),
        ({"seed": True}, "seed True"),
        ({"penalty": float("nan")}, "penalty nan: is no number from 0 to 1,000,000"),
        ({"penalty": 1e300}, "penalty 1e\\+300"),
        ({"alpha": 0}, "alpha 0: is no number from 1e-12 to 1"),
        ({"alpha": 1e300}, "alpha 1e"),
        ({"page_junk": 0}, "page_junk 0: is no number from 0.001 to 1"),
        ({"easy_lines": 1.5}, "easy_lines 1.5: is no number from 0 to 1"),
    ],
)
def test_settings_that_cannot_be(setting: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Options(**setting)


def test_a_model_that_would_not_be_loaded_is_not_written(cleaner: Cleaner, tmp_path: Path) -> None:
    model = replace(cleaner.model, arrays={**cleaner.model.arrays, "table": np.zeros((2**22, 9), np.float16)})
    with pytest.raises(UsageError, match=r"not written, its 77,.* bytes are more than the 64,000,000 of a model"):
        model.save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def rows(labels: list[str]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.str_]]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5)).astype(np.float32)
    y = np.array(labels)[X[:, : len(labels)].argmax(axis=1)]
    return X, y


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "c"]])
def test_classifier(labels: list[str]) -> None:
    X, y = rows(labels)
    model = LineClassifier(hidden=64, epochs=100)
    assert model.fit(X, y) is model
    assert model.classes_.tolist() == labels
    probability = model.predict_proba(X)
    assert probability.shape == (300, len(labels))
    assert probability.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (model.predict(X) == np.array(labels)[probability.argmax(axis=1)]).all()
    assert model.score(X, y) > 0.8
    again = LineClassifier(hidden=64, epochs=100).fit(X, y)
    assert np.array_equal(again.predict_proba(X), probability)


def test_classifier_follows_conventions() -> None:
    X, y = rows(["a", "b", "c"])
    model = LineClassifier(hidden=8, epochs=3)
    names = ["epochs", "hidden", "members", "penalty", "random_state"]
    assert sorted(model.get_params()) == names
    assert clone(model.fit(X, y)).get_params() == model.get_params()
    with pytest.raises(Exception, match="not fitted"):
        check_is_fitted(clone(model))
    found = cross_val_predict(model, X, y, groups=np.arange(300) % 6, cv=GroupKFold(3), method="predict_proba")
    assert found.shape == (300, 3)
    with pytest.raises(ValueError, match="features"):
        model.predict(X[:, :4])


@pytest.mark.parametrize("base", [[], ["--base", "default"]], ids=["anew", "adapted"])
def test_output_that_cannot_be(base: list[str], tmp_path: Path) -> None:
    """It is tried before the data is read."""
    (tmp_path / "file").write_text("mine", "utf-8")
    (tmp_path / "model" / "card.json").mkdir(parents=True)
    for name, words in (("file", "File exists"), ("file/sub", "Not a directory"), ("model", "is a folder")):
        result = CliRunner().invoke(app, ["train", "nowhere", "-o", str(tmp_path / name), *base])
        assert result.exit_code == 2
        assert (words in result.stderr, result.stderr.count("\n")) == (True, 1)
        assert "Choose another folder for the model." in result.stderr
    assert (tmp_path / "file").read_text("utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["card.json", "file", "model"]


@pytest.mark.parametrize("base", [[], ["--base", "default"]], ids=["anew", "adapted"])
def test_output_without_a_name(base: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["train", "nowhere", "-o", "", *base])
    assert (result.exit_code, "is empty. Name one with -o." in result.stderr) == (2, True)
    assert not list(tmp_path.iterdir())


def test_no_empty_folder_stays(tmp_path: Path) -> None:
    for base in ([], ["--base", "default"]):
        result = CliRunner().invoke(app, ["train", "nowhere", "-o", str(tmp_path / "models" / "mine"), *base])
        assert "nowhere: no such file" in result.stderr
    assert not list(tmp_path.iterdir())
