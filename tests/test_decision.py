import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from documents import pool
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from cleaner.cleaning import Cleaner
from cleaner.context import Borders
from cleaner.corpus import LabelledDocument, read_labelled
from cleaner.decision import AIMS, body_share, cleanness, decide, eased, line_weights, runs, spread
from cleaner.heads import Rows, fewer, linear_softmax
from cleaner.kinds import Kinds, kind_floor
from cleaner.model import Model
from cleaner.sampling import FEWEST, choose_whole, read_part
from cleaner.second_pass import full_names
from cleaner.weighting import NEVER, choose_sure, pick

LABELS = ["body", "caption", "junk"]


def test_body_share_is_by_words_and_document() -> None:
    begins, lines = runs(np.array([4, 4, 7]))
    assert (begins.tolist(), lines.tolist()) == ([0, 2], [2, 1])
    share = body_share(begins, np.array([30, 10, 5]), np.array([1.0, 0.0, 0.4], np.float32))
    assert share == pytest.approx([0.75, 0.4])
    begins, lines = runs(lines[:0])
    assert (len(begins), len(lines), len(body_share(begins, lines, share[:0]))) == (0, 0, 0)


def test_spread_ends_at_both_sides() -> None:
    assert spread(np.array([0.1, 0.5, 0.65, 0.8, 1.0], np.float32)) == pytest.approx([0, 0, 0.5, 1, 1], abs=1e-6)


def test_caution_grows_with_the_line() -> None:
    words = np.array([0, 15, 30, 300])
    assert eased(np.full(4, 4, np.float32), words, 30) == pytest.approx([1, 2, 4, 4])
    assert eased(np.full(4, 0.5, np.float32), words, 30) == pytest.approx([0.5] * 4)


def test_captions_weigh_more_on_short_lines() -> None:
    even, words = np.full(3, 2, np.float32), np.array([0, 15, 30, 60])
    found = line_weights(even, words, LABELS, 30)
    assert found[:, 1] == pytest.approx([4, 2 * 2**0.5, 2, 2])
    assert (found[:, [0, 2]] == 2).all()
    assert (line_weights(even, words[1:], LABELS, 1) == 2).all(), "in doubt a line stays"
    assert (line_weights(even[:2], words, ["body", "price"], 30) == 2).all()


def test_a_text_of_few_lines_counts_as_clean() -> None:
    begins, lines = runs(np.repeat([0, 1], [9, 10]))
    assert cleanness(begins, lines, np.ones(19, np.int64), np.zeros(19, np.float32)).tolist() == [1, 0]


def test_only_junk_yields() -> None:
    rows = np.array([[0.3, 0.2, 0.5], [0.3, 0.5, 0.2]], np.float32)
    even = np.ones(3, np.float32)
    assert decide(rows, even, LABELS, np.array([1, 1], np.float32)).tolist() == [2, 1]
    assert decide(rows, even, LABELS, np.array([4, 4], np.float32)).tolist() == [0, 1]


def test_without_junk_all_but_body_yield() -> None:
    rows = np.array([[0.3, 0.5, 0.2]], np.float32)
    even = np.ones(3, np.float32)
    assert decide(rows, even, ["body", "caption", "price"], np.array([4], np.float32)).tolist() == [0]


def test_pick() -> None:
    rows = [
        {"divisor": 1.0, "body_recall": 0.9, "body_f1": 0.8},
        {"divisor": 2.0, "body_recall": 0.95, "body_f1": 0.85},
        {"divisor": 2.4, "body_recall": 0.96, "body_f1": 0.8492},
        {"divisor": 2.8, "body_recall": 0.97, "body_f1": 0.8488},
        {"divisor": 4.0, "body_recall": 0.99, "body_f1": 0.7},
    ]
    assert pick(rows, 0.94)["divisor"] == 2.0
    assert pick(rows, 0.999)["divisor"] == 4.0
    assert pick(rows, None)["divisor"] == 2.4


def test_kinds_are_named_from_where_they_are_right() -> None:
    most = np.array([0.99, 0.9, 0.8, 0.7, 0.6, 0.5])
    none = np.zeros((0, 2), np.float32)
    one = Kinds(["share", "tags"], none, none[:, 0], most, most > 0.65)
    other = Kinds(["share", "tags"], none, none[:, 0], most, most > 0.75)
    assert kind_floor([one], 0.9) == pytest.approx(0.61)
    assert kind_floor([one, other], 0.9) == kind_floor([other, one], 0.9) == pytest.approx(0.71)
    assert one.named(0.61) == {"precision": 1.0, "named": pytest.approx(4 / 6)}


def test_aims_of_the_shipped_model() -> None:
    aims = Cleaner.load().model.card["aims"]
    for kind in ("sparse", "dense"):
        assert sorted(aims[aim][kind] for aim in AIMS) == [aims[aim][kind] for aim in AIMS]


def test_second_pass_sees_one_document_at_a_time() -> None:
    model = Cleaner.load().model
    texts = [b"Anna Berg came.\nAnna Berg left.\n", b"Anna Berg slept.\nNobody saw it.\n"]
    found = []
    for batch in (model.read(texts), model.read(texts[:1])):
        draft = np.random.default_rng(0).dirichlet(np.ones(5), len(batch)).astype(np.float32)
        found.append(np.concatenate([rows for _, rows in model.final_inputs(model.see(batch), draft)]))
    assert len(found[0]) == 4
    assert found[0][:2] == pytest.approx(found[1], abs=1e-5)


def test_sure_lines_keep_the_draft() -> None:
    model = Cleaner.load().model
    text = "Home\nNews\nSport\n\nThe ferry was back in service on Friday, the harbour office said.\n\nSHARE THIS\n"
    batch = model.read([text.encode()])
    found = {}
    for floor in (0.51, 2.0):
        other = replace(model, card={**model.card, "sure": [floor] * 5})
        found[floor] = other.probabilities_and_kinds(batch)
    seen = model.see(batch)
    kinds, others = np.zeros((2, len(batch), len(model.kinds)), np.float32)
    draft = model.judge("draft", model.draft_inputs(seen), len(batch), kinds)
    final = model.judge("final", model.final_inputs(seen, draft), len(batch), others)
    assert np.abs(draft - final).max() > 1e-3
    sure, junk = draft.max(axis=1) >= 0.51, draft.argmax(axis=1) == model.labels.index("junk")
    assert (sure & junk).any()
    assert (sure & ~junk).any()
    assert found[0.51][0] == pytest.approx(np.where(sure[:, None], draft, final), abs=1e-6)
    assert found[0.51][1] == pytest.approx(np.where(sure[:, None], kinds * junk[:, None], others), abs=1e-6)
    assert found[2.0][0] == pytest.approx(final, abs=1e-6)
    assert found[2.0][1] == pytest.approx(others, abs=1e-6)


@pytest.mark.parametrize(("sure", "dense", "firm"), [(0.98, 9.5, True), (0.98, 32.0, False), (0.6, 9.5, False)])
def test_a_label_is_the_same_whatever_is_asked_for(cleaner: Cleaner, sure: float, dense: float, firm: bool) -> None:
    """Junk that the draft head is sure of may be body by an aim, and then junk after all as a credit."""
    card, junk = cleaner.model.card, cleaner.model.labels.index("junk")
    aim = {**card["aims"]["balanced"], "dense": dense, "sparse": 1.0, "long": 1}
    doubts = [sure if label == junk else 2.0 for label in range(len(card["sure"]))]
    weights = [3.4 if label == "body" else 2.0 for label in cleaner.model.labels]
    other = Model(cleaner.model.arrays, {**card, "aims": {"balanced": aim}, "sure": doubts, "weights": weights})
    assert other.firm("balanced") == firm
    one = Cleaner(other)
    for text in pool()[:60]:
        data = [text.encode()]
        assert one.result(data, kinds=False).codes.tolist() == one.result(data).codes.tolist()


def test_some_lines_are_sure() -> None:
    model = Cleaner.load().model
    documents = read_labelled([Path(__file__).parents[1] / "training_data"])[::40]
    batch = model.read([document.text().encode() for document in documents])
    draft = model.judge("draft", model.draft_inputs(model.see(batch)), len(batch))
    assert 0.2 < model.sure(draft).mean() < 0.95


def test_the_draft_is_believed_where_it_is_right() -> None:
    truth = ["body"] * 200 + ["junk"] * 200 + ["junk"] * 200 + ["caption"] * 99
    said = [(0, 0.999)] * 200 + [(0, 0.96)] * 200 + [(2, 0.96)] * 200 + [(1, 0.999)] * 99
    rows = np.zeros((len(truth), 3), np.float32)
    for row, (label, share) in zip(rows, said, strict=True):
        row[label] = share
    nothing, no = ("",) * len(truth), (False,) * len(truth)
    part = read_part([LabelledDocument("d", "s", ("word",) * len(truth), tuple(truth), nothing, no, no)], LABELS)
    found = choose_sure([rows], [part], LABELS)
    assert found["sure"] == [0.97, NEVER, 0.9]
    assert found["sure_curves"]["body"][0] == {"from": 0.9, "lines": 400, "right": 0.5}


def test_easy_lines_are_left_out_where_there_are_enough() -> None:
    drafts = [np.full((90_000, 2), 0.5, np.float32) for _ in range(2)]
    for draft in drafts:
        draft[::2] = 0.995, 0.005
    chosen = [np.arange(90_000), np.arange(60_000)]
    rows = Rows(chosen, [lines.astype(np.float32) for lines in chosen])
    found = fewer(rows, drafts, 0.2, seed=0)
    for lines, weight in zip(found.chosen, found.weight, strict=True):
        assert np.array_equal(lines, weight)
        easy = lines % 2 == 0
        assert (~easy).sum() in (45_000, 30_000)
        assert 0.19 < easy.sum() / (~easy).sum() < 0.21
    few = Rows([chosen[0][:9000]], [rows.weight[0][:9000]])
    assert fewer(few, drafts[:1], 0.2, seed=0) is few


def test_full_names_recur_in_their_document() -> None:
    batch = Cleaner.load().model.read(
        [b"Anna Berg came.\nthe sea rose\nIt was Anna Berg again.\n", b"Anna Berg left.\n"]
    )
    names = full_names(batch, Borders(batch))
    assert names[:, 1:].tolist() == [[1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 0, 0]]


def test_whole_articles_in_one_line_stay() -> None:
    cleaner = Cleaner.load()
    advert = "Sign up for our newsletter and share this on Facebook. " * 60
    story = "The council met on Friday to talk about the harbour, and its members could not agree on who is to pay."
    text = f"{story}\n{advert}\n"
    whole = cleaner.model.card["whole_bytes"]
    assert len(advert) > whole > 2000
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    assert f"more than {whole:,} bytes" in " ".join(readme.split())
    assert cleaner.clean(text) == text
    assert cleaner.label(text)[1].label == "body"
    cleaner.model.card["whole_bytes"] = 0
    try:
        assert cleaner.label(text)[1].label == "junk"
    finally:
        cleaner.model.card["whole_bytes"] = whole


def test_from_where_a_line_is_body_is_told_by_real_documents() -> None:
    def document(source: str, label: str, size: int, number: int) -> LabelledDocument:
        lines = tuple("x" * size for _ in range(number))
        none, no = ("",) * number, (False,) * number
        return LabelledDocument("a", "a", lines, (label,) * number, none, no, no, source)

    body = document("real", "body", 6000, FEWEST)
    assert choose_whole([body]) == 2500
    assert choose_whole([document("real", "body", 2400, FEWEST)]) == 0
    assert choose_whole([document("real", "body", 2600, FEWEST - 1)]) == 0
    assert choose_whole([body, document("invented", "junk", 3000, FEWEST)]) == 2500
    assert choose_whole([body, document("real", "junk", 3000, FEWEST)]) == 5000
    assert choose_whole([body, document("real", "junk", 20000, FEWEST)]) == 0


def test_a_softmax_that_ends_early_warns_nobody() -> None:
    """Who trains hears nothing of steps; without the function the same lines warn."""
    rng = np.random.default_rng(0)
    x = np.exp(3 * rng.normal(size=(2000, 60))).astype(np.float32)
    x = 1000 * (x - x.mean(axis=0)) / x.std(axis=0)
    y = (x[:, :8] + 100 * rng.normal(size=(2000, 8))).argmax(axis=1)
    with warnings.catch_warnings(action="error"):
        shares = linear_softmax(x, y, inverse_penalty=0.01, steps=100).predict_proba(x)
    with pytest.warns(ConvergenceWarning):
        bare = LogisticRegression(C=0.01, max_iter=100).fit(x, y)
    np.testing.assert_array_equal(shares, bare.predict_proba(x))
