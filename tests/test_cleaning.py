from collections.abc import Callable, Iterator
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np
import pandas
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import cleaner as package
from cleaner import lines
from cleaner.cleaning import Cleaner
from cleaner.errors import UsageError
from cleaner.labels import KINDS
from cleaner.model import Model

BODY = "The ferry was back in service on Friday, the harbour office said."
PIECES = [
    BODY,
    "“It took longer than we had hoped,” the skipper told reporters, “but nobody was hurt.”",
    "SHARE THIS",
    "By A. Person, Staff Writer",
    "Read more",
    "\u6e2f\u53e3\u5468\u4e94\u6062\u590d\u901a\u822a\uff0c\u5de5\u4f5c\u4eba\u5458\u8bf4\u3002",
    "",
    "",
    " \t",
    "\u200b",
    "\ufeff",
    "\x00",
    "\ud800",
]
ENDINGS = ["\n", "\n", "\r\n", "\r", "\u2028", "\x85", "\x0b", ""]
ROWS = st.lists(st.tuples(st.sampled_from(PIECES) | st.text(st.characters()), st.sampled_from(ENDINGS)), max_size=12)
TEXTS = st.builds(
    str.__add__, st.sampled_from(["", "", "\ufeff"]), ROWS.map(lambda rows: "".join(a + b for a, b in rows))
)
TEXTS = TEXTS | st.text(st.characters())


def kept_lines(text: str, cleaner: Cleaner) -> list[str]:
    """Say slowly which lines stay: a plain reference for :func:`cleaner.cleaning.kept_with_blanks`."""
    rows = lines.split(text.removeprefix(lines.BOM))
    full = [number for number, row in enumerate(rows) if not lines.blank(row)]
    chosen = {line.number - 1 for line in cleaner.label(text) if line.label in cleaner.keep}
    out = []
    for number, row in enumerate(rows):
        before = [other for other in full if other < number]
        after = [other for other in full if other > number]
        if number in full:
            stays = number in chosen
        elif not full:
            stays = True
        else:
            owner = before[-1] if before else after[0]
            stays = owner in chosen and (not after or any(other in chosen for other in after))
        if stays:
            out.append(row)
    return out


def subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(line in rest for line in part)


@given(TEXTS)
@example(f"SHARE THIS\n\ufeff{BODY}\n")  # no mark of the text: a character of its second line
def test_output_is_a_subsequence_of_the_input(cleaner: Cleaner, text: str) -> None:
    result = cleaner.clean(text)
    mark = lines.BOM if text.startswith(lines.BOM) else ""
    assert result.startswith(mark)
    found, given = (lines.split(one.removeprefix(mark)) for one in (result, text))
    assert subsequence(found, given)


@given(TEXTS)
def test_clean_is_label_filtered(cleaner: Cleaner, text: str) -> None:
    mark = lines.BOM if text.startswith(lines.BOM) else ""
    assert cleaner.clean(text) == mark + lines.join(kept_lines(text, cleaner))


@given(TEXTS)
def test_label_gives_the_lines_of_split(cleaner: Cleaner, text: str) -> None:
    rows = enumerate(lines.split(text.removeprefix(lines.BOM)), 1)
    expected = [(number, lines.content(row)) for number, row in rows if not lines.blank(row)]
    found = cleaner.label(text)
    assert [(line.number, line.text) for line in found] == expected
    for line in found:
        assert list(line.probabilities) == cleaner.model.labels
        assert sum(line.probabilities.values()) == pytest.approx(1, abs=1e-5)


@given(st.lists(TEXTS, max_size=6))
def test_batch_is_one_by_one(cleaner: Cleaner, texts: list[str]) -> None:
    assert list(cleaner.clean_batch(texts)) == [cleaner.clean(text) for text in texts]


@given(TEXTS, TEXTS, TEXTS)
def test_other_documents_change_nothing(cleaner: Cleaner, before: str, text: str, after: str) -> None:
    alone = cleaner.result([text.encode("utf-8", "surrogatepass")])
    batch = [one.encode("utf-8", "surrogatepass") for one in (before, text, after)]
    together = cleaner.result(batch)
    mine = together.batch.document == 1
    assert together.codes[mine].tolist() == alone.codes.tolist()
    assert together.probabilities[mine] == pytest.approx(alone.probabilities, abs=1e-4)


@given(st.lists(st.text().map(str.encode), max_size=5))
def test_any_utf8_is_cleaned(cleaner: Cleaner, documents: list[bytes]) -> None:
    assert len(list(cleaner.clean_bytes(documents))) == len(documents)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("\n", "\n"),
        ("\n \n\r\n\u00a0", "\n \n\r\n\u00a0"),
        ("\ufeff", "\ufeff"),
        ("\ufeff\n", "\ufeff\n"),
        (BODY, BODY),
        (BODY + "\n", BODY + "\n"),
        (BODY + "\n\n", BODY + "\n\n"),
        ("\n\n" + BODY, "\n\n" + BODY),
        ("SHARE THIS", ""),
        ("SHARE THIS\n", ""),
        (f"{BODY}\n\nSHARE THIS\n", f"{BODY}\n"),
        (f"{BODY}\r\n\r\nSHARE THIS\r\n", f"{BODY}\r\n"),
        (f"\ufeff{BODY}\n\nSHARE THIS", f"\ufeff{BODY}\n"),
        (f"{BODY}\u2028SHARE THIS\u2028", f"{BODY}\u2028"),
        (f"{BODY}\rSHARE THIS\r", f"{BODY}\r"),
    ],
)
def test_edges(cleaner: Cleaner, text: str, expected: str) -> None:
    assert cleaner.clean(text) == expected
    assert list(cleaner.clean_bytes([text.encode()])) == [expected.encode()]
    assert package.clean(text) == expected


@pytest.mark.parametrize(
    "text", ["\x00", "\x00" * 100 + "\n", "\ud800\udc00\ud800", "\udfff\n" * 3, "\U0010ffff", "\ue000"]
)
def test_odd_characters(cleaner: Cleaner, text: str) -> None:
    assert [line.text for line in cleaner.label(text)] == text.splitlines()
    assert subsequence(lines.split(cleaner.clean(text)), lines.split(text))


def test_no_documents(cleaner: Cleaner) -> None:
    assert list(cleaner.clean_bytes([])) == []
    assert list(cleaner.clean_batch([])) == []
    assert list(cleaner.clean_bytes([b"", b"\n", b""])) == [b"", b"\n", b""]


def test_all_labels_kept_is_the_input(cleaner: Cleaner) -> None:
    everything = Cleaner(cleaner.model, cleaner.model.labels)
    text = f"\ufeff\n\n{BODY}\r\n \nSHARE THIS\n\n\nBy A. Person\u2028\n\n"
    assert everything.clean(text) == text


@pytest.mark.parametrize("keep", [[], ["Body"], ["body", "prose"]])
def test_keep_must_name_labels(cleaner: Cleaner, keep: list[str]) -> None:
    with pytest.raises(UsageError, match="keep"):
        Cleaner(cleaner.model, keep)


@pytest.mark.parametrize("keep", [None, 5, [1, "body"], [["body"]], b"body"])
def test_keep_must_be_texts(cleaner: Cleaner, keep: Any) -> None:
    with pytest.raises(UsageError, match=r"^keep: .* given\. Give labels, as in"):
        Cleaner(cleaner.model, keep)


def test_batch_reads_ahead_only_a_megabyte(cleaner: Cleaner) -> None:
    taken = 0

    def texts() -> Iterator[str]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield (BODY + "\n") * 3000

    next(cleaner.clean_batch(texts()))
    assert taken < 10


def test_what_was_read_before_an_error_is_cleaned_first(cleaner: Cleaner) -> None:
    def texts() -> Iterator[str]:
        yield from [f"{BODY}\nSHARE THIS\n"] * 5
        raise OSError("gone")

    text = f"{BODY}\nSHARE THIS\n"
    given: list[tuple[Any, type[Exception], int]] = [([text, text, None, text], TypeError, 2), (texts(), OSError, 5)]
    for documents, error, count in given:
        found = cleaner.clean_batch(documents)
        assert [next(found) for _ in range(count)] == [f"{BODY}\n"] * count
        with pytest.raises(error):
            next(found)


def test_bytearrays_are_documents(cleaner: Cleaner) -> None:
    assert list(cleaner.clean_bytes([bytearray(BODY.encode()), b"SHARE THIS\n"])) == [BODY.encode(), b""]


def test_empty_documents_without_end_are_yielded(cleaner: Cleaner) -> None:
    found = cleaner.clean_batch(repeat(""))
    assert [next(found) for _ in range(3)] == [""] * 3


@pytest.mark.parametrize("keep", [["body", "byline"], "body"])
def test_keep_may_be_read_once(cleaner: Cleaner, keep: list[str] | str) -> None:
    once = Cleaner(cleaner.model, keep if isinstance(keep, str) else (label for label in keep))
    assert once.keep == {keep} if isinstance(keep, str) else set(keep)
    assert once.clean(f"{BODY}\nSHARE THIS\n") == f"{BODY}\n"
    with pytest.raises(UsageError, match="no label is given"):
        Cleaner(cleaner.model, iter([]))


WRONG: list[tuple[Callable[[Cleaner], Any], str]] = [
    (lambda c: c.clean(None), "clean: .* not NoneType"),  # type: ignore[arg-type]
    (lambda c: c.clean(b"a"), "clean_bytes"),  # type: ignore[arg-type]
    (lambda c: c.clean(["a"]), "clean_batch"),  # type: ignore[arg-type]
    (lambda c: c.label(b"a"), "label: .* not bytes. Decode it"),  # type: ignore[arg-type]
    (lambda c: c.clean_document(b"a"), "clean_document: .* not bytes. Decode it"),  # type: ignore[arg-type]
    (lambda c: c.clean_batch("text"), "not str. Put a single one in a list"),
    (lambda c: c.clean_batch(None), "not NoneType"),  # type: ignore[arg-type]
    (lambda c: c.clean_batch({"a": "text"}), "not dict. Give the column"),
    (lambda c: c.clean_batch(pandas.DataFrame({"text": ["a"]})), "not DataFrame. Give the column"),
    (lambda c: c.clean_bytes(b"text"), "not bytes"),  # type: ignore[arg-type]
    (lambda c: list(c.clean_batch(["a", "b", None])), "document 3 .* NoneType"),  # type: ignore[list-item]
    (lambda c: list(c.clean_batch([b"a"])), "document 1 .* clean_bytes"),  # type: ignore[list-item]
    (lambda c: list(c.clean_bytes([b"a", "b"])), "document 2 .* clean_batch"),  # type: ignore[list-item]
    (lambda _: package.clean(b"a"), "clean: a str is wanted, not bytes"),  # type: ignore[arg-type]
    (lambda _: package.restore(b"a", []), "restore: .* not bytes. Decode it"),  # type: ignore[arg-type]
    (lambda _: Cleaner("default"), "not str. Use Cleaner.load"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("use", "said"), WRONG, ids=range(len(WRONG)))
def test_what_is_no_document_is_refused(cleaner: Cleaner, use: Callable[[Cleaner], Any], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        use(cleaner)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["word ", "x", "\u6e2f", "a. "])
def test_one_huge_line(cleaner: Cleaner, unit: str) -> None:
    text = unit * (50_000_000 // len(unit.encode()))
    assert cleaner.clean(text) in (text, "")


@pytest.mark.slow
def test_a_million_lines(cleaner: Cleaner) -> None:
    text = f"{BODY}\n" * 500_000 + "SHARE THIS\n" * 500_000
    result = cleaner.clean(text)
    assert subsequence(lines.split(result), lines.split(text))


@given(TEXTS)
def test_each_aim_keeps_what_the_stricter_one_keeps(text: str) -> None:
    kept = [set(kept_numbers(text, aim)) for aim in ("precision", "balanced", "recall")]
    assert kept[0] <= kept[1] <= kept[2]


def kept_numbers(text: str, aim: str) -> list[int]:
    return [line.number for line in aimed(aim).label(text) if line.label == "body"]


@cache
def aimed(aim: str) -> Cleaner:
    return Cleaner.load(aim=aim)


def test_unknown_aim_is_refused() -> None:
    with pytest.raises(UsageError, match="balanced"):
        Cleaner.load(aim="harsh")


def test_a_document_of_which_nearly_all_goes_is_suspicious(cleaner: Cleaner) -> None:
    found = cleaner.clean_document("SHARE THIS\n\n" * 30)
    assert found.removed_share == 1.0
    assert "100%" in found.suspicious
    assert cleaner.clean_document(f"{BODY}\n").suspicious == ""
    assert cleaner.clean_document("").suspicious == ""


def test_lines_without_words_are_no_words_that_go(cleaner: Cleaner) -> None:
    found = cleaner.clean_document(f"{BODY}\n" + "|\n***\n" * 60)
    assert (found.text, found.removed_share, found.suspicious) == (f"{BODY}\n", 0.0, "")
    assert cleaner.clean_document("|\n***\n").removed_share == 0.0


@given(TEXTS)
def test_a_document_is_cleaned_the_same_way_alone(cleaner: Cleaner, text: str) -> None:
    found = cleaner.clean_document(text)
    assert found.text == cleaner.clean(text)
    assert 0 <= found.removed_share <= 1


def test_what_is_beside_a_document_is_no_matter(cleaner: Cleaner) -> None:
    """Matrix products differ in their last bits with the place of a row: like lines must not compete by them."""
    rng = np.random.default_rng(7)
    words = [
        "harbour",
        "bridge",
        "opens",
        "week",
        "early",
        "council",
        "votes",
        "new",
        "pool",
        "ferry",
        "storm",
        "mayor",
        "school",
        "roof",
        "repaired",
        "prices",
    ]
    others = ["SHARE THIS", "Home", "Advertisement", "Comments (4)", "Repairs cost about 310,000 crowns.", BODY]
    texts = []
    for _ in range(1200):
        title = " ".join(rng.choice(words, rng.integers(3, 7), replace=False)).capitalize()
        rest = [str(line) for line in rng.choice(others, rng.integers(2, 5))]
        texts.append("\n".join(line for one in rest for line in (title, one)).encode() + b"\n")
    together = cleaner.result(texts)
    for number, text in enumerate(texts):
        alone = cleaner.result([text]).probabilities
        beside = together.probabilities[together.batch.document == number]
        np.testing.assert_allclose(alone, beside, atol=1e-3, err_msg=text.decode())


def test_lines_and_models_can_be_compared_and_hashed(cleaner: Cleaner) -> None:
    lines = cleaner.label(f"{BODY}\nSHARE THIS\n")
    assert len({*lines, *cleaner.label(f"{BODY}\nSHARE THIS\n")}) == 2
    assert len({cleaner.model, Model.load(), cleaner.model}) == 2
    assert cleaner.model != Model.load()


@given(TEXTS)
def test_only_junk_has_a_kind(cleaner: Cleaner, text: str) -> None:
    found = cleaner.label(text)
    assert {line.kind for line in found} <= {"", *KINDS}
    assert all(not line.kind for line in found if line.label != "junk")


def test_plain_sorts_of_junk_are_named(cleaner: Cleaner) -> None:
    text = f"{BODY}\n{BODY.replace('Friday', 'Monday')}\nPhoto: A. Person / Getty Images\nSHARE THIS\n"
    kinds = [line.kind for line in cleaner.label(text)]
    assert kinds[:2] == ["", ""]
    assert kinds[2] == "credit"
