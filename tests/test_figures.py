"""Figures and adapting, where other tests see nothing: each test names the change of the code that it catches."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from documents import texts

from cleaner.adaptation import Adapting, adapted, moved_table, read_fresh, rehearsed
from cleaner.alike import of_one
from cleaner.checking import Located, Reader
from cleaner.checking_documents import contradictions, leaks
from cleaner.cleaning import Cleaner
from cleaner.comparison import compare_measured, differing
from cleaner.corpus import LabelledDocument, describe, digest
from cleaner.costs import costliest
from cleaner.evaluation import Measured, beside_truth, calibration_error, figures, lost_share, measure
from cleaner.grouping import pieces
from cleaner.model import Model
from cleaner.model_files import columns_of
from cleaner.prior import Head, Steps, Targets, moved_head
from cleaner.rehearsal import read_rehearsal
from cleaner.text_columns import column_targets, halves, lengthened, shortened
from cleaner.trial import Trial, held_out, try_out

LABELS = ["body", "headline", "junk"]


def measured(truth: str, predicted: str, words: Sequence[int], document: Sequence[int] = (), **more: Any) -> Measured:
    """Return lines of labels by their first letters; body is kept."""
    size = len(truth)
    codes = [np.array(["bhj".index(letter) for letter in row]) for row in (truth, predicted)]
    place = np.array(document or [0] * size)
    names = np.array([""] * size)
    found = Measured(
        LABELS, codes[0], codes[1], np.ones(size), codes[1] == 0, np.ones(size, np.bool_), np.array(words), place,
        names, names, names, names, np.full((place.max() + 1, 2), np.nan), np.arange(place.max() + 1).astype(str),
    )  # fmt: skip
    return replace(found, **more)


def document(labels: str, name: str = "quay/a", texts: Sequence[str] = (), weak: str = "") -> LabelledDocument:
    size = len(labels)
    lines = tuple(texts) or tuple(f"Line {number} of {name}." for number in range(size))
    named = tuple({"b": "body", "h": "headline", "j": "junk"}[letter] for letter in labels)
    sure, no = tuple(letter == "w" for letter in weak.ljust(size)), (False,) * size
    return LabelledDocument(name, name.partition("/")[0], lines, named, ("",) * size, sure, no)


def test_figures_in_words() -> None:
    """evaluation.py, keep_scores: `removal_precision` of the rest; label_scores: precision and recall swapped."""
    found = figures(measured("bbjjj", "bjjbj", [10, 4, 3, 2, 1]))
    wanted = {"body_precision": 10 / 12, "body_recall": 10 / 14, "body_f1": 20 / 26}
    wanted |= {"removal_recall": 4 / 6, "removal_precision": 4 / 8, "body_f1_uncleaned": 28 / 34}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)
    lines = figures(measured("bbbj", "bbjj", [1] * 4))
    assert (lines["labels"]["body"]["precision"], lines["labels"]["body"]["recall"]) == (1, pytest.approx(2 / 3))
    assert lines["confusion"] == [[2, 0, 1], [0, 0, 0], [0, 0, 1]]


def test_calibration_errors_do_not_cancel() -> None:
    """evaluation.py, calibration_error: `np.abs` left out."""
    both = measured("bb", "bj", [1, 1], confidence=np.array([0.55, 0.95]))
    assert calibration_error(both) == pytest.approx((0.45 + 0.95) / 2)


def test_chance_is_of_documents_and_not_of_their_views() -> None:
    """evaluation.py, bootstrap: each view drawn on its own."""
    rows = [number for number in range(36) for _ in range(2)]
    truth, predicted = "bj" * 36, ("bb" * 9 + "bj" * 9) * 2
    alone = measured(truth, predicted, [1] * 72, rows)
    views = replace(alone, id=np.array([str(number // 9) for number in range(36)]))
    errors = [figures(one)["labels"]["junk"]["f1_error"] for one in (alone, views)]
    assert errors[1] > 2 * errors[0] > 0


def test_calibration_is_of_the_given_label(cleaner: Cleaner) -> None:
    """evaluation.py, compare: the likeliest label's probability, whatever label is given."""
    shares = np.array([[0.7, 0.1, 0.0, 0.0, 0.2]] * 2, np.float32)
    given = replace(cleaner.result([b"One.\nTwo.\n"]), probabilities=shares, codes=np.array([0, 4]))
    one = replace(document("bj"), lines=("One.", "Two."))
    assert beside_truth([one], given, cleaner.model.labels, {"body"}).confidence.tolist() == pytest.approx([0.7, 0.2])


def test_long_texts_are_measured_as_they_are_cleaned(cleaner: Cleaner) -> None:
    """evaluation.py, measure: texts not cut into pieces."""
    lines = [line for text in texts(900) for line in text.splitlines() if line.strip()]
    one = document("b" * len(lines), texts=lines)
    assert len(list(pieces(one.text().encode()))) > 1
    labels = [cleaner.model.labels.index(line.label) for line in cleaner.label(one.text())]
    assert measure([one], cleaner).predicted.tolist() == labels


def test_a_document_is_lost_of_which_less_than_half_is_kept() -> None:
    """evaluation.py, lost_share: `/ 2` left out."""
    assert lost_share(measured("bbbb", "bjbj", [6, 4, 4, 6], [0, 0, 1, 1])) == 0.5


def test_credits_that_are_body_do_not_count() -> None:
    """evaluation.py, removed_shares: what is body by its label counted among the credits."""
    both = measured("bj", "bj", [1, 1], kind=np.array(["credit", "credit"]))
    assert figures(both)["removed"]["credit"] == 1


def test_documents_that_are_worse() -> None:
    """evaluation.py, shingle_means: better ones counted for worse."""
    three = measured("bbb", "bbb", [1] * 3, [0, 1, 2], shingles=np.array([[0.5, 0.6], [0.5, 0.4], [0.5, 0.7]]))
    assert figures(three)["shingles"]["worse"] == pytest.approx(1 / 3)


def test_the_costliest_errors_come_first() -> None:
    """costs.py, costliest: wrong labels not behind what is wrongly kept or dropped."""
    found = costliest([document("hbj")], measured("hbj", "jjb", [9, 1, 2]), 3)
    assert [(row["line"], row["words"]) for row in found] == [(3, 2), (2, 1), (1, 9)]


def test_what_a_model_loses_comes_first() -> None:
    """comparison.py, differing: gains before losses."""
    words = [3, 2, 4, 9]
    found = differing([document("bbbh")], measured("bbbh", "jbbb", words), measured("bbbh", "bjjh", words))
    assert [(row["line"], row["change"]) for row in found] == [(3, "worse"), (2, "worse"), (4, "better"), (1, "better")]


def test_models_are_compared_by_the_figures_of_evaluate() -> None:
    """comparison.py, unit_sums: body lost and rest left swapped."""
    first, second = measured("bbjjj", "bjjbj", [10, 4, 3, 2, 1]), measured("bbjjj", "bbjjb", [10, 4, 3, 2, 1])
    rows = {row["figure"]: row for row in compare_measured([document("bbjjj")], first, second)["figures"]}
    for place, one in (("first", figures(first)), ("second", figures(second))):
        assert rows["body kept"][place] == pytest.approx(one["body_recall"])
        assert rows["rest removed"][place] == pytest.approx(one["removal_recall"])
        assert rows["body F1"][place] == pytest.approx(one["body_f1"])
        assert rows["keep/drop errors, words"][place] == one["errors"]["keep_or_drop"]
        assert rows["mean F1"][place] == pytest.approx(one["macro_f1"])


def test_the_interval_of_a_difference_is_that_of_95_percent() -> None:
    """comparison.py: another `INTERVAL`."""
    documents = [document("b", f"quay/{number}") for number in range(400)]
    truth, place = "b" * 400, list(range(400))
    half = measured(truth, "bj" * 200, [1] * 400, place)
    row = compare_measured(documents, measured(truth, truth, [1] * 400, place), half)["figures"][0]
    assert row["high"] - row["low"] == pytest.approx(2 * 1.96 * 10, rel=0.1)


def test_weak_lines_and_views_in_what_a_card_says_of_data() -> None:
    """corpus.py, digest: weak lines as sure ones; describe: views counted for documents."""
    one = document("bj")
    assert digest([one]) != digest([replace(one, weak=(False, True))])
    (row,) = describe([one, replace(one, view="page")])
    assert (row["documents"], row["lines"]) == (1, 4)


def located(*documents: LabelledDocument) -> list[Located]:
    return [Located(one, Path(f"{one.id}.tsv"), tuple(range(1, len(one.lines) + 1))) for one in documents]


def test_contradictions_are_of_sure_lines_of_other_documents() -> None:
    """checking_documents.py, contradictions: weak lines, too; contradicting: inside one document, too."""
    lines = ("One.", "Published on the third of May", "Two.", "Published on the third of May", "Three.")
    texts = [document("bjb", f"quay/{name}", lines[:3]) for name in "abc"]
    other = document("bhb", "quay/d", lines[:3])
    assert len(list(contradictions(located(*texts, other)))) == 1
    assert not list(contradictions(located(*texts, replace(other, weak=(False, True, False)))))
    assert not list(contradictions(located(document("bjbhb", "quay/e", lines))))


def test_copies_inside_the_test_data_are_no_leak() -> None:
    """checking_documents.py, leaks: `id(other) not in tested` left out."""
    texts = tuple(f"Nobody else was there to see it on that cold morning {letter}." for letter in "abc")
    one = document("bbb", "pier/a", texts)
    assert not list(leaks(located(document("bj")), located(one, replace(one, id="pier/b"))))


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    """checking.py, tsv: `removeprefix` left out."""
    (tmp_path / "a.tsv").write_text("body\tOne.\njunk\tTwo.\n", "utf-8-sig")
    reader = Reader()
    assert [one.document.labels for one in reader.located(tmp_path / "a.tsv")] == [("body", "junk")]
    assert reader.problems == []


def test_paragraphs_of_another_order_are_no_copy() -> None:
    """alike.py, same_body: a smaller share."""
    texts = [f"Nobody else was there to see it on that cold morning {letter}." for letter in "abcdefgh"]
    one = document("b" * 8, "quay/a", texts)
    assert of_one([one, document("b" * 8, "quay/b", texts[4:] + texts[:4])]) == [0, 1]
    assert of_one([one, document("b" * 8, "quay/b", [*texts[:7], "Another."])]) == [0, 0]


# Adapting


@pytest.mark.parametrize("lines", [400, 352])
def test_a_head_that_takes_no_steps_stays(lines: int) -> None:
    """prior.py, moved_head: `>` to `>=`, so that one more is summed than divided by."""
    rng = np.random.default_rng(0)
    x = rng.normal(3, 2, size=(lines, 4)).astype(np.float32)
    start = Head(*(rng.normal(0, 0.3, size).astype(np.float32) for size in ((4, 8), (8,), (8, 2), (2,))))
    goal = Targets(np.eye(2, dtype=np.float32)[(x[:, 0] > 3).astype(int)], np.ones(lines, np.float32))
    found = moved_head(start, x, goal, Steps(epochs=1, batch=32, rate=0))
    for name, array in vars(start).items():
        assert getattr(found, name) == pytest.approx(array, abs=1e-5)


def test_the_views_of_a_document_share_its_weight() -> None:
    """adaptation.py, read_fresh: `views ** -0.5` left out."""
    one = document("bj")
    two = [replace(document("bj", "quay/b"), view=view) for view in ("page", "extract")]
    assert read_fresh(Model.load(), [one, *two], 3).weight == pytest.approx([3] * 2 + [3 * 2**-0.5] * 4)


def test_contrasts_are_asked_of_their_two_labels_alone() -> None:
    """text_columns.py, column_targets: `use` left out, or the bounds of its sizes; kinds of junk taken for others."""
    labels, no = ["body", "caption", "byline", "junk"], np.nan
    lines = [(0, 39), (0, 40), (1, 40), (2, 40), (3, 9), (4, 40), (7, 40)]  # 4: junk/credit, 7: byline/date
    column, sizes = (np.array(values) for values in zip(*lines, strict=True))
    found = column_targets(column, sizes, labels)
    assert found[:, :8].tolist() == np.eye(8)[column].tolist()
    caption, long, short = [0, 0, 1, no, no, no, no], [no, 1, no, no, no, 0, no], [1, no, no, no, 0, no, no]
    np.testing.assert_array_equal(found[:, 8:].T, [caption, long, short])
    assert column_targets(np.array([0, 1]), np.array([50, 50]), ["body", "aside"]).tolist() == [[1, 0], [0, 1]]


def test_contrasts_are_stored_as_the_nearest_of_short_numbers() -> None:
    """text_columns.py, shortened: cut off instead of rounded."""
    weights = np.array([0, 1, -1, 1.12, 1.13, -3.4, 30.09, 0.001], np.float32)
    found = lengthened(shortened(weights))
    assert found.tolist() == [0, 1, -1, 1, 1.25, -3.5, 32, pytest.approx(0.001, rel=0.125)]
    assert shortened(found).tolist() == shortened(weights).tolist()
    assert halves(weights).tolist() == pytest.approx(weights.tolist(), rel=2**-8)
    assert halves(halves(weights)).tolist() == halves(weights).tolist()
    assert not (halves(weights).view(np.uint16) & 7).any()


def test_new_lines_move_no_column_that_is_not_asked_of_them() -> None:
    """adaptation.py, moved_table: nan taken for 0 or 1 instead of what the base says."""
    base, options = Model.load(), Adapting(rehearsal_lines=10)
    old = rehearsed(base, read_rehearsal()[0][:1], options)
    fresh = read_fresh(base, [document("hh", texts=["Quaywall wardens outvoted", "Mudlark ferries rebooked"])], 3)
    change = moved_table(base, [fresh], old, options).astype(float) - columns_of(base.arrays)
    assert abs(change[:, 1]).max() > 0.01  # headlines
    assert abs(change[:, -3:]).max() < 1e-3


def test_what_the_heads_see_of_new_lines_is_out_of_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    """adaptation.py, adapted: `others` are all parts."""
    base, given = Model.load(), list[int]()

    def noted(base: Model, parts: Sequence[Any], *_: object) -> Any:
        given.append(len(parts))
        return columns_of(base.arrays)

    monkeypatch.setattr("cleaner.adaptation.moved_table", noted)
    options = Adapting(rehearsal_lines=100, folds=2)
    old = rehearsed(base, read_rehearsal()[0][:5], options)
    adapted(base, [document("bj", f"quay/{name}") for name in "abcd"], old, options)
    assert sorted(given) == [1, 1, 2]


def test_held_out_documents_do_not_train(monkeypatch: pytest.MonkeyPatch) -> None:
    """trial.py, held_out: `rest` are all documents, and the figures are those of lines that trained."""
    base, documents = Model.load(), [document("bj", f"quay/{name}") for name in "abcdef"]
    seen: list[set[str]] = []

    def trained(base: Model, some: Sequence[LabelledDocument], *_: object) -> Model:
        seen.append({one.id for one in some})
        return base

    def tried(some: Sequence[LabelledDocument], cleaner: Cleaner) -> Measured:
        assert not seen[-1] & {one.id for one in some}
        return measure(some, cleaner)

    monkeypatch.setattr("cleaner.trial.adapted", trained)
    monkeypatch.setattr("cleaner.trial.measure", tried)
    assert held_out(base, documents, None, Adapting(shares=(0.5,)), lambda share: None)  # type: ignore[arg-type]
    assert len(seen) == 5


def test_the_best_share_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """trial.py, try_out: the first that is not refused, not the best."""
    base = Model.load()

    def pair(errors: int) -> Any:
        one: dict[str, Any] = {"errors": {"keep_or_drop": 100, "label": 100}, "body_f1": 0.9, "by_fold": [100]}
        return one, {**one, "errors": {"keep_or_drop": errors, "label": errors}, "by_fold": [errors]}

    monkeypatch.setattr("cleaner.trial.adapted", lambda base, *_: base)
    monkeypatch.setattr("cleaner.trial.rehearsed", lambda *_: None)
    monkeypatch.setattr("cleaner.trial.read_rehearsal", lambda: ([], [document("b")]))
    monkeypatch.setattr("cleaner.trial.held_out", lambda *_: [pair(99), pair(50), pair(20), pair(30)])
    best: Trial = try_out(base, [document("b")], Adapting(shares=(0.1, 0.2, 0.3, 0.4)))
    assert (best.share, best.refused) == (0.3, "")


# Library


def test_lines_are_numbered_over_pieces(cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch) -> None:
    """cleaning.py, label: `before` not added up; clean_document: words of the last piece alone."""
    monkeypatch.setattr("cleaner.grouping.PIECE_BYTES", 1000)
    text = "The ferry was back in service on Friday, the harbour office said.\n" * 40 + "SHARE THIS\n" * 200
    found = cleaner.label(text)
    assert [line.number for line in found] == list(range(1, 241))
    gone = sum(len(line.text.split()) for line in found if line.label != "body")
    assert cleaner.clean_document(text).removed_share == pytest.approx(gone / (400 + 40 * 12))
