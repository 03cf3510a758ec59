"""What is promised of training_data/."""

import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from cleaner.corpus import LabelledDocument, read_labelled
from cleaner.labels import LABELS

FOLDER = Path(__file__).parents[1] / "training_data"
PROMISED = {"documents": 300, "lines": 9000, "sites": 100, "caption": 900, "byline": 700, "headline": 300}
PROMISED |= {"credit": 500, "other junk": 2000, "kinds": 25}
LANGUAGES = {**dict.fromkeys(("de", "fr", "es", "pt", "ru"), 25), **dict.fromkeys(("zh", "ar", "hi", "ja", "pl"), 10)}


@cache
def documents() -> list[LabelledDocument]:
    return read_labelled([FOLDER])


def counts() -> Counter[str]:
    found = documents()
    rows = [(label, kind) for one in found for label, kind in zip(one.labels, one.kinds, strict=True)]
    junk = Counter(kind for label, kind in rows if label == "junk")
    credits = sum(number for kind, number in junk.items() if kind.partition("/")[0] == "credit")
    return Counter(label for label, _ in rows) + Counter(
        {
            "documents": len(found),
            "lines": len(rows),
            "sites": len({one.site for one in found}),
            "credit": credits,
            "other junk": sum(junk.values()) - credits,
            "kinds": len({kind for kind in junk if kind and kind.partition("/")[0] != "credit"}),
        }
    )


@pytest.mark.parametrize("name", PROMISED)
def test_promised_counts(name: str) -> None:
    assert counts()[name] >= PROMISED[name]


@pytest.mark.parametrize("language", LANGUAGES)
def test_promised_languages(language: str) -> None:
    assert sum(one.language == language for one in documents()) >= LANGUAGES[language]


def test_a_third_are_whole_pages() -> None:
    assert 3 * sum(one.view == "page" for one in documents()) >= len(documents())


def test_every_file_is_read() -> None:
    assert len(documents()) == len(list(FOLDER.rglob("*.tsv")))


def test_every_document_has_header_and_body() -> None:
    wrong = [
        one.id
        for one in documents()
        if not re.fullmatch("[a-z]{2,3}", one.language)
        or one.view not in ("page", "extract")
        or "body" not in one.labels
    ]
    assert wrong == []


def test_labels_and_kinds() -> None:
    rows = [(one.id, *row) for one in documents() for row in zip(one.labels, one.kinds, strict=True)]
    assert [row for row in rows if row[1] not in LABELS] == []
    assert [row for row in rows if bool(row[2]) != (row[1] == "junk")] == []


def masked(line: str) -> str | None:
    """Return a line without its names and numbers; None for short ones and for mere lists of names."""
    words = re.findall(r"\w+", line)
    if len(words) < 8:
        return None
    masks = ["#" if word[0].isupper() or any(map(str.isdigit, word)) else word for word in words]
    return " ".join(masks) if set(masks) != {"#"} else None


def test_no_template_is_filled_in_again_and_again() -> None:
    places: defaultdict[str, list[LabelledDocument]] = defaultdict(list)
    lines = 0
    for one in documents():
        rows = zip(one.lines, one.labels, strict=True)
        found = [masked(line) for line, label in rows if label in ("body", "caption")]
        lines += sum(mask is not None for mask in found)
        for mask in {mask for mask in found if mask}:
            places[mask].append(one)
    repeated = {mask: where for mask, where in places.items() if len(where) > 1}
    worn = {mask: [one.id for one in where] for mask, where in repeated.items() if len({o.site for o in where}) > 3}
    assert worn == {}
    assert sum(map(len, repeated.values())) < lines / 100
