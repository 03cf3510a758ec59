"""Cleaned text and removed lines are the input again; what is told of lines agrees with the library."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_cleaning import TEXTS
from test_cli import BODY

from cleaner import BatchOptions, clean_files, restore
from cleaner.cleaning import Cleaner
from cleaner.corpus import read_labelled
from cleaner.errors import DataError, UsageError
from cleaner.outcomes import How, outcomes
from cleaner.restoring import restore_file
from cleaner.rules import Rules

VALID = Path(__file__).parents[2] / "shared" / "corpus" / "valid"
RULES = st.sampled_from([Rules(), Rules(("SHARE|Read",), ()), Rules(("o",), ("office",))])


def row(line: object) -> dict[str, object]:
    return {"line": line.number, "text": line.data.decode("utf-8", "surrogatepass")}  # type: ignore[attr-defined]


@given(st.lists(TEXTS, max_size=4), RULES)
def test_outcomes(cleaner: Cleaner, texts: list[str], rules: Rules) -> None:
    documents = [text.encode("utf-8", "surrogatepass") for text in texts]
    found = list(outcomes(cleaner, documents, How(rules, full=True)))
    assert len(found) == len(texts)
    for text, one in zip(texts, found, strict=True):
        assert restore(one.cleaned.decode("utf-8", "surrogatepass"), map(row, one.removed)) == text
    if not rules:
        assert [one.cleaned for one in found] == list(cleaner.clean_bytes(documents))
        for text, one in zip(texts, found, strict=True):
            lines = cleaner.label(text)
            assert one.numbers.tolist() == [line.number for line in lines]
            assert [cleaner.model.labels[code] for code in one.codes] == [line.label for line in lines]


def test_document_in_pieces(cleaner: Cleaner) -> None:
    """A document larger than a piece: numbers of lines run on."""
    text = (BODY * 30 + "SHARE THIS\n") * 1200
    (one,) = outcomes(cleaner, [text.encode()], How(Rules(), full=True))
    assert len(text) > 2_000_000
    assert restore(one.cleaned.decode(), map(row, one.removed)) == text
    assert one.numbers.tolist() == list(range(1, text.count("\n") + 1))


def test_huge_text_is_cut_as_the_library_does(
    tmp_path: Path, cleaner: Cleaner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cleaner.plain.HUGE_BYTES", 3_000_000)
    text = (BODY * 30 + "SHARE THIS\n") * 2200
    (tmp_path / "a.txt").write_text(text)
    options = BatchOptions(workers=1, removed=str(tmp_path / "r"))
    counts = clean_files([str(tmp_path / "a.txt")], str(tmp_path / "b.txt"), options).counts
    assert counts["documents"] == 1
    assert (tmp_path / "b.txt").read_text() == cleaner.clean(text)
    assert restore_file(str(tmp_path / "b.txt"), str(tmp_path / "r")) == text.encode()


def test_names_of_files_are_no_rows() -> None:
    with pytest.raises(UsageError, match="rows"):
        restore("body.txt", "removed.jsonl")  # type: ignore[arg-type]


def test_rows_of_another_text() -> None:
    with pytest.raises(DataError, match="not of this text"):
        restore("one\n", [{"line": 9, "text": "x\n"}])


@pytest.mark.slow
@pytest.mark.skipif(not VALID.is_dir(), reason="the real pages are not here")
def test_every_document_of_valid(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    with source.open("w", encoding="utf-8") as file:
        for document in read_labelled([VALID]):
            file.write(json.dumps({"id": document.id, "text": document.text()}, ensure_ascii=False) + "\n")
    options = BatchOptions(removed=str(tmp_path / "r.gz"))
    clean_files([str(source)], str(tmp_path / "b.jsonl"), options)
    assert len(gzip.decompress((tmp_path / "r.gz").read_bytes())) > 1000
    assert restore_file(str(tmp_path / "b.jsonl"), str(tmp_path / "r.gz")) == source.read_bytes()
